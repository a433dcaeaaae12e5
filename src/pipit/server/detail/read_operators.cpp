// SPDX-License-Identifier: Apache-2.0
// Whom the server believes what accounts are, and where it finds them.
#include <pipit/base/ascii_case.hpp>
#include <pipit/server/detail/option_blocks.hpp>

#include <pipit/auth/jwt.hpp>
#include <pipit/protocol/go_text.hpp>
#include <pipit/server/detail/jwt_file.hpp>

#include <cerrno>
#include <sys/stat.h>

namespace pipit::server::detail {
namespace {

/// A path of a file that holds a JWT, or a JWT.
void add_operator(server_options& options, const std::string& text, const config_place& place,
                  config_findings& findings) {
    const auto content = read_jwt_file(text);
    const bool is_file = content && *content;
    if (!is_file && !text.starts_with("eyJ")) {
        const auto why = content ? "open " + text + ": " + system_reason(ENOENT)
                                 : std::string(content.error().detail());
        findings.error(place, "error parsing operator JWT: " + why);
        return;
    }
    const auto token = auth::undecorated_jwt(is_file ? **content : text);
    const auto claims = auth::decode_operator_jwt(token.value_or(""));
    if (!claims) {
        findings.error(place, "error parsing operator JWT: " + claims.error().message());
        return;
    }
    options.operators.push_back(*token);
}

/// `MEM`, `MEMORY` or `URL("http://…")`.
bool read_short_resolver(resolver_options& resolver, const std::string& text) {
    auto lower = lower_case(text);
    while (lower.ends_with(' ')) lower.pop_back();
    if (lower == "mem" || lower == "memory") {
        resolver.kind = resolver_kind::memory;
        return true;
    }
    if (!lower.starts_with("url")) return false;
    auto url = text.substr(3, lower.size() - 3);
    const auto is_around = [](char c) { return c == '(' || c == ')' || c == '"' || c == ' '; };
    while (!url.empty() && is_around(url.front())) url.erase(0, 1);
    while (!url.empty() && is_around(url.back())) url.pop_back();
    resolver.kind = resolver_kind::url;
    resolver.url = std::move(url);
    return true;
}

struct resolver_reading {
    resolver_options resolver;
    std::string type;
    bool hard_delete_said = false;
};

template <auto Member>
void set_resolver_text(resolver_reading& reading, const config_entry& entry,
                       config_findings& findings) {
    set_text<Member>(reading.resolver, entry, findings);
}
template <auto Member>
void set_resolver_boolean(resolver_reading& reading, const config_entry& entry,
                          config_findings& findings) {
    set_boolean<Member>(reading.resolver, entry, findings);
}
template <auto Member>
void set_resolver_duration(resolver_reading& reading, const config_entry& entry,
                           config_findings& findings) {
    if (const auto value = read_duration_text(entry, findings)) reading.resolver.*Member = *value;
}
void set_type(resolver_reading& reading, const config_entry& entry, config_findings& findings) {
    if (auto text = read_text(entry, findings)) reading.type = lower_case(*text);
}
void set_limit(resolver_reading& reading, const config_entry& entry, config_findings& findings) {
    set_integer_or_zero<&resolver_options::limit>(reading.resolver, entry, findings);
}
void set_interval(resolver_reading& reading, const config_entry& entry, config_findings& findings) {
    if (entry.value.as<std::string>() != nullptr && is_negative_duration(entry)) return;
    set_resolver_duration<&resolver_options::interval>(reading, entry, findings);
}
void set_hard_delete(resolver_reading& reading, const config_entry& entry,
                     config_findings& findings) {
    reading.hard_delete_said = true;
    set_boolean<&resolver_options::hard_delete>(reading.resolver, entry, findings);
}

constexpr key_rule<resolver_reading> resolver_rules[] = {
    {"type", set_type},
    {"dir", set_resolver_text<&resolver_options::dir>},
    {"url", set_resolver_text<&resolver_options::url>},
    {"allow_delete", set_resolver_boolean<&resolver_options::allow_delete>},
    {"hard_delete", set_hard_delete},
    {"limit", set_limit},
    {"ttl", set_resolver_duration<&resolver_options::ttl>},
    {"interval", set_interval},
    {"timeout", set_resolver_duration<&resolver_options::timeout>},
};

void check_folder(const resolver_options& resolver, const config_place& place,
                  config_findings& findings) {
    if (resolver.dir.empty()) {
        findings.error(place, "dir has no value and needs to point to a directory");
        return;
    }
    struct stat found {};
    if (::stat(resolver.dir.c_str(), &found) != 0) return; // It will be made.
    if (!S_ISDIR(found.st_mode) || (found.st_mode & S_IWUSR) == 0) {
        findings.error(place, "dir needs to point to an accessible directory");
    }
}

void check_resolver(resolver_reading& reading, const config_place& place,
                    config_findings& findings) {
    auto& resolver = reading.resolver;
    if (reading.type == "mem" || reading.type == "memory") {
        resolver.kind = resolver_kind::memory;
    } else if (reading.type == "full") {
        resolver.kind = resolver_kind::full;
        check_folder(resolver, place, findings);
        if (resolver.ttl != nanoseconds(0)) findings.error(place, "FULL does not accept ttl");
        if (reading.hard_delete_said && !resolver.allow_delete) {
            findings.error(place, "hard_delete has no effect without delete");
        }
    } else if (reading.type == "cache") {
        resolver.kind = resolver_kind::cache;
        check_folder(resolver, place, findings);
        if (resolver.interval != nanoseconds(0)) {
            findings.error(place, "CACHE does not accept sync");
        }
        if (resolver.allow_delete) findings.error(place, "CACHE does not accept allow_delete");
        if (reading.hard_delete_said) findings.error(place, "CACHE does not accept hard_delete");
    } else if (reading.type == "url") {
        resolver.kind = resolver_kind::url;
    }
}

} // namespace

void read_operators(server_options& options, const config_entry& entry, config_findings& findings) {
    const auto texts = read_texts(entry, findings);
    if (!texts) return;
    options.operators.clear();
    for (const auto& text : *texts) add_operator(options, text, entry.place, findings);
    if (options.operators.size() != 1) return;
    const auto claims = auth::decode_operator_jwt(options.operators[0]);
    // What the configuration says itself comes first.
    if (options.resolver.kind == resolver_kind::none && !claims->account_server_url.empty()) {
        options.resolver.kind = resolver_kind::url;
        options.resolver.url = claims->account_server_url + "/accounts/";
    }
    if (options.system_account.empty()) options.system_account = claims->system_account;
}

void read_resolver(server_options& options, const config_entry& entry, config_findings& findings) {
    resolver_reading reading;
    if (const auto* const text = entry.value.as<std::string>()) {
        (void)read_short_resolver(reading.resolver, *text);
    } else if (const auto* const map = read_map(entry, findings)) {
        read_keys(*map, resolver_rules, reading, findings);
        check_resolver(reading, entry.place, findings);
    } else {
        return;
    }
    reading.resolver.tls = std::move(options.resolver.tls); // A key of its own.
    options.resolver = std::move(reading.resolver);
    if (options.resolver.kind == resolver_kind::none) {
        findings.error(entry.place,
                       "error parsing account resolver, should be MEM or  URL(\"url\") "
                       "or a map containing dir and type state=[FULL|CACHE])");
    }
    auto& url = options.resolver.url;
    if (options.resolver.kind != resolver_kind::url) return;
    if (!url.starts_with("http://") && !url.starts_with("https://")) {
        findings.error(entry.place,
                       "error parsing account resolver url [" + protocol::quoted(url) + "]");
    }
    if (!url.ends_with('/')) url += '/';
}

void read_resolver_preload(server_options& options, const config_entry& entry,
                           config_findings& findings) {
    const auto* const map = read_map(entry, findings);
    if (!map) return;
    options.resolver_preload.clear();
    for (const auto& one : *map) {
        const auto text = read_text(one, findings);
        if (!text) continue;
        // Its times and what it says are looked at when it is obeyed.
        if (auth::decode_account_jwt(*text)) {
            options.resolver_preload[one.key] = *text;
        } else {
            findings.error(one.place, "invalid account JWT");
        }
    }
}

void read_trusted_keys(server_options& options, const config_entry& entry,
                       config_findings& findings) {
    auto keys = read_texts(entry, findings);
    if (!keys) return;
    for (const auto& key : *keys) {
        if (auth::is_public_key(key, auth::nkey_prefix::operator_key)) continue;
        findings.error(entry.place, "trust key " + protocol::quoted(key) +
                                        " required to be a valid public operator nkey");
    }
    options.trusted_keys = std::move(*keys);
}

void read_pinned_accounts(server_options& options, const config_entry& entry,
                          config_findings& findings) {
    if (auto keys = read_texts(entry, findings)) {
        options.resolver_pinned_accounts = std::move(*keys);
    }
}

} // namespace pipit::server::detail
