// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/log.hpp>
#include <pipit/broker/account_id.hpp>
#include <pipit/server/account_resolver.hpp>
#include <pipit/server/claims_requests.hpp>
#include <pipit/server/loop.hpp>
#include <pipit/server/task_thread.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace pipit::server {

/// Answers in the system account what `nsc push`, `nsc pull` and other servers ask about the JWTs
/// of accounts (`claims_requests` says what), and asks other servers for those that are not here.
///
/// Threads: that of the accounts, or before there is one.
/// Source: auth, section 7 ("Account resolvers" in the NATS docs).
class claims_service {
public:
    /// All of it outlives the service.
    struct dependencies {
        known_accounts& accounts;
        task_thread& thread; ///< That of the accounts.
        const std::vector<std::unique_ptr<loop>>& loops;
        const std::string& server_id;
        /// As for `claims_requests`.
        std::function<std::string()> server_json;
    };
    explicit claims_service(dependencies its) : its_(std::move(its)) {}

    /// Begins; a second time after a reload brought another resolver. `folder` is the resolver's;
    /// null: it has none.
    void begin(broker::account_id system_account, const resolver_options& resolver,
               directory_resolver* folder, const logger& log);

private:
    /// What the first loop is told of a resolver.
    struct service {
        broker::account_id account{};
        bool has_folder = false;
        bool is_cache = false;
        std::uint64_t turn = 0;
    };
    void subscribe(broker::broker& broker, const service& offered);
    void publish(broker::account_id of, std::string subject, std::string reply, std::string body);
    void expire(std::uint64_t turn);
    void compare(std::uint64_t turn);
    void sync_merged(std::uint64_t turn);
    void look_up_elsewhere(const std::string& account, account_resolver::answer then);
    [[nodiscard]] std::string inbox(const std::string& what) const;
    [[nodiscard]] std::string pack_inbox() const { return inbox("pack"); }

    dependencies its_;
    broker::account_id account_{};
    resolver_options resolver_;
    directory_resolver* folder_ = nullptr;
    std::unique_ptr<claims_requests> requests_;
    std::uint64_t turn_ = 0; ///< Counts resolvers: what was begun for an earlier one ends.

    // The first loop's own.
    std::vector<std::uint64_t> subscriptions_;
    std::uint64_t lookups_ = 0;
};

} // namespace pipit::server
