// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/error.hpp>
#include <pipit/base/time.hpp>
#include <pipit/broker/login_question.hpp>
#include <pipit/net/http.hpp>

#include <memory>
#include <string>
#include <string_view>

namespace pipit::server {

struct server_keys;

/// A question to an auth callout, and what its answer is checked against.
struct callout_question {
    const broker::callout_check& check;
    const std::string& user_nkey; ///< Made for this question.
    const server_keys& keys;
    const broker::configuration& configuration;
    wall_time now{};
};

/// Somebody whom a service lets in.
struct answered_user {
    std::shared_ptr<const broker::user_configuration> user;
    nanoseconds refresh_after{}; ///< Then it wants to be asked again; zero: never.
};

/// Who comes in by a service's answer: opened, verified, and judged.
/// Errors: with nats-server's words for its log: `errc::login_refused` when the service itself says
///         no, or lets in whom it may not; `errc::invalid_request` for what is not its answer.
/// Source: ADR-26; where it is silent, nats-server v2.15.2.
[[nodiscard]] result<answered_user> user_of_answer(const callout_question& question,
                                                   std::string_view body);

/// The same where users have JWTs: a user's JWT that the service vouches for. Its account has to
/// be asked about it.
struct vouched_user {
    std::string jwt;
    std::string name;
    nanoseconds refresh_after{};
};
[[nodiscard]] result<vouched_user> vouched_user_of(const callout_question& question,
                                                   std::string_view body);
/// A user as the service calls it.
[[nodiscard]] std::shared_ptr<const broker::user_configuration>
renamed(const broker::callout_check& check, const broker::user_configuration& user,
        const std::string& name);

/// A user of a service's own account may not ask it as if it were the server.
void keep_from_asking(broker::user_configuration& user);

/// The same of a service that was asked by HTTP: a status of 200 and JSON lets somebody in; a
/// status of 500 or more is no answer.
/// Source: docs/formats/http-callout.md.
[[nodiscard]] result<answered_user> user_of_http_answer(const callout_question& question,
                                                        const net::http_response& answer);

} // namespace pipit::server
