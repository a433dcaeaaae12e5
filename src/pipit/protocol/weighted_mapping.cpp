// SPDX-License-Identifier: Apache-2.0
#include <pipit/protocol/weighted_mapping.hpp>

#include <pipit/protocol/error.hpp>
#include <pipit/protocol/subject.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>

namespace pipit::protocol {
namespace {

error invalid(std::string detail) { return {errc::invalid_mapping, std::move(detail)}; }

/// The destination that keeps the subject as it is: `a.*.>` as `a.$1.>`.
std::string identity_of(std::string_view source) {
    std::string destination;
    int star = 0;
    for (const auto token : tokens(source)) {
        if (!destination.empty()) destination += '.';
        if (token == "*") {
            destination.append("$").append(std::to_string(++star));
        } else {
            destination.append(token);
        }
    }
    return destination;
}

using weights = std::map<std::string_view, int>;

/// Of every cluster that is named, and of those destinations that name none.
weights weights_by_cluster(const std::vector<mapping_destination>& destinations) {
    weights totals{{"", 0}};
    for (const auto& each : destinations) totals[each.cluster] += each.weight_percent;
    return totals;
}

result<> check_destinations(std::string_view source,
                            const std::vector<mapping_destination>& destinations) {
    std::set<std::string_view> subjects;
    weights totals;
    for (const auto& destination : destinations) {
        if (!subjects.insert(destination.subject).second) {
            return invalid("duplicate entry for \"" + destination.subject + "\"");
        }
        if (destination.weight_percent > 100 || destination.weight_percent < 0) {
            return invalid("individual weights need to be <= 100");
        }
        if ((totals[destination.cluster] += destination.weight_percent) > 100) {
            return invalid("total weight needs to be <= 100");
        }
        const auto made = subject_transform::make(source, destination.subject);
        if (!made) return made.error();
    }
    return {};
}

} // namespace

result<weighted_mapping>
weighted_mapping::make(std::string_view source,
                       const std::vector<mapping_destination>& destinations,
                       std::string_view cluster) {
    if (!is_valid_subject(source)) return invalid("invalid subject");
    if (auto checked = check_destinations(source, destinations); !checked) return checked.error();

    weighted_mapping made;
    made.source_ = source;
    made.destinations_ = destinations;
    const bool may_lose = std::ranges::any_of(
        destinations, [&](const auto& destination) { return destination.subject == source; });
    const auto totals = weights_by_cluster(destinations);
    for (const auto& [name, weight] : totals) {
        if (weight == 100 || may_lose) continue;
        made.destinations_.push_back({identity_of(source), 100 - weight, std::string(name)});
    }
    std::ranges::stable_sort(made.destinations_, [](const auto& a, const auto& b) {
        return std::tie(a.cluster, a.weight_percent) < std::tie(b.cluster, b.weight_percent);
    });

    const bool own = totals.contains(cluster);
    std::uint32_t below = 0;
    for (const auto& destination : made.destinations_) {
        if (destination.cluster != (own ? cluster : std::string_view())) continue;
        below += static_cast<std::uint32_t>(destination.weight_percent);
        auto transform = subject_transform::make(source, destination.subject);
        if (!transform) return transform.error();
        made.choices_.push_back({below, std::move(*transform)});
    }
    return made;
}

bool weighted_mapping::matches(bytes_view subject) const noexcept {
    return is_subset(subject, source_);
}

bool weighted_mapping::apply(bytes_view subject, random_source& random, std::string& mapped) const {
    const auto chance = random.below(100);
    for (const auto& [below, transform] : choices_) {
        if (chance >= below) continue;
        transform.apply(subject, random, mapped);
        return true;
    }
    mapped.clear();
    return false;
}

} // namespace pipit::protocol
