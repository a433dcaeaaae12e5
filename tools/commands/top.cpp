// SPDX-License-Identifier: Apache-2.0
#include <commands/commands.hpp>

#include <cli/connections_view.hpp>
#include <cli/message_text.hpp>
#include <commands/http_get.hpp>
#include <commands/session.hpp>

#include <pipit/base/join_host_port.hpp>
#include <pipit/net/clock.hpp>
#include <pipit/protocol/server_address.hpp>

#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <optional>

namespace pipit::cli {
namespace {

struct top_options {
    std::string monitor;
    nanoseconds interval = std::chrono::seconds(1);
    std::uint64_t refreshes = 0;
    std::uint64_t rows = 1024;
    view_options view;
    bool once = false;
};

constexpr auto hint =
    ". Has the server a monitoring port (pipit server -m 8222), and is it that one? "
    "Name it with --monitor http://HOST:PORT";

/// The server's own order helps where it has more connections than are asked for.
std::string connections_target(const top_options& asked) {
    auto target = "/connz?limit=" + std::to_string(asked.rows);
    const bool is_servers_own = asked.view.sort != "name" && !asked.view.sort.ends_with("_rate");
    if (is_servers_own) target += "&sort=" + asked.view.sort;
    if (asked.view.shows_subjects) target += "&subs=1";
    return target;
}

asio::awaitable<result<server_snapshot>> take_snapshot(monitoring_port from,
                                                       const top_options& asked) {
    const auto varz = co_await http_get(from, "/varz");
    if (!varz) co_return varz.error();
    const auto connz = co_await http_get(from, connections_target(asked));
    if (!connz) co_return connz.error();
    co_return read_snapshot(*varz, *connz, net::steady_now());
}

void show(program& with, const server_snapshot& now, const server_snapshot* before,
          const top_options& asked) {
    if (with.json) {
        with.print(snapshot_line(now, before, asked.view) + '\n');
    } else if (with.output_is_terminal) {
        auto view = asked.view;
        if (!asked.once) {
            with.print("\x1b[H\x1b[2J");
            const auto height = with.terminal_size().height;
            view.rows_max = std::min<std::size_t>(view.rows_max, height > 8 ? height - 6 : 2);
        }
        with.print(safe_for_terminal(server_lines(now, before)) + '\n');
        with.print_table(connections_table(now, before, view));
    } else {
        with.print_table(connections_table(now, before, asked.view));
    }
    with.flush();
}

/// What was seen, for the end.
struct watched {
    std::optional<server_snapshot> first, last;
    std::uint64_t looks = 0;

    void add(const server_snapshot& now) {
        if (!first) first = now;
        last = now;
        ++looks;
    }
};

asio::awaitable<int> watch(program& with, const top_options& asked, monitoring_port from,
                           watched& seen) {
    asio::steady_timer timer(co_await asio::this_coro::executor);
    auto before = co_await take_snapshot(from, asked);
    if (!before) co_return with.fail("cannot watch: " + text_of(before.error()) + hint);
    seen.add(*before);
    // The first picture has no rates yet; where there is only one, it waits for them.
    if (!asked.once) show(with, *before, nullptr, asked);
    for (std::uint64_t shown = 1; asked.refreshes == 0 || shown < asked.refreshes; ++shown) {
        timer.expires_after(asked.interval);
        co_await timer.async_wait(asio::use_awaitable);
        auto now = co_await take_snapshot(from, asked);
        if (!now) co_return with.fail("cannot go on watching: " + text_of(now.error()));
        seen.add(*now);
        show(with, *now, &*before, asked);
        before = std::move(now);
        if (asked.once) break;
    }
    co_return exit_code::done;
}

/// Of the servers that are named; what may be a secret is none.
std::string first_host(std::string_view servers) {
    const auto named = named_servers(servers);
    const auto first = std::find_if(named.begin(), named.end(),
                                    [](const auto& each) { return !each.may_be_secret; });
    return protocol::parse_server_url(first->url)->host;
}

int run_top(program& with, const top_options& asked) {
    const auto how = settle_connection(with);
    if (!how) return with.fail(text_of(how.error()));
    auto url = asked.monitor;
    if (url.empty()) {
        url = "http://" + join_host_port(first_host(how->options.servers.front()), 8222);
    }
    const auto from = parse_monitoring_url(url);
    if (!from) return with.fail_usage(text_of(from.error()));
    if (asked.interval < std::chrono::milliseconds(50))
        return with.fail_usage("--interval is at least 50ms");
    asio::io_context loop(1);
    int signal = 0;
    const auto& tls = how->options.tls;
    monitoring_port port{.url = *from, .tls = {}, .timeout = how->timeout};
    if (!tls.certificate_file.empty()) {
        port.tls.key_pairs.push_back({tls.certificate_file, tls.key_file});
    }
    port.tls.authorities_file = tls.ca_file;
    port.tls.verifies_peer = !tls.insecure_accept_any_certificate;
    watched seen;
    auto task = watch(with, asked, std::move(port), seen);
    end_signals signals(loop, signal);
    const auto code = run_to_end(loop, std::move(task), signals);
    if (signal == 0 && code == exit_code::done) return code;
    if (signal == 0) leave(with, code);
    if (with.output_is_terminal) with.print("\n");
    with.flush();
    with.note(seen.first ? watched_line(*seen.first, *seen.last, seen.looks)
                         : "Ended before the first look");
    leave(with, asked.once || asked.refreshes != 0 ? 128 + signal : exit_code::done);
}

} // namespace

command top_command(program& with) {
    const auto asked = std::make_shared<top_options>();
    command top{.name = "top", .summary = "Watch a server's connections, their messages and rates"};
    top.description =
        "Asks the server's monitoring port, again and again. The address is that of --server "
        "with port 8222, unless --monitor says another one.";
    top.options = {
        {.names = "-m,--monitor",
         .value = "URL",
         .help = "the monitoring port, http://HOST:8222 or https",
         .set = into(asked->monitor),
         .hides = secrecy::urls},
        {.names = "--sort",
         .value = "KEY",
         .help = "what the connections are ordered by",
         .set = into(asked->view.sort),
         .words = sort_keys},
        {.names = "-d,--interval",
         .value = "DURATION",
         .help = "between two looks; 1s when it is not said",
         .set = into(asked->interval)},
        {.names = "--max-refresh",
         .value = "N",
         .help = "end after so many looks",
         .set = into(asked->refreshes)},
        {.names = "-n,--conns",
         .value = "N",
         .help = "so many connections; 1024 when it is not said",
         .set = into(asked->rows)},
        {.names = "--subs",
         .help = "show what each is subscribed to",
         .set = into(asked->view.shows_subjects)},
        {.names = "-b,--exact", .help = "plain numbers", .set = into(asked->view.exact)},
        {.names = "--once",
         .help = "look twice, one interval apart, show it, and end",
         .set = into(asked->once)},
    };
    top.examples = {{"pipit top", "This machine's server"},
                    {"pipit top --monitor http://prod:8222 --sort bytes_rate", "Who sends most"},
                    {"pipit top --once --json | jq .connections", "For a script"}};
    top.run = [&with, asked] {
        asked->view.rows_max = asked->rows;
        return run_top(with, *asked);
    };
    return top;
}

} // namespace pipit::cli
