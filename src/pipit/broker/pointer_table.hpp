// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace pipit::broker {

/// A flat hash table of pointers, 8 bytes a slot: open addressing, linear probing, no tombstones.
/// It does not own what it points to. `Traits` has `hash(const Item&)` and
/// `matches(const Item&, const Key&)`.
template <class Item, class Traits>
class pointer_table {
public:
    explicit pointer_table(Traits traits) noexcept : traits_(traits) {}

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

    template <class Key>
    [[nodiscard]] Item* find(std::uint64_t hash, const Key& key) const noexcept {
        if (size_ == 0) return nullptr;
        for (auto i = hash & mask();; i = (i + 1) & mask()) {
            Item* item = slots_[i];
            if (item == nullptr || traits_.matches(*item, key)) return item;
        }
    }

    /// Adds an item whose key is not in the table.
    void insert(std::uint64_t hash, Item* item) {
        if ((size_ + 1) * 4 > capacity_ * 3) grow();
        place(hash, item);
        ++size_;
    }

    /// Puts `replacement`, which has the same key, where `item` is.
    void replace(std::uint64_t hash, const Item* item, Item* replacement) noexcept {
        slots_[slot_of(hash, item)] = replacement;
    }

    void erase(std::uint64_t hash, const Item* item) noexcept {
        auto hole = slot_of(hash, item);
        // Close the hole with whatever was pushed past it, so that no tombstone is needed.
        for (auto i = (hole + 1) & mask(); slots_[i] != nullptr; i = (i + 1) & mask()) {
            const auto home = traits_.hash(*slots_[i]) & mask();
            if (((i - home) & mask()) < ((i - hole) & mask())) continue;
            slots_[hole] = slots_[i];
            hole = i;
        }
        slots_[hole] = nullptr;
        if (--size_ == 0) {
            slots_.reset();
            capacity_ = 0;
        }
    }

    /// Visits `count` items, or fewer when there are no more, behind the first `skipped` ones.
    template <class Visit>
    void for_each_of(std::uint64_t skipped, std::uint64_t count, Visit visit) const {
        for (std::size_t i = 0; i < capacity_ && count > 0; ++i) {
            if (slots_[i] == nullptr) continue;
            if (skipped > 0) {
                --skipped;
                continue;
            }
            visit(*slots_[i]);
            --count;
        }
    }
    template <class Visit>
    void for_each(Visit visit) const {
        for (std::size_t i = 0; i < capacity_; ++i) {
            if (slots_[i] != nullptr) visit(*slots_[i]);
        }
    }

private:
    [[nodiscard]] std::size_t mask() const noexcept { return capacity_ - 1; }

    [[nodiscard]] std::size_t slot_of(std::uint64_t hash, const Item* item) const noexcept {
        auto i = hash & mask();
        while (slots_[i] != item) i = (i + 1) & mask();
        return i;
    }

    void place(std::uint64_t hash, Item* item) noexcept {
        auto i = hash & mask();
        while (slots_[i] != nullptr) i = (i + 1) & mask();
        slots_[i] = item;
    }

    void grow() {
        const auto old_capacity = std::exchange(capacity_, capacity_ == 0 ? 4 : capacity_ * 2);
        const auto old_slots = std::exchange(slots_, std::make_unique<Item*[]>(capacity_));
        for (std::size_t i = 0; i < old_capacity; ++i) {
            if (old_slots[i] != nullptr) place(traits_.hash(*old_slots[i]), old_slots[i]);
        }
    }

    [[no_unique_address]] Traits traits_;
    std::unique_ptr<Item*[]> slots_;
    std::size_t capacity_ = 0;
    std::size_t size_ = 0;
};

} // namespace pipit::broker
