// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/process_usage.hpp>

#include <charconv>
#include <cmath>
#include <fstream>
#include <iterator>
#include <string>

#include <unistd.h>

namespace pipit::server {
namespace {

/// The field with this number, counted from 0 behind the command's closing parenthesis.
std::uint64_t field(std::string_view fields, int index) {
    for (; index > 0; --index) {
        const auto space = fields.find(' ');
        if (space == std::string_view::npos) return 0;
        fields.remove_prefix(space + 1);
    }
    std::uint64_t value = 0;
    std::from_chars(fields.data(), fields.data() + fields.size(), value);
    return value;
}

} // namespace

process_usage read_process_usage() {
    std::ifstream file("/proc/self/stat");
    const std::string stat(std::istreambuf_iterator<char>(file), {});
    return parse_process_stat(stat);
}

process_usage parse_process_stat(std::string_view stat) {
    // The command may hold spaces and parentheses itself. Behind it come the fields 3 (state),
    // …, 14 (utime), 15 (stime), …, 24 (rss) of proc(5).
    const auto command_end = stat.rfind(") ");
    if (command_end == std::string_view::npos) return {};
    const auto fields = stat.substr(command_end + 2);
    const auto ticks_per_second = static_cast<std::uint64_t>(sysconf(_SC_CLK_TCK));
    const auto ticks = field(fields, 11) + field(fields, 12);
    const auto milliseconds = std::chrono::milliseconds(ticks * 1000 / ticks_per_second);
    const auto page_bytes = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
    return {.memory_bytes = field(fields, 21) * page_bytes, .cpu_time = milliseconds};
}

double cpu_meter::percent(nanoseconds cpu_time, steady_time now) noexcept {
    if (!last_time_) {
        last_time_ = now;
        last_cpu_time_ = cpu_time;
        return percent_;
    }
    const auto elapsed = now - *last_time_;
    if (elapsed < std::chrono::seconds(1)) return percent_;
    const auto used = static_cast<double>((cpu_time - last_cpu_time_).count());
    // One decimal, as ps shows it.
    percent_ = std::round(1000.0 * used / static_cast<double>(elapsed.count())) / 10.0;
    last_time_ = now;
    last_cpu_time_ = cpu_time;
    return percent_;
}

} // namespace pipit::server
