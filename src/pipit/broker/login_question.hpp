// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/log.hpp>
#include <pipit/base/time.hpp>
#include <pipit/broker/configuration.hpp>
#include <pipit/broker/snapshot.hpp>
#include <pipit/protocol/connect.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

/// Who somebody is, when that cannot be said at once: a bcrypt hash takes 0.1 s, a signature
/// 0.1 ms, an account that nobody has asked for yet a request. The session is suspended meanwhile,
/// and everybody else goes on.
namespace pipit::broker {

struct tls_facts;

/// Does this password fit the bcrypt hash?
struct password_check {
    std::string stored;
    std::string given;
};

/// Did the holder of this key sign the nonce?
struct signature_check {
    std::string nkey; ///< `U…`
    std::string nonce;
    std::string signature; ///< As CONNECT carries it: base64url, or base64.
};

/// Did a proxy that is trusted sign the nonce for its client (ADR-55)?
struct proxy_check {
    std::shared_ptr<const std::vector<std::string>> trusted; ///< Public keys of proxies.
    std::string nonce;
    std::string signature; ///< As CONNECT carries it: base64url.
};

/// Is this the JWT of a user, may it come in here and now, and does its holder ask?
struct jwt_check {
    std::string jwt;
    std::string nonce;
    std::string signature; ///< May be missing from a bearer of the token.
    bool in_process = false;
    bool is_websocket = false;
    bool vouched_for = false; ///< By a service that was asked: nobody need sign.
    bool by_trusted_proxy = false;
};

/// May this one come in, and as whom? A service decides.
struct callout_check {
    std::shared_ptr<const callout_configuration> service;
    protocol::connect_options options; ///< What CONNECT said, secrets and all.
    std::string nonce;
    std::uint64_t client_id = 0;
    std::string host; ///< An IP address; empty inside the process.
    std::string user; ///< As it is shown.
    bool in_process = false;
    bool is_websocket = false;
    std::shared_ptr<const tls_facts> tls; ///< Null: not encrypted.
    bool lacks_proxy = false; ///< By the configuration it may come by a trusted proxy only.
    bool by_trusted_proxy = false;
    bool is_refresh = false; ///< About a session that it let in; `options` has no secrets.
};

/// A question of a session that logs in. Whoever adds a way to log in adds what is to be checked;
/// the server answers, and the broker never asks how.
struct login_question {
    std::uint64_t id = 0;
    std::string address; ///< Where the session comes from: an IP address; empty inside the process.
    /// Nobody waits any more then: an answer is still wanted, but need not be found.
    steady_time give_up_at = steady_time::max();
    /// Who it is if the check succeeds; null for the holder of a token, and where only the answer
    /// knows.
    std::shared_ptr<const user_configuration> user = nullptr;
    std::variant<password_check, signature_check, proxy_check, jwt_check, callout_check> what;
};

/// The answer: somebody known comes in, or is refused.
struct login_answer {
    bool accepted = false;
    std::shared_ptr<const user_configuration> user = nullptr; ///< As in the question, or found out.
    std::string proxy_key = {};                               ///< Of the proxy that signed.
    std::string why_not = {}; ///< For the log; the client hears `Authorization Violation`.
    log_level level = log_level::debug;
    close_reason reason = close_reason::authentication_failure;
    /// Who decides instead; null: the configuration says who, if somebody.
    std::shared_ptr<const callout_configuration> service = nullptr;
    std::string told = {};       ///< To the account of a service that has refused: why.
    nanoseconds refresh_after{}; ///< Then the service wants to be asked again; zero: never.
    bool undecided = false;      ///< Refused, as nobody has said anything that can be believed.

    [[nodiscard]] static login_answer refusal(std::string why) {
        login_answer refused;
        refused.why_not = std::move(why);
        return refused;
    }
};

} // namespace pipit::broker
