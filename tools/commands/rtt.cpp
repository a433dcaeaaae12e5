// SPDX-License-Identifier: Apache-2.0
#include <commands/commands.hpp>

#include <cli/histogram.hpp>
#include <cli/message_text.hpp>
#include <commands/session.hpp>

#include <pipit/net/clock.hpp>
#include <pipit/protocol/server_address.hpp>

#include <boost/json.hpp>

namespace pipit::cli {
namespace {

namespace json = boost::json;

struct rtt_options {
    std::uint64_t iterations = 5;
};

struct server_rtt {
    named_server server;
    wall_time when{};
    histogram trips;
    error failed;

    /// It was ended before.
    [[nodiscard]] bool was_not_asked() const { return !failed.code() && trips.count() == 0; }
};

/// A connection to this server alone.
asio::awaitable<void> measure(session& connected, server_rtt& measured, std::uint64_t iterations) {
    auto options = connected.how.options;
    options.servers = {measured.server.url};
    options.reconnect = false;
    client::connection alone(connected.nats.get_executor(), std::move(options));
    measured.when = net::wall_now();
    const auto made = co_await alone.connect(asio::use_awaitable);
    if (connected.interrupted()) co_return;
    if (!made) {
        measured.failed = made.error();
        co_return;
    }
    for (std::uint64_t i = 0; i < iterations; ++i) {
        const auto trip = co_await alone.rtt(asio::use_awaitable);
        if (connected.interrupted()) co_return;
        if (!trip) {
            measured.failed = trip.error();
            co_return;
        }
        measured.trips.record(*trip);
    }
}

/// The form of the `nats` tool, on one line.
std::string json_line(const std::vector<server_rtt>& servers) {
    json::array all;
    for (const auto& each : servers) {
        if (each.was_not_asked()) continue;
        const auto url = each.server.shown();
        json::object one{{"time", utc_text(each.when)}, {"address", url}};
        if (each.failed.code()) {
            one["error"] = each.server.failure(each.failed);
        } else {
            one["rtt"] = each.trips.mean().count();
            one["smallest"] = each.trips.smallest().count();
            one["largest"] = each.trips.largest().count();
        }
        one["url"] = url;
        all.push_back(json::object{{"url", url}, {"results", json::array{std::move(one)}}});
    }
    return json::serialize(all) + '\n';
}

int show(program& with, const std::vector<server_rtt>& servers) {
    bool failed = false;
    table drawn{.columns = {{"Server"}, {"Mean", true}, {"Smallest", true}, {"Largest", true}},
                .rows = {}};
    for (const auto& each : servers) {
        if (each.was_not_asked()) continue;
        const auto url = each.server.shown();
        if (each.failed.code()) {
            failed = true;
            if (!with.json) (void)with.fail(url + ": " + each.server.failure(each.failed));
            continue;
        }
        const auto& trips = each.trips;
        drawn.rows.push_back({url, time_span_text(trips.mean()), time_span_text(trips.smallest()),
                              time_span_text(trips.largest())});
    }
    if (with.json) {
        with.print(json_line(servers));
    } else if (!drawn.rows.empty()) {
        with.print_table(drawn);
    }
    return failed ? exit_code::failed : exit_code::done;
}

asio::awaitable<int> measure_all(session& connected, const rtt_options& asked,
                                 std::vector<server_rtt>& servers) {
    for (auto& each : named_servers(connected.how.options.servers.front())) {
        if (each.url.find("://") == std::string::npos) each.url = "nats://" + each.url;
        servers.push_back({.server = std::move(each), .when = {}, .trips = {}, .failed = {}});
    }
    for (auto& each : servers) co_await measure(connected, each, asked.iterations);
    co_return exit_code::done;
}

/// Also of what was ended before it was done.
int summarize(session& connected, const std::vector<server_rtt>& servers, int code) {
    if (servers.empty()) return code;
    const auto shown = show(connected.with, servers);
    return code == exit_code::done ? shown : code;
}

} // namespace

command rtt_command(program& with) {
    const auto asked = std::make_shared<rtt_options>();
    command rtt{.name = "rtt", .summary = "Measure how long a round trip to each server takes"};
    rtt.description =
        "Connects to each server that is named, and sends pings. Ends with 1 when one of "
        "them did not answer.";
    rtt.arguments = {{.names = "iterations",
                      .help = "how many round trips; 5 when it is not said",
                      .set = into(asked->iterations)}};
    rtt.examples = {{"pipit rtt", "To the usual server"},
                    {"pipit rtt 100 -s nats://a:4222,nats://b:4222", "To two, a hundred times"}};
    rtt.run = [&with, asked] {
        if (asked->iterations == 0) return with.fail_usage("<iterations> is at least 1");
        std::vector<server_rtt> servers;
        return run_connected(
            with,
            {.work = [&](session& connected) { return measure_all(connected, *asked, servers); },
             .summarize = [&](session& connected,
                              int code) { return summarize(connected, servers, code); }});
    };
    return rtt;
}

} // namespace pipit::cli
