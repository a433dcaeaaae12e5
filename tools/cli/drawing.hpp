// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace pipit::cli {

/// Columns that a terminal needs for a text, colours left out: one for each code point.
[[nodiscard]] std::size_t shown_width(std::string_view text);

struct table {
    struct column {
        std::string title;
        bool is_number = false; ///< Stands at the right.
    };
    std::vector<column> columns;
    std::vector<std::vector<std::string>> rows;
};

/// For people: titles, a line below, columns two blanks apart, no blanks at the end of a line.
[[nodiscard]] std::string aligned(const table& drawn);
/// For programs: a row a line, tabs between, no titles; tabs and line ends in a cell become blanks.
[[nodiscard]] std::string tab_separated(const table& drawn);

struct graph_size {
    std::size_t width = 80; ///< In characters, with the axis.
    std::size_t height = 10;
};
/// Bars of the last values that fit, the newest at the right, each row an eighth finer than a
/// character; the axis has the scale in `count_text`.
[[nodiscard]] std::string bar_graph(const std::vector<double>& values, graph_size size);

/// `[=====>    ] 52%`, of the given width.
[[nodiscard]] std::string progress_bar(double part, std::size_t width);

/// A text with a colour, or as it is.
enum class colour { none, bold, dim, red, green, yellow, blue };
[[nodiscard]] std::string painted(std::string_view text, colour with, bool coloured);

/// Breaks text at blanks so that no line is longer than `width`; lines begin with `indent` blanks.
[[nodiscard]] std::string wrapped(std::string_view text, std::size_t width, std::size_t indent);

} // namespace pipit::cli
