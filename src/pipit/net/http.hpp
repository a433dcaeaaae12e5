// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/error.hpp>
#include <pipit/base/limits.hpp>
#include <pipit/base/log.hpp>
#include <pipit/base/time.hpp>
#include <pipit/net/tls_context.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pipit::net {

/// An answer before it is put into HTTP's frame.
struct http_response {
    int status = 200;
    std::string content_type;
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers = {}; ///< Name and value.
};

/// Answers a request target, for example `/connz?subs=1`, as it came. Any method that has no
/// body comes here. Called on the HTTP server's thread, one request at a time; may block.
using http_handler = std::function<http_response(std::string_view target)>;

struct http_server_options {
    std::string host = "127.0.0.1"; ///< An address or a name; empty: all addresses.
    std::uint16_t port = 0;         ///< 0: any free port.
    std::size_t max_connections = limits::http_connections;
    std::size_t max_header_bytes = limits::http_header_bytes;
    nanoseconds timeout = limits::http_timeout; ///< To send a request, to take an answer, idle.
    std::string name = "HTTP";                  ///< Of the listener, in the log.
    logger log = {};                            ///< A lack of descriptors is told here.
    /// HTTPS: asked for each connection, on the HTTP server's thread. Empty: HTTP.
    std::function<std::shared_ptr<const tls_context>()> tls = nullptr;
};

/// A small HTTP/1.1 server with its own thread, for pages that a handler makes in one piece.
///
/// Bounded in connections, header bytes and time. A connection above the bound takes the place of
/// one of the party that has most: one that has its answer, or else the one that has waited longest
/// for its next request. So neither idle nor slow clients, nor very many of one party, keep anybody
/// out. A header above its bound is answered with 431, nonsense with 400; nobody looks at bodies.
///
/// Threads: the object belongs to one; the handler runs on the server's own.
class http_server {
public:
    /// Binds, and serves until the object ends.
    /// Errors: those of `listen_tcp`.
    [[nodiscard]] static result<std::unique_ptr<http_server>> listen(http_server_options options,
                                                                     http_handler handler);
    /// Closes every connection and waits for a handler that is running.
    ~http_server();
    http_server(const http_server&) = delete;
    http_server& operator=(const http_server&) = delete;

    /// The real one.
    [[nodiscard]] std::uint16_t port() const noexcept;
    /// Where it listens, also where it was called by a name.
    [[nodiscard]] const std::string& address() const noexcept;

private:
    struct state;
    explicit http_server(std::unique_ptr<state> made);
    std::unique_ptr<state> state_;
};

} // namespace pipit::net
