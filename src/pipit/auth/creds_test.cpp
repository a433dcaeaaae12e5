// SPDX-License-Identifier: Apache-2.0
#include <pipit/auth/creds.hpp>
#include <pipit/base/limits.hpp>

#include <gtest/gtest.h>

#include <algorithm>

namespace {

using namespace pipit;

/// The seed 0, 1, 2, … 31 of a user.
constexpr std::string_view seed_text = "SUAAAAICAMCAKBQHBAEQUCYMBUHA6EARCIJRIFIWC4MBSGQ3DQOR4H776Y";
constexpr std::string_view curve_seed_text =
    "SXAAAAICAMCAKBQHBAEQUCYMBUHA6EARCIJRIFIWC4MBSGQ3DQOR4H74KM";

std::string creds_file(std::string_view jwt, std::string_view seed) {
    return "-----BEGIN NATS USER JWT-----\n" + std::string(jwt) +
           "\n------END NATS USER JWT------\n\n"
           "************************* IMPORTANT *************************\n"
           "NKEY Seed printed below can be used to sign and prove identity.\n\n"
           "-----BEGIN USER NKEY SEED-----\n" +
           std::string(seed) + "\n------END USER NKEY SEED------\n\n****\n";
}

TEST(Creds, HoldAJwtAndASeed) {
    const auto creds = auth::read_creds(creds_file("eyJ0.eyJq-_.c2ln", seed_text));
    ASSERT_TRUE(creds) << creds.error().message();
    EXPECT_EQ(creds->jwt, "eyJ0.eyJq-_.c2ln");
    EXPECT_EQ(auth::encode(creds->seed), seed_text);
}

TEST(Creds, MayHaveBeenWrittenOnAnotherSystem) {
    auto text = creds_file("a.b.c", seed_text);
    for (auto at = text.find('\n'); at != std::string::npos; at = text.find('\n', at + 2)) {
        text.insert(at, 1, '\r');
    }
    const auto creds = auth::read_creds("  \r\n" + text);
    ASSERT_TRUE(creds) << creds.error().message();
    EXPECT_EQ(creds->jwt, "a.b.c");
}

TEST(Creds, SayWhatIsMissing) {
    EXPECT_EQ(auth::read_creds("").error(), auth::errc::invalid_creds);
    EXPECT_EQ(auth::read_creds("no dashes\nat all\n").error(), auth::errc::invalid_creds);
    const auto jwt_alone = auth::read_creds("---a---\na.b.c\n---b---\n");
    EXPECT_EQ(jwt_alone.error(), auth::errc::invalid_creds);
    EXPECT_NE(jwt_alone.error().message().find("seed"), std::string::npos);
    EXPECT_EQ(auth::read_creds(creds_file("a b", seed_text)).error(), auth::errc::invalid_creds);
    EXPECT_FALSE(auth::read_creds(creds_file("a.b.c", "SUAAA")));
}

TEST(Creds, NeverShowTheSeedInAnError) {
    const auto mistyped = std::string(seed_text.substr(0, 57)) + "A";
    const auto creds = auth::read_creds(creds_file("a.b.c", mistyped));
    ASSERT_FALSE(creds);
    EXPECT_EQ(creds.error().message().find(mistyped.substr(0, 10)), std::string::npos);
}

TEST(Creds, AreBounded) {
    EXPECT_EQ(auth::read_creds(std::string(limits::creds_file_bytes + 1, '-')).error(),
              auth::errc::invalid_creds);
    EXPECT_EQ(auth::read_seed(std::string(limits::creds_file_bytes + 1, '\n')).error(),
              auth::errc::invalid_creds);
}

TEST(Creds, CutAtAnyByteAreRefusedOrHoldTheSame) {
    const auto whole = creds_file("a.b.c", seed_text);
    for (std::size_t size = 0; size < whole.size(); ++size) {
        const auto creds = auth::read_creds(std::string_view(whole).substr(0, size));
        if (creds) {
            EXPECT_EQ(auth::encode(creds->seed), seed_text);
        }
    }
}

TEST(SeedFile, HoldsASeedAloneOrIsACredsFile) {
    for (const auto& text :
         {"\n  " + std::string(seed_text) + "\r\n\n", std::string(seed_text),
          creds_file("a.b.c", seed_text), "---x---\n" + std::string(seed_text) + "\n---y---\n"}) {
        const auto seed = auth::read_seed(text);
        ASSERT_TRUE(seed) << text;
        EXPECT_EQ(auth::encode(*seed), seed_text);
    }
    EXPECT_EQ(auth::read_seed(" \n\n").error(), auth::errc::invalid_creds);
    EXPECT_EQ(auth::read_seed(curve_seed_text).error(), auth::errc::invalid_nkey_prefix);
}

TEST(Nonce, IsSignedAsBase64UrlWithoutPadding) {
    const auto seed = auth::read_seed(seed_text).value();
    const auto signature = auth::sign_nonce(seed, "nonce");
    EXPECT_EQ(signature, "-HTq4d6DDHVNb8MsTRAZtSIa0vXA_yuZblwTA7JT5wYzmKBxJ2wpYfjHh7hcptZlidbVw_6ZL"
                         "yubjm_yDk-OCQ");
}

} // namespace
