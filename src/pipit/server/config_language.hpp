// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/error.hpp>
#include <pipit/server/config_value.hpp>

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace pipit::server {

/// Bounds on what a configuration may cost, whoever wrote it.
struct config_limits {
    /// Maps and arrays inside each other, also by way of variables.
    std::size_t nesting_max = 100;
    /// Files that include each other in a chain.
    std::size_t include_depth_max = 32;
    /// The main file and all its includes together, and the environment's variables.
    std::size_t read_bytes_max = std::size_t{64} * 1024 * 1024;
    /// What the tree may hold. A variable is a copy, so that without this bound a short file
    /// could ask for any amount of memory.
    std::size_t tree_bytes_max = std::size_t{256} * 1024 * 1024;
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
