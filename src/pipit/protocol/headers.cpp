// SPDX-License-Identifier: Apache-2.0
#include <pipit/protocol/headers.hpp>

#include <pipit/base/ascii_case.hpp>
#include <pipit/base/trimmed.hpp>
#include <pipit/protocol/detail/numbers.hpp>
#include <pipit/protocol/error.hpp>

#include <algorithm>

namespace pipit::protocol {
namespace {

constexpr bytes_view version = "NATS/1.0";
constexpr bytes_view white_space = " \t";
constexpr std::size_t status_digits = 3;
constexpr std::size_t shown_bytes_max = 80;

/// Cuts the next line, without its end, off `text`; nothing when no line ends there.
std::optional<bytes_view> take_line(bytes_view& text) noexcept {
    const auto newline = text.find('\n');
    if (newline == bytes_view::npos) return std::nullopt;
    auto line = text.substr(0, newline);
    text.remove_prefix(newline + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
}

bool is_valid_name(bytes_view name) noexcept {
    return !name.empty() && std::all_of(name.begin(), name.end(),
                                        [](char c) { return c > ' ' && c <= '~' && c != ':'; });
}

bool is_one_line(bytes_view text) noexcept {
    return text.find_first_of("\r\n") == bytes_view::npos;
}

error wrong_value(bytes_view name) {
    return {make_error_code(errc::invalid_header),
            "the value of '" + std::string(name.substr(0, shown_bytes_max)) + "' has a line end"};
}

} // namespace

result<headers> headers::parse(bytes_view block) {
    headers out;
    const auto first = take_line(block);
    if (!first || !first->starts_with(version)) return errc::invalid_header;
    if (!out.read_status(trimmed(first->substr(version.size()), white_space)))
        return errc::invalid_header;
    while (const auto line = take_line(block)) {
        if (line->empty()) return out;
        const auto colon = line->find(':');
        if (colon == bytes_view::npos) return errc::invalid_header;
        if (colon == 0) continue;
        out.entries_.push_back({std::string(line->substr(0, colon)),
                                std::string(trimmed(line->substr(colon + 1), white_space))});
    }
    return errc::invalid_header;
}

bool headers::read_status(bytes_view text) {
    if (text.empty()) return true;
    const auto number = detail::parse_size(text.substr(0, status_digits));
    if (number < 100) return false; // Fewer than three digits, too.
    status_ = static_cast<int>(number);
    description_ = trimmed(text.substr(status_digits), white_space);
    return true;
}

void headers::append_to(std::string& out) const {
    out += version;
    if (status_ != 0) {
        out += ' ';
        out += std::to_string(status_);
        if (!description_.empty()) (out += ' ') += description_;
    }
    out += "\r\n";
    for (const auto& [name, value] : entries_) {
        out += name;
        out += ": ";
        out += value;
        out += "\r\n";
    }
    out += "\r\n";
}

std::optional<bytes_view> headers::get(bytes_view name) const noexcept {
    for (const auto& item : entries_) {
        if (item.name == name) return item.value;
    }
    return std::nullopt;
}

std::optional<bytes_view> headers::get_ignoring_case(bytes_view name) const noexcept {
    for (const auto& item : entries_) {
        if (equal_without_case(item.name, name)) return item.value;
    }
    return std::nullopt;
}

std::vector<bytes_view> headers::values(bytes_view name) const {
    std::vector<bytes_view> out;
    for (const auto& item : entries_) {
        if (item.name == name) out.emplace_back(item.value);
    }
    return out;
}

result<> headers::set(bytes_view name, bytes_view value) {
    const auto has_name = [&](const entry& item) { return item.name == name; };
    const auto first = std::find_if(entries_.begin(), entries_.end(), has_name);
    if (first == entries_.end()) return append(name, value);
    if (!is_one_line(value)) return wrong_value(name);
    first->value = trimmed(value, white_space);
    entries_.erase(std::remove_if(first + 1, entries_.end(), has_name), entries_.end());
    return {};
}

result<> headers::append(bytes_view name, bytes_view value) {
    if (!is_valid_name(name)) {
        return error(errc::invalid_header, "'" + std::string(name.substr(0, shown_bytes_max)) +
                                               "' is no name of one: it is empty, or has a blank, "
                                               "a colon or what is not printable ASCII");
    }
    if (!is_one_line(value)) return wrong_value(name);
    entries_.push_back({std::string(name), std::string(trimmed(value, white_space))});
    return {};
}

void headers::erase(bytes_view name) {
    std::erase_if(entries_, [&](const entry& item) { return item.name == name; });
}

result<> headers::set_status(int status, bytes_view description) {
    if (status < 100 || status > 999 || !is_one_line(description)) return errc::invalid_header;
    status_ = status;
    description_ = trimmed(description, white_space);
    return {};
}

std::optional<bytes_view> find_header(bytes_view block, bytes_view name) noexcept {
    for (auto end = block.find("\r\n"); end != bytes_view::npos; end = block.find("\r\n")) {
        block.remove_prefix(end + 2);
        if (!block.starts_with(name) || block.size() <= name.size() || block[name.size()] != ':') {
            continue;
        }
        const auto value = block.substr(name.size() + 1);
        return trimmed(value.substr(0, value.find("\r\n")), white_space);
    }
    return std::nullopt;
}

int find_status(bytes_view block) noexcept {
    const auto first = take_line(block);
    if (!first || !first->starts_with(version)) return 0;
    const auto digits =
        trimmed(first->substr(version.size()), white_space).substr(0, status_digits);
    return static_cast<int>(std::max<std::int64_t>(detail::parse_size(digits), 0));
}

} // namespace pipit::protocol
