// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/url_resolver.hpp>

#include <pipit/base/identity_limits.hpp>
#include <pipit/base/url_user.hpp>
#include <pipit/net/http_client.hpp>
#include <pipit/protocol/go_text.hpp>
#include <pipit/server/error.hpp>

#include <utility>

namespace pipit::server {
namespace {

/// Without user and password.
std::string shown(const std::string& url) {
    const auto user = url_user_of(url);
    if (user.empty()) return url;
    return url.substr(0, user.begin) + "xxxxx" + url.substr(user.end);
}

} // namespace

result<std::string> get_over_http(const std::string& url,
                                  const std::shared_ptr<const net::tls_context>& tls,
                                  nanoseconds timeout, const std::function<bool()>& is_given_up) {
    const auto failed = [&](std::string_view why) {
        return error(errc::no_account,
                     "could not fetch <" + protocol::quoted(shown(url)) + ">: " + std::string(why));
    };
    auto parts = net::parse_http_url(url);
    if (!parts) return failed("it is no URL that begins with http:// or https://");
    net::http_request request{.to = std::move(*parts),
                              .content_type = {},
                              .body = {},
                              .timeout = timeout,
                              .answer_bytes_max = limits::jwt_bytes,
                              .tls = tls};
    auto answer = net::fetch_http(std::move(request), is_given_up);
    if (!answer) return failed(answer.error().message());
    if (answer->status != 200) return failed(std::to_string(answer->status));
    return std::move(answer->body);
}

url_resolver::~url_resolver() { stop(); }

void url_resolver::stop() {
    is_stopping_ = true;
    for (auto& each : threads_) each.stop();
}

void url_resolver::fetch(const std::string& account, answer then) {
    threads_[next_++ % threads_.size()].post([this, url = url_ + account, then = std::move(then)] {
        then(get_over_http(url, tls_, limits::account_fetch_timeout,
                           [this] { return is_stopping_.load(); }));
    });
}

result<> url_resolver::store(const std::string&, const std::string&) { return {}; }

} // namespace pipit::server
