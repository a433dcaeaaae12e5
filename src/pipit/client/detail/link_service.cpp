// SPDX-License-Identifier: Apache-2.0
#include <pipit/client/detail/link_service.hpp>

#include <pipit/client/detail/link.hpp>

#include <utility>

namespace pipit::client::detail {

boost::asio::execution_context::id link_service::id;

void link_service::add(const std::shared_ptr<link>& user) {
    const std::lock_guard held(mutex_);
    links_.emplace(user.get(), user);
}

void link_service::remove(const link& user) {
    const std::lock_guard held(mutex_);
    links_.erase(&user);
}

void link_service::shutdown() {
    std::unique_lock held(mutex_);
    const auto links = std::exchange(links_, {});
    held.unlock();
    for (const auto& [unused, weak] : links) {
        if (const auto user = weak.lock()) user->abandon();
    }
}

} // namespace pipit::client::detail
