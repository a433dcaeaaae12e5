// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/log.hpp>
#include <pipit/base/time.hpp>
#include <pipit/broker/broker.hpp>
#include <pipit/server/monitoring.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The services of the system account, without a broker, a thread or a clock: a question goes in,
/// an answer comes out.
/// Source: auth, section 9 ("System events" in the NATS docs).
namespace pipit::server {

struct account_names;
struct server_facts;
struct system_request;

/// What was asked of which service. Copied from the message: it is answered on another thread.
struct system_question {
    std::string service; ///< `VARZ`, for example; one of those that `system_services()` names.
    std::string account; ///< For services about one account; else empty.
    std::string headers;
    std::string body;
    std::uint64_t sender = 0; ///< The number of the client that asks.
    broker::account_id sender_account{};
    bool hides_user = false; ///< It asks from another account, which does not share who asks.
};

struct system_answer {
    std::string headers; ///< Empty: none.
    std::string body;
};

/// The numbers of one account, of all loops, and what people call it.
struct account_total {
    broker::account_snapshot numbers;
    std::string tag;
};

/// What a service can ask and do, and what each message needs.
struct system_dependencies {
    collect_function collect;
    /// Nothing when it is unknown.
    std::function<std::optional<account_total>(std::string_view account)> account;
    std::function<std::shared_ptr<const server_facts>()> facts;
    std::function<std::uint64_t()> next_sequence;
    std::function<std::string()> next_id;
    std::function<wall_time()> now;
    std::function<std::map<std::string, std::uint64_t, std::less<>>()> request_counts;
    /// Each says what went wrong.
    std::function<result<>()> reload;
    std::function<result<>(std::uint64_t client_id)> kick;
    std::function<result<>(std::uint64_t client_id)> announce_lame_duck;
    /// What a client may know about itself; nothing when it is gone.
    std::function<std::optional<broker::user_information>(std::uint64_t client_id)> user_of;
};

/// Threads: one.
class system_requests {
public:
    system_requests(system_dependencies dependencies, logger log);

    /// Nothing: another server is meant, or there is nothing to say.
    [[nodiscard]] std::optional<system_answer> answer(const system_question& question) const;

    /// The statistics that are published now and then, and whenever somebody asks.
    [[nodiscard]] std::optional<std::string> statistics() const;
    /// What `CONNS` says about an account with these numbers.
    [[nodiscard]] std::string connections_in(const broker::account_snapshot& total,
                                             account_names account) const;

private:
    [[nodiscard]] std::optional<system_answer> connections_for(const system_question& question,
                                                               const system_request& request) const;
    [[nodiscard]] std::optional<std::uint64_t> subscribers(const system_question& question) const;

    system_dependencies its_;
    logger log_;
};

/// Services of a server, asked by its id or by `PING` of all servers.
[[nodiscard]] std::vector<std::string_view> server_services();
/// Services that are asked by the server's id only: they do something.
[[nodiscard]] std::vector<std::string_view> server_commands();
/// Services about one account.
[[nodiscard]] std::vector<std::string_view> account_services();

} // namespace pipit::server
