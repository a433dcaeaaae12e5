// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/options_from_config.hpp>

#include <pipit/base/ascii_case.hpp>
#include <pipit/base/trimmed.hpp>
#include <pipit/server/config_digest.hpp>
#include <pipit/server/detail/option_blocks.hpp>
#include <pipit/server/duration_text.hpp>
#include <pipit/server/error.hpp>

namespace pipit::server {
namespace {

using namespace detail;
using options = server_options;

constexpr auto size_max = std::numeric_limits<std::int32_t>::max();
constexpr auto report_lowest = std::numeric_limits<int>::min(); // Below 1, too: each is reported.

void read_client_listen(options& target, const config_entry& entry, config_findings& findings) {
    auto address = read_listen(entry, findings);
    if (!address) return;
    target.port = address->port;
    if (!address->host.empty()) target.host = std::move(address->host);
}
void read_http_listen(options& target, const config_entry& entry, config_findings& findings) {
    auto address = read_listen(entry, findings);
    if (!address) return;
    target.http_port = address->port;
    if (!address->host.empty()) target.http_host = std::move(address->host);
}

void read_https_listen(options& target, const config_entry& entry, config_findings& findings) {
    auto address = read_listen(entry, findings);
    if (!address) return;
    target.https_port = address->port;
    if (!address->host.empty()) target.http_host = std::move(address->host);
}

void read_server_name(options& target, const config_entry& entry, config_findings& findings) {
    set_text<&options::server_name>(target, entry, findings);
    if (target.server_name.find(' ') != std::string::npos) {
        findings.error(entry.place, "server name cannot contain spaces");
    }
}

/// Tags have no case and no space around them, and stand once.
void read_tags(options& target, const config_entry& entry, config_findings& findings) {
    const auto texts = read_texts(entry, findings);
    if (!texts) return;
    for (const auto& text : *texts) {
        auto tag = lower_case(trimmed(text, " \t\r\n"));
        if (tag.empty()) continue;
        auto& tags = target.server_tags;
        if (std::find(tags.begin(), tags.end(), tag) == tags.end()) tags.push_back(std::move(tag));
    }
}
void read_metadata(options& target, const config_entry& entry, config_findings& findings) {
    const auto* map = read_map(entry, findings);
    if (!map) return;
    for (const auto& one : *map) {
        if (auto text = read_text(one, findings)) target.server_metadata[one.key] = *text;
    }
}
void read_feature_flags(options& target, const config_entry& entry, config_findings& findings) {
    const auto* map = read_map(entry, findings);
    if (!map) return;
    for (const auto& one : *map) {
        if (const auto value = read_boolean(one, findings)) target.feature_flags[one.key] = *value;
    }
}

/// nats-server takes 0 in a file, and less, for "nobody".
void read_max_connections(options& target, const config_entry& entry, config_findings& findings) {
    constexpr auto lowest = std::numeric_limits<std::int64_t>::min();
    set_integer<&options::max_connections, lowest>(target, entry, findings);
    if (target.max_connections <= 0) target.max_connections = -1;
}

void read_write_timeout(options& target, const config_entry& entry, config_findings& findings) {
    const auto text = read_text(entry, findings);
    if (!text) return;
    if (*text == "default") {
        target.write_timeout = write_timeout_policy::by_default;
    } else if (*text == "close") {
        target.write_timeout = write_timeout_policy::close;
    } else if (*text == "retry") {
        target.write_timeout = write_timeout_policy::retry;
    } else {
        findings.error(entry.place, "write_timeout must be 'default', 'close' or 'retry'");
    }
}

void read_lame_duck_duration(options& target, const config_entry& entry,
                             config_findings& findings) {
    const auto duration = read_duration_text(entry, findings);
    if (!duration) return;
    if (*duration < std::chrono::seconds(30)) {
        findings.error(entry.place, "invalid lame_duck_duration of " + duration_text(*duration) +
                                        ", minimum is 30 seconds");
    }
    target.lame_duck_duration = *duration;
}
void read_lame_duck_grace_period(options& target, const config_entry& entry,
                                 config_findings& findings) {
    if (const auto duration = read_duration_text(entry, findings)) {
        target.lame_duck_grace_period = *duration;
    }
}

/// These say more than `trace`, and mean it too.
template <auto Member>
void set_trace(options& target, const config_entry& entry, config_findings& findings) {
    set_boolean<Member>(target, entry, findings);
    if (target.*Member) target.trace = true;
}

/// Has no meaning without something that is refused or left out.
template <const char* what>
void leave_out(options&, const config_entry& entry, config_findings& findings) {
    findings.leave_out(entry, what);
}
constexpr char default_js_domain[] = "default_js_domain";
constexpr char prof_block_rate[] = "prof_block_rate";

constexpr key_rule<options> top_level_rules[] = {
    // Clients.
    {"listen", read_client_listen},
    {"port", set_integer<&options::port, -1, 65535>},
    {"host net", set_text<&options::host>},
    {"client_advertise", set_text<&options::client_advertise>},
    {"proxy_protocol", set_boolean<&options::proxy_protocol>},
    {"loops", set_integer<&options::loops, 0, limits::loops>},
    // Who the server is.
    {"server_name", read_server_name},
    {"server_tags", read_tags},
    {"server_metadata", read_metadata},
    {"feature_flags", read_feature_flags},
    // Monitoring.
    {"http", read_http_listen},
    {"http_port monitor_port", set_integer<&options::http_port, -1, 65535>},
    {"http_base_path", set_text<&options::http_base_path>},
    {"https", read_https_listen},
    {"https_port", set_integer<&options::https_port, -1, 65535>},
    // Limits.
    {"max_connections max_conn", read_max_connections},
    {"max_subscriptions max_subs", set_integer<&options::max_subscriptions, -1>},
    {"max_subscription_tokens max_sub_tokens",
     set_integer<&options::max_subscription_tokens, 1, 255>},
    {"max_control_line", set_integer<&options::max_control_line, 0, size_max>},
    {"max_payload", set_integer<&options::max_payload, -1, size_max>},
    {"max_pending", set_integer<&options::max_pending>},
    {"max_closed_clients", set_integer<&options::max_closed_clients>},
    // Time.
    {"ping_interval", set_duration<&options::ping_interval>},
    {"ping_max", set_integer<&options::ping_max>},
    {"write_deadline", set_duration<&options::write_deadline>},
    {"write_timeout", read_write_timeout},
    {"no_fast_producer_stall", set_boolean<&options::no_fast_producer_stall>},
    {"lame_duck_duration", read_lame_duck_duration},
    {"lame_duck_grace_period", read_lame_duck_grace_period},
    // The protocol.
    {"no_header_support", set_boolean<&options::no_header_support>},
    {"disable_sublist_cache no_sublist_cache", set_boolean<&options::disable_sublist_cache>},
    // Logging.
    {"debug", set_boolean<&options::debug>},
    {"trace", set_boolean<&options::trace>},
    {"trace_verbose", set_trace<&options::trace_verbose>},
    {"trace_headers", set_trace<&options::trace_headers>},
    {"max_traced_msg_len", set_integer_or_zero<&options::max_traced_msg_len>},
    {"logtime", set_boolean<&options::logtime>},
    {"logtime_utc", set_boolean<&options::logtime_utc>},
    {"log_file logfile", set_text<&options::log_file>},
    {"log_size_limit logfile_size_limit", set_integer_or_zero<&options::log_size_limit>},
    {"log_max_num logfile_max_num", set_integer_or_zero<&options::log_max_num>},
    {"syslog", set_boolean<&options::syslog>},
    {"remote_syslog", set_text<&options::remote_syslog>},
    {"connect_error_reports", set_integer<&options::connect_error_reports, report_lowest>},
    {"reconnect_error_reports", set_integer<&options::reconnect_error_reports, report_lowest>},
    // Files.
    {"pid_file pidfile", set_text<&options::pid_file>},
    {"ports_file_dir", set_text<&options::ports_file_dir>},
    // Who may connect.
    {"authorization", read_authorization},
    {"accounts", read_accounts},
    {"mappings maps", read_global_mappings},
    {"no_auth_user", set_text<&options::no_auth_user>},
    {"live_permissions", set_boolean<&options::live_permissions>},
    {"system_account system", set_text<&options::system_account>},
    {"no_system_account no_system no_sys_acc", set_boolean<&options::no_system_account>},
    {"tls", read_tls},
    {"allow_non_tls", set_boolean<&options::allow_non_tls>},
    {"operator operators roots root root_operators root_operator", read_operators},
    {"resolver account_resolver accounts_resolver", read_resolver},
    {"resolver_preload", read_resolver_preload},
    {"resolver_pinned_accounts", read_pinned_accounts},
    {"resolver_tls", read_resolver_tls},
    {"trusted_keys trusted", read_trusted_keys},
    {"default_sentinel", set_text<&options::default_sentinel>},
    {"proxies", read_proxies},
    {"ocsp", read_ocsp},
    {"ocsp_cache", read_ocsp_cache},
    {"websocket ws", read_websocket},
    // Features that are merely absent.
    {"cluster", read_cluster},
    {"gateway", read_gateway},
    {"leafnodes leaf", read_leafnodes},
    {"mqtt", read_mqtt},
    {"jetstream", read_jetstream},
    {"store_dir storedir", read_store_dir},
    {"default_js_domain", leave_out<default_js_domain>},
    {"prof_port", read_profile_port},
    {"prof_block_rate", leave_out<prof_block_rate>},
};

} // namespace

result<loaded_options> options_from_config(const config_map& map, server_options base) {
    config_findings findings;
    read_keys(map, top_level_rules, base, findings);
    check_logins(base, map, findings);
    if (findings.has_errors()) return error(errc::invalid_configuration, findings.all_texts());
    return loaded_options{std::move(base), findings.warnings(), findings.notices()};
}

result<loaded_options> load_options(const std::string& file, const config_source& source,
                                    server_options base) {
    const auto map = parse_config_file(file, source);
    if (!map) return map.error();
    base.config_file = file;
    base.config_digest = config_digest(*map);
    auto loaded = options_from_config(*map, std::move(base));
    if (loaded && map->empty()) {
        loaded->warnings.insert(loaded->warnings.begin(),
                                file + ": config has no values or is empty");
    }
    return loaded;
}

} // namespace pipit::server
