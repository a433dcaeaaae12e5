// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/error.hpp>
#include <pipit/base/log.hpp>
#include <pipit/net/pipe.hpp>
#include <pipit/server/placement.hpp>

#include <cstdint>
#include <memory>
#include <string>

namespace pipit::server {

struct embedded_server_options {
    std::string host = "127.0.0.1";
    int port = -1;       ///< -1: any free one.
    bool listens = true; ///< False: only connections inside the process, and no port.
    int loops = 1;
    placement_policy policy = placement_policy::fill;
    /// In the language of configuration files: `authorization { token: secret }`. What it says
    /// wins over the members above.
    std::string configuration = {};
    /// Called from several threads, one at a time; empty: nothing is logged.
    logger::sink log = {};
};

/// A connection inside the process: it speaks the NATS client protocol, beginning with the
/// server's INFO.
using in_process_connection = net::pipe_end;

/// A NATS server in this process, for tests, examples and programs that bring their own. It
/// touches neither signals nor the process's limits.
///
/// Threads: one; `connect` is for all.
class embedded_server {
public:
    /// Starts it; when it returns, clients may connect.
    /// Errors: `errc::invalid_configuration` with every place; the system's (address in use).
    [[nodiscard]] static result<std::unique_ptr<embedded_server>>
    start(embedded_server_options options = {});
    /// Ends every connection.
    ~embedded_server();
    embedded_server(const embedded_server&) = delete;
    embedded_server& operator=(const embedded_server&) = delete;

    /// `nats://127.0.0.1:4222`; empty when it does not listen.
    [[nodiscard]] std::string url() const;
    [[nodiscard]] std::uint16_t port() const noexcept;
    /// Of the `websocket` block; 0 when there is none.
    [[nodiscard]] std::uint16_t websocket_port() const noexcept;

    [[nodiscard]] in_process_connection connect();

    /// Obeys another configuration, all of it or, with an error, nothing.
    /// Errors: `errc::invalid_configuration`, `errc::reload_not_supported`; `errc::invalid_request`
    ///         when a loop has not obeyed in time: it will.
    result<> reload(std::string configuration);

private:
    struct state;
    explicit embedded_server(std::unique_ptr<state> parts);
    std::unique_ptr<state> state_;
};

} // namespace pipit::server
