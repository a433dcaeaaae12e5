// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cli/context_document.hpp>
#include <cli/settings.hpp>

#include <pipit/base/error.hpp>

#include <string>
#include <vector>

namespace pipit::cli {

/// The `nats` tool's own files: `nats/context/NAME.json`, `nats/context.txt` with the selected name
/// and `nats/previous-context.txt`, below $XDG_CONFIG_HOME or ~/.config.
///
/// Errors: the system's with the path; `errc::invalid_argument` for a name that is none, and for a
///         file that is no context.
class context_store {
public:
    explicit context_store(const environment& variables);

    /// In the order of the alphabet; none when there is no folder of them.
    [[nodiscard]] result<std::vector<std::string>> names() const;
    [[nodiscard]] std::string path(const std::string& name) const;
    /// Also when it cannot be reached: `load` says why.
    [[nodiscard]] bool exists(const std::string& name) const;
    /// Also the path of a file that ends with `.json`.
    [[nodiscard]] result<context_document> load(const std::string& name) const;
    [[nodiscard]] result<> save(const std::string& name, const context_document& document) const;
    [[nodiscard]] result<> remove(const std::string& name) const;

    /// Empty: none.
    [[nodiscard]] result<std::string> selected() const;
    [[nodiscard]] result<std::string> previous() const;
    /// An empty name selects none.
    [[nodiscard]] result<> select(const std::string& name) const;

private:
    [[nodiscard]] result<> make_folders() const;

    std::string root_; ///< `…/nats`
};

/// That there is no such context, and which there are; or why that is not known.
[[nodiscard]] error unknown_context(const context_store& store, const std::string& name);

} // namespace pipit::cli
