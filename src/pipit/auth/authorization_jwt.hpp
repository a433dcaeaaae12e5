// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/auth/jwt.hpp>
#include <pipit/auth/nkey.hpp>
#include <pipit/base/error.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The JWTs between a server and the service that it asks who may come in.
/// Source: ADR-26; where it is silent, nats-server v2.15.2.
namespace pipit::auth {

inline constexpr std::string_view callout_subject = "$SYS.REQ.USER.AUTH";
inline constexpr std::string_view callout_audience = "nats-authorization-request";
/// The header that says with which key a request is sealed.
inline constexpr std::string_view callout_xkey_header = "Nats-Server-Xkey";

/// The server that asks.
struct asking_server {
    std::string name, host, id, version, cluster, xkey;
    std::vector<std::string> tags;
};

/// The connection that wants to come in.
struct asking_client {
    std::string host;
    std::uint64_t id = 0;
    std::string user, name, name_tag, kind, type, mqtt_id, nonce;
    std::vector<std::string> tags;
};

/// What it said in CONNECT: there may be secrets in it.
struct asked_options {
    std::string jwt, nkey, signature, token, user, password, name, lang, version;
    int protocol = 0;
};

/// Its TLS; certificates are PEM.
struct asking_tls {
    std::string version, cipher;
    std::vector<std::string> certificates;
    std::vector<std::vector<std::string>> verified_chains;
};

/// "May this one come in?" Signed by the server.
struct authorization_request_jwt : jwt_claims {
    asking_server server;
    std::string user_nkey; ///< Made for this request: the answer has to be about this user.
    asking_client client;
    asked_options options;
    std::optional<asking_tls> tls;
    std::string request_nonce;
    /// Ours: it is about a connection that this service let in and wants to be asked about again.
    /// Whoever it is has proved that before: `options` has no secrets.
    bool is_refresh = false;
};

/// The answer: a user's JWT, or why not. Signed by the account of the service.
struct authorization_response_jwt : jwt_claims {
    std::string user_jwt;
    std::string problem; ///< For the server's log.
    std::string issuer_account;
    std::int64_t refresh_seconds = 0; ///< Ours: then it wants to be asked again; 0: never.
};

/// Errors: as of the other kinds, see `jwt.hpp`.
[[nodiscard]] result<authorization_request_jwt>
decode_authorization_request_jwt(std::string_view token);
[[nodiscard]] result<authorization_response_jwt>
decode_authorization_response_jwt(std::string_view token);

/// What is wrong with what an answer says, in nats-server's words; empty: nothing.
[[nodiscard]] std::string problem_of(const authorization_response_jwt& response);

/// A signed token; the issuer, the number and the kind are filled in. The audience, the subject and
/// the times are the caller's.
[[nodiscard]] std::string encode(const authorization_request_jwt& request, const signing_key& key);
[[nodiscard]] std::string encode(const authorization_response_jwt& response,
                                 const signing_key& key);
[[nodiscard]] std::string encode(const user_jwt& user, const signing_key& key);

/// What a request says, as JSON, for a service that is asked by other means.
[[nodiscard]] std::string to_json(const authorization_request_jwt& request);

/// Who comes in by such a service's answer, which is JSON too.
struct authorization_answer {
    std::string problem; ///< Not empty: nobody does, and why.
    std::string account;
    std::string name;
    std::int64_t valid_seconds = 0;   ///< 0: without an end.
    std::int64_t refresh_seconds = 0; ///< Then the service wants to be asked again; 0: never.
    user_rights rights;
};
/// Errors: `errc::invalid_jwt`, with what is wrong.
[[nodiscard]] result<authorization_answer> read_authorization_answer(std::string_view json);

} // namespace pipit::auth
