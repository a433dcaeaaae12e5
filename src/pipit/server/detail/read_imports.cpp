// SPDX-License-Identifier: Apache-2.0
#include <pipit/protocol/go_text.hpp>
#include <pipit/server/detail/option_blocks.hpp>

namespace pipit::server::detail {
namespace {

/// One import, with what only its other keys can judge.
struct import_reading {
    import_options made;
    bool has_stream = false;
    bool has_service = false;
    bool has_local_subject = false;
    const config_entry* allow_trace = nullptr;
};

constexpr key_rule<import_options> source_rules[] = {
    {"account", set_text<&import_options::account>},
    {"subject", set_text<&import_options::subject>},
};

void set_source(import_reading& reading, const config_entry& entry, config_findings& findings) {
    const auto* map = read_map(entry, findings);
    if (!map) return;
    read_keys(*map, source_rules, reading.made, findings);
    if (reading.made.account.empty() || reading.made.subject.empty()) {
        findings.error(entry.place, "Expect an account name and a subject");
    }
}

void set_stream(import_reading& reading, const config_entry& entry, config_findings& findings) {
    if (reading.has_service) {
        findings.error(entry.place, "Detected stream but already saw a service");
    }
    reading.has_stream = true;
    set_source(reading, entry, findings);
}
void set_service(import_reading& reading, const config_entry& entry, config_findings& findings) {
    if (reading.has_stream) {
        findings.error(entry.place, "Detected service but already saw a stream");
    }
    reading.has_service = true;
    reading.made.is_service = true;
    set_source(reading, entry, findings);
}
void set_prefix(import_reading& reading, const config_entry& entry, config_findings& findings) {
    if (auto text = read_text(entry, findings)) reading.made.prefix = std::move(*text);
}
void set_local_subject(import_reading& reading, const config_entry& entry,
                       config_findings& findings) {
    reading.has_local_subject = true;
    if (auto text = read_text(entry, findings)) reading.made.local_subject = std::move(*text);
}
void set_share(import_reading& reading, const config_entry& entry, config_findings& findings) {
    if (const auto value = read_boolean(entry, findings)) reading.made.share = *value;
}
void set_allow_trace(import_reading& reading, const config_entry& entry,
                     config_findings& findings) {
    reading.allow_trace = &entry;
    if (const auto value = read_boolean(entry, findings)) reading.made.allow_trace = *value;
}

constexpr key_rule<import_reading> import_rules[] = {
    {"stream", set_stream},    {"service", set_service}, {"prefix", set_prefix},
    {"to", set_local_subject}, {"share", set_share},     {"allow_trace", set_allow_trace},
};

void check(const import_reading& reading, const config_place& place, config_findings& findings) {
    if (reading.has_stream && reading.has_local_subject && !reading.made.prefix.empty()) {
        findings.error(place, "Stream import can not have a 'prefix' and a 'to' property");
    }
    if (reading.has_service && reading.allow_trace != nullptr) {
        findings.error(reading.allow_trace->place,
                       "Detected allow_trace directive on a non-stream");
    }
}

bool is_same_service(const import_options& a, const import_options& b) {
    return a.is_service && b.is_service && a.account == b.account &&
           a.local_subject == b.local_subject;
}

} // namespace

void read_imports(std::vector<import_options>& imports, const config_entry& entry,
                  config_findings& findings) {
    const auto* array = read_array(entry, findings);
    if (!array) return;
    imports.clear();
    for (const auto& element : *array) {
        const auto* map = read_element(entry, element, findings);
        if (!map) continue;
        import_reading reading;
        read_keys(*map, import_rules, reading, findings);
        if (!reading.has_stream && !reading.has_service) continue;
        check(reading, element.place(), findings);
        auto& made = reading.made;
        if (made.is_service && made.local_subject.empty()) made.local_subject = made.subject;
        const auto same = std::find_if(imports.begin(), imports.end(), [&](const auto& other) {
            return is_same_service(made, other);
        });
        if (same != imports.end()) {
            findings.error(element.place(), "Duplicate service import subject " +
                                                protocol::quoted(made.local_subject) +
                                                ", previously used in import for account " +
                                                protocol::quoted(same->account) + ", subject " +
                                                protocol::quoted(same->subject));
            continue;
        }
        imports.push_back(std::move(made));
    }
}

} // namespace pipit::server::detail
