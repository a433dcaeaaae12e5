// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/assert.hpp>
#include <pipit/base/c_pointer.hpp>
#include <pipit/net/tls_context.hpp>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

/// An authority and certificates for tests, made when they are needed.
namespace pipit::net::test {

struct certificate_request {
    std::vector<std::pair<std::string, std::string>> subject{{"CN", "localhost"}};
    std::string alternatives = "DNS:localhost,IP:127.0.0.1"; ///< As OpenSSL writes them.
    std::chrono::hours valid_from{-1};                       ///< Counted from now.
    std::chrono::hours valid_until{24};
    const EVP_MD* digest = EVP_sha256(); ///< What its signature is made from.
};

/// An authority with a folder for what it gives out, which goes with it.
class authority {
    using key_pointer = c_pointer<EVP_PKEY, EVP_PKEY_free>;
    using certificate_pointer = c_pointer<X509, X509_free>;

public:
    explicit authority(const std::string& name = "Authority") {
        std::string pattern = std::filesystem::temp_directory_path() / "pipit-tls-XXXXXX";
        PIPIT_ASSERT(::mkdtemp(pattern.data()) != nullptr);
        folder_ = pattern;
        key_ = new_key();
        certificate_ = make({.subject = {{"CN", name}}, .alternatives = ""}, key_.get(), true);
        file_ = write("authority.pem",
                      [&](std::FILE* to) { return PEM_write_X509(to, certificate_.get()); });
    }
    ~authority() {
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }
    authority(const authority&) = delete;
    authority& operator=(const authority&) = delete;

    /// Its own certificate.
    [[nodiscard]] const std::string& file() const noexcept { return file_; }
    [[nodiscard]] const std::string& folder() const noexcept { return folder_; }

    [[nodiscard]] tls_key_pair issue(const certificate_request& request = {}) {
        const auto key = new_key();
        const auto certificate = make(request, key.get(), false);
        const auto name = std::to_string(++issued_);
        return {write("certificate" + name + ".pem",
                      [&](std::FILE* to) { return PEM_write_X509(to, certificate.get()); }),
                write("key" + name + ".pem", [&](std::FILE* to) {
                    return PEM_write_PrivateKey(to, key.get(), nullptr, nullptr, 0, nullptr,
                                                nullptr);
                })};
    }

    /// The same, by the last of so many authorities between, whose certificates are in its file.
    [[nodiscard]] tls_key_pair issue_below(int authorities) {
        std::vector<std::pair<certificate_pointer, key_pointer>> above;
        for (int i = 0; i < authorities; ++i) {
            auto key = new_key();
            auto one =
                make({.subject = {{"CN", "Between " + std::to_string(i)}}, .alternatives = ""},
                     key.get(), true);
            above.emplace_back(std::exchange(certificate_, std::move(one)),
                               std::exchange(key_, std::move(key)));
        }
        auto issued = issue();
        std::FILE* const to = std::fopen(issued.certificate_file.c_str(), "ae");
        PIPIT_ASSERT(to != nullptr);
        for (; !above.empty(); above.pop_back()) {
            PIPIT_ASSERT(PEM_write_X509(to, certificate_.get()) == 1);
            std::tie(certificate_, key_) = std::move(above.back());
        }
        std::fclose(to);
        return issued;
    }

private:
    static key_pointer new_key() { return key_pointer(EVP_EC_gen("P-256")); }

    certificate_pointer make(const certificate_request& request, EVP_PKEY* key, bool is_authority) {
        certificate_pointer made(X509_new());
        auto* const it = made.get();
        X509_set_version(it, X509_VERSION_3);
        ASN1_INTEGER_set(X509_get_serialNumber(it), ++serial_);
        const auto seconds = [](std::chrono::hours hours) {
            return static_cast<long>(std::chrono::seconds(hours).count());
        };
        X509_gmtime_adj(X509_getm_notBefore(it), seconds(request.valid_from));
        X509_gmtime_adj(X509_getm_notAfter(it), seconds(request.valid_until));
        auto* const name = X509_get_subject_name(it);
        for (const auto& [field, value] : request.subject) {
            const auto* const text = reinterpret_cast<const unsigned char*>(value.c_str());
            X509_NAME_add_entry_by_txt(name, field.c_str(), MBSTRING_UTF8, text, -1, -1, 0);
        }
        X509_set_issuer_name(it, certificate_ ? X509_get_subject_name(certificate_.get()) : name);
        X509_set_pubkey(it, key);
        extend(it, NID_basic_constraints, is_authority ? "critical,CA:TRUE" : "CA:FALSE");
        if (!request.alternatives.empty()) {
            extend(it, NID_subject_alt_name, request.alternatives.c_str());
        }
        PIPIT_ASSERT(X509_sign(it, key_.get(), request.digest) > 0);
        return made;
    }

    static void extend(X509* certificate, int what, const char* value) {
        auto* const extension = X509V3_EXT_conf_nid(nullptr, nullptr, what, value);
        PIPIT_ASSERT(extension != nullptr);
        X509_add_ext(certificate, extension, -1);
        X509_EXTENSION_free(extension);
    }

    template <class Writer>
    std::string write(const std::string& name, Writer writer) {
        auto path = folder_ + "/" + name;
        std::FILE* const to = std::fopen(path.c_str(), "we");
        PIPIT_ASSERT(to != nullptr && writer(to) == 1);
        std::fclose(to);
        return path;
    }

    std::string folder_;
    std::string file_;
    key_pointer key_;
    certificate_pointer certificate_;
    long serial_ = 0;
    int issued_ = 0;
};

} // namespace pipit::net::test
