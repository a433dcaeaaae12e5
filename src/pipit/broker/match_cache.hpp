// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/broker/account.hpp>

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

namespace pipit::broker {

/// Compares subjects in place: most are short, and a call would cost more than the comparison.
inline bool is_same_subject(bytes_view a, bytes_view b) noexcept {
    const auto size = a.size();
    if (size != b.size()) return false;
    const auto differ = [&]<class Word>(Word, std::size_t at) {
        Word of_a, of_b;
        std::memcpy(&of_a, a.data() + at, sizeof(Word));
        std::memcpy(&of_b, b.data() + at, sizeof(Word));
        return of_a ^ of_b;
    };
    using eight = std::uint64_t;
    using four = std::uint32_t;
    if (size > 16 || size < 4) return std::memcmp(a.data(), b.data(), size) == 0;
    if (size >= 8) return (differ(eight{}, 0) | differ(eight{}, size - 8)) == 0;
    return (differ(four{}, 0) | differ(four{}, size - 4)) == 0;
}

/// Remembers who wants the subjects that are published to most, for all accounts of a loop.
///
/// In front stands the last subject. Behind it a table with one entry a slot; a subject comes in
/// on its second miss, so that a stream of new subjects does not drive out the busy ones. A change
/// of a wildcard makes an account's entries stale by its index's generation; a change of a literal
/// subscription drops that subject's entry. Nothing is ever searched or cleared as a whole.
class match_cache {
public:
    static constexpr std::size_t entries_max = 8192;
    /// A result with more targets is matched anew each time: it would take the memory of many, and
    /// writing to so many costs far more than finding them.
    static constexpr std::size_t targets_max = 4096;

    match_cache();

    /// Remembers nothing from now on, or remembers again.
    void enable(bool enabled) noexcept;

    /// Who wants the literal `subject` now. Lifetime: until the next call or change.
    const match_result& find(account& account, bytes_view subject) {
        if (last_ != nullptr && last_->of == &account && is_same_subject(last_->subject, subject) &&
            last_->generation == account.index.generation()) {
            ++hits_;
            return last_->result;
        }
        return find_in_table(account, subject);
    }

    /// A subscription to exactly this literal subject, which has that hash, came or went.
    void drop(const account& account, bytes_view subject, std::uint64_t hash) noexcept;
    /// The account's object goes.
    void drop(const account& account) noexcept;

    template <class Visit>
    void for_each_result(Visit visit) const {
        for (const auto& slot : entries_) {
            if (slot) visit(slot->result);
        }
    }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] std::uint64_t hits() const noexcept { return hits_; }
    [[nodiscard]] std::uint64_t matches() const noexcept { return hits_ + misses_; }

private:
    struct entry {
        const account* of = nullptr;
        std::uint64_t generation = 0; ///< Of the index; 0 never fits.
        std::string subject;
        match_result result;
    };

    const match_result& find_in_table(account& account, bytes_view subject);

    entry* last_ = nullptr;
    std::vector<std::unique_ptr<entry>> entries_;
    std::vector<std::uint32_t> missed_once_; ///< A part of the hash of the slot's last miss.
    match_result uncached_;
    bool enabled_ = true;
    std::size_t size_ = 0;
    std::uint64_t hits_ = 0;
    std::uint64_t misses_ = 0;
};

} // namespace pipit::broker
