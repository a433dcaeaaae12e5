// SPDX-License-Identifier: Apache-2.0
#include <pipit/auth/ocsp.hpp>

#include <pipit/auth/detail/ocsp_status.hpp>
#include <pipit/auth/error.hpp>
#include <pipit/base/ascii_case.hpp>
#include <pipit/base/c_pointer.hpp>
#include <pipit/base/ocsp_limits.hpp>
#include <pipit/base/unix_time.hpp>

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <ctime>
#include <memory>
#include <utility>

namespace pipit::auth {
namespace {

using x509_pointer = c_pointer<X509, X509_free>;
using request_pointer = c_pointer<OCSP_REQUEST, OCSP_REQUEST_free>;
using response_pointer = c_pointer<OCSP_RESPONSE, OCSP_RESPONSE_free>;
using basic_pointer = c_pointer<OCSP_BASICRESP, OCSP_BASICRESP_free>;
using id_pointer = c_pointer<OCSP_CERTID, OCSP_CERTID_free>;
using any_pointer = c_pointer<ASN1_TYPE, ASN1_TYPE_free>;
using access_pointer = c_pointer<AUTHORITY_INFO_ACCESS, AUTHORITY_INFO_ACCESS_free>;
using features_pointer = c_pointer<TLS_FEATURE, TLS_FEATURE_free>;

/// Frees the list alone.
void free_list(STACK_OF(X509) * list) { sk_X509_free(list); }
using list_pointer = c_pointer<STACK_OF(X509), free_list>;

/// What OpenSSL has noted of input that is not good is nobody's business.
struct clears_errors {
    clears_errors() = default;
    ~clears_errors() { ERR_clear_error(); }
    clears_errors(const clears_errors&) = delete;
    clears_errors& operator=(const clears_errors&) = delete;
};

x509_pointer parse(bytes_view der) {
    const auto* bytes = reinterpret_cast<const unsigned char*>(der.data());
    const auto* const end = bytes + der.size();
    x509_pointer parsed(d2i_X509(nullptr, &bytes, static_cast<long>(der.size())));
    if (bytes != end) parsed.reset();
    return parsed;
}

error wrong(std::string why) { return {errc::invalid_ocsp_answer, "ocsp: " + std::move(why)}; }

std::string_view refusal_text(int status) {
    switch (status) {
    case OCSP_RESPONSE_STATUS_MALFORMEDREQUEST: return "malformed";
    case OCSP_RESPONSE_STATUS_INTERNALERROR: return "internal error";
    case OCSP_RESPONSE_STATUS_TRYLATER: return "try later";
    case OCSP_RESPONSE_STATUS_SIGREQUIRED: return "signature required";
    case OCSP_RESPONSE_STATUS_UNAUTHORIZED: return "unauthorized";
    default: return "unknown OCSP status";
    }
}

struct parsed_answer {
    basic_pointer basic;
    std::string signed_part; ///< Where `basic` is not as it came.
};

basic_pointer parse_basic(bytes_view der) {
    const auto* bytes = reinterpret_cast<const unsigned char*>(der.data());
    const auto* const end = bytes + der.size();
    basic_pointer parsed(d2i_OCSP_BASICRESP(nullptr, &bytes, static_cast<long>(der.size())));
    if (bytes != end) parsed.reset();
    return parsed;
}

result<parsed_answer> parse_answer(bytes_view der) {
    if (der.size() > limits::ocsp_response_bytes) return wrong("response too large");
    const auto* bytes = reinterpret_cast<const unsigned char*>(der.data());
    const auto* const end = bytes + der.size();
    const response_pointer whole(d2i_OCSP_RESPONSE(nullptr, &bytes, static_cast<long>(der.size())));
    if (!whole) return wrong("malformed response");
    if (bytes != end) return wrong("trailing data in response");
    if (const int status = OCSP_response_status(whole.get());
        status != OCSP_RESPONSE_STATUS_SUCCESSFUL) {
        return wrong("error from server: " + std::string(refusal_text(status)));
    }
    parsed_answer answer{.basic = basic_pointer(OCSP_response_get1_basic(whole.get())),
                         .signed_part = {}};
    if (auto completed = answer.basic ? std::nullopt : detail::complete_ocsp_answer(der)) {
        answer.basic = parse_basic(completed->basic);
        answer.signed_part = std::move(completed->signed_part);
    }
    if (!answer.basic) return wrong("bad response type");
    if (OCSP_resp_count(answer.basic.get()) != 1) return wrong("bad number of responses");
    return answer;
}

bool is_about(OCSP_SINGLERESP* single, const X509* certificate, const X509* issuer) {
    const auto* const said = OCSP_SINGLERESP_get0_id(single);
    ASN1_OBJECT* digest_name = nullptr;
    OCSP_id_get0_info(nullptr, &digest_name, nullptr, nullptr, const_cast<OCSP_CERTID*>(said));
    const auto* const digest = EVP_get_digestbyobj(digest_name);
    if (digest == nullptr) return false;
    const id_pointer wanted(OCSP_cert_to_id(digest, certificate, issuer));
    return wanted && OCSP_id_cmp(wanted.get(), said) == 0;
}

/// Nobody trusts MD5 any more.
bool is_weakly_signed(const OCSP_BASICRESP* basic) {
    const ASN1_OBJECT* name = nullptr;
    X509_ALGOR_get0(&name, nullptr, nullptr, OCSP_resp_get0_tbs_sigalg(basic));
    int digest = NID_undef;
    int key = NID_undef;
    OBJ_find_sigid_algs(OBJ_obj2nid(name), &digest, &key);
    return digest == NID_md5 || digest == NID_md4 || digest == NID_mdc2;
}

bool holds_at(const X509* certificate, wall_time now) {
    auto at = static_cast<std::time_t>(
        std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count());
    return X509_cmp_time(X509_get0_notBefore(certificate), &at) < 0 &&
           X509_cmp_time(X509_get0_notAfter(certificate), &at) > 0;
}

bool may_sign_answers(X509* signer) {
    const bool says_what_for = (X509_get_extension_flags(signer) & EXFLAG_XKUSAGE) != 0;
    return says_what_for && (X509_get_extended_key_usage(signer) & XKU_OCSP_SIGN) != 0;
}

/// The signature alone: who the signer is comes later.
bool is_signed(const parsed_answer& answer, STACK_OF(X509) * known, const X509* signer) {
    auto* const basic = answer.basic.get();
    if (answer.signed_part.empty()) {
        return OCSP_basic_verify(basic, known, nullptr, OCSP_NOVERIFY) == 1;
    }
    const auto* bytes = reinterpret_cast<const unsigned char*>(answer.signed_part.data());
    const any_pointer signed_part(
        d2i_ASN1_TYPE(nullptr, &bytes, static_cast<long>(answer.signed_part.size())));
    return signed_part &&
           ASN1_item_verify(ASN1_ITEM_rptr(ASN1_ANY), OCSP_resp_get0_tbs_sigalg(basic),
                            OCSP_resp_get0_signature(basic), signed_part.get(),
                            X509_get0_pubkey(signer)) == 1;
}

result<> check_signer(const parsed_answer& answer, X509* issuer, wall_time now) {
    auto* const basic = answer.basic.get();
    const list_pointer known(sk_X509_new_null());
    if (!known || sk_X509_push(known.get(), issuer) == 0) return wrong("out of memory");
    X509* signer = nullptr;
    if (is_weakly_signed(basic) || OCSP_resp_get0_signer(basic, &signer, known.get()) != 1 ||
        !is_signed(answer, known.get(), signer)) {
        return wrong("bad OCSP signature");
    }
    if (X509_cmp(signer, issuer) == 0) return {};
    if (X509_verify(signer, X509_get0_pubkey(issuer)) != 1) return wrong("bad OCSP signature");
    if (!holds_at(signer, now)) return wrong("the signer's certificate has expired");
    if (!may_sign_answers(signer)) return errc::unauthorized_ocsp_signer;
    return {};
}

std::optional<wall_time> time_of(const ASN1_GENERALIZEDTIME* time) {
    std::tm parts{};
    if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return std::nullopt;
    return wall_time_of(::timegm(&parts));
}

access_pointer access_of(const X509* certificate, int* found) {
    return access_pointer(static_cast<AUTHORITY_INFO_ACCESS*>(
        X509_get_ext_d2i(certificate, NID_info_access, found, nullptr)));
}

result<ocsp_answer> answer_of(OCSP_SINGLERESP* single) {
    ASN1_GENERALIZEDTIME* this_update = nullptr;
    ASN1_GENERALIZEDTIME* next_update = nullptr;
    const int status =
        OCSP_single_get0_status(single, nullptr, nullptr, &this_update, &next_update);
    if (OCSP_SINGLERESP_get_ext_by_critical(single, 1, -1) >= 0) {
        return wrong("unsupported critical extension");
    }
    const auto from = time_of(this_update);
    ocsp_answer answer;
    answer.next_update = time_of(next_update);
    if (!from || (next_update != nullptr && !answer.next_update)) return wrong("bad time");
    answer.this_update = *from;
    answer.status = status == V_OCSP_CERTSTATUS_GOOD      ? ocsp_status::good
                    : status == V_OCSP_CERTSTATUS_UNKNOWN ? ocsp_status::unknown
                                                          : ocsp_status::revoked;
    return answer;
}

} // namespace

std::string_view text(ocsp_status status) noexcept {
    switch (status) {
    case ocsp_status::good: return "good";
    case ocsp_status::revoked: return "revoked";
    case ocsp_status::unknown: break;
    }
    return "unknown";
}

result<std::string> ocsp_request(const ocsp_link& about) {
    const clears_errors afterwards;
    const auto certificate = parse(about.certificate);
    const auto issuer = parse(about.issuer);
    const request_pointer request(OCSP_REQUEST_new());
    if (!certificate || !issuer || !request) return errc::invalid_certificate;
    id_pointer id(OCSP_cert_to_id(EVP_sha1(), certificate.get(), issuer.get()));
    if (!id || OCSP_request_add0_id(request.get(), id.get()) == nullptr) {
        return errc::invalid_certificate;
    }
    (void)id.release(); // It is the request's now.
    unsigned char* bytes = nullptr;
    const auto count = i2d_OCSP_REQUEST(request.get(), &bytes);
    if (count <= 0) return errc::invalid_certificate;
    std::string der(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(count));
    OPENSSL_free(bytes);
    return der;
}

result<ocsp_answer> read_ocsp_answer(bytes_view der, const ocsp_link& about, wall_time now) {
    const clears_errors afterwards;
    const auto certificate = parse(about.certificate);
    const auto issuer = parse(about.issuer);
    if (!certificate || !issuer) return errc::invalid_certificate;
    const auto parsed = parse_answer(der);
    if (!parsed) return parsed.error();
    auto* const single = OCSP_resp_get0(parsed->basic.get(), 0);
    if (!is_about(single, certificate.get(), issuer.get())) {
        return wrong("no response matching the supplied certificate");
    }
    if (auto checked = check_signer(*parsed, issuer.get(), now); !checked) {
        return checked.error();
    }
    return answer_of(single);
}

bool has_readable_responders(bytes_view certificate) {
    const clears_errors afterwards;
    const auto parsed = parse(certificate);
    if (!parsed) return false;
    constexpr int is_not_there = -1; // Anything else: it cannot be read, or stands there twice.
    int found = is_not_there;
    return access_of(parsed.get(), &found) || found == is_not_there;
}

std::vector<std::string> ocsp_responders(bytes_view certificate) {
    const clears_errors afterwards;
    std::vector<std::string> urls;
    const auto parsed = parse(certificate);
    if (!parsed) return urls;
    const auto all = access_of(parsed.get(), nullptr);
    if (!all) return urls;
    for (int i = 0; i < sk_ACCESS_DESCRIPTION_num(all.get()); ++i) {
        const auto* const one = sk_ACCESS_DESCRIPTION_value(all.get(), i);
        if (OBJ_obj2nid(one->method) != NID_ad_OCSP || one->location->type != GEN_URI) continue;
        const auto* const uri = one->location->d.uniformResourceIdentifier;
        std::string url(reinterpret_cast<const char*>(ASN1_STRING_get0_data(uri)),
                        static_cast<std::size_t>(ASN1_STRING_length(uri)));
        if (!starts_without_case(url, "http://") && !starts_without_case(url, "https://")) continue;
        if (urls.size() < limits::ocsp_responders) urls.push_back(std::move(url));
    }
    return urls;
}

bool demands_staple(bytes_view certificate) {
    const clears_errors afterwards;
    constexpr long status_request = 5;
    const auto parsed = parse(certificate);
    if (!parsed) return false;
    const features_pointer features(static_cast<TLS_FEATURE*>(
        X509_get_ext_d2i(parsed.get(), NID_tlsfeature, nullptr, nullptr)));
    if (!features) return false;
    for (int i = 0; i < sk_ASN1_INTEGER_num(features.get()); ++i) {
        if (ASN1_INTEGER_get(sk_ASN1_INTEGER_value(features.get(), i)) == status_request) {
            return true;
        }
    }
    return false;
}

bool is_authority(bytes_view certificate) {
    const clears_errors afterwards;
    const auto parsed = parse(certificate);
    return parsed && (X509_get_extension_flags(parsed.get()) & EXFLAG_CA) != 0;
}

} // namespace pipit::auth
