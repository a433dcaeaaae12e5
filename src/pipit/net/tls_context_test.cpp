// SPDX-License-Identifier: Apache-2.0
#include <pipit/net/error.hpp>
#include <pipit/net/test_certificates.hpp>
#include <pipit/net/tls_context.hpp>

#include <gtest/gtest.h>

#include <fstream>

namespace pipit::net {
namespace {

struct TlsContext : testing::Test {
    std::string complaint(const tls_settings& settings) {
        const auto made = tls_context::for_server(settings);
        EXPECT_FALSE(made);
        return made ? std::string() : std::string(made.error().detail());
    }
    std::string file_with(const std::string& text) {
        auto path = issuer.folder() + "/text" + std::to_string(++files);
        std::ofstream(path) << text;
        return path;
    }

    test::authority issuer;
    tls_key_pair pair = issuer.issue();
    int files = 0;
};

TEST_F(TlsContext, KnowsHowLongItsCertificateIsValid) {
    const auto made = tls_context::for_server({.key_pairs = {pair}});
    ASSERT_TRUE(made);
    const auto now = std::chrono::system_clock::now();
    EXPECT_GT((*made)->valid_until().value(), now + std::chrono::hours(23));
    EXPECT_LT((*made)->valid_until().value(), now + std::chrono::hours(25));
    EXPECT_FALSE(tls_context::for_client({}).value()->valid_until());
}

TEST_F(TlsContext, ACertificateMayBeValidForThousandsOfYears) {
    constexpr auto until_9000 = std::chrono::sys_days(std::chrono::year(9000) / 7 / 1);
    const auto now = std::chrono::floor<std::chrono::hours>(std::chrono::system_clock::now());
    const auto endless = issuer.issue({.valid_until = until_9000 - now});
    const auto until = tls_context::for_server({.key_pairs = {endless}}).value()->valid_until();
    EXPECT_GE(until.value(), until_9000);
    EXPECT_LT(until.value(), until_9000 + std::chrono::hours(2));
}

TEST_F(TlsContext, SaysWhichFileCannotBeUsedAndWhy) {
    const std::string begin = "error parsing X509 certificate/key pair: ";
    EXPECT_EQ(complaint({.key_pairs = {{"/no/c.pem", pair.key_file}}}),
              begin + "open /no/c.pem: no such file or directory");
    EXPECT_EQ(complaint({.key_pairs = {{pair.certificate_file, "/no/k.pem"}}}),
              begin + "open /no/k.pem: no such file or directory");
    EXPECT_EQ(complaint({.key_pairs = {{pair.certificate_file, ""}}}),
              "missing 'key_file' in TLS configuration");
    EXPECT_EQ(complaint({.key_pairs = {{"", pair.key_file}}}),
              "missing 'cert_file' in TLS configuration");
    EXPECT_EQ(complaint({.key_pairs = {{file_with("no certificate"), pair.key_file}}}),
              begin + "tls: failed to find any PEM data in certificate input");
    EXPECT_EQ(complaint({.key_pairs = {{pair.certificate_file, file_with("no key")}}}),
              begin + "tls: failed to find a private key without a password in key input");
    const auto other = issuer.issue();
    EXPECT_EQ(complaint({.key_pairs = {{pair.certificate_file, other.key_file}}}),
              begin + "tls: private key does not match public key");
    EXPECT_EQ(
        complaint({.key_pairs = {pair}, .authorities_file = "/no/ca.pem", .verifies_peer = true}),
        "open /no/ca.pem: no such file or directory");
    EXPECT_EQ(
        complaint(
            {.key_pairs = {pair}, .authorities_file = file_with("nobody"), .verifies_peer = true}),
        "failed to parse root ca certificate");
    EXPECT_EQ(complaint({.key_pairs = {pair}, .authorities_file = "/", .verifies_peer = true}),
              "read /: is a directory");
    EXPECT_EQ(complaint({.key_pairs = {pair}, .authorities_file = "/no/ca.pem"}),
              "open /no/ca.pem: no such file or directory");
}

TEST_F(TlsContext, ADamagedCertificateIsNotTakenForTheEndOfItsFile) {
    const auto text_of = [](const std::string& path) {
        std::ifstream file(path);
        return std::string(std::istreambuf_iterator<char>(file), {});
    };
    const test::authority second("Second");
    const auto one = text_of(issuer.file()), other = text_of(second.file());
    auto damaged = one;
    damaged[damaged.size() / 2] = '!';
    const auto settings = [&](const std::string& text) {
        return tls_settings{
            .key_pairs = {pair}, .authorities_file = file_with(text), .verifies_peer = true};
    };
    EXPECT_TRUE(
        tls_context::for_server(settings("For tests:\n" + one + "and\n" + other + "end\n")));
    const auto cut = other.substr(0, other.size() / 2);
    for (const auto& text : {one + damaged + other, one + cut, one + cut + '\n' + other}) {
        const auto wrong = settings(text);
        EXPECT_TRUE(complaint(wrong).starts_with(wrong.authorities_file +
                                                 ": certificate 2 cannot be used: "))
            << complaint(wrong);
    }
    const auto chain = file_with(text_of(pair.certificate_file) + damaged);
    EXPECT_TRUE(complaint({.key_pairs = {{chain, pair.key_file}}})
                    .starts_with("error parsing X509 certificate/key pair: " + chain +
                                 ": certificate 2 cannot be used: "));
}

TEST_F(TlsContext, TakesCipherSuitesAndCurvesByTheNamesOfNatsServer) {
    for (const auto suite : tls_cipher_suite_names()) {
        EXPECT_TRUE(find_tls_cipher_suite(suite)) << suite;
    }
    EXPECT_TRUE(find_tls_cipher_suite("TLS_RSA_WITH_RC4_128_SHA")->is_insecure);
    EXPECT_FALSE(find_tls_cipher_suite("TLS_AES_128_GCM_SHA256")->is_insecure);
    EXPECT_FALSE(find_tls_cipher_suite("AES"));
    EXPECT_TRUE(is_tls_curve("CurveP256"));
    EXPECT_FALSE(is_tls_curve("P-256"));
    EXPECT_TRUE(tls_context::for_server(
        {.key_pairs = {pair},
         .cipher_suites = {"TLS_AES_256_GCM_SHA384", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"},
         .curves = {"X25519MLKEM768", "X25519", "CurveP256"}}));
    EXPECT_EQ(complaint({.key_pairs = {pair}, .cipher_suites = {"AES"}}),
              "unrecognized cipher AES");
    EXPECT_EQ(complaint({.key_pairs = {pair}, .curves = {"P-256"}}),
              "unrecognized curve preference P-256");
}

TEST_F(TlsContext, AServerWithoutACertificateIsRefused) {
    EXPECT_EQ(tls_context::for_server({}).error(), errc::unusable_tls_settings);
}

} // namespace
} // namespace pipit::net
