// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/error.hpp>
#include <pipit/server/config_language.hpp>
#include <pipit/server/options.hpp>

#include <string>
#include <vector>

namespace pipit::server {

/// What a configuration comes to.
struct loaded_options {
    server_options options;
    /// What nats-server warns of too: shown when the server starts; in a mere check of the file
    /// they are errors. Each begins with its place.
    std::vector<std::string> warnings;
    /// Features that the file asks for and this version does not have: shown when the server
    /// starts. Each begins with its place.
    std::vector<std::string> notices;
};

/// Puts what a configuration says over `base`, the defaults.
///
/// Nothing is guessed: an unknown key, a value of the wrong kind and one that is out of range are
/// errors with their places; all of them are found at once. What this version does not have is
/// refused when its absence would open what was meant to be closed, and else becomes a notice.
///
/// Errors: `errc::invalid_configuration`; the detail has a line for each, and warnings first.
[[nodiscard]] result<loaded_options> options_from_config(const config_map& map,
                                                         server_options base = {});

/// Reads a file into options, with its name and digest in them.
/// Errors: those of `parse_config_file` and `options_from_config`.
[[nodiscard]] result<loaded_options>
load_options(const std::string& file, const config_source& source, server_options base = {});

} // namespace pipit::server
