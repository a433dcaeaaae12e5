// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/bytes.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace pipit::broker {

class session;
struct queue_group;

/// What hangs on one subject of an index, in one chain: first queue groups and the interest of
/// peers, then plain subscriptions.
struct index_node {
    enum class type : std::uint8_t { subscription, queue_group, peer_interest };

    index_node* next = nullptr;
    index_node* previous = nullptr;
    std::uint32_t subject_size = 0;
    type kind;

    explicit index_node(type node_kind) noexcept : kind(node_kind) {}
    [[nodiscard]] bytes_view subject() const noexcept;
};

/// One subscription, in one allocation of 56 bytes and its text: subject, sid and queue stand
/// behind the object as `HMSG <subject> <sid> <queue>`, so that for a literal subject the beginning
/// of a delivery is one copy.
struct subscription : index_node {
    [[nodiscard]] static subscription* make(session& owner, bytes_view subject, bytes_view queue,
                                            bytes_view sid);
    static void destroy(subscription* subscription) noexcept;

    [[nodiscard]] const char* text() const noexcept {
        return reinterpret_cast<const char*>(this) + sizeof(subscription);
    }
    [[nodiscard]] bytes_view subject() const noexcept { return {text() + 5, subject_size}; }
    [[nodiscard]] bytes_view sid() const noexcept {
        return {text() + 5 + subject_size + 1, sid_size};
    }
    [[nodiscard]] bytes_view queue() const noexcept {
        return {text() + 5 + subject_size + 1 + sid_size + 1, queue_size};
    }
    /// `HMSG <subject> <sid> `; drop the first byte for MSG.
    [[nodiscard]] bytes_view delivery_prefix() const noexcept {
        return {text(), 5 + subject_size + 1 + sid_size + 1};
    }
    /// ` <sid> `
    [[nodiscard]] bytes_view sid_with_blanks() const noexcept {
        return {text() + 5 + subject_size, sid_size + 2};
    }

    /// Null unless it is a member of a queue group. A member stands in no chain: its `next` is the
    /// group.
    [[nodiscard]] queue_group* group() const noexcept;
    void set_group(queue_group* its_group) noexcept;

    bool literal : 1 = true;   ///< The subject has no wildcard.
    bool limited : 1 = false;  ///< Has a maximum or is an alias; each delivery is looked at.
    bool finished : 1 = false; ///< Had its last message; removed when the message is through.
    bool aliased : 1 = false;  ///< Has aliases, see `router::add_aliases()`.
    /// Stands in the account of an exporter for a subscription of an importer, which gets what
    /// comes here; it has the sid and the owner of that.
    bool alias : 1 = false;
    std::uint32_t sid_size = 0;
    std::uint32_t queue_size = 0;
    std::uint32_t max = 0;      ///< Ends with this delivery; 0: never. Of an alias, its number.
    std::uint32_t position = 0; ///< In its queue group's members.
    session* owner = nullptr;
    std::uint64_t delivered = 0;

private:
    subscription() noexcept : index_node(type::subscription) {}
};

/// The members of one queue group on one subject: those of this loop, and how many the peers have.
struct queue_group : index_node {
    struct remote_members {
        unsigned peer;
        std::uint64_t group_id; ///< The peer's number for its part of the group.
        std::uint32_t count;
    };

    queue_group(bytes_view group_subject, bytes_view group_queue, std::uint64_t group_id)
        : index_node(type::queue_group),
          subject_text(group_subject),
          queue(group_queue),
          id(group_id) {
        subject_size = static_cast<std::uint32_t>(group_subject.size());
    }

    [[nodiscard]] bool empty() const noexcept { return members.empty() && remotes.empty(); }
    /// On all loops.
    [[nodiscard]] std::uint32_t member_count() const noexcept {
        auto count = static_cast<std::uint32_t>(members.size());
        for (const auto& remote : remotes) count += remote.count;
        return count;
    }

    std::string subject_text;
    std::string queue;
    std::uint64_t id;
    std::vector<subscription*> members;
    std::vector<remote_members> remotes;
};

inline queue_group* subscription::group() const noexcept {
    return queue_size == 0 ? nullptr : static_cast<queue_group*>(next);
}
inline void subscription::set_group(queue_group* its_group) noexcept { next = its_group; }

/// The loops that have a plain subscription on one subject.
struct peer_interest : index_node {
    explicit peer_interest(bytes_view interest_subject)
        : index_node(type::peer_interest), subject_text(interest_subject) {
        subject_size = static_cast<std::uint32_t>(interest_subject.size());
    }

    std::string subject_text;
    std::uint64_t peers = 0; ///< A bit per loop.
};

inline bytes_view index_node::subject() const noexcept {
    switch (kind) {
    case type::subscription: return static_cast<const subscription*>(this)->subject();
    case type::queue_group: return static_cast<const queue_group*>(this)->subject_text;
    case type::peer_interest: return static_cast<const peer_interest*>(this)->subject_text;
    }
    return {};
}

} // namespace pipit::broker
