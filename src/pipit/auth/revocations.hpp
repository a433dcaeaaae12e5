// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace pipit::auth {

/// Until when what was issued to a public key, or to all (`*`), is void: seconds since 1970.
using revocations = std::map<std::string, std::int64_t>;

[[nodiscard]] inline bool is_revoked(const revocations& all, const std::string& key,
                                     std::int64_t issued_at) {
    for (const auto& named : {std::string("*"), key}) {
        const auto found = all.find(named);
        if (found != all.end() && found->second >= issued_at) return true;
    }
    return false;
}

} // namespace pipit::auth
