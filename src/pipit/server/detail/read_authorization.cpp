// SPDX-License-Identifier: Apache-2.0
#include <pipit/auth/nkey.hpp>
#include <pipit/base/ascii_case.hpp>
#include <pipit/protocol/go_text.hpp>
#include <pipit/server/detail/option_blocks.hpp>

#include <algorithm>
#include <set>

namespace pipit::server::detail {
namespace {

void set_name(user_options& user, const config_entry& entry, config_findings& findings) {
    if (auto text = read_text(entry, findings)) user.name = std::move(*text);
}
void set_password(user_options& user, const config_entry& entry, config_findings& findings) {
    if (auto text = read_text(entry, findings)) user.password = std::move(*text);
}
void set_permissions(user_options& user, const config_entry& entry, config_findings& findings) {
    user.permissions = read_permissions(entry, findings);
}
void set_nkey(user_options& user, const config_entry& entry, config_findings& findings) {
    if (auto text = read_text(entry, findings)) user.nkey = std::move(*text);
}

void set_connection_types(user_options& user, const config_entry& entry,
                          config_findings& findings) {
    const auto types = read_texts(entry, findings);
    if (!types) return;
    std::set<std::string> chosen;
    for (const auto& type : *types) {
        auto name = lower_case(type);
        constexpr auto known = "standard websocket leafnode leafnode_ws mqtt mqtt_ws in_process";
        if (!is_one_of(known, name)) {
            findings.error(entry.place,
                           "invalid connection types [" + protocol::quoted(type) + "]");
        }
        chosen.insert(std::move(name));
    }
    const auto allows = [&](const char* type) { return chosen.empty() || chosen.contains(type); };
    user.standard_connections_allowed = allows("standard");
    user.websocket_connections_allowed = allows("websocket");
    user.in_process_connections_allowed = allows("in_process");
    user.leafnode_connections_allowed = allows("leafnode");
    user.leafnode_websocket_connections_allowed = allows("leafnode_ws");
    user.mqtt_connections_allowed = allows("mqtt");
    user.mqtt_websocket_connections_allowed = allows("mqtt_ws");
}

constexpr key_rule<user_options> user_rules[] = {
    {"user username", set_name},
    {"password pass", set_password},
    {"permissions permission authorization", set_permissions},
    {"allowed_connection_types connection_types clients", set_connection_types},
    {"nkey", set_nkey},
    {"proxy_required", set_boolean<&user_options::proxy_required>},
};

/// An `authorization` block, with what only its other keys can judge.
struct authorization_reading {
    server_options& options;
    std::vector<user_options> users{};
    std::optional<auth::permission_lists> default_permissions{};
};

template <auto Member>
void set_option(authorization_reading& reading, const config_entry& entry,
                config_findings& findings) {
    set_text<Member>(reading.options, entry, findings);
}

void set_timeout(authorization_reading& reading, const config_entry& entry,
                 config_findings& findings) {
    const auto timeout = read_seconds(entry, findings);
    if (!timeout) return;
    if (*timeout > std::chrono::minutes(1)) {
        const auto seconds = std::chrono::duration<double>(*timeout).count();
        findings.warning(entry.place,
                         "invalid use of field " + protocol::quoted(entry.key) + ": timeout of " +
                             entry.value.written() + " (" + std::to_string(seconds) +
                             " seconds) is high, consider keeping it under 60 seconds. possibly "
                             "caused by unquoted duration; use '1m' instead of 1m, for example");
    }
    reading.options.auth_timeout = *timeout;
}
void set_users(authorization_reading& reading, const config_entry& entry,
               config_findings& findings) {
    read_users(reading.users, entry, findings);
}
void set_default_permissions(authorization_reading& reading, const config_entry& entry,
                             config_findings& findings) {
    reading.default_permissions = read_permissions(entry, findings);
}
void set_proxy_required(authorization_reading& reading, const config_entry& entry,
                        config_findings& findings) {
    set_boolean<&server_options::proxy_required>(reading.options, entry, findings);
}
template <auto Read>
void set_callout(authorization_reading& reading, const config_entry& entry,
                 config_findings& findings) {
    if (reading.options.auth_callout) {
        findings.error(entry.place, "There is one callout only");
    }
    reading.options.auth_callout = Read(entry, findings);
}

constexpr key_rule<authorization_reading> authorization_rules[] = {
    {"user username", set_option<&server_options::username>},
    {"password pass", set_option<&server_options::password>},
    {"token", set_option<&server_options::token>},
    {"timeout", set_timeout},
    {"users", set_users},
    {"default_permissions default_permission permissions", set_default_permissions},
    {"auth_callout auth_hook", set_callout<read_auth_callout>},
    {"http_callout", set_callout<read_http_callout>},
    {"proxy_required", set_proxy_required},
};

/// A user has a name, and usually a password, or an nkey, which is the name then.
void check_user(user_options& user, const config_place& place, config_findings& findings) {
    if (user.nkey.empty()) {
        if (user.name.empty()) findings.error(place, "User entry requires a user");
        return;
    }
    const auto key = auth::decode_public_nkey(user.nkey);
    if (!key || key->prefix != auth::nkey_prefix::user) {
        findings.error(place, "Not a valid public nkey for a user");
    }
    if (!user.name.empty() || !user.password.empty()) {
        findings.error(place, "Nkey users do not take usernames or passwords");
    }
    user.name = user.nkey;
}

const config_entry* find_key(const config_map& map, std::string_view name) {
    const auto found = std::find_if(map.rbegin(), map.rend(), [&](const config_entry& entry) {
        return lower_case(entry.key) == name;
    });
    return found == map.rend() ? nullptr : &*found;
}

} // namespace

void read_users(std::vector<user_options>& users, const config_entry& entry,
                config_findings& findings) {
    const auto* array = read_array(entry, findings);
    if (!array) return;
    for (const auto& element : *array) {
        const auto* map = read_element(entry, element, findings);
        if (!map) continue;
        user_options user;
        read_keys(*map, user_rules, user, findings);
        check_user(user, element.place(), findings);
        users.push_back(std::move(user));
    }
}

void read_authorization(server_options& options, const config_entry& entry,
                        config_findings& findings) {
    const auto* map = read_map(entry, findings);
    if (!map) return;
    options.authorization_configured = true;
    authorization_reading reading{options};
    read_keys(*map, authorization_rules, reading, findings);
    apply_default_permissions(reading.users, reading.default_permissions);
    std::move(reading.users.begin(), reading.users.end(), std::back_inserter(options.users));
}

void check_logins(const server_options& options, const config_map& map, config_findings& findings) {
    const auto* authorization = find_key(map, "authorization");
    const auto* accounts = find_key(map, "accounts");
    const auto& place = authorization ? authorization->place
                        : accounts    ? accounts->place
                                      : config_place();
    check_auth_callout(options, place, findings);
    const bool has_single_user = !options.username.empty() || !options.password.empty();
    if (has_single_user && !options.token.empty()) {
        findings.error(place, "Cannot have a user/pass and token");
    }
    const auto* block = authorization ? authorization->value.as<config_map>() : nullptr;
    const bool lists_users = block && find_key(*block, "users");
    const std::string others = lists_users ? "a users array" : "accounts";
    if (lists_users || !options.users.empty()) {
        if (!options.username.empty()) {
            findings.error(place, "Can not have a single user/pass and " + others);
        }
        if (!options.token.empty()) findings.error(place, "Can not have a token and " + others);
    }
    std::set<std::string_view> names;
    for (const auto& user : options.users) {
        if (names.insert(user.name).second) continue;
        const std::string kind = user.nkey.empty() ? "user " : "nkey ";
        findings.error(place, "Duplicate " + kind + protocol::quoted(user.name) + " detected");
    }
}

} // namespace pipit::server::detail
