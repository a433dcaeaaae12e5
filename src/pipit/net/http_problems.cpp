// SPDX-License-Identifier: Apache-2.0
#include <pipit/net/detail/http_problems.hpp>

#include <boost/beast/http/error.hpp>

#include <array>
#include <ctime>
#include <utility>

namespace pipit::net::detail {

std::string http_date(std::time_t time) {
    std::tm parts{};
    gmtime_r(&time, &parts);
    std::array<char, 64> text{};
    const auto length =
        std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    return {text.data(), length};
}

http_response refusal(http::status status, std::string text) {
    return {static_cast<int>(status), "text/plain; charset=utf-8", std::move(text)};
}

std::optional<http_response> answer_to(const beast::error_code& problem) {
    if (problem == http::error::header_limit || problem == http::error::buffer_overflow) {
        return refusal(http::status::request_header_fields_too_large,
                       "431 Request Header Fields Too Large");
    }
    if (problem == http::error::body_limit) {
        return refusal(http::status::payload_too_large, "413 Payload Too Large");
    }
    if (problem == http::error::end_of_stream || problem == http::error::partial_message ||
        problem.category() != make_error_code(http::error::bad_method).category()) {
        return std::nullopt;
    }
    return refusal(http::status::bad_request, "400 Bad Request");
}

std::string_view host_problem(const http::request<http::string_body>& request) {
    const auto count = request.count(http::field::host);
    if (count > 1) return "400 Bad Request";
    if (count == 0)
        return request.version() < 11 ? "" : "400 Bad Request: missing required Host header";
    constexpr std::string_view marks = "!$%&'()*+,-.:;=[]_~";
    for (const char c : request[http::field::host]) {
        const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        const bool is_digit = c >= '0' && c <= '9';
        if (!is_letter && !is_digit && marks.find(c) == std::string_view::npos) {
            return "400 Bad Request: malformed Host header";
        }
    }
    return "";
}

} // namespace pipit::net::detail
