// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/bytes.hpp>
#include <pipit/base/error.hpp>
#include <pipit/base/random.hpp>
#include <pipit/protocol/subject_transform.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pipit::protocol {

/// One of several destinations of a mapping, as it is written down.
struct mapping_destination {
    std::string subject;
    int weight_percent = 100;
    std::string cluster; ///< Only for servers of this cluster; empty: for all others.
    friend bool operator==(const mapping_destination&, const mapping_destination&) = default;
};

/// Sends what is published to a subject to one of several others, by chance.
class weighted_mapping {
public:
    /// `cluster` is the name of this server's own cluster, or empty. The weights of one cluster
    /// add up to at most 100; the rest keeps the original subject, unless the source itself is
    /// among the destinations: then the rest is lost, on purpose.
    /// Errors: `errc::invalid_mapping`, with nats-server's words as the detail.
    [[nodiscard]] static result<weighted_mapping>
    make(std::string_view source, const std::vector<mapping_destination>& destinations,
         std::string_view cluster = {});

    [[nodiscard]] const std::string& source() const noexcept { return source_; }
    [[nodiscard]] bool matches(bytes_view subject) const noexcept;

    /// Writes where a message to `subject`, for which `matches` holds, goes now.
    /// Returns false when it is lost; `mapped` is empty then.
    [[nodiscard]] bool apply(bytes_view subject, random_source& random, std::string& mapped) const;

    /// All destinations with the added rest, by cluster and rising weight, as `/accountz` shows
    /// them; each weight is its own, where `/accountz` adds up those before it.
    [[nodiscard]] const std::vector<mapping_destination>& destinations() const noexcept {
        return destinations_;
    }

private:
    struct choice {
        std::uint32_t below; ///< Taken by chances from the former choice's bound up to this one.
        subject_transform transform;
    };
    weighted_mapping() = default;

    std::string source_;
    std::vector<mapping_destination> destinations_;
    std::vector<choice> choices_; ///< Of this server's cluster.
};

} // namespace pipit::protocol
