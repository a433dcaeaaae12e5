// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/auth/jwt.hpp>
#include <pipit/broker/configuration.hpp>

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

namespace pipit::server {

/// A user whose JWT was verified: its signature need not be again. Whether it is time, whether it
/// was revoked and what its account says is asked at each login all the same.
struct verified_user {
    std::string token;
    auth::user_jwt claims;
    /// What it may do under that version of its account; null: not asked yet.
    std::shared_ptr<const broker::user_configuration> user;
    auth::user_rights rights; ///< Its own, or its signing key's.
    std::uint64_t account_version = 0;
};

/// The JWTs that were verified last, of users whom their accounts know: nobody else's take room.
/// Bounded in number and bytes; beyond that the one that was verified first is forgotten.
class verified_users {
public:
    verified_users(std::size_t count_max, std::size_t bytes_max)
        : count_max_(count_max), bytes_max_(bytes_max) {}

    /// Null: it has to be verified.
    [[nodiscard]] std::shared_ptr<verified_user> find(std::string_view token) const;
    /// One that is known already stays.
    void add(std::shared_ptr<verified_user> user);

    [[nodiscard]] std::size_t size() const noexcept { return by_token_.size(); }

private:
    void forget_oldest();

    std::size_t count_max_;
    std::size_t bytes_max_;
    std::size_t bytes_ = 0;
    std::list<std::shared_ptr<verified_user>> users_; ///< The oldest first.
    /// Views into `users_`.
    std::unordered_map<std::string_view, std::shared_ptr<verified_user>> by_token_;
};

} // namespace pipit::server
