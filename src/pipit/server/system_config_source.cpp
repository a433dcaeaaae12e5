// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/system_config_source.hpp>

#include <pipit/server/error.hpp>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <memory>

namespace pipit::server {
namespace {

error unreadable(const char* action, const std::string& path) {
    return {errc::unusable_file, std::string(action) + " " + path + ": " + system_reason(errno)};
}

/// Reads at most one byte more than is allowed; the parser then says that it is too much.
result<std::string> read_file(const std::string& path, std::size_t bytes_max) {
    struct closer {
        void operator()(std::FILE* file) const { std::fclose(file); }
    };
    const std::unique_ptr<std::FILE, closer> file(std::fopen(path.c_str(), "rbe"));
    if (!file) return unreadable("open", path);
    std::string text;
    char buffer[16384];
    while (text.size() <= bytes_max) {
        const auto count = std::fread(buffer, 1, sizeof buffer, file.get());
        text.append(buffer, count);
        if (count < sizeof buffer) break;
    }
    if (std::ferror(file.get())) return unreadable("read", path);
    return text;
}

} // namespace

config_source system_config_source() {
    config_source source;
    source.read_file = [bytes_max = source.limits.read_bytes_max](const std::string& path) {
        return read_file(path, bytes_max);
    };
    source.environment = [](const std::string& name) -> std::optional<std::string> {
        const char* value = std::getenv(name.c_str());
        if (!value) return std::nullopt;
        return std::string(value);
    };
    return source;
}

} // namespace pipit::server
