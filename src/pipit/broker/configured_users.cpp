// SPDX-License-Identifier: Apache-2.0
#include <pipit/broker/configured_users.hpp>
#include <pipit/broker/tls_facts.hpp>

namespace pipit::broker {
namespace {

using auth::distinguished_name;

const user_configuration* find_user(const std::map<std::string, user_configuration>& users,
                                    const std::string& name) noexcept {
    const auto found = users.find(name);
    return found == users.end() ? nullptr : &found->second;
}

/// Who it is stands in its certificate, unless it has an nkey.
bool goes_by_certificate(const authorization& authorization,
                         const protocol::connect_options& options) noexcept {
    return authorization.maps_certificates && !authorization.users.empty() &&
           (authorization.nkeys.empty() || options.nkey.empty());
}

/// A user whose name is the certificate's name: as it stands there, or else in another order.
const user_configuration* find_by_name(const authorization& authorization,
                                       const distinguished_name& name,
                                       const session_origin& origin) {
    const user_configuration* reordered = nullptr;
    for (const auto& [text, user] : authorization.users) {
        if (!may_connect(user, origin)) continue;
        const auto parsed = distinguished_name::parse(text);
        if (!parsed) continue;
        if (parsed->equals(name)) return &user;
        if (reordered == nullptr && parsed->has_the_parts_of(name)) reordered = &user;
    }
    return reordered;
}

/// Who the client is by its certificate (`verify_and_map`).
/// Source: auth, section 1.
const user_configuration* user_of_certificate(const authorization& authorization,
                                              const session_origin& origin) {
    if (!origin.tls || origin.tls->peer.empty()) return nullptr;
    const auto& certificate = origin.tls->peer.front();
    const auto find = [&](const std::string& text) -> const user_configuration* {
        const auto* const found = text.empty() ? nullptr : find_user(authorization.users, text);
        return found != nullptr && may_connect(*found, origin) ? found : nullptr;
    };
    for (const auto* names : {&certificate.emails, &certificate.dns_names, &certificate.uris}) {
        for (const auto& text : *names) {
            if (const auto* user = find(text)) return user;
        }
    }
    if (certificate.name) {
        if (const auto* user = find_by_name(authorization, *certificate.name, origin)) return user;
    }
    if (const auto* user = find(certificate.subject_and_components)) return user;
    return find(certificate.common_subject);
}

} // namespace

const user_configuration* user_named(const authorization& authorization,
                                     const std::string& name) noexcept {
    const auto& single = authorization.single_user;
    if (single && single->name == name) return &*single;
    const auto* const found = find_user(authorization.users, name);
    return found != nullptr ? found : find_user(authorization.nkeys, name);
}

const user_configuration* no_auth_user(const authorization& authorization) noexcept {
    const auto& name = authorization.no_auth_user;
    if (name.empty()) return nullptr;
    const auto* const with_nkey = find_user(authorization.nkeys, name);
    return with_nkey != nullptr ? with_nkey : find_user(authorization.users, name);
}

bool says_nothing(const authorization& authorization,
                  const protocol::connect_options& options) noexcept {
    return options.user.empty() && options.pass.empty() && options.auth_token.empty() &&
           (options.nkey.empty() || authorization.nkeys.empty()) &&
           !goes_by_certificate(authorization, options);
}

bool names_no_user(const authorization& authorization,
                   const protocol::connect_options& options) noexcept {
    if (!authorization.nkeys.empty() && !options.nkey.empty()) return false;
    return authorization.users.empty() ||
           (options.user.empty() && !goes_by_certificate(authorization, options));
}

const user_configuration* claimed_user(const authorization& authorization,
                                       const protocol::connect_options& options,
                                       const session_origin& origin) {
    if (!authorization.nkeys.empty() && !options.nkey.empty()) {
        return find_user(authorization.nkeys, options.nkey);
    }
    if (goes_by_certificate(authorization, options)) {
        return user_of_certificate(authorization, origin);
    }
    if (!authorization.users.empty()) return find_user(authorization.users, options.user);
    const auto& single = authorization.single_user;
    return single && single->name == options.user ? &*single : nullptr;
}

bool may_connect(const user_configuration& user, const session_origin& origin) noexcept {
    if (origin.is_websocket) return user.websocket_connections_allowed;
    return origin.in_process ? user.in_process_connections_allowed
                             : user.standard_connections_allowed;
}

bool needs_certificate(const user_configuration& user, const authorization& here) noexcept {
    return user.is_certificate_identity && user.password.empty() && !here.maps_certificates &&
           here.no_auth_user != user.name;
}

void assume_credentials(protocol::connect_options& options, const user_configuration& user) {
    if (user.nkey.empty()) {
        options.user = user.name;
        options.pass = user.password;
    } else {
        options.nkey = user.nkey;
    }
}

} // namespace pipit::broker
