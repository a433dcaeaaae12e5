// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/detail/names.hpp>

#include <pipit/base/ascii_case.hpp>

#include <algorithm>

namespace pipit::server::detail {
namespace {

/// How many letters have to be added, dropped, changed or swapped with their neighbour.
std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::vector<std::size_t>> cost(a.size() + 1,
                                               std::vector<std::size_t>(b.size() + 1));
    for (std::size_t i = 0; i <= a.size(); ++i) {
        for (std::size_t j = 0; j <= b.size(); ++j) {
            if (i == 0 || j == 0) {
                cost[i][j] = i + j;
                continue;
            }
            const std::size_t differs = a[i - 1] == b[j - 1] ? 0 : 1;
            cost[i][j] =
                std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, cost[i - 1][j - 1] + differs});
            const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped) cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
        }
    }
    return cost[a.size()][b.size()];
}

} // namespace

std::string_view nearest_name(std::string_view mistaken,
                              const std::vector<std::string_view>& names) {
    constexpr std::size_t longest = 64; // No name is longer, and the cost is bounded.
    if (mistaken.size() > longest) return {};
    const auto wanted = lower_case(mistaken);
    std::string_view nearest;
    auto smallest = std::max<std::size_t>(1, wanted.size() / 3) + 1;
    for (const auto name : names) {
        const auto distance = edit_distance(wanted, name);
        if (distance >= smallest) continue;
        smallest = distance;
        nearest = name;
    }
    return nearest;
}

} // namespace pipit::server::detail
