// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/client/connection.hpp>

#include <concepts>
#include <cstdint>
#include <functional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace pipit::client {

/// Work that is spread by a key over lanes: everything with one key goes through one lane, in the
/// order in which it was published, and lanes are worked off independently of each other.
///
/// It is the server that decides which key has which lane, by a subject mapping that its
/// configuration must have (`mapping()`; in an account, among its `mappings`). Publishers publish
/// to `<subject>.<key>`; what arrives has the subject `<subject>.<lane>.<key>`. A key is one token.
///
/// Order holds while a lane has one member. Members divide the lanes among themselves
/// (`lane_share`); each lane is a queue group of its own, so that nothing is worked off twice while
/// one member takes a lane over from another.
struct lanes {
    std::string subject = {}; ///< Without wildcards: `orders`.
    std::uint32_t count = 8;
    std::string queue = "lanes"; ///< The groups are `<queue>-<lane>`.

    /// For the server's configuration: `"orders.*": "orders.{{partition(8,1)}}.{{wildcard(1)}}"`.
    [[nodiscard]] std::string mapping() const;
    [[nodiscard]] std::string lane_subject(std::uint32_t lane) const; ///< `orders.3.*`
    [[nodiscard]] std::string lane_queue(std::uint32_t lane) const;   ///< `lanes-3`
    /// What work with this key is published to.
    [[nodiscard]] std::string subject_for(bytes_view key) const;
};

/// Which of the lanes a member serves: those with `lane % members == member`.
struct lane_share {
    std::uint32_t member = 0; ///< 0 … members - 1
    std::uint32_t members = 1;

    [[nodiscard]] bool has(std::uint32_t lane) const noexcept {
        return members != 0 && lane % members == member;
    }
};

/// Errors: `boost::system::errc::invalid_argument` for no lanes, or a member that is none of them;
///         `protocol::errc::invalid_subject` for wildcards.
[[nodiscard]] result<> check_lanes(const lanes& all, lane_share share);

namespace detail {

/// `subscribe_one` is called with each lane of the share, and with the options for it.
template <class SubscribeOne>
[[nodiscard]] auto subscribe_each_lane(const lanes& all, lane_share share,
                                       subscribe_options options, SubscribeOne subscribe_one) {
    using made_type = std::decay_t<decltype(subscribe_one(std::uint32_t(), options).value())>;
    using outcome = result<std::vector<made_type>>;
    if (const auto fit = check_lanes(all, share); !fit) return outcome(fit.error());
    std::vector<made_type> made;
    for (std::uint32_t lane = 0; lane < all.count; ++lane) {
        if (!share.has(lane)) continue;
        options.queue = all.lane_queue(lane);
        auto one = subscribe_one(lane, options);
        if (!one) return outcome(one.error());
        made.push_back(std::move(*one));
    }
    return outcome(std::move(made));
}

} // namespace detail

/// Subscribes to each lane of the share: one subscription per lane, to be taken from one after the
/// other. For `connection` and `blocking_connection`. Errors: as of `check_lanes` and `subscribe`.
template <class Connection>
[[nodiscard]] auto subscribe_lanes(Connection& by, const lanes& all, lane_share share = {},
                                   subscribe_options options = {}) {
    return detail::subscribe_each_lane(all, share, std::move(options),
                                       [&](std::uint32_t lane, const subscribe_options& with) {
                                           return by.subscribe(all.lane_subject(lane), with);
                                       });
}

/// The same with a callback, which is told the lane.
template <class Connection, std::invocable<std::uint32_t, message> Callback>
[[nodiscard]] auto subscribe_lanes(Connection& by, const lanes& all, lane_share share,
                                   Callback callback, subscribe_options options = {}) {
    return detail::subscribe_each_lane(
        all, share, std::move(options), [&](std::uint32_t lane, const subscribe_options& with) {
            auto told_lane = [callback, lane](message work) { callback(lane, std::move(work)); };
            return by.subscribe(all.lane_subject(lane), std::move(told_lane), with);
        });
}

} // namespace pipit::client
