// SPDX-License-Identifier: Apache-2.0
#include <pipit/base/ascii_case.hpp>
#include <pipit/base/trimmed.hpp>
#include <pipit/protocol/go_text.hpp>
#include <pipit/server/detail/option_blocks.hpp>

#include <charconv>

namespace pipit::server::detail {
namespace {

/// One export, with what only its other keys can judge.
struct export_reading {
    export_options made;
    bool has_stream = false;
    bool has_service = false;
    const config_entry* response = nullptr; ///< The keys that only a service takes.
    const config_entry* latency = nullptr;
    const config_entry* allow_trace = nullptr;
    bool has_threshold = false;
};

void set_stream(export_reading& reading, const config_entry& entry, config_findings& findings) {
    auto subject = read_text(entry, findings);
    if (!subject) return;
    if (reading.has_service) {
        findings.error(entry.place, "Detected stream " + protocol::quoted(*subject) +
                                        " but already saw a service");
    }
    reading.has_stream = true;
    reading.made.subject = std::move(*subject);
}

void set_service(export_reading& reading, const config_entry& entry, config_findings& findings) {
    auto subject = read_text(entry, findings);
    if (!subject) return;
    if (reading.has_stream) {
        findings.error(entry.place, "Detected service " + protocol::quoted(*subject) +
                                        " but already saw a stream");
    }
    reading.has_service = true;
    reading.made.is_service = true;
    reading.made.subject = std::move(*subject);
}

void set_response(export_reading& reading, const config_entry& entry, config_findings& findings) {
    if (reading.response != nullptr && reading.response->key != entry.key) {
        findings.error(entry.place, "Duplicate response type definition");
    }
    reading.response = &entry;
    const auto text = read_text(entry, findings);
    if (!text) return;
    const auto word = lower_case(*text);
    auto& response = reading.made.response;
    if (is_one_of("single singleton", word)) {
        response = broker::response_type::singleton;
    } else if (word == "stream") {
        response = broker::response_type::stream;
    } else if (is_one_of("chunk chunked", word)) {
        response = broker::response_type::chunked;
    } else {
        findings.error(entry.place, "Unknown response type: " + protocol::quoted(*text));
    }
}

void set_threshold(export_reading& reading, const config_entry& entry, config_findings& findings) {
    if (reading.has_threshold) {
        findings.error(entry.place, "Duplicate response threshold detected");
        return;
    }
    reading.has_threshold = true;
    if (reading.response == nullptr) reading.response = &entry;
    if (const auto duration = read_duration_text(entry, findings)) {
        reading.made.response_threshold = *duration;
    }
}

void set_accounts(export_reading& reading, const config_entry& entry, config_findings& findings) {
    if (read_array(entry, findings) == nullptr) return;
    if (auto names = read_texts(entry, findings)) reading.made.accounts = std::move(*names);
}

/// `50`, `50%` or `headers`.
void set_sampling(broker::service_latency& latency, const config_entry& entry,
                  config_findings& findings) {
    auto text = text_of(entry.value).value_or("");
    if (lower_case(trimmed(text, " ")) == "headers") {
        latency.sampling_percent = 0;
        return;
    }
    if (text.ends_with('%')) text.pop_back();
    const auto* const end = text.data() + text.size();
    const auto [rest, failed] = std::from_chars(text.data(), end, latency.sampling_percent);
    if (failed != std::errc() || rest != end) {
        findings.error(entry.place, "Failed to parse latency sample: " + protocol::quoted(text));
    } else if (latency.sampling_percent < 1 || latency.sampling_percent > 100) {
        findings.error(entry.place, "bad sampling percentage, should be 1-100");
    }
}
void set_latency_subject(broker::service_latency& latency, const config_entry& entry,
                         config_findings& findings) {
    if (auto text = read_text(entry, findings)) latency.subject = std::move(*text);
}
constexpr key_rule<broker::service_latency> latency_rules[] = {
    {"sampling", set_sampling},
    {"subject", set_latency_subject},
};

void set_latency(export_reading& reading, const config_entry& entry, config_findings& findings) {
    reading.latency = &entry;
    auto& latency = reading.made.latency.emplace();
    if (const auto* text = entry.value.as<std::string>()) {
        latency.subject = *text;
    } else if (const auto* map = entry.value.as<config_map>()) {
        read_keys(*map, latency_rules, latency, findings);
        if (latency.subject.empty()) {
            findings.error(entry.place, "Latency subject required, but missing");
        }
    } else {
        findings.wrong_kind(entry, "a subject or a map");
    }
}

void set_token_position(export_reading& reading, const config_entry& entry,
                        config_findings& findings) {
    if (const auto position = read_integer(entry, {0, 1000}, findings)) {
        reading.made.account_token_position = static_cast<unsigned>(*position);
    }
}

void set_allow_trace(export_reading& reading, const config_entry& entry,
                     config_findings& findings) {
    reading.allow_trace = &entry;
    if (const auto value = read_boolean(entry, findings)) reading.made.allow_trace = *value;
}

constexpr key_rule<export_reading> export_rules[] = {
    {"stream", set_stream},
    {"service", set_service},
    {"response response_type", set_response},
    {"threshold response_threshold response_max_time response_time", set_threshold},
    {"accounts", set_accounts},
    {"latency", set_latency},
    {"account_token_position", set_token_position},
    {"allow_trace", set_allow_trace},
};

void refuse_on_stream(const export_reading& reading, config_findings& findings) {
    const auto refuse = [&](const config_entry* entry, std::string_view what) {
        if (entry == nullptr) return;
        findings.error(entry->place, "Detected " + std::string(what) + " directive on non-service");
    };
    refuse(reading.response, "response");
    refuse(reading.latency, "latency");
    refuse(reading.allow_trace, "allow_trace");
}

} // namespace

void read_exports(std::vector<export_options>& exports, const config_entry& entry,
                  config_findings& findings) {
    const auto* array = read_array(entry, findings);
    if (!array) return;
    exports.clear();
    for (const auto& element : *array) {
        const auto* map = read_element(entry, element, findings);
        if (!map) continue;
        export_reading reading;
        read_keys(*map, export_rules, reading, findings);
        if (reading.has_stream && !reading.has_service) refuse_on_stream(reading, findings);
        if (reading.has_stream || reading.has_service) exports.push_back(std::move(reading.made));
    }
}

} // namespace pipit::server::detail
