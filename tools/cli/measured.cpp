// SPDX-License-Identifier: Apache-2.0
#include <cli/measured.hpp>

#include <cli/units.hpp>

#include <algorithm>

namespace pipit::cli {

std::string percentiles_object(const histogram& of) {
    auto text = "{\"count\":" + std::to_string(of.count()) +
                ",\"min\":" + seconds_text(of.smallest()) + ",\"mean\":" + seconds_text(of.mean());
    for (const auto& [name, percent] : shown_percentiles) {
        text += ",\"" + std::string(name) + "\":" + seconds_text(of.percentile(percent));
    }
    return text + ",\"max\":" + seconds_text(of.largest()) + "}";
}

table percentiles_table(const histogram& of) {
    table drawn{.columns = {{"Latency"}, {"Time", true}}, .rows = {}};
    drawn.rows.push_back({"min", time_span_text(of.smallest())});
    drawn.rows.push_back({"mean", time_span_text(of.mean())});
    for (const auto& [name, percent] : shown_percentiles) {
        std::string title(name);
        std::replace(title.begin(), title.end(), '_', '.');
        drawn.rows.push_back({title, time_span_text(of.percentile(percent))});
    }
    drawn.rows.push_back({"max", time_span_text(of.largest())});
    return drawn;
}

} // namespace pipit::cli
