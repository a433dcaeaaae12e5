// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/detail/option_blocks.hpp>

#include <pipit/server/duration_text.hpp>

namespace pipit::server::detail {
namespace {

using auth::permission_lists;
using auth::response_permission;

/// One of the lists; what is wrong with its subjects is said where it stands.
template <auto Member>
void set_subjects(permission_lists& lists, const config_entry& entry, config_findings& findings) {
    auto subjects = read_texts(entry, findings);
    if (!subjects) return;
    lists.*Member = *subjects;
    permission_lists alone;
    alone.*Member = std::move(*subjects);
    const auto checked = auth::permissions::make(std::move(alone));
    if (!checked) findings.error(entry.place, checked.error().detail());
}

/// Subjects that are allowed, or a map with `allow` and `deny`.
template <auto Allow, auto Deny>
void set_direction(permission_lists& lists, const config_entry& entry, config_findings& findings) {
    static constexpr key_rule<permission_lists> rules[] = {
        {"allow", set_subjects<Allow>},
        {"deny", set_subjects<Deny>},
    };
    (lists.*Allow).clear();
    (lists.*Deny).clear();
    if (const auto* map = entry.value.as<config_map>()) {
        read_keys(*map, rules, lists, findings);
    } else {
        set_subjects<Allow>(lists, entry, findings);
    }
}
constexpr auto set_publish =
    set_direction<&permission_lists::publish_allow, &permission_lists::publish_deny>;
constexpr auto set_subscribe =
    set_direction<&permission_lists::subscribe_allow, &permission_lists::subscribe_deny>;

void set_response_max(response_permission& responses, const config_entry& entry,
                      config_findings& findings) {
    constexpr integer_range range{std::numeric_limits<int>::min(), std::numeric_limits<int>::max()};
    const auto most = read_integer(entry, range, findings);
    if (most && *most != 0) responses.max = static_cast<int>(*most);
}
void set_response_expires(response_permission& responses, const config_entry& entry,
                          config_findings& findings) {
    const auto* text = entry.value.as<std::string>();
    const auto duration = text ? parse_duration(*text) : std::nullopt;
    if (!duration) {
        findings.error(entry.place, "error parsing expires, not a duration string");
    } else if (*duration != nanoseconds(0)) {
        responses.expires = *duration;
    }
}
constexpr key_rule<response_permission> response_rules[] = {
    {"max max_msgs max_messages max_responses", set_response_max},
    {"expires expiration ttl", set_response_expires},
};

void set_responses(permission_lists& lists, const config_entry& entry, config_findings& findings) {
    lists.allow_responses.reset();
    if (const auto* wanted = entry.value.as<bool>()) {
        if (*wanted) lists.allow_responses.emplace();
    } else if (const auto* map = entry.value.as<config_map>()) {
        read_keys(*map, response_rules, lists.allow_responses.emplace(), findings);
    } else {
        findings.wrong_kind(entry, "true, false or a map");
    }
}

constexpr key_rule<permission_lists> permission_rules[] = {
    {"publish pub import", set_publish},
    {"subscribe sub export", set_subscribe},
    {"allow_responses publish_allow_responses", set_responses},
};

} // namespace

std::optional<permission_lists> read_permissions(const config_entry& entry,
                                                 config_findings& findings) {
    const auto* map = read_map(entry, findings);
    if (!map) return std::nullopt;
    permission_lists lists;
    read_keys(*map, permission_rules, lists, findings);
    return lists;
}

void apply_default_permissions(std::vector<user_options>& users,
                               const std::optional<permission_lists>& permissions) {
    for (auto& user : users) {
        if (!user.permissions) user.permissions = permissions;
    }
}

} // namespace pipit::server::detail
