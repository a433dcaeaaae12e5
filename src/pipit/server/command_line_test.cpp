// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/command_line.hpp>
#include <pipit/server/error.hpp>

#include <gtest/gtest.h>

#include <map>

namespace pipit::server {
namespace {

using words = std::vector<std::string>;

config_source source_with(std::map<std::string, std::string> files) {
    config_source source;
    source.read_file = [files](const std::string& path) -> result<std::string> {
        const auto found = files.find(path);
        if (found != files.end()) return found->second;
        return error(errc::unusable_file, "open " + path + ": no such file or directory");
    };
    return source;
}

loaded_options load(const words& arguments, std::map<std::string, std::string> files = {}) {
    const auto line = parse_command_line(arguments);
    EXPECT_TRUE(line) << line.error().detail();
    const auto loaded = load_options(line.value(), source_with(std::move(files)));
    EXPECT_TRUE(loaded) << loaded.error().detail();
    return loaded.value();
}

std::string complaint(const words& arguments) {
    const auto line = parse_command_line(arguments);
    if (!line) return std::string(line.error().detail());
    const auto loaded = load_options(*line, source_with({}));
    return loaded ? "no complaint" : std::string(loaded.error().detail());
}

program_end end_of(const words& arguments, std::map<std::string, std::string> files = {}) {
    const auto end =
        end_without_server(parse_command_line(arguments), source_with(std::move(files)));
    EXPECT_TRUE(end);
    return end.value_or(program_end{});
}

TEST(CommandLine, TakesOneDashOrTwoAndValuesBesideOrBehindAnEqualsSign) {
    for (const auto& arguments :
         {words{"-p", "5222"}, words{"--p=5222"}, words{"-port=5222"}, words{"--port", "5222"}}) {
        EXPECT_EQ(load(arguments).options.port, 5222);
    }
    EXPECT_EQ(load({"-p", "-1"}).options.port, random_port);
    EXPECT_EQ(load({"-p", "0x1000"}).options.port, 4096);
    EXPECT_EQ(load({"-p", "+5222"}).options.port, 5222);
}

TEST(CommandLine, EndsWithAnErrorForPortsThatDoNotExist) {
    for (const auto& arguments : {words{"-p", "70000"}, words{"-p", "-2"}, words{"-m", "65536"},
                                  words{"--profile=-2"}, words{"--loops", "100000"}}) {
        const auto ended = end_of(arguments);
        EXPECT_EQ(ended.exit_code, 1) << arguments.back();
        EXPECT_NE(ended.error_output.find("invalid "), std::string::npos) << ended.error_output;
    }
}

TEST(CommandLine, TakesSizesBelowNothingForNothing) {
    const auto options = load({"--log_size_limit=-1", "--max_traced_msg_len=-1"}).options;
    EXPECT_EQ(options.log_size_limit, 0);
    EXPECT_EQ(options.max_traced_msg_len, 0);
}

TEST(CommandLine, KnowsEveryFlagThatSetsAnOption) {
    const auto options = load({"-a",        "h",
                               "-n",        "name",
                               "-P",        "pid",
                               "-m",        "8222",
                               "-l",        "log",
                               "-T=false",  "--logtime_utc",
                               "-s",        "-r",
                               "udp://a:1", "--log_size_limit",
                               "5",         "--max_traced_msg_len",
                               "6",         "-sd",
                               "store",     "--user",
                               "u",         "--pass",
                               "p",         "--auth",
                               "t",         "--client_advertise",
                               "c:1",       "--ports_file_dir",
                               "ports",     "--loops",
                               "2"})
                             .options;
    EXPECT_EQ(options.host, "h");
    EXPECT_EQ(options.server_name, "name");
    EXPECT_EQ(options.pid_file, "pid");
    EXPECT_EQ(options.http_port, 8222);
    EXPECT_EQ(options.log_file, "log");
    EXPECT_FALSE(options.logtime);
    EXPECT_TRUE(options.logtime_utc && options.syslog);
    EXPECT_EQ(options.remote_syslog, "udp://a:1");
    EXPECT_EQ(options.log_size_limit, 5);
    EXPECT_EQ(options.max_traced_msg_len, 6);
    EXPECT_EQ(options.store_dir, "store");
    EXPECT_EQ(options.username + options.password + options.token, "upt");
    EXPECT_EQ(options.client_advertise, "c:1");
    EXPECT_EQ(options.ports_file_dir, "ports");
    EXPECT_EQ(options.loops, 2);
}

TEST(CommandLine, TakesEveryFlagThatItOffers) {
    for (const auto& flag : known_flags()) {
        for (bytes_view rest = flag.names; !rest.empty();) {
            const std::string name(rest.substr(0, rest.find(',')));
            rest.remove_prefix(std::min(name.size() + 1, rest.size()));
            words typed{name};
            if (flag.takes_value) typed.emplace_back("1");
            EXPECT_TRUE(parse_command_line(typed)) << name;
        }
    }
}

TEST(CommandLine, CombinesDebugAndTrace) {
    const auto traced = load({"-DVV"}).options;
    EXPECT_TRUE(traced.debug && traced.trace && traced.trace_verbose);
    EXPECT_FALSE(load({"-DV"}).options.trace_verbose);
    EXPECT_FALSE(load({"-D", "-D=false"}).options.debug);
    EXPECT_FALSE(load({"-DV=false", "-c", "c"}, {{"c", "debug: true"}}).options.debug);
}

TEST(CommandLine, OverridesTheFile) {
    const auto loaded = load({"-c", "c.conf", "-p", "5222"},
                             {{"c.conf", "port: 1\nhost: h\nlogtime: false\ntrace: true"}});
    EXPECT_EQ(loaded.options.port, 5222);
    EXPECT_EQ(loaded.options.host, "h");
    EXPECT_FALSE(loaded.options.logtime);
    EXPECT_TRUE(loaded.options.trace);
    EXPECT_EQ(loaded.options.config_file, "c.conf");
    EXPECT_EQ(loaded.options.config_digest.size(), 71u);
}

TEST(CommandLine, SaysWhatItDoesNotUnderstandLikeNatsServer) {
    EXPECT_EQ(complaint({"-foo"}), "flag provided but not defined: -foo");
    EXPECT_EQ(complaint({"-p"}), "flag needs an argument: -p");
    EXPECT_EQ(complaint({"--port", "x"}), "invalid value \"x\" for flag -port: parse error");
    EXPECT_EQ(complaint({"-p", " 1"}), "invalid value \" 1\" for flag -p: parse error");
    EXPECT_EQ(complaint({"-p", "089"}), "invalid value \"089\" for flag -p: parse error");
    EXPECT_EQ(complaint({"-p", ""}), "invalid value \"\" for flag -p: parse error");
    EXPECT_EQ(complaint({"-p", "99999999999999999999"}),
              "invalid value \"99999999999999999999\" for flag -p: value out of range");
    EXPECT_EQ(complaint({"-D=maybe"}), "invalid boolean value \"maybe\" for -D: parse error");
    EXPECT_EQ(complaint({"---p"}), "bad flag syntax: ---p");
    EXPECT_EQ(complaint({"extra"}), "unrecognized command: \"extra\"");
    EXPECT_EQ(complaint({"-c", "none"}), "open none: no such file or directory");
    EXPECT_EQ(complaint({"--routes", "nats://a:1"}),
              "solicited routes require cluster capabilities, e.g. --cluster");
    EXPECT_EQ(complaint({"--tls"}), "TLS Server certificate must be present and valid");
    EXPECT_EQ(complaint({"--tlscert", "a"}), "TLS Server private key must be present and valid");
    EXPECT_EQ(complaint({"--tlscert", "/no/a", "--tlskey", "/no/b"}),
              "error parsing X509 certificate/key pair: open /no/a: no such file or directory");
    EXPECT_EQ(complaint({"--tls=false"}), "no complaint");
}

TEST(CommandLine, KeepsTheListenersOfWhatIsLeftOut) {
    const auto loaded = load({"-js", "--cluster", "nats://u:p@127.0.0.1:-1", "--profile", "-1",
                              "--routes", "nats://a:1", "--cluster_name", "c"});
    EXPECT_EQ(loaded.notices.size(), 3u);
    EXPECT_EQ(loaded.options.reserved_listeners,
              (std::vector<reserved_listener>{{listener_kind::profile, "0.0.0.0", -1},
                                              {listener_kind::cluster, "127.0.0.1", -1}}));
    EXPECT_TRUE(load({"-c", "c", "--cluster="}, {{"c", "cluster { port: 1 }"}})
                    .options.reserved_listeners.empty());
    EXPECT_NE(complaint({"--cluster", "127.0.0.1:1"}).find("nats://host:port"), std::string::npos);
    EXPECT_EQ(complaint({"--cluster", "nats://u@127.0.0.1:1"}),
              "expected cluster password to be set");
    EXPECT_EQ(complaint({"--cluster_name", "x y"}), "cluster name cannot contain spaces");
    EXPECT_EQ(complaint({"--cluster_name", "_"}), "cluster name is reserved");
}

TEST(CommandLine, PrintsAVersionThatToolsUnderstand) {
    for (const auto& arguments : {words{"-v"}, words{"--version"}, words{"version"}}) {
        const auto end = end_of(arguments);
        EXPECT_EQ(end.exit_code, 0);
        EXPECT_EQ(end.output.find("nats-server: v2.15.2\n"), 0u);
        EXPECT_EQ(end.output.find(" v", 14), std::string::npos);
        EXPECT_TRUE(end.error_output.empty());
    }
}

TEST(CommandLine, NamesEveryFlagInItsHelp) {
    const auto help = end_of({"help"}).output;
    for (const auto* flag : {"-a, --addr, --net",
                             "-p, --port",
                             "--server_name",
                             "-P, --pid",
                             "-m, --http_port",
                             "-ms, --https_port",
                             "-c, --config",
                             "-t ",
                             "-sl, --signal",
                             "--client_advertise",
                             "--ports_file_dir",
                             "-l, --log",
                             "-T, --logtime",
                             "--logtime_utc",
                             "-s, --syslog",
                             "-r, --remote_syslog",
                             "-D, --debug",
                             "-V, --trace",
                             "-VV",
                             "-DV, -DVV",
                             "--log_size_limit",
                             "--max_traced_msg_len",
                             "-js, --jetstream",
                             "-sd, --store_dir",
                             "--user",
                             "--pass",
                             "--auth",
                             "--tlscert",
                             "--tlskey",
                             "--tlsverify",
                             "--tlscacert",
                             "--routes",
                             "--cluster,",
                             "--cluster_listen",
                             "--cluster_name",
                             "--no_advertise",
                             "--cluster_advertise",
                             "--connect_retries",
                             "--profile",
                             "-h, --help",
                             "-v, --version",
                             "--help_tls",
                             "--loops"}) {
        EXPECT_NE(help.find(flag), std::string::npos) << flag;
    }
    const auto wrong = end_of({"-foo"});
    EXPECT_EQ(wrong.exit_code, 0);
    EXPECT_EQ(wrong.output, help);
    EXPECT_EQ(wrong.error_output, "flag provided but not defined: -foo\n");
}

TEST(CommandLine, ChecksAConfiguration) {
    const auto good = end_of({"-t", "-c", "c.conf"}, {{"c.conf", "a = 1\nport: $a"}});
    EXPECT_EQ(good.exit_code, 0);
    EXPECT_EQ(good.error_output.find("nats-server: configuration file c.conf is valid (sha256:"),
              0u);
    const auto bad = end_of({"-t", "-c", "c.conf"}, {{"c.conf", "foo: 1"}});
    EXPECT_EQ(bad.exit_code, 1);
    EXPECT_EQ(bad.error_output, "nats-server: c.conf:1:0: unknown field \"foo\"\n\n");
    const auto warned = end_of({"-t", "-c", "c.conf"}, {{"c.conf", "ping_interval: 5"}});
    EXPECT_EQ(warned.exit_code, 1);
    EXPECT_EQ(end_of({"-t"}).error_output,
              "nats-server: must specify [-c, --config] option to check configuration file "
              "syntax\n");
    EXPECT_EQ(end_of({"-t", "-c", "c.conf"}, {{"c.conf", "\n"}}).exit_code, 1);
}

TEST(CommandLine, LeavesServersAndSignalsToOthers) {
    const auto line = parse_command_line({"--signal", "reload=5"});
    EXPECT_EQ(line->action, command_action::send_signal);
    EXPECT_EQ(line->signal, "reload=5");
    EXPECT_FALSE(end_without_server(line, {}));
    EXPECT_FALSE(end_without_server(parse_command_line({"-p", "1"}), {}));
}

} // namespace
} // namespace pipit::server
