// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/log.hpp>
#include <pipit/net/event_loop.hpp>
#include <pipit/net/tcp.hpp>
#include <pipit/server/options.hpp>
#include <pipit/server/ports_file.hpp>

#include <memory>
#include <string_view>
#include <vector>

namespace pipit::server {

/// The listeners that a configuration asks for and this version does not serve. They are bound,
/// so that nothing else takes their ports and tools that wait for them go on, and they close
/// whoever connects with a text that says why.
///
/// Threads: that of the event loop, or any before it runs and after it has run.
class reserved_listeners {
public:
    explicit reserved_listeners(net::event_loop& loop);
    ~reserved_listeners();
    reserved_listeners(const reserved_listeners&) = delete;
    reserved_listeners& operator=(const reserved_listeners&) = delete;

    /// Binds one and says so in the log. Errors: with nats-server's text for this listener.
    [[nodiscard]] result<> listen(const reserved_listener& wanted, std::string_view clients_host,
                                  const logger& log);

    [[nodiscard]] const std::vector<listening_place>& places() const noexcept { return places_; }

private:
    class courtesy;
    net::event_loop& loop_;
    std::vector<listening_place> places_;
    std::vector<std::unique_ptr<net::tcp_acceptor>> acceptors_;
    std::unique_ptr<courtesy> courtesy_;
};

} // namespace pipit::server
