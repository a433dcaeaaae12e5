// SPDX-License-Identifier: Apache-2.0
#include <pipit/auth/jwt.hpp>
#include <pipit/auth/password.hpp>
#include <pipit/protocol/go_text.hpp>
#include <pipit/server/certificate_identity.hpp>
#include <pipit/server/host_port.hpp>
#include <pipit/server/start_report.hpp>
#include <pipit/server/version.hpp>

#include <algorithm>
#include <ctime>
#include <string_view>
#include <sys/resource.h>

namespace pipit::server {
namespace {

/// As nats-server: above this a payload is discouraged.
constexpr std::int64_t large_payload_bytes = 8 * 1024 * 1024;
/// Descriptors that a server needs besides its connections.
constexpr rlim_t other_files = 64;

bool has_plaintext_password(const server_options& options) {
    const auto is_plain = [](const std::string& password) {
        return !password.empty() && !auth::is_bcrypt(password);
    };
    return is_plain(options.password) || is_plain(options.websocket.password) ||
           std::any_of(options.users.begin(), options.users.end(), [&](const user_options& user) {
               return is_plain(user.password) || (user.password.empty() && user.nkey.empty() &&
                                                  !is_certificate_identity(options, user));
           });
}

/// An address that works on this machine for one that means all of them.
std::string_view reachable(std::string_view host) {
    if (host.empty() || host == "0.0.0.0") return "127.0.0.1";
    return host == "::" ? "::1" : host;
}

bool is_local(std::string_view host) {
    return host == "localhost" || host == "::1" || host.starts_with("127.");
}

std::string time_text(std::int64_t seconds) {
    const auto time = static_cast<std::time_t>(seconds);
    std::tm local{};
    char text[64];
    if (::localtime_r(&time, &local) == nullptr) return {};
    return {text, std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S %z %Z", &local)};
}

void report_operators(const logger& log, const server_options& options) {
    if (options.operators.empty()) return;
    log.info("Trusted Operators");
    for (const auto& token : options.operators) {
        const auto claims = auth::decode_operator_jwt(token);
        if (!claims) continue;
        log.info("  System  : " + protocol::quoted(claims->audience));
        log.info("  Operator: " + protocol::quoted(claims->name));
        log.info("  Issued  : " + time_text(claims->issued_at));
        log.info("  Expires : " + (claims->expires == 0 ? "Never" : time_text(claims->expires)));
    }
}

} // namespace

void report_start(const logger& log, const server_options& options,
                  const broker::server_identity& identity) {
    log.info("Starting nats-server");
    log.info("  Version:  " + identity.version);
    log.info("  Git:      [not set]");
    log.info("  Pipit:    " + std::string(pipit_version()));
    log.info("  Name:     " + identity.name);
    log.info("  ID:       " + identity.id);
    if (has_plaintext_password(options)) {
        log.warning("Plaintext passwords detected, use nkeys or bcrypt");
    }
    if (!options.config_file.empty()) {
        log.info("Using configuration file: " + options.config_file + " (" + options.config_digest +
                 ")");
    }
    report_operators(log, options);
    if (options.max_payload > large_payload_bytes) {
        log.warning("Maximum payloads over 8.00 MB are generally discouraged and could lead to "
                    "poor performance");
    }
}

void report_ready(const logger& log, const server_options& options, std::uint16_t client_port,
                  std::uint16_t monitoring_port) {
    if (client_port == 0) return;
    if (!requires_authentication(options)) {
        log.warning(
            "No authentication: anyone who reaches " + join_host_port(options.host, client_port) +
            " may read and write everything. Ask for a token with --auth TOKEN or for "
            "users in a configuration file" +
            (is_local(options.host) ? "" : ", or listen on this machine alone with -a 127.0.0.1"));
    }
    const auto scheme = options.tls && !options.allow_non_tls ? "tls://" : "nats://";
    const auto url = scheme + join_host_port(reachable(options.host), client_port);
    log.info("Clients connect to " + url);
    if (monitoring_port != 0) {
        const auto& host = options.http_host.empty() ? options.host : options.http_host;
        log.info(std::string("Monitoring is at http") + (options.https_port != 0 ? "s" : "") +
                 "://" + join_host_port(reachable(host), monitoring_port) + options.http_base_path);
    }
    log.info("To try it: pipit --server " + url + " sub '>'");
}

void raise_file_limit(const logger& log, const server_options& options) {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    if (limit.rlim_cur < limit.rlim_max) {
        const auto before = limit.rlim_cur;
        limit.rlim_cur = limit.rlim_max;
        if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) limit.rlim_cur = before;
    }
    const auto wanted = static_cast<rlim_t>(std::max<std::int64_t>(options.max_connections, 0));
    if (limit.rlim_cur >= wanted + other_files) return;
    log.warning("The limit of open files is " + std::to_string(limit.rlim_cur) +
                ", too low for max_connections (" + std::to_string(wanted) +
                "): raise it, for example with ulimit -n");
}

} // namespace pipit::server
