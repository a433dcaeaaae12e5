// SPDX-License-Identifier: Apache-2.0
// Imports of streams: a subscription of the importer has an alias in the exporter's account.
#include <pipit/broker/router.hpp>

#include <pipit/protocol/subject.hpp>

namespace pipit::broker {

/// Puts an alias into each account from which the subscription imports something. To the other
/// loops an alias is that account's interest like any other.
void router::add_aliases(subscription& original) {
    for (const auto& import : original.owner->of->config->stream_imports) {
        const auto subject = import->subjects.interest_of(original.subject());
        if (!subject || !protocol::is_valid_subject(*subject)) continue;
        auto* exporter = account_of(import->exporter);
        if (exporter == nullptr) continue;
        auto number = static_cast<std::uint32_t>(aliases_.size());
        if (free_aliases_.empty()) {
            aliases_.emplace_back();
        } else {
            number = free_aliases_.back();
            free_aliases_.pop_back();
        }
        auto* alias =
            subscription::make(*original.owner, *subject, original.queue(), original.sid());
        alias->alias = alias->limited = true;
        alias->max = number;
        original.aliased = true;
        aliases_[number] = {&original, alias, exporter, import};
        aliases_by_original_[&original].push_back(number);
        log_alias(*original.owner, *subject, *exporter);
        link(*exporter, *alias, exporter->index.hash(*subject));
    }
}

void router::remove_aliases(subscription& original) {
    const auto aliases = aliases_by_original_.extract(&original);
    original.aliased = false;
    if (aliases.empty()) return;
    for (const auto number : aliases.mapped()) {
        auto& [is_of, alias, exporter, import] = aliases_[number];
        unlink(*exporter, *alias);
        subscription::destroy(alias);
        aliases_[number] = {};
        free_aliases_.push_back(number);
    }
}

void router::renew_aliases(session& session) {
    if (session.of == nullptr || !session.of->imports_changed) return;
    std::vector<subscription*> all;
    session.subscriptions.for_each([&](subscription& each) { all.push_back(&each); });
    for (auto* each : all) {
        if (each->aliased) remove_aliases(*each);
        add_aliases(*each);
    }
}

void router::aliases_are_renewed() noexcept {
    for (auto& [id, of] : accounts_) of->imports_changed = false;
}

/// Delivers to the importer's subscription, under the importer's name of the subject.
bool router::deliver_alias(subscription& to, dispatch& dispatch) {
    // As nats-server: what came as a request is not a message of the stream.
    if (dispatch.imported) return false;
    const auto& [original, alias, exporter, import] = aliases_[to.max];
    if (import->expires && *import->expires <= dispatch.now.wall) return false;
    const auto subject = import->subjects.to_local(dispatch.subject, local_subject_);
    auto local = dispatch;
    local.subject = subject;
    if (local.trace != nullptr) {
        local.trace->add_stream_export(to.owner->of->config->name, subject, dispatch.now.wall);
        if (!import->allow_trace) {
            if (local.trace->only()) return true; // As if delivered.
            local.trace = nullptr;
        }
    }
    const bool is_taken = deliver_checked(*original, local, to);
    dispatch.internal = local.internal;
    dispatch.behind = local.behind;
    return is_taken;
}

} // namespace pipit::broker
