// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/broker/pointer_table.hpp>
#include <pipit/broker/subscription.hpp>

#include <cstdint>
#include <memory>
#include <vector>

namespace pipit::broker {

/// Who wants one subject. Kept and refilled, so that matching does not allocate.
struct match_result {
    std::vector<subscription*> plain;
    std::vector<queue_group*> groups;
    std::uint64_t peers = 0; ///< Loops with plain interest, a bit each.

    [[nodiscard]] bool empty() const noexcept {
        return plain.empty() && groups.empty() && peers == 0;
    }
    void clear() noexcept {
        plain.clear();
        groups.clear();
        peers = 0;
    }
};

/// The subscriptions of one account on one loop, by subject.
///
/// Literal subjects stand in a flat table, wildcards in a tree of tokens. It owns queue groups and
/// the interest of peers; subscriptions belong to their sessions.
///
/// Cost: a literal subscription takes 16 to 32 bytes here, and one probe to find.
class subject_index {
public:
    explicit subject_index(std::uint64_t hash_seed);
    ~subject_index();
    subject_index(const subject_index&) = delete;
    subject_index& operator=(const subject_index&) = delete;

    /// Adds a plain subscription. Its subject is valid, and has that hash.
    void insert(subscription& subscription, std::uint64_t subject_hash);
    void remove(subscription& subscription) noexcept;

    /// Adds a member to the queue group on the subscription's subject, which is made as needed.
    /// `next_group_id` numbers a new group.
    queue_group& insert_member(subscription& subscription, std::uint64_t& next_group_id);
    /// Takes a member out of its group; `drop_if_empty` follows.
    void take_member(subscription& subscription) noexcept;
    /// Deletes a group without a member on any loop.
    void drop_if_empty(queue_group& group) noexcept;

    /// Says that a peer now has, or no longer has, plain interest in a subject.
    void set_peer_interest(bytes_view subject, unsigned peer, bool interested);
    /// Says how many members a peer's part of a queue group has; 0: none any more. Returns the
    /// group, which may be empty now (`drop_if_empty` follows), or null when there was none.
    queue_group* set_peer_members(bytes_view subject, bytes_view queue,
                                  queue_group::remote_members remote, std::uint64_t& next_group_id);

    /// The group of that name on exactly that subject, or null.
    [[nodiscard]] queue_group* find_group(bytes_view subject, bytes_view queue) const noexcept;
    /// How many plain subscriptions of this loop are on exactly that subject: 0, 1, or 2 for more.
    [[nodiscard]] int plain_count_up_to_two(bytes_view subject) const noexcept;

    /// Appends whoever wants the literal `subject`. A subject with an empty token has nobody.
    /// Groups of one name, on several subjects, stand together.
    void match(bytes_view subject, match_result& result) const;

    /// Grows with every change of a wildcard; changes of literals concern one subject only, whose
    /// cached result the caller drops.
    [[nodiscard]] std::uint64_t generation() const noexcept { return generation_; }
    [[nodiscard]] std::uint64_t hash(bytes_view subject) const noexcept;
    /// Says that the literal subject with this hash will be looked for soon.
    void prefetch(std::uint64_t subject_hash) const noexcept { literals_.prefetch(subject_hash); }

    /// Distinct subjects with something on them.
    [[nodiscard]] std::size_t subject_count() const noexcept { return subject_count_; }

private:
    struct token_node;
    struct literal_traits {
        static bool matches(const index_node& node, bytes_view subject) noexcept;
    };

    [[nodiscard]] index_node* first_on(bytes_view subject) const noexcept;
    void link(index_node& node, bytes_view subject);
    void link_literal(index_node& node, bytes_view subject, std::uint64_t subject_hash);
    void link_wildcard(index_node& node, bytes_view subject);
    void unlink(index_node& node) noexcept;
    queue_group& group_on(bytes_view subject, bytes_view queue, std::uint64_t& next_group_id);
    void match_wildcards(bytes_view subject, match_result& result) const;
    [[nodiscard]] token_node* find_node(bytes_view subject) const noexcept;
    void prune(bytes_view subject) noexcept;

    pointer_table<index_node, literal_traits> literals_;
    std::unique_ptr<token_node> wildcards_;
    std::uint64_t hash_seed_;
    std::uint64_t generation_ = 1;
    std::size_t subject_count_ = 0;
};

} // namespace pipit::broker
