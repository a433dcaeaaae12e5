// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/claims_service.hpp>

#include <pipit/base/identity_limits.hpp>
#include <pipit/net/clock.hpp>
#include <pipit/server/account_directory.hpp>
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

nanoseconds or_default(nanoseconds configured, nanoseconds otherwise) {
    return configured == nanoseconds(0) ? otherwise : configured;
}

} // namespace

void claims_service::begin(broker::account_id system_account, const resolver_options& resolver,
                           directory_resolver* folder, const logger& log) {
    account_ = system_account;
    resolver_ = resolver;
    folder_ = folder;
    const auto turn = ++turn_;
    const bool is_cache = resolver.kind == resolver_kind::cache;
    requests_ = std::make_unique<claims_requests>(claims_requests::dependencies{
        its_.accounts, folder_ != nullptr ? &folder_->directory() : nullptr, is_cache,
        its_.server_json, log});
    if (is_cache) {
        folder_->ask_others_by([this](const std::string& account, account_resolver::answer then) {
            look_up_elsewhere(account, std::move(then));
        });
    }
    const service offered{account_, folder_ != nullptr, is_cache, turn};
    its_.loops[0]->post(
        [this, offered](broker::broker& broker, moment) { subscribe(broker, offered); });
    if (folder_ == nullptr) return;
    expire(turn);
    if (!is_cache) compare(turn);
}

/// On the first loop's thread.
void claims_service::subscribe(broker::broker& broker, const service& offered) {
    const auto of = offered.account;
    for (const auto number : subscriptions_) broker.unsubscribe(number);
    subscriptions_.clear();
    using reply_list = std::vector<std::string>;
    /// What is asked is answered on the accounts' thread.
    const auto serve = [&](const std::string& subject, bytes_view queue, bool needs_reply,
                           auto make_replies) {
        const auto handle = [this, of, turn = offered.turn, needs_reply,
                             make_replies](const internal_message& message, moment) {
            if (needs_reply && message.reply.empty()) return;
            its_.thread.post([this, of, turn, make_replies, subject = std::string(message.subject),
                              reply = std::string(message.reply),
                              payload = std::string(message.payload)] {
                if (turn != turn_) return; // It was for another resolver.
                auto replies = make_replies(subject, payload);
                if (reply.empty() || replies.empty()) return;
                // What was changed is changed on all loops before anybody hears so.
                post_to_all(
                    its_.loops, [](unsigned, broker::broker&, moment) {},
                    [this, of, reply, replies = std::move(replies)] {
                        for (const auto& each : replies) publish(of, reply, {}, each);
                    });
            });
        };
        subscriptions_.push_back(broker.subscribe(of, subject, handle, queue));
    };
    for (const std::string prefix : {"$SYS.REQ.ACCOUNT.", "$SYS.ACCOUNT."}) {
        serve(prefix + "*.CLAIMS.UPDATE", {}, false, [this](const auto& subject, const auto& jwt) {
            return reply_list{requests_->update(account_in(subject), jwt)};
        });
    }
    if (!offered.has_folder) return;
    serve("$SYS.REQ.CLAIMS.UPDATE", {}, false,
          [this](const auto&, const auto& jwt) { return reply_list{requests_->update({}, jwt)}; });
    serve("$SYS.REQ.CLAIMS.LIST", {}, true,
          [this](const auto&, const auto&) { return reply_list{requests_->list()}; });
    serve("$SYS.REQ.CLAIMS.DELETE", {}, false, [this](const auto&, const auto& request) {
        return reply_list{requests_->remove(request)};
    });
    if (offered.is_cache) return;
    serve("$SYS.REQ.ACCOUNT.*.CLAIMS.LOOKUP", {}, true, [this](const auto& subject, const auto&) {
        auto jwt = requests_->lookup(account_in(subject));
        return jwt ? reply_list{std::move(*jwt)} : reply_list{};
    });
    serve(pack_subject, "responder", true,
          [this](const auto&, const auto& hash) { return requests_->pack(hash); });
    serve(pack_inbox(), {}, false, [this](const auto&, const auto& pack) {
        requests_->merge(pack);
        if (pack.empty()) sync_merged(turn_); // The last one of an answer.
        return reply_list{};
    });
}

void claims_service::publish(broker::account_id of, std::string subject, std::string reply,
                             std::string body) {
    its_.loops[0]->post([of, subject = std::move(subject), reply = std::move(reply),
                         body = std::move(body)](broker::broker& broker, moment at) {
        broker.publish(of, {.subject = subject, .reply = reply, .payload = body}, at);
    });
}

std::string claims_service::inbox(const std::string& what) const {
    return "_INBOX.claims." + its_.server_id + "." + what;
}

// --- Now and then; on the accounts' thread ---

void claims_service::expire(std::uint64_t turn) {
    its_.thread.post_at(net::steady_now() + expiry_interval, [this, turn] {
        if (turn != turn_) return;
        folder_->directory().expire(net::wall_now());
        expire(turn);
    });
}

/// Asks other servers for what they have and this one has not.
void claims_service::compare(std::uint64_t turn) {
    const auto interval = or_default(resolver_.interval, pack_interval);
    its_.thread.post_at(net::steady_now() + interval, [this, turn] {
        if (turn != turn_) return;
        const auto& hash = folder_->directory().hash();
        publish(account_, pack_subject, pack_inbox(), std::string(hash.begin(), hash.end()));
        sync_merged(turn); // Also of an answer whose end has not come: who answered may be gone.
        compare(turn);
    });
}

/// Puts what was merged on the disk, account by account: in between logins have their turns.
void claims_service::sync_merged(std::uint64_t turn) {
    its_.thread.post([this, turn] {
        if (turn == turn_ && requests_->sync_next()) sync_merged(turn);
    });
}

/// Asks the servers that have all accounts for one.
void claims_service::look_up_elsewhere(const std::string& account, account_resolver::answer then) {
    struct lookup {
        account_resolver::answer then;
        std::uint64_t number = 0;
        bool done = false;
    };
    auto shared = std::make_shared<lookup>();
    shared->then = std::move(then);
    auto& loop = *its_.loops[0];
    loop.post([this, shared, of = account_, account](broker::broker& broker, moment now) {
        const auto subject = "$SYS.REQ.ACCOUNT." + account + ".CLAIMS.LOOKUP";
        const auto reply = inbox(std::to_string(++lookups_));
        if (!broker.is_wanted(of, subject)) {
            shared->done = true;
            return shared->then(error(errc::no_account, "account jwt not found"));
        }
        shared->number =
            broker.subscribe(of, reply, [&broker, shared](const internal_message& message, moment) {
                if (shared->done || message.payload.empty()) return;
                shared->done = true;
                broker.unsubscribe(shared->number);
                shared->then(std::string(message.payload));
            });
        broker.publish(of, {.subject = subject, .reply = reply}, now);
    });
    const auto timeout = or_default(resolver_.timeout, limits::account_fetch_timeout);
    its_.thread.post_at(net::steady_now() + timeout, [&loop, shared] {
        loop.post([shared](broker::broker& broker, moment) {
            if (shared->done) return;
            shared->done = true;
            broker.unsubscribe(shared->number);
            shared->then(error(errc::no_account, "fetching jwt timed out"));
        });
    });
}

} // namespace pipit::server
