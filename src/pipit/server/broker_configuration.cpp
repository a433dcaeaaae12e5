// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/broker_configuration.hpp>

#include <pipit/auth/authorization_jwt.hpp>
#include <pipit/auth/permissions.hpp>
#include <pipit/protocol/weighted_mapping.hpp>
#include <pipit/server/account_links.hpp>
#include <pipit/server/certificate_identity.hpp>
#include <pipit/server/error.hpp>
#include <pipit/server/host_port.hpp>
#include <pipit/server/operator_trust.hpp>
#include <pipit/server/version.hpp>

#include <algorithm>

namespace pipit::server {
namespace {

constexpr auto global_account = "$G";
constexpr auto default_system_account = "$SYS";

/// The name of the system account; empty when there is to be none.
std::string system_account_of(const server_options& options) {
    if (!options.system_account.empty()) return options.system_account;
    if (has_account(options, default_system_account)) return default_system_account;
    return options.no_system_account ? "" : default_system_account;
}

broker::server_identity complete(broker::server_identity identity, const server_options& options) {
    identity.name = options.server_name.empty() ? identity.id : options.server_name;
    identity.version = nats_version;
    identity.host = options.host;
    if (options.client_advertise.empty()) return identity;
    if (const auto advertised = parse_advertised(options.client_advertise)) {
        identity.host = advertised->host;
        if (advertised->port > 0) identity.port = static_cast<std::uint16_t>(advertised->port);
    }
    return identity;
}

/// Who may connect without credentials when only the system account has users: everybody, into
/// `$G`. Empty when that is not so. nats-server invents such a user too.
std::string invented_no_auth_user(const server_options& options) {
    const bool others_log_in =
        options.authorization_configured || !options.no_auth_user.empty() || options.users.empty();
    const bool only_system_account =
        options.accounts.size() == 1 && options.accounts[0].name == system_account_of(options);
    if (others_log_in || !only_system_account) return {};
    std::string name = "nats-no-auth-user";
    const auto is_taken = [&](const user_options& user) { return user.name == name; };
    while (std::any_of(options.users.begin(), options.users.end(), is_taken)) name += '-';
    return name;
}

/// Turns options into what brokers are told, one part after the other; `error_` is the first
/// thing that went wrong.
class configuration_builder {
public:
    configuration_builder(const server_options& options, account_numbers& numbers)
        : options_(options), numbers_(numbers) {}

    result<std::shared_ptr<const broker::configuration>> build(broker::server_identity identity) {
        configuration_->identity = complete(std::move(identity), options_);
        add_accounts();
        add_callout();
        add_logins();
        add_websocket();
        add_limits();
        add_times();
        add_switches();
        add_tls();
        add_websocket_tls();
        if (error_) return *error_;
        return std::shared_ptr<const broker::configuration>(configuration_);
    }

private:
    void add_accounts() {
        account_options global{.name = global_account, .mappings = options_.mappings};
        configuration_->global_account = add_account(global);
        for (const auto& account : options_.accounts) add_account(account);
        link();
        const auto system = system_account_of(options_);
        if (system.empty()) return;
        const bool is_there = system == global_account || has_account(options_, system);
        configuration_->system_account =
            is_there ? numbers_.number_of(system) : add_account({.name = system});
    }

    void link() {
        const auto problems = link_accounts(options_, configuration_->accounts);
        if (!problems.empty()) error_ = error(errc::invalid_configuration, problems.front());
    }

    broker::account_id add_account(const account_options& options) {
        broker::account_configuration account;
        account.name = options.name;
        numbers_.identify(account);
        account.limits = {.max_connections = options.max_connections,
                          .max_subscriptions = options.max_subscriptions,
                          .max_payload_bytes = options.max_payload};
        account.trace_destination = options.trace_destination;
        account.trace_sampling_percent = options.trace_sampling;
        for (const auto& mapping : options.mappings) {
            auto made = protocol::weighted_mapping::make(mapping.source, mapping.destinations);
            if (!made) {
                error_ = made.error();
                continue;
            }
            account.mappings.push_back(
                std::make_shared<const protocol::weighted_mapping>(std::move(*made)));
        }
        configuration_->accounts.push_back(std::move(account));
        return configuration_->accounts.back().id;
    }

    /// Users win over a token, and a token over the one user that flags can bring beside it.
    void add_logins() {
        auto& authorization = configuration_->authorization;
        for (const auto& user : options_.users) {
            auto& users = user.nkey.empty() ? authorization.users : authorization.nkeys;
            auto made = user_of(user);
            made.is_certificate_identity = is_certificate_identity(options_, user);
            users.emplace(user.name, std::move(made));
        }
        authorization.by_jwt = is_in_operator_mode(options_);
        authorization.proxy_required = options_.proxy_required;
        authorization.no_auth_user = options_.no_auth_user;
        authorization.greeting_asks_for_nothing = !options_.no_auth_user.empty();
        if (!options_.users.empty()) {
            add_invented_user();
        } else if (!options_.token.empty()) {
            authorization.token = options_.token;
        } else if (!options_.username.empty()) {
            authorization.single_user =
                user_of({.name = options_.username, .password = options_.password});
        }
    }

    void add_callout() {
        if (!options_.auth_callout) return;
        const auto& from = *options_.auth_callout;
        auto made = std::make_shared<broker::callout_configuration>();
        made->account_name = from.account.empty() ? global_account : from.account;
        made->account = numbers_.number_of(made->account_name);
        made->users.insert(from.auth_users.begin(), from.auth_users.end());
        for (const auto& name : from.allowed_accounts) {
            made->accounts.insert(numbers_.number_of(name));
        }
        made->issuer = from.issuer;
        made->xkey = from.xkey;
        made->url = from.url;
        made->url_timeout = from.url_timeout;
        configuration_->authorization.callout = std::move(made);
    }

    void add_invented_user() {
        const auto name = invented_no_auth_user(options_);
        if (name.empty()) return;
        auto& authorization = configuration_->authorization;
        authorization.no_auth_user = name;
        authorization.users.emplace(name, user_of({.name = name}));
    }

    broker::user_configuration user_of(const user_options& options) {
        broker::user_configuration user;
        user.name = options.name;
        user.password = options.password;
        user.nkey = options.nkey;
        user.proxy_required = options.proxy_required;
        user.account =
            numbers_.number_of(options.account.empty() ? global_account : options.account);
        user.permissions = permissions_of(options);
        user.standard_connections_allowed = options.standard_connections_allowed;
        user.websocket_connections_allowed = options.websocket_connections_allowed;
        user.in_process_connections_allowed = options.in_process_connections_allowed;
        return user;
    }

    /// Users who share their block's default permissions share one object.
    std::shared_ptr<const auth::permissions> permissions_of(const user_options& options) {
        auto lists = options.permissions;
        const auto& callout = options_.auth_callout;
        // What is asked of the service is the server's to say.
        const auto named = [](const std::string& account) {
            return account.empty() ? std::string(global_account) : account;
        };
        if (callout && callout->url.empty() && named(options.account) == named(callout->account)) {
            if (!lists) lists.emplace();
            lists->publish_deny.emplace_back(auth::callout_subject);
        }
        if (!lists) return nullptr;
        if (last_permissions_ && last_lists_ == *lists) return last_permissions_;
        auto made = auth::permissions::make(*lists);
        if (!made) {
            error_ = made.error();
            return nullptr;
        }
        last_lists_ = std::move(*lists);
        last_permissions_ = *made;
        return last_permissions_;
    }

    /// The listener's real port is the options' when it is bound.
    void add_websocket() {
        const auto& from = options_.websocket;
        if (from.port == 0) return;
        auto& to = configuration_->websocket;
        to.host = from.host;
        to.port = static_cast<std::uint16_t>(std::max(from.port, 0));
        to.over_tls = from.tls.has_value();
        to.ping_interval = from.ping_interval;
        to.auth_timeout = from.auth_timeout;
        if (!overrides_authorization(from)) return;
        auto& authorization = to.authorization.emplace(configuration_->authorization);
        authorization.no_auth_user = from.no_auth_user;
        authorization.token.clear();
        authorization.single_user.reset();
        if (!options_.users.empty()) return;
        if (!from.token.empty()) {
            authorization.token = from.token;
        } else {
            authorization.single_user = user_of({.name = from.username, .password = from.password});
        }
    }

    void add_limits() {
        auto& to = *configuration_;
        to.max_control_line_bytes = static_cast<std::size_t>(options_.max_control_line);
        to.max_payload_bytes = options_.max_payload;
        to.max_pending_bytes = static_cast<std::size_t>(options_.max_pending);
        to.max_connections = options_.max_connections;
        to.max_subscriptions = std::max<std::int64_t>(options_.max_subscriptions, 0);
        to.max_subscription_tokens = options_.max_subscription_tokens;
        to.max_closed_clients = static_cast<std::size_t>(options_.max_closed_clients);
        to.max_traced_message_bytes = options_.max_traced_msg_len;
    }
    void add_times() {
        auto& to = *configuration_;
        to.ping_interval = options_.ping_interval;
        to.ping_max = options_.ping_max;
        to.write_deadline = options_.write_deadline;
        to.auth_timeout = options_.auth_timeout;
    }
    void add_switches() {
        auto& to = *configuration_;
        if (options_.trusted_proxies && !options_.trusted_proxies->empty()) {
            to.trusted_proxies =
                std::make_shared<const std::vector<std::string>>(*options_.trusted_proxies);
        }
        to.headers_supported = !options_.no_header_support;
        to.stall_fast_producers = !options_.no_fast_producer_stall;
        to.retries_slow_writes = options_.write_timeout == write_timeout_policy::retry;
        to.caches_matches = !options_.disable_sublist_cache;
        to.live_permissions = options_.live_permissions;
        to.trace_protocol = options_.trace;
        to.trace_headers_only = options_.trace_headers;
    }

    void add_tls() {
        if (!options_.tls) return;
        auto& to = *configuration_;
        const auto& tls = *options_.tls;
        to.tls_required = !options_.allow_non_tls;
        to.tls_available = options_.allow_non_tls;
        to.tls_verify = tls.settings.verifies_peer;
        to.pinned_keys = tls.pinned_certs;
        to.authorization.maps_certificates = tls.verify_and_map;
    }

    /// Whether certificates say who clients are is each listener's own.
    void add_websocket_tls() {
        const auto& from = options_.websocket;
        if (from.port == 0) return;
        auto& to = configuration_->websocket;
        if (from.tls) to.pinned_keys = from.tls->pinned_certs;
        const bool maps = from.tls && from.tls->verify_and_map;
        const auto& everybodys = configuration_->authorization;
        if (!to.authorization && maps != everybodys.maps_certificates)
            to.authorization = everybodys;
        if (to.authorization) to.authorization->maps_certificates = maps;
    }

    const server_options& options_;
    account_numbers& numbers_;
    std::shared_ptr<broker::configuration> configuration_ =
        std::make_shared<broker::configuration>();
    auth::permission_lists last_lists_;
    std::shared_ptr<const auth::permissions> last_permissions_;
    std::optional<error> error_;
};

} // namespace

broker::account_id account_numbers::number_of(const std::string& name) { return entry_of(name).id; }

void account_numbers::identify(broker::account_configuration& account) {
    const auto its = entry_of(account.name);
    account.id = its.id;
    account.counters = its.counters;
}

account_numbers::entry account_numbers::entry_of(const std::string& name) {
    const std::lock_guard guard(lock_);
    const auto next = static_cast<broker::account_id>(entries_.size());
    return entries_.try_emplace(name, entry{.id = next}).first->second;
}

result<std::shared_ptr<const broker::configuration>>
broker_configuration(const server_options& options, broker::server_identity identity,
                     account_numbers& numbers) {
    return configuration_builder(options, numbers).build(std::move(identity));
}

} // namespace pipit::server
