// SPDX-License-Identifier: Apache-2.0
#include <pipit/base/ascii_case.hpp>
#include <pipit/protocol/go_text.hpp>
#include <pipit/server/detail/option_blocks.hpp>
#include <pipit/server/duration_text.hpp>

#include <algorithm>
#include <utility>

namespace pipit::server::detail {
namespace {

/// What the two blocks are called in messages.
constexpr std::string_view peer_block = "tls peer";
constexpr std::string_view cache_block = "OCSP peer cache";

void refuse_field(std::string_view block, const config_entry& entry, config_findings& findings) {
    findings.error(entry.place, "error parsing " + std::string(block) + " config, unknown field [" +
                                    protocol::quoted(entry.key) + "]");
}

template <class Options, std::size_t Count>
void read_row(const key_rule<Options> (&rules)[Count], std::string_view block, Options& options,
              const config_entry& entry, config_findings& findings) {
    const auto name = lower_case(entry.key);
    for (const auto& row : rules) {
        if (name == row.names) return row.read(options, entry, findings);
    }
    refuse_field(block, entry, findings);
}

/// Seconds as a number or a text such as `500ms`. As nats-server: what is below zero is passed
/// over.
void set_span(nanoseconds& target, std::string_view block, const config_entry& entry,
              config_findings& findings) {
    constexpr double most = 1e9;
    const auto wrong = [&](const std::string& why) {
        findings.error(entry.place,
                       "error parsing " + std::string(block) + " config, conversion error: " + why);
    };
    std::optional<double> seconds;
    if (const auto* const text = entry.value.as<std::string>()) {
        const auto duration = parse_duration(*text);
        if (!duration) return wrong("time: invalid duration " + protocol::quoted(*text));
        if (*duration > std::chrono::duration<double>(most)) return wrong("it is too long");
        if (*duration >= nanoseconds{}) target = *duration;
        return;
    }
    if (const auto* const whole = entry.value.as<std::int64_t>()) {
        seconds = static_cast<double>(*whole);
    } else if (const auto* const real = entry.value.as<double>()) {
        seconds = *real;
    }
    if (!seconds) return wrong("unexpected type");
    if (*seconds > most) return wrong("it is too long");
    if (*seconds >= 0) target = nanoseconds(static_cast<std::int64_t>(*seconds * 1e9));
}

// The rows of the blocks. What is wrong is said in nats-server's words.

using peer = ocsp_peer_options;
using cache = ocsp_cache_options;
using staple = ocsp_staple_options;

template <auto Member>
void set_peer_flag(peer& options, const config_entry& entry, config_findings& findings) {
    const auto* const value = entry.value.as<bool>();
    if (value == nullptr) return refuse_field(peer_block, entry, findings);
    options.*Member = *value;
}
template <auto Member>
void set_peer_span(peer& options, const config_entry& entry, config_findings& findings) {
    set_span(options.*Member, peer_block, entry, findings);
}

constexpr key_rule<peer> peer_rules[] = {
    {"verify", set_peer_flag<&peer::verify>},
    {"ca_timeout", set_peer_span<&peer::ca_timeout>},
    {"allowed_clockskew", set_peer_span<&peer::allowed_clockskew>},
    {"warn_only", set_peer_flag<&peer::warn_only>},
    {"unknown_is_good", set_peer_flag<&peer::unknown_is_good>},
    {"allow_when_ca_unreachable", set_peer_flag<&peer::allow_when_ca_unreachable>},
    {"cache_ttl_when_next_update_unset", set_peer_span<&peer::cache_ttl_when_next_update_unset>},
};
void read_peer_entry(peer& options, const config_entry& entry, config_findings& findings) {
    read_row(peer_rules, peer_block, options, entry, findings);
}

void set_type(cache& options, const config_entry& entry, config_findings& findings) {
    const auto* const text = entry.value.as<std::string>();
    if (text == nullptr) return refuse_field(cache_block, entry, findings);
    const auto type = lower_case(*text);
    options.is_kept = type == "local";
    if (is_one_of("none local", type)) return;
    findings.error(entry.place,
                   "error parsing OCSP peer cache config, unknown type [" + *text + "]");
}
void set_store(cache& options, const config_entry& entry, config_findings& findings) {
    const auto* const text = entry.value.as<std::string>();
    if (text == nullptr) return refuse_field(cache_block, entry, findings);
    options.local_store = *text;
}
void set_preserve(cache& options, const config_entry& entry, config_findings& findings) {
    const auto* const value = entry.value.as<bool>();
    if (value == nullptr) return refuse_field(cache_block, entry, findings);
    options.preserve_revoked = *value;
}
void set_interval(cache& options, const config_entry& entry, config_findings& findings) {
    using std::chrono::seconds;
    nanoseconds interval{};
    set_span(interval, cache_block, entry, findings);
    options.save_interval = std::max(std::chrono::duration_cast<seconds>(interval), seconds(1));
}

constexpr key_rule<cache> cache_rules[] = {
    {"type", set_type},
    {"local_store", set_store},
    {"preserve_revoked", set_preserve},
    {"save_interval", set_interval},
};
void read_cache_entry(cache& options, const config_entry& entry, config_findings& findings) {
    read_row(cache_rules, cache_block, options, entry, findings);
}

void set_mode(staple& options, const config_entry& entry, config_findings& findings) {
    const auto text = read_text(entry, findings);
    if (!text) return;
    const auto mode = lower_case(*text);
    using policy = staple::policy;
    if (mode == "auto") options.mode = policy::automatic;
    if (mode == "always") options.mode = policy::always;
    if (mode == "never") options.mode = policy::never;
    if (mode == "must") options.mode = policy::must;
    if (is_one_of("auto always never must", mode)) return;
    findings.error(entry.place,
                   "error parsing ocsp config: unsupported ocsp mode " + protocol::quoted(*text));
}
void set_urls(staple& options, const config_entry& entry, config_findings& findings) {
    if (auto urls = read_texts(entry, findings)) options.urls = std::move(*urls);
}

constexpr key_rule<staple> staple_rules[] = {
    {"mode", set_mode},
    {"url", set_urls},
    {"urls", set_urls},
};
/// Here a key's case counts, as in nats-server.
void read_staple_entry(staple& options, const config_entry& entry, config_findings& findings) {
    for (const auto& row : staple_rules) {
        if (entry.key == row.names) return row.read(options, entry, findings);
    }
    findings.error(entry.place,
                   "error parsing ocsp config: unsupported field " + protocol::quoted(entry.key));
}

/// A block, or true or false in its place. Nothing: something was wrong with it.
template <class Options>
std::optional<Options> read_either(const config_entry& entry, Options for_true, Options for_false,
                                   void (*read)(Options&, const config_entry&, config_findings&),
                                   std::string_view what, config_findings& findings) {
    if (const auto* const value = entry.value.as<bool>()) return *value ? for_true : for_false;
    const auto* const map = entry.value.as<config_map>();
    if (map == nullptr) {
        findings.error(entry.place,
                       "error parsing " + std::string(what) + " config: unsupported type");
        return std::nullopt;
    }
    Options options;
    for (const auto& one : *map) read(options, one, findings);
    return options;
}

} // namespace

std::optional<ocsp_peer_options> read_ocsp_peer(const config_entry& entry,
                                                config_findings& findings) {
    return read_either<ocsp_peer_options>(entry, {.verify = true}, {}, read_peer_entry, "ocsp peer",
                                          findings);
}

void read_ocsp_cache(server_options& options, const config_entry& entry,
                     config_findings& findings) {
    auto read = read_either<ocsp_cache_options>(entry, {}, {.is_kept = false}, read_cache_entry,
                                                "ocsp cache", findings);
    if (read) options.ocsp_cache = std::move(*read);
}

void read_ocsp(server_options& options, const config_entry& entry, config_findings& findings) {
    options.ocsp = read_either<ocsp_staple_options>(
        entry, {}, {.mode = ocsp_staple_options::policy::never, .urls = {}}, read_staple_entry,
        "ocsp", findings);
}

} // namespace pipit::server::detail
