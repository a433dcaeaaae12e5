// SPDX-License-Identifier: Apache-2.0
#include <pipit/net/http_client.hpp>

#include <pipit/base/ascii_case.hpp>
#include <pipit/base/base64.hpp>
#include <pipit/base/percent_encoding.hpp>
#include <pipit/net/clock.hpp>
#include <pipit/net/detail/event_loop_state.hpp>
#include <pipit/net/detail/http_fetched.hpp>
#include <pipit/net/error.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <sstream>

namespace pipit::net {
namespace {

std::uint16_t usual_port(const http_url& url) { return url.is_secure ? 443 : 80; }

std::string host_header_of(const http_url& url) {
    const bool is_ipv6 = url.host.find(':') != std::string::npos;
    auto text = is_ipv6 ? '[' + url.host + ']' : url.host;
    if (url.port != usual_port(url)) (text += ':') += std::to_string(url.port);
    return text;
}

bool read_place(std::string_view place, http_url& url) {
    const auto bracket = place.rfind(']');
    const auto colon = place.rfind(':');
    if (colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket)) {
        const auto digits = place.substr(colon + 1);
        const auto end = digits.data() + digits.size();
        const auto [stop, failed] = std::from_chars(digits.data(), end, url.port);
        if (failed != std::errc{} || stop != end || url.port == 0) return false;
        place = place.substr(0, colon);
    }
    if (place.starts_with('[') && place.ends_with(']')) place = place.substr(1, place.size() - 2);
    url.host = place;
    return !place.empty();
}

bool is_printable(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c > ' ' && c != '\x7f'; });
}

} // namespace

std::optional<http_url> parse_http_url(std::string_view text, std::uint16_t plain_port) {
    http_url url;
    url.is_secure = starts_without_case(text, "https://");
    if (!url.is_secure && !starts_without_case(text, "http://")) return std::nullopt;
    if (!is_printable(text)) return std::nullopt;
    text.remove_prefix(text.find("//") + 2);
    url.port = url.is_secure ? usual_port(url) : plain_port;
    const auto end = text.find_first_of("/?#");
    auto place = text.substr(0, end);
    if (end != std::string_view::npos) {
        url.target = text.substr(end, text.find('#') - end);
        if (!url.target.starts_with('/')) url.target.insert(0, "/");
    }
    if (const auto at = place.rfind('@'); at != std::string_view::npos) {
        auto who = percent_decoded(place.substr(0, at));
        if (!who) return std::nullopt;
        url.user_and_password = std::move(*who);
        place.remove_prefix(at + 1);
    }
    if (!read_place(place, url)) return std::nullopt;
    return url;
}

namespace detail {

const lookup::counter& names_under_way() {
    static const auto count = std::make_shared<std::atomic<int>>(0);
    return count;
}

std::string text_of(const http_request& request) {
    http::request<http::empty_body> message;
    message.method(request.body ? http::verb::post : http::verb::get);
    message.target(request.to.target);
    message.version(11);
    message.set(http::field::host, host_header_of(request.to));
    message.set(http::field::connection, "close");
    message.set(http::field::accept, "*/*");
    if (!request.to.user_and_password.empty()) {
        message.set(http::field::authorization, "Basic " + to_base64(request.to.user_and_password));
    }
    if (request.body) {
        message.set(http::field::content_type, request.content_type);
        message.content_length(request.body->size());
    }
    std::ostringstream head;
    head << message.base();
    return std::move(head).str() + request.body.value_or("");
}

} // namespace detail

void fetch_http(const boost::asio::any_io_executor& executor, http_request request,
                http_answered done) {
    if (request.to.is_secure && !request.tls) { // Nobody has said whom to trust.
        return boost::asio::post(executor, [done = std::move(done)]() mutable {
            std::move(done)(error(errc::unusable_tls_settings, "tls: there are no settings"));
        });
    }
    if (request.to.is_secure) {
        detail::fetch_securely(executor, std::move(request), std::move(done));
    } else {
        detail::fetch_plainly(executor, std::move(request), std::move(done));
    }
}

void fetch_http(event_loop& loop, http_request request,
                std::function<void(result<http_response>)> done) {
    fetch_http(loop.internals().context.get_executor(), std::move(request), std::move(done));
}

result<http_response> fetch_http(http_request request, const std::function<bool()>& is_given_up) {
    constexpr std::chrono::nanoseconds rest = std::chrono::milliseconds(20);
    const error aborted(make_error_code(boost::asio::error::operation_aborted));
    const auto until = steady_now() + request.timeout;
    try {
        std::optional<result<http_response>> outcome;
        boost::asio::io_context events(1);
        fetch_http(events.get_executor(), std::move(request),
                   [&outcome](result<http_response> answer) { outcome = std::move(answer); });
        for (auto now = steady_now(); now < until && !outcome && !events.stopped();
             now = steady_now()) {
            if (is_given_up && is_given_up()) return aborted;
            const auto left = std::chrono::nanoseconds(until - now);
            events.run_for(is_given_up ? std::min(rest, left) : left);
        }
        if (outcome) return std::move(*outcome);
    } catch (const boost::system::system_error& failed) { // No descriptor or thread is left for it.
        return error(failed.code());
    }
    return error(errc::timeout);
}

} // namespace pipit::net
