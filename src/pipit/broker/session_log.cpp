// SPDX-License-Identifier: Apache-2.0
#include <pipit/broker/session_log.hpp>

#include <pipit/broker/account.hpp>
#include <pipit/broker/configuration.hpp>
#include <pipit/protocol/go_text.hpp>

#include <array>
#include <charconv>
#include <cstdint>
#include <vector>

namespace pipit::broker {
namespace {

using protocol::quoted;

std::string account_label(const session& session) {
    const auto& account = *session.of->config;
    if (account.claims == nullptr || account.claims->name.empty()) return account.name;
    return account.name + '/' + account.claims->name;
}

/// `user:bob`; `token` of whoever has one.
std::string user_label(const session& session) {
    const auto& identity = session.details->identity;
    const auto& options = session.details->options;
    if (identity == nullptr) {
        if (!options.nkey.empty()) return "nkey:" + options.nkey;
        return options.user.empty() ? "token" : "user:" + options.user;
    }
    // A client may name its nkey beside its JWT.
    const bool by_nkey =
        identity->claims != nullptr ? !options.nkey.empty() : !identity->nkey.empty();
    const auto* const kind = by_nkey ? "nkey:" : identity->claims != nullptr ? "jwt:" : "user:";
    return kind + identity->name;
}

std::string names(const std::string& name, const std::vector<std::string>& tags) {
    auto text = " (claim-name: " + quoted(name) + ", claim-tags: [";
    for (const auto& each : tags) {
        if (!text.ends_with('[')) text += ' ';
        protocol::append_quoted(text, each);
    }
    return text + "])";
}

std::string hexadecimal(std::uint64_t value) {
    std::array<char, 16> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value, 16).ptr;
    return "0x" + std::string(digits.data(), end);
}

} // namespace

std::string login_label(const session& session) {
    return account_label(session) + '/' + user_label(session);
}

std::string with_account_and_user(std::string_view text, const session& session) {
    std::string line(text);
    if (session.of == nullptr) return line;
    line += " - Account:" + account_label(session);
    const auto& identity = session.details->identity;
    if (identity != nullptr && !identity->name.empty()) line += " - " + user_label(session);
    return line;
}

std::string authenticated_jwt(const session& session) {
    const auto& user = *session.details->identity->claims;
    const auto& account = *session.of->config;
    static const account_claims none;
    const auto& claims = account.claims != nullptr ? *account.claims : none;
    return "Authenticated JWT: Client " + quoted(user.subject) + names(user.name, user.tags) +
           " signed with " + quoted(user.issuer) + " by Account " + quoted(account.name) +
           names(claims.name, claims.tags) + " signed with " + quoted(claims.issuer) +
           " has mappings " + (account.mappings.empty() ? "false" : "true") + " accused " +
           hexadecimal(static_cast<std::uint64_t>(account.id));
}

} // namespace pipit::broker
