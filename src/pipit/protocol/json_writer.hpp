// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pipit::protocol {

/// Appends JSON to a text, byte for byte as Go's `encoding/json` writes it: members in the order
/// they are given, `<`, `>` and `&` escaped, indented or on one line, `{}` and `[]` when empty.
///
/// The caller pairs begin and end, up to 64 levels deep; values of an object come through
/// `member`. It allocates nothing but the text.
///
/// All that the server says as JSON is written by this. Boost.JSON's values are for what is read,
/// and for JWTs, which are put together, digested and changed before they are a text.
class json_writer {
public:
    /// `indent` is written once per level; empty: everything on one line. Both outlive the writer.
    explicit json_writer(std::string& out, std::string_view indent = {}) noexcept
        : out_(out), indent_(indent) {}

    void begin_object() { begin('{'); }
    void begin_object(std::string_view name) { key(name), begin('{'); }
    void end_object() { end('}'); }
    void begin_array(std::string_view name) { key(name), begin('['); }
    void end_array() { end(']'); }

    /// An element of an array.
    void element() { separate(); }
    void element(std::string_view value) { separate(), write(value); }
    void json_element(std::string_view json) { separate(), out_ += json; }

    template <class Value>
    void member(std::string_view name, const Value& value) {
        key(name);
        write(value);
    }
    /// What is JSON already; it stays on its line.
    void json_member(std::string_view name, std::string_view json) { key(name), out_ += json; }
    void null_member(std::string_view name) { key(name), out_ += "null"; }
    /// Left out when empty, zero or false (`omitempty`).
    template <class Value>
    void optional_member(std::string_view name, const Value& value) {
        if (value != Value{}) member(name, value);
    }

private:
    void begin(char bracket);
    void end(char bracket);
    void key(std::string_view name);
    void separate();
    void new_line();

    void write(std::string_view value);
    void write(const std::string& value) { write(std::string_view(value)); }
    void write(const char* value) { write(std::string_view(value)); }
    void write(const std::vector<std::string>& values);
    void write(double value);
    template <std::integral Integer>
    void write(Integer value) {
        out_ += std::to_string(value);
    }
    void write(bool value) { out_ += value ? "true" : "false"; }

    std::string& out_;
    std::string_view indent_;
    int level_ = 0;
    std::uint64_t has_values_ = 0; ///< A bit for each open bracket, the innermost is the lowest.
};

} // namespace pipit::protocol
