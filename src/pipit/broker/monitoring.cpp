// SPDX-License-Identifier: Apache-2.0
// What people see of one loop: snapshots and log lines.
#include <pipit/broker/state.hpp>
#include <pipit/broker/tls_facts.hpp>

#include <pipit/base/identity_limits.hpp>
#include <pipit/protocol/go_text.hpp>
#include <pipit/protocol/subject.hpp>

#include <algorithm>
#include <span>
#include <unordered_set>

namespace pipit::broker {
namespace {

subscription_snapshot subscription_snapshot_of(const subscription& subscription) {
    const auto& owner = *subscription.owner;
    return {.account = owner.of->id,
            .subject = std::string(subscription.subject()),
            .queue = std::string(subscription.queue()),
            .sid = std::string(subscription.sid()),
            .client_id = owner.client_id,
            .delivered = subscription.delivered,
            .max = subscription.alias ? 0 : subscription.max};
}

account_snapshot snapshot_of(const account& account) {
    return {.id = account.id,
            .connections = account.sessions.size(),
            .total_connections = account.total_connections,
            .subscriptions = account.subscriptions,
            .sent = account.sent,
            .received = account.received,
            .slow_consumers = account.slow_consumers,
            .subject_count = account.index.subject_count()};
}

/// What it takes to remember a connection, more or less.
std::size_t bytes_of(const session_snapshot& shown,
                     const std::vector<subscription_snapshot>& subscriptions) noexcept {
    std::size_t bytes = sizeof shown + shown.name.size() + shown.language.size() +
                        shown.version.size() + shown.user.size() + shown.proxy_key.size();
    for (const auto& each : subscriptions) {
        bytes += sizeof each + each.subject.size() + each.queue.size() + each.sid.size();
    }
    return bytes;
}

/// Copies one page of many lists that stand one behind the other.
class page_writer {
public:
    explicit page_writer(const subscription_query& query) noexcept
        : skipped_(query.offset), room_(query.limit) {}

    /// `visit_some(skipped, count, visit)` visits that part of a list of `size`.
    template <class VisitSome>
    void add(std::uint64_t size, VisitSome visit_some) {
        written.total += size;
        const auto skipped = std::min(skipped_, size);
        skipped_ -= skipped;
        const auto count = std::min(room_, size - skipped);
        room_ -= count;
        if (count != 0) visit_some(skipped, count);
    }
    void add(std::span<subscription* const> list) {
        add(list.size(), [&](std::uint64_t skipped, std::uint64_t count) {
            for (const auto* each : list.subspan(skipped, count)) {
                written.page.push_back(subscription_snapshot_of(*each));
            }
        });
    }
    void add(const session& session) {
        add(session.subscriptions.size(), [&](std::uint64_t skipped, std::uint64_t count) {
            session.subscriptions.for_each_of(skipped, count, [&](const subscription& each) {
                written.page.push_back(subscription_snapshot_of(each));
            });
        });
    }
    void add(std::span<const subscription_snapshot> list) {
        add(list.size(), [&](std::uint64_t skipped, std::uint64_t count) {
            const auto part = list.subspan(skipped, count);
            written.page.insert(written.page.end(), part.begin(), part.end());
        });
    }

    subscription_list written;

private:
    std::uint64_t skipped_;
    std::uint64_t room_;
};

} // namespace

std::string shown_user(const session_details& details) {
    const auto& options = details.options;
    if (!options.nkey.empty()) return options.nkey;
    if (!details.user.empty()) return details.user;
    if (!options.user.empty()) return options.user;
    return options.auth_token.empty() ? "" : "[REDACTED]";
}

session_snapshot broker_state::snapshot_of(const session& session) const {
    const auto& details = *session.details;
    session_snapshot snapshot;
    snapshot.client_id = session.client_id;
    snapshot.ip = details.origin.ip;
    snapshot.port = details.origin.port;
    snapshot.start = details.start;
    snapshot.last_activity = {session.last_activity,
                              details.start.wall + (session.last_activity - details.start.steady)};
    snapshot.reason = session.reason;
    if (session.round_trip != nanoseconds::zero()) snapshot.round_trip = session.round_trip;
    snapshot.pending_bytes = session.pending_bytes();
    snapshot.in = session.in;
    snapshot.out = session.sent;
    snapshot.stalls = session.stalls;
    snapshot.subscription_count = session.subscriptions.size();
    snapshot.name = details.options.name;
    snapshot.language = details.options.lang;
    snapshot.version = details.options.version;
    snapshot.user = shown_user(details);
    snapshot.is_websocket = details.origin.is_websocket;
    snapshot.authenticated = session.of != nullptr;
    if (session.of != nullptr) snapshot.account = session.of->id;
    if (details.identity != nullptr) snapshot.claims = details.identity->claims;
    snapshot.tls = details.origin.tls;
    snapshot.proxy_key = details.origin.proxy_key;
    return snapshot;
}

void broker_state::remember_closed(const session& session, moment now) {
    closed_session remembered;
    remembered.shown = snapshot_of(session);
    remembered.shown.stop = now;
    if (auto& tls = remembered.shown.tls; tls && !tls->peer.empty()) {
        // Of those who are gone nobody asks for certificates.
        tls = std::make_shared<const tls_facts>(
            tls_facts{tls->version, tls->cipher_suite, tls->before_info, {}});
    }
    if (session.subscriptions.size() <= limits::closed_subscriptions) {
        session.subscriptions.for_each([&](const subscription& each) {
            remembered.subscriptions.push_back(subscription_snapshot_of(each));
        });
    }
    remembered.bytes = bytes_of(remembered.shown, remembered.subscriptions);
    closed_bytes += remembered.bytes;
    closed.push_back(std::move(remembered));
    while (closed.size() > config->max_closed_clients ||
           closed_bytes > limits::closed_clients_bytes) {
        closed_bytes -= closed.front().bytes;
        closed.pop_front();
    }
}

session_snapshot session_event::who() const { return state->snapshot_of(*about); }

void broker_state::tell(session_event::type what, const session& about,
                        const service_refusal* by_service) const {
    if (!observer) return;
    const account* of = about.of;
    if (of == nullptr) of = routing.find_account(config->global_account);
    session_event event{.what = what,
                        .account = of != nullptr ? of->id : config->global_account,
                        .account_name = of != nullptr ? std::string_view(of->config->name) : "$G",
                        .account_tag = of != nullptr ? account_tag(*of->config) : "$G",
                        .reason = about.reason,
                        .by_service = by_service,
                        .state = this,
                        .about = &about};
    observer(event);
}

bool broker::is_open(std::uint64_t client_id) const {
    return state_->routing.find_session(client_id) != nullptr;
}

std::optional<user_information> broker::user_of(std::uint64_t client_id) const {
    const auto* session = state_->routing.find_session(client_id);
    if (session == nullptr || session->of == nullptr) return std::nullopt;
    user_information information;
    information.user = shown_user(*session->details);
    information.account = session->of->config->name;
    information.account_name = account_tag(*session->of->config);
    const auto& identity = session->details->identity;
    if (identity != nullptr && identity->claims) information.user_name = identity->claims->name;
    if (identity != nullptr) information.expires = identity->expires;
    if (session->permissions) information.permissions = session->permissions->shared_rules();
    return information;
}

broker_statistics broker::statistics() const {
    const auto& state = *state_;
    const auto& cache = state.routing.cache();
    broker_statistics all;
    all.connections = state.connections;
    all.total_connections = state.total_connections;
    for (const auto& [id, account] : state.routing.accounts()) {
        all.subscriptions += account->subscriptions;
        all.in += account->received;
        all.out += account->sent;
        all.subscription_inserts += account->inserts;
        all.subscription_removes += account->removes;
    }
    all.slow_consumers = state.slow_consumers;
    all.stale_connections = state.stale_connections;
    all.stalled_clients = state.routing.stalled_clients();
    all.cache_entries = cache.size();
    all.cache_hits = cache.hits();
    all.matches = cache.matches();
    cache.for_each_result([&](const match_result& result) {
        const auto fanout = result.plain.size() + result.groups.size();
        all.max_fanout = std::max<std::uint64_t>(all.max_fanout, fanout);
        all.cached_fanout += fanout;
    });
    return all;
}

std::vector<account_snapshot> broker::accounts() const {
    std::vector<account_snapshot> all;
    for (const auto& [id, account] : state_->routing.accounts()) {
        all.push_back(snapshot_of(*account));
    }
    return all;
}

std::optional<account_snapshot> broker::numbers_of(account_id id) const {
    const auto* const found = state_->routing.find_account(id);
    if (found == nullptr) return std::nullopt;
    return snapshot_of(*found);
}

std::vector<response_snapshot> broker::responses(account_id exporter, std::size_t most) const {
    std::vector<response_snapshot> all;
    state_->routing.responses().for_each(
        [&](const std::string& subject, const service_response& each) {
            if (each.exporter != exporter || all.size() == most) return;
            all.push_back({.subject = subject,
                           .importer = each.importer,
                           .reply = each.reply,
                           .share = each.share,
                           .measured = each.measured != nullptr});
        });
    return all;
}

std::vector<std::uint64_t> broker::client_ids(session_state state) const {
    std::vector<std::uint64_t> ids;
    if (state != session_state::closed) {
        for (const auto& [id, session] : state_->sessions) {
            if (!session->ended()) ids.push_back(id);
        }
    }
    if (state != session_state::open) {
        for (const auto& each : state_->closed) ids.push_back(each.shown.client_id);
    }
    std::sort(ids.begin(), ids.end());
    return ids;
}

std::vector<session_snapshot> broker::sessions(std::span<const std::uint64_t> client_ids,
                                               session_state state) const {
    std::vector<session_snapshot> found;
    if (state != session_state::closed) {
        for (const auto id : client_ids) {
            const auto session = state_->sessions.find(id);
            if (session == state_->sessions.end() || session->second->ended()) continue;
            found.push_back(state_->snapshot_of(*session->second));
        }
    }
    if (state != session_state::open) {
        const std::unordered_set<std::uint64_t> wanted(client_ids.begin(), client_ids.end());
        for (const auto& each : state_->closed) {
            if (wanted.contains(each.shown.client_id)) found.push_back(each.shown);
        }
    }
    return found;
}

subscription_list broker::subscriptions(const subscription_query& query) const {
    page_writer writer(query);
    const auto of_account = [&](const account* of) {
        return of != nullptr && (!query.account || of->id == *query.account);
    };
    if (!query.test.empty()) {
        for (const auto& [id, account] : state_->routing.accounts()) {
            if (!of_account(account.get())) continue;
            match_result matches;
            account->index.match(query.test, matches);
            const auto has_ended = [](const auto* each) { return each->owner->ended(); };
            std::erase_if(matches.plain, has_ended);
            writer.add(matches.plain);
            for (const auto* group : matches.groups) {
                auto members = group->members;
                std::erase_if(members, has_ended);
                writer.add(members);
            }
        }
    } else if (query.client_ids.empty()) {
        for (const auto& [id, session] : state_->sessions) {
            if (!session->ended() && of_account(session->of)) writer.add(*session);
        }
    } else {
        for (const auto id : query.client_ids) {
            const auto session = state_->sessions.find(id);
            if (session != state_->sessions.end() && !session->second->ended())
                writer.add(*session->second);
        }
        const std::unordered_set<std::uint64_t> wanted(query.client_ids.begin(),
                                                       query.client_ids.end());
        for (const auto& each : state_->closed) {
            if (wanted.contains(each.shown.client_id)) writer.add(each.subscriptions);
        }
    }
    return std::move(writer.written);
}

// --- Log lines ---

namespace {

/// Which of the two it was: one that has a size of its header, be it 0, is an HPUB.
std::string_view operation_of(const protocol::message_operation& message) noexcept {
    const auto before = message.reply.empty() ? message.subject : message.reply;
    const auto* const end = before.data() + before.size();
    const bytes_view between(end, static_cast<std::size_t>(message.size_text.data() - end));
    return between.find_first_not_of(" \t") == bytes_view::npos ? "PUB" : "HPUB";
}

} // namespace

void broker_state::log(log_level level, const session& session, std::string_view text) const {
    if (level == log_level::debug && !log_to.debug_enabled()) return;
    const auto line = session.details->log_name + " - " + std::string(text);
    switch (level) {
    case log_level::debug: return log_to.debug(line);
    case log_level::trace: return log_to.trace(line);
    case log_level::error: return log_to.error(line);
    case log_level::warning: return log_to.warning(line);
    default: return log_to.info(line);
    }
}

void broker_state::trace_in(const session& session, std::string_view operation,
                            bytes_view arguments) const {
    std::string line = "<<- [";
    line += operation;
    if (!arguments.empty()) line += ' ';
    line += arguments;
    log(log_level::trace, session, line + "]");
}

void broker_state::trace_out(const session& session, std::string_view line) const {
    log(log_level::trace, session, std::string("->> [").append(line).append("]"));
}

void broker_state::trace_publish(const session& session,
                                 const protocol::message_operation& message) const {
    if (message.subject.data() == nullptr) return; // HMSG, which nobody may send.
    // As they came: both lie in one line.
    const auto* const end = message.size_text.data() + message.size_text.size();
    const bytes_view arguments(message.subject.data(),
                               static_cast<std::size_t>(end - message.subject.data()));
    trace_in(session, operation_of(message), arguments);
}

void broker_state::trace_mapped(const session& session, const protocol::message_operation& message,
                                bytes_view subject) const {
    if (subject != message.subject) {
        trace_in(session, "MAPPING", std::string(message.subject).append(" -> ").append(subject));
    }
    trace_payload(session, "<<-", message.headers, message.payload);
}

void broker_state::trace_payload(const session& session, std::string_view direction,
                                 bytes_view headers, bytes_view payload) const {
    const auto max = static_cast<std::size_t>(config->max_traced_message_bytes);
    std::string text(headers);
    if (config->trace_headers_only) {
        constexpr std::size_t end_bytes = 4; // Of the last line, and the blank one.
        if (text.size() <= end_bytes) return;
        text.resize(text.size() - end_bytes);
    } else {
        text += payload;
    }
    if (text.empty()) return;
    const bool cut = max > 0 && text.size() > max;
    if (cut) text.resize(max);
    std::string quoted;
    protocol::append_quoted(quoted, text);
    if (cut) quoted.insert(quoted.size() - 1, "...");
    log(log_level::trace, session,
        std::string(direction).append(" MSG_PAYLOAD: [").append(quoted).append("]"));
}

} // namespace pipit::broker
