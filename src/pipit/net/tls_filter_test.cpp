// SPDX-License-Identifier: Apache-2.0
#include <pipit/base/stranger_limits.hpp>
#include <pipit/net/error.hpp>
#include <pipit/net/test_certificates.hpp>
#include <pipit/net/test_tls_client.hpp>
#include <pipit/net/tls_filter.hpp>

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <string>
#include <utility>

namespace pipit::net {
namespace {

/// A filter, and what became of it.
struct end_of_wire {
    explicit end_of_wire(std::unique_ptr<tls_filter> its) : filter(std::move(its)) {}

    void begin() { note(filter->begin(wire)); }
    void receive(bytes_view bytes) {
        if (!failure) note(filter->receive(bytes, plain, wire));
    }
    void send(bytes_view bytes) { note(filter->send({&bytes, 1}, wire)); }
    void note(const result<>& outcome) {
        if (!outcome) failure = outcome.error();
    }

    std::unique_ptr<tls_filter> filter;
    std::string wire;  ///< What it wants to send.
    std::string plain; ///< What it was told.
    std::optional<error> failure;
};

/// Carries what the two have to say, in parts of so many bytes, until they are silent.
void talk(end_of_wire& a, end_of_wire& b, std::size_t part_bytes = std::string::npos) {
    while (!a.wire.empty() || !b.wire.empty()) {
        for (auto [from, to] : {std::pair{&a, &b}, std::pair{&b, &a}}) {
            const auto bytes = std::exchange(from->wire, {});
            for (std::size_t i = 0; i < bytes.size(); i += std::min(part_bytes, bytes.size())) {
                to->receive(bytes_view(bytes).substr(i, part_bytes));
            }
        }
    }
}

struct TlsFilter : testing::Test {
    std::shared_ptr<const tls_context> server_context(tls_settings settings = {}) {
        if (settings.key_pairs.empty()) settings.key_pairs = {pair};
        return tls_context::for_server(settings).value();
    }
    std::shared_ptr<const tls_context> client_context(tls_settings settings = {}) {
        settings.verifies_peer = true;
        if (settings.authorities_file.empty()) settings.authorities_file = issuer.file();
        return tls_context::for_client(settings).value();
    }
    static end_of_wire server(std::shared_ptr<const tls_context> context) {
        return end_of_wire(std::make_unique<tls_filter>(std::move(context)));
    }
    static end_of_wire client(std::shared_ptr<const tls_context> context,
                              std::string_view name = "localhost") {
        end_of_wire made(std::make_unique<tls_filter>(std::move(context), name));
        made.begin();
        return made;
    }

    test::authority issuer;
    tls_key_pair pair = issuer.issue();
};

TEST_F(TlsFilter, CarriesBothWaysWhereverTheBytesAreCut) {
    for (const std::size_t part :
         {std::size_t{1}, std::size_t{7}, std::size_t{1000}, std::string::npos}) {
        auto there = server(server_context());
        auto here = client(client_context());
        talk(here, there, part);
        ASSERT_TRUE(here.filter->is_open() && there.filter->is_open()) << part;
        here.send("CONNECT {}\r\n");
        there.send("PONG\r\n");
        talk(here, there, part);
        EXPECT_EQ(there.plain, "CONNECT {}\r\n");
        EXPECT_EQ(here.plain, "PONG\r\n");
    }
}

TEST_F(TlsFilter, SaysWhatWasAgreedUpon) {
    auto there = server(server_context());
    auto here = client(client_context());
    talk(here, there);
    EXPECT_EQ(there.filter->version(), "1.3");
    EXPECT_EQ(there.filter->cipher_suite(), "TLS_AES_128_GCM_SHA256");
    EXPECT_TRUE(there.filter->peer_certificates().empty());
    EXPECT_EQ(here.filter->peer_certificates().size(), 1u);
}

TEST_F(TlsFilter, KeepsLittleForAClientBeforeItsHelloAndNothingBehindTheHandshake) {
    auto there = server(server_context());
    auto here = client(client_context());
    there.receive({});
    EXPECT_EQ(there.filter->kept_bytes(), 0u);
    there.receive(here.wire.substr(0, 5));
    EXPECT_EQ(there.filter->kept_bytes(), 5u);
    here.wire.erase(0, 5);
    there.receive(std::exchange(here.wire, {}));
    EXPECT_EQ(there.filter->kept_bytes(), limits::tls_handshake_memory);
    talk(here, there);
    ASSERT_TRUE(there.filter->is_open());
    EXPECT_EQ(there.filter->kept_bytes(), 0u);
    here.send("PING\r\n");
    there.receive(here.wire.substr(0, here.wire.size() - 1));
    EXPECT_GT(there.filter->kept_bytes(), 0u);
    there.receive(here.wire.substr(here.wire.size() - 1));
    EXPECT_EQ(there.filter->kept_bytes(), 0u);
}

TEST_F(TlsFilter, TakesNoHelloThatSaysToBeFarLongerThanAnyIs) {
    using namespace std::string_literals;
    const auto longest = "\x16\x03\x01\x02\x00\x01\x00\x80\x00"s;
    const auto too_long = "\x16\x03\x01\x02\x00\x01\x00\x80\x01"s;
    for (std::size_t cut = 0; cut < too_long.size(); ++cut) {
        for (const auto& [hello, is_taken] : {std::pair{longest, true}, {too_long, false}}) {
            auto there = server(server_context());
            there.receive(hello.substr(0, cut));
            EXPECT_FALSE(there.failure) << cut;
            there.receive(hello.substr(cut));
            EXPECT_EQ(there.failure.has_value(), !is_taken) << cut;
        }
    }
}

TEST_F(TlsFilter, SeesHowLongAHelloIsAcrossRecords) {
    using namespace std::string_literals;
    const auto begun = "\x16\x03\x01\x00\x01\x01"s + "\x16\x03\x01\x00\x02\x00\x80"s;
    for (const auto& [last, is_taken] : {std::pair{'\x00', true}, {'\x01', false}}) {
        auto there = server(server_context());
        there.receive(begun);
        EXPECT_FALSE(there.failure);
        EXPECT_EQ(there.filter->kept_bytes(), begun.size());
        there.receive("\x16\x03\x01\x00\x01"s + last);
        EXPECT_EQ(there.failure.has_value(), !is_taken);
    }
}

TEST_F(TlsFilter, CarriesLargePiecesAndManySmallOnes) {
    auto there = server(server_context());
    auto here = client(client_context());
    talk(here, there);
    const std::string large(100000, 'x');
    std::vector<bytes_view> pieces(5000, "small");
    pieces.push_back(large);
    pieces.push_back("end");
    here.note(here.filter->send(pieces, here.wire));
    std::string expected;
    for (const auto piece : pieces) expected += piece;
    EXPECT_LT(here.wire.size(), expected.size() + 400) << "small pieces share records";
    talk(here, there, 5000);
    EXPECT_TRUE(there.plain == expected);
}

TEST_F(TlsFilter, EndsInOrder) {
    auto there = server(server_context());
    auto here = client(client_context());
    talk(here, there);
    here.send("last");
    here.filter->finish(here.wire);
    talk(here, there);
    EXPECT_EQ(there.plain, "last");
    EXPECT_TRUE(there.filter->is_finished());
    EXPECT_FALSE(there.failure);
}

TEST_F(TlsFilter, WhoVerifiesItsClientsSeesTheirCertificates) {
    const tls_settings strict{.authorities_file = issuer.file(), .verifies_peer = true};
    const auto own = issuer.issue({.subject = {{"CN", "client"}}, .alternatives = "email:a@b.c"});
    auto there = server(server_context(strict));
    auto here = client(client_context({.key_pairs = {own}}));
    talk(here, there, 100);
    ASSERT_TRUE(there.filter->is_open());
    ASSERT_EQ(there.filter->peer_certificates().size(), 1u);
    EXPECT_NE(there.filter->peer_certificates()[0].find("a@b.c"), std::string::npos);
}

TEST_F(TlsFilter, WhoVerifiesItsClientsRefusesThoseWithoutOrWithAnothersCertificate) {
    const tls_settings strict{.authorities_file = issuer.file(), .verifies_peer = true};
    auto there = server(server_context(strict));
    auto here = client(client_context());
    talk(here, there);
    ASSERT_TRUE(there.failure);
    EXPECT_EQ(*there.failure, errc::tls_no_certificate);
    EXPECT_EQ(there.failure->detail(), "tls: client didn't provide a certificate");
    EXPECT_FALSE(there.filter->is_open());
    ASSERT_TRUE(here.failure) << "the client learns why";
    EXPECT_EQ(*here.failure, errc::tls_refused);
    EXPECT_EQ(here.failure->detail(), "remote error: tls: certificate required");

    test::authority stranger("Stranger");
    auto again = server(server_context(strict));
    auto other = client(client_context({.key_pairs = {stranger.issue()}}));
    talk(other, again);
    ASSERT_TRUE(again.failure);
    EXPECT_EQ(*again.failure, errc::tls_unknown_authority);
    EXPECT_EQ(again.failure->detail(),
              "tls: failed to verify certificate: x509: certificate signed "
              "by unknown authority");
    ASSERT_TRUE(other.failure);
    EXPECT_EQ(other.failure->detail(), "remote error: tls: unknown certificate authority");
}

TEST_F(TlsFilter, AClientRefusesACertificateThatIsNotGood) {
    const auto outcome = [&](const test::certificate_request& request, std::string_view name) {
        auto there = server(server_context({.key_pairs = {issuer.issue(request)}}));
        auto here = client(client_context(), name);
        talk(here, there);
        EXPECT_FALSE(here.filter->is_open());
        EXPECT_TRUE(there.failure) << "the server learns it by an alert";
        return here.failure.value_or(error());
    };
    using std::chrono::hours;
    EXPECT_EQ(outcome({.valid_from = hours(-48), .valid_until = hours(-24)}, "localhost"),
              errc::tls_certificate_expired);
    EXPECT_EQ(outcome({.valid_from = hours(24), .valid_until = hours(48)}, "localhost"),
              errc::tls_certificate_expired);
    EXPECT_EQ(outcome({}, "example.org"), errc::tls_wrong_name);
    EXPECT_EQ(outcome({}, "127.0.0.2"), errc::tls_wrong_name);
    EXPECT_EQ(outcome({.subject = {{"CN", "example.org"}}, .alternatives = ""}, "example.org"),
              errc::tls_wrong_name)
        << "a subject is no host's name";

    test::authority stranger("Stranger");
    auto there = server(server_context({.key_pairs = {stranger.issue()}}));
    auto here = client(client_context());
    talk(here, there);
    EXPECT_EQ(here.failure.value_or(error()), errc::tls_unknown_authority);
}

TEST_F(TlsFilter, ShowsAnOldCertificateAndLeavesItToTheClientToRefuseIt) {
    const auto old = server_context({.key_pairs = {issuer.issue({.digest = EVP_sha1()})}});
    auto there = server(old);
    auto careless = client(tls_context::for_client({}).value());
    talk(careless, there);
    EXPECT_TRUE(careless.filter->is_open() && there.filter->is_open());
    auto again = server(old);
    auto careful = client(client_context());
    talk(careful, again);
    EXPECT_TRUE(careful.failure);
}

TEST_F(TlsFilter, AClientTakesAnAddressAsAName) {
    auto there = server(server_context());
    auto here = client(client_context(), "127.0.0.1");
    talk(here, there);
    EXPECT_TRUE(here.filter->is_open());
}

TEST_F(TlsFilter, AClientWithoutAnyNameDoesNotBegin) {
    const auto here = client(client_context(), "");
    EXPECT_EQ(here.failure.value_or(error()), errc::tls_wrong_name);
}

TEST_F(TlsFilter, AClientThatVerifiesNothingTalksToAnybody) {
    auto there = server(server_context());
    auto here = client(tls_context::for_client({}).value(), "example.org");
    talk(here, there);
    EXPECT_TRUE(here.filter->is_open() && there.filter->is_open());
}

TEST_F(TlsFilter, AServerShowsTheCertificateForTheNameThatIsAskedFor) {
    const auto other = issuer.issue({.alternatives = "DNS:other.example"});
    const auto context = server_context({.key_pairs = {pair, other}});
    for (const auto* name : {"other.example", "localhost"}) {
        auto there = server(context);
        auto here = client(client_context(), name);
        talk(here, there);
        EXPECT_TRUE(here.filter->is_open()) << name;
    }
}

TEST_F(TlsFilter, WhoDoesNotSpeakTlsIsToldApart) {
    for (const std::string& text : {std::string("CONNECT {}\r\n"),
                                    std::string("GET / HTTP/1.1\r\n\r\n"), std::string(6, '\0')}) {
        auto there = server(server_context());
        there.receive(text);
        ASSERT_TRUE(there.failure) << text;
        EXPECT_EQ(*there.failure, errc::not_tls);
        EXPECT_EQ(there.failure->detail(), "tls: first record does not look like a TLS handshake");
        EXPECT_EQ(there.wire, "");
    }
}

TEST_F(TlsFilter, JunkThatBeginsLikeTlsIsAnError) {
    auto there = server(server_context());
    there.receive("\x16\x03\x01\xff\xff");
    EXPECT_TRUE(there.failure);
    auto again = server(server_context());
    again.receive("\x16\x03\x01" + std::string("\0\5hello", 7));
    EXPECT_TRUE(again.failure);
}

TEST_F(TlsFilter, AChangedByteIsAnErrorAndGivesNothing) {
    auto there = server(server_context());
    auto here = client(client_context());
    talk(here, there);
    here.send("secret");
    here.wire.back() ^= 1;
    talk(here, there);
    EXPECT_EQ(there.plain, "");
    ASSERT_TRUE(there.failure);
    ASSERT_TRUE(here.failure);
    EXPECT_EQ(here.failure->detail(), "remote error: tls: bad record MAC");
}

TEST_F(TlsFilter, ATruncatedStreamGivesWhatIsWhole) {
    auto there = server(server_context());
    auto here = client(client_context());
    talk(here, there);
    here.send("first");
    const auto whole = here.wire.size();
    here.send("second");
    const auto wire = std::exchange(here.wire, {});
    there.receive(bytes_view(wire).substr(0, wire.size() - 1));
    EXPECT_EQ(there.plain, "first");
    EXPECT_FALSE(there.failure || there.filter->is_finished());
    there.receive(bytes_view(wire).substr(wire.size() - 1));
    EXPECT_EQ(there.plain, "firstsecond");
    EXPECT_GT(wire.size(), whole);
}

TEST_F(TlsFilter, TakesNoMoreThanItsBoundBeforeTheHandshakeIsDone) {
    auto there = server(server_context());
    // Records that are allowed, and ignored: a client in TLS 1.3 may send them before its answer.
    auto here = client(client_context());
    there.receive(std::exchange(here.wire, {}));
    const std::string ignored("\x14\x03\x03\0\1\1", 6);
    std::size_t sent = 0;
    while (!there.failure && sent < 1'000'000) {
        there.receive(ignored);
        sent += ignored.size();
    }
    EXPECT_TRUE(there.failure);
}

struct bare_client : test::tls_client {
    using tls_client::tls_client;

    /// Handshakes, as far as the two come.
    void talk(end_of_wire& with) {
        for (int i = 0; i < 10; ++i) {
            SSL_do_handshake(ssl());
            if (const auto sent = take(); !sent.empty()) with.receive(sent);
            give(std::exchange(with.wire, {}));
        }
    }
};

TEST_F(TlsFilter, DoesNotNegotiateAgain) {
    auto there = server(server_context());
    bare_client here(TLS1_2_VERSION);
    here.talk(there);
    ASSERT_TRUE(there.filter->is_open());
    EXPECT_EQ(there.filter->version(), "1.2");
    SSL_renegotiate(here.ssl());
    here.talk(there);
    EXPECT_EQ(SSL_total_renegotiations(here.ssl()) > 0 && SSL_is_init_finished(here.ssl()), false);
    EXPECT_EQ(there.plain, "");
}

TEST_F(TlsFilter, RefusesAVersionBelowItsLeast) {
    auto there = server(server_context({.min_version = tls_version::v1_3}));
    bare_client here(TLS1_2_VERSION);
    here.talk(there);
    ASSERT_TRUE(there.failure);
    EXPECT_FALSE(there.filter->is_open());
}

TEST_F(TlsFilter, UsesTheCipherSuitesThatItIsTold) {
    const std::string wanted = "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384";
    auto there = server(server_context({.cipher_suites = {wanted}}));
    bare_client here(TLS1_2_VERSION);
    here.talk(there);
    EXPECT_EQ(there.filter->cipher_suite(), wanted);
}

TEST_F(TlsFilter, PrefersSuitesWithoutCbcWhateverTheOrderOfTheClientAndTheSettings) {
    const std::string weaker = "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA";
    const std::string better = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256";
    for (const auto& told : {std::vector<std::string>{}, std::vector{weaker, better}}) {
        auto there = server(server_context({.cipher_suites = told}));
        bare_client here(TLS1_2_VERSION);
        ASSERT_EQ(
            SSL_set_cipher_list(here.ssl(), "ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES128-GCM-SHA256"),
            1);
        here.talk(there);
        EXPECT_EQ(there.filter->cipher_suite(), better);
    }
}

TEST_F(TlsFilter, SpeaksNoOlderVersionWhereOnlySuitesOfTheNewestAreNamed) {
    auto there = server(server_context({.cipher_suites = {"TLS_AES_256_GCM_SHA384"}}));
    bare_client older(TLS1_2_VERSION);
    older.talk(there);
    EXPECT_TRUE(there.failure);
    EXPECT_FALSE(there.filter->is_open());
}

} // namespace
} // namespace pipit::net
