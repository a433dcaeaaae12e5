// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/auth/ocsp.hpp>
#include <pipit/base/assert.hpp>
#include <pipit/base/c_pointer.hpp>

#include <openssl/evp.h>
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>

#include <string>
#include <vector>

/// An authority that says what a test wants of the certificates it signs.
namespace pipit::auth::test {

template <class T>
std::string to_der(int (*write)(const T*, unsigned char**), const T* what) {
    unsigned char* bytes = nullptr;
    const auto count = write(what, &bytes);
    PIPIT_ASSERT(count > 0);
    std::string der(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(count));
    OPENSSL_free(bytes);
    return der;
}

/// A certificate with its key.
struct holder {
    c_pointer<EVP_PKEY, EVP_PKEY_free> key{EVP_EC_gen("P-256")};
    c_pointer<X509, X509_free> certificate{X509_new()};

    [[nodiscard]] std::string der() const { return to_der<X509>(i2d_X509, certificate.get()); }
};

struct certificate_wishes {
    std::string name = "client";
    std::vector<std::pair<int, std::string>> extensions = {}; ///< By OpenSSL's numbers.
    long seconds_from = -3600;
    long seconds_until = 86400;
};

/// Signed by `issuer`; by itself without one.
inline holder make_holder(const certificate_wishes& wishes, const holder* issuer = nullptr) {
    static long serial = 0;
    holder made;
    auto* const it = made.certificate.get();
    X509_set_version(it, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(it), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(it), wishes.seconds_from);
    X509_gmtime_adj(X509_getm_notAfter(it), wishes.seconds_until);
    const auto* const text = reinterpret_cast<const unsigned char*>(wishes.name.c_str());
    X509_NAME_add_entry_by_txt(X509_get_subject_name(it), "CN", MBSTRING_UTF8, text, -1, -1, 0);
    const auto& signer = issuer != nullptr ? *issuer : made;
    X509_set_issuer_name(it, X509_get_subject_name(signer.certificate.get()));
    X509_set_pubkey(it, made.key.get());
    auto extensions = wishes.extensions;
    if (issuer == nullptr) extensions.emplace_back(NID_basic_constraints, "critical,CA:TRUE");
    for (const auto& [what, value] : extensions) {
        auto* const extension = X509V3_EXT_conf_nid(nullptr, nullptr, what, value.c_str());
        PIPIT_ASSERT(extension != nullptr);
        X509_add_ext(it, extension, -1);
        X509_EXTENSION_free(extension);
    }
    PIPIT_ASSERT(X509_sign(it, signer.key.get(), EVP_sha256()) > 0);
    return made;
}

[[nodiscard]] inline ocsp_link link_of(const holder& certificate, const holder& issuer) {
    return {certificate.der(), issuer.der()};
}

struct answer_wishes {
    int status = V_OCSP_CERTSTATUS_GOOD;
    long seconds_from = -60; ///< Counted from now.
    std::optional<long> seconds_until = 3600;
    bool says_signer = true; ///< Shows the signer's certificate.
    int times = 1;           ///< Says it so often.
};

/// What `signer` says about a certificate of `issuer`.
inline std::string make_answer(const holder& about, const holder& issuer, const holder& signer,
                               const answer_wishes& wishes = {}) {
    const c_pointer<OCSP_BASICRESP, OCSP_BASICRESP_free> basic(OCSP_BASICRESP_new());
    const c_pointer<ASN1_TIME, ASN1_TIME_free> from(X509_gmtime_adj(nullptr, wishes.seconds_from));
    const c_pointer<ASN1_TIME, ASN1_TIME_free> until(
        X509_gmtime_adj(nullptr, wishes.seconds_until.value_or(0)));
    for (int i = 0; i < wishes.times; ++i) {
        const c_pointer<OCSP_CERTID, OCSP_CERTID_free> id(
            OCSP_cert_to_id(EVP_sha1(), about.certificate.get(), issuer.certificate.get()));
        PIPIT_ASSERT(
            OCSP_basic_add1_status(basic.get(), id.get(), wishes.status,
                                   OCSP_REVOKED_STATUS_KEYCOMPROMISE, from.get(), from.get(),
                                   wishes.seconds_until ? until.get() : nullptr) != nullptr);
    }
    const unsigned long flags = wishes.says_signer ? 0 : OCSP_NOCERTS;
    PIPIT_ASSERT(OCSP_basic_sign(basic.get(), signer.certificate.get(), signer.key.get(),
                                 EVP_sha256(), nullptr, flags) == 1);
    const c_pointer<OCSP_RESPONSE, OCSP_RESPONSE_free> whole(
        OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic.get()));
    return to_der<OCSP_RESPONSE>(i2d_OCSP_RESPONSE, whole.get());
}

/// What an authority says that does not want to answer.
inline std::string make_refusal(int status) {
    const c_pointer<OCSP_RESPONSE, OCSP_RESPONSE_free> whole(OCSP_response_create(status, nullptr));
    return to_der<OCSP_RESPONSE>(i2d_OCSP_RESPONSE, whole.get());
}

} // namespace pipit::auth::test
