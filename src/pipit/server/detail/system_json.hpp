// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/time.hpp>
#include <pipit/broker/configuration.hpp>
#include <pipit/broker/snapshot.hpp>
#include <pipit/server/detail/monitoring_documents.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

/// The JSON of the system account's messages. Source: auth, sections 9 and 10.
namespace pipit::server {

/// What all of them say about their server.
struct server_facts {
    broker::server_identity identity;
    std::vector<std::string> tags;
    std::map<std::string, std::string> metadata;
    std::map<std::string, bool> feature_flags; ///< As configured.
};

/// When a message was made, and which one it is of its server's.
struct message_stamp {
    std::uint64_t sequence = 0;
    wall_time now{};
};

/// The members of the server's object.
void write_server_members(json_writer& json, const server_facts& facts, message_stamp stamp);

/// `{"server":…,"<name>":<data>}`, where `data` is JSON, or without it when that is empty.
[[nodiscard]] std::string system_message(const server_facts& facts, message_stamp stamp,
                                         std::string_view name, std::string_view data);
/// `{"server":…,"error":{"code":…,"description":…}}`, with `data` before the error unless it is
/// empty.
[[nodiscard]] std::string system_error(const server_facts& facts, message_stamp stamp, int code,
                                       std::string_view description, std::string_view data = {});

/// What is told of a connection: that it came, or that it went and why.
struct client_event {
    std::string_view id; ///< Unique.
    message_stamp stamp;
    const broker::session_snapshot& who;
    account_names account;
};
[[nodiscard]] std::string connect_event(const server_facts& facts, const client_event& event);
[[nodiscard]] std::string disconnect_event(const server_facts& facts, const client_event& event,
                                           std::string_view reason);

/// How many connections an account has here, and what went over them.
[[nodiscard]] std::string account_event(const server_facts& facts, std::string_view id,
                                        message_stamp stamp,
                                        const broker::account_snapshot& account,
                                        account_names names);

/// What is told of the certificate of somebody who wanted to come in.
struct certificate_facts {
    std::string subject;
    std::string issuer;
    std::string fingerprint;
    std::string raw; ///< DER in base64.
};
[[nodiscard]] std::string ocsp_reject_event(const server_facts& facts, std::string_view id,
                                            message_stamp stamp, const certificate_facts& peer,
                                            std::string_view reason);
[[nodiscard]] std::string ocsp_link_event(const server_facts& facts, std::string_view id,
                                          message_stamp stamp, const certificate_facts& link,
                                          const certificate_facts& peer, std::string_view reason);

/// JSON without the blanks that are there for people.
[[nodiscard]] std::string compact(std::string_view json);

} // namespace pipit::server
