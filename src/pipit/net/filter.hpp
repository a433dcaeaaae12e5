// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/bytes.hpp>
#include <pipit/base/error.hpp>

#include <cstddef>
#include <functional>
#include <span>
#include <string>

namespace pipit::net {

/// Asks somebody else; calls what it is given once, when the answer is there: on any thread, also
/// at once.
using filter_question = std::function<void(std::function<void()> answered)>;

/// What stands between the wire and the protocol: TLS or WebSocket, of either side. Bytes in and
/// bytes out; it opens no socket and reads no clock. Filters stack: `wss` is WebSocket over TLS.
///
/// After an error nothing but sending what it appended to `wire` and closing makes sense.
class filter {
public:
    filter() = default;
    filter(const filter&) = delete;
    filter& operator=(const filter&) = delete;
    virtual ~filter() = default;

    /// The first bytes of the side that speaks first; appends nothing for the other.
    virtual result<> begin(std::string& wire) = 0;
    /// Takes what came from the wire: appends what it carries to `plain`, and what is to be sent
    /// because of it (a handshake's answer, a pong, an alert) to `wire`.
    virtual result<> receive(bytes_view from_wire, std::string& plain, std::string& wire) = 0;
    /// Appends what carries these bytes to `wire`. Not before `is_open()`.
    virtual result<> send(std::span<const bytes_view> plain, std::string& wire) = 0;
    /// Appends the end of this side's stream.
    virtual void finish(std::string& wire) = 0;

    /// The handshake is done.
    [[nodiscard]] virtual bool is_open() const noexcept = 0;
    /// It keeps some of what came, because what that carries is too much for one call: `receive`
    /// goes on with it, also when it is given nothing.
    [[nodiscard]] virtual bool holds_more() const noexcept { return false; }
    /// What has to be answered elsewhere before it goes on, told once; empty: nothing. It is given
    /// nothing more until the answer is there, and goes on by a `receive` of nothing.
    [[nodiscard]] virtual filter_question take_question() { return {}; }
    /// The other side ended its stream in order.
    [[nodiscard]] virtual bool is_finished() const noexcept = 0;
    /// What it keeps of what came, about: more than when it is idle.
    [[nodiscard]] virtual std::size_t kept_bytes() const noexcept { return 0; }
};

/// What a text has allocated.
[[nodiscard]] inline std::size_t memory_of(const std::string& text) noexcept {
    return text.capacity() > std::string().capacity() ? text.capacity() : 0;
}

} // namespace pipit::net
