// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/config_language.hpp>

#include <pipit/protocol/go_text.hpp>
#include <pipit/server/detail/config_scalar.hpp>
#include <pipit/server/error.hpp>

#include <algorithm>
#include <filesystem>
#include <unordered_map>

namespace pipit::server {
namespace {

using detail::config_cursor;
using detail::config_scalar;
using detail::is_blank;
using detail::is_key_separator;
using detail::is_line_end;

/// What all files of one configuration share.
struct parse_state {
    const config_source& source;
    std::size_t read_bytes = 0;
    std::size_t tree_bytes = 0;
    std::vector<std::string> open_files{};
    std::vector<std::string> open_variables{};
};

/// A map that is being read, and where in it each key is.
struct open_map {
    config_map entries{};
    std::unordered_map<std::string, std::size_t> index{};
};

/// How much a value is: what a copy of it costs, and how many levels it has.
struct extent {
    std::size_t bytes = 0;
    std::size_t levels = 0;
};

extent extent_of(const config_value& value) {
    extent all{sizeof(config_entry) + 2 * value.written().size(), 0};
    const auto add = [&](const config_value& inner, std::size_t key_bytes) {
        const auto one = extent_of(inner);
        all.bytes += one.bytes + key_bytes;
        all.levels = std::max(all.levels, one.levels + 1);
    };
    if (const auto* array = value.as<config_array>()) {
        for (const auto& element : *array) add(element, 0);
    } else if (const auto* map = value.as<config_map>()) {
        for (const auto& entry : *map) add(entry.value, entry.key.size());
    }
    return all;
}

/// Reads one text, which may be a file, an included file or an environment variable's value.
/// A function that returns false has said why in `error_`.
class config_reader {
public:
    config_reader(std::string_view text, const std::string& file, parse_state& state,
                  std::size_t level)
        : cursor_(text),
          text_(text),
          state_(state),
          level_(level),
          file_(std::make_shared<const std::string>(file)) {}

    result<config_map> read() {
        if (!count_read_bytes() || !refuse_zero_bytes() || !read_document()) return *error_;
        return std::move(maps_.front().entries);
    }

private:
    struct key_text {
        std::string text;
        config_place place;
        bool bare_and_spaced = false; ///< Only such a key can be the word `include`.
    };

    // What all readers do.

    config_place here() const { return {file_, cursor_.line(), cursor_.column()}; }

    bool fail_at(const config_place& place, const std::string& sentence) {
        error_.emplace(errc::invalid_configuration, place.to_text() + ": " + sentence);
        return false;
    }
    bool fail(const std::string& sentence) {
        return fail_at(here(), "Parse error on line " + std::to_string(cursor_.line()) + ": '" +
                                   sentence + "'");
    }

    bool count_read_bytes() {
        state_.read_bytes += text_.size();
        if (state_.read_bytes <= state_.source.limits.read_bytes_max) return true;
        return fail("The configuration is larger than " +
                    std::to_string(state_.source.limits.read_bytes_max) + " bytes");
    }
    bool refuse_zero_bytes() {
        const auto found = text_.find('\0');
        if (found == std::string_view::npos) return true;
        cursor_.skip(found);
        return fail("A zero byte");
    }
    bool count_tree_bytes(std::size_t bytes) {
        state_.tree_bytes += bytes;
        if (state_.tree_bytes <= state_.source.limits.tree_bytes_max) return true;
        return fail("The configuration holds more than " +
                    std::to_string(state_.source.limits.tree_bytes_max) + " bytes");
    }
    bool enter(std::size_t levels) {
        if (level_ + levels <= state_.source.limits.nesting_max) return true;
        return fail("Maps and arrays are nested more than " +
                    std::to_string(state_.source.limits.nesting_max) + " deep");
    }

    void skip_blanks() {
        while (is_blank(cursor_.peek())) cursor_.next();
    }
    void skip_spaces() {
        while (const auto length = cursor_.space_length()) cursor_.skip(length);
    }
    /// Takes a comment up to the end of its line.
    bool take_comment() {
        const char c = cursor_.peek();
        if (c != '#' && !(c == '/' && cursor_.peek(1) == '/')) return false;
        while (!cursor_.at_end() && !is_line_end(cursor_.peek())) cursor_.next();
        return true;
    }
    void skip_spaces_and_comments() {
        do {
            skip_spaces();
        } while (take_comment());
    }
    void skip_blanks_and_comments() {
        do {
            skip_blanks();
        } while (take_comment());
    }
    bool take_line_end() { return is_line_end(cursor_.peek()) && cursor_.next() != '\0'; }

    // Documents and maps.

    /// Key and value pairs, which JSON puts into braces.
    bool read_document() {
        maps_.emplace_back();
        std::size_t open_braces = 0;
        for (;;) {
            skip_spaces_and_comments();
            if (cursor_.at_end()) {
                return open_braces == 0 || fail("A '{' is never closed");
            }
            if (cursor_.take('{')) {
                ++open_braces;
            } else if (cursor_.peek() == '}' && (open_braces > 0 || closes_nothing_at_end())) {
                cursor_.next();
                open_braces -= open_braces > 0 ? 1 : 0;
                take_pair_end();
            } else if (!read_pair(false) || !read_pair_end(open_braces > 0)) {
                return false;
            }
        }
    }
    /// nats-server lets a file end with a brace too many.
    bool closes_nothing_at_end() const {
        return text_.find_first_not_of(" \t\r\n", cursor_.offset() + 1) == std::string_view::npos;
    }
    bool take_pair_end() {
        skip_blanks();
        return cursor_.take(',') || cursor_.take(';') || take_line_end();
    }
    bool read_pair_end(bool in_braces) {
        skip_blanks_and_comments();
        if (cursor_.at_end() || take_pair_end()) return true;
        if (cursor_.peek() == '}') {
            if (!in_braces) cursor_.next();
            return true;
        }
        return fail("Expected the end of the line after a value, but got '" + next_text() + "'");
    }

    /// The pairs of a map; its '{' has been taken.
    bool read_map(config_value::data_type& data) {
        if (!enter(1)) return false;
        ++level_;
        maps_.emplace_back();
        if (!read_map_pairs()) return false;
        data = std::move(maps_.back().entries);
        maps_.pop_back();
        --level_;
        return true;
    }
    bool read_map_pairs() {
        for (;;) {
            skip_spaces_and_comments();
            if (cursor_.at_end()) return fail("A map has no '}'");
            if (cursor_.take('}')) return true;
            if (cursor_.peek() == ']') return fail("Unexpected ']' in a map");
            if (!read_pair(true)) return false;
            skip_blanks_and_comments();
            if (take_pair_end() || cursor_.peek() == '}') continue;
            return fail("Expected ',' or '}' after a value in a map, but got '" + next_text() +
                        "'");
        }
    }
    std::string next_text() const {
        return cursor_.at_end() ? "the end of the text" : std::string(1, cursor_.peek());
    }

    /// One `key value`, or an include.
    bool read_pair(bool in_map) {
        key_text key;
        if (!read_key(key)) return false;
        if (key.bare_and_spaced && is_include(key.text)) return read_include(key.place);
        skip_spaces();
        const bool separated = is_key_separator(cursor_.peek()) && cursor_.next() != '\0';
        if (in_map) skip_spaces();
        if (cursor_.at_end() && !separated) {
            return fail_at(key.place,
                           "config is invalid: " + protocol::quoted(key.text) + " has no value");
        }
        if (in_map && (cursor_.peek() == '}' || cursor_.peek() == ',')) {
            return fail(protocol::quoted(key.text) + " has no value");
        }
        config_value value;
        if (!read_value(value)) return false;
        return add({std::move(key.text), std::move(key.place), std::move(value)});
    }

    bool read_key(key_text& key) {
        const char c = cursor_.peek();
        if (is_key_separator(c) || c == '/') return fail("Unexpected '" + next_text() + "'");
        if (c == '"' || c == '\'') return read_quoted_key(key);
        key.place = here();
        const auto start = cursor_.offset();
        while (!cursor_.at_end() && cursor_.space_length() == 0 &&
               !is_key_separator(cursor_.peek())) {
            cursor_.next();
        }
        key.text = cursor_.since(start);
        key.bare_and_spaced = cursor_.space_length() > 0;
        return true;
    }
    bool read_quoted_key(key_text& key) {
        const char quote = cursor_.next();
        key.place = here();
        const auto start = cursor_.offset();
        while (!cursor_.at_end() && cursor_.peek() != quote) cursor_.next();
        key.text = cursor_.since(start);
        return cursor_.take(quote) || fail("A key in quotes has no end");
    }

    /// Sets the key in the innermost map; the last one of equal keys wins.
    bool add(config_entry entry) {
        if (!count_tree_bytes(sizeof(config_entry) + entry.key.size())) return false;
        auto& map = maps_.back();
        const auto [found, is_new] = map.index.try_emplace(entry.key, map.entries.size());
        if (is_new) {
            map.entries.push_back(std::move(entry));
        } else {
            entry.used_as_variable |= map.entries[found->second].used_as_variable;
            map.entries[found->second] = std::move(entry);
        }
        return true;
    }

    // Values.

    bool read_value(config_value& value) {
        skip_blanks();
        const auto place = here();
        config_value::data_type data;
        if (cursor_.take('[')) {
            if (!read_array(data)) return false;
            value = {std::move(data), {}, place};
            return true;
        }
        if (cursor_.take('{')) {
            if (!read_map(data)) return false;
            value = {std::move(data), {}, place};
            return true;
        }
        auto scalar = detail::read_config_scalar(cursor_);
        if (!scalar) return fail(std::string(scalar.error().detail()));
        if (scalar->is_variable) return read_variable(scalar->written, place, value);
        if (!count_tree_bytes(sizeof(config_entry) + 2 * scalar->written.size())) return false;
        value = {std::move(scalar->data), std::move(scalar->written), place};
        return true;
    }

    bool read_array(config_value::data_type& data) {
        if (!enter(1)) return false;
        ++level_;
        config_array array;
        for (;;) {
            skip_spaces_and_comments();
            if (cursor_.take(']')) break;
            if (cursor_.at_end()) return fail("An array has no ']'");
            if (cursor_.peek() == ',' || cursor_.peek() == '/') {
                return fail("Expected a value in an array, but got '" + next_text() + "'");
            }
            if (!read_value(array.emplace_back())) return false;
            skip_blanks_and_comments();
            if (cursor_.take(',') || take_line_end() || cursor_.peek() == ']') continue;
            return fail("Expected ',' or ']' after a value in an array, but got '" + next_text() +
                        "'");
        }
        --level_;
        data = std::move(array);
        return true;
    }

    // Variables: a key that an enclosing map already has, or one of the environment.

    bool read_variable(const std::string& name, const config_place& place, config_value& value) {
        // A bcrypt hash needs no quotes.
        if (name.starts_with("2a$")) {
            value = {"$" + name, "$" + name, place};
            return count_tree_bytes(sizeof(config_entry) + 2 * name.size());
        }
        for (auto map = maps_.rbegin(); map != maps_.rend(); ++map) {
            const auto found = map->index.find(name);
            if (found == map->index.end()) continue;
            auto& entry = map->entries[found->second];
            entry.used_as_variable = true;
            return copy_value(entry.value, place, value);
        }
        return read_environment(name, place, value);
    }
    bool copy_value(const config_value& original, const config_place& place, config_value& value) {
        const auto size = extent_of(original);
        if (!enter(size.levels) || !count_tree_bytes(size.bytes)) return false;
        value = {original.data(), original.written(), place};
        return true;
    }

    bool read_environment(const std::string& name, const config_place& place, config_value& value) {
        const auto reference =
            "variable reference for '" + name + "' on line " + std::to_string(place.line);
        auto& open = state_.open_variables;
        if (std::find(open.begin(), open.end(), name) != open.end()) {
            return fail_at(place, reference + " could not be parsed: it refers to itself");
        }
        const auto text =
            state_.source.environment ? state_.source.environment(name) : std::nullopt;
        if (!text) return fail_at(place, reference + " can not be found");
        if (open.size() >= state_.source.limits.include_depth_max) {
            return fail_at(place, reference + " could not be parsed: too many variables that "
                                              "refer to each other");
        }
        // The environment has text only, which is read as the value of some key.
        open.push_back(name);
        const auto assignment = "value=" + *text;
        auto parsed = config_reader(assignment, "$" + name, state_, level_).read();
        open.pop_back();
        if (!parsed) {
            return fail_at(
                place, reference + " could not be parsed: " + std::string(parsed.error().detail()));
        }
        return copy_value(parsed->front().value, place, value);
    }

    // Includes.

    static bool is_include(std::string_view key) {
        constexpr std::string_view word = "include";
        return std::equal(key.begin(), key.end(), word.begin(), word.end(),
                          [](char a, char b) { return (a | 0x20) == b; });
    }

    bool read_include(const config_place& place) {
        skip_blanks();
        const char c = cursor_.peek();
        if (std::string_view("[{(-\\0123456789\n\r").find(c) != std::string_view::npos ||
            cursor_.at_end()) {
            return fail("Expected the name of a file after include");
        }
        const auto name = read_include_name(c);
        if (!name) return fail("The name of an included file has no end");
        return include(*name, place);
    }
    std::optional<std::string> read_include_name(char quote) {
        const bool is_quoted = quote == '"' || quote == '\'';
        if (is_quoted) cursor_.next();
        const auto start = cursor_.offset();
        const auto ends = [&](char c) {
            if (is_quoted) return c == quote;
            return is_line_end(c) || is_blank(c) || c == ';' || c == '}' || c == '\'';
        };
        while (!cursor_.at_end() && !ends(cursor_.peek())) cursor_.next();
        std::string name(cursor_.since(start));
        if (is_quoted && !cursor_.take(quote)) return std::nullopt;
        if (!is_quoted) cursor_.take('\'');
        return name;
    }

    /// Adds another file's keys to the innermost map, as if they stood here.
    bool include(const std::string& name, const config_place& place) {
        const auto complaint = "error parsing include file '" + name + "', ";
        // Relative to the file that includes, even when it begins with a slash.
        const auto folder = std::filesystem::path(*file_).parent_path();
        const auto path =
            std::filesystem::path(folder.string() + (folder.empty() ? "./" : "/") + name)
                .lexically_normal()
                .string();
        const auto& open = state_.open_files;
        if (std::find(open.begin(), open.end(), path) != open.end()) {
            return fail_at(place, complaint + "it includes itself");
        }
        if (open.size() >= state_.source.limits.include_depth_max || !state_.source.read_file) {
            return fail_at(place, complaint + "files include each other too deeply here");
        }
        const auto text = state_.source.read_file(path);
        if (!text) return fail_at(place, complaint + std::string(text.error().detail()));
        return read_included(*text, path, place, complaint);
    }
    bool read_included(const std::string& text, const std::string& path, const config_place& place,
                       const std::string& complaint) {
        state_.open_files.push_back(path);
        auto entries = config_reader(text, path, state_, level_).read();
        state_.open_files.pop_back();
        if (!entries) return fail_at(place, complaint + std::string(entries.error().detail()));
        return std::all_of(entries->begin(), entries->end(),
                           [&](config_entry& entry) { return add(std::move(entry)); });
    }

    config_cursor cursor_;
    std::string_view text_;
    parse_state& state_;
    std::size_t level_;
    std::shared_ptr<const std::string> file_;
    std::vector<open_map> maps_;
    std::optional<error> error_;
};

} // namespace

result<config_map> parse_config(std::string_view text, const std::string& file,
                                const config_source& source) {
    parse_state state{source};
    state.open_files.push_back(std::filesystem::path(file).lexically_normal().string());
    return config_reader(text, file, state, 0).read();
}

result<config_map> parse_config_file(const std::string& file, const config_source& source) {
    const auto text = source.read_file(file);
    if (!text) return text.error();
    return parse_config(*text, file, source);
}

} // namespace pipit::server
