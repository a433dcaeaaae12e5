// SPDX-License-Identifier: Apache-2.0
#include <pipit/protocol/writer.hpp>

#include <charconv>

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

/// The end of a message's line, and the message.
void append_body(std::string& out, bytes_view headers, bytes_view payload) {
    if (!headers.empty()) {
        append_number(out, headers.size());
        out += ' ';
    }
    append_number(out, headers.size() + payload.size());
    out += "\r\n";
    out += headers;
    out += payload;
    out += "\r\n";
}

void append_word(std::string& out, bytes_view word) {
    if (word.empty()) return;
    out += word;
    out += ' ';
}

} // namespace

void append_publication(std::string& out, const publication& message) {
    out += message.headers.empty() ? "PUB " : "HPUB ";
    append_word(out, message.subject);
    append_word(out, message.reply);
    append_body(out, message.headers, message.payload);
}

void append_delivery(std::string& out, const delivery& message) {
    out += message.headers.empty() ? "MSG " : "HMSG ";
    append_word(out, message.subject);
    append_word(out, message.sid);
    append_word(out, message.reply);
    append_body(out, message.headers, message.payload);
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
