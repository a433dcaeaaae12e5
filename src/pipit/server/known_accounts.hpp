// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/auth/jwt.hpp>
#include <pipit/base/log.hpp>
#include <pipit/base/party.hpp>
#include <pipit/broker/account_update.hpp>
#include <pipit/server/account_resolver.hpp>
#include <pipit/server/broker_configuration.hpp>
#include <pipit/server/fair_queue.hpp>
#include <pipit/server/jwt_account.hpp>
#include <pipit/server/jwt_links.hpp>
#include <pipit/server/operator_trust.hpp>
#include <pipit/server/task_thread.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace pipit::server {

/// An account as it was last heard of.
struct known_account {
    [[nodiscard]] bool is_over(wall_time now) const;

    known_claims claims;
    std::string jwt;
    std::uint64_t version = 0;
    bool is_deleted = false;
    std::shared_ptr<const broker::account_configuration> config;
};

/// What the accounts need of the server around them.
struct account_dependencies {
    account_numbers& numbers;
    /// Everything of them happens there.
    task_thread& thread;
    /// Hands an account to every loop, and calls `done` when all of them know it, on any thread.
    std::function<void(broker::account_update update, std::function<void()> done)> put_account;
    logger log;
    /// A role that was edited holds for those who are in; empty: it does not.
    std::function<bool()> live_permissions = {};
};

/// The accounts that an operator's JWTs say: fetched when somebody wants to come in, linked to what
/// they import from each other, and obeyed on all loops.
///
/// Threads: one, but for `accounts` and `accounts_version`.
class known_accounts {
public:
    /// Goes on when an account is there, or hears why it is not.
    using continuation = std::function<void(const std::string& why_not)>;

    known_accounts(operator_trust trust, std::unique_ptr<account_resolver> resolver,
                   account_dependencies dependencies);
    ~known_accounts();

    /// Null: it was never heard of. Lifetime: that of this object.
    [[nodiscard]] const known_account* find(const std::string& account) const;
    /// The same; null also when it has to be fetched again, or is being fetched.
    [[nodiscard]] const known_account* current(const std::string& account) const;
    /// Of the parties that want accounts to be fetched, each has its turn.
    void fetch(const std::string& account, party by, continuation then);

    /// Obeys a newer JWT of an account that is known, or that is being fetched; of another one
    /// nothing is to be done, it will be fetched. Errors: `errc::no_account`, with what is wrong
    /// with the JWT; those of the resolver.
    [[nodiscard]] result<> update(const std::string& account, const std::string& jwt);
    /// Ends the sessions of a deleted account.
    void forget(const std::string& account);
    /// Also when it is being fetched.
    [[nodiscard]] bool knows(const std::string& account) const;

    /// Before the loops run: the account that has to be there.
    [[nodiscard]] result<std::shared_ptr<const broker::account_configuration>>
    load(const std::string& account);
    /// After a reload; sessions of accounts that are pinned no more end.
    void take_trust(operator_trust trust);

    /// Before the loops run: an account whose JWT is still to come, and whose own key signs users
    /// until then.
    [[nodiscard]] result<> stand_in_for(const std::string& account);

    [[nodiscard]] const operator_trust& trust() const noexcept { return trust_; }
    [[nodiscard]] account_resolver& resolver() noexcept { return *sources_.back().resolver; }
    /// After a reload: accounts come from there from now on; those that are known stay.
    void take_resolver(std::unique_ptr<account_resolver> resolver);
    /// Ends all accounts that the resolver, which knows all of them, does not have any more.
    void keep_only(const std::set<std::string>& accounts);
    /// No account comes any more. Threads: all, when theirs has ended.
    void stop();

    /// Those that are known, and a number that changes with them. Threads: all.
    struct account_list {
        std::uint64_t version = 0;
        std::vector<std::shared_ptr<const broker::account_configuration>> accounts;
    };
    [[nodiscard]] account_list accounts() const;
    [[nodiscard]] std::uint64_t accounts_version() const;

    /// How many logins and connections of accounts that are not pinned were refused. Threads: all.
    [[nodiscard]] std::uint64_t refused_unpinned() const noexcept { return *refused_unpinned_; }
    void count_refused_unpinned() noexcept { ++*refused_unpinned_; }

private:
    void wait_for_turn(const std::string& account, party by);
    void fetch_next();
    void ask_for(const std::string& account);
    void note_fetch(const std::string& account, nanoseconds took) const;
    void on_fetched(const std::string& account, const result<std::string>& jwt);
    void resume(const std::string& account, const std::string& why_not);
    void fetch_exporters(const std::string& account, std::function<void()> then);
    /// Why accounts could not be had, by account.
    using reasons = std::map<std::string, std::string>;
    void import_anew(known_account& account, const reasons& why_not = {});
    void log_problem(const import_problem& problem, const reasons& why_not) const;
    [[nodiscard]] result<std::shared_ptr<const broker::account_configuration>>
    configured(const auth::account_jwt& claims, const std::string& jwt, wall_time updated) const;
    void link(known_account& account, const reasons& why_not = {});
    void link_importers_of(const std::string& account);
    [[nodiscard]] result<known_claims> verified(const std::string& account,
                                                const std::string& jwt) const;
    [[nodiscard]] result<> install(known_claims claims, const std::string& jwt,
                                   std::function<void()> done);

    /// A resolver that was replaced stays until it has answered.
    struct source {
        std::unique_ptr<account_resolver> resolver;
        std::size_t fetching = 0;
    };
    void drop_old_sources();
    void remove(known_account& account, broker::session_judge judge);

    operator_trust trust_;
    std::list<source> sources_; ///< The last one is asked.
    account_dependencies its_;
    std::map<std::string, std::vector<continuation>> waiting_; ///< By account.
    std::map<std::string, std::set<party>> in_line_;           ///< Of those, who has no turn yet.
    fair_queue<party, std::string> to_fetch_; ///< Some were fetched when others had a turn.
    /// By account. True: something newer was heard of it, so that it is asked for once more.
    std::map<std::string, bool> fetching_;
    std::map<std::string, std::set<std::string>> importers_; ///< By exporter.
    std::shared_ptr<std::atomic<std::uint64_t>> refused_unpinned_ =
        std::make_shared<std::atomic<std::uint64_t>>(0); ///< Loops count too.
    std::uint64_t next_version_ = 1;

    mutable std::mutex lock_; ///< Of `accounts_`' membership, for those who look.
    std::map<std::string, std::unique_ptr<known_account>> accounts_;
    std::uint64_t list_version_ = 0;
};

} // namespace pipit::server
