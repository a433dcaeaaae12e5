// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/bytes.hpp>
#include <pipit/base/error.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace pipit::protocol::detail {

/// The lists of subjects that CONNECT and INFO of routes and leaf nodes may carry; checked only.
struct checked_permissions {};
struct checked_text {};
struct checked_boolean {};
struct checked_integer {};
struct checked_texts {};

/// One key of an object and where its value goes. The type says what the value has to be.
struct json_field {
    std::string_view name; ///< In lower case.
    std::variant<std::string*, bool*, int*, std::uint64_t*, std::vector<std::string>*, checked_text,
                 checked_boolean, checked_integer, checked_texts, checked_permissions>
        target;
};

/// Reads a JSON object as Go's `encoding/json` fills a struct: keys match in any case, unknown keys
/// are skipped, the last of several equal keys wins, `null` leaves a value as it was, bytes that
/// are not UTF-8 and lone surrogates become U+FFFD; any other value of another type than its
/// field's is an error. Nesting deeper than `limits::json_depth` is one too.
/// Errors: `errc::invalid_json`; fields that come before the error may have been set.
[[nodiscard]] result<> read_json_object(bytes_view json, std::span<const json_field> fields);

} // namespace pipit::protocol::detail
