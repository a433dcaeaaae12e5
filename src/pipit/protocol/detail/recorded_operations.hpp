// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/protocol/parser.hpp>

#include <cstring>
#include <string>
#include <string_view>
#include <vector>

/// For tests and fuzzers: what a parser said, as text that can be compared.
namespace pipit::protocol::detail {

/// A visitor that writes down everything it is told.
struct recording_visitor {
    std::vector<std::string> events;
    flow answer = flow::proceed;
    bool with_tail = true;

    flow on_message(const message_operation& m) {
        std::string line = "message subject=" + std::string(m.subject);
        add(line, "sid", m.sid);
        add(line, "reply", m.reply);
        add(line, "header_size", m.header_size_text);
        add(line, "size", m.size_text);
        if (m.has_headers) line += " with_headers";
        add(line, "headers", m.headers);
        add(line, "payload", m.payload);
        if (with_tail) add(line, "tail", m.tail);
        return record(std::move(line));
    }
    flow on_subscribe(const subscribe_operation& s) {
        std::string line = "subscribe";
        add(line, "subject", s.subject);
        add(line, "queue", s.queue);
        add(line, "sid", s.sid);
        return record(std::move(line));
    }
    flow on_unsubscribe(const unsubscribe_operation& u) {
        std::string line = "unsubscribe";
        add(line, "sid", u.sid);
        return record(line + " max=" + std::to_string(u.max));
    }
    flow on_connect(bytes_view json) { return record("connect " + std::string(json)); }
    flow on_info(bytes_view json) { return record("info " + std::string(json)); }
    flow on_ping() { return record("ping"); }
    flow on_pong() { return record("pong"); }
    flow on_ok() { return record("ok"); }
    flow on_error(bytes_view text) { return record("error " + std::string(text)); }
    void on_invalid_publish_subject() { events.emplace_back("invalid publish subject"); }

private:
    static void add(std::string& line, std::string_view name, bytes_view value) {
        line += ' ';
        line += name;
        line += '=';
        line += value;
    }
    flow record(std::string line) {
        events.push_back(std::move(line));
        return answer;
    }
};

inline std::string_view name_of(parse_status status) {
    switch (status) {
    case parse_status::need_more: return "need_more";
    case parse_status::paused: return "paused";
    case parse_status::unknown_operation: return "unknown_operation";
    case parse_status::control_line_too_long: return "control_line_too_long";
    case parse_status::payload_too_large: return "payload_too_large";
    case parse_status::headers_not_allowed: return "headers_not_allowed";
    case parse_status::invalid_arguments: return "invalid_arguments";
    case parse_status::connect_expected: return "connect_expected";
    }
    return "?";
}

/// Gives `chunks` one after the other to a new parser; a refusal is the last event. Bytes go
/// through `direct_space()` when the parser offers it and `use_direct_space` is set.
template <role Role>
std::vector<std::string> events_of(const std::vector<bytes_view>& chunks,
                                   const parser_limits& limits = {},
                                   bool use_direct_space = false) {
    parser<Role> reader;
    recording_visitor visitor;
    for (auto chunk : chunks) {
        const auto space = use_direct_space ? reader.direct_space() : std::span<char>();
        if (!space.empty() && !chunk.empty()) {
            const auto count = std::min(space.size(), chunk.size());
            std::memcpy(space.data(), chunk.data(), count);
            reader.commit_direct(count);
            chunk.remove_prefix(count);
        }
        const auto outcome = reader.parse(chunk, limits, visitor);
        if (outcome.status == parse_status::need_more) continue;
        visitor.events.emplace_back(name_of(outcome.status));
        break;
    }
    return std::move(visitor.events);
}

/// Calls `check` with `wire` whole, cut once at every byte, and given byte by byte.
template <class Check>
void for_each_split(bytes_view wire, const Check& check) {
    check(std::vector<bytes_view>{wire});
    for (std::size_t cut = 1; cut < wire.size(); ++cut) {
        check(std::vector<bytes_view>{wire.substr(0, cut), wire.substr(cut)});
    }
    std::vector<bytes_view> bytes;
    for (std::size_t i = 0; i < wire.size(); ++i) bytes.push_back(wire.substr(i, 1));
    check(bytes);
}

} // namespace pipit::protocol::detail
