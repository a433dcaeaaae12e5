// SPDX-License-Identifier: Apache-2.0
#include <pipit/client/detail/link_service.hpp>

#include <pipit/client/detail/link.hpp>

#include <utility>

namespace pipit::client::detail {

boost::asio::execution_context::id link_service::id;

link_service::~link_service() {
    auto* const last = registry_.load();
    if (!last->process.is_forked()) delete last;
}

link_service::registry& link_service::of_this_process() {
    auto* current = registry_.load();
    if (!current->process.is_forked()) return *current;
    auto made = std::make_unique<registry>();
    // Unless another thread was faster. The old one is left as it is.
    if (registry_.compare_exchange_strong(current, made.get())) current = made.release();
    return *current;
}

void link_service::add(const std::shared_ptr<link>& user) {
    auto& own = of_this_process();
    const std::lock_guard held(own.mutex);
    own.links.emplace(user.get(), user);
}

void link_service::remove(const link& user) {
    auto& own = of_this_process();
    const std::lock_guard held(own.mutex);
    own.links.erase(&user);
}

void link_service::shutdown() {
    auto& own = *registry_.load();
    if (own.process.is_forked()) return;
    std::unique_lock held(own.mutex);
    const auto links = std::exchange(own.links, {});
    held.unlock();
    for (const auto& [unused, weak] : links) {
        if (const auto user = weak.lock()) user->abandon();
    }
}

} // namespace pipit::client::detail
