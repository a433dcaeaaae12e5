// SPDX-License-Identifier: Apache-2.0
#include <pipit/protocol/detail/message_line.hpp>

#include <pipit/protocol/detail/numbers.hpp>

namespace pipit::protocol::detail {

line_fields split_fields(bytes_view line, bytes_view blanks) noexcept {
    line_fields out;
    const auto is_blank = [&](char byte) {
        return byte <= ' ' && blanks.find(byte) != bytes_view::npos;
    };
    for (std::size_t at = 0; at < line.size(); ++at) {
        if (is_blank(line[at])) continue;
        const auto begin = at;
        while (at < line.size() && !is_blank(line[at])) ++at;
        if (out.count < out.text.size()) out.text[out.count] = line.substr(begin, at - begin);
        ++out.count;
    }
    return out;
}

bool parse_message_line(bytes_view line, role reader_role, bool with_headers,
                        message_line& out) noexcept {
    const auto [text, count] = split_fields(line, " \t");
    const std::size_t reply_index = reader_role == role::client ? 2 : 1;
    const std::size_t fields_min = reply_index + (with_headers ? 2 : 1);
    if (count != fields_min && count != fields_min + 1) return false;

    out.fields.subject = text[0];
    out.behind_subject = line.substr(static_cast<std::size_t>(text[1].data() - line.data()));
    if (reader_role == role::client) out.fields.sid = text[1];
    if (count > fields_min) out.fields.reply = text[reply_index];
    if (with_headers) {
        out.fields.header_size_text = text[count - 2];
        out.header_size = parse_size(out.fields.header_size_text);
    }
    out.fields.size_text = text[count - 1];
    out.size = parse_size(out.fields.size_text);
    return out.size >= 0 && out.header_size >= 0 && out.header_size <= out.size;
}

void message_line::place_body(const char* body) noexcept {
    fields.has_headers = header_size > 0;
    fields.headers = {body, static_cast<std::size_t>(header_size)};
    if (!fields.has_headers) fields.header_size_text = {};
    fields.payload = {body + header_size, static_cast<std::size_t>(size - header_size)};
}

bool has_single_spaces(bytes_view line) noexcept {
    if (line.empty() || line.front() == ' ' || line.back() == ' ') return false;
    return line.find("  ") == bytes_view::npos && line.find_first_of("\t\r\n") == bytes_view::npos;
}

} // namespace pipit::protocol::detail
