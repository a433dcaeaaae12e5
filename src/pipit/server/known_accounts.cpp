// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/known_accounts.hpp>

#include <pipit/auth/nkey.hpp>
#include <pipit/base/identity_limits.hpp>
#include <pipit/net/clock.hpp>
#include <pipit/protocol/go_text.hpp>
#include <pipit/server/duration_text.hpp>
#include <pipit/server/error.hpp>
#include <pipit/server/jwt_user.hpp>

#include <future>
#include <utility>

namespace pipit::server {
namespace {

error refused(std::string why) { return {errc::no_account, std::move(why)}; }

} // namespace

bool known_account::is_over(wall_time now) const {
    return is_deleted || (config->expires && *config->expires <= now);
}

known_accounts::known_accounts(operator_trust trust, std::unique_ptr<account_resolver> resolver,
                               account_dependencies dependencies)
    : trust_(std::move(trust)), its_(std::move(dependencies)) {
    sources_.push_back({std::move(resolver)});
}

known_accounts::~known_accounts() = default;

const known_account* known_accounts::find(const std::string& account) const {
    const auto found = accounts_.find(account);
    return found == accounts_.end() ? nullptr : found->second.get();
}

const known_account* known_accounts::current(const std::string& account) const {
    const auto* const found = find(account);
    if (found == nullptr || found->is_over(net::wall_now())) return nullptr;
    return waiting_.contains(account) ? nullptr : found;
}

// --- Fetching ---

void known_accounts::fetch(const std::string& account, party by, continuation then) {
    const bool is_asked_for = waiting_.contains(account);
    const auto most = to_fetch_.waiting_of(by) < limits::account_fetches_of_party
                          ? limits::account_fetches
                          : limits::account_fetches / 2;
    if (!is_asked_for && waiting_.size() >= most) {
        return then("too many accounts are being looked up");
    }
    waiting_[account].push_back(std::move(then));
    if (!is_asked_for || in_line_.contains(account)) wait_for_turn(account, by);
    fetch_next();
}

/// Who wants what others want too waits for the first of their turns.
void known_accounts::wait_for_turn(const std::string& account, party by) {
    if (in_line_[account].insert(by).second) to_fetch_.push(by, account);
}

void known_accounts::fetch_next() {
    while (fetching_.size() < limits::account_fetches_at_once) {
        const auto next = to_fetch_.take();
        if (!next) return;
        if (in_line_.erase(*next) != 0) ask_for(*next);
    }
}

/// What is answered was read before this thread hears it: what happens here in between may be
/// newer.
void known_accounts::ask_for(const std::string& account) {
    fetching_[account] = false;
    auto& from = sources_.back();
    ++from.fetching;
    const auto begin = net::steady_now();
    from.resolver->fetch(account, [this, &from, account, begin](result<std::string> jwt) {
        const auto took = net::steady_now() - begin;
        its_.thread.post([this, &from, account, took, jwt = std::move(jwt)] {
            --from.fetching;
            drop_old_sources();
            note_fetch(account, took);
            const bool is_overtaken = fetching_.extract(account).mapped();
            if (is_overtaken) return ask_for(account);
            on_fetched(account, jwt);
            fetch_next();
        });
    });
}

void known_accounts::note_fetch(const std::string& account, nanoseconds took) const {
    const auto line = "Account [" + account + "] fetch took " + duration_text(took);
    if (took > std::chrono::seconds(1)) return its_.log.warning(line);
    its_.log.debug(line);
}

void known_accounts::on_fetched(const std::string& account, const result<std::string>& jwt) {
    if (!jwt) {
        its_.log.warning("Account fetch failed: " + std::string(jwt.error().detail()));
        return resume(account, std::string(jwt.error().detail()));
    }
    auto claims = verified(account, *jwt);
    if (!claims) return resume(account, std::string(claims.error().detail()));
    // A cache keeps what others said; where it came from there, it is the same.
    if (const auto stored = resolver().store(account, *jwt); !stored) {
        its_.log.error(std::string(stored.error().detail()));
    }
    its_.log.debug("Updating account claims: " + account + "/" + (*claims)->name);
    auto installed = install(std::move(*claims), *jwt, [this, account] {
        its_.thread.post([this, account] {
            fetch_exporters(account, [this, account] { resume(account, {}); });
        });
    });
    if (!installed) resume(account, std::string(installed.error().detail()));
}

/// Goes on with those who waited for an account.
void known_accounts::resume(const std::string& account, const std::string& why_not) {
    const auto found = waiting_.find(account);
    if (found == waiting_.end()) return;
    const auto all = std::move(found->second);
    waiting_.erase(found);
    for (const auto& each : all) each(why_not);
}

// --- Exports and imports ---

/// Fetches the accounts that it imports from and that are not known yet, links it again when it has
/// them, and goes on. An account that is being fetched itself is known already: there is no circle.
void known_accounts::fetch_exporters(const std::string& account, std::function<void()> then) {
    struct progress {
        std::size_t left = 1;
        std::function<void()> then;
        reasons why_not;
    };
    auto shared = std::make_shared<progress>();
    shared->then = std::move(then);
    const auto one_is_done = [this, account, shared] {
        if (--shared->left > 0) return;
        link(*accounts_.at(account), shared->why_not);
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
        fetch(exporter, {}, [one_is_done, shared, exporter](const std::string& why_not) {
            if (!why_not.empty()) shared->why_not.emplace(exporter, why_not);
            one_is_done();
        });
    }
    if (!some_are_missing) return shared->then();
    one_is_done();
}

/// What its JWT says, and what the system account gives beside.
result<std::shared_ptr<const broker::account_configuration>>
known_accounts::configured(const auth::account_jwt& claims, const std::string& jwt,
                           wall_time updated) const {
    auto config = account_of(claims, jwt, its_.numbers, updated);
    if (!config || claims.subject != trust_.system_account) return config;
    auto more = std::make_shared<broker::account_configuration>(**config);
    add_system_exports(*more);
    return std::shared_ptr<const broker::account_configuration>(std::move(more));
}

/// Makes the account what its JWT says, with what the exporters that are known allow it now.
void known_accounts::import_anew(known_account& account, const reasons& why_not) {
    auto config = configured(*account.claims, account.jwt, account.config->claims->updated);
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
    for (const auto& problem : problems) log_problem(problem, why_not);
    const std::lock_guard guard(lock_);
    account.config = std::move(linked);
    ++list_version_;
}

/// Of an account that nobody has looked for yet nothing is said: it will be, and linked then.
void known_accounts::log_problem(const import_problem& problem, const reasons& why_not) const {
    const auto& missing = problem.missing_account;
    if (missing.empty()) return its_.log.debug(problem.text);
    const auto why = why_not.find(missing);
    if (why != why_not.end()) {
        its_.log.error(problem.text + " (err=" + why->second + ")");
    } else if (accounts_.contains(missing) ||
               !auth::is_public_key(missing, auth::nkey_prefix::account)) {
        its_.log.error(problem.text + " (err=account missing)");
    }
}

void known_accounts::link(known_account& account, const reasons& why_not) {
    import_anew(account, why_not);
    its_.put_account({account.config, {}}, [] {});
}

void known_accounts::link_importers_of(const std::string& account) {
    const auto importers = importers_.find(account);
    if (importers == importers_.end()) return;
    for (const auto& name : importers->second) {
        const auto found = accounts_.find(name);
        if (found != accounts_.end() && !found->second->is_deleted) link(*found->second);
    }
}

result<known_claims> known_accounts::verified(const std::string& account,
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
result<> known_accounts::install(known_claims claims, const std::string& jwt,
                                 std::function<void()> done) {
    const auto name = claims->subject;
    for (const auto& exporter : exporters_of(*claims)) importers_[exporter].insert(name);
    auto config = configured(*claims, jwt, net::wall_now());
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
    const bool is_live = its_.live_permissions && its_.live_permissions();
    auto judge = is_new ? broker::session_judge() : judge_of(before, claims, is_live);
    // At once with its imports: who has them already loses no message.
    if (!claims->imports.empty()) import_anew(*account);
    its_.put_account({account->config, std::move(judge)}, std::move(done));
    if (!is_new || !claims->exports.empty()) link_importers_of(name);
    return {};
}

result<> known_accounts::update(const std::string& account, const std::string& jwt) {
    const auto found = accounts_.find(account);
    const bool is_new = found == accounts_.end();
    const auto fetched = fetching_.find(account);
    if (is_new && fetched == fetching_.end()) return {};
    if (!is_new && found->second->jwt == jwt && !found->second->is_deleted) {
        its_.log.debug("Requested account update for [" + account + "], same claims detected");
        return {};
    }
    auto claims = verified(account, jwt);
    if (!claims) return claims.error();
    if (fetched != fetching_.end()) {
        fetched->second = true;
        if (auto stored = resolver().store(account, jwt); !stored) return stored;
        if (is_new) return {};
    }
    its_.log.debug("Updating account claims: " + account + "/" + (*claims)->name);
    return install(std::move(*claims), jwt, [this, account] {
        its_.thread.post([this, account] { fetch_exporters(account, [] {}); });
    });
}

void known_accounts::forget(const std::string& account) {
    if (const auto fetched = fetching_.find(account); fetched != fetching_.end()) {
        fetched->second = true;
    }
    const auto found = accounts_.find(account);
    if (found == accounts_.end() || found->second->is_deleted) return;
    its_.log.debug("Disable account " + account + " due to remove");
    remove(*found->second, nobody_stays());
}

void known_accounts::remove(known_account& account, broker::session_judge judge) {
    account.is_deleted = true;
    its_.put_account({account.config, std::move(judge)}, [] {});
    link_importers_of(account.claims->subject);
}

void known_accounts::take_resolver(std::unique_ptr<account_resolver> resolver) {
    sources_.push_back({std::move(resolver)});
    for (auto& [account, is_overtaken] : fetching_) is_overtaken = true;
    drop_old_sources();
}

void known_accounts::drop_old_sources() {
    for (auto each = sources_.begin(); each != std::prev(sources_.end());) {
        each = each->fetching == 0 ? sources_.erase(each) : std::next(each);
    }
}

void known_accounts::keep_only(const std::set<std::string>& accounts) {
    for (const auto& [name, account] : accounts_) {
        const bool stays = accounts.contains(name) || name == trust_.system_account;
        if (stays || account->is_deleted) continue;
        its_.log.info("Reloaded: deleting account [removed]: " + protocol::quoted(name));
        remove(*account, everybody_is_refused());
    }
}

void known_accounts::stop() {
    for (auto& each : sources_) each.resolver->stop();
}

bool known_accounts::knows(const std::string& account) const {
    return accounts_.contains(account) || fetching_.contains(account);
}

result<std::shared_ptr<const broker::account_configuration>>
known_accounts::load(const std::string& account) {
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
    its_.log.debug("Updating account claims: " + account + "/" + (*claims)->name);
    if (auto installed = install(std::move(*claims), *jwt, [] {}); !installed) {
        return installed.error();
    }
    return accounts_.at(account)->config;
}

void known_accounts::take_trust(operator_trust trust) {
    trust_ = std::move(trust);
    if (trust_.pinned_accounts.empty()) return;
    for (const auto& [name, account] : accounts_) {
        if (trust_.pinned_accounts.contains(name)) continue;
        its_.put_account(
            {account->config,
             [refused = refused_unpinned_, judge = everybody_is_refused()](const auto&... of) {
                 ++*refused;
                 return judge(of...);
             }},
            [] {});
    }
}

result<> known_accounts::stand_in_for(const std::string& account) {
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

known_accounts::account_list known_accounts::accounts() const {
    const std::lock_guard guard(lock_);
    account_list list{list_version_, {}};
    list.accounts.reserve(accounts_.size());
    for (const auto& [name, account] : accounts_) list.accounts.push_back(account->config);
    return list;
}

std::uint64_t known_accounts::accounts_version() const {
    const std::lock_guard guard(lock_);
    return list_version_;
}

} // namespace pipit::server
