// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/bytes.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

/// What the log says of input that cannot be read, as nats-server writes it. The input is quoted in
/// part, with what cannot be printed escaped, and never what may be a secret: JSON, or what follows
/// a question mark or `Authorization`.
namespace pipit::broker {

/// Where the parser stopped.
struct parse_stop {
    bytes_view input;               ///< What was read, and maybe what came before it.
    std::size_t at;                 ///< The byte that is wrong.
    bool begins_operation;          ///< The input's first byte begins an operation.
    std::int64_t payload_bytes_max; ///< What a message may have.
};

[[nodiscard]] std::string unknown_operation_report(const parse_stop& stop);
[[nodiscard]] std::string arguments_report(const parse_stop& stop);
[[nodiscard]] std::string payload_report(const parse_stop& stop);
/// `SUB foo`: the line itself, for the trace. Nothing: its beginning has been read before.
[[nodiscard]] std::optional<std::string> refused_line(const parse_stop& stop);

} // namespace pipit::broker
