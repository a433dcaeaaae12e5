// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/bytes.hpp>
#include <pipit/base/error.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace pipit::net {

/// Compresses and decompresses whole messages of permessage-deflate. Each stands alone
/// (`no_context_takeover`), so that one of these serves all connections of a loop, and a
/// connection between two messages holds nothing. Its contexts, 300 KB, are made when they are
/// first needed.
///
/// Threads: one at a time.
/// Source: RFC 7692.
class websocket_deflate {
public:
    websocket_deflate();
    ~websocket_deflate();
    websocket_deflate(const websocket_deflate&) = delete;
    websocket_deflate& operator=(const websocket_deflate&) = delete;

    /// The message's payload for the wire.
    /// Lifetime: until the next call.
    [[nodiscard]] bytes_view compress(std::span<const bytes_view> plain);

    /// Appends what a message's payload holds.
    /// Errors: `errc::websocket_violation`; `errc::websocket_too_big` when it is more than
    ///         `plain_bytes_max`, whatever it would have come to.
    [[nodiscard]] result<> decompress(bytes_view payload, std::size_t plain_bytes_max,
                                      std::string& plain);

private:
    struct contexts;
    std::unique_ptr<contexts> contexts_;
    std::string compressed_;
};

} // namespace pipit::net
