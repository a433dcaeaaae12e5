// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/broker/broker.hpp>
#include <pipit/protocol/nuid.hpp>
#include <pipit/server/detail/system_json.hpp>
#include <pipit/server/fair_worker.hpp>
#include <pipit/server/system_requests.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

namespace pipit::server {

/// The account that a subject names: `$SYS.REQ.ACCOUNT.<account>.…` or `$SYS.ACCOUNT.<account>.…`.
[[nodiscard]] std::string account_in(bytes_view subject);

/// What a server's system account needs: it answers on a thread of its own.
struct system_state {
    system_state(broker::account_id system, std::uint64_t seed);

    [[nodiscard]] std::shared_ptr<const server_facts> facts();
    void set_facts(server_facts changed);
    [[nodiscard]] message_stamp next_stamp();
    [[nodiscard]] std::string next_id();
    /// `{"name":…}`: how answers begin.
    [[nodiscard]] std::string server_json();

    const broker::account_id account;
    std::atomic<std::uint64_t> sequence{0};
    std::unique_ptr<system_requests> requests;
    std::atomic<bool> is_closing{false};

    /// The first loop's own.
    std::set<broker::account_id> served_accounts;
    /// The worker's own.
    std::optional<steady_time> last_statistics;
    nanoseconds statistics_interval{};

    /// Accounts whose number of connections has changed and was not published yet.
    std::mutex lock;
    std::set<std::string> changed_accounts;

    /// For the worker; false: too much waits already, and nothing will be done. Of the accounts
    /// that wait, each has its turn and its part of the room, and the system account always has
    /// some.
    bool post(broker::account_id of, std::function<void()> task);
    /// Runs it on the worker again and again, each time after as long as it says.
    void repeat(nanoseconds after, std::function<nanoseconds()> task);
    void stop() { worker_.thread().stop(); }

private:
    std::mutex waiting_lock_;
    std::map<broker::account_id, std::size_t> waiting_; ///< How many tasks.
    std::size_t waiting_count_ = 0;                     ///< Of all accounts.
    fair_worker<broker::account_id> worker_{"system"};
    std::mutex facts_lock_;
    std::shared_ptr<const server_facts> facts_;
    protocol::nuid ids_;
};

} // namespace pipit::server
