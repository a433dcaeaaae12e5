// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/ocsp_peers.hpp>

#include <pipit/auth/test_ocsp.hpp>
#include <pipit/base/base64.hpp>
#include <pipit/base/percent_encoding.hpp>
#include <pipit/server/error.hpp>

#include <gtest/gtest.h>

#include <ctime>
#include <functional>
#include <map>

namespace pipit::server {
namespace {

using auth::test::answer_wishes;
using auth::test::make_answer;
using auth::test::make_holder;

std::vector<std::pair<int, std::string>> asked_at(const std::string& urls) {
    return {{NID_info_access, urls}};
}

/// A client, the authority between, and the one that is trusted; the first two can be asked about.
struct OcspPeers : testing::Test {
    bool judge(const ocsp_peer_options& how = {.verify = true}) {
        ocsp_inquiry inquiry(world, cache ? &*cache : nullptr, log, chains, how);
        auto outcome = inquiry.go_on();
        for (; !outcome; outcome = inquiry.go_on()) inquiry.answer(ask(inquiry.question()));
        return *outcome;
    }
    result<std::string> ask(const ocsp_question& question) {
        const auto request = percent_decoded(question.request);
        EXPECT_TRUE(request && from_base64(*request));
        EXPECT_EQ(question.timeout, std::chrono::seconds(2));
        EXPECT_EQ(question.urls.size(), 1u);
        auto url = question.urls.front();
        if (url.ends_with('/')) url.pop_back();
        asked.push_back(url);
        const auto found = answers.find(url);
        if (found == answers.end()) return error(errc::unusable_file, "nobody is there");
        return found->second;
    }
    void answer(const std::string& url, std::string der) { answers[url] = std::move(der); }
    void keep() {
        cache.emplace(ocsp_cache_options{}, log); // Never saved.
    }

    auth::test::holder root = make_holder({.name = "Root"});
    auth::test::holder between =
        make_holder({.name = "Between",
                     .extensions = {{NID_basic_constraints, "critical,CA:TRUE"},
                                    {NID_info_access, "OCSP;URI:http://root/"}}},
                    &root);
    auth::test::holder client = make_holder(
        {.name = "client", .extensions = asked_at("OCSP;URI:http://between")}, &between);
    net::certificate_chains chains{{client.der(), between.der(), root.der()}};

    std::map<std::string, std::string> answers{
        {"http://root", make_answer(between, root, root)},
        {"http://between", make_answer(client, between, between)}};
    std::vector<std::string> asked;
    std::vector<ocsp_event> events;
    std::vector<std::string> reasons;
    std::vector<std::string> warnings;
    std::optional<ocsp_cache> cache;
    long later = 0; ///< In seconds.
    logger log{[this](log_level level, std::string_view line) {
        if (level != log_level::info) warnings.emplace_back(line);
    }};
    ocsp_dependencies world{
        .now = [this] { return wall_time(std::chrono::seconds(std::time(nullptr) + later)); },
        .tell =
            [this](const ocsp_event& event) {
                events.push_back(event);
                reasons.emplace_back(event.reason);
            }};
};

TEST_F(OcspPeers, LetInWhomAllAuthoritiesCallGood) {
    EXPECT_TRUE(judge());
    EXPECT_EQ(asked, (std::vector<std::string>{"http://between", "http://root"}));
    EXPECT_TRUE(events.empty());
    EXPECT_TRUE(warnings.empty());
}

TEST_F(OcspPeers, WhoCannotBeAskedAboutIsLetIn) {
    const auto plain = make_holder({}, &root);
    chains = {{plain.der(), root.der()}};
    EXPECT_TRUE(judge());
    chains = {{client.der()}};
    EXPECT_TRUE(judge()) << "it is trusted by itself";
    EXPECT_TRUE(asked.empty());
    chains = {};
    EXPECT_FALSE(judge());
}

TEST_F(OcspPeers, RefuseWhoseAuthoritiesCannotBeRead) {
    const std::pair<int, std::string> one(NID_info_access, "OCSP;URI:http://root");
    const auto twice = make_holder({.extensions = {one, one}}, &root);
    chains = {{twice.der(), root.der()}};
    EXPECT_FALSE(judge({.verify = true, .warn_only = true}));
    EXPECT_EQ(reasons.at(0), "Unreadable OCSP responders: CN=client");
    EXPECT_TRUE(asked.empty());
}

TEST_F(OcspPeers, RefuseWhomAnAuthorityHasCalledBackAndTellWhy) {
    answer("http://between",
           make_answer(client, between, between, {.status = V_OCSP_CERTSTATUS_REVOKED}));
    EXPECT_FALSE(judge());
    ASSERT_EQ(events.size(), 2u);
    EXPECT_TRUE(events[0].is_about_link);
    EXPECT_EQ(events[0].link, client.der());
    EXPECT_EQ(reasons[0], "Invalid OCSP response status: revoked");
    EXPECT_FALSE(events[1].is_about_link);
    EXPECT_EQ(events[1].peer, client.der());
    EXPECT_EQ(reasons[1], "client not OCSP valid");
    EXPECT_EQ(warnings[0], "OCSP verify fail for [CN=client] with CA status [revoked]");

    EXPECT_TRUE(judge({.verify = true, .warn_only = true}));
    chains.insert(chains.begin(), {client.der(), make_holder({}).der()});
    chains.push_back({client.der()});
    EXPECT_TRUE(judge()) << "one good chain is enough";
}

TEST_F(OcspPeers, RefuseWhomAnAuthorityBetweenIsCalledBackFor) {
    answer("http://root", make_answer(between, root, root, {.status = V_OCSP_CERTSTATUS_REVOKED}));
    EXPECT_FALSE(judge());
    EXPECT_EQ(events.at(0).link, between.der());
    EXPECT_EQ(events.at(0).peer, client.der());
}

TEST_F(OcspPeers, UnknownIsGoodIfItIsSaidSo) {
    answer("http://between",
           make_answer(client, between, between, {.status = V_OCSP_CERTSTATUS_UNKNOWN}));
    EXPECT_FALSE(judge());
    EXPECT_TRUE(judge({.verify = true, .unknown_is_good = true}));
}

TEST_F(OcspPeers, RefuseWhenNobodyAnswersUnlessTheyAreToldNotTo) {
    answers.erase("http://between");
    EXPECT_FALSE(judge());
    EXPECT_EQ(reasons.at(0), "Failed OCSP response fetch");
    EXPECT_EQ(warnings.at(0), "Attempt to obtain OCSP response from CA responder for [CN=client] "
                              "failed: nobody is there");
    EXPECT_TRUE(judge({.verify = true, .warn_only = true}));
    EXPECT_TRUE(judge({.verify = true, .allow_when_ca_unreachable = true}));
}

TEST_F(OcspPeers, RefuseAnswersThatAreNone) {
    for (const auto& bad : {std::string("nonsense"), make_answer(between, root, root),
                            make_answer(client, between, make_holder({.name = "Stranger"}))}) {
        answer("http://between", bad);
        reasons.clear();
        EXPECT_FALSE(judge());
        EXPECT_EQ(reasons.at(0), "Failed OCSP response parse");
        EXPECT_TRUE(judge({.verify = true, .warn_only = true}));
        EXPECT_FALSE(judge({.verify = true, .allow_when_ca_unreachable = true}));
    }
    answer("http://between", make_answer(client, between, make_holder({}, &between)));
    reasons.clear();
    EXPECT_FALSE(judge());
    EXPECT_EQ(reasons.at(0), "Invalid OCSP response delegation: CN=client");
}

TEST_F(OcspPeers, TakeAnAnswerForAsLongAsItHolds) {
    const auto outcome = [&](const answer_wishes& wishes, ocsp_peer_options how = {}) {
        how.verify = true;
        answer("http://between", make_answer(client, between, between, wishes));
        return judge(how);
    };
    using std::chrono::seconds;
    EXPECT_FALSE(outcome({.seconds_from = -600, .seconds_until = -60}));
    EXPECT_EQ(reasons.at(0), "OCSP response not in effectivity window");
    EXPECT_TRUE(outcome({.seconds_from = -600, .seconds_until = -20})) << "clocks differ";
    EXPECT_TRUE(
        outcome({.seconds_from = -600, .seconds_until = -60}, {.allowed_clockskew = seconds(100)}));
    EXPECT_FALSE(outcome({.seconds_from = 60}));
    EXPECT_TRUE(outcome({.seconds_from = 20}));
    EXPECT_TRUE(outcome({.seconds_from = -600, .seconds_until = std::nullopt}));
    EXPECT_FALSE(outcome({.seconds_from = -600, .seconds_until = std::nullopt},
                         {.cache_ttl_when_next_update_unset = seconds(60)}));
}

TEST_F(OcspPeers, AskOnceWhileAnAnswerIsKept) {
    keep();
    EXPECT_TRUE(judge());
    EXPECT_TRUE(judge());
    EXPECT_EQ(asked.size(), 2u);
    auto counted = cache->statistics();
    EXPECT_EQ(counted.hits, 2);
    EXPECT_EQ(counted.misses, 2);
    EXPECT_EQ(counted.goods, 2);
    later = 4000;
    answers.clear();
    EXPECT_FALSE(judge()) << "what is kept does not hold any more";
    EXPECT_EQ(cache->statistics().responses, 1);
}

TEST_F(OcspPeers, RememberWhoWasCalledBackWhenNobodyAnswers) {
    keep();
    answer("http://between",
           make_answer(client, between, between, {.status = V_OCSP_CERTSTATUS_REVOKED}));
    EXPECT_FALSE(judge());
    later = 4000;
    answers.erase("http://between");
    EXPECT_FALSE(judge({.verify = true, .allow_when_ca_unreachable = true}));
}

TEST_F(OcspPeers, DoNotBelieveWhatIsKept) {
    keep();
    const auto forged = make_holder({.name = "Between"});
    cache->put(certificate_fingerprint(client.der()),
               {.subject = "CN=client",
                .cached_at = "",
                .status = auth::ocsp_status::good,
                .expires = "",
                .answer = make_answer(client, between, forged)});
    answer("http://between",
           make_answer(client, between, between, {.status = V_OCSP_CERTSTATUS_REVOKED}));
    EXPECT_FALSE(judge());
}

} // namespace
} // namespace pipit::server
