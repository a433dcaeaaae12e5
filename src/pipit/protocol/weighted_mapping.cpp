// SPDX-License-Identifier: Apache-2.0
#include <pipit/protocol/weighted_mapping.hpp>

#include <pipit/protocol/error.hpp>
#include <pipit/protocol/subject.hpp>

#include <algorithm>
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

int weight_of(const std::vector<mapping_destination>& destinations, std::string_view cluster) {
    int weight = 0;
    for (const auto& destination : destinations) {
        if (destination.cluster == cluster) weight += destination.weight_percent;
    }
    return weight;
}

result<> check_destinations(std::string_view source,
                            const std::vector<mapping_destination>& destinations) {
    std::vector<mapping_destination> before;
    for (const auto& destination : destinations) {
        const auto is_same = [&](const auto& other) {
            return other.subject == destination.subject;
        };
        if (std::ranges::any_of(before, is_same)) {
            return invalid("duplicate entry for \"" + destination.subject + "\"");
        }
        if (destination.weight_percent > 100 || destination.weight_percent < 0) {
            return invalid("individual weights need to be <= 100");
        }
        before.push_back(destination);
        if (weight_of(before, destination.cluster) > 100) {
            return invalid("total weight needs to be <= 100");
        }
        const auto made = subject_transform::make(source, destination.subject);
        if (!made) return made.error();
    }
    return {};
}

/// Every cluster that is named, with those that have no name first.
std::vector<std::string> clusters_of(const std::vector<mapping_destination>& destinations) {
    std::vector<std::string> clusters{""};
    for (const auto& destination : destinations) clusters.push_back(destination.cluster);
    std::ranges::sort(clusters);
    clusters.erase(std::unique(clusters.begin(), clusters.end()), clusters.end());
    return clusters;
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
    const auto clusters = clusters_of(destinations);
    for (const auto& name : clusters) {
        const auto rest = 100 - weight_of(destinations, name);
        if (rest == 0 || may_lose) continue;
        made.destinations_.push_back({identity_of(source), rest, name});
    }
    std::ranges::stable_sort(made.destinations_, [](const auto& a, const auto& b) {
        return std::tie(a.cluster, a.weight_percent) < std::tie(b.cluster, b.weight_percent);
    });

    const bool own = std::ranges::find(clusters, cluster) != clusters.end();
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
