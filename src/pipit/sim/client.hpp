// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/bytes.hpp>
#include <pipit/protocol/parser.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace pipit::sim {

/// A client of a simulated server: writes protocol lines and hands on what comes back.
class client {
public:
    struct message {
        std::string subject, sid, reply, headers, payload;
    };

    /// Called for each message, and for each answer to `ping`.
    std::function<void(const message&)> on_message;
    /// Set for an end that reads its bytes itself: called for what arrives, in place of the parser.
    std::function<void(bytes_view)> on_bytes;
    std::vector<std::string> errors; ///< What `-ERR` said.
    bool closed = false;             ///< The server closed, or the link was cut.

    void connect(const std::string& options = {});
    void subscribe(const std::string& subject, const std::string& sid,
                   const std::string& queue = {});
    void unsubscribe(const std::string& sid, int max = 0);
    void publish(const std::string& subject, const std::string& payload,
                 const std::string& reply = {});
    /// Calls `done` when everything that was sent before has been taken by the server.
    void flush(std::function<void()> done);
    void send(const std::string& bytes) { outgoing_ += bytes; }

    // --- The world's side ---

    void receive(bytes_view bytes);
    [[nodiscard]] std::string take_outgoing() { return std::exchange(outgoing_, {}); }
    [[nodiscard]] bool has_outgoing() const noexcept { return !outgoing_.empty(); }

    // --- The parser's side ---

    protocol::flow on_message_operation(const protocol::message_operation& operation);
    protocol::flow on_ping();
    protocol::flow on_pong();
    protocol::flow on_error(bytes_view text);

private:
    std::string outgoing_;
    std::vector<std::function<void()>> flushes_;
    protocol::parser<protocol::role::client> parser_;
};

} // namespace pipit::sim
