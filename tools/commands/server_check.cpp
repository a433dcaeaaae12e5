// SPDX-License-Identifier: Apache-2.0
#include <commands/server_commands.hpp>

#include <cli/check_report.hpp>
#include <cli/message_text.hpp>
#include <commands/outgoing.hpp>
#include <commands/session.hpp>

#include <pipit/net/clock.hpp>

#include <fmt/format.h>

namespace pipit::cli {
namespace {

struct check_options {
    std::string format = "nagios";
    std::string name_space = "nats_server_check";
    std::string outfile;
};

struct limits_of_check {
    nanoseconds warning = std::chrono::milliseconds(500);
    nanoseconds critical = std::chrono::seconds(1);
};

struct connection_check {
    limits_of_check connect, rtt, request;
};

struct request_check {
    std::string subject, payload, match;
    std::vector<std::string> headers;
    limits_of_check response{nanoseconds::zero(), nanoseconds::zero()};
};

double seconds(nanoseconds duration) { return std::chrono::duration<double>(duration).count(); }

check_metric metric(std::string name, nanoseconds value, limits_of_check limits, std::string help) {
    return {.name = std::move(name),
            .value = seconds(value),
            .unit = "s",
            .warning = seconds(limits.warning),
            .critical = seconds(limits.critical),
            .help = std::move(help)};
}

std::string exceeded(const limits_of_check& limits, nanoseconds value) {
    const auto& limit = value >= limits.critical ? limits.critical : limits.warning;
    return " exceeded " + fmt::format("{:g}", seconds(limit)) + "s: " + time_span_text(value);
}

/// Prints the report, or writes it to a file; answers the exit code.
int end_check(program& with, const check_options& asked, const check_report& report) {
    const auto format = with.json ? "json" : asked.format;
    const auto text = report.render(format, asked.name_space);
    const auto code = report.exit_code(format);
    if (asked.outfile.empty()) {
        with.print(with.output_is_terminal ? safe_for_terminal(text) : text);
        with.flush();
        return code;
    }
    const auto written = write_private_file(asked.outfile, text);
    if (written) return code;
    (void)with.fail(text_of(written.error()));
    constexpr int unknown = 3; // Nobody will read it, and 1 were a warning.
    return unknown;
}

/// A connection that is made inside the check, so that not being able to is a finding.
asio::awaitable<bool> connect_for_check(client::connection& nats, check_report& report,
                                        limits_of_check limits, bool reports_time) {
    const auto began = net::steady_now();
    const auto made = co_await nats.connect(asio::use_awaitable);
    const auto took = net::steady_now() - began;
    if (!made) {
        report.critical("connection failed: " + made.error().message());
        co_return false;
    }
    if (!reports_time) co_return true;
    const auto server = "nats://" + nats.connected_server();
    report.judge(metric("connect_time", took, limits, "Time taken to connect to NATS"),
                 "connected to " + server + " in " + time_span_text(took),
                 "connected to " + server + ", connect time" + exceeded(limits, took));
    co_return true;
}

asio::awaitable<void> check_connection(client::connection& nats, const connection_check& asked,
                                       check_report& report) {
    const bool connected = co_await connect_for_check(nats, report, asked.connect, true);
    if (!connected) co_return;
    const auto rtt = co_await nats.rtt(asio::use_awaitable);
    if (!rtt) {
        report.critical("rtt failed: " + rtt.error().message());
        co_return;
    }
    report.judge(metric("rtt", *rtt, asked.rtt, "The round-trip-time of the connection"),
                 "rtt time " + time_span_text(*rtt), "rtt time" + exceeded(asked.rtt, *rtt));
    const auto subject = nats.new_inbox();
    const auto echo = [&nats](const client::message& request) {
        (void)nats.respond(request, request.payload());
    };
    const auto service = nats.subscribe(subject, echo);
    if (!service) {
        report.critical("could not subscribe to " + subject + ": " + service.error().message());
        co_return;
    }
    const std::string probe(100, 'p');
    const auto began = net::steady_now();
    const auto reply = co_await nats.request(subject, probe, asio::use_awaitable);
    const auto took = net::steady_now() - began;
    if (!reply) {
        report.critical("did not receive from " + subject + ": " + reply.error().message());
        co_return;
    }
    if (reply->payload() != probe) report.critical("did not receive expected message");
    report.judge(metric("request_time", took, asked.request,
                        "Time taken for a full Request-Reply operation"),
                 "round trip took " + seconds_text(took).substr(0, 8) + "s",
                 "round trip" + exceeded(asked.request, took));
}

asio::awaitable<void> check_request(client::connection& nats, const request_check& asked,
                                    check_report& report) {
    const limits_of_check none;
    const bool connected = co_await connect_for_check(nats, report, none, false);
    if (!connected) co_return;
    client::headers headers;
    for (const auto& header : asked.headers) {
        const auto parsed = parse_header(header);
        (void)headers.append(parsed->first, parsed->second);
    }
    const client::request_options how{.headers = headers.empty() ? nullptr : &headers};
    const auto began = net::steady_now();
    const auto reply =
        co_await nats.request(asked.subject, asked.payload, how, asio::use_awaitable);
    const auto took = net::steady_now() - began;
    if (!reply) {
        report.critical("could not send request: " + reply.error().message());
        co_return;
    }
    report.judge(metric("time", took, asked.response, "How long the request took"),
                 "Valid response", "response took" + exceeded(asked.response, took));
    if (!asked.match.empty() && reply->payload().find(asked.match) == bytes_view::npos) {
        report.critical("response does not contain '" + asked.match + "'");
    }
}

using check_work = std::function<asio::awaitable<void>(client::connection&, check_report&)>;

asio::awaitable<int> work_through(client::connection& nats, check_report& report,
                                  const check_work& work) {
    co_await work(nats, report);
    nats.close();
    co_return exit_code::done;
}

/// A check that takes longer than --timeout has found something, too.
int run_check(program& with, const check_options& asked, check_report report,
              const check_work& work) {
    auto how = settle_connection(with);
    if (!how) {
        report.critical(text_of(how.error()));
        return end_check(with, asked, report);
    }
    asio::io_context loop(1);
    client::connection nats(loop.get_executor(), how->options);
    int signal = 0;
    end_signals signals(loop, signal);
    (void)run_to_end(loop, work_through(nats, report, work), signals);
    leave(with, signal != 0 ? 128 + signal : end_check(with, asked, report));
}

std::vector<option> limit_options(const std::string& name, const std::string& of,
                                  limits_of_check& limits) {
    return {{.names = "--" + name + "-warn",
             .value = "DURATION",
             .help = of + ": a warning from here on",
             .set = into(limits.warning)},
            {.names = "--" + name + "-critical",
             .value = "DURATION",
             .help = of + ": critical from here on",
             .set = into(limits.critical)}};
}

using common_options = std::shared_ptr<const check_options>;

command connection_command(program& with, const common_options& common) {
    const auto asked = std::make_shared<connection_check>();
    command check{.name = "connection",
                  .aliases = {"conn"},
                  .summary = "Check that the server can be reached and passes messages on"};
    append(check.options, limit_options("connect", "the time to connect", asked->connect));
    append(check.options, limit_options("rtt", "a round trip", asked->rtt));
    append(check.options, limit_options("req", "a message to itself", asked->request));
    check.examples = {{"pipit server check connection --rtt-warn 50ms", "For Nagios"}};
    check.run = [&with, common, asked] {
        return run_check(with, *common, {"connections", "Connection"},
                         [&](client::connection& nats, check_report& report) {
                             return check_connection(nats, *asked, report);
                         });
    };
    return check;
}

int run_request_check(program& with, const check_options& common, const request_check& asked) {
    if (asked.subject.empty()) {
        return with.fail_usage("--subject is missing: where the request goes");
    }
    if (const auto wrong = complaint_about_headers(asked.headers); !wrong.empty()) {
        return with.fail_usage(wrong);
    }
    return run_check(with, common, {"request", "Request"},
                     [&](client::connection& nats, check_report& report) {
                         return check_request(nats, asked, report);
                     });
}

command request_check_command(program& with, const common_options& common) {
    const auto asked = std::make_shared<request_check>();
    command check{.name = "request", .aliases = {"req"}, .summary = "Check that a service answers"};
    check.options = {
        {.names = "--subject",
         .value = "SUBJECT",
         .help = "where the request goes",
         .set = into(asked->subject)},
        {.names = "--payload",
         .value = "TEXT",
         .help = "what it carries",
         .set = into(asked->payload)},
        {.names = "-H,--header",
         .value = "NAME:VALUE",
         .help = "a header",
         .set = into(asked->headers),
         .repeats = true},
        {.names = "--match-payload",
         .value = "TEXT",
         .help = "what the answer must contain",
         .set = into(asked->match)},
    };
    append(check.options, limit_options("response", "the answer's time", asked->response));
    check.examples = {
        {"pipit server check request --subject greet --response-warn 1s", "Is it slow?"}};
    check.run = [&with, common, asked] { return run_request_check(with, *common, *asked); };
    return check;
}

} // namespace

command check_command(program& with) {
    const auto common = std::make_shared<check_options>();
    command check{.name = "check", .summary = "Check a server, for Nagios, Prometheus and scripts"};
    check.description =
        "Ends with 0 when all is well, 1 for a warning, 2 for what is critical, 3 when nothing "
        "is known; with --format prometheus always with 0.";
    check.options = {
        {.names = "--format",
         .value = "FORMAT",
         .help = "how it is written",
         .set = into(common->format),
         .words = {"nagios", "json", "prometheus", "text"}},
        {.names = "--namespace",
         .value = "NAME",
         .help = "what Prometheus' names begin with",
         .set = into(common->name_space)},
        {.names = "--outfile",
         .value = "FILE",
         .help = "write it to a file",
         .set = into(common->outfile),
         .offers = completes::file},
    };
    check.commands = {connection_command(with, common), request_check_command(with, common)};
    return check;
}

} // namespace pipit::cli
