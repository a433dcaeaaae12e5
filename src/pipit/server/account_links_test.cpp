// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/account_links.hpp>
#include <pipit/server/broker_configuration.hpp>
#include <pipit/server/config_language.hpp>
#include <pipit/server/options_from_config.hpp>

#include <gtest/gtest.h>

#include <algorithm>

namespace {

using namespace pipit;
using namespace pipit::server;
using namespace std::chrono_literals;

result<loaded_options> load(const std::string& text) {
    const auto map = parse_config(text, "c.conf", {});
    return options_from_config(*map, {});
}

std::string complaint(const std::string& text) {
    const auto loaded = load("accounts {\n" + text + "}\n");
    return loaded ? std::string() : std::string(loaded.error().detail());
}

const broker::account_configuration& account(const broker::configuration& configuration,
                                             std::string_view name) {
    return *std::ranges::find(configuration.accounts, name, &broker::account_configuration::name);
}

std::shared_ptr<const broker::configuration> configured(const std::string& text) {
    account_numbers numbers;
    const auto loaded = load(text);
    EXPECT_TRUE(loaded) << (loaded ? "" : loaded.error().detail());
    return *broker_configuration(loaded->options, {}, numbers);
}

TEST(AccountLinks, AreWhatTheFileSays) {
    const auto made = configured(R"(accounts {
      A { exports: [ {stream: "st.*.>"},
                     {service: "req.*", response_type: stream, threshold: "5s", accounts: [B],
                      allow_trace: true},
                     {service: "one", latency: {sampling: "20%", subject: "lat"}} ] }
      B { imports: [ {stream: {account: A, subject: "st.*.>"}, to: "q.$1.>"},
                     {service: {account: A, subject: "req.*"}, to: "ask.*", share: true} ] }
    })");
    const auto& a = account(*made, "A");
    ASSERT_EQ(a.service_exports.size(), 2u);
    const auto& request = a.service_exports[0];
    EXPECT_EQ(request.response, broker::response_type::stream);
    EXPECT_EQ(request.response_threshold, 5s);
    EXPECT_TRUE(request.allow_trace);
    EXPECT_EQ(request.audience.accounts, std::vector{account(*made, "B").id});
    EXPECT_EQ(a.service_exports[1].latency->sampling_percent, 20);

    const auto& b = account(*made, "B");
    ASSERT_EQ(b.stream_imports.size(), 1u);
    EXPECT_EQ(b.stream_imports[0]->exporter, a.id);
    EXPECT_EQ(b.stream_imports[0]->subjects.local(), "q.*.>");
    ASSERT_EQ(b.service_imports.size(), 1u);
    EXPECT_TRUE(b.service_imports[0]->share);
    EXPECT_EQ(b.service_imports[0]->subjects.local(), "ask.*");
}

TEST(AccountLinks, TakeAPrefixInThePlaceOfASubject) {
    const auto made = configured(R"(accounts {
      A { exports: [ {stream: "s.>"} ] }
      B { imports: [ {stream: {account: A, subject: "s.>"}, prefix: "p"} ] } })");
    EXPECT_EQ(account(*made, "B").stream_imports[0]->subjects.local(), "p.s.>");
}

TEST(AccountLinks, AreRefusedInTheWordsThatPeopleKnow) {
    const std::pair<const char*, const char*> cases[] = {
        {"A { exports: [ {service: r, accounts: [X]} ] }",
         "\"X\" account not defined for service export"},
        {"A { imports: [ {stream: {account: X, subject: s}} ] }",
         "\"X\" account not defined for stream import"},
        {"A {}, B { imports: [ {stream: {account: A, subject: s}} ] }",
         "Error adding stream import \"s\": stream import not authorized"},
        {"A { exports: [ {service: r, accounts: [A]} ] },\n"
         "B { imports: [ {service: {account: A, subject: r}} ] }",
         "Error adding service import \"r\": service import not authorized"},
        {"A { exports: [ {service: \"r.*\", account_token_position: 2} ] },\n"
         "B { imports: [ {service: {account: A, subject: \"r.C\"}} ] }",
         "Error adding service import \"r.C\": service import not authorized"},
        {"A { exports: [ {service: \"r.x\", account_token_position: 2} ] }",
         "Error adding service export \"r.x\": invalid subject"},
        {"A { exports: [ {service: r} ], imports: [ {service: {account: B, subject: r}} ] },\n"
         "B { exports: [ {service: r} ], imports: [ {service: {account: A, subject: r}} ] }",
         "import forms a cycle"},
        {"A { exports: [ {stream: s} ], imports: [ {stream: {account: B, subject: s}} ] },\n"
         "B { exports: [ {stream: s} ], imports: [ {stream: {account: A, subject: s}} ] }",
         "import forms a cycle"},
        {"A { exports: [ {stream: s} ] },\n"
         "B { imports: [ {stream: {account: A, subject: s}}, {stream: {account: A, subject: s},\n"
         "to: t} ] }",
         "Error adding stream import \"s\": stream import already exists"},
        {"A { exports: [ {stream: s} ] },\n"
         "B { imports: [ {stream: {account: A, subject: s}, prefix: \"p.*\"} ] }",
         "Error adding stream import \"s\": stream import prefix can not contain wildcard tokens"},
        {"A { exports: [ {stream: s} ] },\n"
         "B { imports: [ {stream: {account: A, subject: s}, prefix: p, to: t} ] }",
         "Stream import can not have a 'prefix' and a 'to' property"},
        {"A { exports: [ {service: r, latency: \"l.*\"} ] }",
         "Error adding service latency sampling for \"r\" on subject \"l.*\": invalid publish "
         "subject"},
        {"A { exports: [ {service: r, response: stream, latency: l} ] }",
         "Error adding service latency sampling for \"r\" on subject \"l\": bad service response "
         "type"},
        {"A { exports: [ {service: r, latency: {subject: l, sampling: 101}} ] }",
         "bad sampling percentage, should be 1-100"},
        {"A { exports: [ {stream: s, response: stream} ] }",
         "Detected response directive on non-service"},
        {"A { exports: [ {stream: s, service: r} ] }",
         "Detected service \"r\" but already saw a stream"},
        {"A { exports: [ {service: r, response: twice} ] }", "Unknown response type: \"twice\""},
        {"A { exports: [ {stream: \"s.*\"} ] },\n"
         "B { imports: [ {stream: {account: A, subject: \"s.*\"}, to: t} ] }",
         "not using all of the token wildcard(s) in t"},
    };
    for (const auto& [text, wanted] : cases) {
        EXPECT_NE(complaint(text).find(wanted), std::string::npos) << text << "\n"
                                                                   << complaint(text);
    }
}

TEST(AccountLinks, ComeInAnyOrderOfTheAccounts) {
    EXPECT_EQ(complaint("B { imports: [ {service: {account: A, subject: r}} ] },\n"
                        "A { exports: [ {service: r} ] }"),
              "");
}

} // namespace
