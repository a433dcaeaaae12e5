// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/account_excess.hpp>

#include <algorithm>
#include <cstddef>
#include <map>

namespace pipit::server {

bool has_excess(const broker::account_configuration& account) noexcept {
    const auto limit = account.limits.max_connections;
    return limit >= 0 && account.counters->connections.load() > limit;
}

std::vector<std::uint64_t>
excess_connections(std::span<const broker::account_configuration> accounts,
                   std::span<const loop_snapshot> loops) {
    std::map<broker::account_id, std::vector<std::uint64_t>> members;
    for (const auto& loop : loops) {
        for (const auto& session : loop.sessions) {
            if (session.authenticated) members[session.account].push_back(session.client_id);
        }
    }
    std::vector<std::uint64_t> excess;
    for (const auto& account : accounts) {
        const auto found = members.find(account.id);
        if (found == members.end() || account.limits.max_connections < 0) continue;
        auto& ids = found->second;
        std::ranges::sort(ids); // All loops count on in the same numbers.
        const auto allowed =
            std::min(ids.size(), static_cast<std::size_t>(account.limits.max_connections));
        excess.insert(excess.end(), ids.begin() + static_cast<std::ptrdiff_t>(allowed), ids.end());
    }
    return excess;
}

} // namespace pipit::server
