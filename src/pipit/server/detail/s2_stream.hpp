// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/bytes.hpp>

#include <cstddef>
#include <optional>
#include <string>

namespace pipit::server {

/// Unpacks a stream of S2 or framed Snappy, by which nats-server packs what it keeps. Its checksums
/// are not looked at: for what is checked otherwise. Nothing: it is no such stream, or holds more
/// than `bytes_max`.
/// Source: "Snappy framing format description"; "S2 Design & Improvements" of its author.
[[nodiscard]] std::optional<std::string> unpack_s2(bytes_view stream, std::size_t bytes_max);

} // namespace pipit::server
