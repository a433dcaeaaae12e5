// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace pipit::broker {

/// A flat hash table of pointers, 12 bytes a slot: open addressing, linear probing, no tombstones.
/// It does not own what it points to. `Traits` has `matches(const Item&, const Key&)`.
///
/// Beside each pointer stands a part of its hash, so that only an item which matches is ever read,
/// and none when the table grows: what the items point to is far from the processor's caches.
template <class Item, class Traits>
class pointer_table {
public:
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

    /// What was looked for, or where it would be put as long as nothing changes.
    struct place {
        Item* item = nullptr;
        std::size_t slot = 0;
    };

    template <class Key>
    [[nodiscard]] place look_up(std::uint64_t hash, const Key& key) const noexcept {
        if (capacity_ == 0) return {};
        const auto mark = mark_of(hash);
        auto i = mark & mask();
        for (; marks_[i] != 0; i = next(i)) {
            if (marks_[i] == mark && Traits::matches(*items_[i], key)) return {items_[i], i};
        }
        return {nullptr, i};
    }
    template <class Key>
    [[nodiscard]] Item* find(std::uint64_t hash, const Key& key) const noexcept {
        return look_up(hash, key).item;
    }

    /// Says that this hash will be looked for soon, and then probably be written.
    void prefetch(std::uint64_t hash) const noexcept {
        if (size_ == 0) return;
        const auto home = mark_of(hash) & mask();
        __builtin_prefetch(&marks_[home], 1);
        __builtin_prefetch(&items_[home], 1);
    }

    /// Adds an item whose key is not in the table.
    void insert(std::uint64_t hash, Item* item) {
        if (is_full()) grow();
        put(mark_of(hash), item);
        ++size_;
    }
    /// The same where `look_up` did not find it.
    void insert(const place& where, std::uint64_t hash, Item* item) {
        if (is_full()) return insert(hash, item);
        marks_[where.slot] = mark_of(hash);
        items_[where.slot] = item;
        ++size_;
    }

    /// Puts `replacement`, which has the same key, where `item` is.
    void replace(std::uint64_t hash, const Item* item, Item* replacement) noexcept {
        items_[slot_of(hash, item)] = replacement;
    }

    void erase(std::uint64_t hash, const Item* item) noexcept {
        auto hole = slot_of(hash, item);
        // Close the hole with whatever was pushed past it, so that no tombstone is needed.
        for (auto i = next(hole); marks_[i] != 0; i = next(i)) {
            const auto home = marks_[i] & mask();
            if (((i - home) & mask()) < ((i - hole) & mask())) continue;
            marks_[hole] = marks_[i];
            items_[hole] = items_[i];
            hole = i;
        }
        marks_[hole] = 0;
        if (--size_ == 0) {
            marks_.reset();
            items_.reset();
            capacity_ = 0;
        }
    }

    /// Visits `count` items, or fewer when there are no more, behind the first `skipped` ones.
    template <class Visit>
    void for_each_of(std::uint64_t skipped, std::uint64_t count, Visit visit) const {
        for (std::size_t i = 0; i < capacity_ && count > 0; ++i) {
            if (marks_[i] == 0) continue;
            if (skipped > 0) {
                --skipped;
                continue;
            }
            visit(*items_[i]);
            --count;
        }
    }
    template <class Visit>
    void for_each(Visit visit) const {
        for (std::size_t i = 0; i < capacity_; ++i) {
            if (marks_[i] != 0) visit(*items_[i]);
        }
    }

    [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
    /// Visits the items of so many slots, who may destroy what they visit: then the table has to go
    /// as a whole afterwards.
    template <class Visit>
    void for_slots(std::size_t begin, std::size_t count, Visit visit) const {
        constexpr std::size_t ahead = 8;
        const auto end = begin + std::min(count, capacity_ - std::min(begin, capacity_));
        for (auto i = begin; i < end; ++i) {
            if (const auto later = (i + ahead) & mask(); marks_[later] != 0)
                __builtin_prefetch(items_[later]);
            if (marks_[i] != 0) visit(*items_[i]);
        }
    }

private:
    /// The part of a hash that is kept, which also says where an item belongs; 0 is an empty slot.
    static std::uint32_t mark_of(std::uint64_t hash) noexcept {
        const auto mark = static_cast<std::uint32_t>(hash);
        return mark == 0 ? 1 : mark;
    }
    [[nodiscard]] std::size_t mask() const noexcept { return capacity_ - 1; }
    [[nodiscard]] std::size_t next(std::size_t i) const noexcept { return (i + 1) & mask(); }

    [[nodiscard]] std::size_t slot_of(std::uint64_t hash, const Item* item) const noexcept {
        const auto mark = mark_of(hash);
        auto i = mark & mask();
        while (marks_[i] != mark || items_[i] != item) i = next(i);
        return i;
    }

    [[nodiscard]] bool is_full() const noexcept { return (size_ + 1) * 4 > capacity_ * 3; }

    void put(std::uint32_t mark, Item* item) noexcept {
        auto i = mark & mask();
        while (marks_[i] != 0) i = next(i);
        marks_[i] = mark;
        items_[i] = item;
    }

    void grow() {
        const auto old_capacity = std::exchange(capacity_, capacity_ == 0 ? 4 : capacity_ * 2);
        const auto old_marks = std::exchange(marks_, std::make_unique<std::uint32_t[]>(capacity_));
        const auto old_items =
            std::exchange(items_, std::make_unique_for_overwrite<Item*[]>(capacity_));
        for (std::size_t i = 0; i < old_capacity; ++i) {
            if (old_marks[i] != 0) put(old_marks[i], old_items[i]);
        }
    }

    std::unique_ptr<std::uint32_t[]> marks_;
    std::unique_ptr<Item*[]> items_;
    std::size_t capacity_ = 0;
    std::size_t size_ = 0;
};

} // namespace pipit::broker
