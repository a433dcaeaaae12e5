// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/detail/monitoring_text.hpp>

#include <chrono>

namespace pipit::server {

std::string uptime_text(nanoseconds duration) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(duration).count();
    const auto minutes = seconds / 60;
    const auto hours = minutes / 60;
    const auto days = hours / 24;
    const auto years = days / 365;
    std::string text;
    if (years > 0) text += std::to_string(years) + 'y';
    if (days > 0) text += std::to_string(days % 365) + 'd';
    if (hours > 0) text += std::to_string(hours % 24) + 'h';
    if (minutes > 0) text += std::to_string(minutes % 60) + 'm';
    return text + std::to_string(seconds % 60) + 's';
}

} // namespace pipit::server
