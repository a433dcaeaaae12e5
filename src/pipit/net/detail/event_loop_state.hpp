// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/net/event_loop.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>

namespace pipit::net {

namespace asio = boost::asio;

struct event_loop::state {
    // One thread uses the sockets, so Asio needs no locks for them; others only post.
    asio::io_context context{BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO};
    asio::basic_waitable_timer<std::chrono::steady_clock,
                               asio::wait_traits<std::chrono::steady_clock>,
                               asio::io_context::executor_type>
        timer{context.get_executor()};
    steady_time wakes_at = steady_time::max();
    std::function<void()> expired;
};

} // namespace pipit::net
