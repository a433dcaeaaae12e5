// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/auth/authorization_jwt.hpp>
#include <pipit/base/identity_limits.hpp>
#include <pipit/base/log.hpp>
#include <pipit/base/party.hpp>
#include <pipit/base/time.hpp>
#include <pipit/broker/login_question.hpp>
#include <pipit/net/http_client.hpp>
#include <pipit/net/tls_context.hpp>
#include <pipit/protocol/nuid.hpp>
#include <pipit/server/callout_answer.hpp>
#include <pipit/server/fair_queue.hpp>
#include <pipit/server/server_identity.hpp>
#include <pipit/server/task_thread.hpp>

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace pipit::server {

/// What a callout needs of its server.
struct callout_dependencies {
    server_keys keys;
    /// What is obeyed now.
    std::function<std::shared_ptr<const broker::configuration>()> configuration;
    std::function<std::vector<std::string>()> tags;
    std::function<wall_time()> now;
    std::function<void(std::span<std::uint8_t> bytes)> fill_randomly;
    /// Publishes in the account; the answer to `token` comes back by `on_answer`.
    std::function<void(broker::account_id account, std::string token, std::string headers,
                       std::string body)>
        publish;
    /// Asks the accounts about a user's JWT, on another thread.
    std::function<void(broker::login_question, std::function<void(broker::login_answer)>)>
        judge_jwt;
};

/// Asks services who may come in (ADR-26). What is signed, sealed and verified for that, on a
/// thread of its own.
///
/// Bounded by what brokers ask (`limits::open_logins` each). Every question is answered: who is not
/// within the authentication timeout is refused by the broker, and soon given up here. Of the
/// parties that wait for an answer by HTTP, each has its turn.
///
/// Threads: all.
class auth_callout {
public:
    using answer_function = std::function<void(broker::login_answer)>;

    auth_callout(callout_dependencies dependencies, std::uint64_t seed, logger log);

    /// `question` asks for a `broker::callout_check`.
    void ask(broker::login_question question, answer_function answer);
    /// A service has answered.
    void on_answer(std::string token, std::string body);
    /// Waits for no service.
    void stop();

private:
    struct pending {
        broker::callout_check check;
        std::string user_nkey;
        answer_function answer;
    };
    /// One that waits for its turn to be asked about by HTTP.
    struct web_question {
        broker::callout_check check;
        net::http_request request;
        answer_function answer;
        steady_time give_up_at;
    };

    void send(const broker::login_question& question, answer_function answer);
    [[nodiscard]] std::optional<net::http_request>
    request_by_http(const broker::callout_check& check, std::string body);
    void ask_by_http(const web_question& question) const;
    void ask_next_by_http();
    [[nodiscard]] broker::login_answer answer_of(const result<answered_user>& user) const;
    void judge(const pending& asked, const std::string& body) const;
    void judge_by_jwt(const pending& asked, const result<vouched_user>& user) const;
    [[nodiscard]] broker::login_answer refusal_of(const error& why) const;
    void give_up_late_ones();

    callout_dependencies its_;
    logger log_;
    std::atomic<bool> is_stopping_ = false;
    // The worker's own.
    protocol::nuid tokens_;
    std::unordered_map<std::string, pending> pending_;
    std::deque<std::pair<steady_time, std::string>> by_age_; ///< And when each is given up.
    bool is_looked_after_ = false;                           ///< `give_up_late_ones` will run.
    std::mutex web_lock_;
    fair_queue<party, web_question> web_waiting_;
    /// Each waits for one answer at a time.
    std::array<task_thread, limits::http_callouts> web_{
        task_thread("web callout"), task_thread("web callout"), task_thread("web callout"),
        task_thread("web callout")};
    std::size_t next_web_ = 0;
    std::shared_ptr<const net::tls_context> web_tls_; ///< Made for the first secure URL.
    task_thread worker_{"callout"};                   ///< Ends first.
};

/// The claims of a question to a service.
[[nodiscard]] auth::authorization_request_jwt
authorization_request(const broker::callout_check& check, const broker::configuration& config,
                      std::vector<std::string> tags, std::string user_nkey, wall_time now);

} // namespace pipit::server
