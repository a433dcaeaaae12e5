// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace pipit::server {

/// Where a key or a value stands, as nats-server counts: lines from 1; columns from 0 in the
/// first line and from 1 in all others.
struct config_place {
    std::shared_ptr<const std::string> file;
    int line = 0;
    int column = 0;

    /// `file:line:column`.
    [[nodiscard]] std::string to_text() const;
};

/// A point in time as written, `2006-01-02T15:04:05Z`; known to be a real date.
struct config_datetime {
    std::string text;
};

class config_value;
struct config_entry;

using config_array = std::vector<config_value>;

/// In the file's order; each key once, the last one of equal keys.
using config_map = std::vector<config_entry>;

/// One value of a configuration.
class config_value {
public:
    using data_type = std::variant<std::string, std::int64_t, double, bool, config_datetime,
                                   config_array, config_map>;

    config_value();
    config_value(data_type data, std::string written, config_place place);
    // Beside the class, where the entries of a map are known.
    ~config_value();
    config_value(const config_value&);
    config_value(config_value&&) noexcept;
    config_value& operator=(const config_value&);
    config_value& operator=(config_value&&) noexcept;

    /// The value as a T, or nothing when it is of another kind.
    template <class T>
    [[nodiscard]] const T* as() const noexcept {
        return std::get_if<T>(&data_);
    }

    /// A scalar's own text, without quotes: `1K`, `2006-01-02T15:04:05Z`, `yes`. Empty for
    /// arrays and maps.
    [[nodiscard]] const std::string& written() const noexcept { return written_; }
    [[nodiscard]] const config_place& place() const noexcept { return place_; }
    [[nodiscard]] const data_type& data() const noexcept { return data_; }

    /// "a map", "an array", "a string", "an integer", "a float", "a boolean" or "a date".
    [[nodiscard]] std::string_view kind() const noexcept;

private:
    data_type data_;
    std::string written_;
    config_place place_;
};

/// A key, where it stands, and what it is set to.
struct config_entry {
    std::string key;
    config_place place;
    config_value value;
    /// Some `$key` used it, so that an unknown key is no mistake.
    bool used_as_variable = false;
};

} // namespace pipit::server
