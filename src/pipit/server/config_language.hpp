// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/error.hpp>
#include <pipit/base/limits.hpp>
#include <pipit/server/config_value.hpp>

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace pipit::server {

/// Bounds on what a configuration may cost, whoever wrote it; what each means is in limits.hpp.
struct config_limits {
    std::size_t nesting_max = limits::config_nesting;
    std::size_t include_depth_max = limits::config_include_depth;
    std::size_t read_bytes_max = limits::config_read_bytes;
    std::size_t tree_bytes_max = limits::config_tree_bytes;
};

/// How a configuration reaches the world: nothing else opens files or asks the environment.
struct config_source {
    /// The content of the file at a path; the error's detail reads like
    /// `open x.conf: no such file or directory`. Without it there are no includes.
    std::function<result<std::string>(const std::string& path)> read_file;
    /// The value of an environment variable.
    std::function<std::optional<std::string>(const std::string& name)> environment;
    config_limits limits;
};

/// Reads a configuration's text; `file` is its name in messages, and its folder is where its
/// includes are looked for.
///
/// Errors: `errc::invalid_configuration`; the detail is `file:line:column: …`, with the words
///         `Parse error on line N: '…'` for what is not the language at all.
/// Cost:   bounded by `config_source::limits`.
/// Source: "Configuration" in the NATS docs; differences are in docs/guides/configuration.md.
[[nodiscard]] result<config_map> parse_config(std::string_view text, const std::string& file,
                                              const config_source& source);

/// Opens the file by way of the source, and reads it.
/// Errors: those of `config_source::read_file` and of `parse_config`.
[[nodiscard]] result<config_map> parse_config_file(const std::string& file,
                                                   const config_source& source);

} // namespace pipit::server
