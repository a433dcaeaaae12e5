// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/bytes.hpp>
#include <pipit/base/error.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace pipit::net {

/// The longest header of version 2: its fixed part and as many bytes as two bytes can announce.
inline constexpr std::size_t proxy_header_bytes_max = 16 + 65535;

/// What a connection's first bytes say about who is behind a proxy.
struct proxy_header {
    enum class status : std::uint8_t {
        incomplete, ///< Ask again when there are more bytes.
        absent,     ///< No header: the bytes are the client's own.
        complete,
    };
    struct address {
        std::string ip; ///< In its usual form, without brackets.
        std::uint16_t port = 0;
        friend bool operator==(const address&, const address&) = default;
    };

    status state = status::incomplete;
    std::size_t size = 0;          ///< Of a complete one, in bytes; the client's own follow.
    std::optional<address> source; ///< Absent: the proxy speaks for itself (a health check).
};

/// Reads a PROXY header of version 1 (text) or 2 (binary) from all that has come so far.
/// Errors: `errc::invalid_proxy_header`, `errc::unsupported_proxy_header`; the detail is the whole
///         reason in nats-server's words.
/// Source: "The PROXY protocol, versions 1 & 2" (haproxy.org); client-protocol, section 14.
[[nodiscard]] result<proxy_header> parse_proxy_header(bytes_view input);
/// What nats-server says of a header behind which the connection ended before it was complete.
[[nodiscard]] std::string unfinished_proxy_header_text(bytes_view input);

} // namespace pipit::net
