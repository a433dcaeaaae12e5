// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pipit::cli {

/// Parts a command line into words as a shell does: blanks, 'single' and "double" quotes and \.
/// Nothing is expanded. Nothing when a quote is not closed.
[[nodiscard]] std::optional<std::vector<std::string>> split_shell_words(std::string_view text);

/// Quotes a word for a shell, where it needs that.
[[nodiscard]] std::string quoted_for_shell(std::string_view word);

} // namespace pipit::cli
