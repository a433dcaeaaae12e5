// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/reload_difference.hpp>

#include <pipit/protocol/go_text.hpp>
#include <pipit/server/duration_text.hpp>
#include <pipit/server/error.hpp>
#include <pipit/server/host_port.hpp>

#include <algorithm>
#include <concepts>

namespace pipit::server {
namespace {

// How values are shown.

std::string shown(bool value) { return value ? "true" : "false"; }
std::string shown(std::integral auto value) { return std::to_string(value); }
std::string shown(const std::string& value) { return value; }
std::string shown(nanoseconds value) { return duration_text(value); }
std::string shown(write_timeout_policy value) { return std::string(to_text(value)); }
std::string shown(const std::map<std::string, bool>& values) {
    std::string text = "map[";
    for (const auto& [name, value] : values) {
        if (text.back() != '[') text += ' ';
        text += name + ":" + shown(value);
    }
    return text + "]";
}
std::string shown(const std::vector<reserved_listener>& listeners) {
    std::string text = "[";
    for (const auto& listener : listeners) {
        if (text.back() != '[') text += ' ';
        text += join_host_port(listener.host, listener.port);
    }
    return text + "]";
}

/// What may be done about one member that has changed.
struct option_rule {
    std::string_view name; ///< As nats-server calls it where it cannot be changed.
    bool (*differs)(const server_options& current, const server_options& next);
    std::string (*show)(const server_options& options);
    /// What the log says; with a trailing `= ` the new value follows. Empty: a restart is needed.
    std::string_view text{};
    change_effect effect = change_effect::none;
};

template <auto Member>
bool differs(const server_options& current, const server_options& next) {
    return current.*Member != next.*Member;
}
template <auto Member>
std::string show(const server_options& options) {
    return shown(options.*Member);
}
std::string show_nothing(const server_options&) { return {}; }

template <auto Member>
constexpr option_rule fixed(std::string_view name) {
    return {name, differs<Member>, show<Member>};
}
template <auto Member>
constexpr option_rule changeable(std::string_view text,
                                 change_effect effect = change_effect::none) {
    return {{}, differs<Member>, show<Member>, text, effect};
}
/// Secrets, and what is too long for a line.
template <auto Member>
constexpr option_rule quietly_changeable(std::string_view text) {
    return {{}, differs<Member>, show_nothing, text};
}

// What is not as simple.

bool port_differs(const server_options& current, const server_options& next) {
    return next.port != random_port && next.port != current.port;
}
/// Without a new file there is nothing to write, and the old one stays.
bool pid_file_differs(const server_options& current, const server_options& next) {
    return !next.pid_file.empty() && next.pid_file != current.pid_file;
}
bool always(const server_options&, const server_options&) { return true; }
std::string seconds_text(nanoseconds value) {
    auto text = std::to_string(std::chrono::duration<double>(value).count());
    text.erase(text.find_last_not_of('0') + 1);
    if (text.ends_with('.')) text.pop_back();
    return text;
}
std::string show_auth_timeout(const server_options& options) {
    return seconds_text(options.auth_timeout);
}
std::string show_stall(const server_options& options) {
    return options.no_fast_producer_stall ? "not be stalled" : "be stalled";
}
/// A user that goes may go together with the rule that made it everybody's.
bool no_auth_user_differs(const server_options& current, const server_options& next) {
    if (current.no_auth_user == next.no_auth_user) return false;
    const bool user_is_gone =
        std::none_of(next.users.begin(), next.users.end(),
                     [&](const user_options& user) { return user.name == current.no_auth_user; });
    return !next.no_auth_user.empty() || !user_is_gone;
}
bool listeners_differ(const server_options& current, const server_options& next) {
    const auto same = [](const reserved_listener& a, const reserved_listener& b) {
        const bool same_port = a.port == b.port || b.port == random_port;
        return a.kind == b.kind && a.host == b.host && same_port &&
               a.maps_certificates == b.maps_certificates;
    };
    return !std::is_permutation(current.reserved_listeners.begin(),
                                current.reserved_listeners.end(), next.reserved_listeners.begin(),
                                next.reserved_listeners.end(), same);
}

/// The port may be any, and then the one that was found stays.
bool websocket_differs(const server_options& current, const server_options& next) {
    auto wanted = next.websocket;
    if (wanted.port == random_port) wanted.port = current.websocket.port;
    // What a `tls` block says may change, but not whether there is one.
    if (wanted.tls && current.websocket.tls) wanted.tls = current.websocket.tls;
    return wanted != current.websocket;
}
bool websocket_tls_differs(const server_options& current, const server_options& next) {
    return current.websocket.tls != next.websocket.tls;
}
std::string show_websocket(const server_options& options) {
    return join_host_port(options.websocket.host, options.websocket.port);
}

/// Nothing of a block is as a block that says nothing.
const tls_options& tls_of(const server_options& options) {
    static const tls_options none;
    return options.tls ? *options.tls : none;
}
/// Also when only the files have another content.
bool tls_differs(const server_options& current, const server_options& next) {
    return current.tls.has_value() != next.tls.has_value() ||
           tls_of(current).settings != tls_of(next).settings ||
           tls_of(current).files_digest != tls_of(next).files_digest;
}
std::string show_tls(const server_options& options) { return options.tls ? "enabled" : "disabled"; }
bool ocsp_peer_differs(const server_options& current, const server_options& next) {
    return tls_of(current).ocsp_peer != tls_of(next).ocsp_peer;
}
bool tls_timeout_differs(const server_options& current, const server_options& next) {
    return tls_of(current).timeout != tls_of(next).timeout;
}
std::string show_tls_timeout(const server_options& options) {
    return seconds_text(tls_of(options).timeout);
}
bool pinned_certs_differ(const server_options& current, const server_options& next) {
    return tls_of(current).pinned_certs != tls_of(next).pinned_certs;
}
std::string show_pinned_certs(const server_options& options) {
    return std::to_string(tls_of(options).pinned_certs.size()) + " pinned_certs";
}
bool handshake_first_differs(const server_options& current, const server_options& next) {
    return tls_of(current).handshake_first != tls_of(next).handshake_first;
}
std::string show_handshake_first(const server_options& options) {
    return shown(tls_of(options).handshake_first);
}
bool fallback_differs(const server_options& current, const server_options& next) {
    return tls_of(current).handshake_first_fallback != tls_of(next).handshake_first_fallback;
}
std::string show_fallback(const server_options& options) {
    return shown(tls_of(options).handshake_first_fallback);
}

/// As Go writes a list of texts; those of `all` that are not in `known`.
std::vector<std::string> proxies_missing_from(const server_options& known,
                                              const server_options& all) {
    static const std::vector<std::string> none;
    const auto& there = known.trusted_proxies ? *known.trusted_proxies : none;
    auto missing = all.trusted_proxies.value_or(none);
    std::erase_if(missing,
                  [&](const auto& key) { return std::ranges::find(there, key) != there.end(); });
    return missing;
}
std::string quoted_list(const std::vector<std::string>& texts) {
    std::string text = "[";
    for (const auto& each : texts) {
        if (text.back() != '[') text += ' ';
        protocol::append_quoted(text, each);
    }
    return text + "]";
}
void note_proxies(std::vector<option_change>& changes, const server_options& current,
                  const server_options& next) {
    const auto note = [&](const std::vector<std::string>& keys, const char* what) {
        if (keys.empty()) return;
        changes.push_back({"Reloaded: proxies trusted keys " + quoted_list(keys) + what});
    };
    note(proxies_missing_from(next, current), " were removed");
    note(proxies_missing_from(current, next), " were added");
}

using options = server_options;
constexpr auto logging = change_effect::logging;

constexpr option_rule option_rules[] = {
    fixed<&options::server_name>("ServerName"),
    fixed<&options::host>("Host"),
    {"Port", port_differs, show<&options::port>},
    changeable<&options::client_advertise>("Reload: client_advertise = "),
    changeable<&options::trace>("Reloaded: trace = ", logging),
    changeable<&options::debug>("Reloaded: debug = ", logging),
    changeable<&options::trace_verbose>("Reloaded: trace_verbose = ", logging),
    changeable<&options::trace_headers>("Reloaded: trace_headers = ", logging),
    fixed<&options::disable_sublist_cache>("NoSublistCache"),
    fixed<&options::no_header_support>("NoHeaderSupport"),
    changeable<&options::logtime>("Reloaded: logtime = ", logging),
    changeable<&options::logtime_utc>("Reloaded: logtime_utc = ", logging),
    changeable<&options::max_connections>("Reloaded: max_connections = "),
    fixed<&options::max_subscriptions>("MaxSubs"),
    fixed<&options::max_subscription_tokens>("MaxSubTokens"),
    {{}, always, show_nothing, "Reloaded: authorization users"},
    {{}, always, show_nothing, "Reloaded: accounts"},
    {"NoAuthUser", no_auth_user_differs, show<&options::no_auth_user>},
    changeable<&options::live_permissions>("Reloaded: live_permissions = "),
    fixed<&options::system_account>("SystemAccount"),
    {"TrustedOperators", differs<&options::operators>, show_nothing},
    {"TrustedKeys", differs<&options::trusted_keys>, show_nothing},
    {{}, differs<&options::resolver>, show_nothing, "Reloaded: accounts"},
    quietly_changeable<&options::default_sentinel>("Reloaded: default_sentinel"),
    quietly_changeable<&options::resolver_preload>("Reloaded: resolver_preload"),
    quietly_changeable<&options::resolver_pinned_accounts>("Reloaded: resolver_pinned_accounts"),
    fixed<&options::no_system_account>("NoSystemAccount"),
    quietly_changeable<&options::username>("Reloaded: authorization username"),
    quietly_changeable<&options::password>("Reloaded: authorization password"),
    fixed<&options::proxy_required>("ProxyRequired"),
    fixed<&options::proxy_protocol>("ProxyProtocol"),
    quietly_changeable<&options::token>("Reloaded: authorization token"),
    changeable<&options::ping_interval>("Reloaded: ping_interval = "),
    changeable<&options::ping_max>("Reloaded: ping_max = "),
    fixed<&options::http_host>("HTTPHost"),
    fixed<&options::http_port>("HTTPPort"),
    fixed<&options::http_base_path>("HTTPBasePath"),
    fixed<&options::https_port>("HTTPSPort"),
    {{}, tls_differs, show_tls, "Reloaded: tls = "},
    {{}, tls_timeout_differs, show_tls_timeout, "Reloaded: tls timeout = "},
    {{}, pinned_certs_differ, show_pinned_certs, "Reloaded: "},
    {{}, handshake_first_differs, show_handshake_first, "Reloaded: Client TLS handshake first: "},
    {{}, fallback_differs, show_fallback, "Reloaded: Client TLS handshake first fallback delay: "},
    fixed<&options::allow_non_tls>("AllowNonTLS"),
    quietly_changeable<&options::ocsp>("Reloaded: OCSP"),
    quietly_changeable<&options::ocsp_cache>("Reloaded OCSP peer cache"),
    {{}, ocsp_peer_differs, show_nothing, "Reloaded: tls ocsp_peer"},
    {{}, differs<&options::auth_timeout>, show_auth_timeout, "Reloaded: authorization timeout = "},
    changeable<&options::max_control_line>("Reloaded: max_control_line = "),
    changeable<&options::max_payload>("Reloaded: max_payload = "),
    fixed<&options::max_pending>("MaxPending"),
    {{}, differs<&options::no_fast_producer_stall>, show_stall, "Reloaded: fast producers will "},
    {{},
     pid_file_differs,
     show<&options::pid_file>,
     "Reloaded: pid_file = ",
     change_effect::pid_file},
    changeable<&options::ports_file_dir>("Reloaded: ports_file_dir = ", change_effect::ports_file),
    changeable<&options::log_file>("Reloaded: log_file = ", logging),
    fixed<&options::log_size_limit>("LogSizeLimit"),
    fixed<&options::log_max_num>("LogMaxFiles"),
    changeable<&options::syslog>("Reloaded: syslog = ", logging),
    changeable<&options::remote_syslog>("Reloaded: remote_syslog = ", logging),
    changeable<&options::write_deadline>("Reloaded: write_deadline = "),
    fixed<&options::write_timeout>("WriteTimeout"),
    fixed<&options::max_closed_clients>("MaxClosedClients"),
    fixed<&options::lame_duck_duration>("LameDuckDuration"),
    fixed<&options::lame_duck_grace_period>("LameDuckGracePeriod"),
    changeable<&options::max_traced_msg_len>("Reloaded: max_traced_msg_len = "),
    changeable<&options::connect_error_reports>("Reloaded: connect_error_reports = "),
    changeable<&options::reconnect_error_reports>("Reloaded: reconnect_error_reports = "),
    quietly_changeable<&options::server_tags>("Reloaded: tags"),
    quietly_changeable<&options::server_metadata>("Reloaded: metadata"),
    fixed<&options::feature_flags>("FeatureFlags"),
    fixed<&options::loops>("Loops"),
    {"Websocket", websocket_differs, show_websocket},
    {{}, websocket_tls_differs, show_nothing, "Reloaded: websocket tls"},
    {"listeners", listeners_differ, show<&options::reserved_listeners>},
};

} // namespace

result<std::vector<option_change>> reload_difference(const server_options& current,
                                                     const server_options& next) {
    std::vector<option_change> changes;
    for (const auto& rule : option_rules) {
        if (!rule.differs(current, next)) continue;
        if (rule.text.empty()) {
            return error(errc::reload_not_supported,
                         "config reload not supported for " + std::string(rule.name) +
                             ": old=" + rule.show(current) + ", new=" + rule.show(next));
        }
        changes.push_back({std::string(rule.text) + rule.show(next), rule.effect});
    }
    note_proxies(changes, current, next);
    return changes;
}

result<reload_plan> plan_reload(const server_options& current, const command_line& line,
                                const config_source& source) {
    if (line.config_file.empty()) {
        return error(errc::reload_not_supported,
                     "can only reload config when a file is provided using -c or --config");
    }
    auto next = load_options(line, source);
    if (!next) return next.error();
    if (const auto valid = validate_options(next->options); !valid) return valid.error();
    auto changes = reload_difference(current, next->options);
    if (!changes) return changes.error();
    auto done = "Reloaded server configuration (" + next->options.config_digest + ")";
    return reload_plan{std::move(*next), std::move(*changes), std::move(done)};
}

} // namespace pipit::server
