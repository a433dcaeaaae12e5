// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/error.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace pipit::server {

/// One thing that a server listens for, by the ports file's names: `nats`, `monitoring`, …
struct listening_place {
    std::string kind;
    std::string scheme; ///< `nats`, `http` or `ws`.
    std::string host;
    std::uint16_t port = 0;
};

/// The contents of a ports file: under which URLs each place is reached, which is one, or one for
/// each of `addresses` when it listens on all of them.
[[nodiscard]] std::string ports_json(const std::vector<listening_place>& places,
                                     const std::vector<std::string>& addresses);

/// `<folder>/nats-server_<pid>.ports`, the name that tools wait for.
[[nodiscard]] std::string ports_file_path(std::string_view folder, int pid);

/// Writes a small file, which whoever reads it finds whole, or not there, or as it was before; only
/// where nothing may be put beside it, he may find it empty. Errors: `errc::unusable_file`, with
/// nats-server's text; there is no such file then.
[[nodiscard]] result<> write_file(const std::string& path, std::string_view contents);

} // namespace pipit::server
