// SPDX-License-Identifier: Apache-2.0
#include <pipit/net/http_head.hpp>

namespace pipit::net {
namespace {

bytes_view without_return(bytes_view line) noexcept {
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
}

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

/// `HTTP/1.1` and the like.
bool is_version(bytes_view text) noexcept {
    return text.size() == 8 && text.starts_with("HTTP/") && is_digit(text[5]) && text[6] == '.' &&
           is_digit(text[7]);
}

} // namespace

http_head_end::status http_head_end::look_at(bytes_view bytes) {
    for (;;) {
        const auto feed = bytes.find('\n', looked_at_);
        if (feed == bytes_view::npos) {
            looked_at_ = bytes.size();
            return status::incomplete;
        }
        const auto line = without_return(bytes.substr(line_begin_, feed - line_begin_));
        if (line_begin_ == 0) {
            if (check_request_line(line) == status::malformed) return status::malformed;
        } else if (line.empty()) {
            end_ = feed + 1;
            return is_other_version_ ? status::other_version : status::complete;
        }
        line_begin_ = looked_at_ = feed + 1;
    }
}

http_head_end::status http_head_end::check_request_line(bytes_view line) noexcept {
    const auto first = line.find(' ');
    const auto second = first == bytes_view::npos ? first : line.find(' ', first + 1);
    if (second == bytes_view::npos || first == 0 || second == first + 1) return status::malformed;
    const auto version = line.substr(second + 1);
    if (!is_version(version)) return status::malformed;
    is_other_version_ = version[5] != '1';
    return status::incomplete;
}

std::string canonical_http_head(bytes_view head) {
    std::string text;
    text.reserve(head.size() + head.size() / 8);
    bool is_first = true;
    while (!head.empty()) {
        const auto feed = head.find('\n');
        const auto line = without_return(head.substr(0, feed));
        text += line;
        if (is_first && is_version(line.substr(line.rfind(' ') + 1)) && line.back() > '1') {
            text.back() = '1';
        }
        is_first = false;
        text += "\r\n";
        head.remove_prefix(feed == bytes_view::npos ? head.size() : feed + 1);
    }
    return text;
}

} // namespace pipit::net
