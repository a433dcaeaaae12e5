// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/time.hpp>
#include <pipit/protocol/client_events.hpp>
#include <pipit/protocol/session_events.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pipit::protocol::detail {

/// Something that was asked of a session and is not answered yet.
struct pending_operation {
    enum class kind : std::uint8_t { none, request, request_many, flush, drain, drain_all };
    /// What only `request_many` needs.
    struct many {
        request_many_limits limits;
        std::uint64_t received = 0;
        steady_time ends{};
    };

    kind what = kind::none;
    std::uint32_t heap_index = 0; ///< In a slot that nobody uses: the next such.
    operation_id id{};
    std::uint64_t connection = 0; ///< The number of the one that it goes over.
    steady_time asked{};
    nanoseconds timeout{};
    std::string subject; ///< Of a request.
    sid subscription{};  ///< That is drained.
    std::unique_ptr<many> replies;
};

/// The operations under way, by number and by deadline. A number leads to its operation without a
/// search and is never used again. A new one and an end cost O(log n).
class operation_table {
public:
    /// Null when there are as many as there may be. Lifetime: until the next `add`.
    [[nodiscard]] pending_operation* add(pending_operation::kind what, steady_time asked,
                                         nanoseconds timeout);
    /// Null for one that has ended. Lifetime: as `add`.
    [[nodiscard]] pending_operation* find(operation_id id) noexcept;
    void erase(pending_operation& ended) noexcept;

    void set_deadline(pending_operation& of, steady_time at) noexcept;
    [[nodiscard]] std::optional<steady_time> next_deadline() const noexcept;
    /// Null when the next deadline is later than `now`.
    [[nodiscard]] pending_operation* expired(steady_time now) noexcept;

    [[nodiscard]] std::size_t size() const noexcept { return heap_.size(); }
    /// `visit(pending_operation&)` for each; it may erase that one.
    template <class Visit>
    void for_each(const Visit& visit) {
        for (auto& each : slots_) {
            if (each.what != pending_operation::kind::none) visit(each);
        }
    }

private:
    struct deadline {
        steady_time at;
        std::uint32_t slot;
    };

    void place(std::size_t index, deadline item) noexcept;
    void sift_up(std::size_t index, deadline item) noexcept;
    void sift_down(std::size_t index, deadline item) noexcept;
    void move(std::size_t index, deadline item) noexcept;

    static constexpr std::uint32_t no_slot = ~std::uint32_t{0};

    std::vector<pending_operation> slots_;
    std::uint32_t first_free_ = no_slot;
    std::vector<deadline> heap_; ///< Four children each; the earliest is in front.
    std::uint64_t next_serial_ = 1;
};

/// `time` from `now` on; never earlier, however long it is.
[[nodiscard]] constexpr steady_time later(steady_time now, nanoseconds time) noexcept {
    return time < steady_time::max() - now ? now + time : steady_time::max();
}

} // namespace pipit::protocol::detail
