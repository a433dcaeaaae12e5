// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pipit::auth::detail {

/// Subjects and wildcard patterns, each for everybody or for the members of some queues only.
///
/// A trie over tokens in one array. A question allocates nothing, and looks at no more nodes than
/// the set has, whatever the subject is.
class subject_set {
public:
    /// `subject` is valid; so is `queue`, which may be a pattern too, or is empty.
    void insert(std::string_view subject, std::string_view queue);
    [[nodiscard]] bool empty() const noexcept {
        return nodes_.size() == 1 && !nodes_[0].leads_on();
    }

    struct answer {
        bool plain = false;     ///< An entry without a queue matches the subject.
        bool any_queue = false; ///< An entry with a queue matches the subject.
        bool queue = false;     ///< One of those is for the queue that was asked about.
    };
    /// What there is for a subject taken literally: `*` and `>` in it are tokens like any other.
    /// A subject with an empty token matches nothing. Without a queue only `plain` is answered.
    [[nodiscard]] answer match(std::string_view subject, std::string_view queue) const noexcept;

    /// Could some subject match both an entry, whatever its queue, and this pattern? It is valid.
    [[nodiscard]] bool collides(std::string_view pattern) const noexcept;

private:
    using node_index = std::uint32_t;

    struct entries {
        bool plain = false;
        std::vector<std::string> queues;
        [[nodiscard]] bool any() const noexcept { return plain || !queues.empty(); }
    };
    struct edge {
        std::string token;
        node_index target;
    };
    struct node {
        std::vector<edge> literals; ///< Sorted by token.
        node_index star = 0;        ///< Behind a `*`; 0: nothing is.
        entries here;               ///< End with this node.
        entries tail;               ///< End with a `>` behind this node.
        [[nodiscard]] bool leads_on() const noexcept {
            return !literals.empty() || star != 0 || tail.any();
        }
    };
    struct question {
        std::string_view queue;
        answer found;
        [[nodiscard]] bool settled() const noexcept { return found.plain && queue.empty(); }
    };

    [[nodiscard]] node_index child(node_index parent, std::string_view token);
    [[nodiscard]] const node* literal(const node& parent, std::string_view token) const noexcept;
    static void note(const entries& found, question& asked) noexcept;
    void walk(const node& from, std::string_view rest, question& asked) const noexcept;
    [[nodiscard]] bool meets(const node& from, std::string_view rest) const noexcept;

    std::vector<node> nodes_{1};
};

} // namespace pipit::auth::detail
