// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/time.hpp>
#include <pipit/client/detail/waiting.hpp>
#include <pipit/client/options.hpp>

#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace pipit::client {

namespace detail {

struct feed;
using feed_pointer = std::shared_ptr<feed>;

using time_limit = std::optional<nanoseconds>;

void start_next(const feed_pointer& of, time_limit at_most, handler<message> done);
void start_next(const feed_pointer& of, time_limit at_most, handler<std::optional<message>> done);
void start_drain(const feed_pointer& of, handler<void> done);
[[nodiscard]] std::optional<message> take_next(const feed_pointer& of);

template <class Token>
inline constexpr bool is_use_awaitable = false;
template <class Executor>
inline constexpr bool is_use_awaitable<asio::use_awaitable_t<Executor>> = true;

template <class T, asio::completion_token_for<void(result<T>)> Token>
auto wait_for_next(feed_pointer of, time_limit at_most, Token&& token) {
    return asio::async_initiate<Token, void(result<T>)>(
        [](auto done, feed_pointer from, time_limit time) {
            start_next(from, time, handler<T>(std::move(done)));
        },
        token, std::move(of), at_most);
}

/// A message that is here is handed out without asking the executor; so a coroutine is resumed once
/// for all that were read together.
template <class T, class Executor>
asio::awaitable<result<T>, Executor> next_in_coroutine(feed_pointer of, time_limit at_most) {
    if (auto here = take_next(of)) co_return T(std::move(*here));
    const asio::use_awaitable_t<Executor> token;
    co_return co_await wait_for_next<T>(std::move(of), at_most, token);
}

template <class T, class Token>
auto next(const feed_pointer& of, time_limit at_most, Token&& token) {
    if constexpr (is_use_awaitable<std::decay_t<Token>>) {
        return awaitable_of<T>(of, at_most, token);
    } else {
        return wait_for_next<T>(of, at_most, std::forward<Token>(token));
    }
}

template <class T, class Executor>
auto awaitable_of(const feed_pointer& of, time_limit at_most,
                  const asio::use_awaitable_t<Executor>&) {
    return next_in_coroutine<T, Executor>(of, at_most);
}

} // namespace detail

/// Messages of one subject. It ends when its user ends it (by this object's destructor, too), when
/// its limit is reached, when the server refuses it, or with the connection's end; never by a lost
/// connection. What had come before can still be taken then. Keep it: who throws away what
/// `subscribe` returned has unsubscribed.
///
/// Threads: any, several at the same time. Of a callback that is running in another thread when it
/// ends: see `connection`.
class [[nodiscard]] subscription {
public:
    subscription() noexcept = default; ///< Of nothing: it has ended.
    explicit subscription(detail::feed_pointer messages) noexcept : feed_(std::move(messages)) {}
    subscription(subscription&&) noexcept = default;
    subscription& operator=(subscription&& other) noexcept;
    ~subscription();

    /// The next message. Not with a callback, which takes them all.
    /// Errors: `errc::subscription_ended`, with why; `protocol::errc::cancelled`.
    template <asio::completion_token_for<void(result<message>)> Token>
    auto next(Token&& token) {
        return detail::next<message>(feed_, {}, std::forward<Token>(token));
    }
    /// The same, but no longer than that: a message that comes at the last moment is handed out, or
    /// waits for the next call. (Who waits for this or a timer, and ends the other one, may lose a
    /// message that had come.)
    /// Errors: as above; `protocol::errc::timeout`.
    template <asio::completion_token_for<void(result<message>)> Token>
    auto next(nanoseconds timeout, Token&& token) {
        return detail::next<message>(feed_, timeout, std::forward<Token>(token));
    }
    /// One that is here already.
    [[nodiscard]] std::optional<message> try_next();

    /// Ends it now; with `max`, when so many messages have come since it began, dropped ones
    /// among them: of those that wait, what is beyond that is thrown away.
    void unsubscribe(std::uint64_t max = 0);
    /// Tells the server to send no more; completes when what was on its way is here (and, with a
    /// callback, handed out). What waits for `next` can still be taken. A cancelled one goes on.
    /// Errors: `protocol::errc::connection_lost` and `protocol::errc::timeout` when some of it may
    ///         be lost; `protocol::errc::cancelled`.
    template <asio::completion_token_for<void(result<>)> Token>
    auto drain(Token&& token) {
        return asio::async_initiate<Token, void(result<>)>(
            [](auto done, detail::feed_pointer of) {
                detail::start_drain(of, detail::handler<void>(std::move(done)));
            },
            token, feed_);
    }

    [[nodiscard]] const std::string& subject() const noexcept;
    [[nodiscard]] bool is_active() const;
    [[nodiscard]] subscription_statistics statistics() const;

private:
    void end() noexcept;

    detail::feed_pointer feed_;
};

/// The answers to one `request_many`. The destructor ends it.
///
/// Threads: any, several at the same time.
class [[nodiscard]] replies {
public:
    replies() noexcept = default; ///< Of nothing: there are none.
    explicit replies(detail::feed_pointer answers) noexcept : feed_(std::move(answers)) {}
    replies(replies&&) noexcept = default;
    replies& operator=(replies&& other) noexcept;
    ~replies();

    /// The next answer, or nothing when all are here (`how_ended` says why).
    /// Errors: `protocol::errc::no_responders`, `connection_lost`, `cancelled`, `closed`.
    template <asio::completion_token_for<void(result<std::optional<message>>)> Token>
    auto next(Token&& token) {
        return detail::next<std::optional<message>>(feed_, {}, std::forward<Token>(token));
    }
    /// Nothing while they come, and after a failure.
    [[nodiscard]] std::optional<protocol::replies_end> how_ended() const;
    void cancel();

private:
    detail::feed_pointer feed_;
};

} // namespace pipit::client
