// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/ascii_case.hpp>
#include <pipit/protocol/go_text.hpp>
#include <pipit/server/detail/config_keys.hpp>

/// Rows of blocks that belong to features which this version does not have: their keys must be
/// known and their values of the right kind, so that a file that is wrong does not pass today
/// and fail tomorrow; what they say is not kept, but for where they want to listen.
namespace pipit::server::detail {

struct checked_block {
    std::string host;
    std::optional<int> port;
    std::string store_dir;
    std::optional<bool> enabled;
    bool maps_certificates = false; ///< `verify_and_map`
    bool has_logins = false;        ///< It says itself who may come.
};

using checked_row = key_rule<checked_block>;

/// A number of bytes, or text as `10G`.
[[nodiscard]] std::optional<std::int64_t> read_size(const config_entry& entry,
                                                    config_findings& findings);

// What a row can demand of its value.

inline constexpr auto a_text = check_only<checked_block, read_text>;
inline constexpr auto a_boolean = check_only<checked_block, read_boolean>;
/// Any, as nats-server; nothing here waits for it.
inline void a_duration(checked_block&, const config_entry& entry, config_findings& findings) {
    if (!is_negative_duration(entry)) (void)read_duration(entry, findings);
}
inline constexpr auto a_duration_text = check_only<checked_block, read_duration_text>;
inline constexpr auto some_seconds = check_only<checked_block, read_seconds>;
inline constexpr auto some_texts = check_only<checked_block, read_texts>;
inline constexpr auto a_size = check_only<checked_block, read_size>;

template <std::int64_t lowest = std::numeric_limits<std::int64_t>::min(),
          std::int64_t highest = std::numeric_limits<std::int64_t>::max()>
void an_integer(checked_block&, const config_entry& entry, config_findings& findings) {
    (void)read_integer(entry, {lowest, highest}, findings);
}
void a_map_of_texts(checked_block& block, const config_entry& entry, config_findings& findings);
/// Also a gateway's: it is its cluster's.
void a_cluster_name(checked_block& block, const config_entry& entry, config_findings& findings);
/// What is wrong with one, in nats-server's words; empty: nothing.
[[nodiscard]] std::string problem_of_cluster_name(std::string_view name);
void a_write_timeout(checked_block& block, const config_entry& entry, config_findings& findings);
void a_compression(checked_block& block, const config_entry& entry, config_findings& findings);
void some_permissions(checked_block& block, const config_entry& entry, config_findings& findings);
void a_tls_block(checked_block& block, const config_entry& entry, config_findings& findings);
/// User and password for one remote, and how long it may take.
void a_peer_login(checked_block& block, const config_entry& entry, config_findings& findings);

/// One of these words, which are separated by spaces.
template <const char* words>
void a_choice(checked_block&, const config_entry& entry, config_findings& findings) {
    const auto text = read_text(entry, findings);
    if (text && !is_one_of(words, lower_case(*text))) {
        findings.error(entry.place, protocol::quoted(entry.key) + " is one of: " + words);
    }
}
/// A map with these keys.
template <const auto& rows>
void a_block(checked_block&, const config_entry& entry, config_findings& findings) {
    checked_block inner;
    const auto* map = read_map(entry, findings);
    if (map) read_keys(*map, rows, inner, findings);
}
/// An array of maps with these keys.
template <const auto& rows>
void some_blocks(checked_block&, const config_entry& entry, config_findings& findings) {
    const auto* array = read_array(entry, findings);
    if (!array) return;
    for (const auto& element : *array) {
        checked_block inner;
        const auto* map = read_element(entry, element, findings);
        if (map) read_keys(*map, rows, inner, findings);
    }
}

// Where a block wants to listen.

void keep_listen(checked_block& block, const config_entry& entry, config_findings& findings);
void keep_host(checked_block& block, const config_entry& entry, config_findings& findings);
void keep_port(checked_block& block, const config_entry& entry, config_findings& findings);

} // namespace pipit::server::detail
