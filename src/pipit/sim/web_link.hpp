// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/bytes.hpp>
#include <pipit/base/random.hpp>
#include <pipit/net/websocket_filter.hpp>

#include <span>
#include <string>

namespace pipit::sim {

/// Both ends of a WebSocket, of which the world carries the bytes. What the client sends goes in
/// frames as the seed cuts them: whole or in fragments, compressed or not, with pings between.
class web_link {
public:
    /// `random` outlives it.
    web_link(random_source& random, bool compresses);

    /// The client's request; first of all.
    [[nodiscard]] std::string request();
    /// Both ends speak once their handshakes are done.
    [[nodiscard]] bool client_is_open() const noexcept { return client_.is_open(); }
    [[nodiscard]] bool server_is_open() const noexcept { return server_.is_open(); }
    [[nodiscard]] bool server_holds_more() const noexcept { return server_.holds_more(); }

    [[nodiscard]] std::string from_client(bytes_view plain);
    [[nodiscard]] std::string from_server(std::span<const bytes_view> plain);
    [[nodiscard]] std::string end_of_server();

    /// What bytes of the wire came to at their end.
    struct arrived {
        std::string plain;
        std::string answer; ///< Is to be sent back.
        bool failed = false;
        bool ended = false; ///< Nothing more will come of it.
    };
    [[nodiscard]] arrived to_server(bytes_view wire, std::size_t message_bytes_max);
    [[nodiscard]] arrived to_client(bytes_view wire);

private:
    struct open_gate final : net::websocket_gate {
        [[nodiscard]] net::websocket_verdict
        judge(const net::websocket_request& request) const override;
    };

    void append_fragments(bytes_view plain, std::string& wire);
    [[nodiscard]] net::websocket_mask mask();

    random_source& random_;
    open_gate gate_;
    net::websocket_deflate deflate_;
    net::websocket_client_filter client_;
    net::websocket_server_filter server_{gate_, deflate_};
};

} // namespace pipit::sim
