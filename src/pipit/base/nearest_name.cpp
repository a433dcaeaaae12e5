// SPDX-License-Identifier: Apache-2.0
#include <pipit/base/nearest_name.hpp>

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <utility>

namespace pipit {
namespace {

/// How many letters have to be added, dropped, changed or swapped with their neighbour.
std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before_last, last(b.size() + 1), row(b.size() + 1);
    std::iota(last.begin(), last.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t differs = a[i - 1] == b[j - 1] ? 0 : 1;
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + differs});
            const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
        }
        before_last = last;
        std::swap(last, row);
    }
    return last[b.size()];
}

} // namespace

std::string_view nearest_name(std::string_view mistaken,
                              const std::vector<std::string_view>& names) {
    constexpr std::size_t longest = 64; // No name is longer, and the cost is bounded.
    if (mistaken.size() > longest) return {};
    std::string_view nearest;
    auto smallest = std::max<std::size_t>(1, mistaken.size() / 3) + 1;
    for (const auto name : names) {
        const bool is_beginning = mistaken.size() > 2 && name.starts_with(mistaken);
        const auto distance = is_beginning ? 1 : edit_distance(mistaken, name);
        if (distance >= smallest) continue;
        smallest = distance;
        nearest = name;
    }
    return nearest;
}

} // namespace pipit
