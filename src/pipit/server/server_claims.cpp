// SPDX-License-Identifier: Apache-2.0
// What the system account may ask about the JWTs of accounts, and what this server asks of others.
#include <pipit/base/identity_limits.hpp>
#include <pipit/net/clock.hpp>
#include <pipit/server/detail/server_state.hpp>
#include <pipit/server/detail/system_state.hpp>
#include <pipit/server/error.hpp>

#include <utility>

namespace pipit::server {
namespace {

using namespace std::chrono_literals;
using broker::internal_message;

constexpr auto pack_subject = "$SYS.REQ.CLAIMS.PACK";
/// As nats-server: between two looks at what is over, and between two comparisons.
constexpr nanoseconds expiry_interval = 1min;
constexpr nanoseconds pack_interval = 1min;

} // namespace

/// Begins the services of accounts' JWTs, for which somebody has to see the server from inside.
/// At the start, and on the thread of the logins when a reload brought another resolver.
void server::state::serve_claims(const resolver_options& how, const logger& now_log) {
    const auto system_account = [this] {
        const std::lock_guard guard(seen.lock);
        return seen.config->system_account;
    }();
    if (!authority || !system_account) return;
    const auto turn = claims_place.turn + 1;
    claims_place = {*system_account, how, turn};
    const bool is_cache = how.kind == resolver_kind::cache;
    const bool has_folder = account_folder != nullptr;
    claims = std::make_unique<claims_requests>(claims_requests::surroundings{
        *authority, has_folder ? &account_folder->directory() : nullptr, is_cache,
        [this] { return server_json(); }, now_log});
    if (is_cache) {
        account_folder->ask_others_by(
            [this](const std::string& account, account_resolver::answer then) {
                look_up_elsewhere(account, std::move(then));
            });
    }
    const claims_service service{*system_account, has_folder, is_cache, turn};
    loops[0]->post(
        [this, service](broker::broker& broker, moment) { subscribe_claims(broker, service); });
    if (!has_folder) return;
    expire_claims(turn);
    if (!is_cache) compare_claims(turn);
}

/// On the first loop's thread.
void server::state::subscribe_claims(broker::broker& broker, const claims_service& service) {
    const auto of = service.account;
    for (const auto number : claims_subscriptions) broker.unsubscribe(number);
    claims_subscriptions.clear();
    using reply_list = std::vector<std::string>;
    /// What is asked is answered on the thread of the logins, which owns the accounts.
    const auto serve = [&](const std::string& subject, bytes_view queue, bool needs_reply,
                           auto make_replies) {
        const auto handle = [this, of, turn = service.turn, needs_reply,
                             make_replies](const internal_message& message, moment) {
            if (needs_reply && message.reply.empty()) return;
            logins.thread().post(
                [this, of, turn, make_replies, subject = std::string(message.subject),
                 reply = std::string(message.reply), payload = std::string(message.payload)] {
                    if (turn != claims_place.turn) return; // It was for another resolver.
                    auto replies = make_replies(subject, payload);
                    if (reply.empty() || replies.empty()) return;
                    // What was changed is changed on all loops before anybody hears so.
                    after_all_loops([this, of, reply, replies = std::move(replies)]() mutable {
                        for (auto& each : replies) {
                            publish(of, {.subject = reply, .body = std::move(each)});
                        }
                    });
                });
        };
        claims_subscriptions.push_back(broker.subscribe(of, subject, handle, queue));
    };
    for (const std::string prefix : {"$SYS.REQ.ACCOUNT.", "$SYS.ACCOUNT."}) {
        serve(prefix + "*.CLAIMS.UPDATE", {}, false, [this](const auto& subject, const auto& jwt) {
            return reply_list{claims->update(account_in(subject), jwt)};
        });
    }
    if (!service.has_folder) return;
    serve("$SYS.REQ.CLAIMS.UPDATE", {}, false,
          [this](const auto&, const auto& jwt) { return reply_list{claims->update({}, jwt)}; });
    serve("$SYS.REQ.CLAIMS.LIST", {}, true,
          [this](const auto&, const auto&) { return reply_list{claims->list()}; });
    serve("$SYS.REQ.CLAIMS.DELETE", {}, false,
          [this](const auto&, const auto& request) { return reply_list{claims->remove(request)}; });
    if (service.is_cache) return;
    serve("$SYS.REQ.ACCOUNT.*.CLAIMS.LOOKUP", {}, true, [this](const auto& subject, const auto&) {
        return reply_list{claims->lookup(account_in(subject))};
    });
    serve(pack_subject, "responder", true,
          [this](const auto&, const auto& hash) { return claims->pack(hash); });
    serve(pack_inbox(), {}, false, [this](const auto&, const auto& pack) {
        claims->merge(pack);
        return reply_list{};
    });
}

/// Runs a task when each loop has done what it was given before; nobody waits for that.
void server::state::after_all_loops(std::function<void()> task) {
    struct progress {
        std::function<void()> task;
        std::atomic<std::size_t> left;
    };
    auto shared = std::make_shared<progress>();
    shared->task = std::move(task);
    shared->left = loops.size();
    for (auto& each : loops) {
        each->post([shared](broker::broker&, moment) {
            if (--shared->left == 0) shared->task();
        });
    }
}

std::string server::state::pack_inbox() const { return "_INBOX.claims." + identity.id + ".pack"; }

/// How every answer of the system account begins.
std::string server::state::server_json() {
    json_writer json("");
    json.begin_object();
    write_server_members(json, *system->facts(), system->next_stamp());
    json.end_object();
    return json.take();
}

// --- Now and then; on the thread of the logins ---

void server::state::expire_claims(std::uint64_t turn) {
    logins.thread().post_at(net::steady_now() + expiry_interval, [this, turn] {
        if (turn != claims_place.turn) return;
        account_folder->directory().expire(net::wall_now());
        expire_claims(turn);
    });
}

/// Asks other servers for what they have and this one has not.
void server::state::compare_claims(std::uint64_t turn) {
    const auto& configured = claims_place.resolver.interval;
    const auto interval = configured == nanoseconds(0) ? pack_interval : configured;
    logins.thread().post_at(net::steady_now() + interval, [this, turn] {
        if (turn != claims_place.turn) return;
        const auto& hash = account_folder->directory().hash();
        publish(claims_place.account, {.subject = pack_subject,
                                       .reply = pack_inbox(),
                                       .body = std::string(hash.begin(), hash.end())});
        compare_claims(turn);
    });
}

/// Asks the servers that have all accounts for one.
void server::state::look_up_elsewhere(const std::string& account, account_resolver::answer then) {
    struct lookup {
        account_resolver::answer then;
        std::uint64_t number = 0;
        bool done = false;
    };
    auto shared = std::make_shared<lookup>();
    shared->then = std::move(then);
    const auto& configured = claims_place.resolver.timeout;
    const auto timeout =
        configured == nanoseconds(0) ? nanoseconds(limits::account_fetch_timeout) : configured;
    const auto of = claims_place.account;
    loops[0]->post([this, shared, of, account](broker::broker& broker, moment now) {
        const auto subject = "$SYS.REQ.ACCOUNT." + account + ".CLAIMS.LOOKUP";
        const auto inbox = "_INBOX.claims." + identity.id + "." + std::to_string(++claims_sequence);
        if (!broker.is_wanted(of, subject)) {
            shared->done = true;
            return shared->then(error(errc::no_account, "account jwt not found"));
        }
        shared->number =
            broker.subscribe(of, inbox, [&broker, shared](const internal_message& message, moment) {
                if (shared->done || message.payload.empty()) return;
                shared->done = true;
                broker.unsubscribe(shared->number);
                shared->then(std::string(message.payload));
            });
        broker.publish(of, {.subject = subject, .reply = inbox}, now);
    });
    logins.thread().post_at(net::steady_now() + timeout, [this, shared] {
        loops[0]->post([shared](broker::broker& broker, moment) {
            if (shared->done) return;
            shared->done = true;
            broker.unsubscribe(shared->number);
            shared->then(error(errc::no_account, "fetching jwt timed out"));
        });
    });
}

} // namespace pipit::server
