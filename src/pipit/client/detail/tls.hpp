// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/error.hpp>
#include <pipit/client/options.hpp>
#include <pipit/net/filter.hpp>
#include <pipit/protocol/server_address.hpp>

#include <memory>
#include <optional>
#include <string_view>

namespace pipit::client::detail {

/// What is wrong with the files that the options name; nothing when they name none.
[[nodiscard]] std::optional<error> find_tls_option_error(const tls_options& options);

/// The client's side of TLS to a server of this name. The files are read anew: certificates change
/// while a program runs.
/// Errors: `errc::unusable_tls_options`.
[[nodiscard]] result<std::unique_ptr<net::filter>> make_tls_filter(const tls_options& options,
                                                                   std::string_view server_name);

/// For people: which server, what was wrong, and what to do about it.
[[nodiscard]] error explain_tls_failure(const error& why, const protocol::server_address& server,
                                        std::string_view server_name, const tls_options& options);

} // namespace pipit::client::detail
