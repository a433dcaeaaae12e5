// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/auth/permissions.hpp>
#include <pipit/base/time.hpp>
#include <pipit/broker/broker.hpp>
#include <pipit/broker/hash.hpp>
#include <pipit/broker/login_question.hpp>
#include <pipit/broker/output.hpp>
#include <pipit/broker/pointer_table.hpp>
#include <pipit/broker/subscription.hpp>
#include <pipit/protocol/connect.hpp>
#include <pipit/protocol/parser.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace pipit::broker {

struct account;

/// What keeps a delivery to a session from being two copies and a counter. Tested together.
namespace delivery {
inline constexpr std::uint8_t ended = 1;          ///< Nothing is delivered any more.
inline constexpr std::uint8_t strips_headers = 2; ///< The client did not ask for headers.
inline constexpr std::uint8_t filtered = 4;       ///< Some subjects are withheld.
inline constexpr std::uint8_t grants_replies = 8; ///< A reply subject may be published to.
inline constexpr std::uint8_t congested = 16;     ///< Above 75 % of `max_pending`.
inline constexpr std::uint8_t traced = 32;        ///< Every protocol line is logged.
inline constexpr std::uint8_t internal = 64;      ///< The server itself: a handler gets it.
inline constexpr std::uint8_t always = ended | filtered | congested | traced | internal;
} // namespace delivery

/// What a user's permissions need per connection: decisions about subjects that are published to
/// again and again, and leave to answer messages that were delivered.
class session_permissions {
public:
    explicit session_permissions(std::shared_ptr<const auth::permissions> rules)
        : rules_(std::move(rules)) {}

    [[nodiscard]] const auth::permissions& rules() const noexcept { return *rules_; }
    [[nodiscard]] const std::shared_ptr<const auth::permissions>& shared_rules() const noexcept {
        return rules_;
    }
    [[nodiscard]] bool grants_replies() const noexcept {
        return rules_->allow_responses().has_value();
    }

    /// True: the rules were asked for this subject last, and allow it; false says nothing.
    [[nodiscard]] bool allowed_last(bytes_view subject) const noexcept {
        return last_ != nullptr && last_->allowed && last_->subject == subject;
    }
    /// Also counts the use of a granted reply.
    [[nodiscard]] bool may_publish(bytes_view subject, std::uint64_t hash_seed, steady_time now);
    /// A message with this reply was delivered.
    void grant_reply(bytes_view reply, steady_time now);
    /// Leave to answer that was given under other rules stays, as far as these give it.
    void take_granted_replies(session_permissions& before);

private:
    struct decision {
        std::string subject;
        bool allowed = false;
    };
    struct granted_reply {
        steady_time since;
        int used = 0;
    };

    [[nodiscard]] bool is_spent(const granted_reply& reply, steady_time now) const noexcept;
    /// Ends the life of what it answered before, and of `last_`.
    [[nodiscard]] const decision& decision_about(bytes_view subject, std::uint64_t hash_seed);

    std::shared_ptr<const auth::permissions> rules_;
    std::vector<decision> decisions_; ///< By a subject's hash; more slots when many are missed.
    std::size_t misses_ = 0;          ///< Since there are so many slots.
    const decision* last_ = nullptr;  ///< The slot of the last question.
    std::unordered_map<std::string, granted_reply, text_hash, std::equal_to<>> granted_replies_;
};

/// A service that let somebody in is asked again, now and then, what he may do.
struct permission_refresh {
    callout_check about; ///< As it was asked, without what was secret.
    nanoseconds interval{};
    steady_time at{};           ///< None while a question is open.
    std::uint64_t question = 0; ///< The open one; 0: none.
};

/// What is asked for only when people look, or when the connection begins and ends.
struct session_details {
    session_origin origin;
    moment start;
    /// Of all CONNECTs: what one leaves out holds from the one before, user and password too.
    protocol::connect_options options;
    std::string user;
    std::shared_ptr<const user_configuration> identity; ///< Null for a token's holder and nobody.
    bool lacks_proxy = false;     ///< Who it says to be may come by a trusted proxy only.
    bool without_connect = false; ///< It has sent none, and is let in as the `no_auth_user`.
    std::string log_name;         ///< `127.0.0.1:60516 - cid:6` and what CONNECT added.
};

/// Who a client is, or says it is: also one that was refused. A token is never shown.
[[nodiscard]] std::string shown_user(const session_details& details);

/// One connection as the broker sees it.
class session {
public:
    struct sid_traits {
        static bool matches(const subscription& item, bytes_view sid) noexcept {
            return item.sid() == sid;
        }
    };

    session(std::uint64_t id, void* its_driver, std::uint64_t seed)
        : client_id(id), driver(its_driver), hash_seed(seed) {}
    session(const session&) = delete;
    session& operator=(const session&) = delete;

    /// Numbers that follow each other, as clients count their sids, stand together in the table.
    [[nodiscard]] std::uint64_t sid_hash(bytes_view sid) const noexcept;
    [[nodiscard]] subscription* find(bytes_view sid) const noexcept {
        return subscriptions.find(sid_hash(sid), sid);
    }
    [[nodiscard]] bool ended() const noexcept { return (delivery_flags & delivery::ended) != 0; }
    /// It is not read until less waits for these loops; a bit each.
    void wait_for_loops(std::uint64_t full, steady_time now) noexcept;
    [[nodiscard]] std::size_t pending_bytes() const noexcept {
        return out == nullptr ? 0 : out->pending_bytes();
    }

    // The hot ones first.
    std::uint8_t delivery_flags = delivery::strips_headers;
    bool touched = false;
    bool publishes_plainly = false; ///< No check but the reserved prefixes stands before routing.
    bool echo = true;
    bool no_responders = false;
    bool verbose = true;
    bool pedantic = true;
    bool connect_received = false;
    std::unique_ptr<output> out;
    session* next_touched = nullptr;
    account* of = nullptr;
    std::uint32_t place = 0; ///< In the account's `sessions`.
    traffic in;
    traffic sent;

    std::uint64_t client_id;
    void* driver;
    protocol::parser<protocol::role::server> parser;
    using subscription_table = pointer_table<subscription, sid_traits>;
    subscription_table subscriptions; ///< By `sid_hash`.
    std::uint64_t hash_seed;
    std::unique_ptr<session_permissions> permissions;
    std::unique_ptr<session_details> details;
    std::unique_ptr<permission_refresh> refresh; ///< Null: nobody is asked again.
    std::string held_input; ///< What came behind a CONNECT that is being checked.
    std::size_t bytes_before_login = 0;

    std::int64_t max_payload_bytes = 0;  ///< -1: no limit.
    std::int64_t max_subscriptions = -1; ///< -1: no limit.
    bool awaiting_connect = false;       ///< Must authenticate first.
    bool awaiting_callout = false;       ///< A service decides.
    bool by_callout = false;             ///< A service has decided.
    bool awaiting_answer = false;        ///< Somebody finds out who this is.
    bool counted = false;                ///< Among the server's connections.
    bool flush_before_close = true;
    bool pong_sent = false;
    bool was_stalled = false;        ///< By its last read; the next one is smaller.
    bool information_wanted = false; ///< CONNECT's `protocol` is at least 1.
    close_reason reason = close_reason::none;
    int pings_out = 0;
    std::uint64_t stalls = 0;
    std::uint64_t full_loops = 0; ///< That it waits for while it is stalled.

    // Deadlines; the default value means none.
    steady_time auth_deadline{};
    steady_time ping_deadline{};
    steady_time write_deadline{};
    steady_time stalled_until{};
    steady_time login_expires{}; ///< Of the user, or of the account.
    steady_time wakes_at{};      ///< The earliest entry for this session in the broker's schedule.
    steady_time last_input{};    ///< Messages, interest and PINGs: it need not be asked for life.
    steady_time last_activity{}; ///< Messages either way, interest and CONNECT: what people see.
    std::uint64_t deliveries_noticed = 0; ///< Of `sent`, when `last_activity` was last set.
    steady_time ping_sent{};
    nanoseconds round_trip{};
    std::uint64_t write_mark = 0;  ///< Bytes to be written until the write deadline is met.
    bool write_progressed = false; ///< Some went since the write deadline was set.
    bool slow = false;             ///< Missed a write deadline, and was kept.
};

} // namespace pipit::broker
