// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/auth/authorization_jwt.hpp>
#include <pipit/auth/nkey.hpp>
#include <pipit/auth/permissions.hpp>
#include <pipit/auth/xkey.hpp>
#include <pipit/base/bytes.hpp>
#include <pipit/base/error.hpp>
#include <pipit/base/time.hpp>
#include <pipit/client/blocking_connection.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

/// The other side of a server's auth callout (ADR-26): a program that says who may come in.
namespace pipit::client {

/// Who comes in, and as what.
struct admitted_user {
    /// The account's name; where users have JWTs, the public key of the account that issues them.
    std::string account;
    std::string name = {}; ///< What people see; empty: as the client calls itself.
    auth::permission_lists permissions = {};
    std::optional<std::chrono::seconds> valid_for = std::nullopt; ///< Then the connection ends.
    /// Then a Pipit server with `live_permissions` asks again (`is_refresh`), as long as each
    /// answer says so; what the connection may do is what the last one said.
    std::optional<std::chrono::seconds> refresh_after = std::nullopt;
    std::int64_t max_subscriptions = -1; ///< -1: no limit.
    std::int64_t max_payload_bytes = -1;
    std::vector<std::string> connection_types = {}; ///< `STANDARD`, …; empty: all.
    std::vector<std::string> tags = {};
};

/// Why somebody does not come in: for the server's log, not for the client.
struct refused_user {
    std::string why = "not authorized";
};

using admission = std::variant<admitted_user, refused_user>;

/// Decides about one connection. What it said in CONNECT is in `options`: there are secrets.
using doorkeeper = std::function<admission(const auth::authorization_request_jwt&)>;

struct callout_keys {
    auth::nkey_seed issuer;                             ///< Of the account that the server trusts.
    std::optional<auth::nkey_seed> xkey = std::nullopt; ///< When requests are sealed for it.
    /// Where users have JWTs and `issuer` is a signing key: the account's public key.
    std::string issuer_account = {};
};

/// Answers requests: bytes in, bytes out. Costs two signatures made and one verified, with an xkey
/// two boxes more.
class callout_answerer {
public:
    callout_answerer(const callout_keys& keys, doorkeeper decide);

    /// `headers` is the request's block or empty; `nonce` is random, and is used when the request
    /// was sealed.
    /// Errors: the request is not a server's, not readable, or sealed for somebody else; it gets no
    ///         answer then, and the client is refused when its time is over.
    [[nodiscard]] result<std::string> answer(bytes_view headers, bytes_view request, wall_time now,
                                             const auth::xkey_nonce& nonce) const;

private:
    [[nodiscard]] std::string answer_to(const auth::authorization_request_jwt& request,
                                        wall_time now) const;

    auth::signing_key issuer_;
    std::optional<auth::curve_key> xkey_;
    std::string issuer_account_;
    doorkeeper decide_;
};

/// Answers the callouts that come over a connection, until the subscription ends. The connection's
/// user is one of the server's `auth_users`. Several services share the work.
/// `decide` runs on the connection's thread: nothing else of the connection goes on meanwhile.
/// A request that gets no answer (see `callout_answerer::answer`; or it could not be sent) is told
/// to `on_event`, as `event::asynchronous_error`.
/// Errors: as of `blocking_connection::subscribe`.
[[nodiscard]] result<blocking_subscription>
serve_auth_callout(blocking_connection& connection, const callout_keys& keys, doorkeeper decide);

} // namespace pipit::client
