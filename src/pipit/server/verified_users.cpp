// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/verified_users.hpp>

#include <utility>

namespace pipit::server {
namespace {

/// The token is kept here and with the user; its claims are about as large again.
std::size_t cost_of(const std::string& token) { return 4 * token.size() + sizeof(verified_user); }

} // namespace

verified_user* verified_users::find(std::string_view token) {
    const auto found = by_token_.find(token);
    return found == by_token_.end() ? nullptr : found->second;
}

verified_user& verified_users::add(std::string token, auth::user_jwt claims) {
    if (auto* known = find(token)) return *known;
    bytes_ += cost_of(token);
    auto& added = users_.emplace_back();
    added.token = std::move(token);
    added.claims = std::move(claims);
    by_token_[added.token] = &added;
    while (users_.size() > 1 && (users_.size() > count_max_ || bytes_ > bytes_max_)) {
        forget_oldest();
    }
    return added;
}

void verified_users::forget_oldest() {
    bytes_ -= cost_of(users_.front().token);
    by_token_.erase(users_.front().token);
    users_.pop_front();
}

} // namespace pipit::server
