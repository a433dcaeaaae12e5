// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/auth/jwt.hpp>
#include <pipit/base/error.hpp>
#include <pipit/server/options.hpp>

#include <set>
#include <string>
#include <vector>

namespace pipit::server {

/// Whom a server believes what accounts are.
struct operator_trust {
    /// Public keys of operators, and their signing keys, that may sign accounts.
    std::set<std::string> keys;
    /// Of those, the ones whose operator wants users to be signed by signing keys only.
    std::set<std::string> strict_keys;
    std::string first_operator; ///< Empty: keys are trusted, of operators that nobody knows.
    bool first_is_strict = false;
    std::set<std::string> pinned_accounts; ///< Empty: all.
    std::string system_account;
    std::string default_sentinel; ///< For those who bring no JWT; empty: they are refused.

    [[nodiscard]] bool trusts(const std::string& issuer) const { return keys.contains(issuer); }
};

/// Users bring JWTs.
[[nodiscard]] bool is_in_operator_mode(const server_options& options) noexcept;

/// Of valid options.
[[nodiscard]] operator_trust trust_of(const server_options& options);

/// Errors: `errc::invalid_configuration`, with nats-server's words: what operators do not allow.
[[nodiscard]] result<> validate_operators(const server_options& options);

} // namespace pipit::server
