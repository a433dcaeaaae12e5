// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/broker/session.hpp>

#include <string>
#include <string_view>

/// Texts of the log about a session that is in an account, as nats-server writes them.
namespace pipit::broker {

/// `A/user:bob`; an account by JWT is shown with the name for people too.
[[nodiscard]] std::string login_label(const session& session);

/// `<text> - Account:A - user:bob`
[[nodiscard]] std::string with_account_and_user(std::string_view text, const session& session);

/// `Authenticated JWT: …`, of a user with a JWT. Where nats-server shows an address of its memory,
/// the account's number stands.
[[nodiscard]] std::string authenticated_jwt(const session& session);

} // namespace pipit::broker
