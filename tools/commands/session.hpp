// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <commands/connecting.hpp>
#include <commands/end_signals.hpp>
#include <commands/program.hpp>

#include <pipit/client/connection.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace pipit::cli {

/// What a command works with while it is connected.
///
/// Threads: one runs everything.
class session {
public:
    session(program& with, connecting how, asio::any_io_executor executor);

    program& with;
    const connecting how;
    client::connection nats;

    /// Whether Ctrl-C or SIGTERM asked for the end; what waited was cancelled.
    [[nodiscard]] bool interrupted() const noexcept { return signal_ != 0; }
    [[nodiscard]] int signal() const noexcept { return signal_; }
    [[nodiscard]] int& signal_slot() noexcept { return signal_; }

    /// What the server refused, a publication or a subscription: the first one. Not a login, which
    /// is tried again.
    [[nodiscard]] const std::optional<error>& refused() const noexcept { return refused_; }
    std::function<void()> on_refused; ///< Called then.
    /// How often the connection was lost, and maybe what was on its way.
    [[nodiscard]] std::uint64_t losses() const noexcept { return losses_; }

    /// A further connection to the same servers, which tells what happens to it.
    [[nodiscard]] std::unique_ptr<client::connection>
    another_connection(std::function<void(const client::connection_event&)> on_event) const;

    /// Shorter, when the end is asked for.
    [[nodiscard]] asio::awaitable<void> sleep(nanoseconds duration) const;
    /// Says why something failed, unless the end was asked for; answers the exit code.
    int fail(const error& why) const;
    /// Everything has reached the server; otherwise answers why not. Also a refused publication.
    [[nodiscard]] asio::awaitable<result<>> flush();
    /// The server knows of what was subscribed to, or why not. Who loses the connection meanwhile
    /// subscribes again with the next one.
    [[nodiscard]] asio::awaitable<result<>> subscribed();

private:
    void tell(const client::connection_event& happened);
    void tell_refusal(const error& why);

    int signal_ = 0;
    std::uint64_t losses_ = 0;
    bool is_let_in_ = false;   ///< As events told, and so before what they tell next.
    bool login_noted_ = false; ///< That one was refused, since the connection was lost.
    std::optional<error> refused_;
};

/// Whether a server said that, of a publication or a subscription.
[[nodiscard]] bool is_refusal(const error& why);

/// What a connected command does.
struct activity {
    /// Answers the exit code. A signal cancels it.
    std::function<asio::awaitable<int>(session&)> work;
    /// Called at its end, however it came: shows the sum. Answers the exit code.
    std::function<int(session&, int code)> summarize = {};
    /// Runs until it is ended: being ended by a signal is then its success.
    bool runs_until_ended = false;
};

/// Connects, works, and closes. A second signal ends the program at once.
int run_connected(program& with, const activity& what);

/// Runs a coroutine to its end, and nothing that is left then.
int run_to_end(asio::io_context& loop, asio::awaitable<int> work, end_signals& signals);

/// Ends the program at once. A loop's destructor would wait for the system's lookup of a name, and
/// that may take its time.
[[noreturn]] void leave(program& with, int code);

/// What to do about a connection that was not made.
[[nodiscard]] std::string connect_complaint(const error& why, const connecting& how);

} // namespace pipit::cli
