// SPDX-License-Identifier: Apache-2.0
#include <pipit/net/detail/http_problems.hpp>

#include <boost/beast/core/string.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <boost/beast/http/write.hpp>

#include <array>
#include <ctime>
#include <sstream>
#include <utility>

namespace pipit::net::detail {

std::string refusal(http::status status, std::string_view words) {
    auto line = std::to_string(static_cast<unsigned>(status)) + ' ';
    line += http::obsolete_reason(status);
    const bool replaces = status == http::status::not_implemented;
    if (!words.empty() && !replaces) line.append(": ").append(words);
    auto text = "HTTP/1.1 " + line + "\r\nContent-Type: text/plain; charset=utf-8\r\n" +
                "Connection: close\r\n\r\n";
    return replaces ? text.append(words) : text + line;
}

namespace {

/// As a `Date` header has it.
std::string http_date(std::time_t time) {
    std::tm parts{};
    gmtime_r(&time, &parts);
    std::array<char, 64> text{};
    const auto length =
        std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    return {text.data(), length};
}

/// In the words of Go's server; empty: it is right.
std::string_view host_problem(const http_request& request) {
    if (request.count(http::field::host) == 0) return "missing required Host header";
    constexpr std::string_view marks = "!$%&'()*+,-.:;=[]_~";
    for (const char c : request[http::field::host]) {
        const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        const bool is_digit = c >= '0' && c <= '9';
        if (!is_letter && !is_digit && marks.find(c) == std::string_view::npos) {
            return "malformed Host header";
        }
    }
    return "";
}

/// One number of bytes, however often it is said. What lists several, or the same one in two ways,
/// could be read differently by a proxy in front.
bool says_one_length(const http_request& request) {
    const auto [first, end] = request.equal_range(http::field::content_length);
    for (auto each = first; each != end; ++each) {
        const auto value = each->value();
        if (value.find_first_not_of("0123456789") != value.npos || value != first->value()) {
            return false;
        }
    }
    return true;
}

bool is_old(const http_request& request) { return request.version() < 11; }

} // namespace

std::string refusal_of(const http_request& request) {
    const auto encodings = request.count(http::field::transfer_encoding);
    const auto encoding = request[http::field::transfer_encoding];
    if (encodings > 0 && !is_old(request) &&
        (encodings > 1 || !beast::iequals(encoding, "chunked"))) {
        // Where the request ends is anybody's guess.
        return refusal(http::status::not_implemented, "Unsupported transfer encoding");
    }
    if (!says_one_length(request)) return refusal(http::status::bad_request);
    if (request.count(http::field::host) > 1) return refusal(http::status::bad_request);
    const bool may_lack_host = is_old(request) && request.count(http::field::host) == 0;
    const auto problem = may_lack_host ? "" : host_problem(request);
    return problem.empty() ? "" : refusal(http::status::bad_request, problem);
}

std::optional<http_response> own_answer_to(const http_request& request) {
    if (const auto expects = request[http::field::expect];
        !expects.empty() && !http::token_list(expects).exists("100-continue")) {
        return http_response{417, "", ""};
    }
    if (request.target() != "*") return std::nullopt;
    return http_response{request.method() == http::verb::options ? 200 : 400, "", ""};
}

std::string answer_text(http_response answer, const http_request& request, bool keep_alive) {
    http::response<http::empty_body> head;
    head.version(request.version());
    head.result(static_cast<unsigned>(answer.status));
    for (const auto& [name, value] : answer.headers) head.set(name, value);
    if (!answer.content_type.empty()) head.set(http::field::content_type, answer.content_type);
    head.set(http::field::date, http_date(std::time(nullptr)));
    head.content_length(answer.body.size());
    head.keep_alive(keep_alive);
    std::ostringstream text;
    text << head.base();
    if (request.method() == http::verb::head) return std::move(text).str();
    return answer.body.insert(0, text.view());
}

bool waits_to_send_body(const http_request& request) {
    return !is_old(request) &&
           http::token_list(request[http::field::expect]).exists("100-continue");
}

} // namespace pipit::net::detail
