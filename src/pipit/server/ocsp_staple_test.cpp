// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/ocsp_staple.hpp>

#include <pipit/auth/test_ocsp.hpp>
#include <pipit/server/error.hpp>
#include <support/temporary_folder.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>

namespace pipit::server {
namespace {

using auth::ocsp_status;
using auth::test::answer_wishes;
using auth::test::make_answer;
using auth::test::make_holder;
using std::chrono::seconds;

struct OcspStaple : testing::Test {
    ocsp_staple make(std::string kept_in = {}) {
        return ocsp_staple(
            {.link = auth::test::link_of(own, issuer),
             .urls = urls,
             .file = "cert.pem",
             .kept_in = std::move(kept_in)},
            {.fetch = [this](const std::string& url, const auto& body) -> result<std::string> {
                 asked.push_back((body ? "POST " : "GET ") + url.substr(0, 8));
                 if (answer.empty() || (body && refuses_post)) {
                     return error(errc::unusable_file, "no");
                 }
                 return answer;
             },
             .now = [this] { return wall_time(seconds(std::time(nullptr) + later)); }});
    }
    void says(const answer_wishes& wishes) { answer = make_answer(own, issuer, issuer, wishes); }

    auth::test::holder issuer = make_holder({.name = "Authority"});
    auth::test::holder own = make_holder({.name = "server"}, &issuer);
    const support::temporary_folder temporary;
    std::filesystem::path folder = temporary.path();
    std::vector<std::string> urls{"http://a/"};
    std::string answer = make_answer(own, issuer, issuer);
    std::vector<std::string> asked;
    bool refuses_post = false;
    long later = 0;
};

TEST_F(OcspStaple, ShowsWhatItsAuthoritySaysWhileThatHolds) {
    auto staple = make();
    int calls = 0;
    staple.when_late([&] { ++calls; });
    EXPECT_FALSE(staple.now());
    ASSERT_TRUE(staple.find());
    ASSERT_TRUE(staple.now());
    EXPECT_EQ(*staple.now(), answer);
    ASSERT_TRUE(staple.find());
    EXPECT_EQ(asked, std::vector<std::string>{"POST http://a"}) << "it is known";
    later = 4000;
    EXPECT_EQ(std::exchange(calls, 0), 1);
    EXPECT_FALSE(staple.now());
    EXPECT_FALSE(staple.now());
    EXPECT_EQ(calls, 1) << "once is enough";
}

TEST_F(OcspStaple, IsAskedForAgainAfterHalfItsTime) {
    auto staple = make();
    ASSERT_TRUE(staple.find());
    EXPECT_NEAR(std::chrono::duration<double>(staple.rest()).count(), 1800, 10);
    later = 4000;
    EXPECT_EQ(staple.rest(), seconds(120));
    later = 0;
    says({.seconds_until = std::nullopt});
    ASSERT_TRUE(staple.ask());
    EXPECT_EQ(staple.rest(), std::chrono::hours(24));
}

TEST_F(OcspStaple, AsksByGetWhereAPostIsRefusedAndThenTheNextPlace) {
    refuses_post = true;
    auto staple = make();
    ASSERT_TRUE(staple.find());
    EXPECT_EQ(asked, (std::vector<std::string>{"POST http://a", "GET http://a"}));
    answer.clear();
    asked.clear();
    urls = {"http://a", "http://b"};
    auto other = make();
    const auto failed = other.find();
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().detail(), "exhausted ocsp servers: no\nno");
    EXPECT_EQ(asked.size(), 4u);
    urls.clear();
    EXPECT_EQ(make().find().error().detail(), "no available ocsp servers");
}

TEST_F(OcspStaple, TakesNoAnswerThatDoesNotHoldOrIsNone) {
    auto staple = make();
    ASSERT_TRUE(staple.find());
    for (const auto& wishes : {answer_wishes{.seconds_from = -600, .seconds_until = -10},
                               answer_wishes{.seconds_from = 60}}) {
        says(wishes);
        EXPECT_FALSE(staple.ask());
    }
    answer = make_answer(own, issuer, make_holder({}));
    EXPECT_FALSE(staple.ask());
    EXPECT_TRUE(staple.now()) << "the last good one stays";
    says({.status = V_OCSP_CERTSTATUS_REVOKED});
    EXPECT_EQ(staple.ask().value().status, ocsp_status::revoked);
    EXPECT_EQ(*staple.now(), answer) << "the client decides";
}

TEST_F(OcspStaple, KeepsItsAnswerInAFileAndDoesNotBelieveTheFile) {
    const auto path = (folder / "kept").string();
    ASSERT_TRUE(make(path).find());
    asked.clear();
    EXPECT_TRUE(make(path).find());
    EXPECT_TRUE(asked.empty());
    std::ofstream(path) << make_answer(own, issuer, make_holder({}));
    EXPECT_TRUE(make(path).find());
    EXPECT_EQ(asked.size(), 1u);
    later = 3000;
    says({.seconds_until = 7200});
    later = 4000;
    EXPECT_TRUE(make(path).find());
    EXPECT_EQ(asked.size(), 2u) << "it was too old";
}

} // namespace
} // namespace pipit::server
