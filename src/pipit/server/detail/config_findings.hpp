// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/server/config_value.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace pipit::server::detail {

/// What reading a configuration finds, beside the options: all of it, not only the first.
class config_findings {
public:
    /// Something that cannot be obeyed; the server does not start.
    void error(const config_place& place, std::string_view text) { add(errors_, place, text); }
    /// nats-server warns of the same, and takes it for an error in `-t`.
    void warning(const config_place& place, std::string_view text) { add(warnings_, place, text); }

    /// A key that nothing knows; `known` are the names that stand in its place, of which the
    /// nearest is shown.
    void unknown_key(const config_entry& entry, const std::vector<std::string_view>& known);
    /// A feature that is merely absent: a notice, and the server starts without it.
    void leave_out(const config_entry& entry, std::string_view what);
    /// The value is not of the kind that the key takes: an error.
    void wrong_kind(const config_entry& entry, std::string_view wanted);

    [[nodiscard]] bool has_errors() const noexcept { return !errors_.empty(); }
    /// Each with its place, a line for each, warnings first.
    [[nodiscard]] std::string all_texts() const;
    [[nodiscard]] std::vector<std::string> warnings() const { return texts(warnings_); }
    [[nodiscard]] std::vector<std::string> notices() const { return texts(notices_); }

private:
    struct finding {
        config_place place;
        std::string text;
    };
    void add(std::vector<finding>& list, const config_place& place, std::string_view text);
    static std::vector<std::string> texts(const std::vector<finding>& list);

    std::size_t unshown_ = 0; ///< Beyond `limits::config_findings`.

    std::vector<finding> errors_;
    std::vector<finding> warnings_;
    std::vector<finding> notices_;
};

} // namespace pipit::server::detail
