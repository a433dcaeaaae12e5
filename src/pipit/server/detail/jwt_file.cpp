// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/detail/jwt_file.hpp>

#include <pipit/base/identity_limits.hpp>
#include <pipit/server/detail/whole_file.hpp>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace pipit::server::detail {

result<std::optional<std::string>> read_jwt_file(const std::string& path) {
    errno = 0;
    auto text = read_file(path, limits::jwt_bytes);
    if (!text && errno == ENOENT) return std::optional<std::string>();
    if (!text) return text.error();
    text->resize(std::min(text->size(), limits::jwt_bytes));
    return std::optional(std::move(*text));
}

} // namespace pipit::server::detail
