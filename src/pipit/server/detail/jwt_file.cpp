// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/detail/jwt_file.hpp>

#include <pipit/base/identity_limits.hpp>

#include <cerrno>
#include <fstream>

namespace pipit::server::detail {

std::optional<std::string> read_jwt_file(const std::string& path) {
    errno = 0;
    std::ifstream file(path, std::ios::binary);
    if (!file) return std::nullopt;
    std::string text(limits::jwt_bytes, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(file.gcount()));
    return text;
}

} // namespace pipit::server::detail
