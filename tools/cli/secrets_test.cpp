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

/// Options that hide something, some of them behind commands.
struct sample {
    std::string text;

    [[nodiscard]] option of(std::string names, secrecy hides) {
        return {
            .names = std::move(names), .value = "V", .help = {}, .set = into(text), .hides = hides};
    }
    command tree() {
        command latency{.name = "latency", .summary = {}};
        latency.options = {of("--server-b", secrecy::urls)};
        command top{.name = "top", .summary = {}};
        top.options = {of("-m,--monitor", secrecy::urls), of("--sort", secrecy::none)};
        command root{.name = "pipit", .summary = {}};
        root.options = {
            of("-s,--server", secrecy::urls),      of("--user", secrecy::whole),
            of("-p,--password", secrecy::whole),   of("--token", secrecy::whole),
            of("--nkey", secrecy::file_of_secret), of("--creds", secrecy::file_of_secret)};
        root.commands = {latency, top};
        return root;
    }
};

using places = std::vector<secret_place>;

places places_in(const std::vector<std::string>& words) {
    sample values;
    return secret_places(values.tree(), words);
}

std::string complaint(const std::vector<std::string>& words) {
    sample values;
    const auto tree = values.tree();
    return parse_arguments(tree, words).complaint;
}

TEST(Secrets, AreFoundInTheWords) {
    EXPECT_EQ(places_in({"pub", "--password", "p4ss", "x"}), (places{{2, 0, 4}}));
    EXPECT_EQ(places_in({"--token=abc", "-pabc", "-p=abc"}),
              (places{{0, 8, 3}, {1, 2, 3}, {2, 3, 3}}));
    EXPECT_EQ(places_in({"-s", "nats://u:p@host:1"}), (places{{1, 7, 3}}));
    EXPECT_EQ(places_in({"-snats://tok@h"}), (places{{0, 9, 3}}));
    EXPECT_EQ(places_in({"pub", "a@b", "nats://host/x", "--user"}), places{});
    EXPECT_EQ(places_in({"pub", "a@b http://c", "nats://u:p@h"}), (places{{2, 7, 3}}));
    // A URL without a scheme, and credentials that are no file.
    EXPECT_EQ(places_in({"-s", "u:p@host:1", "a@b"}), (places{{1, 0, 3}}));
    EXPECT_EQ(places_in({"-su:p@h", "-s=u:p@h", "--server=u:p@a,w:q@b"}),
              (places{{0, 2, 3}, {1, 3, 3}, {2, 9, 9}}));
    EXPECT_EQ(places_in({"-s", "u:p@a,nats://w:q@b"}), (places{{1, 0, 16}}));
    // A password may look like a scheme.
    EXPECT_EQ(places_in({"-s", "u:p://q@h", "-su:p://q@h"}), (places{{1, 0, 7}, {2, 2, 7}}));
    EXPECT_EQ(places_in({"--server=nats://u:p://q@h"}), (places{{0, 16, 7}}));
    EXPECT_EQ(places_in({"--server-b", "u@h", "--monitor", "u:p@h"}),
              (places{{1, 0, 1}, {3, 0, 3}}));
    EXPECT_EQ(places_in({"--creds", "data:;base64,c2Vj"}), (places{{1, 13, 4}}));
}

TEST(Secrets, AreFoundByTheirLooksInTheWords) {
    EXPECT_EQ(places_in({"--nkey", seed, "--nkey=" + seed, "--sort", seed}),
              (places{{1, 0, 58}, {2, 7, 58}, {4, 0, 58}}));
    EXPECT_EQ(places_in({"pub", "a", "S"}), places{});
}

TEST(Secrets, InThePlaceOfTheirFileAreRefusedAndNotShown) {
    const std::string refusal = ": this is a secret itself; name a file that holds it";
    EXPECT_EQ(complaint({"--nkey", seed}), "--nkey" + refusal);
    EXPECT_EQ(complaint({"--creds=file://" + seed}), "--creds" + refusal);
    EXPECT_EQ(complaint({"--nkey", "user.nk", "--creds", "env://MINE"}), "");
}

} // namespace
