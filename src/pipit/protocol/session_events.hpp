// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/error.hpp>
#include <pipit/base/time.hpp>
#include <pipit/protocol/client_events.hpp>
#include <pipit/protocol/message.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <variant>

/// What a `client_session` tells its driver.
namespace pipit::protocol {

/// Names something that was asked of a `client_session` and is answered once.
enum class operation_id : std::uint64_t {};

/// When the answers to one request are complete. Source: ADR-47.
struct request_many_limits {
    nanoseconds timeout{};                       ///< For all of it.
    std::optional<nanoseconds> stall;            ///< After the first: the longest pause.
    std::uint64_t messages_max = 0;              ///< 0: no limit.
    std::function<bool(const message&)> is_last; ///< A sentinel; it is not handed out.
};

/// Why no more answers come.
enum class replies_end { all_received, sentinel, stalled, timed_out, cancelled };

/// A message for a subscription. Lifetime: the views end with the next call; see `keep`.
struct subscription_message {
    sid subscription;
    message_received message;
};
/// A subscription has ended, and this is the last that is heard of it: it reached its limit, was
/// drained, was refused by the server, or everything ended.
struct subscription_ended {
    sid subscription;
    /// None when the user or a limit ended it; `errc::connection_lost` and `errc::timeout` when it
    /// was being drained and messages that were under way may be lost.
    error why;
};
/// The answer to `request`. Errors: `errc::no_responders`, `errc::timeout` with the subject and
/// how long it was waited, `errc::connection_lost`, `errc::permission_denied`, `errc::cancelled`,
/// `errc::closed`.
struct request_answered {
    operation_id operation;
    result<message> reply;
};
/// One of the answers to `request_many`.
struct reply_received {
    operation_id operation;
    message reply;
};
/// The end of them. Errors: as of `request_answered`, but `errc::timeout` and `errc::cancelled`.
struct replies_ended {
    operation_id operation;
    result<replies_end> how;
};
/// The answer to `flush`: how long the server took to answer. Errors: `errc::timeout`,
/// `errc::connection_lost`, `errc::cancelled`, `errc::closed`.
struct flushed {
    operation_id operation;
    result<nanoseconds> round_trip;
};

/// What the driver does (the first four, and `closed`), what the user is told, and answers: those
/// of `client_protocol` with messages and pongs taken further.
using session_event =
    std::variant<open_requested, tls_requested, connect_requested, disconnected, connected,
                 subscription_message, subscription_ended, request_answered, reply_received,
                 replies_ended, flushed, error_received, info_changed, servers_discovered,
                 lame_duck, closed>;

} // namespace pipit::protocol
