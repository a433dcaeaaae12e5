// SPDX-License-Identifier: Apache-2.0
// Accounts and users that an operator's JWTs say.
#include <pipit/auth/jwt.hpp>
#include <pipit/base/limits.hpp>
#include <pipit/net/clock.hpp>
#include <pipit/protocol/go_text.hpp>
#include <pipit/server/account_directory.hpp>
#include <pipit/server/account_excess.hpp>
#include <pipit/server/detail/server_state.hpp>
#include <pipit/server/detail/system_state.hpp>
#include <pipit/server/error.hpp>

#include <future>
#include <set>

namespace pipit::server {
namespace {

error invalid(std::string text) { return {errc::invalid_configuration, std::move(text)}; }

} // namespace

result<> server::state::start_authority() {
    if (!is_in_operator_mode(options)) return {};
    auto resolver = make_resolver(options.resolver, log);
    if (const auto tried = try_resolver(options.resolver); resolver && !tried) {
        resolver = tried.error();
    }
    if (!resolver) {
        log_fatal(resolver.error());
        return resolver.error();
    }
    account_folder = dynamic_cast<directory_resolver*>(resolver->get());
    if (account_folder != nullptr) account_folder->directory().remove_partial_files();
    jwt_accounts = std::make_unique<known_accounts>(
        trust_of(options), std::move(*resolver),
        account_dependencies{accounts, logins.thread(),
                             [this](broker::account_update update, std::function<void()> done) {
                                 put_account(std::move(update), std::move(done));
                             },
                             log,
                             [this] {
                                 const auto config = seen.configuration();
                                 return config && config->live_permissions;
                             }});
    authority = std::make_unique<jwt_authority>(*jwt_accounts);
    if (auto stored = store_preloads(); !stored) {
        log_fatal(stored.error());
        return stored;
    }
    if (auto found = find_system_account(); !found) {
        log_fatal(found.error());
        return found;
    }
    logins.judge_jwts_by(
        [this](broker::login_question question, std::function<void(broker::login_answer)> answer) {
            authority->judge(std::move(question), std::move(answer));
        });
    claims = std::make_unique<claims_service>(
        claims_service::dependencies{*jwt_accounts, logins.thread(), loops, identity.id,
                                     [this] { return system->server_json(); }});
    serve_claims(options.resolver, log);
    return {};
}

/// Somebody has to see the server from inside. At the start, and on the thread of the logins when a
/// reload brought another resolver.
void server::state::serve_claims(const resolver_options& how, const logger& now_log) {
    const auto system_account = seen.configuration()->system_account;
    if (system_account) claims->begin(*system_account, how, account_folder, now_log);
}

/// Where JWTs come from outside, that of the system account may come too, by a user that its own
/// key has signed. Source: nats-server.
result<> server::state::find_system_account() {
    const auto& name = options.system_account;
    if (name.empty()) return {};
    const auto loaded = jwt_accounts->load(name);
    if (loaded) return {};
    if (options.operators.size() == 1 && options.resolver.kind != resolver_kind::memory) {
        return jwt_accounts->stand_in_for(name);
    }
    return invalid("error resolving system account: " + std::string(loaded.error().detail()));
}

/// What the configuration brings itself. Errors: a JWT that cannot be believed at all.
result<> server::state::store_preloads() {
    if (!options.resolver_preload.empty() && options.resolver.kind == resolver_kind::url) {
        return invalid("resolver preloads only available for writeable resolver types "
                       "MEM/DIR/CACHE_DIR");
    }
    for (const auto& [account, jwt] : options.resolver_preload) {
        const auto decoded = auth::decode_account_jwt(jwt);
        if (!decoded) {
            return invalid("preload account error for " + protocol::quoted(account) + ": " +
                           decoded.error().message());
        }
        if (const auto problem = auth::problem_of(*decoded); !problem.empty()) {
            log.warning("Account [" + account + "] has validation issues:");
            log.warning("  - " + problem);
        }
        if (auto stored = jwt_accounts->resolver().store(account, jwt); !stored) return stored;
    }
    return {};
}

/// Where accounts come from after a reload; null: from where they came before.
result<std::unique_ptr<account_resolver>>
server::state::changed_resolver(const server_options& next) {
    const bool is_anew =
        next.resolver != options.resolver || next.resolver.kind == resolver_kind::memory;
    if (!jwt_accounts || !is_anew) return std::unique_ptr<account_resolver>();
    return make_resolver(next.resolver, log);
}

/// On the thread of the logins, which own it.
void server::state::take_resolver(std::unique_ptr<account_resolver> resolver,
                                  const server_options& next) {
    account_folder = dynamic_cast<directory_resolver*>(resolver.get());
    jwt_accounts->take_resolver(std::move(resolver));
    if (next.resolver.kind != resolver_kind::memory) return;
    std::set<std::string> all;
    for (const auto& [account, jwt] : next.resolver_preload) {
        all.insert(account);
        (void)jwt_accounts->resolver().store(account, jwt); // Where nothing fails.
    }
    jwt_accounts->keep_only(all);
}

/// After a reload: what its configuration brings is the newest of those accounts.
void server::state::obey_resolver(const server_options& before,
                                  std::unique_ptr<account_resolver> resolver) {
    if (!jwt_accounts) return;
    logins.thread().post([this, trust = trust_of(options)] { jwt_accounts->take_trust(trust); });
    const bool is_elsewhere = before.resolver != options.resolver;
    if (resolver) {
        auto shared = std::make_shared<std::unique_ptr<account_resolver>>(std::move(resolver));
        logins.thread().post([this, shared, next = options, is_elsewhere, now_log = log] {
            take_resolver(std::move(*shared), next);
            if (is_elsewhere) serve_claims(next.resolver, now_log);
        });
    }
    logins.thread().post([this, now_log = log] { read_folder_again(now_log); });
    for (const auto& [account, jwt] : options.resolver_preload) {
        const auto old = before.resolver_preload.find(account);
        const bool is_kept = old != before.resolver_preload.end() && old->second == jwt;
        // What others said of it meanwhile holds until then, where nothing keeps it.
        const bool is_forgotten = options.resolver.kind == resolver_kind::memory;
        if (is_kept && !is_elsewhere && !is_forgotten) continue;
        logins.thread().post([this, account, jwt, now_log = log] {
            if (!auth::decode_account_jwt(jwt)) return;
            auto obeyed = jwt_accounts->resolver().store(account, jwt);
            if (obeyed) obeyed = jwt_accounts->update(account, jwt);
            if (!obeyed) now_log.error(obeyed.error().detail());
        });
    }
    // Who hears that it is done, sees it done.
    auto done = std::make_shared<std::promise<void>>();
    const auto all_are_obeyed = done->get_future();
    logins.thread().post([done] { done->set_value(); });
    if (all_are_obeyed.wait_for(limits::loop_deadline) != std::future_status::ready) {
        log.error("The accounts' JWTs have not been read again in time");
    }
}

/// Somebody may have put JWTs into the folder. On the thread of the logins.
void server::state::read_folder_again(const logger& now_log) {
    if (account_folder == nullptr) return;
    auto& folder = account_folder->directory();
    const auto changed = folder.reload(net::wall_now());
    if (!changed) return now_log.error(changed.error().detail());
    for (const auto& problem : folder.problems()) now_log.error(problem);
    for (const auto& account : *changed) {
        const auto jwt = folder.load(account, net::wall_now());
        if (!jwt || !*jwt) continue;
        if (const auto obeyed = jwt_accounts->update(account, **jwt); !obeyed) {
            now_log.error("DirResolver - Update for account \"" + account +
                          "\" resulted in error " + std::string(obeyed.error().detail()));
        }
    }
}

/// On the thread of the logins, or before there is one.
void server::state::put_account(broker::account_update update, std::function<void()> done) {
    auto shared = std::make_shared<broker::account_update>(std::move(update));
    post_to_all(
        loops,
        [this, shared](unsigned index, broker::broker& broker, moment now) {
            broker.put_account(*shared, now);
            if (index == 0) serve_account(broker, *shared->config);
        },
        [this, shared, done = std::move(done)] {
            // Only from now on does no loop let another one in.
            if (const auto& config = *shared->config; has_excess(config)) {
                logins.thread().post([this, name = config.name] { close_excess_of_known(name); });
            }
            done();
        });
}

/// On the thread of the logins. What is known of the account now may be newer than what loops obey:
/// then this is done again, when they do.
void server::state::close_excess_of_known(const std::string& account) {
    const auto* const found = jwt_accounts->find(account);
    if (found == nullptr || !has_excess(*found->config)) return;
    if (!close_excess_of({found->config.get(), 1})) {
        log.error("A loop has not said in time who is connected, and " + account + " has too many");
    }
}

/// The configuration with the accounts that are known by their JWTs.
std::shared_ptr<const broker::configuration>
server::state::with_known_accounts(std::shared_ptr<const broker::configuration> config) {
    if (!jwt_accounts) return config;
    const std::lock_guard guard(known.lock);
    if (known.from == config && known.version == jwt_accounts->accounts_version()) {
        return known.with_accounts;
    }
    const auto list = jwt_accounts->accounts();
    auto merged = std::make_shared<broker::configuration>(*config);
    std::set<broker::account_id> by_jwt;
    for (const auto& account : list.accounts) by_jwt.insert(account->id);
    std::erase_if(merged->accounts, [&](const broker::account_configuration& account) {
        return by_jwt.contains(account.id);
    });
    for (const auto& account : list.accounts) merged->accounts.push_back(*account);
    known.from = std::move(config);
    known.version = list.version;
    known.with_accounts = merged;
    return merged;
}

} // namespace pipit::server
