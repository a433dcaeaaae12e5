// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/bytes.hpp>
#include <pipit/base/error.hpp>
#include <pipit/base/time.hpp>
#include <pipit/net/event_loop.hpp>
#include <pipit/net/transport.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>

namespace pipit::net {

struct pipe_state;

/// The caller's end of a connection inside this process; the other end is a loop's transport.
///
/// Threads: one reads and another may write at the same time; `close` is for all.
class pipe_end {
public:
    explicit pipe_end(std::shared_ptr<pipe_state> state) noexcept;
    /// Closes.
    ~pipe_end();
    pipe_end(pipe_end&&) noexcept = default;
    pipe_end& operator=(pipe_end&& other) noexcept;

    /// Waits for bytes and returns how many came, at least one; 0 when the other end closed.
    /// Errors: `errc::timeout`.
    [[nodiscard]] result<std::size_t> read_some(std::span<char> buffer, nanoseconds timeout);
    /// Waits until all bytes are in the pipe.
    /// Errors: `errc::closed`, `errc::timeout`: then some of them may be.
    [[nodiscard]] result<> write(bytes_view bytes, nanoseconds timeout);
    /// What was written is still read by the other end.
    void close() noexcept;

private:
    std::shared_ptr<pipe_state> state_;
};

/// The loop's end before it is one; crosses to the loop's thread.
class pipe_offer {
public:
    explicit pipe_offer(std::shared_ptr<pipe_state> state) noexcept;
    /// An offer that nobody takes closes the pipe.
    ~pipe_offer();
    pipe_offer(pipe_offer&&) noexcept = default;
    pipe_offer& operator=(pipe_offer&&) = delete;

    /// Makes it a transport; on the loop's thread, once.
    [[nodiscard]] transport_pointer accept(event_loop& loop, transport_user& user) &&;

private:
    std::shared_ptr<pipe_state> state_;
};

struct pipe {
    pipe_end caller;
    pipe_offer loop;
};

/// Two streams of bytes in memory, each with a buffer of `limits::pipe_bytes`.
[[nodiscard]] pipe make_pipe();

} // namespace pipit::net
