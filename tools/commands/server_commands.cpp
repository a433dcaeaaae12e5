// SPDX-License-Identifier: Apache-2.0
#include <commands/server_commands.hpp>

#include <commands/commands.hpp>
#include <commands/session.hpp>

#include <pipit/net/clock.hpp>
#include <pipit/protocol/info.hpp>
#include <pipit/protocol/server_address.hpp>

#include <boost/json.hpp>

namespace pipit::cli {
namespace {

namespace json = boost::json;

std::string yes_or_no(bool value) { return value ? "yes" : "no"; }

table info_table(const protocol::server_info& info, const std::string& url, nanoseconds rtt) {
    table drawn{.columns = {{"What"}, {"Value"}}, .rows = {}};
    const auto row = [&](std::string what, std::string value) {
        if (!value.empty()) drawn.rows.push_back({std::move(what), std::move(value)});
    };
    row("connected to", url);
    row("name", info.server_name);
    row("id", info.server_id);
    row("version", info.version);
    row("cluster", info.cluster);
    row("domain", info.domain);
    row("max payload", size_text(info.max_payload));
    row("headers", yes_or_no(info.headers));
    row("JetStream", yes_or_no(info.jetstream));
    row("authentication", info.auth_required ? "required" : "none");
    row("TLS", info.tls_required ? "required" : info.tls_available ? "available" : "no");
    row("our address", info.client_ip);
    row("our connection", std::to_string(info.client_id));
    row("round trip", time_span_text(rtt));
    for (const auto& other : info.connect_urls) row("also at", other);
    return drawn;
}

std::string info_line(const protocol::server_info& info, const std::string& url, nanoseconds rtt) {
    std::string wire;
    protocol::append_info(wire, info); // `INFO {…} ` and a line end.
    auto object = json::parse(wire.substr(5)).as_object();
    object["connected_url"] = url;
    object["rtt"] = rtt.count();
    return json::serialize(object) + '\n';
}

/// The servers that are named, and those that they name, which are reached as the one that is
/// connected to.
class server_urls {
public:
    explicit server_urls(const session& connected)
        : named_(named_servers(connected.how.options.servers.front())) {
        like_ = of(connected.nats.connected_server()).url;
    }

    [[nodiscard]] named_server of(const std::string& place) const {
        for (const auto& each : named_) {
            const auto server = *protocol::parse_server_url(each.url);
            if (protocol::to_string(server) == place) {
                return {url_at(each.url, place), each.may_be_secret};
            }
        }
        return {url_at(like_.empty() ? named_.front().url : like_, place)};
    }

private:
    std::vector<named_server> named_;
    std::string like_;
};

asio::awaitable<int> show_info(session& connected) {
    const auto rtt = co_await connected.nats.rtt(asio::use_awaitable);
    if (!rtt) co_return connected.fail(rtt.error());
    auto& with = connected.with;
    const auto info = connected.nats.server_info();
    const auto url = server_urls(connected).of(connected.nats.connected_server()).shown();
    if (with.json) {
        with.print(info_line(info, url, *rtt));
    } else {
        with.print_table(info_table(info, url, *rtt));
    }
    co_return exit_code::done;
}

struct pinged {
    named_server server;
    std::string name, version;
    nanoseconds connect{}, rtt{};
    error failed;
};

asio::awaitable<pinged> ping_one(session& connected, named_server server) {
    pinged found{.server = std::move(server), .name = {}, .version = {}, .failed = {}};
    auto options = connected.how.options;
    options.servers = {found.server.url};
    options.reconnect = false;
    client::connection alone(connected.nats.get_executor(), std::move(options));
    const auto began = net::steady_now();
    const auto made = co_await alone.connect(asio::use_awaitable);
    found.connect = net::steady_now() - began;
    if (!made) {
        found.failed = made.error();
        co_return found;
    }
    const auto trip = co_await alone.rtt(asio::use_awaitable);
    if (!trip) found.failed = trip.error();
    if (trip) found.rtt = *trip;
    found.name = alone.server_info().server_name;
    found.version = alone.server_info().version;
    co_return found;
}

void show_ping(program& with, const pinged& one, table& drawn) {
    const auto url = one.server.shown();
    if (with.json) {
        json::object line{{"url", url}};
        if (one.failed.code()) {
            line["error"] = one.server.failure(one.failed);
        } else {
            line["name"] = one.name;
            line["version"] = one.version;
            line["connect"] = one.connect.count();
            line["rtt"] = one.rtt.count();
        }
        with.print(json::serialize(line) + '\n');
    } else if (one.failed.code()) {
        (void)with.fail(url + ": " + one.server.failure(one.failed));
    } else {
        drawn.rows.push_back(
            {url, one.name, one.version, time_span_text(one.connect), time_span_text(one.rtt)});
    }
}

struct ping_sum {
    table drawn{
        .columns = {{"Server"}, {"Name"}, {"Version"}, {"Connect", true}, {"Round trip", true}},
        .rows = {}};
    bool failed = false;
};

/// The servers that are named, and those that they name.
asio::awaitable<int> ping_all(session& connected, ping_sum& sum) {
    const server_urls urls(connected);
    for (auto& each : connected.nats.servers()) {
        const auto one = co_await ping_one(connected, urls.of(each));
        if (connected.interrupted()) break;
        sum.failed = sum.failed || one.failed.code();
        show_ping(connected.with, one, sum.drawn);
    }
    co_return exit_code::done;
}

/// Also of what was ended before it was done.
int summarize(session& connected, const ping_sum& sum, int code) {
    if (!sum.drawn.rows.empty()) connected.with.print_table(sum.drawn);
    return code == exit_code::done && sum.failed ? exit_code::failed : code;
}

int run_ping(program& with) {
    ping_sum sum;
    return run_connected(with,
                         {.work = [&](session& connected) { return ping_all(connected, sum); },
                          .summarize = [&](session& connected,
                                           int code) { return summarize(connected, sum, code); }});
}

} // namespace

command server_command(program& with) {
    command info{.name = "info", .summary = "Show what a server says about itself"};
    info.examples = {{"pipit server info --json | jq .version", "For a script"}};
    info.run = [&with] { return run_connected(with, {.work = show_info}); };

    command ping{.name = "ping",
                 .summary = "Connect to each server that is named or that these name"};
    ping.description = "Ends with 1 when one of them cannot be reached.";
    ping.run = [&with] { return run_ping(with); };

    command server{.name = "server", .summary = "Run a server, or ask one how it is"};
    server.description =
        "pipit server with anything else than the commands below runs a server: it takes "
        "nats-server's options, as --config FILE, --port N and --http_port N. `pipit server "
        "--help` lists them. A link to this program that is called pipit-server or nats-server "
        "does the same.";
    server.commands = {check_command(with), std::move(info), std::move(ping)};
    server.examples = {{"pipit server -a 127.0.0.1 -m 8222", "Run one, with monitoring pages"},
                       {"pipit server -c nats.conf", "Run one with a configuration"},
                       {"pipit server check connection", "Is one there?"}};
    return server;
}

} // namespace pipit::cli
