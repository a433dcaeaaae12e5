// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/auth/jwt.hpp>
#include <pipit/base/error.hpp>
#include <pipit/base/time.hpp>
#include <pipit/broker/configuration.hpp>
#include <pipit/broker/login_question.hpp>

#include <memory>
#include <optional>
#include <string>

/// From what a JWT says of a user to what a broker obeys.
namespace pipit::server {

/// Why somebody may not come in from there, in that way, or now; empty: he may.
struct entry_decision {
    std::string why_not;
    std::optional<wall_time> until; ///< The end of a time window; nothing: no window ends.
};
[[nodiscard]] entry_decision may_enter(const auth::user_rights& rights, const std::string& address,
                                       const broker::jwt_check& check, wall_time now);

/// `rights` are the user's own or those of the key that signed. Errors: those of permissions.
[[nodiscard]] result<std::shared_ptr<const broker::user_configuration>>
user_of(const auth::user_jwt& user, const auth::user_rights& rights,
        const auth::account_jwt& account, broker::account_id id, std::string token);

} // namespace pipit::server
