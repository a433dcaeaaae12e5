// SPDX-License-Identifier: Apache-2.0
// How much may come of whom: the driver asks before it reads, and when it has to wait.
#include <pipit/broker/state.hpp>

#include <pipit/base/identity_limits.hpp>
#include <pipit/base/limits.hpp>
#include <pipit/base/websocket_limits.hpp>

#include <algorithm>

namespace pipit::broker {

std::size_t broker::read_bytes_max(const session& session) const noexcept {
    if (session.awaiting_connect) return limits::stranger_read_bytes;
    return session.was_stalled ? limits::stalled_read_bytes : limits::read_scratch_bytes;
}

std::size_t broker::message_bytes_max(const session& session) const noexcept {
    if (session.awaiting_connect) return limits::websocket_first_message_bytes;
    if (session.max_payload_bytes < 0) return limits::websocket_message_bytes_max;
    const auto payload = static_cast<std::size_t>(session.max_payload_bytes);
    return std::clamp(payload * limits::websocket_message_payloads,
                      limits::websocket_first_message_bytes, limits::websocket_message_bytes_max);
}

bool broker::is_stranger(const session& session) const noexcept {
    return session.awaiting_connect && !session.ended();
}

std::size_t broker::bytes_before_login(const session& session) const noexcept {
    return session.bytes_before_login;
}

const std::string& broker::address_of(const session& session) const noexcept {
    return session.details->origin.ip;
}

} // namespace pipit::broker
