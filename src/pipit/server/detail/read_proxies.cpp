// SPDX-License-Identifier: Apache-2.0
#include <pipit/auth/nkey.hpp>
#include <pipit/protocol/go_text.hpp>
#include <pipit/server/detail/option_blocks.hpp>

namespace pipit::server::detail {
namespace {

using proxy_keys = std::vector<std::string>;

void read_key(std::string& key, const config_entry& entry, config_findings& findings) {
    auto text = read_text(entry, findings);
    if (!text) return;
    key = std::move(*text);
    if (auth::decode_public_nkey(key)) return;
    // Whoever mistakes the secret half for the public one need not see it in a log too.
    const bool is_secret = auth::decode_nkey_seed(key).has_value();
    findings.error(entry.place, "invalid proxy key" + (is_secret ? std::string(": it is a seed")
                                                                 : ' ' + protocol::quoted(key)));
}
constexpr key_rule<std::string> proxy_rules[] = {{"key public_key", read_key}};

void read_trusted(proxy_keys& keys, const config_entry& entry, config_findings& findings) {
    const auto* array = read_array(entry, findings);
    if (!array) return;
    keys.clear();
    for (const auto& element : *array) {
        const auto* map = read_element(entry, element, findings);
        if (!map) continue;
        read_keys(*map, proxy_rules, keys.emplace_back(), findings);
    }
}
constexpr key_rule<proxy_keys> proxies_rules[] = {{"trusted", read_trusted}};

} // namespace

void read_proxies(server_options& options, const config_entry& entry, config_findings& findings) {
    const auto* map = read_map(entry, findings);
    if (map) read_keys(*map, proxies_rules, options.trusted_proxies.emplace(), findings);
}

} // namespace pipit::server::detail
