// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/error.hpp>
#include <pipit/base/time.hpp>
#include <pipit/client/options.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

namespace pipit::client {

struct transfer_options {
    std::size_t chunk_bytes_max = std::size_t{128} * 1024;
    /// So much may be under way to this end, or wait for its user.
    std::size_t window_bytes = std::size_t{1024} * 1024;
    /// The other end is taken for gone when nothing is heard of it for so long.
    std::chrono::milliseconds idle_timeout{10'000};
};

/// The header that says what a message is in a transfer.
inline constexpr bytes_view transfer_header = "Pipit-Transfer";

/// One end of a chunked transfer, without any I/O.
///
/// The driver hands it what arrives (`receive`), sends what it wants said (`controls`) and the
/// chunks that it allows (`begin_chunk`), and calls `expire` when `next_deadline` passes. Once
/// there is a `failure`, nothing else matters.
///
/// Threads: one at a time.
/// Source: docs/formats/chunked-transfer.md.
class chunk_session {
public:
    enum class side { asking, serving };

    chunk_session(side which, transfer_options options, steady_time now);

    /// Takes a message that arrived in this end's inbox.
    void receive(const message& arrived, steady_time now);

    /// Values of the header, for messages without a payload, in order; each is given once.
    [[nodiscard]] std::vector<std::string> controls();

    /// How many bytes the next chunk may have at most; 0 while the other end has no room.
    [[nodiscard]] std::size_t writable_bytes() const noexcept;
    /// The header's value for a chunk of so many bytes, which is sent now.
    [[nodiscard]] std::string begin_chunk(std::size_t bytes, steady_time now);
    /// Nothing more is to be sent.
    void finish();

    /// The next chunk that is here. Nothing: wait, or `input_ended()`.
    [[nodiscard]] std::optional<message> take_chunk();
    [[nodiscard]] bool input_ended() const noexcept { return input_ended_ && chunks_.empty(); }

    /// The user gives up; the other end is told.
    void cancel(error why, bytes_view text);
    /// What a `cancel` among the controls has as payload.
    [[nodiscard]] const std::string& cancel_text() const noexcept { return cancel_text_; }

    /// Where to send to, once the other end said so: the reply subject of `open` or `accept`.
    [[nodiscard]] const std::string& peer() const noexcept { return peer_; }
    [[nodiscard]] const std::optional<error>& failure() const noexcept { return failure_; }
    /// Both directions have ended: nobody waits for anything any more.
    [[nodiscard]] bool is_complete() const noexcept { return input_ended_ && output_ended_; }

    /// Nothing once it is over.
    [[nodiscard]] std::optional<steady_time> next_deadline() const noexcept;
    void expire(steady_time now);

private:
    void receive_first(const message& arrived, bytes_view words);
    void receive_chunk(const message& arrived, bytes_view words);
    void receive_end(bytes_view words);
    void receive_limit(bytes_view words);
    void receive_alive(bytes_view words);
    void fail(error why, bytes_view text);
    void say(std::string control);

    side side_;
    transfer_options options_;
    std::string peer_;
    std::optional<error> failure_;
    std::string cancel_text_;
    std::vector<std::string> controls_;

    std::uint64_t sent_chunks_ = 0;
    std::uint64_t sent_bytes_ = 0;
    std::uint64_t sent_bytes_max_ = 0; ///< The other end's limit.
    bool output_ended_ = false;

    std::deque<message> chunks_; ///< Wait for the user.
    std::uint64_t received_chunks_ = 0;
    std::uint64_t received_bytes_ = 0;
    std::uint64_t taken_bytes_ = 0;
    std::uint64_t received_bytes_max_; ///< The limit that the other end knows.
    bool input_ended_ = false;

    steady_time heard_;
    steady_time said_;
};

} // namespace pipit::client
