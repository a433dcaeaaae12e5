// SPDX-License-Identifier: Apache-2.0
#include <pipit/auth/jwt.hpp>
#include <pipit/net/http_client.hpp>
#include <pipit/protocol/go_text.hpp>
#include <pipit/server/detail/option_blocks.hpp>

#include <algorithm>

namespace pipit::server::detail {
namespace {

using options = auth_callout_options;

void read_issuer(options& target, const config_entry& entry, config_findings& findings) {
    set_text<&options::issuer>(target, entry, findings);
    if (!auth::is_public_key(target.issuer, auth::nkey_prefix::account)) {
        findings.error(entry.place,
                       "Expected callout user to be a valid public account nkey, got " +
                           protocol::quoted(target.issuer));
    }
}

void read_xkey(options& target, const config_entry& entry, config_findings& findings) {
    set_text<&options::xkey>(target, entry, findings);
    if (!auth::is_public_key(target.xkey, auth::nkey_prefix::curve)) {
        findings.error(entry.place, "Expected callout xkey to be a valid public xkey, got " +
                                        protocol::quoted(target.xkey));
    }
}

template <auto Member>
void read_list(options& target, const config_entry& entry, config_findings& findings) {
    if (auto texts = read_texts(entry, findings)) target.*Member = std::move(*texts);
}

void read_url(options& target, const config_entry& entry, config_findings& findings) {
    set_text<&options::url>(target, entry, findings);
    if (!net::parse_http_url(target.url)) {
        findings.error(entry.place, "Expected callout url to begin with http:// or https://, got " +
                                        protocol::quoted(target.url));
    }
}

constexpr key_rule<options> rules[] = {
    {"issuer", read_issuer},
    {"account acc", set_text<&options::account>},
    {"auth_users users", read_list<&options::auth_users>},
    {"allowed_accounts", read_list<&options::allowed_accounts>},
    {"xkey key", read_xkey},
};

constexpr key_rule<options> http_rules[] = {
    {"url", read_url},
    {"timeout", set_duration<&options::url_timeout>},
    {"auth_users users", read_list<&options::auth_users>},
    {"allowed_accounts", read_list<&options::allowed_accounts>},
};

} // namespace

std::optional<auth_callout_options> read_auth_callout(const config_entry& entry,
                                                      config_findings& findings) {
    const auto* map = read_map(entry, findings);
    if (!map) return std::nullopt;
    options read;
    read_keys(*map, rules, read, findings);
    if (read.issuer.empty()) {
        findings.error(entry.place, "Authorization callouts require an issuer to be specified");
    }
    if (read.auth_users.empty()) {
        findings.error(entry.place,
                       "Authorization callouts require authorized users to be specified");
    }
    return read;
}

std::optional<auth_callout_options> read_http_callout(const config_entry& entry,
                                                      config_findings& findings) {
    const auto* map = read_map(entry, findings);
    if (!map) return std::nullopt;
    options read;
    read_keys(*map, http_rules, read, findings);
    if (read.url.empty()) findings.error(entry.place, "HTTP callouts require a url");
    return read;
}

void check_auth_callout(const server_options& options, const config_place& place,
                        config_findings& findings) {
    if (!options.auth_callout) return;
    for (const auto& name : options.auth_callout->allowed_accounts) {
        if (has_account(options, name)) continue;
        findings.error(place, "auth_callout allowed account " + protocol::quoted(name) +
                                  " not found in configured accounts");
    }
}

} // namespace pipit::server::detail
