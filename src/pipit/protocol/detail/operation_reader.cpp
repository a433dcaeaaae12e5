// SPDX-License-Identifier: Apache-2.0
#include <pipit/protocol/detail/operation_reader.hpp>

#include <pipit/base/assert.hpp>
#include <pipit/protocol/detail/numbers.hpp>
#include <pipit/protocol/subject.hpp>

#include <algorithm>
#include <cstring>
#include <string>

namespace pipit::protocol::detail {
namespace {

/// With fewer missing bytes, a read into the driver's own buffer (which takes what follows, too)
/// and a copy are cheaper than a read of their own.
constexpr std::size_t direct_bytes_min = std::size_t{16} * 1024;

constexpr bytes_view blanks_of_subscription = " \t\r\n"; // As nats-server splits SUB and UNSUB.

/// What follows a name.
enum class behind : std::uint8_t {
    blank,    // A blank has to, then the argument.
    argument, // The argument, with or without blanks before it.
    anything, // Whatever comes is skipped up to the end of the line.
};

enum class command : std::uint8_t {
    connect,
    info,
    pub,
    hpub,
    msg,
    hmsg,
    sub,
    unsub,
    ping,
    pong,
    ok,
    err
};

constexpr unsigned for_server = 1, for_client = 2, for_both = 3;

struct name_entry {
    bytes_view name;
    command what;
    behind next;
    unsigned roles;
};

/// HMSG is in the server's list because nats-server reads it from clients.
constexpr name_entry names[] = {
    {"PUB", command::pub, behind::blank, for_server},
    {"HPUB", command::hpub, behind::blank, for_server},
    {"MSG", command::msg, behind::blank, for_client},
    {"HMSG", command::hmsg, behind::blank, for_both},
    {"SUB", command::sub, behind::blank, for_server},
    {"UNSUB", command::unsub, behind::blank, for_server},
    {"PING", command::ping, behind::anything, for_both},
    {"PONG", command::pong, behind::anything, for_both},
    {"CONNECT", command::connect, behind::argument, for_server},
    {"INFO", command::info, behind::argument, for_both},
    {"+OK", command::ok, behind::anything, for_both},
    {"-ERR", command::err, behind::blank, for_both},
};

constexpr char to_upper(char byte) noexcept {
    return byte >= 'a' && byte <= 'z' ? static_cast<char>(byte - 'a' + 'A') : byte;
}

constexpr bool is_blank(char byte) noexcept { return byte == ' ' || byte == '\t'; }

} // namespace

/// The message that is being put together, or the line that is.
struct partial_operation {
    std::string line;
    block_pointer message; ///< The line's argument, CRLF, headers and payload, CRLF.
    std::size_t line_bytes = 0;
    std::size_t filled = 0;
    bool canonical = false;
};

/// The input and how far it is read.
class operation_reader::cursor {
public:
    cursor(bytes_view input, operation& found) noexcept
        : begin_(input.data()), rest_(input), found_(found) {}

    [[nodiscard]] bytes_view rest() const noexcept { return rest_; }
    [[nodiscard]] char byte() const noexcept { return rest_.front(); }
    void take(std::size_t count) noexcept { rest_.remove_prefix(count); }
    [[nodiscard]] std::size_t taken() const noexcept {
        return static_cast<std::size_t>(rest_.data() - begin_);
    }
    [[nodiscard]] bool done() const noexcept {
        return rest_.empty() || found_.what != operation::incomplete;
    }

    [[nodiscard]] operation& found() noexcept { return found_; }
    void find(operation::kind what) noexcept { found_.what = what; }
    void find(operation::kind what, bytes_view text) noexcept {
        found_.what = what;
        found_.text = text;
    }
    void refuse(parse_status why) noexcept {
        found_.what = operation::refused;
        found_.refusal = why;
    }

private:
    const char* begin_;
    bytes_view rest_;
    operation& found_;
};

operation_reader::operation_reader() noexcept = default;
operation_reader::~operation_reader() = default;
operation_reader::operation_reader(operation_reader&&) noexcept = default;
operation_reader& operation_reader::operator=(operation_reader&&) noexcept = default;

std::size_t operation_reader::read(bytes_view input, const parser_limits& limits, role reader_role,
                                   operation& found) {
    cursor at(input, found);
    role_ = reader_role;
    if (phase_ == phase::payload) read_payload(at); // All of it may have been read directly.
    while (!at.done()) {
        switch (phase_) {
        case phase::start:
            if (limits.connect_required && to_upper(at.byte()) != 'C') {
                at.refuse(parse_status::connect_expected);
            } else {
                begin_name(at);
            }
            break;
        case phase::name: read_name(at); break;
        case phase::behind_name:
            if (is_blank(at.byte())) {
                phase_ = phase::blanks;
            } else {
                at.refuse(parse_status::unknown_operation);
            }
            break;
        case phase::blanks:
            if (is_blank(at.byte())) {
                at.take(1);
            } else {
                phase_ = phase::argument;
                carriage_return_ = false;
            }
            break;
        case phase::argument: read_argument(at, limits); break;
        case phase::ignored: {
            const auto newline = at.rest().find('\n');
            at.take(std::min(newline, at.rest().size() - 1) + 1);
            if (newline != bytes_view::npos) read_line(at, {}, true, limits);
            break;
        }
        case phase::payload: read_payload(at); break;
        }
    }
    return at.taken();
}

void operation_reader::begin_name(cursor& at) {
    phase_ = phase::name;
    name_index_ = name_length_ = 0;
    // The usual form at once: the whole name, in capitals.
    const auto reader = role_ == role::server ? for_server : for_client;
    for (const auto& entry : names) {
        if (entry.name.front() != at.byte() || (entry.roles & reader) == 0) continue;
        if (!at.rest().starts_with(entry.name)) continue;
        name_index_ = static_cast<std::uint8_t>(&entry - names);
        at.take(entry.name.size());
        return end_name();
    }
}

void operation_reader::read_name(cursor& at) {
    const auto so_far = names[name_index_].name.substr(0, name_length_);
    const auto reader = role_ == role::server ? for_server : for_client;
    const auto next = std::find_if(std::begin(names), std::end(names), [&](const auto& entry) {
        return (entry.roles & reader) != 0 && entry.name.size() > name_length_ &&
               entry.name[name_length_] == to_upper(at.byte()) && entry.name.starts_with(so_far);
    });
    if (next == std::end(names)) return at.refuse(parse_status::unknown_operation);

    at.take(1);
    name_index_ = static_cast<std::uint8_t>(next - std::begin(names));
    if (++name_length_ == next->name.size()) end_name();
}

void operation_reader::end_name() noexcept {
    switch (names[name_index_].next) {
    case behind::blank: phase_ = phase::behind_name; break;
    case behind::argument: phase_ = phase::blanks; break;
    case behind::anything: phase_ = phase::ignored; break;
    }
}

void operation_reader::read_argument(cursor& at, const parser_limits& limits) {
    // The first byte belongs to the argument whatever it is, even the end of a line.
    const auto rest = at.rest();
    const std::size_t search_from = partial_ == nullptr ? 1 : 0;
    const auto newline = rest.find('\n', search_from);
    const auto part = rest.substr(0, newline);
    carriage_return_ |= part.find('\r', search_from) != bytes_view::npos;
    // A CR anywhere makes the line one byte shorter at its end, as in nats-server.
    const std::size_t dropped = carriage_return_ ? 1 : 0;
    const auto kept = partial_ == nullptr ? 0 : partial_->line.size();
    if (kept + part.size() - dropped > limits.max_control_line_bytes) {
        return at.refuse(parse_status::control_line_too_long);
    }
    if (newline == bytes_view::npos) {
        if (partial_ == nullptr) partial_ = std::make_unique<partial_operation>();
        partial_->line += part;
        return at.take(rest.size());
    }
    auto line = part;
    if (partial_ != nullptr) line = partial_->line += part;
    at.take(newline + 1);
    read_line(at, line.substr(0, line.size() - dropped), line.ends_with('\r'), limits);
}

void operation_reader::read_line(cursor& at, bytes_view argument, bool ends_plainly,
                                 const parser_limits& limits) {
    switch (names[name_index_].what) {
    case command::connect: return at.find(operation::connect, argument);
    case command::info: return at.find(operation::info, argument);
    case command::err: return at.find(operation::error, argument);
    case command::ping: return at.find(operation::ping);
    case command::pong: return at.find(operation::pong);
    case command::ok: return at.find(operation::ok);
    case command::pub:
    case command::hpub:
    case command::msg:
    case command::hmsg: return read_message_line(at, argument, ends_plainly, limits);
    case command::sub:
    case command::unsub: break;
    }
    const bool is_sub = names[name_index_].what == command::sub;
    const auto [text, count] = split_fields(argument, blanks_of_subscription);
    const std::size_t fields_min = is_sub ? 2 : 1;
    if (count != fields_min && count != fields_min + 1) {
        return at.refuse(parse_status::invalid_arguments);
    }
    if (is_sub) {
        at.found().subscribe_fields = {text[0], count == 3 ? text[1] : bytes_view(),
                                       text[count - 1]};
        return at.find(operation::subscribe);
    }
    at.found().unsubscribe_fields = {text[0], count == 2 ? parse_size(text[1]) : 0};
    at.find(operation::unsubscribe);
}

void operation_reader::read_message_line(cursor& at, bytes_view argument, bool ends_plainly,
                                         const parser_limits& limits) {
    const auto what = names[name_index_].what;
    if (what == command::hpub && !limits.headers_allowed) {
        return at.refuse(parse_status::headers_not_allowed);
    }
    message_line line;
    if (!parse_line(argument, line)) return at.refuse(parse_status::invalid_arguments);
    if (limits.max_payload_bytes != -1 && line.size > limits.max_payload_bytes) {
        return at.refuse(parse_status::payload_too_large);
    }
    const bool is_publish = what == command::pub || what == command::hpub;
    if (limits.pedantic && is_publish && !is_valid_literal_subject(line.fields.subject)) {
        at.found().invalid_publish_subject = true;
    }

    const bool canonical = ends_plainly && has_single_spaces(line.behind_subject) &&
                           (!with_headers() || line.header_size > 0);
    const auto size = static_cast<std::size_t>(line.size);
    const auto rest = at.rest();
    const bool lies_whole = partial_ == nullptr && rest.size() >= size + 2 && rest[size] == '\r' &&
                            rest[size + 1] == '\n';
    if (!lies_whole) {
        begin_assembly(argument, size, canonical);
        return read_payload(at);
    }
    line.place_body(rest.data());
    if (canonical) {
        const char* const tail = line.behind_subject.data();
        const char* const end = rest.data() + size + 2;
        line.fields.tail = {tail, static_cast<std::size_t>(end - tail)};
    }
    at.take(size + 2);
    at.found().message_fields = line.fields;
    at.find(operation::message);
}

void operation_reader::begin_assembly(bytes_view argument, std::size_t body_bytes, bool canonical) {
    auto message = block::make(argument.size() + 2 + body_bytes + 2);
    std::memcpy(message->data(), argument.data(), argument.size());
    std::memcpy(message->data() + argument.size(), "\r\n", 2);
    const auto line_bytes = argument.size();
    if (partial_ == nullptr) partial_ = std::make_unique<partial_operation>();
    *partial_ = {{}, std::move(message), line_bytes, line_bytes + 2, canonical};
    phase_ = phase::payload;
}

void operation_reader::read_payload(cursor& at) {
    auto& [unused, message, line_bytes, filled, canonical] = *partial_;
    const auto size = message->size();
    const auto count = std::min(at.rest().size(), size - filled);
    if (count != 0) std::memcpy(message->data() + filled, at.rest().data(), count);

    const auto before = filled;
    filled += count;
    for (auto end = size - 2; end < filled; ++end) {
        if (message->data()[end] == "\r\n"[end - (size - 2)]) continue;
        at.take(end < before ? 0 : end - before);
        return at.refuse(parse_status::unknown_operation);
    }
    at.take(count);
    if (filled < size) return;

    message_line line;
    PIPIT_ASSERT(parse_line({message->data(), line_bytes}, line));
    const char* const body = message->data() + line_bytes + 2;
    line.place_body(body);
    line.fields.whole = &message;
    if (canonical) {
        const char* const tail = line.behind_subject.data();
        const char* const end = message->data() + size;
        line.fields.tail = {tail, static_cast<std::size_t>(end - tail)};
    }
    at.found().message_fields = line.fields;
    at.find(operation::message);
}

bool operation_reader::with_headers() const noexcept {
    const auto what = names[name_index_].what;
    return what == command::hpub || what == command::hmsg;
}

bool operation_reader::parse_line(bytes_view argument, message_line& line) const noexcept {
    if (names[name_index_].what == command::hmsg && role_ == role::server) {
        // To nats-server, an HMSG from a client is a message of 0 bytes to no subject.
        line.fields.size_text = "0";
        return true;
    }
    return parse_message_line(argument, role_, with_headers(), line);
}

void operation_reader::finish() noexcept {
    partial_.reset();
    phase_ = phase::start;
}

std::span<char> operation_reader::direct_space() noexcept {
    if (phase_ != phase::payload) return {};
    auto& message = *partial_->message;
    const auto missing = message.size() - partial_->filled;
    if (missing < direct_bytes_min) return {};
    return {message.data() + partial_->filled, missing};
}

void operation_reader::commit_direct(std::size_t count) noexcept {
    PIPIT_ASSERT(phase_ == phase::payload && count <= partial_->message->size() - partial_->filled);
    partial_->filled += count;
}

} // namespace pipit::protocol::detail
