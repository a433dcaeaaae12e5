// SPDX-License-Identifier: Apache-2.0
// Whatever the bytes are, reading them ends, within the limits, with a tree or with a place; the
// tree's canonical JSON is a configuration that says the same; and the tree becomes options, of
// which brokers can be told, or complaints with their places.
#include <pipit/base/assert.hpp>
#include <pipit/server/broker_configuration.hpp>
#include <pipit/server/config_digest.hpp>
#include <pipit/server/config_language.hpp>
#include <pipit/server/options_from_config.hpp>
#include <pipit/server/reload_difference.hpp>

#include <cstdint>

namespace {

/// Includes and variables give the input back, so that every kind of cycle is within reach.
pipit::server::config_source source_of(std::string_view text) {
    pipit::server::config_source source;
    source.read_file = [text](const std::string&) { return std::string(text); };
    source.environment = [text](const std::string& name) -> std::optional<std::string> {
        if (name.size() > 1) return std::nullopt;
        return std::string(text.substr(0, 64));
    };
    source.limits = {.nesting_max = 20,
                     .include_depth_max = 4,
                     .read_bytes_max = 1 << 16,
                     .tree_bytes_max = 1 << 20};
    return source;
}

void check_options(const pipit::server::config_map& map) {
    namespace server = pipit::server;
    auto loaded = server::options_from_config(map);
    if (!loaded) {
        PIPIT_ASSERT(loaded.error().detail().find("fuzz.conf:") == 0 ||
                     loaded.error().detail().find("$") == 0);
        return;
    }
    server::apply_defaults(loaded->options);
    (void)server::validate_options(loaded->options);
    PIPIT_ASSERT(server::reload_difference(loaded->options, loaded->options));
    server::account_numbers numbers;
    PIPIT_ASSERT(server::broker_configuration(loaded->options, {}, numbers));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto source = source_of(text);
    const auto map = pipit::server::parse_config(text, "fuzz.conf", source);
    if (!map) {
        PIPIT_ASSERT(map.error().detail().starts_with("fuzz.conf:"));
        return 0;
    }
    check_options(*map);
    const auto json = pipit::server::canonical_json(*map);
    (void)pipit::server::config_digest(*map);
    // Not in the language: JSON's escapes in keys, and exponents. And beyond its limits: copies.
    const auto has = [&](const char* part) { return json.find(part) != std::string::npos; };
    if (has("\\") || has("e+") || has("e-") || json.size() > 1 << 12) return 0;
    const auto again = pipit::server::parse_config(json, "fuzz.conf", source);
    PIPIT_ASSERT(again && pipit::server::canonical_json(*again) == json);
    return 0;
}
