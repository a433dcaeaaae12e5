// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/client/detail/waiting.hpp>
#include <pipit/client/options.hpp>
#include <pipit/client/subscription.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pipit::client {

namespace detail {
class link;
}

/// A connection to NATS over all its reconnects, on an executor of the caller's. It starts no
/// thread, but for one that looks a name up.
///
/// Operations take any completion token and complete with `void(result<T>)`:
///
///     const auto executor = co_await asio::this_coro::executor;
///     pipit::connection nats(executor, {.servers = {"localhost"}});
///     auto connected = co_await nats.connect(asio::use_awaitable);
///     if (!connected) throw pipit::failure(connected.error());
///     auto reply = co_await nats.request("greet", "joe", asio::use_awaitable);
///
/// Per-operation cancellation is obeyed: the operation completes with
/// `protocol::errc::cancelled`. The destructor closes; what waits completes with
/// `protocol::errc::closed`, and no callback is called any more.
///
/// An exception that a callback or a handler lets out comes out of the executor's `run()`; the
/// connection goes on with the next message when that is called again.
///
/// Threads: any, several at the same time. Callbacks are called one at a time on the connection's
/// executor, handlers on their own. The execution context must outlive the connection. A thread
/// that runs the executor must not wait for an operation (`use_future`): nobody would end it.
///
/// Where several threads run the executor, one may be in a callback (`on_event`,
/// `credentials_provider`, `is_last`, or a subscription's), or on the way into it, when another one
/// destroys the connection or the subscription; the destructor does not wait for it. What a
/// callback uses is safe when the callback owns it, when the connection is destroyed after its
/// `drain` has completed (with anything but `cancelled`), or when its executor is a strand and it
/// is destroyed there. With one thread, and on such a strand, none is called once the destructor
/// has begun.
///
/// After a `fork`, the child can only destroy it: everything else fails with
/// `errc::made_before_fork`.
class connection {
public:
    explicit connection(asio::any_io_executor executor, connection_options options = {});
    ~connection();
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;

    /// Completes when connected; with `retry_on_failed_connect` at once.
    /// Errors: `protocol::errc::invalid_url`; `protocol::errc::authorization_refused` when every
    ///         server refused the login, otherwise `protocol::errc::no_servers`, with what each of
    ///         them said. Cancelling it closes the connection.
    template <asio::completion_token_for<void(result<>)> Token>
    auto connect(Token&& token) {
        return asio::async_initiate<Token, void(result<>)>(
            [this](auto done) { start_connect(detail::handler<void>(std::move(done))); }, token);
    }

    /// Queues it; it is written with what else was published meanwhile.
    /// Errors: as `protocol::client_protocol::publish`; `protocol::errc::output_full` while
    ///         `pending_output_bytes_max` is reached.
    [[nodiscard]] result<> publish(bytes_view subject, bytes_view payload,
                                   const publish_options& options = {});
    /// The same, but waits while there is no room and a server that makes some: without a
    /// connection, more than `reconnect_buffer_bytes_max` is `protocol::errc::output_full` at once,
    /// also for what waited when it was lost. And it lets others run now and then.
    /// Lifetime: what the arguments point to, until the operation is started (a coroutine's: until
    /// it has completed).
    template <asio::completion_token_for<void(result<>)> Token>
    auto publish(bytes_view subject, bytes_view payload, publish_options options, Token&& token) {
        return asio::async_initiate<Token, void(result<>)>(
            [this](auto done, bytes_view to, bytes_view what, publish_options how) {
                start_publish(to, what, how, detail::handler<void>(std::move(done)));
            },
            token, subject, payload, options);
    }
    /// The same for `co_await`, which goes on at once while there is room; but now and then it lets
    /// others run.
    template <class Executor>
    asio::awaitable<result<>, Executor> publish(bytes_view subject, bytes_view payload,
                                                publish_options options,
                                                asio::use_awaitable_t<Executor> token) {
        if (auto outcome = try_publish(subject, payload, options)) co_return std::move(*outcome);
        auto start = [this](auto done, bytes_view to, bytes_view what, publish_options how) {
            start_publish(to, what, how, detail::handler<void>(std::move(done)));
        };
        using token_type = asio::use_awaitable_t<Executor>&;
        auto waits = asio::async_initiate<token_type, void(result<>)>(std::move(start), token,
                                                                      subject, payload, options);
        auto outcome = co_await std::move(waits);
        co_return outcome;
    }

    /// Messages wait until they are asked for: `co_await subscription.next(token)`.
    /// Errors: `protocol::errc::invalid_subject`, `output_full`, `draining`, `closed`.
    [[nodiscard]] result<subscription> subscribe(bytes_view subject,
                                                 subscribe_options options = {});
    /// Calls `callback` for every message, on the connection's executor. The pending limits do not
    /// matter: while it runs, nothing is read.
    [[nodiscard]] result<subscription> subscribe(bytes_view subject,
                                                 std::function<void(message)> callback,
                                                 subscribe_options options = {});

    /// One answer. Errors: as `protocol::request_answered`; as `publish`.
    /// Lifetime: as of `publish`.
    template <asio::completion_token_for<void(result<message>)> Token>
    auto request(bytes_view subject, bytes_view payload, request_options options, Token&& token) {
        return asio::async_initiate<Token, void(result<message>)>(
            [this](auto done, bytes_view to, bytes_view what, request_options how) {
                start_request(to, what, how, detail::handler<message>(std::move(done)));
            },
            token, subject, payload, options);
    }
    template <asio::completion_token_for<void(result<message>)> Token>
    auto request(bytes_view subject, bytes_view payload, Token&& token) {
        return request(subject, payload, request_options{}, std::forward<Token>(token));
    }

    /// Many answers. Source: ADR-47.
    [[nodiscard]] result<replies> request_many(bytes_view subject, bytes_view payload,
                                               request_many_options options = {});

    /// Answers a request: publishes to its reply subject.
    /// Errors: `errc::no_reply_subject`; as `publish`.
    [[nodiscard]] result<> respond(const message& request, bytes_view payload,
                                   publish_options options = {});

    /// Completes when the server has taken what was published before; the time limit is
    /// `request_timeout`. Errors: `protocol::errc::timeout`, `connection_lost`, `closed`.
    template <asio::completion_token_for<void(result<>)> Token>
    auto flush(Token&& token) {
        return asio::async_initiate<Token, void(result<>)>(
            [this](auto done) { start_flush(detail::handler<void>(std::move(done))); }, token);
    }
    /// How long a round trip to the server takes. Errors: as of `flush`.
    template <asio::completion_token_for<void(result<nanoseconds>)> Token>
    auto rtt(Token&& token) {
        return asio::async_initiate<Token, void(result<nanoseconds>)>(
            [this](auto done) { start_rtt(detail::handler<nanoseconds>(std::move(done))); }, token);
    }
    /// Ends all subscriptions when what was on its way is here, waits until that is handed out (and
    /// may be answered) and for requests that are under way, sends everything, and closes. So
    /// somebody has to take what waits for `next`, or to end that subscription.
    /// Errors: `protocol::errc::timeout` after `drain_timeout`, with the subjects of what nobody
    ///         took, which can still be taken; `connection_lost`, `closed`.
    template <asio::completion_token_for<void(result<>)> Token>
    auto drain(Token&& token) {
        return asio::async_initiate<Token, void(result<>)>(
            [this](auto done) { start_drain(detail::handler<void>(std::move(done))); }, token);
    }
    /// Ends everything at once; what was published is sent as far as the system takes it.
    /// `event::closed` follows on the executor, unless the destructor comes first: it silences
    /// that, too. When `drain` completes, `event::closed` has been told.
    void close();
    /// Leaves the server for another one of the pool, or for itself again.
    void reconnect();
    /// Asks `credentials_provider` again and tells the server, on the connection that is there: a
    /// newer JWT of the same user counts at once where a Pipit server has `live_permissions`.
    /// Whoever is refused is disconnected; any other server ends all subscriptions instead, so that
    /// `reconnect()` is for those. Returns before that is done.
    /// Errors: `protocol::errc::not_connected`, `errc::no_credentials_provider`.
    [[nodiscard]] result<> renew_credentials();

    /// A subject for replies that nobody else subscribes to.
    [[nodiscard]] std::string new_inbox();
    [[nodiscard]] bool is_connected() const;
    [[nodiscard]] bool is_closed() const;
    /// Of the server that is connected, or was at last.
    [[nodiscard]] protocol::server_info server_info() const;
    [[nodiscard]] std::string connected_server() const;     ///< `host:port`, or empty.
    [[nodiscard]] std::vector<std::string> servers() const; ///< The pool, as `host:port`.
    [[nodiscard]] protocol::session_statistics statistics() const;
    [[nodiscard]] asio::any_io_executor get_executor() const;

    /// For the rest of this library.
    [[nodiscard]] const std::shared_ptr<detail::link>& internals() const noexcept { return link_; }

private:
    void start_connect(detail::handler<void> done);
    /// Nothing: it has to wait, for room or for others.
    [[nodiscard]] std::optional<result<>> try_publish(bytes_view subject, bytes_view payload,
                                                      const publish_options& options);
    void start_publish(bytes_view subject, bytes_view payload, const publish_options& options,
                       detail::handler<void> done);
    void start_request(bytes_view subject, bytes_view payload, const request_options& options,
                       detail::handler<message> done);
    void start_flush(detail::handler<void> done);
    void start_rtt(detail::handler<nanoseconds> done);
    void start_drain(detail::handler<void> done);

    std::shared_ptr<detail::link> link_;
};

} // namespace pipit::client
