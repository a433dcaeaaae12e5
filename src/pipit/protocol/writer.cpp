// SPDX-License-Identifier: Apache-2.0
#include <pipit/protocol/writer.hpp>

#include <array>
#include <charconv>
#include <cstring>

namespace pipit::protocol {
namespace {

void append_number(std::string& out, std::uint64_t number) {
    char digits[20];
    const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
    out.append(digits, static_cast<std::size_t>(end - digits));
}

std::size_t digits_of(std::uint64_t number) noexcept {
    std::size_t count = 1;
    for (; number >= 10; number /= 10) ++count;
    return count;
}

void append_word(std::string& out, bytes_view word) {
    if (word.empty()) return;
    out += word;
    out += ' ';
}

/// A body up to so many bytes is written with its line in one go.
constexpr std::size_t small_body_bytes = 1024;

char* put(char* at, bytes_view text) noexcept {
    if (!text.empty()) std::memcpy(at, text.data(), text.size());
    return at + text.size();
}

char* put_number(char* at, std::size_t number) noexcept {
    constexpr std::size_t digits_max = 20;
    return std::to_chars(at, at + digits_max, number).ptr;
}

/// `name` ends with a blank; the words that are not empty follow, and the sizes.
template <std::size_t count>
void append_message(std::string& out, bytes_view name, const std::array<bytes_view, count>& words,
                    bytes_view headers, bytes_view payload) {
    char sizes[48];
    char* end = sizes;
    if (!headers.empty()) {
        end = put_number(end, headers.size());
        *end++ = ' ';
    }
    end = put_number(end, headers.size() + payload.size());
    end = put(end, "\r\n");

    auto line_bytes = name.size() + static_cast<std::size_t>(end - sizes);
    for (const auto word : words) line_bytes += word.empty() ? 0 : word.size() + 1;
    const auto body_bytes = headers.size() + payload.size() + 2;
    const bool is_small = body_bytes <= small_body_bytes;
    const auto begin = out.size();
    out.resize(begin + line_bytes + (is_small ? body_bytes : 0));
    char* at = put(out.data() + begin, name);
    for (const auto word : words) {
        if (word.empty()) continue;
        at = put(at, word);
        *at++ = ' ';
    }
    at = put(at, {sizes, static_cast<std::size_t>(end - sizes)});
    if (is_small) {
        put(put(put(at, headers), payload), "\r\n");
        return;
    }
    out += headers;
    out += payload;
    out += "\r\n";
}

} // namespace

void append_publication(std::string& out, const publication& message) {
    append_message(out, message.headers.empty() ? "PUB " : "HPUB ",
                   std::array{message.subject, message.reply}, message.headers, message.payload);
}

void append_delivery(std::string& out, const delivery& message) {
    append_message(out, message.headers.empty() ? "MSG " : "HMSG ",
                   std::array{message.subject, message.sid, message.reply}, message.headers,
                   message.payload);
}

std::size_t written_size(const publication& message) noexcept {
    const auto body = message.headers.size() + message.payload.size();
    auto size = std::size_t{4} + message.subject.size() + 1 + digits_of(body) + 2 + body + 2;
    if (!message.reply.empty()) size += message.reply.size() + 1;
    if (!message.headers.empty()) size += 1 + digits_of(message.headers.size()) + 1;
    return size;
}

void append_subscribe(std::string& out, bytes_view subject, bytes_view queue, bytes_view sid) {
    out += "SUB ";
    append_word(out, subject);
    append_word(out, queue);
    out += sid;
    out += "\r\n";
}

void append_unsubscribe(std::string& out, bytes_view sid, std::uint64_t max) {
    out += "UNSUB ";
    out += sid;
    if (max != 0) {
        out += ' ';
        append_number(out, max);
    }
    out += "\r\n";
}

void append_ping(std::string& out) { out += "PING\r\n"; }
void append_pong(std::string& out) { out += "PONG\r\n"; }
void append_ok(std::string& out) { out += "+OK\r\n"; }

void append_error(std::string& out, bytes_view text) {
    out += "-ERR '";
    out += text;
    out += "'\r\n";
}

void append_no_responders(std::string& out, bytes_view reply, bytes_view sid, bytes_view subject) {
    std::string headers = "NATS/1.0 503\r\nNats-Subject: ";
    headers += subject;
    headers += "\r\n\r\n";
    append_delivery(out, {.subject = reply, .sid = sid, .headers = headers});
}

} // namespace pipit::protocol
