// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/reload_difference.hpp>

#include <pipit/server/error.hpp>

#include <gtest/gtest.h>

namespace pipit::server {
namespace {

/// What a reload of `after` by a server that runs with `before` comes to: the texts for the log,
/// or the error.
std::vector<std::string> reload(const std::string& before, const std::string& after,
                                std::vector<std::string> arguments = {}) {
    arguments.insert(arguments.end(), {"-c", "c.conf"});
    const auto line = parse_command_line(arguments).value();
    std::string text = before;
    config_source source;
    source.read_file = [&](const std::string&) -> result<std::string> { return text; };
    const auto current = load_options(line, source).value().options;
    text = after;
    const auto plan = plan_reload(current, line, source);
    if (!plan) return {std::string(plan.error().detail())};
    std::vector<std::string> texts;
    for (const auto& change : plan->changes) texts.push_back(change.text);
    return texts;
}

using texts = std::vector<std::string>;
const texts nothing = {"Reloaded: authorization users", "Reloaded: accounts"};

TEST(Reload, SaysThatUsersAndAccountsWereReloadedEvenWhenNothingChanged) {
    EXPECT_EQ(reload("port: 1", "port: 1"), nothing);
}

TEST(Reload, SaysEveryChangeInNatsServersWordsAndOrder) {
    const auto changes = reload("max_payload: 10", R"(
        debug: true, trace: true, logtime: false, log_file: l, max_connections: 5
        client_advertise: "a:1", ping_interval: "90s", ping_max: 3, max_control_line: 9
        max_payload: 20, write_deadline: "1.5s", pid_file: p, ports_file_dir: d
        authorization { user: u, password: p, timeout: 1.5 }, server_tags: t
        server_metadata { a: b }, max_traced_msg_len: 4, connect_error_reports: 6
        no_fast_producer_stall: true
    )");
    EXPECT_EQ(changes, (texts{"Reload: client_advertise = a:1",
                              "Reloaded: trace = true",
                              "Reloaded: debug = true",
                              "Reloaded: logtime = false",
                              "Reloaded: max_connections = 5",
                              "Reloaded: authorization users",
                              "Reloaded: accounts",
                              "Reloaded: authorization username",
                              "Reloaded: authorization password",
                              "Reloaded: ping_interval = 1m30s",
                              "Reloaded: ping_max = 3",
                              "Reloaded: authorization timeout = 1.5",
                              "Reloaded: max_control_line = 9",
                              "Reloaded: max_payload = 20",
                              "Reloaded: fast producers will not be stalled",
                              "Reloaded: pid_file = p",
                              "Reloaded: ports_file_dir = d",
                              "Reloaded: log_file = l",
                              "Reloaded: write_deadline = 1.5s",
                              "Reloaded: max_traced_msg_len = 4",
                              "Reloaded: connect_error_reports = 6",
                              "Reloaded: tags",
                              "Reloaded: metadata"}));
}

TEST(Reload, NeverSaysASecret) {
    for (const auto& text :
         reload("authorization { token: before }", "authorization { token: after }")) {
        EXPECT_EQ(text.find("before"), std::string::npos);
        EXPECT_EQ(text.find("after"), std::string::npos);
    }
}

TEST(Reload, RefusesWhatNeedsARestart) {
    const auto refusal = [](const char* before, const char* after) {
        const auto answer = reload(before, after);
        return answer.size() == 1 ? answer[0] : "no refusal";
    };
    const std::string start = "config reload not supported for ";
    EXPECT_EQ(refusal("server_name: a", "server_name: b"), start + "ServerName: old=a, new=b");
    EXPECT_EQ(refusal("port: 1", "port: 2"), start + "Port: old=1, new=2");
    EXPECT_EQ(refusal("http: 1", "http: 2"), start + "HTTPPort: old=1, new=2");
    EXPECT_EQ(refusal("max_subs: 1", "max_subs: 2"), start + "MaxSubs: old=1, new=2");
    EXPECT_EQ(refusal("lame_duck_duration: \"1m\"", "lame_duck_duration: \"2m\""),
              start + "LameDuckDuration: old=1m0s, new=2m0s");
    EXPECT_EQ(refusal("write_timeout: retry", ""), start + "WriteTimeout: old=retry, new=");
    EXPECT_EQ(refusal("feature_flags { a: true }", ""),
              start + "FeatureFlags: old=map[a:true], new=map[]");
    EXPECT_EQ(refusal("websocket { port: 1, no_tls: true }", "websocket { port: 2, no_tls: true }"),
              start + "Websocket: old=0.0.0.0:1, new=0.0.0.0:2");
    EXPECT_EQ(refusal("mqtt { port: 1 }", "mqtt { port: 2 }"),
              start + "listeners: old=[0.0.0.0:1], new=[0.0.0.0:2]");
    EXPECT_EQ(refusal("accounts [A, B], system_account: A", "accounts [A, B], system_account: B"),
              start + "SystemAccount: old=A, new=B");
}

TEST(Reload, LetsARandomPortBeTheOneThatWasFound) {
    EXPECT_EQ(reload("port: -1", "port: -1"), nothing);
    EXPECT_EQ(reload("leafnodes { port: -1 }", "leafnodes { port: -1 }"), nothing);
    EXPECT_EQ(reload("ws { port: 1, no_tls: true }", "ws { port: -1, no_tls: true }"), nothing);
    EXPECT_NE(reload("port: -1", "port: 5"), nothing);
}

TEST(Reload, LetsAUserGoTogetherWithBeingEverybodys) {
    EXPECT_EQ(reload("authorization { users [ {user: a} ] }, no_auth_user: a",
                     "authorization { users [ {user: b} ] }"),
              nothing);
    EXPECT_EQ(reload("authorization { users [ {user: a} ] }, no_auth_user: a",
                     "authorization { users [ {user: a} ] }"),
              texts{"config reload not supported for NoAuthUser: old=a, new="});
}

TEST(Reload, HasNothingToWriteWithoutAPidFile) {
    EXPECT_EQ(reload("pid_file: p", ""), nothing);
    EXPECT_EQ(reload("", "pid_file: p").back(), "Reloaded: pid_file = p");
}

TEST(Reload, SaysWhichProxiesCameAndWent) {
    const std::string one = "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4";
    const std::string other = "UCARKS2E3KVB7YORL2DG34XLT7PUCOL2SVM7YXV6ETHLW6Z46UUJ2VZ3";
    const auto trusting = [](const std::string& key) {
        return "proxies { trusted: [ {key: " + key + "} ] }";
    };
    const auto line = [&](const std::string& key, const char* what) {
        return "Reloaded: proxies trusted keys [\"" + key + "\"] were " + what;
    };
    auto expected = nothing;
    expected.insert(expected.end(), {line(one, "removed"), line(other, "added")});
    EXPECT_EQ(reload(trusting(one), trusting(other)), expected);
    EXPECT_EQ(reload("", trusting(one)).back(), line(one, "added"));
    EXPECT_EQ(reload(trusting(one), "").back(), line(one, "removed"));
    EXPECT_EQ(reload("", "proxies {}"), nothing);
    EXPECT_EQ(
        reload("authorization { token: t }", "authorization { token: t, proxy_required: true }"),
        texts{"config reload not supported for ProxyRequired: old=false, new=true"});
}

TEST(Reload, KeepsTheFlags) {
    EXPECT_EQ(reload("debug: true", "debug: false, port: 5", {"-D", "-p", "5222"}), nothing);
}

TEST(Reload, RefusesAFileThatIsWrong) {
    EXPECT_EQ(reload("port: 1", "prot: 1"),
              texts{"c.conf:1:0: unknown field \"prot\"; did you mean \"port\"?\n"});
    EXPECT_EQ(reload("port: 1", "port: 1, max_pending: 5"),
              texts{"max_payload (1048576) cannot be higher than max_pending (5)"});
    const auto without = plan_reload({}, parse_command_line({}).value(), {});
    EXPECT_EQ(without.error().detail(),
              "can only reload config when a file is provided using -c or --config");
}

TEST(Reload, EndsWithTheDigestOfWhatItRead) {
    const auto line = parse_command_line({"-c", "c.conf"}).value();
    config_source source;
    source.read_file = [&](const std::string&) -> result<std::string> { return "port: 1"; };
    const auto plan = plan_reload(load_options(line, source).value().options, line, source).value();
    EXPECT_EQ(plan.done_text,
              "Reloaded server configuration (" + plan.next.options.config_digest + ")");
}

} // namespace
} // namespace pipit::server
