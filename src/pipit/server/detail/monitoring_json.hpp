// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pipit::server {

/// Writes JSON byte for byte as Go's `encoding/json` does: members in the order they are given,
/// `<`, `>` and `&` escaped, indented or compact, `{}` and `[]` when empty.
///
/// The caller pairs begin and end; values of an object come through `member`.
class json_writer {
public:
    /// `indent` is written once per level; empty: everything on one line.
    explicit json_writer(std::string_view indent = "  ") : indent_(indent) {}

    void begin_object() { begin('{'); }
    void begin_object(std::string_view name) { key(name), begin('{'); }
    void end_object() { end('}'); }
    void begin_array(std::string_view name) { key(name), begin('['); }
    void end_array() { end(']'); }

    /// An element of an array.
    void element() { separate(); }
    void element(std::string_view value) { separate(), write(value); }
    void json_element(std::string_view json) { separate(), text_ += json; }

    template <class Value>
    void member(std::string_view name, const Value& value) {
        key(name);
        write(value);
    }
    /// What is JSON already; it stays on its line.
    void json_member(std::string_view name, std::string_view json) { key(name), text_ += json; }
    void null_member(std::string_view name) { key(name), text_ += "null"; }
    /// Left out when empty, zero or false (`omitempty`).
    template <class Value>
    void optional_member(std::string_view name, const Value& value) {
        if (value != Value{}) member(name, value);
    }
    void members(std::string_view name, const std::vector<std::string>& values);

    [[nodiscard]] std::string take() { return std::move(text_); }

private:
    void begin(char bracket);
    void end(char bracket);
    void key(std::string_view name);
    void separate();
    void new_line();

    void write(std::string_view value);
    void write(const std::string& value) { write(std::string_view(value)); }
    void write(const char* value) { write(std::string_view(value)); }
    void write(double value);
    template <std::integral Integer>
    void write(Integer value) {
        text_ += std::to_string(value);
    }
    void write(bool value) { text_ += value ? "true" : "false"; }

    std::string text_;
    std::string indent_;
    std::vector<bool> has_values_; ///< Of every open bracket.
};

} // namespace pipit::server
