// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/verified_users.hpp>

#include <utility>

namespace pipit::server {
namespace {

/// The token is kept here and with the user; its claims are about as large again.
std::size_t cost_of(const std::string& token) { return 4 * token.size() + sizeof(verified_user); }

} // namespace

std::shared_ptr<verified_user> verified_users::find(std::string_view token) const {
    const auto found = by_token_.find(token);
    return found == by_token_.end() ? nullptr : found->second;
}

void verified_users::add(std::shared_ptr<verified_user> user) {
    const std::string_view token = user->token;
    if (!by_token_.emplace(token, user).second) return;
    bytes_ += cost_of(user->token);
    users_.push_back(std::move(user));
    while (users_.size() > 1 && (users_.size() > count_max_ || bytes_ > bytes_max_)) {
        forget_oldest();
    }
}

void verified_users::forget_oldest() {
    bytes_ -= cost_of(users_.front()->token);
    by_token_.erase(users_.front()->token);
    users_.pop_front();
}

} // namespace pipit::server
