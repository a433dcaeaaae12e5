// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/detail/system_state.hpp>

#include <pipit/base/limits.hpp>
#include <pipit/net/clock.hpp>

#include <string>
#include <utility>

namespace pipit::server {

std::string account_in(bytes_view subject) {
    constexpr bytes_view before = ".ACCOUNT.";
    const auto begin = subject.find(before) + before.size();
    return std::string(subject.substr(begin, subject.find('.', begin) - begin));
}

system_state::system_state(broker::account_id system, std::uint64_t seed)
    : account(system), ids_(seed) {}

bool system_state::post(broker::account_id of, std::function<void()> task) {
    constexpr auto part_of_account = limits::system_requests / 8;
    {
        const std::lock_guard guard(waiting_lock_);
        const bool is_full = waiting_count_ >= limits::system_requests && of != account;
        if (is_full || (waiting_.contains(of) && waiting_[of] >= part_of_account)) return false;
        ++waiting_[of];
        ++waiting_count_;
    }
    worker_.post(of, [this, of, task = std::move(task)] {
        {
            const std::lock_guard guard(waiting_lock_);
            --waiting_count_;
            if (--waiting_[of] == 0) waiting_.erase(of);
        }
        task();
    });
    return true;
}

void system_state::repeat(nanoseconds after, std::function<nanoseconds()> task) {
    worker_.thread().post_at(net::steady_now() + after, [this, task = std::move(task)] {
        const auto next = task();
        repeat(next, task);
    });
}

std::shared_ptr<const server_facts> system_state::facts() {
    const std::lock_guard guard(facts_lock_);
    return facts_;
}

void system_state::set_facts(server_facts changed) {
    auto made = std::make_shared<const server_facts>(std::move(changed));
    const std::lock_guard guard(facts_lock_);
    facts_ = std::move(made);
}

message_stamp system_state::next_stamp() { return {++sequence, net::wall_now()}; }

std::string system_state::next_id() {
    const std::lock_guard guard(facts_lock_);
    return ids_.next();
}

std::string system_state::server_json() {
    std::string text;
    json_writer json(text);
    json.begin_object();
    write_server_members(json, *facts(), next_stamp());
    json.end_object();
    return text;
}

} // namespace pipit::server
