// SPDX-License-Identifier: Apache-2.0
#include <pipit/client/detail/dialer.hpp>

#include <pipit/net/clock.hpp>
#include <pipit/net/open_socket.hpp>

#include <algorithm>
#include <utility>

namespace pipit::client::detail {

using asio::ip::tcp;

namespace {

/// Of one connection. One at a time is the rule: more are under way when it gave them up before the
/// system did.
constexpr int lookups_max = 4;

} // namespace

dialer::dialer(asio::any_io_executor executor, const protocol::server_address& server,
               dialer_options options, random_source random, net::lookup::counter lookups,
               done_function done)
    : host_(server.host),
      port_(std::to_string(server.port)),
      name_(protocol::to_string(server)),
      options_(options),
      random_(random),
      done_(std::move(done)),
      executor_(executor),
      lookups_(std::move(lookups)),
      timer_(executor),
      socket_(executor) {}

void dialer::start() {
    if (!done_) return;
    deadline_ = net::steady_now() + options_.timeout;
    error_code no_address;
    const auto address = asio::ip::make_address(host_, no_address);
    if (!no_address) {
        const auto port = static_cast<std::uint16_t>(std::stoul(port_));
        addresses_.emplace_back(address, port);
        return try_next();
    }
    auto done = [weak = weak_from_this()](const error_code& code,
                                          const net::lookup::endpoints& found) {
        if (const auto self = weak.lock()) self->resolved(code, found);
    };
    lookup_ = std::make_unique<net::lookup>(executor_, lookups_, lookups_max, host_, port_,
                                            std::move(done));
}

void dialer::cancel() {
    done_ = nullptr;
    lookup_.reset();
    timer_.cancel();
    error_code ignored;
    socket_.close(ignored);
}

void dialer::resolved(const error_code& code, const net::lookup::endpoints& found) {
    if (!done_) return;
    if (code) return finish(failed(code));
    addresses_ = found;
    if (options_.randomize) std::shuffle(addresses_.begin(), addresses_.end(), random_);
    std::reverse(addresses_.begin(), addresses_.end());
    try_next();
}

void dialer::try_next() {
    const auto now = net::steady_now();
    if (addresses_.empty()) return finish(failed(last_error_));
    const auto address = addresses_.back();
    const auto share = (deadline_ - now) / static_cast<std::ptrdiff_t>(addresses_.size());
    addresses_.pop_back();

    error_code ignored;
    socket_.close(ignored);
    if (const auto code = net::open_socket(socket_, address.protocol())) {
        last_error_ = code;
        return try_next();
    }
    const auto attempt = ++attempts_;
    socket_.async_connect(address, [self = shared_from_this()](const error_code& code) {
        self->timer_.cancel();
        self->connected(code);
    });
    // The last address has all the time that its user gives it.
    if (addresses_.empty()) return;
    timer_.expires_after(share);
    timer_.async_wait([self = shared_from_this(), attempt](const error_code& code) {
        error_code unused;
        if (!code && attempt == self->attempts_) self->socket_.close(unused);
    });
}

void dialer::connected(const error_code& code) {
    if (!done_) return;
    if (!code && socket_.is_open()) {
        error_code ignored;
        socket_.set_option(tcp::no_delay(true), ignored);
        socket_.non_blocking(true, ignored);
        return finish(std::move(socket_));
    }
    const bool out_of_time = !code || code == asio::error::operation_aborted;
    last_error_ = out_of_time ? error_code(asio::error::timed_out) : code;
    try_next();
}

void dialer::finish(result<socket> outcome) { std::exchange(done_, nullptr)(std::move(outcome)); }

error dialer::failed(const error_code& code) const { return {code, name_}; }

} // namespace pipit::client::detail
