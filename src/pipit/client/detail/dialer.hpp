// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/error.hpp>
#include <pipit/base/random.hpp>
#include <pipit/client/detail/waiting.hpp>
#include <pipit/net/lookup.hpp>
#include <pipit/protocol/server_address.hpp>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace pipit::client::detail {

struct dialer_options {
    bool randomize = true; ///< The order of a name's addresses.
    std::chrono::nanoseconds timeout{};
};

/// Opens a TCP connection to a server: resolves its name and tries all addresses in turn, each
/// for its share of the time that is left.
/// Source: ADR-11.
class dialer : public std::enable_shared_from_this<dialer> {
public:
    using socket = asio::ip::tcp::socket;
    /// Called once on the executor, unless it was cancelled.
    using done_function = std::function<void(result<socket>)>;

    dialer(asio::any_io_executor executor, const protocol::server_address& server,
           dialer_options options, random_source random, net::lookup::counter lookups,
           done_function done);

    void start();
    void cancel();

private:
    void resolved(const error_code& code, const net::lookup::endpoints& found);
    void try_next();
    void connected(const error_code& code);
    void finish(result<socket> outcome);
    [[nodiscard]] error failed(const error_code& code) const;

    std::string host_;
    std::string port_;
    std::string name_; ///< For people.
    dialer_options options_;
    random_source random_;
    done_function done_;
    asio::any_io_executor executor_;
    net::lookup::counter lookups_; ///< Under way, of all dialers of a connection.
    std::unique_ptr<net::lookup> lookup_;
    asio::steady_timer timer_;
    socket socket_;
    std::vector<asio::ip::tcp::endpoint> addresses_; ///< Still to be tried; the last one is next.
    std::chrono::steady_clock::time_point deadline_;
    int attempts_ = 0;
    error_code last_error_;
};

} // namespace pipit::client::detail
