// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/bytes.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace pipit::net {

enum class io_status : std::uint8_t {
    done,        ///< At least one byte moved.
    would_block, ///< Wait until it is readable, or writable.
    closed,      ///< The other side closed in order; only for reading.
    failed,      ///< The connection is broken.
};

struct io_result {
    io_status status = io_status::done;
    std::size_t bytes = 0;
};

/// Who drives a transport. Called on the loop's thread, never from inside a call to the transport.
class transport_user {
public:
    virtual void on_readable() = 0;
    virtual void on_writable() = 0;

protected:
    ~transport_user() = default;
};

/// A stream of bytes to the other side of a connection, driven by readiness: over TCP, or to
/// another thread of this process. Nothing blocks.
///
/// Threads: that of its event loop.
class transport {
public:
    transport() = default;
    transport(const transport&) = delete;
    transport& operator=(const transport&) = delete;

    /// Reads what there is: into `first`, which may be empty, and what is left into `second`.
    virtual io_result read(std::span<char> first, std::span<char> second) noexcept = 0;
    /// Writes what is taken at once; `done` may mean a part.
    virtual io_result write(std::span<const bytes_view> pieces) noexcept = 0;

    /// Calls `on_readable` once, when there is something to read, an end or an error; however often
    /// it was asked before that. So does the other with `on_writable`.
    virtual void wait_readable() = 0;
    virtual void wait_writable() = 0;

    /// From now on this one is called, also for what is waited for already.
    virtual void set_user(transport_user& user) noexcept = 0;

    /// Closes the connection and ends the object; its user is not called any more.
    virtual void close() noexcept = 0;

protected:
    virtual ~transport() = default;
};

struct closes_transport {
    void operator()(transport* closed) const noexcept { closed->close(); }
};
using transport_pointer = std::unique_ptr<transport, closes_transport>;

} // namespace pipit::net
