// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/operator_trust.hpp>

#include <pipit/protocol/go_text.hpp>
#include <pipit/server/error.hpp>
#include <pipit/server/version.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace pipit::server {
namespace {

using protocol::quoted;

error invalid(std::string text) { return {errc::invalid_configuration, std::move(text)}; }

std::vector<auth::operator_jwt> operators_of(const server_options& options) {
    std::vector<auth::operator_jwt> operators;
    for (const auto& token : options.operators) {
        if (auto claims = auth::decode_operator_jwt(token)) operators.push_back(std::move(*claims));
    }
    return operators;
}

/// `2.10.0`; nothing: it is no version.
std::optional<std::array<int, 3>> version_of(std::string_view text) {
    std::array<int, 3> version{};
    for (std::size_t i = 0; i < version.size(); ++i) {
        const auto* const end = text.data() + text.size();
        const auto read = std::from_chars(text.data(), end, version[i]);
        if (read.ec != std::errc() || version[i] < 0) return std::nullopt;
        text.remove_prefix(static_cast<std::size_t>(read.ptr - text.data()));
        if (i < 2 && !text.starts_with('.')) return std::nullopt;
        if (i < 2) text.remove_prefix(1);
    }
    return text.empty() ? std::optional(version) : std::nullopt;
}

result<> validate_version(const auth::operator_jwt& claims) {
    if (claims.assert_server_version.empty()) return {};
    const auto wanted = version_of(claims.assert_server_version);
    const auto has = version_of(nats_version);
    if (!wanted || !has) {
        return invalid("operator " + claims.subject + " expects version " +
                       claims.assert_server_version +
                       " got error instead: asserted server version must be of the form "
                       "<major>.<minor>.<update>");
    }
    constexpr std::array parts{"major", "minor", "update"};
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if ((*wanted)[i] < (*has)[i]) return {};
        if ((*wanted)[i] == (*has)[i]) continue;
        return invalid("operator " + claims.subject + " expected " + parts[i] + " version " +
                       std::to_string((*wanted)[i]) + " > server " + parts[i] + " version " +
                       std::to_string((*has)[i]));
    }
    return {};
}

/// A token that anybody may use: it has to be a bearer's, or of a scoped key that may make it one.
result<> validate_sentinel(const server_options& options) {
    if (options.default_sentinel.empty()) return {};
    const auto user = auth::decode_user_jwt(options.default_sentinel);
    if (!user) return invalid("default sentinel JWT not valid");
    const bool may_be_scoped = !user->issuer_account.empty() && user->rights == auth::user_rights{};
    if (user->rights.bearer_token || may_be_scoped) return {};
    return invalid("default sentinel must be a bearer token");
}

result<> validate_system_account_of(const std::vector<auth::operator_jwt>& operators,
                                    const server_options& options) {
    const auto& name = options.system_account;
    const auto says = [](const auth::operator_jwt& claims) {
        return !claims.system_account.empty();
    };
    const auto agrees = [&](const auth::operator_jwt& claims) {
        return claims.system_account == name;
    };
    if (!name.empty() && std::any_of(operators.begin(), operators.end(), says) &&
        std::none_of(operators.begin(), operators.end(), agrees)) {
        return invalid("system_account in config and operator JWT must be identical");
    }
    const bool by_messages = options.resolver.kind == resolver_kind::full ||
                             options.resolver.kind == resolver_kind::cache;
    if (name.empty() && !says(operators[0]) && by_messages) {
        return invalid("using nats based account resolver - the system account needs to be "
                       "specified in configuration or the operator jwt");
    }
    return {};
}

result<> validate_keys(const server_options& options) {
    for (const auto& key : trust_of(options).keys) {
        if (!auth::is_public_key(key, auth::nkey_prefix::operator_key)) {
            return invalid("trusted Keys " + quoted(key) +
                           " are required to be a valid public operator nkey");
        }
    }
    for (const auto& key : options.resolver_pinned_accounts) {
        if (!auth::is_public_key(key, auth::nkey_prefix::account)) {
            return invalid("pinned account key " + quoted(key) +
                           " is not a valid public account nkey");
        }
    }
    return {};
}

} // namespace

bool is_in_operator_mode(const server_options& options) noexcept {
    return !options.operators.empty() || !options.trusted_keys.empty();
}

operator_trust trust_of(const server_options& options) {
    operator_trust trust;
    trust.keys.insert(options.trusted_keys.begin(), options.trusted_keys.end());
    const auto operators = operators_of(options);
    for (const auto& claims : operators) {
        const auto& signers = claims.signing_keys;
        trust.keys.insert(signers.begin(), signers.end());
        if (claims.strict_signing_keys) {
            trust.strict_keys.insert(signers.begin(), signers.end());
        } else {
            trust.keys.insert(claims.subject);
        }
    }
    if (!operators.empty()) {
        trust.first_operator = operators[0].subject;
        trust.first_is_strict = operators[0].strict_signing_keys;
    }
    trust.system_account = options.system_account;
    trust.default_sentinel = options.default_sentinel;
    trust.pinned_accounts.insert(options.resolver_pinned_accounts.begin(),
                                 options.resolver_pinned_accounts.end());
    // The operator's own account can always connect.
    if (!trust.pinned_accounts.empty() && !trust.system_account.empty()) {
        trust.pinned_accounts.insert(trust.system_account);
    }
    return trust;
}

result<> validate_operators(const server_options& options) {
    const auto operators = operators_of(options);
    if (operators.empty()) {
        if (!options.default_sentinel.empty()) {
            return invalid("default sentinel requires operators and accounts");
        }
        return options.trusted_keys.empty() ? result<>() : validate_keys(options);
    }
    if (const auto checked = validate_sentinel(options); !checked) return checked;
    if (options.resolver.kind == resolver_kind::none) {
        return invalid("operators require an account resolver to be configured");
    }
    if (!options.accounts.empty()) {
        return invalid("operators do not allow Accounts to be configured directly");
    }
    if (!options.users.empty()) {
        return invalid("operators do not allow users to be configured directly");
    }
    if (!options.trusted_keys.empty()) {
        return invalid("conflicting options for 'TrustedKeys' and 'TrustedOperators'");
    }
    if (const auto checked = validate_system_account_of(operators, options); !checked) {
        return checked;
    }
    for (const auto& claims : operators) {
        if (const auto checked = validate_version(claims); !checked) return checked;
    }
    return validate_keys(options);
}

} // namespace pipit::server
