// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/protocol/client_events.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace pipit::protocol::detail {

struct subscription_record {
    sid id{};
    std::string subject;
    std::string queue;
    std::uint64_t max = 0; ///< 0: no limit.
    std::uint64_t delivered = 0;
    std::uint64_t delivered_before = 0; ///< By earlier connections: the server starts at 0.
    bool draining = false;              ///< The server knows it no longer, and is not told again.

    subscription_record* before = nullptr; ///< In the order in which they began.
    subscription_record* after = nullptr;
};

/// A client's subscriptions: found by number, listed in the order in which they began, and found by
/// what a refusal says.
class subscription_table {
public:
    /// Lifetime of what these return: until it is erased.
    [[nodiscard]] subscription_record& add(bytes_view subject, bytes_view queue);
    /// Null for one that has ended.
    [[nodiscard]] subscription_record* find(sid id) noexcept;
    [[nodiscard]] const subscription_record* find(sid id) const noexcept;
    void erase(subscription_record& ended) noexcept;

    /// The one that a server refuses by subject and queue. Each that is refused has an error of its
    /// own, in the order in which the server got them, so the search goes on where the last one
    /// ended: a thousand refusals among a hundred thousand subscriptions cost one walk.
    [[nodiscard]] subscription_record* find_refused(bytes_view subject, bytes_view queue) noexcept;
    /// The server gets all of them again.
    void begin_again() noexcept { next_refused_ = first_; }

    [[nodiscard]] std::vector<sid> ids() const;
    template <class Visit>
    void for_each(const Visit& visit) {
        for (auto* each = first_; each != nullptr; each = each->after) visit(*each);
    }

private:
    std::unordered_map<sid, subscription_record> records_;
    subscription_record* first_ = nullptr;
    subscription_record* last_ = nullptr;
    subscription_record* last_found_ = nullptr;   ///< Many messages in a row have one subscription.
    subscription_record* next_refused_ = nullptr; ///< Where the next search begins; null: nowhere.
    std::uint64_t next_sid_ = 1;
};

} // namespace pipit::protocol::detail
