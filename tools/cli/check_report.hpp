// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/time.hpp>

#include <optional>
#include <string>
#include <vector>

namespace pipit::cli {

enum class check_status { ok, warning, critical, unknown };

/// Something that was measured; values are seconds or plain numbers.
struct check_metric {
    std::string name;
    double value = 0;
    std::string unit;
    double warning = 0;
    double critical = 0;
    std::string help;
};

/// What a check found, for Nagios and everything that reads its form. The words and the JSON are
/// those of the `nats` tool's `server check`.
class check_report {
public:
    check_report(std::string suite, std::string name)
        : suite_(std::move(suite)), name_(std::move(name)) {}

    void ok(std::string text) { oks_.push_back(std::move(text)); }
    void warn(std::string text) { warnings_.push_back(std::move(text)); }
    void critical(std::string text) { criticals_.push_back(std::move(text)); }
    void measured(check_metric metric) { metrics_.push_back(std::move(metric)); }
    /// Measures, and judges by the two limits; 0 is no limit.
    void judge(check_metric metric, const std::string& good, const std::string& bad);

    [[nodiscard]] check_status status() const;
    /// 0, 1, 2 or 3, whatever the format but Prometheus', where a scrape succeeds.
    [[nodiscard]] int exit_code(const std::string& format) const;
    /// `format` is nagios, json, prometheus or text.
    [[nodiscard]] std::string render(const std::string& format,
                                     const std::string& name_space) const;

private:
    [[nodiscard]] std::string nagios() const;
    [[nodiscard]] std::string json() const;
    [[nodiscard]] std::string prometheus(const std::string& name_space) const;
    [[nodiscard]] std::string text() const;

    std::string suite_;
    std::string name_;
    std::vector<std::string> oks_, warnings_, criticals_;
    std::vector<check_metric> metrics_;
};

} // namespace pipit::cli
