// SPDX-License-Identifier: Apache-2.0
#include <pipit/protocol/writer.hpp>

#include <charconv>
#include <concepts>
#include <cstring>

namespace pipit::protocol {
namespace {

void append_number(std::string& out, std::uint64_t number) {
    char digits[20];
    const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
    out.append(digits, static_cast<std::size_t>(end - digits));
}

std::size_t digits_of(std::uint64_t number) noexcept {
    for (std::size_t count = 1;; count += 3, number /= 1000) {
        if (number < 10) return count;
        if (number < 100) return count + 1;
        if (number < 1000) return count + 2;
    }
}

void append_word(std::string& out, bytes_view word) {
    if (word.empty()) return;
    out += word;
    out += ' ';
}

/// A body up to so many bytes is written with its line in one go.
constexpr std::size_t small_body_bytes = 1024;

/// Most words are short: no call for those, and none for a text that is known here.
[[gnu::always_inline]] inline char* put(char* at, bytes_view text) noexcept {
    const auto* const from = text.data();
    const auto size = text.size();
    if (size > 16) {
        std::memcpy(at, from, size);
    } else if (size >= 8) {
        std::memcpy(at, from, 8);
        std::memcpy(at + size - 8, from + size - 8, 8);
    } else if (size >= 4) {
        std::memcpy(at, from, 4);
        std::memcpy(at + size - 4, from + size - 4, 4);
    } else {
        for (std::size_t i = 0; i < size; ++i) at[i] = from[i];
    }
    return at + size;
}

char* put_word(char* at, bytes_view word) noexcept {
    if (word.empty()) return at;
    at = put(at, word);
    *at = ' ';
    return at + 1;
}

char* put_number(char* at, std::size_t number, std::size_t digits) noexcept {
    return std::to_chars(at, at + digits, number).ptr;
}

std::size_t word_bytes(bytes_view word) noexcept { return word.empty() ? 0 : word.size() + 1; }

/// The sizes at the end of a line, of the headers if there are any and of all: their digits.
struct size_digits {
    size_digits(bytes_view headers, bytes_view payload) noexcept
        : of_headers(headers.empty() ? 0 : digits_of(headers.size())),
          of_all(digits_of(headers.size() + payload.size())) {}

    /// With the blank between them and the end of the line.
    [[nodiscard]] std::size_t bytes() const noexcept {
        return (of_headers == 0 ? 0 : of_headers + 1) + of_all + 2;
    }

    std::size_t of_headers;
    std::size_t of_all;
};

/// PUB or MSG, after an H when there are headers: so many bytes with the blank behind it.
std::size_t name_bytes(bytes_view headers) noexcept { return headers.empty() ? 4 : 5; }

/// `name` is without the H, and with the blank; empty words are left out.
template <std::same_as<bytes_view>... Words>
void append_message(std::string& out, const char (&name)[5], bytes_view headers, bytes_view payload,
                    Words... words) {
    const auto body_bytes = headers.size() + payload.size();
    const size_digits digits(headers, payload);
    const bool is_small = body_bytes <= small_body_bytes;
    const auto begin = out.size();
    out.resize(begin + name_bytes(headers) + (word_bytes(words) + ...) + digits.bytes() +
               (is_small ? body_bytes + 2 : 0));
    char* at = out.data() + begin;
    if (!headers.empty()) *at++ = 'H';
    at = put(at, name);
    ((at = put_word(at, words)), ...);
    if (!headers.empty()) {
        at = put_number(at, headers.size(), digits.of_headers);
        *at++ = ' ';
    }
    at = put(put_number(at, body_bytes, digits.of_all), "\r\n");
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
    append_message(out, "PUB ", message.headers, message.payload, message.subject, message.reply);
}

void append_delivery(std::string& out, const delivery& message) {
    append_message(out, "MSG ", message.headers, message.payload, message.subject, message.sid,
                   message.reply);
}

std::size_t written_size(const publication& message) noexcept {
    return name_bytes(message.headers) + word_bytes(message.subject) + word_bytes(message.reply) +
           size_digits(message.headers, message.payload).bytes() + message.headers.size() +
           message.payload.size() + 2;
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
