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

/// A part of DER.
inline std::string der_part(unsigned char tag, const std::string& content) {
    std::string der(1, static_cast<char>(tag));
    const auto size = content.size();
    if (size > 0xff) {
        der += '\x82';
        der += static_cast<char>(size >> 8);
    } else if (size > 0x7f) {
        der += '\x81';
    }
    return (der += static_cast<char>(size & 0xff)) + content;
}

/// What Go's library makes where an authority only says that a certificate is revoked.
inline std::string make_answer_without_status(const holder& about, const holder& issuer,
                                              const holder& signer) {
    const c_pointer<OCSP_CERTID, OCSP_CERTID_free> id(
        OCSP_cert_to_id(EVP_sha1(), about.certificate.get(), issuer.certificate.get()));
    const c_pointer<ASN1_TIME, ASN1_TIME_free> now(X509_gmtime_adj(nullptr, -60));
    const c_pointer<ASN1_GENERALIZEDTIME, ASN1_GENERALIZEDTIME_free> time(
        ASN1_TIME_to_generalizedtime(now.get(), nullptr));
    constexpr unsigned char sequence = 0x30;
    const auto when = to_der<ASN1_GENERALIZEDTIME>(i2d_ASN1_GENERALIZEDTIME, time.get());
    const auto name =
        to_der<X509_NAME>(i2d_X509_NAME, X509_get_subject_name(signer.certificate.get()));
    const auto one = der_part(sequence, to_der<OCSP_CERTID>(i2d_OCSP_CERTID, id.get()) + when);
    const auto data = der_part(sequence, der_part(0xa1, name) + when + der_part(sequence, one));
    const c_pointer<EVP_MD_CTX, EVP_MD_CTX_free> context(EVP_MD_CTX_new());
    std::string signature(256, '\0');
    auto size = signature.size();
    PIPIT_ASSERT(
        EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, signer.key.get()) == 1 &&
        EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                       reinterpret_cast<const unsigned char*>(data.data()), data.size()) == 1);
    signature.resize(size);
    const std::string with_ecdsa_and_sha256("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02", 12);
    const auto basic = der_part(sequence, data + with_ecdsa_and_sha256 +
                                              der_part(0x03, std::string(1, '\0') + signature) +
                                              der_part(0xa0, der_part(sequence, signer.der())));
    const std::string type_basic("\x06\x09\x2b\x06\x01\x05\x05\x07\x30\x01\x01", 11);
    const auto bytes = der_part(sequence, type_basic + der_part(0x04, basic));
    return der_part(sequence, std::string("\x0a\x01\0", 3) + der_part(0xa0, bytes));
}

/// What an authority says that does not want to answer.
inline std::string make_refusal(int status) {
    const c_pointer<OCSP_RESPONSE, OCSP_RESPONSE_free> whole(OCSP_response_create(status, nullptr));
    return to_der<OCSP_RESPONSE>(i2d_OCSP_RESPONSE, whole.get());
}

} // namespace pipit::auth::test
