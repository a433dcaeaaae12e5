// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/jwt_authority.hpp>

#include <pipit/auth/nonce.hpp>
#include <pipit/auth/user_template.hpp>
#include <pipit/base/identity_limits.hpp>
#include <pipit/net/clock.hpp>
#include <pipit/protocol/go_text.hpp>
#include <pipit/server/callout_answer.hpp>
#include <pipit/server/duration_text.hpp>
#include <pipit/server/error.hpp>
#include <pipit/server/jwt_links.hpp>
#include <pipit/server/jwt_user.hpp>

#include <algorithm>
#include <future>
#include <utility>

namespace pipit::server {

using broker::login_answer;

struct jwt_authority::known_account {
    known_claims claims;
    std::string jwt;
    std::uint64_t version = 0;
    bool is_deleted = false;
    std::shared_ptr<const broker::account_configuration> config;
    broker::shared_counters::account_counters counters;
};

namespace {

error refused(std::string why) { return {errc::no_account, std::move(why)}; }

const broker::jwt_check& check_of(const broker::login_question& question) {
    return std::get<broker::jwt_check>(question.what);
}

bool lacks_proxy(const auth::user_rights& rights, const broker::jwt_check& check) {
    return rights.proxy_required && !check.by_trusted_proxy;
}

login_answer without_proxy() {
    auto refusal = login_answer::refusal("proxy connection required");
    refusal.reason = broker::close_reason::proxy_required;
    return refusal;
}

std::string problem_with(const auth::user_jwt& user, wall_time now) {
    switch (auth::time_of(user, now)) {
    case auth::jwt_time::valid: return {};
    case auth::jwt_time::expired: return "claim is expired";
    case auth::jwt_time::not_yet_valid: return "claim is not yet valid";
    }
    return {};
}

} // namespace

jwt_authority::jwt_authority(operator_trust trust, std::unique_ptr<account_resolver> resolver,
                             authority_surroundings surroundings)
    : trust_(std::move(trust)),
      around_(std::move(surroundings)),
      users_(limits::verified_jwts, limits::verified_jwt_bytes) {
    sources_.push_back({std::move(resolver)});
}

jwt_authority::~jwt_authority() = default;

// --- Users ---

void jwt_authority::judge(broker::login_question question, answer_function answer) {
    const auto refuse = [&](std::string why) { answer(login_answer::refusal(std::move(why))); };
    auto token = check_of(question).jwt;
    auto known = users_.find(token);
    if (known == nullptr) {
        auto claims = auth::decode_user_jwt(token);
        if (!claims && !trust_.default_sentinel.empty()) {
            token = trust_.default_sentinel;
            claims = auth::decode_user_jwt(token);
        }
        if (!claims) {
            if (token.empty()) return refuse("Authentication requires a user JWT");
            return refuse("User JWT not valid: " + std::string(claims.error().detail()));
        }
        if (lacks_proxy(claims->rights, check_of(question))) return answer(without_proxy());
        if (const auto problem = auth::problem_of(*claims); !problem.empty()) {
            return refuse("User JWT no longer valid: " + problem);
        }
        known = std::make_shared<verified_user>();
        known->token = std::move(token);
        known->claims = std::move(*claims);
    }
    if (lacks_proxy(known->claims.rights, check_of(question))) return answer(without_proxy());
    if (const auto problem = problem_with(known->claims, net::wall_now()); !problem.empty()) {
        return refuse("User JWT no longer valid: " + problem);
    }
    const auto& account = known->claims.account();
    if (!trust_.pinned_accounts.empty() && !trust_.pinned_accounts.contains(account)) {
        ++refused_unpinned_;
        return refuse("Account " + account + " not listed as operator pinned account");
    }
    const auto found = accounts_.find(account);
    if (found == accounts_.end() || is_over(*found->second) || waiting_.contains(account)) {
        const auto address = question.address;
        return fetch(account, address,
                     [this, account, known, question = std::move(question),
                      answer = std::move(answer)](const std::string& why_not) {
                         if (!why_not.empty()) return answer(login_answer::refusal(why_not));
                         judge_in(*accounts_.at(account), known, question, answer);
                     });
    }
    judge_in(*found->second, known, question, answer);
}

/// The account is known, and as it was last heard of.
void jwt_authority::judge_in(known_account& account, const std::shared_ptr<verified_user>& known,
                             const broker::login_question& question,
                             const answer_function& answer) {
    const auto refuse = [&](std::string why, log_level level = log_level::debug) {
        auto refusal = login_answer::refusal(std::move(why));
        refusal.level = level;
        answer(std::move(refusal));
    };
    auto& user = *known;
    const auto now = net::wall_now();
    if (user.account_version != account.version) {
        if (auto problem = find_rights(account, user); !problem.empty()) return refuse(problem);
        // One that a service made is for this login only.
        if (!check_of(question).vouched_for) users_.add(known);
    }
    if (is_over(account)) return refuse("Account JWT has expired");
    // Its signing key may say so.
    if (lacks_proxy(user.rights, check_of(question))) return answer(without_proxy());
    if (user.rights.bearer_token && account.claims->limits.disallow_bearer) {
        return refuse("Account does not allow bearer tokens");
    }
    const auto& check = check_of(question);
    auto entry = may_enter(user.rights, question.address, check, now);
    if (entry.why_not == "Connection type not allowed") return refuse(entry.why_not);
    if (!user.rights.bearer_token && !check.vouched_for) {
        if (check.signature.empty()) return refuse("Signature missing");
        if (!auth::verify_nonce(user.claims.subject, check.nonce, check.signature)) {
            return refuse("Signature not verified");
        }
    }
    if (account.claims->revokes(user.claims.subject, user.claims.issued_at)) {
        return refuse("User authentication revoked");
    }
    if (!entry.why_not.empty()) return refuse(entry.why_not, log_level::error);

    auto who = user.user;
    if (entry.until && (!who->expires || *entry.until < *who->expires)) {
        auto for_now = std::make_shared<broker::user_configuration>(*who);
        for_now->expires = entry.until;
        who = std::move(for_now);
    }
    const auto& decided_by_users = account.claims->callout_users;
    const bool delegated =
        !check.vouched_for && !decided_by_users.empty() &&
        std::ranges::find(decided_by_users, user.claims.subject) == decided_by_users.end();
    if (!check.vouched_for && !decided_by_users.empty() && !delegated) {
        auto service = std::make_shared<broker::user_configuration>(*who);
        keep_from_asking(*service);
        who = std::move(service);
    }
    answer({.accepted = true,
            .user = std::move(who),
            .service = delegated ? service_of(account) : nullptr});
}

/// Who decides about the users of an account that delegates that.
std::shared_ptr<const broker::callout_configuration>
jwt_authority::service_of(const known_account& account) {
    const auto& claims = *account.claims;
    auto service = std::make_shared<broker::callout_configuration>();
    service->account = account.config->id;
    service->account_name = service->issuer = claims.subject;
    for (const auto& [key, scope] : claims.signing_keys) service->signing_keys.insert(key);
    service->allowed_accounts.insert(claims.callout_accounts.begin(),
                                     claims.callout_accounts.end());
    service->xkey = claims.callout_xkey;
    service->by_jwt = true;
    return service;
}

/// What the user may do under the account as it is now. Returns what speaks against it.
std::string jwt_authority::find_rights(const known_account& account, verified_user& user) const {
    const auto& claims = *account.claims;
    user.account_version = 0;
    const auto signer = claims.signing_keys.find(user.claims.issuer);
    const bool signs_itself =
        user.claims.issuer == claims.subject && (!trust_.strict_keys.contains(claims.issuer));
    if (signer == claims.signing_keys.end() && !signs_itself) {
        return "User JWT issuer is not known";
    }
    user.rights = user.claims.rights;
    if (signer != claims.signing_keys.end() && signer->second) {
        if (user.claims.rights != auth::user_rights{}) {
            return "User JWT is not valid: scoped users require no permissions or limits set";
        }
        auto filled = auth::fill_template(*signer->second, user.claims, claims);
        if (!filled) return "User JWT generated invalid permissions";
        user.rights = std::move(*filled);
    }
    auto made = user_of(user.claims, user.rights, claims, account.config->id, user.token);
    if (!made) return "User JWT generated invalid permissions";
    user.user = std::move(*made);
    user.account_version = account.version;
    return {};
}

// --- Accounts ---

bool jwt_authority::is_over(const known_account& account) const {
    const auto& expires = account.config->expires;
    return account.is_deleted || (expires && *expires <= net::wall_now());
}

void jwt_authority::fetch(const std::string& account, const std::string& address,
                          continuation then) {
    const bool is_asked_for = waiting_.contains(account);
    const auto most = to_fetch_.waiting_of(address) < limits::account_fetches_of_address
                          ? limits::account_fetches
                          : limits::account_fetches / 2;
    if (!is_asked_for && waiting_.size() >= most) {
        return then("too many accounts are being looked up");
    }
    waiting_[account].push_back(std::move(then));
    if (is_asked_for) return;
    to_fetch_.push(address, account);
    fetch_next();
}

void jwt_authority::fetch_next() {
    while (fetching_ < limits::account_fetches_at_once) {
        const auto next = to_fetch_.take();
        if (!next) return;
        ++fetching_;
        auto& from = sources_.back();
        ++from.fetching;
        const auto begin = net::steady_now();
        from.resolver->fetch(*next, [this, &from, account = *next, begin](result<std::string> jwt) {
            const auto took = net::steady_now() - begin;
            around_.thread.post([this, &from, account, took, jwt = std::move(jwt)] {
                --fetching_;
                --from.fetching;
                drop_old_sources();
                note_fetch(account, took);
                on_fetched(account, jwt);
                fetch_next();
            });
        });
    }
}

void jwt_authority::note_fetch(const std::string& account, nanoseconds took) const {
    const auto line = "Account [" + account + "] fetch took " + duration_text(took);
    if (took > std::chrono::seconds(1)) return around_.log.warning(line);
    around_.log.debug(line);
}

void jwt_authority::on_fetched(const std::string& account, const result<std::string>& jwt) {
    const auto fail = [&](const std::string& why) {
        resume(account, "Account JWT lookup error: " + why);
    };
    if (!jwt) {
        around_.log.warning("Account fetch failed: " + std::string(jwt.error().detail()));
        return fail(std::string(jwt.error().detail()));
    }
    auto claims = verified(account, *jwt);
    if (!claims) return fail(std::string(claims.error().detail()));
    // A cache keeps what others said; where it came from there, it is the same.
    if (const auto stored = resolver().store(account, *jwt); !stored) {
        around_.log.error(std::string(stored.error().detail()));
    }
    around_.log.debug("Updating account claims: " + account + "/" + (*claims)->name);
    auto installed = install(std::move(*claims), *jwt, [this, account] {
        around_.thread.post([this, account] {
            fetch_exporters(account, [this, account] { resume(account, {}); });
        });
    });
    if (!installed) fail(std::string(installed.error().detail()));
}

/// Goes on with those who waited for an account.
void jwt_authority::resume(const std::string& account, const std::string& why_not) {
    const auto found = waiting_.find(account);
    if (found == waiting_.end()) return;
    const auto all = std::move(found->second);
    waiting_.erase(found);
    for (const auto& each : all) each(why_not);
}

// --- Exports and imports ---

/// Fetches the accounts that it imports from and that are not known yet, links it again when it has
/// them, and goes on. An account that is being fetched itself is known already: there is no circle.
void jwt_authority::fetch_exporters(const std::string& account, std::function<void()> then) {
    struct progress {
        std::size_t left = 1;
        std::function<void()> then;
    };
    auto shared = std::make_shared<progress>();
    shared->then = std::move(then);
    const auto one_is_done = [this, account, shared] {
        if (--shared->left > 0) return;
        link(*accounts_.at(account));
        shared->then();
    };
    bool some_are_missing = false;
    for (const auto& exporter : exporters_of(*accounts_.at(account)->claims)) {
        if (accounts_.contains(exporter) ||
            !auth::is_public_key(exporter, auth::nkey_prefix::account)) {
            continue;
        }
        some_are_missing = true;
        ++shared->left;
        fetch(exporter, {}, [one_is_done](const std::string&) { one_is_done(); });
    }
    if (!some_are_missing) return shared->then();
    one_is_done();
}

/// What its JWT says, and what the system account gives beside.
result<std::shared_ptr<const broker::account_configuration>>
jwt_authority::configured(const auth::account_jwt& claims, const std::string& jwt,
                          broker::account_id id, wall_time updated) const {
    auto config = account_of(claims, jwt, id, updated);
    if (!config || claims.subject != trust_.system_account) return config;
    auto more = std::make_shared<broker::account_configuration>(**config);
    add_system_exports(*more);
    return std::shared_ptr<const broker::account_configuration>(std::move(more));
}

/// Makes the account what its JWT says, with what the exporters that are known allow it now.
void jwt_authority::import_anew(known_account& account) {
    auto config = configured(*account.claims, account.jwt, account.config->id,
                             account.config->claims->updated);
    if (!config) return;
    auto linked = std::make_shared<broker::account_configuration>(**config);
    const auto problems = add_imports(
        *account.claims, *linked,
        [this](const std::string& name) -> known_exporter {
            const auto found = accounts_.find(name);
            if (found == accounts_.end() || found->second->is_deleted) return {};
            return {found->second->claims, found->second->config};
        },
        net::wall_now());
    for (const auto& problem : problems) around_.log.error(problem);
    const std::lock_guard guard(lock_);
    account.config = std::move(linked);
    ++list_version_;
}

void jwt_authority::link(known_account& account) {
    import_anew(account);
    around_.put_account({account.config, &account.counters, {}}, [] {});
}

void jwt_authority::link_importers_of(const std::string& account) {
    const auto importers = importers_.find(account);
    if (importers == importers_.end()) return;
    for (const auto& name : importers->second) {
        const auto found = accounts_.find(name);
        if (found != accounts_.end() && !found->second->is_deleted) link(*found->second);
    }
}

result<known_claims> jwt_authority::verified(const std::string& account,
                                             const std::string& jwt) const {
    auto claims = auth::decode_account_jwt(jwt);
    if (!claims) return refused(std::string(claims.error().detail()));
    const bool is_valid = claims->subject == account && trust_.trusts(claims->issuer) &&
                          auth::time_of(*claims, net::wall_now()) == auth::jwt_time::valid &&
                          auth::problem_of(*claims).empty();
    if (!is_valid) return refused("account validation failed");
    return std::make_shared<const auth::account_jwt>(std::move(*claims));
}

/// Makes the account, or what is known of it, what its JWT says, on all loops.
result<> jwt_authority::install(known_claims claims, const std::string& jwt,
                                std::function<void()> done) {
    const auto name = claims->subject;
    for (const auto& exporter : exporters_of(*claims)) importers_[exporter].insert(name);
    auto config = configured(*claims, jwt, around_.numbers.number_of(name), net::wall_now());
    if (!config) return refused(std::string(config.error().detail()));
    known_account* account = nullptr;
    known_claims before;
    {
        const std::lock_guard guard(lock_);
        auto& slot = accounts_[name];
        if (slot == nullptr) slot = std::make_unique<known_account>();
        account = slot.get();
        before = std::exchange(account->claims, claims);
        account->config = std::move(*config);
        ++list_version_;
    }
    account->jwt = jwt;
    account->is_deleted = false;
    account->version = next_version_++;
    const bool is_new = before == nullptr;
    const bool is_live = around_.live_permissions && around_.live_permissions();
    auto judge = is_new ? broker::session_judge() : judge_of(before, claims, is_live);
    // At once with its imports: who has them already loses no message.
    if (!claims->imports.empty()) import_anew(*account);
    around_.put_account({account->config, &account->counters, std::move(judge)}, std::move(done));
    if (!is_new || !claims->exports.empty()) link_importers_of(name);
    return {};
}

result<> jwt_authority::update(const std::string& account, const std::string& jwt) {
    const auto found = accounts_.find(account);
    if (found == accounts_.end()) return {};
    if (found->second->jwt == jwt && !found->second->is_deleted) {
        around_.log.debug("Requested account update for [" + account + "], same claims detected");
        return {};
    }
    auto claims = verified(account, jwt);
    if (!claims) return claims.error();
    around_.log.debug("Updating account claims: " + account + "/" + (*claims)->name);
    return install(std::move(*claims), jwt, [this, account] {
        around_.thread.post([this, account] { fetch_exporters(account, [] {}); });
    });
}

void jwt_authority::forget(const std::string& account) {
    const auto found = accounts_.find(account);
    if (found == accounts_.end() || found->second->is_deleted) return;
    around_.log.debug("Disable account " + account + " due to remove");
    remove(*found->second, nobody_stays());
}

void jwt_authority::remove(known_account& account, broker::session_judge judge) {
    account.is_deleted = true;
    around_.put_account({account.config, &account.counters, std::move(judge)}, [] {});
    link_importers_of(account.claims->subject);
}

void jwt_authority::take_resolver(std::unique_ptr<account_resolver> resolver) {
    sources_.push_back({std::move(resolver)});
    drop_old_sources();
}

void jwt_authority::drop_old_sources() {
    for (auto each = sources_.begin(); each != std::prev(sources_.end());) {
        each = each->fetching == 0 ? sources_.erase(each) : std::next(each);
    }
}

void jwt_authority::keep_only(const std::set<std::string>& accounts) {
    for (const auto& [name, account] : accounts_) {
        const bool stays = accounts.contains(name) || name == trust_.system_account;
        if (stays || account->is_deleted) continue;
        around_.log.info("Reloaded: deleting account [removed]: " + protocol::quoted(name));
        remove(*account, everybody_is_refused());
    }
}

void jwt_authority::stop() {
    for (auto& each : sources_) each.resolver->stop();
}

bool jwt_authority::knows(const std::string& account) const { return accounts_.contains(account); }

result<std::shared_ptr<const broker::account_configuration>>
jwt_authority::load(const std::string& account) {
    auto answered = std::make_shared<std::promise<result<std::string>>>();
    auto answer = answered->get_future();
    const auto begin = net::steady_now();
    resolver().fetch(account, [answered](result<std::string> fetched) {
        answered->set_value(std::move(fetched));
    });
    if (answer.wait_for(2 * limits::account_fetch_timeout) != std::future_status::ready) {
        return refused("fetching jwt timed out");
    }
    const auto jwt = answer.get();
    note_fetch(account, net::steady_now() - begin);
    if (!jwt) return jwt.error();
    auto claims = verified(account, *jwt);
    if (!claims) return claims.error();
    around_.log.debug("Updating account claims: " + account + "/" + (*claims)->name);
    if (auto installed = install(std::move(*claims), *jwt, [] {}); !installed) {
        return installed.error();
    }
    return accounts_.at(account)->config;
}

void jwt_authority::take_trust(operator_trust trust) {
    trust_ = std::move(trust);
    if (trust_.pinned_accounts.empty()) return;
    for (const auto& [name, account] : accounts_) {
        if (trust_.pinned_accounts.contains(name)) continue;
        around_.put_account({account->config, &account->counters, nobody_stays()}, [] {});
    }
}

result<> jwt_authority::stand_in_for(const std::string& account) {
    auto claims = std::make_shared<auth::account_jwt>();
    claims->subject = account;
    claims->issuer = trust_.first_operator;
    constexpr std::int64_t unlimited = -1;
    claims->limits = {.subscriptions = unlimited,
                      .data = unlimited,
                      .payload = unlimited,
                      .imports = unlimited,
                      .exports = unlimited,
                      .connections = unlimited,
                      .leaf_nodes = unlimited,
                      .wildcard_exports = true};
    return install(std::move(claims), {}, [] {});
}

jwt_authority::account_list jwt_authority::accounts() const {
    const std::lock_guard guard(lock_);
    account_list list{list_version_, {}};
    list.accounts.reserve(accounts_.size());
    for (const auto& [name, account] : accounts_) list.accounts.push_back(account->config);
    return list;
}

std::uint64_t jwt_authority::accounts_version() const {
    const std::lock_guard guard(lock_);
    return list_version_;
}

} // namespace pipit::server
