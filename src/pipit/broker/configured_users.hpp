// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/broker/broker.hpp>
#include <pipit/broker/configuration.hpp>
#include <pipit/protocol/connect.hpp>

#include <string>

/// Whom a configuration knows, and whom of them a client means. What is returned lives as long as
/// the configuration; null: nobody.
namespace pipit::broker {

/// A user by its name, or its public key.
[[nodiscard]] const user_configuration* user_named(const authorization& authorization,
                                                   const std::string& name) noexcept;

/// Who need not say who he is.
[[nodiscard]] const user_configuration* no_auth_user(const authorization& authorization) noexcept;

/// The client says nothing of who it is. Where no user has an nkey, one that is named says nothing;
/// where users are found by their certificates, there is always something.
[[nodiscard]] bool says_nothing(const authorization& authorization,
                                const protocol::connect_options& options) noexcept;

/// The client names none of the users: it means the `token` or the `single_user`, or nobody.
[[nodiscard]] bool names_no_user(const authorization& authorization,
                                 const protocol::connect_options& options) noexcept;

/// Who a client says that it is.
/// Source: auth, section 1.
[[nodiscard]] const user_configuration* claimed_user(const authorization& authorization,
                                                     const protocol::connect_options& options,
                                                     const session_origin& origin);

/// The user's `allowed_connection_types`.
[[nodiscard]] bool may_connect(const user_configuration& user,
                               const session_origin& origin) noexcept;

/// The user has no password because a certificate says who it is, and comes where nobody looks at
/// certificates.
[[nodiscard]] bool needs_certificate(const user_configuration& user,
                                     const authorization& here) noexcept;

/// From now on it is as if the client had said so: a later CONNECT may add to it.
void assume_credentials(protocol::connect_options& options, const user_configuration& user);

} // namespace pipit::broker
