// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/time.hpp>
#include <pipit/broker/configuration.hpp>
#include <pipit/protocol/close_reason.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

/// What monitoring sees of one loop: plain copies, taken between two batches.
/// Loop-to-loop traffic and interest are never counted. A server of N loops adds N of these.
namespace pipit::broker {

struct tls_facts;

/// Why a session ended; `protocol::text` has nats-server's words for it.
using protocol::close_reason;

struct traffic {
    std::uint64_t messages = 0;
    std::uint64_t bytes = 0; ///< Headers and payload.

    traffic& operator+=(const traffic& other) noexcept {
        messages += other.messages;
        bytes += other.bytes;
        return *this;
    }
};

struct subscription_snapshot {
    account_id account{};
    std::string subject;
    std::string queue;
    std::string sid;
    std::uint64_t client_id = 0;
    std::uint64_t delivered = 0;
    std::uint64_t max = 0;
};

struct session_snapshot {
    std::uint64_t client_id = 0;
    std::string ip;
    std::uint16_t port = 0;
    moment start{};
    moment last_activity{};
    std::optional<moment> stop; ///< Set for a closed one.
    close_reason reason = close_reason::none;
    std::optional<nanoseconds> round_trip;
    std::uint64_t pending_bytes = 0;
    traffic in;
    traffic out;
    std::uint64_t stalls = 0;
    std::uint64_t subscription_count = 0;
    std::string name, language, version;
    bool is_websocket = false;
    std::string user;
    account_id account{};
    bool authenticated = false;                ///< An account is bound.
    std::shared_ptr<const user_claims> claims; ///< Null: who it is does not come from a JWT.
    std::shared_ptr<const tls_facts> tls;      ///< Null: not encrypted.
    std::string proxy_key;                     ///< Of the trusted proxy; empty: none.
};

struct account_snapshot {
    account_id id{};
    std::uint64_t connections = 0;
    std::uint64_t total_connections = 0;
    std::uint64_t subscriptions = 0;
    traffic sent;     ///< To clients.
    traffic received; ///< From clients.
    std::uint64_t slow_consumers = 0;
    std::uint64_t subject_count = 0;

    /// Of the same account.
    account_snapshot& operator+=(const account_snapshot& other) noexcept {
        connections += other.connections;
        total_connections += other.total_connections;
        subscriptions += other.subscriptions;
        sent += other.sent;
        received += other.received;
        slow_consumers += other.slow_consumers;
        subject_count += other.subject_count;
        return *this;
    }
};

/// A request that waits for an answer of an account that exports the service.
struct response_snapshot {
    std::string subject; ///< Where the answer is to come.
    account_id importer{};
    std::string reply; ///< Where the importer wants it.
    bool share = false;
    bool measured = false;
};

/// Counters of one loop since its start.
struct broker_statistics {
    std::uint64_t connections = 0;
    std::uint64_t total_connections = 0;
    std::uint64_t subscriptions = 0;
    traffic in;
    traffic out;
    std::uint64_t slow_consumers = 0;
    std::uint64_t stale_connections = 0;
    std::uint64_t stalled_clients = 0;
    std::uint64_t cache_entries = 0;
    std::uint64_t cache_hits = 0;
    std::uint64_t subscription_inserts = 0;
    std::uint64_t subscription_removes = 0;
    std::uint64_t matches = 0;
    std::uint64_t max_fanout = 0;    ///< Of the entries that are in the cache now.
    std::uint64_t cached_fanout = 0; ///< Of all of them together.
};

enum class session_state : std::uint8_t { open, closed, any };

/// Which subscriptions: there may be a million, and a page shows some.
struct subscription_query {
    std::optional<account_id> account;     ///< None: of all.
    std::string test;                      ///< A literal subject that they match; empty: any.
    std::vector<std::uint64_t> client_ids; ///< Of these connections, also closed ones; empty: any.
    std::uint64_t offset = 0;
    std::uint64_t limit = 0; ///< Copied at most; the rest is only counted.
};

struct subscription_list {
    std::uint64_t total = 0; ///< How many there are.
    std::vector<subscription_snapshot> page;
};

} // namespace pipit::broker
