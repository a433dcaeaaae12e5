// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/error.hpp>
#include <pipit/server/config_value.hpp>
#include <pipit/server/detail/config_cursor.hpp>

#include <string>

namespace pipit::server::detail {

/// A string, number, date or boolean as it stands in a configuration, or a variable's name.
struct config_scalar {
    config_value::data_type data;
    std::string written;
    /// `$name` was written: `written` is the name and `data` says nothing.
    bool is_variable = false;
};

/// Reads the scalar that begins at the cursor and stops behind it.
///
/// Errors: `errc::invalid_configuration`; the detail is the sentence, the cursor is the place.
[[nodiscard]] result<config_scalar> read_config_scalar(config_cursor& cursor);

} // namespace pipit::server::detail
