// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

namespace pipit::cli {

namespace asio = boost::asio;

/// The signals that ask for the end, SIGINT and SIGTERM: the first is kept in `signal` and cancels
/// what runs, a second one ends the program.
/// Lifetime: the loop does not run any more when this has gone.
class end_signals {
public:
    end_signals(asio::io_context& loop, int& signal);

    [[nodiscard]] asio::cancellation_slot slot() { return stop_.slot(); }
    [[nodiscard]] bool received() const noexcept { return signal_ != 0; }

    /// How many have come, known at once: what blocks the loop has to look itself.
    [[nodiscard]] static int count() noexcept;

private:
    void wait();

    asio::signal_set signals_;
    asio::cancellation_signal stop_;
    int& signal_;
};

} // namespace pipit::cli
