// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/broker/broker.hpp>
#include <pipit/protocol/nuid.hpp>
#include <pipit/server/detail/system_json.hpp>
#include <pipit/server/system_requests.hpp>
#include <pipit/server/task_thread.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
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

    /// For the worker; nothing is done when too much waits already.
    void post(std::function<void()> task);
    /// Runs it on the worker again and again, each time after as long as it says.
    void repeat(nanoseconds after, std::function<nanoseconds()> task);
    void stop() { worker_.stop(); }

private:
    std::atomic<std::size_t> waiting_{0};
    task_thread worker_{"system"};
    std::mutex facts_lock_;
    std::shared_ptr<const server_facts> facts_;
    protocol::nuid ids_;
};

} // namespace pipit::server
