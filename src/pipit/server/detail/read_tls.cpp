// SPDX-License-Identifier: Apache-2.0
#include <pipit/base/ascii_case.hpp>
#include <pipit/base/filter_limits.hpp>
#include <pipit/protocol/go_text.hpp>
#include <pipit/server/detail/option_blocks.hpp>

#include <algorithm>
#include <string_view>

namespace pipit::server::detail {
namespace {

/// A `tls` block, with what only its other keys can judge.
struct tls_reading {
    tls_options options{};
    net::tls_key_pair single_pair{};
    std::vector<std::string> insecure_suites{};
    bool allows_insecure_suites = false;
    bool trusts_all = false; ///< Of who connects elsewhere: whoever answers.
};

template <std::string net::tls_key_pair::*Member>
void set_file(tls_reading& reading, const config_entry& entry, config_findings& findings) {
    set_text<Member>(reading.single_pair, entry, findings);
}
void set_authorities(tls_reading& reading, const config_entry& entry, config_findings& findings) {
    set_text<&net::tls_settings::authorities_file>(reading.options.settings, entry, findings);
}
void set_verify(tls_reading& reading, const config_entry& entry, config_findings& findings) {
    const auto value = read_boolean(entry, findings);
    if (value) reading.options.settings.verifies_peer |= *value;
}
void set_verify_and_map(tls_reading& reading, const config_entry& entry,
                        config_findings& findings) {
    set_boolean<&tls_options::verify_and_map>(reading.options, entry, findings);
    if (reading.options.verify_and_map) reading.options.settings.verifies_peer = true;
}
void refuse_known_urls(tls_reading&, const config_entry& entry, config_findings& findings) {
    if (!read_boolean(entry, findings).value_or(false)) return;
    findings.error(entry.place,
                   "verify_cert_and_check_known_urls not supported in this context: it is for "
                   "cluster and gateway");
}
void set_allow_insecure(tls_reading& reading, const config_entry& entry,
                        config_findings& findings) {
    set_boolean<&tls_reading::allows_insecure_suites>(reading, entry, findings);
}

/// The texts of an array that must hold some.
std::vector<std::string> read_names(const config_entry& entry, config_findings& findings) {
    if (read_array(entry, findings) == nullptr) return {};
    auto names = read_texts(entry, findings);
    if (names && names->empty()) {
        findings.error(entry.place,
                       "error parsing tls config, '" + entry.key + "' cannot be empty");
    }
    return names.value_or(std::vector<std::string>());
}

void set_cipher_suites(tls_reading& reading, const config_entry& entry, config_findings& findings) {
    for (const auto& name : read_names(entry, findings)) {
        const auto* const suite = net::find_tls_cipher_suite(name);
        if (suite == nullptr) {
            findings.error(entry.place, "unrecognized cipher " + name);
            continue;
        }
        if (suite->is_insecure) reading.insecure_suites.push_back(name);
        reading.options.settings.cipher_suites.push_back(name);
    }
}
void set_curves(tls_reading& reading, const config_entry& entry, config_findings& findings) {
    for (const auto& name : read_names(entry, findings)) {
        if (!net::is_tls_curve(name)) {
            findings.error(entry.place, "unrecognized curve preference " + name);
            continue;
        }
        reading.options.settings.curves.push_back(name);
    }
}
void set_timeout(tls_reading& reading, const config_entry& entry, config_findings& findings) {
    if (const auto timeout = read_seconds(entry, findings)) reading.options.timeout = *timeout;
}
void set_rate_limit(tls_reading& reading, const config_entry& entry, config_findings& findings) {
    set_integer_or_zero<&tls_options::connection_rate_limit>(reading.options, entry, findings);
}

void set_pinned(tls_reading& reading, const config_entry& entry, config_findings& findings) {
    if (read_array(entry, findings) == nullptr) return;
    const auto texts = read_texts(entry, findings);
    if (!texts) return;
    auto& pinned = reading.options.pinned_certs;
    for (const auto& text : *texts) {
        auto key = lower_case(text);
        const bool is_digest =
            key.size() == 64 && key.find_first_not_of("0123456789abcdef") == std::string::npos;
        if (!is_digest) {
            findings.error(entry.place, "error parsing tls config, 'pinned_certs' key " + key +
                                            " does not look like hex-encoded sha256 of DER encoded "
                                            "SubjectPublicKeyInfo");
        }
        pinned.push_back(std::move(key));
    }
    std::ranges::sort(pinned);
    pinned.erase(std::unique(pinned.begin(), pinned.end()), pinned.end());
}

void set_handshake_first(tls_reading& reading, const config_entry& entry,
                         config_findings& findings) {
    auto& options = reading.options;
    const auto* const text = entry.value.as<std::string>();
    if (text == nullptr) {
        if (const auto value = read_boolean(entry, findings)) options.handshake_first = *value;
        return;
    }
    const auto word = lower_case(*text);
    if (is_one_of("false off", word)) return;
    options.handshake_first = true;
    if (is_one_of("true on", word)) return;
    if (is_one_of("auto auto_fallback", word)) {
        options.handshake_first_fallback = limits::tls_first_fallback;
    } else if (const auto delay = read_duration_text(entry, findings)) {
        options.handshake_first_fallback = *delay;
    }
}

constexpr key_rule<net::tls_key_pair> pair_rules[] = {
    {"cert_file", set_text<&net::tls_key_pair::certificate_file>},
    {"key_file", set_text<&net::tls_key_pair::key_file>},
};
void set_pairs(tls_reading& reading, const config_entry& entry, config_findings& findings) {
    const auto* const array = read_array(entry, findings);
    if (array == nullptr) return;
    for (const auto& element : *array) {
        const auto* const map = read_element(entry, element, findings);
        if (map == nullptr) continue;
        net::tls_key_pair pair;
        read_keys(*map, pair_rules, pair, findings);
        if (pair.certificate_file.empty() || pair.key_file.empty()) {
            findings.error(element.place(), "error parsing certificates config: both 'cert_file' "
                                            "and 'key_file' options are required");
        }
        reading.options.settings.key_pairs.push_back(std::move(pair));
    }
}

void set_min_version(tls_reading& reading, const config_entry& entry, config_findings& findings) {
    const auto text = read_text(entry, findings);
    if (!text) return;
    if (*text == "1.3") {
        reading.options.settings.min_version = net::tls_version::v1_3;
    } else if (*text == "1.0" || *text == "1.1") {
        findings.error(entry.place,
                       "error parsing tls config: unsupported TLS version: TLS " + *text);
    } else if (*text != "1.2") {
        findings.error(entry.place, "error parsing tls config: unknown version: " + *text +
                                        "; it is \"1.2\" or \"1.3\"");
    }
}

/// What Windows has.
void refuse_store(tls_reading&, const config_entry& entry, config_findings& findings) {
    findings.error(entry.place, entry.key + " not compatible with current operating system");
}
void set_ocsp_peer(tls_reading& reading, const config_entry& entry, config_findings& findings) {
    if (auto read = read_ocsp_peer(entry, findings)) reading.options.ocsp_peer = *read;
}

constexpr key_rule<tls_reading> tls_rules[] = {
    {"cert_file", set_file<&net::tls_key_pair::certificate_file>},
    {"key_file", set_file<&net::tls_key_pair::key_file>},
    {"ca_file", set_authorities},
    {"insecure", set_boolean<&tls_reading::trusts_all>},
    {"verify", set_verify},
    {"verify_and_map", set_verify_and_map},
    {"verify_cert_and_check_known_urls", refuse_known_urls},
    {"allow_insecure_cipher_suites", set_allow_insecure},
    {"cipher_suites", set_cipher_suites},
    {"curve_preferences", set_curves},
    {"timeout", set_timeout},
    {"connection_rate_limit", set_rate_limit},
    {"pinned_certs", set_pinned},
    {"handshake_first first immediate", set_handshake_first},
    {"certs certificates", set_pairs},
    {"min_version", set_min_version},
    {"ocsp_peer", set_ocsp_peer},
    {"cert_store", refuse_store},
    {"cert_match_by", refuse_store},
    {"cert_match", refuse_store},
    {"cert_match_skip_invalid", refuse_store},
    {"ca_certs_match", refuse_store},
};

/// Adds what was written beside a list, and says what does not go together.
void finish(tls_reading& reading, const config_entry& entry, config_findings& findings) {
    auto& pairs = reading.options.settings.key_pairs;
    const auto& single = reading.single_pair;
    if (single != net::tls_key_pair{}) {
        if (!pairs.empty()) {
            findings.error(entry.place, "error parsing tls config, cannot combine 'cert_file' "
                                        "option with 'certs' option");
        }
        pairs.insert(pairs.begin(), single);
    }
    if (!reading.allows_insecure_suites && !reading.insecure_suites.empty()) {
        std::string names;
        for (const auto& name : reading.insecure_suites) {
            if (!names.empty()) names += ", ";
            names += name;
        }
        findings.error(entry.place, "insecure cipher suites configured without "
                                    "'allow_insecure_cipher_suites' option set: " +
                                        names);
    }
}

std::optional<tls_reading> read_block(const config_entry& entry, config_findings& findings) {
    const auto* const map = read_map(entry, findings);
    if (map == nullptr) return std::nullopt;
    const bool had_errors = findings.has_errors();
    tls_reading reading;
    read_keys(*map, tls_rules, reading, findings);
    finish(reading, entry, findings);
    if (findings.has_errors() && !had_errors) return std::nullopt;
    return reading;
}

} // namespace

std::optional<tls_options> read_tls_block(const config_entry& entry, config_findings& findings) {
    auto reading = read_block(entry, findings);
    if (!reading) return std::nullopt;
    if (auto checked = check_tls_files(reading->options); !checked) {
        findings.error(entry.place, checked.error().detail());
        return std::nullopt;
    }
    return std::move(reading->options);
}

void read_resolver_tls(server_options& options, const config_entry& entry,
                       config_findings& findings) {
    auto reading = read_block(entry, findings);
    if (!reading) return;
    auto& settings = reading->options.settings;
    settings.verifies_peer = !reading->trusts_all;
    if (const auto usable = net::tls_context::for_client(settings); !usable) {
        findings.error(entry.place, usable.error().detail());
    }
    options.resolver.tls = std::move(settings);
}

void read_tls(server_options& options, const config_entry& entry, config_findings& findings) {
    if (auto read = read_tls_block(entry, findings)) options.tls = std::move(read);
}

} // namespace pipit::server::detail

namespace pipit::server {

result<> check_tls_files(tls_options& options) {
    const auto context = net::tls_context::for_server(options.settings);
    if (!context) return context.error();
    options.files_digest = (*context)->files_digest();
    return {};
}

} // namespace pipit::server
