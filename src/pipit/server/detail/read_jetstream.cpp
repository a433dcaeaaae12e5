// SPDX-License-Identifier: Apache-2.0
#include <pipit/base/ascii_case.hpp>
#include <pipit/server/detail/checked_block.hpp>
#include <pipit/server/detail/option_blocks.hpp>

namespace pipit::server::detail {
namespace {

constexpr char ciphers[] = "chacha chachapoly aes";
constexpr char cluster_traffic[] = "system owner";

constexpr checked_row batch_rows[] = {
    {"max_inflight_per_stream", an_integer<>},
    {"max_inflight_total", an_integer<>},
    {"max_msgs", an_integer<>},
    {"timeout", a_duration_text},
};

constexpr checked_row limit_rows[] = {
    {"max_ack_pending", an_integer<>},     {"max_ha_assets", an_integer<>},
    {"max_request_batch", an_integer<>},   {"default_max_consumers", an_integer<>},
    {"duplicate_window", a_duration_text}, {"batch", a_block<batch_rows>},
};

constexpr checked_row tpm_rows[] = {
    {"keys_file", a_text}, {"encryption_password", a_text}, {"srk_password", a_text},
    {"pcr", an_integer<>}, {"cipher", a_choice<ciphers>},
};

void keep_store_dir(checked_block& block, const config_entry& entry, config_findings& findings) {
    if (auto text = read_text(entry, findings)) block.store_dir = std::move(*text);
}
void keep_enabled(checked_block& block, const config_entry& entry, config_findings& findings) {
    block.enabled = read_boolean(entry, findings);
}
void a_sync_interval(checked_block& block, const config_entry& entry, config_findings& findings) {
    const auto* text = entry.value.as<std::string>();
    if (!text || lower_case(*text) != "always") a_duration(block, entry, findings);
}

constexpr checked_row jetstream_rows[] = {
    {"strict", a_boolean},
    {"store_dir store storedir", keep_store_dir},
    {"sync_interval sync", a_sync_interval},
    {"max_memory_store max_mem_store max_mem", a_size},
    {"max_file_store max_file", a_size},
    {"domain", a_text},
    {"enabled enable", keep_enabled},
    {"key ek encryption_key", a_text},
    {"prev_key prev_ek prev_encryption_key", a_text},
    {"cipher", a_choice<ciphers>},
    {"extension_hint", a_text},
    {"limits", a_block<limit_rows>},
    {"tpm", a_block<tpm_rows>},
    {"unique_tag", a_text},
    {"max_outstanding_catchup", a_size},
    {"max_buffered_size", a_size},
    {"max_buffered_msgs", an_integer<>},
    {"request_queue_limit", an_integer<>},
    {"info_queue_limit", an_integer<>},
    {"meta_compact", an_integer<0>},
    {"meta_compact_size", a_size},
    {"meta_compact_sync", a_boolean},
    {"max_concurrent_io", an_integer<4, 8192>},
};

constexpr checked_row account_rows[] = {
    {"max_memory max_mem mem memory", an_integer<>},
    {"max_store max_file max_disk store disk", an_integer<>},
    {"max_streams streams", an_integer<>},
    {"max_consumers consumers", an_integer<>},
    {"max_bytes_required max_stream_bytes max_bytes", a_boolean},
    {"memory_max_stream_bytes mem_max_stream_bytes", an_integer<>},
    {"store_max_stream_bytes disk_max_stream_bytes", an_integer<>},
    {"max_ack_pending", an_integer<>},
    {"cluster_traffic", a_choice<cluster_traffic>},
};

/// `true`, `enabled`, or a map with these keys, that may be switched off from inside.
bool is_wanted(const config_entry& entry, std::span<const checked_row> rows, checked_block& block,
               config_findings& findings) {
    if (const auto* value = entry.value.as<bool>()) return *value;
    if (const auto* map = entry.value.as<config_map>()) {
        read_keys(*map, rows, block, findings);
        return block.enabled.value_or(true);
    }
    const auto* text = entry.value.as<std::string>();
    if (!text) {
        findings.wrong_kind(entry, "a map, true, false, enabled or disabled");
        return false;
    }
    const auto word = lower_case(*text);
    if (is_one_of("enabled enable", word)) return true;
    if (!is_one_of("disabled disable", word)) {
        findings.error(entry.place,
                       "Expected 'enabled' or 'disabled' for string value, got '" + *text + "'");
    }
    return false;
}

void keep_store_dir_once(server_options& options, std::string folder, const config_place& place,
                         config_findings& findings) {
    if (!options.store_dir.empty()) {
        findings.error(place, "Duplicate 'store_dir' configuration");
    }
    options.store_dir = std::move(folder);
}

} // namespace

void read_jetstream(server_options& options, const config_entry& entry, config_findings& findings) {
    checked_block block;
    options.jetstream = is_wanted(entry, jetstream_rows, block, findings);
    if (options.jetstream) findings.leave_out(entry, "jetstream");
    if (block.store_dir.empty()) return;
    keep_store_dir_once(options, std::move(block.store_dir), entry.place, findings);
}

void read_account_jetstream(const config_entry& entry, config_findings& findings) {
    checked_block block;
    if (is_wanted(entry, account_rows, block, findings)) {
        findings.leave_out(entry, "jetstream of an account");
    }
}

void read_store_dir(server_options& options, const config_entry& entry, config_findings& findings) {
    if (auto text = read_text(entry, findings)) {
        keep_store_dir_once(options, std::move(*text), entry.place, findings);
    }
}

} // namespace pipit::server::detail
