// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/options.hpp>

#include <pipit/auth/nkey.hpp>
#include <pipit/base/filter_limits.hpp>
#include <pipit/protocol/go_text.hpp>
#include <pipit/server/duration_text.hpp>
#include <pipit/server/error.hpp>
#include <pipit/server/host_port.hpp>
#include <pipit/server/operator_trust.hpp>

#include <algorithm>

namespace pipit::server {
namespace {

template <auto Member>
void replace_zero(server_options& options) {
    using type = std::remove_reference_t<decltype(options.*Member)>;
    if (options.*Member == type{}) options.*Member = server_options{}.*Member;
}

error invalid(std::string text) { return {errc::invalid_configuration, std::move(text)}; }

bool has_user(const server_options& options, std::string_view name) {
    return std::any_of(options.users.begin(), options.users.end(),
                       [&](const user_options& user) { return user.name == name; });
}

/// The two that exist without being configured are `$G` and, unless another one has its part or
/// there is to be none, `$SYS`.
result<> validate_system_account(const server_options& options) {
    const auto& name = options.system_account;
    if (name.empty() || name == "$G" || name == "$SYS" || has_account(options, name)) return {};
    if (is_in_operator_mode(options)) return {}; // The resolver knows it, or the start fails.
    return invalid("error resolving system account: there is no account " + protocol::quoted(name));
}

result<> validate_proxies(const server_options& options) {
    for (const auto& key : options.trusted_proxies.value_or(std::vector<std::string>())) {
        if (auth::decode_public_nkey(key)) continue;
        return invalid("proxy trusted key " + protocol::quoted(key) + " is invalid");
    }
    return {};
}

} // namespace

void apply_defaults(server_options& options) {
    replace_zero<&server_options::host>(options);
    replace_zero<&server_options::port>(options);
    replace_zero<&server_options::max_connections>(options);
    replace_zero<&server_options::max_control_line>(options);
    replace_zero<&server_options::max_payload>(options);
    replace_zero<&server_options::max_pending>(options);
    replace_zero<&server_options::max_closed_clients>(options);
    replace_zero<&server_options::ping_interval>(options);
    replace_zero<&server_options::ping_max>(options);
    replace_zero<&server_options::write_deadline>(options);
    replace_zero<&server_options::lame_duck_duration>(options);
    replace_zero<&server_options::lame_duck_grace_period>(options);
    replace_zero<&server_options::connect_error_reports>(options);
    replace_zero<&server_options::reconnect_error_reports>(options);
    if (options.tls && options.tls->timeout == nanoseconds{}) {
        options.tls->timeout = limits::tls_timeout;
    }
    if (options.auth_timeout == nanoseconds{}) {
        options.auth_timeout = options.tls ? options.tls->timeout + std::chrono::seconds(1)
                                           : nanoseconds(limits::auth_timeout);
    }
    if (options.http_host.empty()) options.http_host = options.host;
    auto& websocket = options.websocket;
    if (websocket.port != 0 && websocket.host.empty()) websocket.host = server_options{}.host;
    if (websocket.tls && websocket.tls->timeout == nanoseconds{}) {
        websocket.tls->timeout = limits::tls_timeout;
    }
    for (auto& listener : options.reserved_listeners) {
        // The profiler shares the clients' host; the others listen everywhere by default.
        if (listener.host.empty()) {
            listener.host =
                listener.kind == listener_kind::profile ? options.host : server_options{}.host;
        }
    }
}

result<> validate_options(const server_options& options) {
    if (options.lame_duck_grace_period >= options.lame_duck_duration) {
        return invalid("lame duck grace period (" + duration_text(options.lame_duck_grace_period) +
                       ") should be strictly lower than lame duck duration (" +
                       duration_text(options.lame_duck_duration) + ")");
    }
    if (options.loops > limits::loops) {
        return invalid("loops (" + std::to_string(options.loops) + ") cannot be more than " +
                       std::to_string(limits::loops));
    }
    if (options.max_payload > options.max_pending) {
        return invalid("max_payload (" + std::to_string(options.max_payload) +
                       ") cannot be higher than max_pending (" +
                       std::to_string(options.max_pending) + ")");
    }
    if (options.server_name.find(' ') != std::string::npos) {
        return invalid("server name cannot contain spaces");
    }
    if (options.http_port != 0 && options.https_port != 0) {
        return invalid("can't specify both HTTP (" + std::to_string(options.http_port) +
                       ") and HTTPs (" + std::to_string(options.https_port) + ") ports");
    }
    if (options.https_port != 0 && !options.tls) {
        return invalid("TLS cert and key required for HTTPS");
    }
    const auto& advertised = options.client_advertise;
    if (!advertised.empty() && !parse_advertised(advertised)) {
        return invalid("invalid ClientAdvertise value of " + advertised +
                       ", it is a host or host:port");
    }
    if (const auto checked = validate_operators(options); !checked) return checked;
    if (const auto checked = validate_proxies(options); !checked) return checked;
    if (const auto checked = validate_no_auth_user(options, options.no_auth_user); !checked)
        return checked;
    if (const auto checked = validate_websocket_options(options); !checked) return checked;
    return validate_system_account(options);
}

result<> validate_no_auth_user(const server_options& options, const std::string& name) {
    if (!name.empty() && !options.operators.empty()) {
        return invalid("no_auth_user not compatible with Trusted Operator");
    }
    if (name.empty() || has_user(options, name)) return {};
    const auto subject = "no_auth_user: " + protocol::quoted(name);
    if (options.users.empty()) {
        return invalid(subject + " present, but users/nkeys are not defined");
    }
    return invalid(subject +
                   " not present as user or nkey in authorization block or account configuration");
}

bool has_account(const server_options& options, std::string_view name) noexcept {
    return std::any_of(options.accounts.begin(), options.accounts.end(),
                       [&](const account_options& account) { return account.name == name; });
}

std::string_view to_text(write_timeout_policy policy) noexcept {
    switch (policy) {
    case write_timeout_policy::by_default: break;
    case write_timeout_policy::close: return "close";
    case write_timeout_policy::retry: return "retry";
    }
    return {};
}

bool requires_authentication(const server_options& options) {
    return !options.users.empty() || !options.username.empty() || !options.token.empty() ||
           is_in_operator_mode(options);
}

} // namespace pipit::server
