// SPDX-License-Identifier: Apache-2.0
#include <pipit/net/test_certificates.hpp>
#include <pipit/server/error.hpp>
#include <pipit/server/options_from_config.hpp>

#include <gtest/gtest.h>

namespace pipit::server {
namespace {

using namespace std::chrono_literals;

config_source source() { return {}; }

loaded_options load(std::string_view text) {
    const auto map = parse_config(text, "c.conf", source());
    auto loaded = options_from_config(map.value());
    EXPECT_TRUE(loaded) << text << "\n" << loaded.error().detail();
    return loaded ? *loaded : loaded_options{};
}

std::string complaint(std::string_view text) {
    const auto map = parse_config(text, "c.conf", source());
    if (!map) return std::string(map.error().detail());
    const auto loaded = options_from_config(*map);
    return loaded ? "no complaint" : std::string(loaded.error().detail());
}

TEST(Options, AreNatsServersDefaultsWithoutAConfiguration) {
    server_options options;
    apply_defaults(options);
    EXPECT_EQ(options.host, "0.0.0.0");
    EXPECT_EQ(options.port, 4222);
    EXPECT_EQ(options.max_payload, 1048576);
    EXPECT_EQ(options.max_connections, 65536);
    EXPECT_EQ(options.ping_interval, 2min);
    EXPECT_EQ(options.lame_duck_grace_period, 10s);
    EXPECT_EQ(options.auth_timeout, 2s);
    EXPECT_TRUE(options.logtime);
    EXPECT_FALSE(requires_authentication(options));
    EXPECT_TRUE(validate_options(options));
}

TEST(Options, TakeWhatAFileSays) {
    const auto options = load(R"(
        listen: "[::1]:-1"
        http: 8222
        server_tags: [" A:b ", a:b, C]
        max_payload: 64KB
        ping_interval: "1m30s"
        write_timeout: close
        trace_verbose: true
        max_connections: 0
        pid_file: n.pid
    )")
                             .options;
    EXPECT_EQ(options.host, "::1");
    EXPECT_EQ(options.port, random_port);
    EXPECT_EQ(options.http_port, 8222);
    EXPECT_EQ(options.server_tags, (std::vector<std::string>{"a:b", "c"}));
    EXPECT_EQ(options.max_payload, 65536);
    EXPECT_EQ(options.ping_interval, 90s);
    EXPECT_EQ(options.write_timeout, write_timeout_policy::close);
    EXPECT_TRUE(options.trace_verbose && options.trace);
    EXPECT_EQ(options.max_connections, -1);
    EXPECT_EQ(options.pid_file, "n.pid");
}

TEST(Options, TakeBareNumbersAndDatesForTextAsTheyWereWritten) {
    const auto options = load("server_name: 0042\nauthorization { user: 1k, password: 1.50 }\n"
                              "no_auth_user: 2006-01-02T15:04:05Z")
                             .options;
    EXPECT_EQ(options.server_name, "0042");
    EXPECT_EQ(options.username, "1k");
    EXPECT_EQ(options.password, "1.50");
    EXPECT_EQ(options.no_auth_user, "2006-01-02T15:04:05Z");
}

TEST(Options, TakeAZeroForTheDefault) {
    auto options = load("max_payload: 0\nping_interval: \"0s\"\nport: 0\nhost: h").options;
    apply_defaults(options);
    EXPECT_EQ(options.max_payload, 1048576);
    EXPECT_EQ(options.ping_interval, 2min);
    EXPECT_EQ(options.port, 4222);
    EXPECT_EQ(options.http_host, "h");
}

TEST(Options, KnowUsersOfAllAccountsWithTheirPermissions) {
    const auto options = load(R"(
        accounts {
          A {
            users [ {user: a, password: b, permissions: {publish: x}}, {user: c} ]
            default_permissions { subscribe: {allow: "y q", deny: [z]} }
            limits { max_connections: 3 }
            mappings { foo: [ {destination: bar, weight: 20%} ] }
            msg_trace { dest: t, sampling: 30% }
          }
        }
        authorization { users [ {user: g, clients: [in_process]} ] }
    )"
                              "\n")
                             .options;
    ASSERT_EQ(options.users.size(), 3u);
    EXPECT_EQ(options.users[0].account, "A");
    EXPECT_EQ(options.users[0].permissions->publish_allow, std::vector<std::string>{"x"});
    EXPECT_EQ(options.users[1].permissions->subscribe_deny, std::vector<std::string>{"z"});
    EXPECT_EQ(options.users[2].account, "");
    EXPECT_FALSE(options.users[2].standard_connections_allowed);
    EXPECT_TRUE(options.users[2].in_process_connections_allowed);
    ASSERT_EQ(options.accounts.size(), 1u);
    EXPECT_EQ(options.accounts[0].max_connections, 3);
    EXPECT_EQ(options.accounts[0].mappings[0].destinations[0].weight_percent, 20);
    EXPECT_EQ(options.accounts[0].trace_destination, "t");
    EXPECT_EQ(options.accounts[0].trace_sampling, 30);
}

TEST(Options, LetWhoMayAnswerPublishNothingElse) {
    const auto permissions_of = [](const std::string& text) {
        const auto options =
            load("authorization { users [ {user: a, permissions: {" + text + "}} ] }").options;
        return *options.users[0].permissions;
    };
    const auto only_answers = permissions_of("allow_responses: true");
    EXPECT_TRUE(only_answers.publish_allow.empty());
    EXPECT_EQ(only_answers.allow_responses->max, 1);
    EXPECT_EQ(only_answers.allow_responses->expires, 2min);
    const auto both = permissions_of("allow_responses: {max: 5, expires: \"1m\"}, publish: a");
    EXPECT_EQ(both.publish_allow, std::vector<std::string>{"a"});
    EXPECT_EQ(both.allow_responses->max, 5);
    EXPECT_EQ(both.allow_responses->expires, 1min);
    EXPECT_FALSE(permissions_of("allow_responses: false").allow_responses);
}

TEST(Options, SayWhichKeyWasProbablyMeant) {
    EXPECT_EQ(complaint("max_payloda: 5"),
              "c.conf:1:0: unknown field \"max_payloda\"; did you mean \"max_payload\"?\n");
    EXPECT_EQ(complaint("xyzzy_plugh: 5"), "c.conf:1:0: unknown field \"xyzzy_plugh\"\n");
    EXPECT_EQ(complaint("\nauthorization { usr: a }"),
              "c.conf:2:17: unknown field \"usr\"; did you mean \"user\"?\n");
}

TEST(Options, FindEveryMistakeAtOnce) {
    EXPECT_EQ(complaint("foo: 1\nport: \"x\"\nhost: true\nping_interval: 5\nmax_payload: 3G"),
              "c.conf:4:1: invalid use of field \"ping_interval\": ping_interval should be "
              "converted to a duration\n"
              "c.conf:1:0: unknown field \"foo\"\n"
              "c.conf:2:1: \"port\" takes an integer, not a string\n"
              "c.conf:3:1: \"host\" takes a string, not a boolean\n"
              "c.conf:5:1: \"max_payload\" must be between -1 and 2147483647\n");
}

TEST(Options, BoundTheComplaintsAboutAFileFullOfMistakes) {
    std::string text;
    for (int i = 0; i < 5000; ++i) text += "wrong_key_" + std::to_string(i) + " = 1\n";
    const auto answer = complaint(text);
    EXPECT_LT(answer.size(), 10000u);
    EXPECT_NE(answer.find("and 4900 more"), std::string::npos);
}

TEST(Options, WarnOfSecondsAndSayWhatBareMinutesAre) {
    EXPECT_EQ(load("ping_interval: 2m").warnings,
              std::vector<std::string>{
                  "c.conf:1:0: invalid use of field \"ping_interval\": ping_interval should be "
                  "converted to a duration; without quotes 2m is 2000000 seconds"});
    EXPECT_EQ(load("write_deadline: 5").options.write_deadline, 5s);
}

TEST(Options, TakeNegativeNumbersForWhatNatsServerTakesThem) {
    const auto options = load("max_connections: -5\nmax_traced_msg_len: -1\nlog_size_limit: -1\n"
                              "log_max_num: -7\nconnect_error_reports: -1\n"
                              "websocket { port: -1, no_tls: true, ping_interval: \"-1s\", "
                              "handshake_timeout: -2 }\nresolver { type: full, dir: \"/nowhere\", "
                              "limit: -1, interval: \"-1s\" }")
                             .options;
    EXPECT_EQ(options.max_connections, -1) << "nobody";
    EXPECT_EQ(options.max_traced_msg_len, 0);
    EXPECT_EQ(options.log_size_limit, 0);
    EXPECT_EQ(options.log_max_num, 0);
    EXPECT_EQ(options.connect_error_reports, -1);
    EXPECT_EQ(options.websocket.ping_interval, 0s) << "everybody's";
    EXPECT_LT(options.websocket.handshake_timeout, 0s) << "none";
    EXPECT_EQ(options.resolver.limit, 0);
    EXPECT_EQ(options.resolver.interval, 0s);
    for (const auto* text :
         {"max_pending: -1", "max_control_line: -1", "ping_max: -1", "max_payload: -2",
          "max_subscriptions: -2", "max_closed_clients: -1", "ping_interval: \"-1s\"",
          "write_deadline: \"-1s\"", "authorization { token: t, timeout: -1 }",
          "accounts { A { limits { max_payload: -2 } } }", "log_size_limit: \"-1s\""}) {
        EXPECT_NE(complaint(text), "") << text;
    }
}

TEST(Options, SayWhichProxiesAreTrustedAndWhoHasToComeByThem) {
    const std::string key = "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4";
    const auto options = load("proxies { trusted: [ {key: " + key + "}, {public_key: " + key +
                              "} ] }\nauthorization { proxy_required: true, users [ {user: a}, "
                              "{user: b, proxy_required: true}, {nkey: " +
                              key + ", proxy_required: true} ] }")
                             .options;
    EXPECT_EQ(options.trusted_proxies, (std::vector{key, key}));
    EXPECT_TRUE(options.proxy_required);
    ASSERT_EQ(options.users.size(), 3u);
    EXPECT_FALSE(options.users[0].proxy_required);
    EXPECT_TRUE(options.users[1].proxy_required && options.users[2].proxy_required);
    EXPECT_EQ(load("proxies {}").options.trusted_proxies, std::vector<std::string>());
    EXPECT_EQ(load("port: 1").options.trusted_proxies, std::nullopt);
    EXPECT_EQ(complaint("proxies { trusted: [ {key: x} ] }"),
              "c.conf:1:22: invalid proxy key \"x\"\n");
    for (const auto* text :
         {"proxies: 1", "proxies { trusted: {} }", "proxies { trusted: [ x ] }", "proxies { x: 1 }",
          "proxies { trusted: [ {k: 1} ] }", "authorization { proxy_required: 1 }"}) {
        EXPECT_NE(complaint(text), "") << text;
    }
    EXPECT_EQ(complaint("proxies { trusted: [ {key: "
                        "SUAHG43TONZXG43TONZXG43TONZXG43TONZXG43TONZXG43TONZXG4YR6A} ] }")
                  .find("SUAHG"),
              std::string::npos);
    // As nats-server: only the start looks for a key that is missing.
    EXPECT_EQ(validate_options(load("proxies { trusted: [ {} ] }").options).error().detail(),
              "proxy trusted key \"\" is invalid");
}

TEST(Options, ReadATlsBlock) {
    net::test::authority issuer;
    const auto pair = issuer.issue();
    const auto files =
        "cert_file: \"" + pair.certificate_file + "\", key_file: \"" + pair.key_file + "\", ";
    const auto block = [&](const std::string& text) {
        return load("tls { " + files + text + " }").options.tls.value_or(tls_options());
    };
    const auto plain = block("");
    EXPECT_EQ(plain.settings.key_pairs, std::vector{pair});
    EXPECT_FALSE(plain.settings.verifies_peer || plain.handshake_first || plain.verify_and_map);
    EXPECT_EQ(plain.files_digest.size(), 64u);
    EXPECT_TRUE(block("verify: true").settings.verifies_peer);
    EXPECT_TRUE(block("verify_and_map: true").settings.verifies_peer);
    EXPECT_EQ(block("timeout: 0.5").timeout, 500ms);
    EXPECT_EQ(block("timeout: \"3s\"").timeout, 3s);
    EXPECT_TRUE(block("first: on").handshake_first);
    EXPECT_EQ(block("first: true").handshake_first_fallback, 0s);
    EXPECT_EQ(block("handshake_first: auto").handshake_first_fallback, 50ms);
    EXPECT_EQ(block("immediate: \"300ms\"").handshake_first_fallback, 300ms);
    EXPECT_FALSE(block("handshake_first: off").handshake_first);
    EXPECT_EQ(block("min_version: \"1.3\"").settings.min_version, net::tls_version::v1_3);
    EXPECT_EQ(block("pinned_certs: [" + std::string(64, 'A') + "]").pinned_certs,
              std::vector{std::string(64, 'a')});

    auto options = load("tls { " + files + " }").options;
    apply_defaults(options);
    EXPECT_EQ(options.tls->timeout, 2s);
    EXPECT_EQ(options.auth_timeout, 3s) << "as nats-server: a second more than the handshake";
}

TEST(Options, RefuseHttpsWithoutACertificateAndBesideHttp) {
    const auto refusal = [](const char* text) {
        auto options = load(text).options;
        apply_defaults(options);
        return std::string(validate_options(options).error().detail());
    };
    EXPECT_EQ(refusal("https: 1"), "TLS cert and key required for HTTPS");
    EXPECT_EQ(refusal("https_port: 2, http_port: 1"),
              "can't specify both HTTP (1) and HTTPs (2) ports");
}

TEST(Options, LeaveOutWhatIsMerelyAbsentAndKeepItsListener) {
    const auto loaded = load("jetstream: true\nmqtt { port: 8080 }\n"
                             "leafnodes { listen: 127.0.0.1:-1 }\ncluster { name: c }");
    EXPECT_EQ(loaded.notices.size(), 4u);
    EXPECT_EQ(loaded.notices[0],
              "c.conf:1:0: not supported yet: jetstream, line 1; the server starts without it");
    EXPECT_TRUE(loaded.warnings.empty());
    EXPECT_TRUE(loaded.options.jetstream);
    EXPECT_EQ(loaded.options.reserved_listeners,
              (std::vector<reserved_listener>{{listener_kind::mqtt, "", 8080},
                                              {listener_kind::leafnodes, "127.0.0.1", -1}}));
    EXPECT_EQ(complaint("websocket { prt: 1 }"),
              "c.conf:1:12: unknown field \"prt\"; did you mean \"port\"?\n");
}

TEST(Options, RefuseTwoWaysToLogIn) {
    EXPECT_EQ(complaint("authorization { user: a, token: b }"),
              "c.conf:1:0: Cannot have a user/pass and token\n");
    EXPECT_EQ(complaint("authorization { user: a, users [] }"),
              "c.conf:1:0: Can not have a single user/pass and a users array\n");
    EXPECT_EQ(complaint("authorization { users [ {user: a}, {user: a} ] }"),
              "c.conf:1:0: Duplicate user \"a\" detected\n");
}

TEST(Options, BoundTheNumberOfLoopsWhereverItIsSaid) {
    EXPECT_EQ(load("loops: 64").options.loops, 64);
    EXPECT_EQ(complaint("loops: 65"), "c.conf:1:0: \"loops\" must be between 0 and 64\n");
    server_options options;
    options.loops = 65;
    const auto checked = validate_options(options);
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error().detail(), "loops (65) cannot be more than 64");
}

TEST(Options, AreValidatedTogether) {
    const auto complaint_of = [](auto change) {
        server_options options;
        change(options);
        const auto checked = validate_options(options);
        return checked ? std::string() : std::string(checked.error().detail());
    };
    EXPECT_EQ(complaint_of([](auto& o) { o.lame_duck_grace_period = 3min; }),
              "lame duck grace period (3m0s) should be strictly lower than lame duck duration "
              "(2m0s)");
    EXPECT_EQ(complaint_of([](auto& o) { o.max_pending = 1000; }),
              "max_payload (1048576) cannot be higher than max_pending (1000)");
    EXPECT_EQ(complaint_of([](auto& o) { o.no_auth_user = "a"; }),
              "no_auth_user: \"a\" present, but users/nkeys are not defined");
    EXPECT_NE(complaint_of([](auto& o) { o.client_advertise = "a:b:c"; }), "");
    EXPECT_NE(complaint_of([](auto& o) { o.system_account = "A"; }), "");
    EXPECT_EQ(complaint_of([](auto& o) { o.system_account = "$G"; }), "");
}

} // namespace
} // namespace pipit::server
