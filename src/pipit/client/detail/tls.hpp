// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/error.hpp>
#include <pipit/client/options.hpp>
#include <pipit/net/tls_context.hpp>
#include <pipit/protocol/server_address.hpp>

#include <memory>
#include <optional>
#include <string_view>

namespace pipit::client::detail {

/// What is wrong with the files that the options name; nothing when they name none.
[[nodiscard]] std::optional<error> find_tls_option_error(const tls_options& options);

/// Reads the files that the options name, which takes its time.
/// Errors: `errc::unusable_tls_options`.
[[nodiscard]] result<std::shared_ptr<const net::tls_context>>
read_tls_files(const tls_options& options);

/// For people: which server, what was wrong, and what to do about it.
[[nodiscard]] error explain_tls_failure(const error& why, const protocol::server_address& server,
                                        std::string_view server_name, const tls_options& options);

} // namespace pipit::client::detail
