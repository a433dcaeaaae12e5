// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/detail/option_blocks.hpp>

#include <pipit/auth/nkey.hpp>
#include <pipit/protocol/go_text.hpp>
#include <pipit/protocol/subject.hpp>
#include <pipit/server/account_links.hpp>

#include <charconv>
#include <set>

namespace pipit::server::detail {
namespace {

constexpr auto limit_max = std::numeric_limits<std::int32_t>::max();

/// An account, with what only its other keys can judge.
struct account_reading {
    account_options account;
    std::vector<user_options> users{};
    std::optional<auth::permission_lists> default_permissions{};
};

template <auto Member>
constexpr auto set_limit = set_integer<Member, -1, limit_max>;

constexpr key_rule<account_options> limit_rules[] = {
    {"max_connections max_conn", set_limit<&account_options::max_connections>},
    {"max_subscriptions max_subs", set_limit<&account_options::max_subscriptions>},
    {"max_payload max_pay", set_limit<&account_options::max_payload>},
    {"max_leafnodes max_leafs", set_limit<&account_options::max_leafnodes>},
};

void set_limits(account_reading& reading, const config_entry& entry, config_findings& findings) {
    const auto* map = read_map(entry, findings);
    if (map) read_keys(*map, limit_rules, reading.account, findings);
}

void set_nkey(account_reading& reading, const config_entry& entry, config_findings& findings) {
    auto text = text_of(entry.value).value_or("");
    const auto key = auth::decode_public_nkey(text);
    if (!key || key->prefix != auth::nkey_prefix::account) {
        findings.error(entry.place,
                       "Not a valid public nkey for an account: " + protocol::quoted(text));
        return;
    }
    reading.account.nkey = std::move(text);
}

void set_users(account_reading& reading, const config_entry& entry, config_findings& findings) {
    reading.users.clear();
    read_users(reading.users, entry, findings);
}
void set_default_permissions(account_reading& reading, const config_entry& entry,
                             config_findings& findings) {
    reading.default_permissions = read_permissions(entry, findings);
}
void set_mappings(account_reading& reading, const config_entry& entry, config_findings& findings) {
    read_mappings(reading.account.mappings, entry, findings);
}
void note_jetstream(account_reading&, const config_entry& entry, config_findings& findings) {
    read_account_jetstream(entry, findings);
}

void set_exports(account_reading& reading, const config_entry& entry, config_findings& findings) {
    read_exports(reading.account.exports, entry, findings);
}
void set_imports(account_reading& reading, const config_entry& entry, config_findings& findings) {
    read_imports(reading.account.imports, entry, findings);
}

void set_trace_destination(account_options& account, const config_entry& entry,
                           config_findings& findings) {
    auto subject = read_text(entry, findings);
    if (!subject) return;
    if (!protocol::is_valid_publish_subject(*subject)) {
        findings.error(entry.place,
                       "Trace destination " + protocol::quoted(*subject) + " is not valid");
    }
    account.trace_destination = std::move(*subject);
}
/// `50` or `50%`.
void set_trace_sampling(account_options& account, const config_entry& entry,
                        config_findings& findings) {
    auto text = text_of(entry.value).value_or("");
    if (text.ends_with('%')) text.pop_back();
    const auto* const end = text.data() + text.size();
    const auto [rest, failed] = std::from_chars(text.data(), end, account.trace_sampling);
    const bool is_percentage = failed == std::errc() && rest == end &&
                               account.trace_sampling >= 1 && account.trace_sampling <= 100;
    if (!is_percentage) {
        findings.error(entry.place, "Trace destination sampling value " + protocol::quoted(text) +
                                        " is invalid, needs to be [1..100]");
    }
}
constexpr key_rule<account_options> trace_rules[] = {
    {"dest", set_trace_destination},
    {"sampling", set_trace_sampling},
};

void set_trace(account_reading& reading, const config_entry& entry, config_findings& findings) {
    auto& account = reading.account;
    if (entry.value.as<std::string>()) {
        set_trace_destination(account, entry, findings);
    } else if (const auto* map = read_map(entry, findings)) {
        read_keys(*map, trace_rules, account, findings);
        if (account.trace_destination.empty() && !map->empty()) {
            findings.warning(entry.place,
                             "Trace destination sampling ignored since no destination was set");
        }
    }
}

constexpr key_rule<account_reading> account_rules[] = {
    {"users", set_users},
    {"limits", set_limits},
    {"mappings maps", set_mappings},
    {"default_permissions", set_default_permissions},
    {"msg_trace trace_dest", set_trace},
    {"nkey", set_nkey},
    {"jetstream", note_jetstream},
    {"exports", set_exports},
    {"imports", set_imports},
};

/// `$G` is there for everybody who has no account.
bool is_reserved(const std::string& name, const config_place& place, config_findings& findings) {
    if (name != "$G") return false;
    findings.error(place, protocol::quoted(name) + " is a Reserved Account");
    return true;
}

void add_account(server_options& options, const config_entry& entry, config_findings& findings) {
    const auto* map = entry.value.as<config_map>();
    if (!map) {
        findings.error(entry.place, "Expected map entries for accounts");
        return;
    }
    if (is_reserved(entry.key, entry.place, findings)) return;
    account_reading reading;
    reading.account.name = entry.key;
    read_keys(*map, account_rules, reading, findings);
    apply_default_permissions(reading.users, reading.default_permissions);
    for (auto& user : reading.users) {
        user.account = entry.key;
        options.users.push_back(std::move(user));
    }
    options.accounts.push_back(std::move(reading.account));
}

void add_account_names(server_options& options, const config_array& names,
                       config_findings& findings) {
    std::set<std::string> seen;
    for (const auto& element : names) {
        auto name = text_of(element);
        if (!name) {
            findings.error(element.place(), "the name of an account is a string, not " +
                                                std::string(element.kind()));
        } else if (!is_reserved(*name, element.place(), findings)) {
            if (!seen.insert(*name).second) {
                findings.error(element.place(), "Duplicate Account Entry: " + *name);
            }
            options.accounts.emplace_back().name = std::move(*name);
        }
    }
}

} // namespace

void read_accounts(server_options& options, const config_entry& entry, config_findings& findings) {
    if (const auto* array = entry.value.as<config_array>()) {
        add_account_names(options, *array, findings);
    } else if (const auto* map = read_map(entry, findings)) {
        for (const auto& account : *map) {
            if (!account.used_as_variable) add_account(options, account, findings);
        }
        if (findings.has_errors()) return;
        for (const auto& problem : problems_of_links(options)) {
            findings.error(entry.place, problem);
        }
    }
}

} // namespace pipit::server::detail
