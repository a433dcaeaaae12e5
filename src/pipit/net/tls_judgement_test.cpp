// SPDX-License-Identifier: Apache-2.0
// Clients whose certificate somebody else judges while the handshake waits.
#include <pipit/net/error.hpp>
#include <pipit/net/test_certificates.hpp>
#include <pipit/net/test_tls_client.hpp>
#include <pipit/net/tls_filter.hpp>

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <functional>
#include <optional>
#include <string>

namespace pipit::net {
namespace {

/// A client with a certificate, of one version and one cipher suite.
struct bare_client : test::tls_client {
    bare_client(const tls_key_pair& own, int version, const char* suite) : tls_client(version) {
        SSL_use_certificate_chain_file(ssl(), own.certificate_file.c_str());
        SSL_use_PrivateKey_file(ssl(), own.key_file.c_str(), SSL_FILETYPE_PEM);
        if (version == TLS1_3_VERSION) {
            SSL_set_ciphersuites(ssl(), suite);
        } else {
            SSL_set_cipher_list(ssl(), suite);
        }
    }

    /// What it sends because of what it was sent.
    std::string answer(bytes_view to) {
        give(to);
        ERR_clear_error();
        if (SSL_do_handshake(ssl()) == 1) {
            char space[100];
            const auto count = SSL_read(ssl(), space, sizeof(space));
            if (count > 0) read.append(space, static_cast<std::size_t>(count));
        }
        if (const char* const why = ERR_reason_error_string(ERR_peek_error())) failure = why;
        return take();
    }
    void write(bytes_view text) { SSL_write(ssl(), text.data(), static_cast<int>(text.size())); }

    std::string read;
    std::string failure;
};

struct TlsJudgement : testing::Test {
    /// A server that asks this test, which answers when it likes.
    std::unique_ptr<tls_filter> server() {
        const tls_settings settings{.key_pairs = {issuer.issue()},
                                    .authorities_file = issuer.file(),
                                    .verifies_peer = true};
        auto context =
            tls_context::for_server(settings, {.judge = [this](peer_to_judge asked, auto then) {
                                        chains = std::move(asked.chains);
                                        from = asked.from;
                                        answer = std::move(then);
                                    }});
        return std::make_unique<tls_filter>(context.value(), party("192.0.2.1"));
    }
    /// Carries bytes until both are silent or the server asks.
    result<> talk(bare_client& here, tls_filter& there, std::size_t part = std::string::npos) {
        std::string to_client;
        for (;;) {
            const auto sent = here.answer(std::exchange(to_client, {}));
            for (std::size_t i = 0; i < sent.size(); i += std::min(part, sent.size())) {
                auto taken = there.receive(bytes_view(sent).substr(i, part), plain, to_client);
                if (!taken) return taken;
                if (const auto question = there.take_question()) {
                    question([this] { is_answered = true; });
                }
            }
            if (sent.empty() && to_client.empty()) return {};
        }
    }

    test::authority issuer;
    tls_key_pair own = issuer.issue({.subject = {{"CN", "client"}}});
    certificate_chains chains;
    party from;
    std::function<void(std::string)> answer;
    std::string plain;
    bool is_answered = false;
};

struct version_and_suite {
    int version;
    const char* suite;
};
constexpr version_and_suite all_kinds[] = {
    {TLS1_3_VERSION, "TLS_AES_128_GCM_SHA256"},
    {TLS1_3_VERSION, "TLS_AES_256_GCM_SHA384"},
    {TLS1_3_VERSION, "TLS_CHACHA20_POLY1305_SHA256"},
    {TLS1_2_VERSION, "ECDHE-ECDSA-AES128-GCM-SHA256"},
};

TEST_F(TlsJudgement, TheHandshakeWaitsForTheAnswerWhereverTheBytesAreCut) {
    for (const auto& [version, suite] : all_kinds) {
        for (const std::size_t part : {std::size_t{1}, std::size_t{100}, std::string::npos}) {
            const auto there = server();
            bare_client here(own, version, suite);
            ASSERT_TRUE(talk(here, *there, part)) << suite;
            ASSERT_TRUE(answer);
            EXPECT_FALSE(there->is_open());
            ASSERT_EQ(chains.size(), 1u);
            EXPECT_EQ(chains[0].size(), 2u) << "its own, and who has signed it";
            EXPECT_EQ(from, party("192.0.2.1"));
            answer("");
            EXPECT_TRUE(is_answered);
            std::string wire;
            ASSERT_TRUE(there->receive({}, plain, wire));
            EXPECT_TRUE(there->is_open());
            here.answer(wire);
            here.write("PING\r\n");
            ASSERT_TRUE(talk(here, *there));
            EXPECT_EQ(std::exchange(plain, {}), "PING\r\n") << suite;
        }
    }
}

TEST_F(TlsJudgement, WhoIsRefusedIsToldThatTheCertificateIsBad) {
    for (const auto& [version, suite] : all_kinds) {
        const auto there = server();
        bare_client here(own, version, suite);
        ASSERT_TRUE(talk(here, *there)) << suite;
        answer("client not OCSP valid");
        std::string wire;
        const auto taken = there->receive({}, plain, wire);
        ASSERT_FALSE(taken);
        EXPECT_EQ(taken.error(), errc::tls_certificate_refused);
        EXPECT_EQ(taken.error().detail(), "client not OCSP valid");
        EXPECT_FALSE(there->is_open());
        here.answer(wire);
        EXPECT_NE(here.failure.find("alert bad certificate"), std::string::npos)
            << suite << ": " << here.failure;
        EXPECT_FALSE(there->receive("more", plain, wire));
    }
}

TEST_F(TlsJudgement, WhatIsSentMeanwhileIsReadAfterwardsAndBounded) {
    const auto there = server();
    bare_client here(own, TLS1_3_VERSION, "TLS_AES_128_GCM_SHA256");
    ASSERT_TRUE(talk(here, *there));
    here.write("CONNECT {}\r\n");
    ASSERT_TRUE(talk(here, *there));
    EXPECT_EQ(plain, "");
    answer("");
    std::string wire;
    ASSERT_TRUE(there->receive({}, plain, wire));
    EXPECT_EQ(plain, "CONNECT {}\r\n");

    const auto other = server();
    bare_client talker(own, TLS1_3_VERSION, "TLS_AES_128_GCM_SHA256");
    ASSERT_TRUE(talk(talker, *other));
    EXPECT_FALSE(other->receive(std::string(1'000'000, 'x'), plain, wire));
}

TEST_F(TlsJudgement, NobodyIsAskedAboutACertificateThatTlsDoesNotTake) {
    test::authority stranger("Stranger");
    const auto there = server();
    bare_client here(stranger.issue(), TLS1_3_VERSION, "TLS_AES_128_GCM_SHA256");
    EXPECT_FALSE(talk(here, *there));
    EXPECT_FALSE(answer);
}

TEST_F(TlsJudgement, NoneOfALongChainIsLeftOut) {
    const auto there = server();
    bare_client here(issuer.issue_below(12), TLS1_3_VERSION, "TLS_AES_128_GCM_SHA256");
    ASSERT_TRUE(talk(here, *there));
    ASSERT_EQ(chains.size(), 1u);
    EXPECT_EQ(chains[0].size(), 14u);
}

TEST_F(TlsJudgement, AnAnswerThatComesTooLateIsForNobody) {
    auto there = server();
    bare_client here(own, TLS1_3_VERSION, "TLS_AES_128_GCM_SHA256");
    ASSERT_TRUE(talk(here, *there));
    there.reset();
    answer("");
}

} // namespace
} // namespace pipit::net
