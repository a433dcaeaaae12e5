// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/detail/config_keys.hpp>

#include <pipit/protocol/go_text.hpp>
#include <pipit/server/duration_text.hpp>
#include <pipit/server/host_port.hpp>

namespace pipit::server::detail {
namespace {

/// Calls the function with each of the words.
template <class Function>
void for_each_word(std::string_view words, const Function& function) {
    while (!words.empty()) {
        const auto space = words.find(' ');
        function(words.substr(0, space));
        words.remove_prefix(space == std::string_view::npos ? words.size() : space + 1);
    }
}

std::optional<nanoseconds> parse_duration_of(const config_entry& entry, std::string_view text,
                                             config_findings& findings) {
    const auto duration = parse_duration(text);
    if (!duration) {
        findings.error(entry.place, "error parsing " + entry.key + ": invalid duration " +
                                        protocol::quoted(text) +
                                        "; a duration is written like \"1m30s\"");
    } else if (*duration < nanoseconds(0)) {
        findings.error(entry.place, protocol::quoted(entry.key) + " can not be negative");
        return std::nullopt;
    }
    return duration;
}

/// Seconds as a duration, unless they are negative or more than a duration holds.
std::optional<nanoseconds> whole_seconds(const config_entry& entry, std::int64_t seconds,
                                         config_findings& findings) {
    constexpr auto most = std::numeric_limits<std::int64_t>::max() / 1'000'000'000;
    if (seconds >= 0 && seconds <= most) return std::chrono::seconds(seconds);
    findings.error(entry.place, protocol::quoted(entry.key) + " must be between 0 and " +
                                    std::to_string(most) + " seconds");
    return std::nullopt;
}

} // namespace

bool is_one_of(std::string_view words, std::string_view word) {
    bool found = false;
    for_each_word(words, [&](std::string_view one) { found |= one == word; });
    return found;
}

void append_names(std::vector<std::string_view>& list, std::string_view names) {
    for_each_word(names, [&](std::string_view word) { list.push_back(word); });
}

std::optional<std::string> text_of(const config_value& value) {
    if (const auto* text = value.as<std::string>()) return *text;
    const bool is_number_or_date = value.as<std::int64_t>() != nullptr ||
                                   value.as<double>() != nullptr ||
                                   value.as<config_datetime>() != nullptr;
    if (is_number_or_date) return value.written();
    return std::nullopt;
}

std::optional<std::string> read_text(const config_entry& entry, config_findings& findings) {
    auto text = text_of(entry.value);
    if (!text) findings.wrong_kind(entry, "a string");
    return text;
}

std::optional<bool> read_boolean(const config_entry& entry, config_findings& findings) {
    if (const auto* value = entry.value.as<bool>()) return *value;
    findings.wrong_kind(entry, "true or false");
    return std::nullopt;
}

std::optional<std::int64_t> read_integer(const config_entry& entry, integer_range range,
                                         config_findings& findings) {
    const auto* value = entry.value.as<std::int64_t>();
    if (!value) {
        findings.wrong_kind(entry, "an integer");
        return std::nullopt;
    }
    if (*value >= range.lowest && *value <= range.highest) return *value;
    findings.error(entry.place, protocol::quoted(entry.key) + " must be between " +
                                    std::to_string(range.lowest) + " and " +
                                    std::to_string(range.highest));
    return std::nullopt;
}

bool is_negative_integer(const config_entry& entry) {
    const auto* value = entry.value.as<std::int64_t>();
    return value != nullptr && *value < 0;
}

bool is_negative_duration(const config_entry& entry) {
    if (is_negative_integer(entry)) return true;
    const auto* text = entry.value.as<std::string>();
    const auto duration = text != nullptr ? parse_duration(*text) : std::nullopt;
    return duration && *duration < nanoseconds::zero();
}

std::optional<nanoseconds> read_duration(const config_entry& entry, config_findings& findings) {
    if (const auto* text = entry.value.as<std::string>()) {
        return parse_duration_of(entry, *text, findings);
    }
    const auto* seconds = entry.value.as<std::int64_t>();
    if (!seconds) {
        findings.wrong_kind(entry, "a duration such as \"1m30s\"");
        return std::nullopt;
    }
    auto text = "invalid use of field " + protocol::quoted(entry.key) + ": " + entry.key +
                " should be converted to a duration";
    // A bare 2m is two millions, and nobody means that.
    const auto number = std::to_string(*seconds);
    if (entry.value.written() != number) {
        text += "; without quotes " + entry.value.written() + " is " + number + " seconds";
    }
    findings.warning(entry.place, text);
    return whole_seconds(entry, *seconds, findings);
}

std::optional<nanoseconds> read_duration_text(const config_entry& entry,
                                              config_findings& findings) {
    const auto text = read_text(entry, findings);
    return text ? parse_duration_of(entry, *text, findings) : std::nullopt;
}

std::optional<nanoseconds> read_seconds(const config_entry& entry, config_findings& findings) {
    if (const auto* text = entry.value.as<std::string>()) {
        return parse_duration_of(entry, *text, findings);
    }
    if (const auto* seconds = entry.value.as<std::int64_t>()) {
        return whole_seconds(entry, *seconds, findings);
    }
    if (const auto* seconds = entry.value.as<double>()) {
        constexpr double most = 1e9;
        if (*seconds >= 0 && *seconds <= most) {
            return nanoseconds(static_cast<std::int64_t>(*seconds * 1e9));
        }
    }
    findings.wrong_kind(entry, "seconds or a duration such as \"1.5s\"");
    return std::nullopt;
}

std::optional<std::vector<std::string>> read_texts(const config_entry& entry,
                                                   config_findings& findings) {
    if (auto text = text_of(entry.value)) return std::vector{std::move(*text)};
    const auto* array = entry.value.as<config_array>();
    if (!array) {
        findings.wrong_kind(entry, "a string or an array of strings");
        return std::nullopt;
    }
    std::vector<std::string> texts;
    for (const auto& element : *array) {
        auto text = text_of(element);
        if (!text) {
            findings.error(element.place(), protocol::quoted(entry.key) + " takes strings, not " +
                                                std::string(element.kind()));
            return std::nullopt;
        }
        texts.push_back(std::move(*text));
    }
    return texts;
}

const config_map* read_map(const config_entry& entry, config_findings& findings) {
    const auto* map = entry.value.as<config_map>();
    if (!map) findings.wrong_kind(entry, "a map");
    return map;
}

const config_array* read_array(const config_entry& entry, config_findings& findings) {
    const auto* array = entry.value.as<config_array>();
    if (!array) findings.wrong_kind(entry, "an array");
    return array;
}

const config_map* read_element(const config_entry& array, const config_value& element,
                               config_findings& findings) {
    const auto* map = element.as<config_map>();
    if (!map) {
        findings.error(element.place(), "each entry of " + protocol::quoted(array.key) +
                                            " is a map, not " + std::string(element.kind()));
    }
    return map;
}

std::optional<listen_address> read_listen(const config_entry& entry, config_findings& findings) {
    if (entry.value.as<std::int64_t>() != nullptr) {
        const auto port = read_integer(entry, {-1, 65535}, findings);
        if (!port) return std::nullopt;
        return listen_address{{}, static_cast<int>(*port)};
    }
    const auto* text = entry.value.as<std::string>();
    if (!text) {
        findings.wrong_kind(entry, "a port or host:port");
        return std::nullopt;
    }
    auto address = split_host_port(*text);
    if (!address) {
        findings.error(entry.place, "could not parse address string " + protocol::quoted(*text));
        return std::nullopt;
    }
    const auto port = parse_port(address->port);
    if (!port) {
        findings.error(entry.place, "could not parse port " + protocol::quoted(address->port));
        return std::nullopt;
    }
    return listen_address{std::move(address->host), *port};
}

} // namespace pipit::server::detail
