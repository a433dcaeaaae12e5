// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cli/command_tree.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace pipit::cli {

/// As `auth::looks_secret`; also behind `file://` and `env://`.
[[nodiscard]] bool looks_secret(std::string_view text);
/// What was typed, to be shown: between quotes, or `this`.
[[nodiscard]] std::string quoted_unless_secret(std::string_view text);

/// Where in the words secrets stand, which others could read by `ps`.
struct secret_place {
    std::size_t word = 0;
    std::size_t offset = 0;
    std::size_t size = 0;
    friend bool operator==(const secret_place&, const secret_place&) = default;
};
/// What the options of all commands hide, whichever command they stand behind, and what looks like
/// a secret: what stands before the @ of a URL, and credentials that are no file.
[[nodiscard]] std::vector<secret_place> secret_places(const command& root,
                                                      const std::vector<std::string>& words);

} // namespace pipit::cli
