// SPDX-License-Identifier: Apache-2.0
#include <pipit/protocol/go_text.hpp>
#include <pipit/server/detail/option_blocks.hpp>

#include <charconv>

namespace pipit::server::detail {
namespace {

/// A destination, with what only its other keys can judge.
struct destination_reading {
    protocol::mapping_destination destination;
    bool has_weight = false;
};

void set_destination(destination_reading& reading, const config_entry& entry,
                     config_findings& findings) {
    if (auto text = read_text(entry, findings)) reading.destination.subject = std::move(*text);
}
void set_cluster(destination_reading& reading, const config_entry& entry,
                 config_findings& findings) {
    if (auto text = read_text(entry, findings)) reading.destination.cluster = std::move(*text);
}
/// `50` or `50%`.
void set_weight(destination_reading& reading, const config_entry& entry,
                config_findings& findings) {
    reading.has_weight = true;
    auto text = text_of(entry.value).value_or("");
    if (text.ends_with('%')) text.pop_back();
    int weight = -1;
    const auto* const end = text.data() + text.size();
    const auto [rest, failed] = std::from_chars(text.data(), end, weight);
    const bool is_number = failed == std::errc() && rest == end;
    if (is_number && weight >= 0 && weight <= 100) {
        reading.destination.weight_percent = weight;
    } else {
        findings.error(entry.place, "Invalid weight " +
                                        (is_number ? text : protocol::quoted(text)) +
                                        " for mapping destination");
    }
}

constexpr key_rule<destination_reading> destination_rules[] = {
    {"destination dest", set_destination},
    {"weight", set_weight},
    {"cluster", set_cluster},
};

void add_destination(mapping_options& mapping, const config_entry& entry, const config_value& value,
                     config_findings& findings) {
    const auto* map = value.as<config_map>();
    if (!map) {
        findings.error(entry.place, "Expected an entry for the mapping destination");
        return;
    }
    destination_reading reading;
    read_keys(*map, destination_rules, reading, findings);
    if (!reading.has_weight) {
        findings.error(entry.place, "Missing weight for mapping destination " +
                                        protocol::quoted(reading.destination.subject));
    }
    mapping.destinations.push_back(std::move(reading.destination));
}

void add_mapping(std::vector<mapping_options>& mappings, const config_entry& entry,
                 config_findings& findings) {
    mapping_options mapping{entry.key, {}};
    auto names = protocol::quoted(entry.key);
    if (const auto* text = entry.value.as<std::string>()) {
        names += " to " + protocol::quoted(*text);
        mapping.destinations.push_back({*text, 100, {}});
    } else if (const auto* array = entry.value.as<config_array>()) {
        for (const auto& element : *array) add_destination(mapping, entry, element, findings);
    } else {
        add_destination(mapping, entry, entry.value, findings);
    }
    const auto made = protocol::weighted_mapping::make(mapping.source, mapping.destinations);
    if (!made) {
        findings.error(entry.place, "Error adding mapping for " + names + " : " +
                                        std::string(made.error().detail()));
    }
    mappings.push_back(std::move(mapping));
}

} // namespace

void read_mappings(std::vector<mapping_options>& mappings, const config_entry& entry,
                   config_findings& findings) {
    const auto* map = read_map(entry, findings);
    if (!map) return;
    mappings.clear();
    for (const auto& mapping : *map) add_mapping(mappings, mapping, findings);
}

void read_global_mappings(server_options& options, const config_entry& entry,
                          config_findings& findings) {
    read_mappings(options.mappings, entry, findings);
}

} // namespace pipit::server::detail
