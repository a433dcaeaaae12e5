// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/ocsp_options.hpp>

#include <pipit/net/test_certificates.hpp>
#include <pipit/server/options_from_config.hpp>

#include <gtest/gtest.h>

namespace pipit::server {
namespace {

using namespace std::chrono_literals;
using policy = ocsp_staple_options::policy;

/// What a text says, or what is wrong with it.
result<server_options> load(std::string_view text) {
    const auto map = parse_config(text, "c.conf", config_source{});
    auto loaded = options_from_config(map.value());
    if (!loaded) return loaded.error();
    return std::move(loaded->options);
}
std::string complaint(std::string_view text) {
    const auto loaded = load(text);
    return loaded ? "no complaint" : std::string(loaded.error().detail());
}

struct OcspOptions : testing::Test {
    [[nodiscard]] std::string block(std::string_view peer) const {
        return "tls { cert_file: \"" + pair.certificate_file + "\", key_file: \"" + pair.key_file +
               "\", verify: true, ocsp_peer" + std::string(peer) + " }";
    }
    [[nodiscard]] ocsp_peer_options peer(std::string_view text) const {
        return load(block(text)).value().tls.value().ocsp_peer.value();
    }

    net::test::authority issuer;
    net::tls_key_pair pair = issuer.issue();
};

TEST_F(OcspOptions, AskAboutPeersAsABlockSays) {
    EXPECT_EQ(peer(": true"), ocsp_peer_options{.verify = true});
    EXPECT_EQ(peer(": false"), ocsp_peer_options{});
    EXPECT_EQ(peer(" { ca_timeout: -1, allowed_clockskew: \"-5s\" }"), ocsp_peer_options{});
    const ocsp_peer_options all{.verify = true,
                                .ca_timeout = 500ms,
                                .allowed_clockskew = 1min,
                                .warn_only = true,
                                .unknown_is_good = true,
                                .allow_when_ca_unreachable = true,
                                .cache_ttl_when_next_update_unset = 0s};
    EXPECT_EQ(peer(" { Verify: true, ca_timeout: 0.5, allowed_clockskew: \"1m\", warn_only: true, "
                   "unknown_is_good: true, allow_when_ca_unreachable: true, "
                   "cache_ttl_when_next_update_unset: 0 }"),
              all);
    EXPECT_FALSE(load("port: 4222").value().tls);
}

TEST_F(OcspOptions, SayWhatIsWrongWithABlock) {
    const auto has = [&](std::string_view peer_text, std::string_view why) {
        const auto text = complaint(block(peer_text));
        EXPECT_NE(text.find(why), std::string::npos) << text;
    };
    has(": 5", "error parsing ocsp peer config: unsupported type");
    has(" { nonsense: 1 }", R"(error parsing tls peer config, unknown field ["nonsense"])");
    has(" { verify: 1 }", R"(error parsing tls peer config, unknown field ["verify"])");
    has(" { ca_timeout: \"x\" }",
        R"(error parsing tls peer config, conversion error: time: invalid duration "x")");
    has(" { ca_timeout: true }",
        "error parsing tls peer config, conversion error: unexpected type");
}

TEST_F(OcspOptions, KeepAnswersAsABlockSays) {
    const auto cache = [](std::string_view text) { return load(text).value().ocsp_cache; };
    EXPECT_EQ(cache("port: 1"), ocsp_cache_options{});
    EXPECT_EQ(cache("ocsp_cache: true"), ocsp_cache_options{});
    EXPECT_FALSE(cache("ocsp_cache: false").is_kept);
    const ocsp_cache_options all{
        .is_kept = false, .local_store = "x", .preserve_revoked = true, .save_interval = 7s};
    EXPECT_EQ(cache("ocsp_cache { type: NONE, Local_Store: x, preserve_revoked: true, "
                    "save_interval: 7.9 }"),
              all);
    EXPECT_EQ(cache("ocsp_cache { save_interval: \"1ms\" }").save_interval, 1s);
    for (const auto* const text : {"\"2562047h\"", "2000000000"}) {
        const auto said = complaint("ocsp_cache { save_interval: " + std::string(text) + " }");
        EXPECT_NE(said.find("it is too long"), std::string::npos) << said;
    }
    EXPECT_NE(complaint("ocsp_cache { type: far }").find("unknown type [far]"), std::string::npos);
    EXPECT_NE(complaint("ocsp_cache: 5").find("unsupported type"), std::string::npos);
}

TEST_F(OcspOptions, ShowAnAnswerAsABlockSays) {
    const auto staple = [](std::string_view text) { return load(text).value().ocsp; };
    EXPECT_FALSE(staple("port: 1"));
    EXPECT_EQ(staple("ocsp: true")->mode, policy::automatic);
    EXPECT_EQ(staple("ocsp: false")->mode, policy::never);
    const auto said = staple("ocsp { mode: MUST, url: \"http://a\" }").value();
    EXPECT_EQ(said, (ocsp_staple_options{.mode = policy::must, .urls = {"http://a"}}));
    EXPECT_EQ(staple("ocsp { urls: [a, b] }")->urls.size(), 2u);
    EXPECT_NE(complaint("ocsp { mode: x }").find("unsupported ocsp mode"), std::string::npos);
    EXPECT_NE(complaint("ocsp { Mode: must }").find("unsupported field"), std::string::npos);
    EXPECT_NE(complaint("ocsp: 5").find("unsupported type"), std::string::npos);
}

} // namespace
} // namespace pipit::server
