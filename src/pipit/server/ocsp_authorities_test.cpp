// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/ocsp_authorities.hpp>

#include <pipit/base/ocsp_limits.hpp>
#include <pipit/server/error.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

namespace pipit::server {
namespace {

using namespace std::chrono_literals;

/// Authorities that answer when the test wants it.
struct OcspAuthorities : testing::Test {
    /// Somebody asks about a certificate; what it is told is in `told`.
    void ask(const std::string& certificate, std::vector<std::string> urls = {"http://a/"},
             const std::string& address = "1.1.1.1", nanoseconds patience = 1h) {
        authorities.ask({.certificate = certificate,
                         .urls = std::move(urls),
                         .request = "q" + certificate,
                         .timeout = 2s},
                        {.from = party(address), .give_up_at = now + patience}, log,
                        [this, certificate](const ocsp_authorities::shared_answer& shared) {
                            const auto& answer = *shared;
                            told.push_back(
                                certificate + ": " +
                                (answer ? *answer : std::string(answer.error().detail())));
                        });
    }
    void answer(const std::string& url, ocsp_reply reply) {
        const auto found = std::ranges::find(asked, url, &question::url);
        ASSERT_NE(found, asked.end()) << url;
        const auto then = std::move(found->then);
        asked.erase(found);
        then(std::move(reply));
    }
    static ocsp_reply says(std::string what) { return {.answer = std::move(what)}; }
    static ocsp_reply refuses() { return {.answer = error(errc::unusable_file, "500")}; }
    static ocsp_reply is_dead() {
        return {.answer = error(errc::unusable_file, "timed out"), .is_reached = false};
    }
    [[nodiscard]] std::vector<std::string> urls() const {
        std::vector<std::string> all;
        for (const auto& each : asked) all.push_back(each.url);
        return all;
    }
    using texts = std::vector<std::string>;

    struct question {
        std::string url;
        ocsp_authorities::fetched then;
    };
    std::vector<question> asked; ///< Those that have not answered yet.
    texts told;
    texts lines;
    steady_time now{};
    logger log{[this](log_level, std::string_view line) { lines.emplace_back(line); }, true};
    ocsp_authorities authorities{
        {.fetch =
             [this](const std::string& url, nanoseconds timeout, ocsp_authorities::fetched then) {
                 EXPECT_EQ(timeout, 2s);
                 asked.push_back({url, std::move(then)});
             },
         .now = [this] { return now; }}};
};

TEST_F(OcspAuthorities, AreAskedOnceForAllWhoWantToKnow) {
    ask("x");
    ask("x");
    EXPECT_EQ(urls(), texts{"http://a/qx"});
    EXPECT_EQ(lines, texts{"Trying OCSP responder url [http://a/]"});
    answer("http://a/qx", says("good"));
    EXPECT_EQ(told, (texts{"x: good", "x: good"}));
    ask("x");
    EXPECT_EQ(urls(), texts{"http://a/qx"}) << "what is kept is kept elsewhere";
}

TEST_F(OcspAuthorities, AreTriedOneAfterTheOther) {
    ask("x", {"http://a", "https://b:1/c"});
    answer("http://a/qx", refuses());
    EXPECT_EQ(urls(), texts{"https://b:1/c/qx"});
    answer("https://b:1/c/qx", says(""));
    EXPECT_EQ(told, texts{"x: exhausted OCSP responders: it says nothing"});
}

TEST_F(OcspAuthorities, AreLeftAloneForAMomentWhenTheyCannotBeReached) {
    ask("x");
    answer("http://a/qx", is_dead());
    ask("y");
    ask("z", {"http://a/", "http://b/"});
    EXPECT_EQ(urls(), texts{"http://b/qz"}) << "another one may be asked";
    EXPECT_EQ(told, (texts{"x: exhausted OCSP responders: timed out",
                           "y: exhausted OCSP responders: timed out"}));
    now += limits::ocsp_failure_memory;
    ask("y");
    answer("http://a/qy", says("good"));
    EXPECT_EQ(told.back(), "y: good");
}

TEST_F(OcspAuthorities, EndTheWaitOfAllWhenTheyCannotBeReached) {
    for (std::size_t i = 0; i < limits::ocsp_questions_of_authority + 2; ++i) {
        ask(std::to_string(i));
    }
    answer("http://a/q0", is_dead());
    EXPECT_EQ(told.size(), 3u) << "the one that was asked, and the two that waited";
}

TEST_F(OcspAuthorities, AreNotDeadWhenOneOfManyAnswersIsLost) {
    ask("x");
    ask("y");
    now += 1s;
    answer("http://a/qy", says("good"));
    answer("http://a/qx", is_dead());
    ask("z");
    EXPECT_EQ(urls(), texts{"http://a/qz"});
    ask("x");
    EXPECT_EQ(told.back(), "x: exhausted OCSP responders: timed out") << "of this one it is known";
}

TEST_F(OcspAuthorities, AreNotAskedAtOnceAgainWhatTheyHaveRefused) {
    ask("x");
    answer("http://a/qx", refuses());
    ask("x");
    EXPECT_EQ(told.size(), 2u);
    ask("y");
    EXPECT_EQ(urls(), texts{"http://a/qy"});
    now += limits::ocsp_failure_memory;
    ask("x");
    EXPECT_EQ(urls(), (texts{"http://a/qy", "http://a/qx"}));
}

TEST_F(OcspAuthorities, HoldUpNobodyWhoNeedsAnotherOne) {
    for (std::size_t i = 0; i < 100; ++i) ask(std::to_string(i));
    EXPECT_EQ(asked.size(), limits::ocsp_questions_of_authority);
    ask("x", {"http://b"});
    answer("http://b/qx", says("good"));
    EXPECT_EQ(told, texts{"x: good"});
    answer("http://a/q0", says("good"));
    EXPECT_EQ(asked.size(), limits::ocsp_questions_of_authority) << "the next one had its turn";
}

TEST_F(OcspAuthorities, AreNotAskedMoreThanIsBoundedTogether) {
    for (std::size_t i = 0; i < limits::ocsp_questions + 10; ++i) {
        ask(std::to_string(i), {"http://" + std::to_string(i)});
    }
    EXPECT_EQ(asked.size(), limits::ocsp_questions);
    while (!asked.empty()) answer(asked.front().url, says("good"));
    EXPECT_EQ(told.size(), limits::ocsp_questions + 10);
}

TEST_F(OcspAuthorities, AreAskedForOnePartyAfterTheOther) {
    for (std::size_t i = 0; i < 100; ++i) ask(std::to_string(i));
    ask("x", {"http://a/"}, "2.2.2.2");
    answer("http://a/q0", says("good"));
    answer("http://a/q1", says("good"));
    const auto open = urls();
    EXPECT_NE(std::ranges::find(open, "http://a/qx"), open.end());
}

TEST_F(OcspAuthorities, AreAskedInTheTurnOfEachPartyThatWantsToKnow) {
    for (std::size_t i = 0; i < 100; ++i) ask(std::to_string(i), {"http://a/", "http://b/"});
    ask("99", {"http://a/", "http://b/"}, "2.2.2.2");
    answer("http://a/q0", says("good"));
    answer("http://a/q1", says("good"));
    EXPECT_TRUE(std::ranges::count(urls(), "http://a/q99")) << "others have asked before";
    now += 1s;
    answer("http://a/q99", is_dead()); // What waits goes on to the other one.
    while (!asked.empty()) answer(asked.front().url, says("good"));
    EXPECT_EQ(told.size(), 101u) << "each is told once";
}

TEST_F(OcspAuthorities, AreNotAskedForWhoHasGivenUp) {
    for (std::size_t i = 0; i < limits::ocsp_questions_of_authority; ++i) ask(std::to_string(i));
    ask("late", {"http://a/"}, "1.1.1.1", 1s);
    now += 2s;
    answer("http://a/q0", says("good"));
    EXPECT_EQ(told, (texts{"0: good", "late: nobody wants to know any more"}));
    EXPECT_EQ(asked.size(), limits::ocsp_questions_of_authority - 1);
}

TEST(RecentFailures, AreBounded) {
    recent_failures failures;
    const steady_time now{};
    for (std::size_t i = 0; i <= limits::ocsp_failures; ++i) {
        failures.put(std::to_string(i), "why", now);
    }
    EXPECT_EQ(failures.find("0", now), nullptr);
    ASSERT_NE(failures.find("1", now), nullptr);
    EXPECT_EQ(*failures.find(std::to_string(limits::ocsp_failures), now), "why");
    EXPECT_EQ(failures.find("1", now + limits::ocsp_failure_memory), nullptr);
}

} // namespace
} // namespace pipit::server
