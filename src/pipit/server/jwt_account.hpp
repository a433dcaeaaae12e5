// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/auth/jwt.hpp>
#include <pipit/base/error.hpp>
#include <pipit/broker/account_update.hpp>

#include <memory>

/// From what a JWT says of an account to what brokers obey.
namespace pipit::server {

class account_numbers;

using known_claims = std::shared_ptr<const auth::account_jwt>;

/// Errors: those of mappings.
[[nodiscard]] result<std::shared_ptr<const broker::account_configuration>>
account_of(const auth::account_jwt& claims, std::string token, account_numbers& numbers,
           wall_time now);

/// Who stays when an account says something else than before: `before` is null for one that was
/// not known. Source: nats-server; who signed by a key that is gone or whose scope has changed is
/// disconnected without a text. Unless permissions are live: then a scope that has changed is
/// obeyed, for those who could log in under it now.
[[nodiscard]] broker::session_judge judge_of(known_claims before, known_claims now,
                                             bool live_permissions);

/// An account that was deleted: nobody stays.
[[nodiscard]] broker::session_judge nobody_stays();
/// An account that the configuration has no more: as if its users logged in now.
[[nodiscard]] broker::session_judge everybody_is_refused();

} // namespace pipit::server
