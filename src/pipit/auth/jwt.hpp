// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/auth/nkey.hpp>
#include <pipit/auth/permissions.hpp>
#include <pipit/base/bytes.hpp>
#include <pipit/base/error.hpp>
#include <pipit/base/time.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The JWTs of operators, accounts and users, without I/O and without a clock.
///
/// `decode_…` says what a token says, once the signature of its issuer was verified; whether that
/// issuer is to be believed, and whether it is time, is asked afterwards.
/// Source: "JWTs" in the NATS docs; where they are silent, the `jwt` module that `nsc` uses.
namespace pipit::auth {

enum class jwt_kind : std::uint8_t {
    operator_claims,
    account,
    user,
    activation,
    authorization_request,
    authorization_response,
    generic,
};

/// What every JWT says; times are seconds since 1970, 0: not said.
struct jwt_claims {
    jwt_kind kind = jwt_kind::generic;
    int version = 0;
    std::string id;
    std::string issuer;
    std::string subject;
    std::string name;
    std::string audience;
    std::int64_t issued_at = 0;
    std::int64_t expires = 0;
    std::int64_t not_before = 0;
    std::vector<std::string> tags;
};

enum class jwt_time : std::uint8_t { valid, expired, not_yet_valid };
/// As nats-server: valid up to and with the second in which it expires.
[[nodiscard]] jwt_time time_of(const jwt_claims& claims, wall_time now) noexcept;
/// When it ends to be valid; nothing: never.
[[nodiscard]] std::optional<wall_time> end_of(const jwt_claims& claims) noexcept;

/// A part of each day, `08:30:00` for example. One that ends before it starts goes over midnight.
struct time_range {
    std::chrono::seconds start{};
    std::chrono::seconds end{};
    friend bool operator==(const time_range&, const time_range&) = default;
};

/// What a user may do, written in its own JWT or in the scope of the key that signed it.
struct user_rights {
    permission_lists permissions;
    std::vector<std::string> source_networks; ///< `10.0.0.0/8`; empty: from anywhere.
    std::vector<time_range> times;            ///< Empty: always.
    std::string times_problem;                ///< Not empty: some are no times, so it is never.
    std::string times_location;               ///< `Europe/Vienna`; empty: the server's.
    std::int64_t subscriptions = 0;           ///< -1: no limit; so for all three.
    std::int64_t data = 0;
    std::int64_t payload = 0;
    bool bearer_token = false;
    bool proxy_required = false;
    std::vector<std::string> connection_types; ///< As written; empty: all.
    friend bool operator==(const user_rights&, const user_rights&) = default;
};

struct user_jwt : jwt_claims {
    user_rights rights;
    std::string issuer_account; ///< Set when a signing key of this account issued it.

    /// Whose user it is.
    [[nodiscard]] const std::string& account() const noexcept {
        return issuer_account.empty() ? issuer : issuer_account;
    }
};

struct jwt_export {
    std::string subject;
    bool has_type = false; ///< False: it says nothing of whether it is a service.
    bool is_service = false;
    bool needs_token = false;
    std::map<std::string, std::int64_t> revocations; ///< Of activations, by account or `*`.
    std::string response_type;                       ///< `Singleton`, `Stream`, `Chunked`.
    nanoseconds response_threshold{};
    std::optional<int> latency_sampling; ///< Percent; 0: as a request's headers say.
    std::string latency_subject;
    std::uint64_t account_token_position = 0;
    bool allow_trace = false;
    std::string description;
    std::string info_url;
};

struct jwt_import {
    std::string subject; ///< In the exporting account.
    std::string account;
    std::string token; ///< An activation, or a URL of one.
    std::string to;
    std::string local_subject;
    bool has_type = false; ///< As of an export.
    bool is_service = false;
    bool share = false;
    bool allow_trace = false;
};

struct jwt_mapping_destination {
    std::string subject;
    int weight_percent = 100;
    std::string cluster;
};

/// -1: no limit.
struct account_claims_limits {
    std::int64_t subscriptions = 0;
    std::int64_t data = 0;
    std::int64_t payload = 0;
    std::int64_t imports = 0;
    std::int64_t exports = 0;
    std::int64_t connections = 0;
    std::int64_t leaf_nodes = 0;
    bool wildcard_exports = false;
    bool disallow_bearer = false;
    bool jetstream = false; ///< Some storage is allowed.
    bool has_unnamed_tier = false;
    bool mixes_tiers = false; ///< Limits of JetStream stand beside those of tiers.
};

struct account_jwt : jwt_claims {
    account_claims_limits limits;
    /// By key; with a scope, a user says nothing of its own rights.
    std::map<std::string, std::optional<user_rights>> signing_keys;
    std::map<std::string, std::int64_t> revocations; ///< Of users, by public key or `*`.
    permission_lists default_permissions;
    std::vector<jwt_export> exports;
    std::vector<jwt_import> imports;
    std::map<std::string, std::vector<jwt_mapping_destination>> mappings;
    std::vector<std::string> callout_users; ///< Not empty: an auth callout decides about the rest.
    std::vector<std::string> callout_accounts;
    std::string callout_xkey;
    bool has_trace = false; ///< The two that follow are said.
    std::string trace_destination;
    int trace_sampling_percent = 100;
    std::string cluster_traffic;
    std::string description;
    std::string info_url;

    /// A user's JWT that was issued then counts no more.
    [[nodiscard]] bool revokes(const std::string& user, std::int64_t issued_at) const;
};

struct operator_jwt : jwt_claims {
    std::vector<std::string> signing_keys;
    std::string account_server_url;
    std::vector<std::string> service_urls;
    std::string system_account;
    std::string assert_server_version;
    bool strict_signing_keys = false; ///< The operator's own key signs no accounts.
};

/// Leave of one account to another one to import something.
struct activation_jwt : jwt_claims {
    std::string import_subject;
    bool is_service = false;
    std::string issuer_account;
};

/// A request to delete accounts, as `nsc` makes it.
struct generic_jwt : jwt_claims {
    /// `accounts` of its data; nothing: it is missing or holds something else.
    std::optional<std::vector<std::string>> accounts;
};

/// Errors: `errc::invalid_jwt`, with what is wrong: no three parts, another `alg` than
///         `ed25519-nkey` (`ed25519` for version 1), something that is not what it must be, an
///         issuer that may not issue such a token, a signature that is not the issuer's. No part of
///         a token is ever in a detail.
/// Cost:   one signature, about 50 µs, and by size. At most `limits::jwt_bytes`.
[[nodiscard]] result<user_jwt> decode_user_jwt(std::string_view token);
[[nodiscard]] result<account_jwt> decode_account_jwt(std::string_view token);
[[nodiscard]] result<operator_jwt> decode_operator_jwt(std::string_view token);
[[nodiscard]] result<activation_jwt> decode_activation_jwt(std::string_view token);
[[nodiscard]] result<generic_jwt> decode_generic_jwt(std::string_view token);

/// What is wrong with what a token says, beside time and trust: subjects and keys that are none,
/// limits that it does not keep itself. Empty: nothing.
[[nodiscard]] std::string problem_of(const user_jwt& user);
[[nodiscard]] std::string problem_of(const account_jwt& account);

/// Makes a token of claims that are written as JSON already; `iss` is in them, and is `key`.
[[nodiscard]] std::string sign_jwt(std::string_view claims_json, const signing_key& key);

/// The text of a key of this kind.
[[nodiscard]] bool is_public_key(std::string_view text, nkey_prefix prefix) noexcept;

/// What stands in a token, as JSON, for people: nothing is verified. Nothing: it cannot be read.
[[nodiscard]] std::optional<std::string> claims_json(std::string_view token);

/// Cuts a token out of a decorated file (`-----BEGIN NATS OPERATOR JWT-----`), or gives the text
/// without blanks around it. Nothing: it holds no such thing.
[[nodiscard]] std::optional<std::string> undecorated_jwt(bytes_view text);

} // namespace pipit::auth
