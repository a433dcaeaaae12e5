// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/server/detail/config_keys.hpp>
#include <pipit/server/options.hpp>

/// What reads the blocks of a configuration into options. Each function is a row's `read`.
namespace pipit::server::detail {

void read_authorization(server_options& options, const config_entry& entry,
                        config_findings& findings);
void read_accounts(server_options& options, const config_entry& entry, config_findings& findings);
void read_websocket(server_options& options, const config_entry& entry, config_findings& findings);
void read_global_mappings(server_options& options, const config_entry& entry,
                          config_findings& findings);

void read_operators(server_options& options, const config_entry& entry, config_findings& findings);
void read_resolver(server_options& options, const config_entry& entry, config_findings& findings);
void read_resolver_preload(server_options& options, const config_entry& entry,
                           config_findings& findings);
/// Whom a URL resolver trusts.
void read_resolver_tls(server_options& options, const config_entry& entry,
                       config_findings& findings);
void read_pinned_accounts(server_options& options, const config_entry& entry,
                          config_findings& findings);
void read_trusted_keys(server_options& options, const config_entry& entry,
                       config_findings& findings);

/// Whose word about clients is believed (ADR-55).
void read_proxies(server_options& options, const config_entry& entry, config_findings& findings);

/// Who decides about logins: a service in an account, or one that is asked by HTTP.
[[nodiscard]] std::optional<auth_callout_options> read_auth_callout(const config_entry& entry,
                                                                    config_findings& findings);
[[nodiscard]] std::optional<auth_callout_options> read_http_callout(const config_entry& entry,
                                                                    config_findings& findings);
void check_auth_callout(const server_options& options, const config_place& place,
                        config_findings& findings);

/// Adds the users of an array that has no account.
/// `permissions` are for those that have none of their own.
void read_users(std::vector<user_options>& users, const config_entry& entry,
                config_findings& findings);
[[nodiscard]] std::optional<auth::permission_lists> read_permissions(const config_entry& entry,
                                                                     config_findings& findings);
void apply_default_permissions(std::vector<user_options>& users,
                               const std::optional<auth::permission_lists>& permissions);
void read_mappings(std::vector<mapping_options>& mappings, const config_entry& entry,
                   config_findings& findings);
void read_exports(std::vector<export_options>& exports, const config_entry& entry,
                  config_findings& findings);
void read_imports(std::vector<import_options>& imports, const config_entry& entry,
                  config_findings& findings);

void read_tls(server_options& options, const config_entry& entry, config_findings& findings);
/// A `tls` block of any listener; nothing when something is wrong with it, and then has been said.
[[nodiscard]] std::optional<tls_options> read_tls_block(const config_entry& entry,
                                                        config_findings& findings);

// Asking authorities about certificates.
[[nodiscard]] std::optional<ocsp_peer_options> read_ocsp_peer(const config_entry& entry,
                                                              config_findings& findings);
void read_ocsp_cache(server_options& options, const config_entry& entry, config_findings& findings);
void read_ocsp(server_options& options, const config_entry& entry, config_findings& findings);

/// What one block cannot see: ways to log in that exclude each other, and names used twice.
void check_logins(const server_options& options, const config_map& map, config_findings& findings);

// Blocks of features that are merely absent: checked, noted, and their listeners reserved.
void read_cluster(server_options& options, const config_entry& entry, config_findings& findings);
void read_gateway(server_options& options, const config_entry& entry, config_findings& findings);
void read_leafnodes(server_options& options, const config_entry& entry, config_findings& findings);
void read_mqtt(server_options& options, const config_entry& entry, config_findings& findings);
void read_jetstream(server_options& options, const config_entry& entry, config_findings& findings);
void read_account_jetstream(const config_entry& entry, config_findings& findings);
void read_profile_port(server_options& options, const config_entry& entry,
                       config_findings& findings);
/// Also in a block of its own, where it must not stand a second time.
void read_store_dir(server_options& options, const config_entry& entry, config_findings& findings);

} // namespace pipit::server::detail
