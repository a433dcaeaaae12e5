// SPDX-License-Identifier: Apache-2.0
#include <pipit/broker/subject_index.hpp>

#include <pipit/base/assert.hpp>
#include <pipit/broker/hash.hpp>
#include <pipit/protocol/subject.hpp>

#include <algorithm>
#include <array>

namespace pipit::broker {
namespace {

/// A token of a subject that is being matched; its hash is the same on every branch of the tree.
struct hashed_token {
    bytes_view text;
    std::uint64_t hash;
};

/// A list that is nearly always short, and then allocates nothing.
template <class T>
class short_list {
public:
    void push(const T& value) {
        if (size_ < few_.size()) {
            few_[size_] = value;
        } else {
            many_.push_back(value);
        }
        ++size_;
    }
    T pop() {
        const T last = (*this)[--size_];
        if (size_ >= few_.size()) many_.pop_back();
        return last;
    }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] const T& operator[](std::size_t i) const noexcept {
        return i < few_.size() ? few_[i] : many_[i - few_.size()];
    }

private:
    std::array<T, 16> few_;
    std::vector<T> many_;
    std::size_t size_ = 0;
};

using token_list = short_list<hashed_token>;

/// False for a subject with an empty token, which nobody can want.
bool split(bytes_view subject, std::uint64_t seed, token_list& tokens) {
    for (;;) {
        const auto dot = subject.find('.');
        const auto token = subject.substr(0, dot);
        if (token.empty()) return false;
        tokens.push({token, hash_bytes(token, seed)});
        if (dot == bytes_view::npos) return true;
        subject.remove_prefix(dot + 1);
    }
}

void collect(index_node* first, match_result& result) {
    auto* node = first;
    // Groups and peers stand before the plain subscriptions.
    for (; node != nullptr && node->kind != index_node::type::subscription; node = node->next) {
        if (node->kind == index_node::type::queue_group) {
            result.groups.push_back(static_cast<queue_group*>(node));
        } else {
            result.peers |= static_cast<peer_interest*>(node)->peers;
        }
    }
    for (; node != nullptr; node = node->next) {
        result.plain.push_back(static_cast<subscription*>(node));
    }
}

/// Puts a node into the chain that begins at `first`; returns the chain's first node afterwards.
index_node* link_into(index_node* first, index_node& node) noexcept {
    index_node* before = nullptr;
    if (node.kind == index_node::type::subscription) {
        for (auto* at = first; at != nullptr && at->kind != index_node::type::subscription;
             at = at->next) {
            before = at;
        }
    }
    node.previous = before;
    node.next = before == nullptr ? first : before->next;
    if (node.next != nullptr) node.next->previous = &node;
    if (before == nullptr) return &node;
    before->next = &node;
    return first;
}

void delete_owned(index_node* first) noexcept {
    while (first != nullptr) {
        auto* next = first->next;
        if (first->kind == index_node::type::queue_group) {
            delete static_cast<queue_group*>(first);
        } else if (first->kind == index_node::type::peer_interest) {
            delete static_cast<peer_interest*>(first);
        }
        first = next;
    }
}

} // namespace

/// One token of the wildcards' tree: what ends here, what ends with a `>` here, and what goes on.
/// A subject may have as many tokens as a control line has room for: whatever walks the tree does
/// so without recursion.
struct subject_index::token_node {
    struct traits {
        static bool matches(const token_node& node, bytes_view wanted) noexcept {
            return node.token == wanted;
        }
    };

    explicit token_node(bytes_view text) : token(text) {}
    ~token_node() {
        delete_owned(here);
        delete_owned(rest);
        std::vector<token_node*> below;
        give_up_children(below);
        while (!below.empty()) {
            const std::unique_ptr<token_node> next(below.back());
            below.pop_back();
            next->give_up_children(below);
        }
    }
    token_node(const token_node&) = delete;
    token_node& operator=(const token_node&) = delete;

    [[nodiscard]] bool bare() const noexcept {
        return here == nullptr && rest == nullptr && star == nullptr && children.empty();
    }
    token_node* child_for(bytes_view child_token, std::uint64_t seed) {
        if (child_token == "*") {
            if (!star) star = std::make_unique<token_node>("*");
            return star.get();
        }
        const auto hash = hash_bytes(child_token, seed);
        if (auto* found = children.find(hash, child_token)) return found;
        auto* made = new token_node(child_token);
        children.insert(hash, made);
        return made;
    }
    [[nodiscard]] token_node* find_child(bytes_view child_token,
                                         std::uint64_t hash) const noexcept {
        return child_token == "*" ? star.get() : children.find(hash, child_token);
    }

    void give_up_children(std::vector<token_node*>& to) {
        if (star) to.push_back(star.release());
        children.for_each([&to](token_node& child) { to.push_back(&child); });
        children = {};
    }

    std::string token;
    index_node* here = nullptr;
    index_node* rest = nullptr;
    std::unique_ptr<token_node> star;
    pointer_table<token_node, traits> children;
};

namespace {

bool ends_in_rest(bytes_view subject) noexcept { return subject == ">" || subject.ends_with(".>"); }

} // namespace

bool subject_index::literal_traits::matches(const index_node& node, bytes_view subject) noexcept {
    return node.subject_size == subject.size() && node.subject() == subject;
}

subject_index::subject_index(std::uint64_t hash_seed)
    : wildcards_(std::make_unique<token_node>("")), hash_seed_(hash_seed) {}

subject_index::~subject_index() {
    literals_.for_each([](index_node& first) { delete_owned(&first); });
}

std::uint64_t subject_index::hash(bytes_view subject) const noexcept {
    return hash_bytes(subject, hash_seed_);
}

void subject_index::insert(subscription& subscription, std::uint64_t subject_hash) {
    const auto subject = subscription.subject();
    subscription.literal = protocol::is_literal(subject);
    if (subscription.literal) {
        link_literal(subscription, subject, subject_hash);
    } else {
        link_wildcard(subscription, subject);
    }
}

void subject_index::remove(subscription& subscription) noexcept { unlink(subscription); }

queue_group& subject_index::insert_member(subscription& subscription,
                                          std::uint64_t& next_group_id) {
    subscription.literal = protocol::is_literal(subscription.subject());
    auto& group = group_on(subscription.subject(), subscription.queue(), next_group_id);
    subscription.set_group(&group);
    subscription.position = static_cast<std::uint32_t>(group.members.size());
    group.members.push_back(&subscription);
    return group;
}

void subject_index::take_member(subscription& subscription) noexcept {
    auto& group = *subscription.group();
    auto* last = group.members.back();
    group.members[subscription.position] = last;
    last->position = subscription.position;
    group.members.pop_back();
    subscription.set_group(nullptr);
}

void subject_index::set_peer_interest(bytes_view subject, unsigned peer, bool interested) {
    const auto bit = std::uint64_t{1} << peer;
    auto* node = first_on(subject);
    while (node != nullptr && node->kind == index_node::type::queue_group) node = node->next;
    peer_interest* interest = nullptr;
    if (node != nullptr && node->kind == index_node::type::peer_interest) {
        interest = static_cast<peer_interest*>(node);
    } else if (interested) {
        interest = new peer_interest(subject);
        link(*interest, subject);
    } else {
        return;
    }
    if (interested) {
        interest->peers |= bit;
    } else {
        interest->peers &= ~bit;
    }
    if (!protocol::is_literal(subject)) ++generation_;
    if (interest->peers != 0) return;
    unlink(*interest);
    delete interest;
}

queue_group* subject_index::set_peer_members(bytes_view subject, bytes_view queue,
                                             queue_group::remote_members remote,
                                             std::uint64_t& next_group_id) {
    auto* group = find_group(subject, queue);
    if (group == nullptr) {
        if (remote.count == 0) return nullptr;
        group = &group_on(subject, queue, next_group_id);
    }
    auto& remotes = group->remotes;
    const auto known = std::find_if(remotes.begin(), remotes.end(),
                                    [&](const auto& other) { return other.peer == remote.peer; });
    if (known == remotes.end()) {
        if (remote.count != 0) remotes.push_back(remote);
    } else if (remote.count == 0) {
        remotes.erase(known);
    } else {
        *known = remote;
    }
    return group;
}

queue_group* subject_index::find_group(bytes_view subject, bytes_view queue) const noexcept {
    for (auto* node = first_on(subject);
         node != nullptr && node->kind != index_node::type::subscription; node = node->next) {
        if (node->kind != index_node::type::queue_group) continue;
        auto* group = static_cast<queue_group*>(node);
        if (group->queue == queue) return group;
    }
    return nullptr;
}

int subject_index::plain_count_up_to_two(bytes_view subject) const noexcept {
    int count = 0;
    for (auto* node = first_on(subject); node != nullptr && count < 2; node = node->next) {
        if (node->kind == index_node::type::subscription) ++count;
    }
    return count;
}

queue_group& subject_index::group_on(bytes_view subject, bytes_view queue,
                                     std::uint64_t& next_group_id) {
    if (auto* found = find_group(subject, queue)) return *found;
    auto* made = new queue_group(subject, queue, next_group_id++);
    link(*made, made->subject_text);
    return *made;
}

void subject_index::drop_if_empty(queue_group& group) noexcept {
    if (!group.empty()) return;
    unlink(group);
    delete &group;
}

subject_index::token_node* subject_index::find_node(bytes_view subject) const noexcept {
    auto* node = wildcards_.get();
    while (node != nullptr && !subject.empty() && subject != ">") {
        const auto dot = subject.find('.');
        const auto token = subject.substr(0, dot);
        node = node->find_child(token, hash_bytes(token, hash_seed_));
        subject = dot == bytes_view::npos ? bytes_view{} : subject.substr(dot + 1);
    }
    return node;
}

index_node* subject_index::first_on(bytes_view subject) const noexcept {
    if (protocol::is_literal(subject)) return literals_.find(hash(subject), subject);
    const auto* node = find_node(subject);
    if (node == nullptr) return nullptr;
    return ends_in_rest(subject) ? node->rest : node->here;
}

void subject_index::link(index_node& node, bytes_view subject) {
    if (protocol::is_literal(subject)) return link_literal(node, subject, hash(subject));
    link_wildcard(node, subject);
}

void subject_index::link_literal(index_node& node, bytes_view subject, std::uint64_t subject_hash) {
    const auto where = literals_.look_up(subject_hash, subject);
    auto* const first = where.item;
    auto* new_first = link_into(first, node);
    if (first == nullptr) {
        literals_.insert(where, subject_hash, new_first);
        ++subject_count_;
    } else if (new_first != first) {
        literals_.replace(subject_hash, first, new_first);
    }
}

void subject_index::link_wildcard(index_node& node, bytes_view subject) {
    auto* at = wildcards_.get();
    for (auto left = subject; !left.empty() && left != ">";) {
        const auto dot = left.find('.');
        at = at->child_for(left.substr(0, dot), hash_seed_);
        left = dot == bytes_view::npos ? bytes_view{} : left.substr(dot + 1);
    }
    auto*& first = ends_in_rest(subject) ? at->rest : at->here;
    if (first == nullptr) ++subject_count_;
    first = link_into(first, node);
    ++generation_;
}

void subject_index::unlink(index_node& node) noexcept {
    if (node.next != nullptr) node.next->previous = node.previous;
    if (node.previous != nullptr) {
        node.previous->next = node.next;
        if (!protocol::is_literal(node.subject())) ++generation_;
        return;
    }
    const auto subject = node.subject();
    if (node.next == nullptr) --subject_count_;
    if (protocol::is_literal(subject)) {
        if (node.next == nullptr) {
            literals_.erase(hash(subject), &node);
        } else {
            literals_.replace(hash(subject), &node, node.next);
        }
        return;
    }
    auto* at = find_node(subject);
    PIPIT_ASSERT(at != nullptr);
    (ends_in_rest(subject) ? at->rest : at->here) = node.next;
    ++generation_;
    if (at->bare()) prune(subject);
}

/// Deletes the nodes on the way to `subject` that nothing needs any more, deepest first.
void subject_index::prune(bytes_view subject) noexcept {
    struct step {
        token_node* parent;
        token_node* child;
        std::uint64_t hash;
    };
    short_list<step> way;
    auto* at = wildcards_.get();
    for (auto left = subject; !left.empty() && left != ">";) {
        const auto dot = left.find('.');
        const auto token = left.substr(0, dot);
        const auto token_hash = hash_bytes(token, hash_seed_);
        auto* child = at->find_child(token, token_hash);
        if (child == nullptr) break;
        way.push({at, child, token_hash});
        at = child;
        left = dot == bytes_view::npos ? bytes_view{} : left.substr(dot + 1);
    }
    while (way.size() > 0) {
        const auto last = way.pop();
        if (!last.child->bare()) return;
        if (last.child == last.parent->star.get()) {
            last.parent->star.reset();
        } else {
            last.parent->children.erase(last.hash, last.child);
            delete last.child;
        }
    }
}

void subject_index::match(bytes_view subject, match_result& result) const {
    if (auto* first = literals_.find(hash(subject), subject)) collect(first, result);
    if (!wildcards_->bare()) match_wildcards(subject, result);
    if (result.groups.size() > 1) std::ranges::sort(result.groups, {}, &queue_group::queue);
}

void subject_index::match_wildcards(bytes_view subject, match_result& result) const {
    token_list tokens;
    if (!split(subject, hash_seed_, tokens)) return;
    struct branch {
        const token_node* node;
        std::size_t depth;
    };
    short_list<branch> branches;
    branches.push({wildcards_.get(), 0});
    while (branches.size() > 0) {
        auto [node, depth] = branches.pop();
        for (; node != nullptr && depth < tokens.size(); ++depth) {
            collect(node->rest, result);
            const auto& token = tokens[depth];
            const auto* child = node->children.find(token.hash, token.text);
            const auto* star = node->star.get();
            if (child != nullptr && star != nullptr) branches.push({star, depth + 1});
            node = child != nullptr ? child : star;
        }
        if (node != nullptr) collect(node->here, result);
    }
}

} // namespace pipit::broker
