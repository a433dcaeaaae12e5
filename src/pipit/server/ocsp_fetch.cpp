// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/ocsp_fetch.hpp>

#include <pipit/base/ocsp_limits.hpp>
#include <pipit/net/clock.hpp>
#include <pipit/net/http_client.hpp>
#include <pipit/server/error.hpp>

#include <boost/system/system_error.hpp>

#include <chrono>
#include <memory>
#include <utility>

namespace pipit::server {
namespace {

/// For authorities that are asked over HTTPS. Null: the system trusts nobody.
std::shared_ptr<const net::tls_context> tls_for_responders() {
    static const auto made = net::tls_context::for_client({.verifies_peer = true});
    return made ? *made : nullptr;
}

error failed(std::string why) { return {errc::unusable_file, std::move(why)}; }

result<net::http_request> request_of(const std::string& url, std::optional<std::string> body,
                                     nanoseconds timeout) {
    auto parts = net::parse_http_url(url);
    if (!parts) return failed("it is no URL that begins with http:// or https://");
    const bool is_secure = parts->is_secure;
    return net::http_request{.to = std::move(*parts),
                             .content_type = "application/ocsp-request",
                             .body = std::move(body),
                             .timeout = timeout,
                             .answer_bytes_max = limits::ocsp_response_bytes,
                             .tls = is_secure ? tls_for_responders() : nullptr};
}

ocsp_reply reply_of(result<net::http_response> answer) {
    if (!answer) return {.answer = failed(answer.error().message()), .is_reached = false};
    if (answer->status != 200) {
        return {.answer = failed("bad OCSP responder http status: [" +
                                 std::to_string(answer->status) + "]")};
    }
    return {.answer = std::move(answer->body)};
}

} // namespace

void fetch_from_responder(net::event_loop& loop, const std::string& url, nanoseconds timeout,
                          ocsp_authorities::fetched then) {
    auto request = request_of(url, std::nullopt, timeout);
    if (!request) {
        return loop.post(
            [why = request.error(), then = std::move(then)] { then({.answer = why}); });
    }
    try {
        net::fetch_http(loop, std::move(*request), [then](result<net::http_response> answer) {
            then(reply_of(std::move(answer)));
        });
    } catch (const boost::system::system_error& none) { // No descriptor is left for it.
        const auto why = failed(none.code().message());
        loop.post([why, then] { then({.answer = why, .is_reached = false}); });
    }
}

result<std::string> fetch_staple(const std::string& url, const std::optional<std::string>& body,
                                 const logger& log, const std::function<bool()>& is_given_up) {
    auto request = request_of(url, body, limits::ocsp_staple_timeout);
    if (!request) return request.error();
    const auto begun = net::steady_now();
    auto answer = net::fetch_http(std::move(*request), is_given_up);
    if (!answer) return failed(answer.error().message());
    const std::string method = body ? "POST" : "GET";
    const auto took = std::chrono::duration<double>(net::steady_now() - begun).count();
    log.debug("Received OCSP response (method=" + method +
              ", status=" + std::to_string(answer->status) + ", url=" + url +
              ", duration=" + std::to_string(took) + "s)");
    constexpr int last_good_status = 299;
    if (answer->status > last_good_status) {
        return failed("non-ok http status on " + method +
                      " request: " + std::to_string(answer->status));
    }
    return std::move(answer->body);
}

} // namespace pipit::server
