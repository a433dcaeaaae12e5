// SPDX-License-Identifier: Apache-2.0
#include <pipit/protocol/detail/operation_table.hpp>

#include <pipit/base/limits.hpp>
#include <pipit/protocol/planted_bug.hpp>

#include <algorithm>
#include <bit>
#include <utility>

namespace pipit::protocol::detail {
namespace {

constexpr unsigned slot_bits = std::bit_width(limits::client_operations - 1);
constexpr std::size_t children = 4;

/// What a slot keeps of memory for the next subject, and how many slots stay when all are free.
constexpr std::size_t kept_subject_bytes = 256;
constexpr std::size_t kept_slots = 1024;

std::uint32_t slot_of(operation_id id) noexcept {
    return static_cast<std::uint32_t>(static_cast<std::uint64_t>(id) &
                                      (limits::client_operations - 1));
}

} // namespace

pending_operation* operation_table::add(pending_operation::kind what, steady_time asked,
                                        nanoseconds timeout) {
    if (heap_.size() >= limits::client_operations) return nullptr;
    if (heap_.empty() && slots_.size() > kept_slots) {
        std::vector<pending_operation>().swap(slots_);
        std::vector<deadline>().swap(heap_);
        first_free_ = no_slot;
    }
    const auto slot =
        first_free_ == no_slot ? static_cast<std::uint32_t>(slots_.size()) : first_free_;
    if (slot == slots_.size()) {
        slots_.emplace_back();
    } else {
        first_free_ = slots_[slot].heap_index;
    }
    auto& added = slots_[slot];
    added.what = what;
    added.id = operation_id{next_serial_++ << slot_bits | slot};
    added.asked = asked;
    added.timeout = timeout;
    heap_.emplace_back();
    sift_up(heap_.size() - 1, {later(asked, timeout), slot});
    return &added;
}

pending_operation* operation_table::find(operation_id id) noexcept {
    const auto slot = slot_of(id);
    if (slot >= slots_.size()) return nullptr;
    auto& found = slots_[slot];
    const bool is_it = found.id == id || planted::is(planted::bug::confuses_replies);
    return is_it && found.what != pending_operation::kind::none ? &found : nullptr;
}

void operation_table::erase(pending_operation& ended) noexcept {
    const auto index = ended.heap_index;
    const auto last = heap_.back();
    heap_.pop_back();
    if (index < heap_.size()) move(index, last);

    ended.what = pending_operation::kind::none;
    ended.replies.reset();
    ended.subject.clear();
    if (ended.subject.capacity() > kept_subject_bytes) std::string().swap(ended.subject);
    ended.heap_index = first_free_;
    first_free_ = slot_of(ended.id);
}

void operation_table::set_deadline(pending_operation& of, steady_time at) noexcept {
    move(of.heap_index, {at, slot_of(of.id)});
}

std::optional<steady_time> operation_table::next_deadline() const noexcept {
    if (heap_.empty()) return std::nullopt;
    return heap_.front().at;
}

pending_operation* operation_table::expired(steady_time now) noexcept {
    if (heap_.empty() || heap_.front().at > now) return nullptr;
    return &slots_[heap_.front().slot];
}

void operation_table::place(std::size_t index, deadline item) noexcept {
    heap_[index] = item;
    slots_[item.slot].heap_index = static_cast<std::uint32_t>(index);
}

void operation_table::sift_up(std::size_t index, deadline item) noexcept {
    while (index != 0) {
        const auto parent = (index - 1) / children;
        if (heap_[parent].at <= item.at) break;
        place(index, heap_[parent]);
        index = parent;
    }
    place(index, item);
}

void operation_table::sift_down(std::size_t index, deadline item) noexcept {
    for (;;) {
        const auto first = index * children + 1;
        if (first >= heap_.size()) break;
        const auto last = std::min(first + children, heap_.size());
        auto least = first;
        for (auto child = first + 1; child < last; ++child) {
            if (heap_[child].at < heap_[least].at) least = child;
        }
        if (item.at <= heap_[least].at) break;
        place(index, heap_[least]);
        index = least;
    }
    place(index, item);
}

void operation_table::move(std::size_t index, deadline item) noexcept {
    if (index != 0 && item.at < heap_[(index - 1) / children].at) {
        sift_up(index, item);
    } else {
        sift_down(index, item);
    }
}

} // namespace pipit::protocol::detail
