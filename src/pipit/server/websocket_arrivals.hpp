// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/bytes.hpp>
#include <pipit/base/log.hpp>
#include <pipit/base/stranger_limits.hpp>
#include <pipit/base/time.hpp>
#include <pipit/base/websocket_limits.hpp>
#include <pipit/broker/broker.hpp>
#include <pipit/broker/tls_facts.hpp>
#include <pipit/net/buffer_pool.hpp>
#include <pipit/net/event_loop.hpp>
#include <pipit/net/filtered_transport.hpp>
#include <pipit/net/tcp.hpp>
#include <pipit/net/websocket_filter.hpp>
#include <pipit/server/arrival.hpp>
#include <pipit/server/fair_turns.hpp>
#include <pipit/server/strangers.hpp>
#include <pipit/server/websocket_policy.hpp>

#include <functional>
#include <list>
#include <memory>
#include <optional>

namespace pipit::server {

/// Somebody whose WebSocket is open, and who may begin a session.
struct websocket_guest {
    net::filtered_transport_pointer transport;
    net::websocket_server_filter* filter = nullptr; ///< Lives in the transport.
    broker::session_origin origin;
    std::optional<broker::tls_facts> tls;
    bytes_view first_bytes; ///< Of the session; until the call is over.
};

/// The connections of a loop's WebSocket listeners until they are open. Strangers: bounded in
/// number, bytes and time, and the broker does not know of them yet. When there are too many, the
/// oldest of the party that has most of them goes.
///
/// Threads: that of the loop.
class websocket_arrivals {
public:
    using welcome_function = std::function<void(websocket_guest)>;

    /// All of them outlive it, and the log is asked for each line anew.
    websocket_arrivals(net::event_loop& events, net::buffer_pool& buffers, strangers& guests,
                       fair_turns& handshakes, const logger& log, welcome_function welcome);
    /// Closes those that are left.
    ~websocket_arrivals();
    websocket_arrivals(const websocket_arrivals&) = delete;
    websocket_arrivals& operator=(const websocket_arrivals&) = delete;

    /// `policy` outlives the connection. Without `tls` nothing is encrypted.
    void begin(net::accepted_socket accepted, const websocket_policy& policy,
               const std::shared_ptr<const tls_rules>& tls, steady_time now);

    [[nodiscard]] std::optional<steady_time> next_deadline() const noexcept;
    /// Closes all of them.
    void close();
    /// Closes those who are late.
    void expire(steady_time now);

private:
    class arrival;

    void read(arrival& from);
    void wait(arrival& one);
    void turn_away(arrival& one);
    void refuse(const arrival& refused) const;
    void forget(arrival& gone);

    net::event_loop& events_;
    net::buffer_pool& buffers_;
    strangers& guests_;
    fair_turns& handshakes_;
    const logger& log_;
    welcome_function welcome_;
    net::websocket_deflate deflate_;
    /// One place for each, whatever it has sent.
    strangers places_{limits::websocket_handshakes * limits::stranger_bytes_min, [] {}};
    std::list<std::unique_ptr<arrival>> waiting_; ///< The oldest first.
};

} // namespace pipit::server
