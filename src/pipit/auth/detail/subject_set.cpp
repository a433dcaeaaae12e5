// SPDX-License-Identifier: Apache-2.0
#include <pipit/auth/detail/subject_set.hpp>

#include <pipit/protocol/subject.hpp>

#include <algorithm>

namespace pipit::auth::detail {
namespace {

/// The first token of a subject, and what comes behind its dot.
struct cut {
    std::string_view token;
    std::string_view rest;
    bool last;
    explicit cut(std::string_view subject) noexcept {
        const auto dot = subject.find('.');
        last = dot == std::string_view::npos;
        token = subject.substr(0, dot);
        if (!last) rest = subject.substr(dot + 1);
    }
};

bool has_empty_token(std::string_view subject) noexcept {
    return subject.empty() || subject.front() == '.' || subject.back() == '.' ||
           subject.find("..") != std::string_view::npos;
}

/// A queue is a member of a pattern as in nats-server: a wildcard of the queue's own name is no
/// ordinary token here, only the same or a wider wildcard stands for it.
bool is_for_queue(std::string_view pattern, std::string_view queue) noexcept {
    if (pattern == queue) return true;
    return !protocol::is_literal(pattern) && protocol::is_subset(queue, pattern);
}

} // namespace

void subject_set::insert(std::string_view subject, std::string_view queue) {
    node_index at = 0;
    bool tail = false;
    for (const auto token : protocol::tokens(subject)) {
        tail = token == ">";
        if (!tail) at = child(at, token);
    }
    auto& entry = tail ? nodes_[at].tail : nodes_[at].here;
    if (queue.empty()) {
        entry.plain = true;
    } else {
        entry.queues.emplace_back(queue);
    }
}

subject_set::node_index subject_set::child(node_index parent, std::string_view token) {
    const auto next = static_cast<node_index>(nodes_.size());
    if (token == "*") {
        if (nodes_[parent].star == 0) {
            nodes_[parent].star = next;
            nodes_.emplace_back();
        }
        return nodes_[parent].star;
    }
    auto& literals = nodes_[parent].literals;
    const auto place = std::ranges::lower_bound(literals, token, {}, &edge::token);
    if (place != literals.end() && place->token == token) return place->target;
    literals.insert(place, edge{std::string(token), next});
    nodes_.emplace_back();
    return next;
}

const subject_set::node* subject_set::literal(const node& parent,
                                              std::string_view token) const noexcept {
    const auto place = std::ranges::lower_bound(
        parent.literals, token, {}, [](const edge& e) { return std::string_view(e.token); });
    const bool found = place != parent.literals.end() && place->token == token;
    return found ? &nodes_[place->target] : nullptr;
}

subject_set::answer subject_set::match(std::string_view subject,
                                       std::string_view queue) const noexcept {
    question asked{queue, {}};
    walk(nodes_[0], subject, asked);
    const bool found = asked.found.plain || asked.found.any_queue;
    return found && !has_empty_token(subject) ? asked.found : answer{};
}

void subject_set::note(const entries& found, question& asked) noexcept {
    asked.found.plain |= found.plain;
    if (asked.queue.empty() || found.queues.empty()) return;
    asked.found.any_queue = true;
    for (const auto& pattern : found.queues) {
        if (asked.found.queue) return;
        asked.found.queue = is_for_queue(pattern, asked.queue);
    }
}

void subject_set::walk(const node& from, std::string_view rest, question& asked) const noexcept {
    const node* at = &from;
    while (!asked.settled()) {
        note(at->tail, asked);
        const cut next(rest);
        if (at->star != 0) {
            const auto& star = nodes_[at->star];
            if (next.last) {
                note(star.here, asked);
            } else {
                walk(star, next.rest, asked); // As deep as a pattern has `*` tokens.
            }
        }
        at = literal(*at, next.token);
        if (at == nullptr) return;
        if (next.last) return note(at->here, asked);
        rest = next.rest;
    }
}

bool subject_set::collides(std::string_view pattern) const noexcept {
    return meets(nodes_[0], pattern);
}

bool subject_set::meets(const node& from, std::string_view rest) const noexcept {
    if (from.tail.any()) return true;
    const cut next(rest);
    if (next.token == ">") return from.leads_on();
    const auto goes_on = [&](const node* target) {
        if (target == nullptr) return false;
        return next.last ? target->here.any() : meets(*target, next.rest);
    };
    if (from.star != 0 && goes_on(&nodes_[from.star])) return true;
    if (next.token != "*") return goes_on(literal(from, next.token));
    return std::ranges::any_of(from.literals,
                               [&](const edge& e) { return goes_on(&nodes_[e.target]); });
}

} // namespace pipit::auth::detail
