// SPDX-License-Identifier: Apache-2.0
#include <pipit/auth/certificate.hpp>
#include <pipit/auth/error.hpp>
#include <pipit/net/test_certificates.hpp>

#include <gtest/gtest.h>

namespace pipit::auth {
namespace {

std::string der_of(const std::string& pem_file) {
    std::FILE* const file = std::fopen(pem_file.c_str(), "re");
    X509* const certificate = PEM_read_X509(file, nullptr, nullptr, nullptr);
    std::fclose(file);
    unsigned char* bytes = nullptr;
    const auto count = i2d_X509(certificate, &bytes);
    std::string der(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(count));
    OPENSSL_free(bytes);
    X509_free(certificate);
    return der;
}

certificate certificate_for(const net::test::certificate_request& request) {
    net::test::authority issuer;
    return read_certificate(der_of(issuer.issue(request).certificate_file)).value();
}

TEST(Certificate, NamesItsHolderInManyWays) {
    const auto read = certificate_for(
        {.subject = {{"DC", "org"},
                     {"DC", "example"},
                     {"C", "US"},
                     {"O", "Example, Inc"},
                     {"O", "Other"},
                     {"CN", "client"},
                     {"emailAddress", "a@b.c"}},
         .alternatives = "email:a@example.org,email:b@example.org,DNS:client.example.org,"
                         "URI:spiffe://example.org/client,IP:127.0.0.1"});
    EXPECT_EQ(read.emails, (std::vector<std::string>{"a@example.org", "b@example.org"}));
    EXPECT_EQ(read.dns_names, std::vector<std::string>{"client.example.org"});
    EXPECT_EQ(read.uris, std::vector<std::string>{"spiffe://example.org/client"});
    EXPECT_EQ(read.common_subject, "CN=client,O=Example\\, Inc+O=Other,C=US");
    EXPECT_EQ(read.subject_and_components,
              "CN=client,O=Example\\, Inc+O=Other,C=US,DC=org,DC=example");
    EXPECT_EQ(read.subject, "CN=client,O=Example\\, Inc+O=Other,C=US,"
                            "1.2.840.113549.1.9.1=#0c056140622e63,"
                            "0.9.2342.19200300.100.1.25=#13076578616d706c65,"
                            "0.9.2342.19200300.100.1.25=#13036f7267")
        << "as nats-server shows it";
    EXPECT_FALSE(read.name) << "it has an attribute that a name cannot have";
}

TEST(Certificate, ItsNameIsWrittenTheLastPartFirst) {
    const auto read = certificate_for({.subject = {{"DC", "org"}, {"O", "b"}, {"CN", "a"}}});
    ASSERT_TRUE(read.name);
    EXPECT_TRUE(read.name->equals(distinguished_name::parse("CN=a,O=b,DC=org").value()));
    EXPECT_EQ(read.subject_and_components, "CN=a,O=b,DC=org");
}

TEST(Certificate, HasDigestsOfItsKeyAndOfItself) {
    const auto read = certificate_for({});
    EXPECT_EQ(read.key_sha256.size(), 64u);
    EXPECT_EQ(read.sha256.size(), 64u);
    EXPECT_NE(read.key_sha256, read.sha256);
}

TEST(Certificate, NonsenseAndAPartAreRefused) {
    EXPECT_EQ(read_certificate("").error(), errc::invalid_certificate);
    EXPECT_EQ(read_certificate("nonsense").error(), errc::invalid_certificate);
    net::test::authority issuer;
    const auto der = der_of(issuer.issue().certificate_file);
    EXPECT_TRUE(read_certificate(der));
    EXPECT_FALSE(read_certificate(der + "x"));
    for (std::size_t count = 0; count < der.size(); ++count) {
        EXPECT_FALSE(read_certificate(bytes_view(der).substr(0, count)));
    }
}

} // namespace
} // namespace pipit::auth
