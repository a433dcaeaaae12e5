// SPDX-License-Identifier: Apache-2.0
#include <cli/bench_report.hpp>

#include <cli/measured.hpp>
#include <cli/units.hpp>

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace pipit::cli {
namespace {

double seconds_of(const client_figures& figures) {
    return std::chrono::duration<double>(figures.ended - figures.began).count();
}

/// One message takes no time, and has no rate.
double per_second(std::uint64_t count, const client_figures& figures) {
    const auto seconds = figures.messages == 0 ? 0 : seconds_of(figures);
    return seconds > 0 ? static_cast<double>(count) / seconds : 0;
}

std::string rate_text(double rate) { return count_text(static_cast<std::uint64_t>(rate + 0.5)); }

std::string csv_row(const bench_figures& figures, const std::string& client,
                    const client_figures& each) {
    return fmt::format("{},{},{},{},{},{:.9f},{:.1f}\n", figures.kind, client, each.messages,
                       each.bytes, figures.size, each.messages == 0 ? 0 : seconds_of(each),
                       each.messages_per_second());
}

} // namespace

double client_figures::messages_per_second() const { return per_second(messages, *this); }

client_figures bench_figures::all() const {
    client_figures sum;
    for (const auto& each : clients) {
        if (each.messages == 0) continue;
        sum.began = sum.messages == 0 ? each.began : std::min(sum.began, each.began);
        sum.ended = std::max(sum.ended, each.ended);
        sum.messages += each.messages;
        sum.bytes += each.bytes;
    }
    return sum;
}

std::string bench_text(const bench_figures& figures, bool for_people) {
    const auto sum = figures.all();
    const auto bytes_per_second = per_second(sum.bytes, sum);
    auto text = fmt::format("{}: {} messages per second, {} per second\n", figures.kind,
                            rate_text(sum.messages_per_second()), size_text(bytes_per_second));
    text += fmt::format("  {} messages, {}, in {}{}\n", count_text(sum.messages),
                        size_text(static_cast<double>(sum.bytes)),
                        time_span_text(sum.messages == 0 ? nanoseconds() : sum.ended - sum.began),
                        figures.complete ? "" : ", ended before it was done");
    if (figures.clients.size() > 1) {
        std::vector<double> rates;
        for (const auto& each : figures.clients) rates.push_back(each.messages_per_second());
        const auto [smallest, largest] = std::minmax_element(rates.begin(), rates.end());
        text += fmt::format("  {} clients: from {} to {} messages per second each\n", rates.size(),
                            rate_text(*smallest), rate_text(*largest));
    }
    if (figures.latency.count() == 0) return text;
    const auto percentiles = percentiles_table(figures.latency);
    return text + '\n' + (for_people ? aligned(percentiles) : tab_separated(percentiles));
}

std::string bench_line(const bench_figures& figures) {
    const auto sum = figures.all();
    const auto subject =
        boost::json::serialize(boost::json::value(boost::json::string(figures.subject)));
    auto line = fmt::format(R"({{"bench":"{}","subject":{},"clients":{},"messages":{},"bytes":{},)"
                            R"("size":{},"seconds":{},"messages_per_second":{:.1f},"complete":{})",
                            figures.kind, subject, figures.clients.size(), sum.messages, sum.bytes,
                            figures.size, seconds_text(sum.ended - sum.began),
                            sum.messages_per_second(), figures.complete);
    line += ",\"client_messages_per_second\":[";
    for (const auto& each : figures.clients) {
        line += fmt::format("{}{:.1f}", &each == figures.clients.data() ? "" : ",",
                            each.messages_per_second());
    }
    line += "]";
    if (figures.latency.count() > 0) {
        line += ",\"latency_seconds\":" + percentiles_object(figures.latency);
    }
    return line + "}\n";
}

std::string bench_csv(const bench_figures& figures) {
    std::string text = "bench,client,messages,bytes,size,seconds,messages_per_second\n";
    for (std::size_t i = 0; i < figures.clients.size(); ++i) {
        text += csv_row(figures, std::to_string(i + 1), figures.clients[i]);
    }
    return text + csv_row(figures, "all", figures.all());
}

} // namespace pipit::cli
