// SPDX-License-Identifier: Apache-2.0
#include <commands/commands.hpp>

#include <commands/bench.hpp>

namespace pipit::cli {
namespace {

using kind = bench_options::kind;

/// As with the `nats` tool.
std::string messages_help(kind what) {
    switch (what) {
    case kind::sub: return "how many each client receives; 100000 when it is not said";
    case kind::service: return "end after so many, over all clients";
    default: return "how many, over all clients; 100000 when it is not said";
    }
}

std::string clients_help(kind what) {
    switch (what) {
    case kind::sub: return "connections, of which each gets every message";
    case kind::service: return "connections that share the requests";
    default: return "connections that share the messages";
    }
}

std::vector<option> options_of(bench_options& asked) {
    std::vector<option> options = {
        {.names = "--msgs",
         .value = "N",
         .help = messages_help(asked.what),
         .set = into(asked.messages)},
        {.names = "--clients",
         .value = "N",
         .help = clients_help(asked.what),
         .set = into(asked.clients)},
        {.names = "--csv",
         .value = "FILE",
         .help = "write the figures to this file too",
         .set = into(asked.csv),
         .offers = completes::file},
        {.names = "--no-progress",
         .help = "show no progress",
         .set = into_not(asked.shows_progress)},
    };
    if (asked.what == kind::pub || asked.what == kind::request) {
        options.push_back({.names = "--size",
                           .value = "BYTES",
                           .help = "the payloads' size; 128 when it is not said",
                           .set = into_size(asked.size)});
        options.push_back({.names = "--sleep",
                           .value = "DURATION",
                           .help = "wait so long after each message",
                           .set = into(asked.sleep)});
    }
    if (asked.what == kind::pub) {
        options.push_back({.names = "--multisubject",
                           .help = "publish to subject.0, subject.1 and so on",
                           .set = into(asked.many_subjects)});
        options.push_back({.names = "--multisubjectmax",
                           .value = "N",
                           .help = "to so many subjects; 100000 when it is not said",
                           .set = into(asked.subjects_max)});
    }
    if (asked.what == kind::sub) {
        options.push_back({.names = "--multisubject",
                           .help = "subscribe to subject.> in place of subject",
                           .set = into(asked.many_subjects)});
    }
    if (asked.what == kind::service) {
        options.push_back({.names = "--sleep",
                           .value = "DURATION",
                           .help = "take so long for each answer; a client gives one at a time",
                           .set = into(asked.sleep)});
    }
    return options;
}

command one(program& with, kind what, std::string name, std::string summary,
            std::vector<example> examples) {
    const auto asked = std::make_shared<bench_options>();
    asked->what = what;
    if (what == kind::service) asked->messages = 0;
    command bench{.name = std::move(name), .summary = std::move(summary)};
    bench.arguments = {{.names = "subject",
                        .help = "the subject to use",
                        .set = into(asked->subject),
                        .required = true}};
    bench.options = options_of(*asked);
    bench.examples = std::move(examples);
    bench.run = [&with, asked] { return run_bench(with, *asked); };
    return bench;
}

} // namespace

command bench_command(program& with) {
    command bench{.name = "bench", .summary = "Measure how fast messages go"};
    bench.description =
        "Start the side that receives first (sub, service), then the one that sends (pub, "
        "request). One thread drives all clients of one command: start several commands to use "
        "more cores.";
    bench.commands = {
        one(with, kind::pub, "pub", "Publish messages",
            {{"pipit bench pub test", "100,000 messages of 128 bytes"},
             {"pipit bench pub test --clients 4 --size 1KB --msgs 1_000_000",
              "Of a kilobyte, over four"}}),
        one(with, kind::sub, "sub", "Receive messages",
            {{"pipit bench sub test", "What bench pub sends"},
             {"pipit bench sub test --clients 4",
              "Four times, as each of the four gets all of it"}}),
        one(with, kind::request, "request", "Send requests, one after the other per client",
            {{"pipit bench request test --clients 10 --msgs 10000", "Ten under way at a time"}}),
        one(with, kind::service, "service",
            "Answer requests, until it is ended or --msgs were answered",
            {{"pipit bench service test", "What bench request asks"},
             {"pipit bench service test --clients 4 --sleep 10ms",
              "Up to 400 answers in a second"}}),
    };
    bench.examples = {{"pipit bench sub test & pipit bench pub test", "From one to the other"},
                      {"pipit bench pub test --json", "A line of JSON for a program"}};
    return bench;
}

} // namespace pipit::cli
