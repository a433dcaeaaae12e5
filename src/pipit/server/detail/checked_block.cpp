// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/detail/checked_block.hpp>

#include <pipit/base/ascii_case.hpp>
#include <pipit/protocol/go_text.hpp>
#include <pipit/server/detail/option_blocks.hpp>

#include <charconv>

namespace pipit::server::detail {
namespace {

constexpr checked_row compression_rows[] = {
    {"mode", a_text},
    {"rtt_thresholds thresholds rtts rtt", some_texts},
};

constexpr char tls_versions[] = "1.2 1.3";
constexpr checked_row certificate_rows[] = {{"cert_file", a_text}, {"key_file", a_text}};

/// `true`, `false`, or a map of what is asked of the other side's answers.
template <const auto& rows>
void a_boolean_or_block(checked_block& block, const config_entry& entry,
                        config_findings& findings) {
    if (entry.value.as<bool>() == nullptr) a_block<rows>(block, entry, findings);
}
/// `true`, `auto`, or how long to wait.
void a_handshake_choice(checked_block& block, const config_entry& entry,
                        config_findings& findings) {
    const auto* text = entry.value.as<std::string>();
    if (text && is_one_of("true false on off auto auto_fallback", lower_case(*text))) return;
    if (text) {
        (void)read_duration_text(entry, findings);
    } else {
        a_boolean(block, entry, findings);
    }
}

void keep_mapping(checked_block& block, const config_entry& entry, config_findings& findings) {
    block.maps_certificates = read_boolean(entry, findings).value_or(false);
}

constexpr checked_row ocsp_peer_rows[] = {
    {"verify", a_boolean},
    {"ca_timeout", some_seconds},
    {"allowed_clockskew", some_seconds},
    {"warn_only", a_boolean},
    {"unknown_is_good", a_boolean},
    {"allow_when_ca_unreachable", a_boolean},
    {"cache_ttl_when_next_update_unset", some_seconds},
};

constexpr checked_row tls_rows[] = {
    {"cert_file", a_text},
    {"key_file", a_text},
    {"ca_file", a_text},
    {"insecure", a_boolean},
    {"verify", a_boolean},
    {"verify_and_map", keep_mapping},
    {"verify_cert_and_check_known_urls", a_boolean},
    {"allow_insecure_cipher_suites", a_boolean},
    {"cipher_suites", some_texts},
    {"curve_preferences", some_texts},
    {"timeout", some_seconds},
    {"connection_rate_limit", an_integer<>},
    {"pinned_certs", some_texts},
    {"cert_store", a_text},
    {"cert_match_by", a_text},
    {"cert_match", a_text},
    {"cert_match_skip_invalid", a_boolean},
    {"ca_certs_match", some_texts},
    {"handshake_first first immediate", a_handshake_choice},
    {"ocsp_peer", a_boolean_or_block<ocsp_peer_rows>},
    {"certs certificates", some_blocks<certificate_rows>},
    {"min_version", a_choice<tls_versions>},
};

constexpr checked_row login_rows[] = {
    {"user username", a_text},
    {"password pass", a_text},
    {"timeout", some_seconds},
    {"default_permissions default_permission permissions", some_permissions},
};

} // namespace

std::optional<std::int64_t> read_size(const config_entry& entry, config_findings& findings) {
    if (const auto* bytes = entry.value.as<std::int64_t>()) return *bytes;
    const auto* text = entry.value.as<std::string>();
    if (!text) {
        findings.wrong_kind(entry, "a size such as 10GB");
        return std::nullopt;
    }
    if (text->empty()) return 0;
    std::int64_t number = 0;
    const auto* const unit = text->data() + text->size() - 1;
    const auto [rest, failed] = std::from_chars(text->data(), unit, number);
    constexpr std::string_view units = "KMGT";
    const auto power = units.find(*unit);
    std::int64_t size = 0;
    const bool fits = failed == std::errc() && rest == unit && power != std::string_view::npos &&
                      !__builtin_mul_overflow(number, std::int64_t{1} << (10 * (power + 1)), &size);
    if (fits) return size;
    findings.error(entry.place, protocol::quoted(entry.key) +
                                    ": a size in quotes is a number and one of K, M, G, T, not " +
                                    protocol::quoted(*text));
    return std::nullopt;
}

void a_map_of_texts(checked_block&, const config_entry& entry, config_findings& findings) {
    const auto* map = read_map(entry, findings);
    if (!map) return;
    for (const auto& inner : *map) (void)read_text(inner, findings);
}

std::string problem_of_cluster_name(std::string_view name) {
    if (name.find(' ') != std::string_view::npos) return "cluster name cannot contain spaces";
    return name == "_" ? "cluster name is reserved" : "";
}

void a_cluster_name(checked_block&, const config_entry& entry, config_findings& findings) {
    const auto text = read_text(entry, findings);
    if (!text) return;
    const auto problem = problem_of_cluster_name(*text);
    if (!problem.empty()) findings.error(entry.place, problem);
}

void a_write_timeout(checked_block&, const config_entry& entry, config_findings& findings) {
    const auto text = read_text(entry, findings);
    if (text && !is_one_of("default close retry", *text)) {
        findings.error(entry.place, "write_timeout must be 'default', 'close' or 'retry'");
    }
}

void a_compression(checked_block& block, const config_entry& entry, config_findings& findings) {
    if (entry.value.as<std::string>() == nullptr) {
        a_boolean_or_block<compression_rows>(block, entry, findings);
    }
}

void some_permissions(checked_block&, const config_entry& entry, config_findings& findings) {
    (void)read_permissions(entry, findings);
}

void a_tls_block(checked_block& block, const config_entry& entry, config_findings& findings) {
    const auto* map = read_map(entry, findings);
    if (!map) return;
    checked_block inner;
    read_keys(*map, tls_rows, inner, findings);
    block.maps_certificates = inner.maps_certificates;
}

void a_peer_login(checked_block& block, const config_entry& entry, config_findings& findings) {
    a_block<login_rows>(block, entry, findings);
}

void keep_listen(checked_block& block, const config_entry& entry, config_findings& findings) {
    auto address = read_listen(entry, findings);
    if (!address) return;
    block.port = address->port;
    if (!address->host.empty()) block.host = std::move(address->host);
}
void keep_host(checked_block& block, const config_entry& entry, config_findings& findings) {
    if (auto text = read_text(entry, findings)) block.host = std::move(*text);
}
void keep_port(checked_block& block, const config_entry& entry, config_findings& findings) {
    if (const auto port = read_integer(entry, {-1, 65535}, findings)) {
        block.port = static_cast<int>(*port);
    }
}

} // namespace pipit::server::detail
