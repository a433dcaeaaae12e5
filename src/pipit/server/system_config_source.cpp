// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/system_config_source.hpp>

#include <pipit/server/detail/whole_file.hpp>

#include <cstdlib>

namespace pipit::server {
config_source system_config_source() {
    config_source source;
    source.read_file = [bytes_max = source.limits.read_bytes_max](const std::string& path) {
        return detail::read_file(path, bytes_max);
    };
    source.environment = [](const std::string& name) -> std::optional<std::string> {
        const char* value = std::getenv(name.c_str());
        if (!value) return std::nullopt;
        return std::string(value);
    };
    return source;
}

} // namespace pipit::server
