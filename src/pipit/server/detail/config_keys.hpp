// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/ascii_case.hpp>
#include <pipit/base/time.hpp>
#include <pipit/server/config_value.hpp>
#include <pipit/server/detail/config_findings.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

/// Tables of keys: which names a key has, and what is done with its value.
namespace pipit::server::detail {

/// Is the word among these, which are separated by spaces?
[[nodiscard]] bool is_one_of(std::string_view words, std::string_view word);
/// Adds each of the names, which are separated by spaces.
void append_names(std::vector<std::string_view>& list, std::string_view names);

/// One row: a key's names, the usual one first, and the function that puts its value into the
/// target or says what is wrong with it.
template <class Target>
struct key_rule {
    std::string_view names;
    void (*read)(Target& target, const config_entry& entry, config_findings& findings);
};

/// Reads every key of a map by its row; a key without one is an error.
template <class Target>
void read_keys(const config_map& map, std::type_identity_t<std::span<const key_rule<Target>>> rules,
               Target& target, config_findings& findings) {
    for (const auto& entry : map) {
        // Names of keys have no case.
        const auto name = lower_case(entry.key);
        const auto rule = std::find_if(rules.begin(), rules.end(),
                                       [&](const auto& row) { return is_one_of(row.names, name); });
        if (rule != rules.end()) {
            rule->read(target, entry, findings);
            continue;
        }
        std::vector<std::string_view> names;
        for (const auto& row : rules) append_names(names, row.names);
        findings.unknown_key(entry, names);
    }
}

// Values of one kind. Each is nothing when it is of another kind, and then has been said.

/// A string; a number or a date is what was written.
[[nodiscard]] std::optional<std::string> read_text(const config_entry& entry,
                                                   config_findings& findings);
/// The same for an element of an array.
[[nodiscard]] std::optional<std::string> text_of(const config_value& value);
[[nodiscard]] std::optional<bool> read_boolean(const config_entry& entry,
                                               config_findings& findings);
struct integer_range {
    std::int64_t lowest = 0;
    std::int64_t highest = std::numeric_limits<std::int64_t>::max();
};
[[nodiscard]] std::optional<std::int64_t>
read_integer(const config_entry& entry, integer_range range, config_findings& findings);
/// Text such as `2m`, not negative. Seconds as an integer are what it once was: a warning.
[[nodiscard]] std::optional<nanoseconds> read_duration(const config_entry& entry,
                                                       config_findings& findings);
/// Text such as `2m`, not negative, and nothing else.
[[nodiscard]] std::optional<nanoseconds> read_duration_text(const config_entry& entry,
                                                            config_findings& findings);
/// Seconds as a number, or text such as `500ms`; not negative.
[[nodiscard]] std::optional<nanoseconds> read_seconds(const config_entry& entry,
                                                      config_findings& findings);
/// A whole number below zero; or that, or a duration below zero. For keys where nats-server takes
/// them for "none" or "as usual": others refuse them.
[[nodiscard]] bool is_negative_integer(const config_entry& entry);
[[nodiscard]] bool is_negative_duration(const config_entry& entry);
/// One text or an array of them.
[[nodiscard]] std::optional<std::vector<std::string>> read_texts(const config_entry& entry,
                                                                 config_findings& findings);
/// Null when it is no map.
[[nodiscard]] const config_map* read_map(const config_entry& entry, config_findings& findings);
[[nodiscard]] const config_array* read_array(const config_entry& entry, config_findings& findings);
/// The map that an element of an array is; null when it is none.
[[nodiscard]] const config_map* read_element(const config_entry& array, const config_value& element,
                                             config_findings& findings);

/// `4222`, `host:4222` or `[::1]:4222`; the host is empty where none was written.
struct listen_address {
    std::string host;
    int port = 0;
};
[[nodiscard]] std::optional<listen_address> read_listen(const config_entry& entry,
                                                        config_findings& findings);

// Rows that put such a value into a member.

template <class Target, class Member>
Target target_of(Member Target::*);
template <auto Member>
using owner = decltype(target_of(Member));

template <auto Member>
void set_text(owner<Member>& target, const config_entry& entry, config_findings& findings) {
    if (auto text = read_text(entry, findings)) target.*Member = std::move(*text);
}
template <auto Member>
void set_boolean(owner<Member>& target, const config_entry& entry, config_findings& findings) {
    if (const auto value = read_boolean(entry, findings)) target.*Member = *value;
}
template <auto Member, std::int64_t lowest = 0,
          std::int64_t highest =
              std::numeric_limits<std::remove_cvref_t<decltype(owner<Member>{}.*Member)>>::max()>
void set_integer(owner<Member>& target, const config_entry& entry, config_findings& findings) {
    using type = std::remove_cvref_t<decltype(target.*Member)>;
    if (const auto value = read_integer(entry, {lowest, highest}, findings)) {
        target.*Member = static_cast<type>(*value);
    }
}
/// Negative is zero.
template <auto Member>
void set_integer_or_zero(owner<Member>& target, const config_entry& entry,
                         config_findings& findings) {
    if (!is_negative_integer(entry)) return set_integer<Member>(target, entry, findings);
    target.*Member = 0;
}
template <auto Member>
void set_duration(owner<Member>& target, const config_entry& entry, config_findings& findings) {
    if (const auto value = read_duration(entry, findings)) target.*Member = *value;
}
/// A key that must hold a value of its kind, and that Pipit has no use for.
template <class Target, auto read>
void check_only(Target&, const config_entry& entry, config_findings& findings) {
    (void)read(entry, findings);
}

} // namespace pipit::server::detail
