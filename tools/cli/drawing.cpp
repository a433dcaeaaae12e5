// SPDX-License-Identifier: Apache-2.0
#include <cli/drawing.hpp>

#include <cli/units.hpp>

#include <algorithm>
#include <array>
#include <cmath>

namespace pipit::cli {
namespace {

std::string one_line(std::string text) {
    std::replace_if(
        text.begin(), text.end(), [](char c) { return c == '\t' || c == '\n' || c == '\r'; }, ' ');
    return text;
}

void trim_end(std::string& text) {
    while (!text.empty() && text.back() == ' ') text.pop_back();
}

std::string padded(const std::string& text, std::size_t width, bool at_the_right) {
    const auto shown = shown_width(text);
    const std::string blanks(width > shown ? width - shown : 0, ' ');
    return at_the_right ? blanks + text : text + blanks;
}

/// The smallest of 1, 2 and 5 times a power of ten that is not below.
double round_scale(double highest) {
    if (highest <= 1) return 1;
    const auto power = std::pow(10.0, std::floor(std::log10(highest)));
    for (const double step : {1.0, 2.0, 5.0}) {
        if (step * power >= highest) return step * power;
    }
    return 10 * power;
}

} // namespace

std::size_t shown_width(std::string_view text) {
    std::size_t width = 0;
    bool in_colour = false;
    for (const auto c : text) {
        if (c == '\x1b') in_colour = true;
        if (!in_colour && (static_cast<unsigned char>(c) & 0xc0) != 0x80) ++width;
        if (c == 'm') in_colour = false;
    }
    return width;
}

std::string aligned(const table& drawn) {
    std::vector<std::size_t> widths;
    for (const auto& column : drawn.columns) widths.push_back(shown_width(column.title));
    for (const auto& row : drawn.rows) {
        for (std::size_t i = 0; i < row.size(); ++i) {
            widths[i] = std::max(widths[i], shown_width(row[i]));
        }
    }
    std::string titles, rules, text;
    for (std::size_t i = 0; i < widths.size(); ++i) {
        const auto* const gap = i == 0 ? "" : "  ";
        titles += gap + padded(drawn.columns[i].title, widths[i], drawn.columns[i].is_number);
        rules += gap;
        for (std::size_t j = 0; j < widths[i]; ++j) rules += "─";
    }
    trim_end(titles);
    text = titles + '\n' + rules + '\n';
    for (const auto& row : drawn.rows) {
        std::string line;
        for (std::size_t i = 0; i < row.size(); ++i) {
            line += (i == 0 ? "" : "  ") +
                    padded(one_line(row[i]), widths[i], drawn.columns[i].is_number);
        }
        trim_end(line);
        text += line + '\n';
    }
    return text;
}

std::string tab_separated(const table& drawn) {
    std::string text;
    for (const auto& row : drawn.rows) {
        for (std::size_t i = 0; i < row.size(); ++i)
            text += (i == 0 ? "" : "\t") + one_line(row[i]);
        text += '\n';
    }
    return text;
}

std::string bar_graph(const std::vector<double>& values, graph_size size) {
    constexpr std::array eighths = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    const auto height = std::max<std::size_t>(size.height, 2);
    const auto highest = values.empty() ? 0 : *std::max_element(values.begin(), values.end());
    const auto scale = round_scale(highest);
    const auto top = count_text(static_cast<std::uint64_t>(std::llround(scale)));
    const auto axis = top.size() + 2;
    const auto room = size.width > axis + 1 ? size.width - axis : 1;
    const auto first = values.size() > room ? values.size() - room : 0;
    std::string text;
    for (std::size_t row = 0; row < height; ++row) {
        const auto below = static_cast<double>(height - 1 - row);
        std::string line = row == 0 ? top : row + 1 == height ? "0" : "";
        line = padded(line, top.size(), true) + " ┤";
        for (std::size_t i = first; i < values.size(); ++i) {
            const auto filled = values[i] / scale * static_cast<double>(height) - below;
            auto step = std::clamp<long>(std::lround(filled * 8), 0, 8);
            if (step == 0 && row + 1 == height && values[i] > 0) step = 1; // Little is not nothing.
            line += eighths.at(static_cast<std::size_t>(step));
        }
        trim_end(line);
        text += line + '\n';
    }
    return text;
}

std::string progress_bar(double part, std::size_t width) {
    part = std::clamp(part, 0.0, 1.0);
    const auto percent = std::to_string(static_cast<int>(std::floor(part * 100)));
    const auto room = width > 8 ? width - 7 : 1;
    const auto done = static_cast<std::size_t>(std::floor(part * static_cast<double>(room)));
    std::string bar(done, '=');
    if (done < room) bar += '>';
    bar.resize(room, ' ');
    return "[" + bar + "] " + std::string(3 - percent.size(), ' ') + percent + "%";
}

std::string painted(std::string_view text, colour with, bool coloured) {
    constexpr std::array codes = {"", "1", "2", "31", "32", "33", "34"};
    if (!coloured || with == colour::none || text.empty()) return std::string(text);
    return "\x1b[" + std::string(codes.at(static_cast<std::size_t>(with))) + "m" +
           std::string(text) + "\x1b[0m";
}

std::string wrapped(std::string_view text, std::size_t width, std::size_t indent) {
    const std::string margin(indent, ' ');
    std::string result, line;
    const auto end_line = [&] {
        result += (line.empty() ? "" : margin) + line + '\n';
        line.clear();
    };
    while (!text.empty()) {
        const auto word = text.substr(0, text.find(' '));
        const bool fits = indent + shown_width(line) + 1 + shown_width(word) <= width;
        if (!line.empty() && !fits) end_line();
        if (!word.empty()) line += (line.empty() ? "" : " ") + std::string(word);
        text.remove_prefix(std::min(word.size() + 1, text.size()));
    }
    if (!line.empty()) end_line();
    return result;
}

} // namespace pipit::cli
