// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/bytes.hpp>
#include <pipit/base/time.hpp>
#include <pipit/broker/configuration.hpp>
#include <pipit/broker/session.hpp>
#include <pipit/protocol/json_writer.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace pipit::broker {

/// What another account is told about a client: with its requests, and in latency metrics.
struct client_facts {
    struct shared_facts {
        wall_time start{};
        std::string host;
        std::uint64_t client_id = 0;
        std::string user, name, language, version;
        std::shared_ptr<const user_claims> claims = nullptr; ///< Null: not from a JWT.
        bool is_websocket = false;
    };

    std::string account;
    std::string service; ///< The account that passed the request on; empty: it came directly.
    nanoseconds round_trip{};
    std::optional<shared_facts> shared; ///< Only of who agreed to it.
    std::string server;                 ///< Empty: not told.
};

/// `shares` tells all, else only account and round trip.
[[nodiscard]] client_facts facts_of(const session& session, const server_identity& server,
                                    bool shares);
/// An object's members, in nats-server's order; the whole object.
void write_members(protocol::json_writer& json, const client_facts& facts);
[[nodiscard]] std::string text_of(const client_facts& facts);

/// The header of a request that came through an import.
inline constexpr std::string_view request_info_header = "Nats-Request-Info";

/// A header block with this field as its last, in the place of all others of its name. `headers`
/// is a block with its closing blank line, or empty.
[[nodiscard]] std::string with_header(bytes_view headers, std::string_view name,
                                      std::string_view value);

} // namespace pipit::broker
