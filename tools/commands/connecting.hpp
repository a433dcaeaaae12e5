// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <commands/program.hpp>

#include <pipit/client/options.hpp>

#include <string>

namespace pipit::cli {

/// How this program connects: its flags, the environment, the context, and what is usual.
struct connecting {
    client::connection_options options;
    nanoseconds timeout{}; ///< Of one answer.
    std::string context;   ///< Whose settings are among them; empty: none.
    std::string servers;   ///< To be shown, without secrets.
};

/// Errors: a context that is not there, credentials that cannot be read, an invalid URL or
/// variable; each says which.
[[nodiscard]] result<connecting> settle_connection(const program& with);

/// The sentence for people about an error: what it says, and nothing of categories.
[[nodiscard]] std::string text_of(const error& why);

} // namespace pipit::cli
