// SPDX-License-Identifier: Apache-2.0
#include <pipit/broker/message_trace.hpp>

#include <pipit/base/ascii_case.hpp>
#include <pipit/base/hex.hpp>
#include <pipit/base/trimmed.hpp>
#include <pipit/broker/account.hpp>
#include <pipit/protocol/go_text.hpp>
#include <pipit/protocol/json_writer.hpp>

#include <algorithm>
#include <charconv>
#include <optional>

namespace pipit::broker {
namespace {

using protocol::json_writer;

constexpr bytes_view status_line = "NATS/1.0\r\n";

/// W3C: `version-trace-parent-flags`, the lowest bit of the flags says that it is sampled.
bool is_sampled(bytes_view traceparent) {
    if (std::ranges::count(traceparent, '-') != 3) return false;
    const auto flags = traceparent.substr(traceparent.rfind('-') + 1);
    if (flags.size() != 2) return false;
    const int high = hex_digit(flags[0]), low = hex_digit(flags[1]);
    return high >= 0 && high <= 7 && low >= 0 && low % 2 == 1;
}

struct header_line {
    bytes_view key;
    bytes_view value;

    [[nodiscard]] bool says_something() const { return !key.empty() && !value.empty(); }
};

/// The first line, which is taken off; nothing at the end, or where it is none.
std::optional<header_line> take_line(bytes_view& lines) {
    const auto end = lines.find("\r\n");
    const auto line = lines.substr(0, end);
    const auto colon = line.find(':');
    if (end == bytes_view::npos || colon == bytes_view::npos) return std::nullopt;
    lines.remove_prefix(end + 2);
    return header_line{.key = line.substr(0, colon),
                       .value = trimmed(line.substr(colon + 1), " \t")};
}

struct trace_wish {
    bool has_destination = false;
    bool has_parent = false; ///< One that is sampled.
};

/// Every message with headers comes by here: nothing is copied.
trace_wish wish_of(bytes_view lines) {
    constexpr bytes_view parent = "traceparent";
    trace_wish wish;
    while (const auto line = take_line(lines)) {
        if (!line->says_something()) continue;
        if (line->key == trace_destination_header) {
            if (line->value == trace_disabled) return {};
            wish.has_destination = true;
        } else if (line->key.size() == parent.size() && starts_without_case(line->key, parent)) {
            wish.has_parent = wish.has_parent || is_sampled(line->value);
        }
    }
    return wish;
}

/// As its line says: not everything may have come.
std::uint64_t size_of(const protocol::message_operation& message) {
    std::uint64_t bytes = message.headers.size() + message.payload.size();
    const auto digits = message.size_text;
    (void)std::from_chars(digits.data(), digits.data() + digits.size(), bytes);
    return bytes;
}

/// Begins one of the events in the list that is being written; the caller ends it.
void begin_event(json_writer& json, std::string_view type, wall_time at) {
    json.begin_object();
    json.member("type", type);
    json.member("ts", protocol::rfc3339(at));
}

} // namespace

trace_request read_trace_request(bytes_view headers) {
    trace_request request;
    if (!headers.starts_with(status_line)) return request;
    headers.remove_prefix(status_line.size());
    const auto wish = wish_of(headers);
    if (!wish.has_destination && !wish.has_parent) return request;
    auto& all = request.headers;
    while (const auto line = take_line(headers)) {
        if (line->says_something()) all[std::string(line->key)].emplace_back(line->value);
    }
    const auto first_of = [&](const char* key) {
        const auto found = all.find(key);
        return found == all.end() ? std::string() : found->second.front();
    };
    request.external = !wish.has_destination;
    if (wish.has_destination) {
        const auto only = lower_case(first_of("Nats-Trace-Only"));
        request.only = only == "1" || only == "true" || only == "on";
        request.destination = first_of("Nats-Trace-Dest");
    }
    request.encoding = choose_encoding(lower_case(first_of("Accept-Encoding")));
    return request;
}

message_trace::message_trace(trace_request request, const session& publisher,
                             const protocol::message_operation& message, wall_time now)
    : egresses(request.only, publisher.of->id),
      request_(std::move(request)),
      of_(publisher.of),
      at_(now),
      message_bytes_(size_of(message)),
      client_id_(publisher.client_id),
      name_(publisher.details->options.name),
      account_(publisher.of->config->name),
      subject_(message.subject) {}

void egress_events::add(const subscription& subscription, std::string_view error, wall_time now) {
    const auto& owner = *subscription.owner;
    separate();
    json_writer json(json_);
    begin_event(json, "eg", now);
    json.member("kind", 0);
    json.member("cid", owner.client_id);
    json.optional_member("name", owner.details->options.name);
    if (owner.of->id != ingress_) json.member("acc", owner.of->config->name);
    json.member("sub", subscription.subject());
    json.optional_member("queue", subscription.queue());
    json.optional_member("error", error);
    json.end_object();
}

void egress_events::add_stream_export(std::string_view account, bytes_view to, wall_time now) {
    separate();
    json_writer json(json_);
    begin_event(json, "se", now);
    json.member("acc", account);
    json.member("to", to);
    json.end_object();
}

void egress_events::add_service_import(std::string_view account, bytes_view from, bytes_view to,
                                       wall_time now) {
    separate();
    json_writer json(json_);
    begin_event(json, "si", now);
    json.member("acc", account);
    json.member("from", from);
    json.member("to", to);
    json.end_object();
}

void egress_events::append(bytes_view events) {
    if (events.empty()) return;
    separate();
    json_ += events;
}

void egress_events::separate() {
    if (!json_.empty()) json_ += ',';
}

std::string message_trace::event(const server_identity& server, std::uint64_t sequence,
                                 wall_time now) const {
    std::string text;
    json_writer json(text);
    json.begin_object();
    json.begin_object("server");
    json.member("name", server.name);
    json.member("host", server.host);
    json.member("id", server.id);
    json.member("ver", server.version);
    json.begin_object("feature_flags");
    json.member("js_ack_fc_v2", false);
    json.member("js_api_reply_v2", false);
    json.member("js_raft_delete_range", true);
    json.member("js_snapshot_sources", false);
    json.end_object();
    json.member("jetstream", false);
    json.member("flags", 0);
    json.member("seq", sequence);
    json.member("time", protocol::rfc3339(now));
    json.end_object();

    json.begin_object("request");
    json.begin_object("header");
    for (const auto& [name, values] : request_.headers) json.member(name, values);
    json.end_object();
    json.member("msgsize", message_bytes_);
    json.end_object();

    json.begin_array("events");
    json.element();
    begin_event(json, "in", at_);
    json.member("kind", 0);
    json.member("cid", client_id_);
    json.optional_member("name", name_);
    json.member("acc", account_);
    json.member("subj", subject_);
    json.optional_member("error", ingress_error_);
    json.end_object();
    if (!mapped_to_.empty()) {
        json.element();
        begin_event(json, "sm", at_);
        json.member("to", mapped_to_);
        json.end_object();
    }
    if (!egresses.json().empty()) json.json_element(egresses.json());
    json.end_array();
    json.end_object();
    return text;
}

} // namespace pipit::broker
