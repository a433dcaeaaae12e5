// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/time.hpp>
#include <pipit/broker/configuration.hpp>
#include <pipit/broker/content_encoding.hpp>
#include <pipit/broker/session.hpp>
#include <pipit/broker/subscription.hpp>
#include <pipit/protocol/operations.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace pipit::broker {

/// What a message's headers ask of tracing.
struct trace_request {
    std::map<std::string, std::vector<std::string>> headers; ///< As they came; empty: not traced.
    bool external = false;   ///< A sampled `traceparent` alone: the account says where to.
    bool only = false;       ///< Trace it, deliver it to nobody.
    std::string destination; ///< Of `Nats-Trace-Dest`.
    content_encoding encoding = content_encoding::none; ///< Of the event.

    [[nodiscard]] bool wanted() const noexcept { return !headers.empty(); }
};

/// Reads the headers of a message; cheap for one that asks for nothing.
[[nodiscard]] trace_request read_trace_request(bytes_view headers);

/// What became of a traced message on one loop: one event for each subscription, and for each
/// account that it passed into.
class egress_events {
public:
    /// `ingress` is the account where the message came in.
    egress_events(bool only, account_id ingress) noexcept : only_(only), ingress_(ingress) {}

    /// Nobody is to get the message.
    [[nodiscard]] bool only() const noexcept { return only_; }
    /// It went to a subscription, or did not, and why.
    void add(const subscription& subscription, std::string_view error, wall_time now);
    /// It went into the account of an importer's subscriber, as that subject.
    void add_stream_export(std::string_view account, bytes_view to, wall_time now);
    /// It went into the account of an exporter, as a request.
    void add_service_import(std::string_view account, bytes_view from, bytes_view to,
                            wall_time now);
    [[nodiscard]] account_id ingress() const noexcept { return ingress_; }
    /// What another loop added.
    void append(bytes_view events);
    /// JSON objects, a comma between two.
    [[nodiscard]] const std::string& json() const noexcept { return json_; }

private:
    void separate();

    std::string json_;
    bool only_;
    account_id ingress_;
};

/// Collects what becomes of one message, for the event that is published about it: where the
/// message came in, and on the other loops that were told of it.
/// Source: ADR-41; client-protocol, section 12.
class message_trace {
public:
    message_trace(trace_request request, const session& publisher,
                  const protocol::message_operation& message, wall_time now);

    [[nodiscard]] const trace_request& request() const noexcept { return request_; }
    /// The publisher's; it lives as long as the broker.
    [[nodiscard]] account& of() const noexcept { return *of_; }

    /// The message was refused, in the words that the client was told.
    void refuse(std::string_view error) { ingress_error_ = error; }
    void map(bytes_view subject) { mapped_to_ = subject; }

    /// The event as JSON. `sequence` counts this server's events.
    [[nodiscard]] std::string event(const server_identity& server, std::uint64_t sequence,
                                    wall_time now) const;

    egress_events egresses;
    std::uint64_t number = 0;        ///< Among this loop's open traces.
    std::uint32_t awaited_loops = 0; ///< Loops that have not said yet what became of it there.

private:
    trace_request request_;
    account* of_;
    wall_time at_;
    std::uint64_t message_bytes_;
    std::uint64_t client_id_;
    std::string name_, account_, subject_;
    std::string ingress_error_, mapped_to_;
};

inline constexpr std::string_view trace_destination_header = "Nats-Trace-Dest";
/// In the place of a destination: from here on, the message is not traced.
inline constexpr std::string_view trace_disabled = "trace disabled";

/// Why a traced message did not reach a subscription.
namespace trace_errors {
inline constexpr std::string_view no_echo = "Not delivered because of no echo";
inline constexpr std::string_view subscription_denies =
    "Not delivered because subscription denies this subject";
inline constexpr std::string_view subscription_closed =
    "Not delivered because subscription is closed";
inline constexpr std::string_view client_closed = "Not delivered because client is closed";
inline constexpr std::string_view not_stalled =
    "Not delivered because fast producer not stalled and consumer is slow";
} // namespace trace_errors

} // namespace pipit::broker
