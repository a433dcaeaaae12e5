// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/client/blocking_connection.hpp>
#include <pipit/client/chunk_session.hpp>
#include <pipit/client/connection.hpp>

#include <memory>
#include <optional>
#include <utility>

/// Requests and answers of any size, as chunks with back-pressure in both directions.
///
///     auto stream = co_await client::open_stream(nats, "upper", {}, asio::use_awaitable);
///     co_await stream->write(text, asio::use_awaitable);
///     co_await stream->finish(asio::use_awaitable);
///     auto chunk = co_await stream->read(asio::use_awaitable);
///
/// The service subscribes as usual and calls `accept_stream` with each request. Both ends have to
/// be Pipit. Source: docs/formats/chunked-transfer.md.
namespace pipit::client {

namespace detail {

class transfer;
using transfer_pointer = std::shared_ptr<transfer>;

void start_read(const transfer_pointer& of, handler<std::optional<message>> done);
void start_write(const transfer_pointer& of, bytes_view bytes, handler<void> done);
void start_finish(const transfer_pointer& of, handler<void> done);
void give_up(const transfer_pointer& of, bytes_view why);

/// Ends what its owner has not ended.
class transfer_owner {
public:
    explicit transfer_owner(transfer_pointer owned) noexcept : transfer_(std::move(owned)) {}
    transfer_owner(transfer_owner&&) noexcept = default;
    transfer_owner& operator=(transfer_owner&& other) noexcept {
        if (this == &other) return *this;
        give_up(transfer_, "abandoned");
        transfer_ = std::move(other.transfer_);
        return *this;
    }
    ~transfer_owner() { give_up(transfer_, "abandoned"); }
    [[nodiscard]] const transfer_pointer& operator*() const noexcept { return transfer_; }

private:
    transfer_pointer transfer_;
};

} // namespace detail

class blocking_chunk_stream;

/// One end of a transfer, for a `connection`. The destructor cancels it, unless both directions
/// have ended. One `read` and one `write` may be under way at a time.
///
/// Every operation fails with `errc::transfer_broken` (a chunk was lost), `transfer_cancelled` (by
/// the other end, with its reason), `protocol::errc::timeout` (it is silent), `connection_lost`,
/// `closed` or `cancelled`, and the transfer is over then.
///
/// Threads: any, several at the same time.
class [[nodiscard]] chunk_stream {
public:
    explicit chunk_stream(detail::transfer_pointer of) noexcept : transfer_(std::move(of)) {}

    /// The next chunk, or nothing at the end. Cancelling it leaves the transfer as it is.
    template <asio::completion_token_for<void(result<std::optional<message>>)> Token>
    auto read(Token&& token) {
        return asio::async_initiate<Token, void(result<std::optional<message>>)>(
            [](auto done, detail::transfer_pointer of) {
                detail::start_read(of, detail::handler<std::optional<message>>(std::move(done)));
            },
            token, *transfer_);
    }
    /// Sends bytes, of any number: waits while the other end has no room. Cancelling it ends the
    /// transfer. Lifetime: the bytes, until it has completed.
    template <asio::completion_token_for<void(result<>)> Token>
    auto write(bytes_view bytes, Token&& token) {
        return asio::async_initiate<Token, void(result<>)>(
            [](auto done, detail::transfer_pointer of, bytes_view what) {
                detail::start_write(of, what, detail::handler<void>(std::move(done)));
            },
            token, *transfer_, bytes);
    }
    /// Nothing more will be written. Waits for a `write` that is under way. Cancelling it takes
    /// nothing back.
    template <asio::completion_token_for<void(result<>)> Token>
    auto finish(Token&& token) {
        return asio::async_initiate<Token, void(result<>)>(
            [](auto done, detail::transfer_pointer of) {
                detail::start_finish(of, detail::handler<void>(std::move(done)));
            },
            token, *transfer_);
    }
    /// Ends both directions; the other end is told why.
    void cancel(bytes_view why = {}) { detail::give_up(*transfer_, why); }

private:
    friend class blocking_chunk_stream;
    detail::transfer_owner transfer_;
};

/// The same for a `blocking_connection`; `errc::would_deadlock` inside callbacks.
class [[nodiscard]] blocking_chunk_stream {
public:
    explicit blocking_chunk_stream(chunk_stream of) noexcept : transfer_(std::move(of.transfer_)) {}

    [[nodiscard]] result<std::optional<message>> read();
    [[nodiscard]] result<> write(bytes_view bytes);
    [[nodiscard]] result<> finish();
    void cancel(bytes_view why = {}) { detail::give_up(*transfer_, why); }

private:
    detail::transfer_owner transfer_;
};

namespace detail {

void start_open(const std::shared_ptr<link>& over, bytes_view subject,
                const transfer_options& options, const headers* with, handler<chunk_stream> done);

} // namespace detail

/// Asks a service for a transfer; completes when it has accepted.
/// Errors: `protocol::errc::no_responders`, `timeout` after `idle_timeout`;
///         `errc::transfer_refused` by a service that takes plain requests.
template <asio::completion_token_for<void(result<chunk_stream>)> Token>
auto open_stream(connection& by, bytes_view subject, transfer_options options, Token&& token,
                 const headers* with = nullptr) {
    return asio::async_initiate<Token, void(result<chunk_stream>)>(
        [link = by.internals()](auto done, bytes_view to, transfer_options how,
                                const headers* also) {
            detail::start_open(link, to, how, also, detail::handler<chunk_stream>(std::move(done)));
        },
        token, subject, options, with);
}

/// Takes the transfer that a request asks for.
/// Errors: `errc::transfer_refused` when it asks for none: it is a plain request.
[[nodiscard]] result<chunk_stream> accept_stream(connection& by, const message& request,
                                                 transfer_options options = {});

[[nodiscard]] result<blocking_chunk_stream> open_stream(blocking_connection& by, bytes_view subject,
                                                        transfer_options options = {},
                                                        const headers* with = nullptr);
[[nodiscard]] result<blocking_chunk_stream>
accept_stream(blocking_connection& by, const message& request, transfer_options options = {});

} // namespace pipit::client
