// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/detail/option_blocks.hpp>

#include <pipit/protocol/subject.hpp>
#include <pipit/server/duration_text.hpp>

#include <sstream>

namespace pipit::server::detail {
namespace {

enum class entries { subjects, subjects_with_queues };

/// What is wrong with an entry of a permission, or nothing. For subscriptions it may be a subject
/// and a queue with white space between.
std::string complaint_about(const std::string& subject, entries allowed) {
    if (protocol::is_valid_subject(subject)) return {};
    std::istringstream words(subject);
    const std::vector<std::string> parts(std::istream_iterator<std::string>{words}, {});
    if (allowed == entries::subjects || parts.size() != 2) {
        return "subject " + in_quotes(subject) + " is not a valid subject";
    }
    if (!protocol::is_valid_subject(parts[0])) {
        return "subject " + in_quotes(parts[0]) + " is not a valid subject";
    }
    if (!protocol::is_valid_subject(parts[1])) {
        return "queue " + in_quotes(parts[1]) + " is not a valid queue";
    }
    return {};
}

template <entries allowed>
std::optional<std::vector<std::string>> read_subjects(const config_entry& entry,
                                                      config_findings& findings) {
    auto subjects = read_texts(entry, findings);
    if (!subjects) return std::nullopt;
    for (const auto& subject : *subjects) {
        const auto complaint = complaint_about(subject, allowed);
        if (complaint.empty()) continue;
        findings.error(entry.place, complaint);
        return std::nullopt;
    }
    return subjects;
}

template <entries allowed>
void set_allow(subject_permission_options& permission, const config_entry& entry,
               config_findings& findings) {
    auto subjects = read_subjects<allowed>(entry, findings);
    // An empty list says nothing, as no list does.
    if (subjects && !subjects->empty()) permission.allow = std::move(*subjects);
}
template <entries allowed>
void set_deny(subject_permission_options& permission, const config_entry& entry,
              config_findings& findings) {
    if (auto subjects = read_subjects<allowed>(entry, findings)) {
        permission.deny = std::move(*subjects);
    }
}

/// Subjects that are allowed, or a map with `allow` and `deny`.
template <entries allowed>
std::optional<subject_permission_options> read_subject_permission(const config_entry& entry,
                                                                  config_findings& findings) {
    constexpr key_rule<subject_permission_options> rules[] = {
        {"allow", set_allow<allowed>},
        {"deny", set_deny<allowed>},
    };
    subject_permission_options permission;
    if (const auto* map = entry.value.as<config_map>()) {
        if (map->empty()) return std::nullopt;
        read_keys(*map, rules, permission, findings);
    } else {
        set_allow<allowed>(permission, entry, findings);
    }
    return permission;
}

void set_publish(permission_options& permissions, const config_entry& entry,
                 config_findings& findings) {
    permissions.publish = read_subject_permission<entries::subjects>(entry, findings);
}
void set_subscribe(permission_options& permissions, const config_entry& entry,
                   config_findings& findings) {
    permissions.subscribe = read_subject_permission<entries::subjects_with_queues>(entry, findings);
}

void set_response_max(response_permission_options& responses, const config_entry& entry,
                      config_findings& findings) {
    constexpr integer_range range{std::numeric_limits<int>::min(), std::numeric_limits<int>::max()};
    const auto most = read_integer(entry, range, findings);
    if (most && *most != 0) responses.messages_max = static_cast<int>(*most);
}
void set_response_expires(response_permission_options& responses, const config_entry& entry,
                          config_findings& findings) {
    const auto* text = entry.value.as<std::string>();
    const auto duration = text ? parse_duration(*text) : std::nullopt;
    if (!duration) {
        findings.error(entry.place, "error parsing expires, not a duration string");
    } else if (*duration != nanoseconds(0)) {
        responses.expires = *duration;
    }
}

void set_responses(permission_options& permissions, const config_entry& entry,
                   config_findings& findings) {
    constexpr key_rule<response_permission_options> rules[] = {
        {"max max_msgs max_messages max_responses", set_response_max},
        {"expires expiration ttl", set_response_expires},
    };
    permissions.responses.reset();
    if (const auto* wanted = entry.value.as<bool>()) {
        if (*wanted) permissions.responses.emplace();
    } else if (const auto* map = entry.value.as<config_map>()) {
        read_keys(*map, rules, permissions.responses.emplace(), findings);
    } else {
        findings.wrong_kind(entry, "true, false or a map");
    }
}

constexpr key_rule<permission_options> permission_rules[] = {
    {"publish pub import", set_publish},
    {"subscribe sub export", set_subscribe},
    {"allow_responses publish_allow_responses", set_responses},
};

} // namespace

std::optional<permission_options> read_permissions(const config_entry& entry,
                                                   config_findings& findings) {
    const auto* map = read_map(entry, findings);
    if (!map) return std::nullopt;
    permission_options permissions;
    read_keys(*map, permission_rules, permissions, findings);
    // Who may answer may do nothing else, unless it says what.
    if (permissions.responses) {
        if (!permissions.publish) permissions.publish.emplace();
        if (!permissions.publish->allow) permissions.publish->allow.emplace();
    }
    return permissions;
}

void apply_default_permissions(std::vector<user_options>& users,
                               const std::optional<permission_options>& permissions) {
    for (auto& user : users) {
        if (!user.permissions) user.permissions = permissions;
    }
}

} // namespace pipit::server::detail
