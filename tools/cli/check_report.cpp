// SPDX-License-Identifier: Apache-2.0
#include <cli/check_report.hpp>

#include <cli/drawing.hpp>

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace pipit::cli {
namespace {

namespace json = boost::json;

std::string status_name(check_status status) {
    switch (status) {
    case check_status::ok: return "OK";
    case check_status::warning: return "WARNING";
    case check_status::critical: return "CRITICAL";
    case check_status::unknown: break;
    }
    return "UNKNOWN";
}

/// Times have four digits behind the point, counts none.
std::string number_text(double value, const std::string& unit) {
    return unit == "s" ? fmt::format("{:.4f}", value) : fmt::format("{:g}", value);
}

/// JSON's numbers as people write them: 0.5, not 5E-1.
std::string indented_number(double value) { return fmt::format("{}", value); }

std::string quoted(const std::string& text) {
    return json::serialize(json::value(json::string(text)));
}

std::string list_member(const std::string& key, const std::vector<std::string>& texts) {
    if (texts.empty()) return {};
    std::string text = "  \"" + key + "\": [\n";
    for (std::size_t i = 0; i < texts.size(); ++i) {
        text += "    " + quoted(texts[i]) + (i + 1 < texts.size() ? ",\n" : "\n");
    }
    return text + "  ],\n";
}

} // namespace

void check_report::judge(check_metric metric, const std::string& good, const std::string& bad) {
    if (metric.critical > 0 && metric.value >= metric.critical) {
        critical(bad);
    } else if (metric.warning > 0 && metric.value >= metric.warning) {
        warn(bad);
    } else {
        ok(good);
    }
    measured(std::move(metric));
}

check_status check_report::status() const {
    if (!criticals_.empty()) return check_status::critical;
    if (!warnings_.empty()) return check_status::warning;
    return oks_.empty() ? check_status::unknown : check_status::ok;
}

int check_report::exit_code(const std::string& format) const {
    return format == "prometheus" ? 0 : static_cast<int>(status());
}

std::string check_report::render(const std::string& format, const std::string& name_space) const {
    if (format == "json") return json();
    if (format == "prometheus") return prometheus(name_space);
    return format == "text" ? text() : nagios();
}

std::string check_report::nagios() const {
    auto line = status_name(status()) + " " + name_;
    for (const auto& each : criticals_) line += " Crit:" + each;
    for (const auto& each : warnings_) line += " Warn:" + each;
    for (const auto& each : oks_) line += " OK:" + each;
    if (!metrics_.empty()) line += " |";
    for (const auto& each : metrics_) {
        line += " " + each.name + "=" + number_text(each.value, each.unit) + each.unit;
        if (each.warning <= 0 && each.critical <= 0) continue;
        line += ";" + number_text(each.warning, each.unit) + ";" +
                number_text(each.critical, each.unit);
    }
    return line + "\n";
}

std::string check_report::json() const {
    std::string text = "{\n  \"status\": " + quoted(status_name(status())) +
                       ",\n  \"check_suite\": " + quoted(suite_) +
                       ",\n  \"check_name\": " + quoted(name_) + ",\n";
    text += list_member("warning", warnings_) + list_member("critical", criticals_) +
            list_member("ok", oks_) + "  \"perf_data\": [";
    for (const auto& each : metrics_) {
        text += (&each == metrics_.data() ? "\n    {" : ",\n    {");
        text += "\n      \"name\": " + quoted(each.name) +
                ",\n      \"value\": " + indented_number(each.value);
        if (each.warning > 0) text += ",\n      \"warning\": " + indented_number(each.warning);
        if (each.critical > 0) text += ",\n      \"critical\": " + indented_number(each.critical);
        if (!each.unit.empty()) text += ",\n      \"unit\": " + quoted(each.unit);
        text += "\n    }";
    }
    return text + (metrics_.empty() ? "]\n}\n" : "\n  ]\n}\n");
}

std::string check_report::prometheus(const std::string& name_space) const {
    const auto prefix = name_space + "_" + suite_ + "_";
    auto sorted = metrics_;
    std::sort(sorted.begin(), sorted.end(),
              [](const auto& a, const auto& b) { return a.name < b.name; });
    std::string text;
    for (const auto& each : sorted) {
        text += fmt::format("# HELP {0}{1} {2}\n# TYPE {0}{1} gauge\n{0}{1}{{item=\"{3}\"}} {4}\n",
                            prefix, each.name, each.help, name_, each.value);
    }
    return text + fmt::format("# HELP {0}status_code Nagios compatible status code for {1}\n"
                              "# TYPE {0}status_code gauge\n"
                              "{0}status_code{{item=\"{2}\",status=\"{3}\"}} {4}\n",
                              prefix, suite_, name_, status_name(status()),
                              static_cast<int>(status()));
}

std::string check_report::text() const {
    table findings{.columns = {{"Status"}, {"Message"}}, .rows = {}};
    for (const auto& each : criticals_) findings.rows.push_back({"Critical", each});
    for (const auto& each : warnings_) findings.rows.push_back({"Warning", each});
    for (const auto& each : oks_) findings.rows.push_back({"OK", each});
    auto text = name_ + ": " + status_name(status()) + "\n\n" + aligned(findings);
    if (metrics_.empty()) return text;
    table values{.columns = {{"Metric"},
                             {"Value", true},
                             {"Unit"},
                             {"Warning", true},
                             {"Critical", true},
                             {"Description"}},
                 .rows = {}};
    for (const auto& each : metrics_) {
        values.rows.push_back({each.name, number_text(each.value, each.unit), each.unit,
                               number_text(each.warning, each.unit),
                               number_text(each.critical, each.unit), each.help});
    }
    return text + "\n" + aligned(values);
}

} // namespace pipit::cli
