// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/auth/jwt.hpp>
#include <pipit/base/error.hpp>
#include <pipit/base/time.hpp>
#include <pipit/broker/configuration.hpp>
#include <pipit/broker/login_question.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

/// From what a JWT says of a user to what a broker obeys.
namespace pipit::server {

/// Whether somebody may come in from there, in that way, and now.
struct entry_decision {
    enum class fault : std::uint8_t { none, connection_type, network, time };
    fault what = fault::none;
    std::string why_not;            ///< For the log; empty: he may.
    std::optional<wall_time> until; ///< The end of a time window; nothing: no window ends.
};
[[nodiscard]] entry_decision may_enter(const auth::user_rights& rights, const std::string& address,
                                       const broker::jwt_check& check, wall_time now);

/// Why a JWT does not hold now, in nats-server's words; empty: it holds.
[[nodiscard]] std::string problem_of_time(const auth::jwt_claims& claims, wall_time now);

/// What is wrong with networks, times and their place; empty: nothing. A role may hold such things:
/// then nobody comes in by it.
[[nodiscard]] std::string problem_of_entry(const auth::user_rights& rights);

/// `rights` are the user's own or those of the key that signed. Errors: those of permissions.
[[nodiscard]] result<std::shared_ptr<const broker::user_configuration>>
user_of(const auth::user_jwt& user, const auth::user_rights& rights,
        const auth::account_jwt& account, broker::account_id id, std::string token);

} // namespace pipit::server
