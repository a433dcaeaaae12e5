// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/broker/broker.hpp>
#include <pipit/broker/configuration.hpp>

#include <functional>
#include <memory>

namespace pipit::broker {

/// Who somebody is. Null: the holder of a token, or anybody where nobody has to say who he is.
using user_pointer = std::shared_ptr<const user_configuration>;

/// What becomes of a session whose account has changed.
struct session_verdict {
    enum class fate : std::uint8_t {
        stays,
        is_refused,          ///< `Authorization Violation`
        is_revoked,          ///< `User Authentication Revoked`
        has_lost_its_signer, ///< Closed without a text.
        account_is_gone,     ///< `Account Authentication Expired`
    };
    fate what = fate::stays;
    user_pointer user = nullptr; ///< Of one who stays: what holds now; null: as before.
};

/// Decides about each session of an account. Each loop calls a copy of its own, which may remember
/// what it found for sessions before.
using session_judge = std::function<session_verdict(const user_configuration& user,
                                                    const session_origin& from, wall_time now)>;

/// An account that comes, or changes, while the server runs: from a JWT.
struct account_update {
    std::shared_ptr<const account_configuration> config;
    session_judge judge; ///< Empty: everybody stays.
};

} // namespace pipit::broker
