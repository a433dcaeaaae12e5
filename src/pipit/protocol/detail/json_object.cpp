// SPDX-License-Identifier: Apache-2.0
#include <pipit/protocol/detail/json_object.hpp>

#include <pipit/base/ascii_case.hpp>
#include <pipit/base/limits.hpp>
#include <pipit/base/utf8.hpp>
#include <pipit/protocol/error.hpp>

#include <boost/json/basic_parser_impl.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <utility>

namespace pipit::protocol::detail {
namespace {

namespace json = boost::json;

constexpr std::string_view replacement_character = "\xef\xbf\xbd";

std::string with_valid_utf8(std::string text) {
    const bool is_ascii = std::all_of(text.begin(), text.end(), [](char c) { return c >= 0; });
    if (is_ascii) return text;
    std::string out;
    for (bytes_view rest = text; !rest.empty();) {
        const auto decoded = decode_utf8(rest);
        out += decoded.valid ? rest.substr(0, decoded.length) : replacement_character;
        rest.remove_prefix(decoded.length);
    }
    return out;
}

/// Lower case for ASCII, and for the two other characters that Go takes for ASCII letters.
std::string folded(std::string_view key) {
    std::string out;
    for (std::size_t i = 0; i < key.size(); ++i) {
        const auto rest = key.substr(i);
        if (rest.starts_with("\u017f")) { // Long s.
            out += 's';
            i += 1;
        } else if (rest.starts_with("\u212a")) { // The sign for kelvin.
            out += 'k';
            i += 2;
        } else {
            out += lower_letter(key[i]);
        }
    }
    return out;
}

constexpr std::size_t escape_length = 6; // \uXXXX

/// The code unit of the `\uXXXX` that `text` begins with; nothing if it begins with something else.
std::optional<std::uint32_t> unicode_escape(bytes_view text) {
    if (text.size() < escape_length || !text.starts_with("\\u")) return std::nullopt;
    std::uint32_t unit = 0;
    const char* const end = text.data() + escape_length;
    const auto read = std::from_chars(text.data() + 2, end, unit, 16);
    return read.ptr == end ? std::optional(unit) : std::nullopt;
}

/// Puts U+FFFD in the place of surrogate escapes that have no partner, which Go reads that way and
/// Boost.JSON refuses.
std::string with_paired_surrogates(bytes_view text) {
    const auto is_high = [](std::uint32_t unit) { return unit >= 0xd800 && unit < 0xdc00; };
    const auto is_low = [](std::uint32_t unit) { return unit >= 0xdc00 && unit < 0xe000; };
    std::string out;
    while (!text.empty()) {
        std::size_t taken = text.front() == '\\' ? 2 : 1;
        bool lone = false;
        if (const auto unit = unicode_escape(text)) {
            const auto next = unicode_escape(text.substr(escape_length));
            const bool paired = is_high(*unit) && next && is_low(*next);
            lone = !paired && (is_high(*unit) || is_low(*unit));
            taken = paired ? 2 * escape_length : escape_length;
        }
        out += lone ? "\\ufffd" : text.substr(0, taken);
        text.remove_prefix(std::min(taken, text.size()));
    }
    return out;
}

/// What Boost.JSON's parser calls while it reads. Only the first level has meaning; of what a
/// field's value may hold below it, lists and permissions are known, everything else is skipped.
class object_handler {
public:
    constexpr static std::size_t max_object_size = std::numeric_limits<std::size_t>::max();
    constexpr static std::size_t max_array_size = std::numeric_limits<std::size_t>::max();
    constexpr static std::size_t max_key_size = std::numeric_limits<std::size_t>::max();
    constexpr static std::size_t max_string_size = std::numeric_limits<std::size_t>::max();

    explicit object_handler(std::span<const json_field> fields) : fields_(fields) {}

    bool on_document_begin(error_code&) { return true; }
    bool on_document_end(error_code&) { return true; }

    bool on_object_begin(error_code& ec) {
        if (skips_value()) return enter_skipped();
        if (level_ == level::document) return enter(level::object);
        if (level_ == level::object && is<checked_permissions>()) return enter(level::permissions);
        return wrong_type(ec);
    }
    bool on_object_end(std::size_t, error_code&) { return leave(); }

    bool on_array_begin(error_code& ec) {
        if (skips_value()) return enter_skipped();
        if (level_ == level::permissions) return enter(level::permissions_list);
        if (level_ == level::object && is<std::vector<std::string>*>()) {
            std::get<std::vector<std::string>*>(field_->target)->clear();
            return enter(level::list);
        }
        if (level_ == level::object && is<checked_texts>()) return enter(level::list);
        return wrong_type(ec);
    }
    bool on_array_end(std::size_t, error_code&) { return leave(); }

    bool on_key_part(json::string_view part, std::size_t, error_code&) {
        if (skipped_depth_ == 0) text_.append(part.data(), part.size());
        return true;
    }
    bool on_key(json::string_view part, std::size_t n, error_code& ec) {
        on_key_part(part, n, ec);
        if (skipped_depth_ > 0) return true;
        const auto key = folded(with_valid_utf8(std::exchange(text_, {})));
        if (level_ == level::permissions) {
            permission_known_ = key == "allow" || key == "deny";
            return true;
        }
        const auto found = std::find_if(fields_.begin(), fields_.end(),
                                        [&](const auto& field) { return key == field.name; });
        field_ = found == fields_.end() ? nullptr : &*found;
        return true;
    }

    bool on_string_part(json::string_view part, std::size_t, error_code&) {
        if (skipped_depth_ == 0) text_.append(part.data(), part.size());
        return true;
    }
    bool on_string(json::string_view part, std::size_t n, error_code& ec) {
        on_string_part(part, n, ec);
        auto text = with_valid_utf8(std::exchange(text_, {}));
        if (skips_value() || level_ == level::permissions_list) return true;
        if (level_ == level::list) {
            if (auto* texts = target<std::vector<std::string>*>()) {
                (*texts)->push_back(std::move(text));
            }
            return true;
        }
        if (level_ != level::object) return wrong_type(ec);
        if (auto* value = target<std::string*>()) {
            **value = std::move(text);
            return true;
        }
        return is<checked_text>() || wrong_type(ec);
    }

    bool on_bool(bool value, error_code& ec) {
        if (skips_value()) return true;
        if (level_ != level::object) return wrong_type(ec);
        if (auto* target_value = target<bool*>()) {
            **target_value = value;
            return true;
        }
        return is<checked_boolean>() || wrong_type(ec);
    }

    bool on_number_part(json::string_view, error_code&) { return true; }
    bool on_int64(std::int64_t value, json::string_view, error_code& ec) {
        if (skips_value()) return true;
        if (level_ != level::object) return wrong_type(ec);
        if (auto* number = target<int*>()) {
            const bool fits = value >= std::numeric_limits<int>::min() &&
                              value <= std::numeric_limits<int>::max();
            if (fits) **number = static_cast<int>(value);
            return fits || wrong_type(ec);
        }
        if (auto* number = target<std::uint64_t*>()) {
            if (value >= 0) **number = static_cast<std::uint64_t>(value);
            return value >= 0 || wrong_type(ec);
        }
        return is<checked_integer>() || wrong_type(ec);
    }
    bool on_uint64(std::uint64_t value, json::string_view, error_code& ec) {
        if (skips_value()) return true;
        auto* number = level_ == level::object ? target<std::uint64_t*>() : nullptr;
        if (number == nullptr) return wrong_type(ec);
        **number = value;
        return true;
    }
    bool on_double(double, json::string_view, error_code& ec) {
        return skips_value() || wrong_type(ec);
    }

    bool on_null(error_code&) {
        if (level_ == level::list && skipped_depth_ == 0) {
            if (auto* texts = target<std::vector<std::string>*>()) (*texts)->emplace_back();
        } else if (level_ == level::object && !skips_value()) {
            if (auto* texts = target<std::vector<std::string>*>()) (*texts)->clear();
        }
        return true;
    }

    bool on_comment_part(json::string_view, error_code&) { return true; }
    bool on_comment(json::string_view, error_code&) { return true; }

private:
    enum class level { document, object, list, permissions, permissions_list };

    [[nodiscard]] bool skips_value() const {
        if (skipped_depth_ > 0) return true;
        return (level_ == level::object && field_ == nullptr) ||
               (level_ == level::permissions && !permission_known_);
    }
    template <class Target>
    [[nodiscard]] bool is() const {
        return std::holds_alternative<Target>(field_->target);
    }
    template <class Target>
    [[nodiscard]] const Target* target() const {
        return std::get_if<Target>(&field_->target);
    }
    bool enter(level next) {
        level_ = next;
        return true;
    }
    bool enter_skipped() {
        ++skipped_depth_;
        return true;
    }
    bool leave() {
        if (skipped_depth_ > 0) {
            --skipped_depth_;
        } else {
            level_ = level_ == level::permissions_list ? level::permissions
                     : level_ == level::object         ? level::document
                                                       : level::object;
        }
        return true;
    }
    static bool wrong_type(error_code& ec) {
        ec = make_error_code(errc::invalid_json);
        return false;
    }

    std::span<const json_field> fields_;
    const json_field* field_ = nullptr; ///< Whose value comes; null when nobody wants it.
    level level_ = level::document;
    bool permission_known_ = false;
    std::size_t skipped_depth_ = 0;
    std::string text_;
};

} // namespace

result<> read_json_object(bytes_view text, std::span<const json_field> fields) {
    std::string repaired;
    if (text.find("\\ud") != bytes_view::npos || text.find("\\uD") != bytes_view::npos) {
        text = repaired = with_paired_surrogates(text);
    }
    json::parse_options options;
    options.max_depth = limits::json_depth;
    options.allow_invalid_utf8 = true;
    json::basic_parser<object_handler> parser(options, fields);
    error_code ec;
    const auto parsed = parser.write_some(false, text.data(), text.size(), ec);
    if (ec || parsed != text.size()) return errc::invalid_json;
    return {};
}

} // namespace pipit::protocol::detail
