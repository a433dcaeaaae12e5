// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/bytes.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace pipit::broker {

/// How an event may be compressed for whoever asked by `Accept-Encoding`.
enum class content_encoding : std::uint8_t {
    none,
    identity, ///< Nothing that was asked for is known here.
    gzip,
    snappy, ///< The framed form: a stream of chunks, each with its checksum.
};

/// The best of what the header `Accept-Encoding` names: as nats-server, snappy before gzip,
/// whatever the order. `none` without that header.
[[nodiscard]] content_encoding accepted_encoding(bytes_view headers);
/// The same for the header's value, in lower case.
[[nodiscard]] content_encoding choose_encoding(std::string_view accepted) noexcept;

/// What stands in `Content-Encoding`; empty for `none`.
[[nodiscard]] std::string_view name(content_encoding encoding) noexcept;

[[nodiscard]] std::string encode(content_encoding encoding, bytes_view bytes);

} // namespace pipit::broker
