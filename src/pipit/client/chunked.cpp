// SPDX-License-Identifier: Apache-2.0
#include <pipit/client/chunked.hpp>

#include <pipit/client/detail/blocking_wait.hpp>
#include <pipit/client/detail/transfer.hpp>
#include <pipit/protocol/error.hpp>

#include <algorithm>
#include <utility>

namespace pipit::client {
namespace detail {

void start_open(const std::shared_ptr<link>& over, bytes_view subject,
                const transfer_options& options, const headers* with, handler<chunk_stream> done) {
    transfer::open(over, subject, with, options, std::move(done));
}

void start_read(const transfer_pointer& of, handler<std::optional<message>> done) {
    of->read(std::move(done));
}

void start_write(const transfer_pointer& of, bytes_view bytes, handler<void> done) {
    of->write(bytes, std::move(done));
}

void start_finish(const transfer_pointer& of, handler<void> done) { of->finish(std::move(done)); }

void give_up(const transfer_pointer& of, bytes_view why) {
    if (of) of->cancel(protocol::errc::cancelled, why);
}

namespace {

/// A transfer's operation ends in its time, also when a callback holds up everything.
patience patience_of(const transfer_options& options) {
    const nanoseconds time = std::min(options.idle_timeout, for_ever);
    return {time, time};
}

/// One that was given up uses nothing of its user's any more.
template <class T, class Start>
result<T> wait_in(const transfer_pointer& of, Start start) {
    auto done = wait_for<T>(of->over(), patience_of(of->options()), std::move(start));
    if (!done && done.error() == protocol::errc::timeout) of->cancel(done.error(), "timed out");
    return done;
}

} // namespace
} // namespace detail

result<chunk_stream> accept_stream(connection& by, const message& request,
                                   transfer_options options) {
    auto made = detail::transfer::accept(by.internals(), request, options);
    if (!made) return made.error();
    return chunk_stream(std::move(*made));
}

result<blocking_chunk_stream> open_stream(blocking_connection& by, bytes_view subject,
                                          transfer_options options, const headers* with) {
    const auto& link = by.internals();
    auto made = detail::wait_for<chunk_stream>(link, detail::patience_of(options), [&](auto done) {
        detail::transfer::open(link, subject, with, options, std::move(done));
    });
    if (!made) return made.error();
    return blocking_chunk_stream(std::move(*made));
}

result<blocking_chunk_stream> accept_stream(blocking_connection& by, const message& request,
                                            transfer_options options) {
    auto made = detail::transfer::accept(by.internals(), request, options);
    if (!made) return made.error();
    return blocking_chunk_stream(chunk_stream(std::move(*made)));
}

result<std::optional<message>> blocking_chunk_stream::read() {
    const auto& of = *transfer_;
    return detail::wait_in<std::optional<message>>(of,
                                                   [&](auto done) { of->read(std::move(done)); });
}

result<> blocking_chunk_stream::write(bytes_view bytes) {
    const auto& of = *transfer_;
    return detail::wait_in<void>(of, [&](auto done) { of->write(bytes, std::move(done)); });
}

result<> blocking_chunk_stream::finish() {
    const auto& of = *transfer_;
    return detail::wait_in<void>(of, [&](auto done) { of->finish(std::move(done)); });
}

} // namespace pipit::client
