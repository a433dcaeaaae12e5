// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/auth/jwt.hpp>
#include <pipit/base/log.hpp>
#include <pipit/broker/account_update.hpp>
#include <pipit/broker/login_question.hpp>
#include <pipit/server/account_resolver.hpp>
#include <pipit/server/broker_configuration.hpp>
#include <pipit/server/fair_queue.hpp>
#include <pipit/server/jwt_account.hpp>
#include <pipit/server/operator_trust.hpp>
#include <pipit/server/task_thread.hpp>
#include <pipit/server/verified_users.hpp>

#include <atomic>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace pipit::server {

/// What an authority needs of the server around it.
struct authority_surroundings {
    account_numbers& numbers;
    /// Everything of it happens there.
    task_thread& thread;
    /// Hands an account to every loop, and calls `done` when all of them know it, on any thread.
    std::function<void(broker::account_update update, std::function<void()> done)> put_account;
    logger log;
    /// A role that was edited holds for those who are in; empty: it does not.
    std::function<bool()> live_permissions = {};
};

/// Decides who comes in with a JWT: it knows whom the operator trusts, and the accounts as they
/// were last heard of.
///
/// Threads: one, but where it says otherwise.
class jwt_authority {
public:
    using answer_function = std::function<void(broker::login_answer)>;
    using update_answer = std::function<void(result<> done)>;

    jwt_authority(operator_trust trust, std::unique_ptr<account_resolver> resolver,
                  authority_surroundings surroundings);
    ~jwt_authority();

    /// Answers at once, or when the account was fetched.
    void judge(broker::login_question question, answer_function answer);

    /// Obeys a newer JWT of an account that is known; of another one nothing is to be done, it
    /// will be fetched. Errors: `errc::no_account`, with what is wrong with the JWT.
    [[nodiscard]] result<> update(const std::string& account, const std::string& jwt);
    /// Ends the sessions of a deleted account.
    void forget(const std::string& account);
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
    /// No account comes any more. Threads: all, when the authority's has ended.
    void stop();

    /// Those that are known, and a number that changes with them. Threads: all.
    struct account_list {
        std::uint64_t version = 0;
        std::vector<std::shared_ptr<const broker::account_configuration>> accounts;
    };
    [[nodiscard]] account_list accounts() const;
    [[nodiscard]] std::uint64_t accounts_version() const;

    /// How many logins of accounts that are not pinned were refused. Threads: all.
    [[nodiscard]] std::uint64_t refused_unpinned() const noexcept { return refused_unpinned_; }

private:
    struct known_account;
    /// Goes on when an account is there, or hears why it is not.
    using continuation = std::function<void(const std::string& why_not)>;

    /// `address`: of whoever wants it; of those that wait, each has its turn.
    void fetch(const std::string& account, const std::string& address, continuation then);
    void fetch_next();
    void note_fetch(const std::string& account, nanoseconds took) const;
    void on_fetched(const std::string& account, const result<std::string>& jwt);
    void resume(const std::string& account, const std::string& why_not);
    void fetch_exporters(const std::string& account, std::function<void()> then);
    void import_anew(known_account& account);
    [[nodiscard]] result<std::shared_ptr<const broker::account_configuration>>
    configured(const auth::account_jwt& claims, const std::string& jwt, broker::account_id id,
               wall_time updated) const;
    void link(known_account& account);
    void link_importers_of(const std::string& account);
    [[nodiscard]] result<known_claims> verified(const std::string& account,
                                                const std::string& jwt) const;
    [[nodiscard]] result<> install(known_claims claims, const std::string& jwt,
                                   std::function<void()> done);
    void judge_in(known_account& account, const std::shared_ptr<verified_user>& known,
                  const broker::login_question& question, const answer_function& answer);
    [[nodiscard]] std::string find_rights(const known_account& account, verified_user& user) const;
    [[nodiscard]] static std::shared_ptr<const broker::callout_configuration>
    service_of(const known_account& account);
    [[nodiscard]] bool is_over(const known_account& account) const;

    /// A resolver that was replaced stays until it has answered.
    struct source {
        std::unique_ptr<account_resolver> resolver;
        std::size_t fetching = 0;
    };
    void drop_old_sources();
    void remove(known_account& account, broker::session_judge judge);

    operator_trust trust_;
    std::list<source> sources_; ///< The last one is asked.
    authority_surroundings around_;
    verified_users users_;
    std::map<std::string, std::vector<continuation>> waiting_; ///< By account.
    fair_queue<std::string> to_fetch_;                         ///< Of those, who has no turn yet.
    std::size_t fetching_ = 0;
    std::map<std::string, std::set<std::string>> importers_; ///< By exporter.
    std::uint64_t next_version_ = 1;
    std::atomic<std::uint64_t> refused_unpinned_ = 0;

    mutable std::mutex lock_; ///< Of `accounts_`' membership, for those who look.
    std::map<std::string, std::unique_ptr<known_account>> accounts_;
    std::uint64_t list_version_ = 0;
};

} // namespace pipit::server
