// SPDX-License-Identifier: Apache-2.0
#include <commands/end_signals.hpp>

#include <commands/subprocess.hpp>

#include <csignal>
#include <unistd.h>

namespace pipit::cli {
namespace {

volatile std::sig_atomic_t signal_count = 0;
void (*told_too)(int) = nullptr; ///< Asio's handler.

extern "C" void count_signal(int number) {
    signal_count = signal_count + 1;
    told_too(number);
}

/// Asio's handler only writes to a pipe that its loop reads.
void count_before_asio(int number) {
    struct sigaction action {};
    ::sigaction(number, nullptr, &action);
    told_too = action.sa_handler;
    action.sa_handler = count_signal;
    ::sigaction(number, &action, nullptr);
}

} // namespace

end_signals::end_signals(asio::io_context& loop, int& signal)
    : signals_(loop, SIGINT, SIGTERM), signal_(signal) {
    count_before_asio(SIGINT);
    count_before_asio(SIGTERM);
    wait();
}

int end_signals::count() noexcept { return signal_count; }

void end_signals::wait() {
    signals_.async_wait([this](const boost::system::error_code& failed, int received) {
        if (failed) return;
        if (signal_ != 0) {
            kill_commands();
            ::_exit(128 + received);
        }
        signal_ = received;
        wait();
        stop_.emit(asio::cancellation_type::terminal);
    });
}

} // namespace pipit::cli
