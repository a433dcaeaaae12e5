// SPDX-License-Identifier: Apache-2.0
#include <commands/session.hpp>

#include <commands/subprocess.hpp>

#include <pipit/protocol/error.hpp>
#include <pipit/protocol/error_texts.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <exception>
#include <unistd.h>
#include <utility>

namespace pipit::cli {
namespace {

asio::awaitable<int> connect_and_work(session& connected, const activity& what) {
    const auto made = co_await connected.nats.connect(asio::use_awaitable);
    if (!made) {
        if (connected.interrupted()) co_return exit_code::failed;
        co_return connected.with.fail(connect_complaint(made.error(), connected.how));
    }
    co_return co_await what.work(connected);
}

/// What was published last is still sent, as long as the server takes it.
asio::awaitable<int> say_goodbye(session& connected) {
    constexpr auto longest = std::chrono::seconds(1);
    asio::steady_timer limit(connected.nats.get_executor(), longest);
    limit.async_wait([&connected](const error_code& ended) {
        if (!ended) connected.nats.close();
    });
    if (connected.nats.is_connected()) (void)co_await connected.nats.flush(asio::use_awaitable);
    connected.nats.close();
    co_return exit_code::done;
}

/// What is said to people of an event; empty when nothing is.
struct event_text {
    std::string operator()(const client::event::connected& now) const {
        return now.again ? "Connected again, to " + now.server : std::string();
    }
    std::string operator()(const client::event::disconnected& now) const {
        return "Disconnected: " + now.why.message() + "; connecting again";
    }
    std::string operator()(const client::event::slow_consumer& now) const {
        return "Too slow for what comes on '" + now.subject +
               "': " + count_text(now.dropped_messages) + " messages were dropped";
    }
    std::string operator()(const client::event::lame_duck&) const {
        return "The server is about to stop";
    }
    std::string operator()(const client::event::asynchronous_error&) const { return {}; }
    std::string operator()(const client::event::servers_discovered&) const { return {}; }
    std::string operator()(const client::event::closed&) const { return {}; }
};

client::connection_options told(client::connection_options options,
                                std::function<void(const client::connection_event&)> tell) {
    options.on_event = std::move(tell);
    return options;
}

} // namespace

session::session(program& of, connecting settled, asio::any_io_executor executor)
    : with(of),
      how(std::move(settled)),
      nats(std::move(executor),
           told(how.options, [this](const auto& happened) { tell(happened); })) {}

void session::tell(const client::connection_event& happened) {
    if (std::holds_alternative<client::event::disconnected>(happened)) {
        ++losses_;
        is_let_in_ = login_noted_ = false;
    }
    if (std::holds_alternative<client::event::connected>(happened)) is_let_in_ = true;
    if (interrupted()) return;
    if (const auto text = std::visit(event_text{}, happened); !text.empty()) with.note(text);
    const auto* const failed = std::get_if<client::event::asynchronous_error>(&happened);
    if (failed) tell_refusal(failed->why);
}

void session::tell_refusal(const error& why) {
    if (!is_let_in_) {
        const bool is_login = why == protocol::errc::authorization_refused;
        // Of the first connection, the command itself tells.
        if (!is_login || losses_ == 0 || std::exchange(login_noted_, true)) return;
        return with.note(why.message() + "; trying again");
    }
    if (refused_ || !is_refusal(why)) return;
    refused_ = why;
    if (on_refused) on_refused();
}

bool is_refusal(const error& why) {
    // A suspended command is heard no more, and nothing that it asked for was refused.
    const bool is_about_silence = why.detail() == protocol::error_texts::stale_connection;
    return why == protocol::errc::permission_denied ||
           (why == protocol::errc::refused_by_peer && !is_about_silence);
}

std::unique_ptr<client::connection>
session::another_connection(std::function<void(const client::connection_event&)> on_event) const {
    return std::make_unique<client::connection>(nats.get_executor(),
                                                told(how.options, std::move(on_event)));
}

asio::awaitable<void> session::sleep(nanoseconds duration) const {
    asio::steady_timer timer(nats.get_executor(), duration);
    constexpr auto token = asio::as_tuple(asio::use_awaitable);
    (void)co_await timer.async_wait(token);
}

int session::fail(const error& why) const {
    if (interrupted()) return exit_code::failed;
    return with.fail(text_of(why));
}

asio::awaitable<result<>> session::flush() {
    const auto flushed = co_await nats.flush(asio::use_awaitable);
    if (!flushed) co_return flushed.error();
    if (refused_) co_return *refused_;
    co_return result<>();
}

asio::awaitable<result<>> session::subscribed() {
    auto known = co_await flush();
    if (!known && known.error() == protocol::errc::connection_lost) known = result<>();
    co_return known;
}

int run_connected(program& with, const activity& what) {
    auto how = settle_connection(with);
    if (!how) return with.fail(text_of(how.error()));
    asio::io_context loop(1);
    session connected(with, std::move(*how), loop.get_executor());
    end_signals signals(loop, connected.signal_slot());
    int code = run_to_end(loop, connect_and_work(connected, what), signals);
    if (connected.interrupted()) {
        code = what.runs_until_ended ? exit_code::done : 128 + connected.signal();
    }
    if (what.summarize) code = what.summarize(connected, code);
    with.flush();
    const bool was_connected = connected.nats.is_connected();
    const auto losses_before = connected.losses();
    (void)run_to_end(loop, say_goodbye(connected), signals);
    const bool all_is_well = was_connected && connected.losses() == losses_before;
    // Otherwise some connection may have given up waiting for a name, and the system has not.
    if (!all_is_well || code != exit_code::done) leave(with, code);
    return code;
}

void leave(program& with, int code) {
    with.flush();
    kill_commands();
    ::_exit(code);
}

int run_to_end(asio::io_context& loop, asio::awaitable<int> work, end_signals& signals) {
    int code = exit_code::failed;
    std::exception_ptr thrown;
    const auto done = [&](std::exception_ptr why, int answered) {
        thrown = std::move(why);
        if (!thrown) code = answered;
        loop.stop();
    };
    asio::co_spawn(loop, std::move(work), asio::bind_cancellation_slot(signals.slot(), done));
    loop.restart();
    try {
        loop.run();
    } catch (...) {
        thrown = std::current_exception(); // One that was cancelled before its first step.
    }
    // What a cancelled coroutine throws only says that it was.
    if (thrown && !signals.received()) std::rethrow_exception(thrown);
    return code;
}

std::string connect_complaint(const error& why, const connecting& how) {
    auto text = "cannot connect to " + how.servers + ": " + why.message();
    if (!how.context.empty()) text += " (as context '" + how.context + "' says)";
    if (!text.ends_with('?')) text += '.';
    if (why == protocol::errc::authorization_refused) {
        return text + " Say who you are with --user and --password, --creds, --nkey or --context";
    }
    if (why.message().find("onnection refused") != std::string::npos) {
        return text + " Start a server there, for example with: pipit server; or name another one "
                      "with --server URL";
    }
    const bool is_about_servers = why == protocol::errc::no_servers;
    return is_about_servers
               ? text + " Is the URL right? Name a server with --server URL or $NATS_URL"
               : text;
}

} // namespace pipit::cli
