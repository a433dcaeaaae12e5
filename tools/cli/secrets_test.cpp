// SPDX-License-Identifier: Apache-2.0
#include <cli/arguments.hpp>
#include <cli/secrets.hpp>

#include <gtest/gtest.h>

namespace {

using namespace pipit::cli;

const std::string seed = "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY";

TEST(Secrets, AreKnownByTheirLooks) {
    EXPECT_TRUE(looks_secret(seed));
    EXPECT_TRUE(looks_secret(" " + seed + "\n"));
    EXPECT_TRUE(looks_secret(seed.substr(0, 50) + "0"));
    EXPECT_TRUE(looks_secret("file://" + seed));
    EXPECT_TRUE(looks_secret("env://" + seed));
    EXPECT_TRUE(looks_secret("eyJ0eXAiOiJKV1QiLCJhbGciOiJlZDI1NTE5LW5rZXkifQ.e30.x"));
    EXPECT_TRUE(looks_secret("-----BEGIN NATS USER JWT-----\neyJ0eXAiOiJKV1Qi"));
    for (const auto* path :
         {"", "S", "user.nk", "/home/S/Seeds.nk", "SEED", "env://SEED", "file://SEED",
          "Secrets/of-a-user-whose-name-is-long/user-of-the-account.creds"}) {
        EXPECT_FALSE(looks_secret(path)) << path;
    }
}

TEST(Secrets, AreNotShown) {
    EXPECT_EQ(quoted_unless_secret(seed), "this");
    EXPECT_EQ(quoted_unless_secret("data:;base64,c2Vj"), "this");
    EXPECT_EQ(quoted_unless_secret("nats://u:p@h"), "'nats://h'");
    EXPECT_EQ(quoted_unless_secret("u:p@h:99999999"), "'h:99999999'");
    EXPECT_EQ(quoted_unless_secret("u@h"), "'u@h'");
    EXPECT_EQ(quoted_unless_secret("x"), "'x'");
}

TEST(Secrets, AreFoundByTheirLooksInTheWords) {
    using places = std::vector<secret_place>;
    EXPECT_EQ(secret_places({"--nkey", seed, "--nkey=" + seed}), (places{{1, 0, 58}, {2, 7, 58}}));
    EXPECT_EQ(secret_places({"pub", "a", "S"}), places{});
}

} // namespace
