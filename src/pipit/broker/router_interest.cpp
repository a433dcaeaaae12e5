// SPDX-License-Identifier: Apache-2.0
// The accounts of a loop and who wants what in them; the other loops are told.
#include <pipit/broker/router.hpp>

#include <pipit/broker/planted_bug.hpp>

#include <algorithm>
#include <utility>

namespace pipit::broker {

void router::configure(const configuration& configuration) {
    finish_leaving(); // What an account imports is about to change.
    identity_ = &configuration.identity;
    system_account_ = configuration.system_account;
    configured_accounts_.clear();
    for (const auto& each : configuration.accounts) use(each);
    for (const auto& [id, config] : put_accounts_) use(*config);
    for (auto& [id, of] : accounts_) {
        if (!configured_accounts_.contains(id)) follow(*of, gone_);
    }
    link_all_services();
    stalls_fast_producers_ = configuration.stall_fast_producers;
    cache_.enable(configuration.caches_matches);
    ended_at_a_time_ = configuration.subscriptions_ended_at_a_time;
}

void router::use(const account_configuration& config) {
    configured_accounts_[config.id] = &config;
    if (auto* of = find_account(config.id)) follow(*of, config);
}

void router::follow(account& of, const account_configuration& next) {
    const bool same =
        std::ranges::equal(of.config->stream_imports, next.stream_imports,
                           [](const auto& a, const auto& b) { return a == b || *a == *b; });
    of.imports_changed = of.imports_changed || !same;
    of.config = &next;
}

void router::put_account(std::shared_ptr<const account_configuration> config) {
    const auto& used = *config;
    finish_leaving(used.id);
    // The one before lives until nobody uses it.
    const auto before = std::exchange(put_accounts_[used.id], std::move(config));
    use(used);
    link_services_around(used.id);
}

account* router::account_of(account_id id) {
    if (auto* known = find_account(id)) return known;
    const auto configured = configured_accounts_.find(id);
    if (configured == configured_accounts_.end()) return nullptr;
    auto heard_of = unknown_accounts_.extract(id);
    auto& slot = accounts_[id];
    slot = heard_of ? std::move(heard_of.mapped())
                    : std::make_unique<account>(id, *configured->second, hash_seed_);
    auto& of = *slot;
    of.config = configured->second;
    of.shared = of.config->counters;
    link_services(of);
    return &of;
}

account* router::find_account(account_id id) const noexcept {
    const auto found = accounts_.find(id);
    return found == accounts_.end() ? nullptr : found->second.get();
}

// --- Subscriptions ---

subscribe_hashes::subscribe_hashes(const session& session,
                                   const protocol::subscribe_operation& operation) noexcept
    : sid(session.sid_hash(operation.sid)), subject(session.of->index.hash(operation.subject)) {
    session.subscriptions.prefetch(sid);
    session.of->index.prefetch(subject);
}

void router::subscribe(session& session, const protocol::subscribe_operation& operation,
                       const subscribe_hashes& hashes, session::subscription_table::place where) {
    auto& of = *session.of;
    auto* made = subscription::make(session, operation.subject, operation.queue, operation.sid);
    session.subscriptions.insert(where, hashes.sid, made);
    ++of.subscriptions;
    ++of.inserts;
    link(of, *made, hashes.subject);
    if (!of.config->stream_imports.empty()) [[unlikely]]
        add_aliases(*made);
}

/// Puts a subscription into the index, and tells the other loops of the first on its subject.
void router::link(account& of, subscription& made, std::uint64_t subject_hash) {
    const auto subject = made.subject();
    if (made.queue_size == 0) {
        of.index.insert(made, subject_hash);
        if (!peers_.alone() && of.index.plain_count_up_to_two(subject) == 1) {
            announce_interest(of, subject, true);
        }
    } else {
        auto& group = of.index.insert_member(made, next_group_id_);
        if (!peers_.alone()) {
            groups_by_id_[group.id] = &group;
            announce_members(of, group);
        }
    }
    if (made.literal && !planted::is(planted::bug::keeps_stale_matches)) {
        cache_.drop(of, subject, subject_hash);
    }
}

void router::unsubscribe(subscription& subscription) {
    auto& session = *subscription.owner;
    auto& of = *session.of;
    if ((session.delivery_flags & delivery::traced) != 0 && log_unsubscribe) [[unlikely]]
        log_unsubscribe(session, subscription);
    session.subscriptions.erase(session.sid_hash(subscription.sid()), &subscription);
    --of.subscriptions;
    ++of.removes;
    discard(of, subscription);
}

/// What no session has any more.
void router::discard(account& of, subscription& subscription) {
    if (subscription.aliased) [[unlikely]]
        remove_aliases(subscription);
    unlink(of, subscription);
    if (!responses_.empty()) [[unlikely]]
        on_interest_lost(of, subscription.subject());
    subscription::destroy(&subscription);
}

/// Takes a subscription out of the index, and tells the other loops when it was the last one.
void router::unlink(account& of, subscription& subscription) {
    const auto subject = subscription.subject();
    if (subscription.literal) cache_.drop(of, subject, of.index.hash(subject));
    if (auto* group = subscription.group()) {
        of.index.take_member(subscription);
        if (!peers_.alone()) announce_members(of, *group);
        if (group->empty()) retire(of, *group);
    } else {
        of.index.remove(subscription);
        // Where answers come is this loop's own interest, whoever else listens there.
        if (!peers_.alone() && of.index.plain_count_up_to_two(subject) == 0 &&
            subject != of.answers_subject && !planted::is(planted::bug::forgets_to_withdraw)) {
            announce_interest(of, subject, false);
        }
    }
}

void router::unsubscribe_all(session& session) {
    std::vector<subscription*> all;
    all.reserve(session.subscriptions.size());
    session.subscriptions.for_each([&](subscription& each) { all.push_back(&each); });
    for (auto* each : all) unsubscribe(*each);
}

} // namespace pipit::broker
