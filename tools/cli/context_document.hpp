// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/bytes.hpp>
#include <pipit/base/error.hpp>

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pipit::cli {

/// The file of one context, as the `nats` tool writes it: an object of JSON. What is not known here
/// stays as it is, and where it is.
/// Source: ADR-21.
class context_document {
public:
    /// A new one has the keys that the `nats` tool gives it, empty.
    context_document();

    /// Errors: `errc::invalid_argument`, with where and why it is no object of JSON.
    [[nodiscard]] static result<context_document> parse(bytes_view text);

    /// The text of a key; empty when it is absent or no text.
    [[nodiscard]] std::string get(std::string_view key) const;
    [[nodiscard]] bool is_true(std::string_view key) const;
    void set(std::string_view key, std::string_view value);
    void set_flag(std::string_view key);

    /// Indented by two blanks, as the `nats` tool does; without a line end.
    [[nodiscard]] std::string to_text() const;
    /// The same on one line, secrets replaced by `***`.
    [[nodiscard]] std::string to_line(std::string_view name) const;

private:
    void set_written(std::string_view key, std::string value);

    std::vector<std::pair<std::string, std::string>> members_; ///< Keys, and values as JSON.
};

/// The text of a key as it may be shown: `***` for a secret, URLs without users.
[[nodiscard]] std::string shown_value(std::string_view key, std::string_view value);

/// The name of a context is the name of a file: not empty, without slashes and `..`.
[[nodiscard]] bool is_valid_context_name(std::string_view name);

} // namespace pipit::cli
