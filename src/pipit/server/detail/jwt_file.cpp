// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/detail/jwt_file.hpp>

#include <pipit/base/identity_limits.hpp>
#include <pipit/net/read_file.hpp>
#include <pipit/server/error.hpp>

#include <algorithm>
#include <utility>

namespace pipit::server::detail {

result<std::optional<std::string>> read_jwt_file(const std::string& path) {
    auto text = net::read_file(path, limits::jwt_bytes);
    if (!text) {
        const auto& why = text.error();
        if (why.code() == boost::system::errc::no_such_file_or_directory) {
            return std::optional<std::string>();
        }
        return error(errc::unusable_file, std::string(why.detail()));
    }
    text->resize(std::min(text->size(), limits::jwt_bytes));
    return std::optional(std::move(*text));
}

} // namespace pipit::server::detail
