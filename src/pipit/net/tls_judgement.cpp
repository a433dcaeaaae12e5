// SPDX-License-Identifier: Apache-2.0
// Clients whose certificate somebody else judges while the handshake waits.
#include <pipit/net/detail/tls_judgement.hpp>

#include <pipit/base/filter_limits.hpp>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <array>
#include <memory>
#include <new>
#include <span>
#include <utility>

namespace pipit::net::detail {
namespace {

int judgement_index() {
    static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
    return index;
}

tls_judgement* judgement_of(const SSL* ssl) {
    return static_cast<tls_judgement*>(SSL_get_ex_data(ssl, judgement_index()));
}

bool is_trusted(X509_STORE* by, const X509* one) {
    bool found = false;
    X509_STORE_lock(by);
    auto* const objects = X509_STORE_get0_objects(by);
    for (int i = 0; i < sk_X509_OBJECT_num(objects) && !found; ++i) {
        const auto* const known = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, i));
        found = known != nullptr && X509_cmp(known, one) == 0;
    }
    X509_STORE_unlock(by);
    return found;
}

/// Empty: it cannot be written.
std::string der_of(const X509* one) {
    unsigned char* bytes = nullptr;
    const auto count = one == nullptr ? 0 : i2d_X509(one, &bytes);
    if (count <= 0) return {};
    std::string der(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(count));
    OPENSSL_free(bytes);
    return der;
}

/// As Go counts them: whoever is trusted ends a chain, also when somebody else has signed him. Who
/// is trusted himself has one chain alone. Nothing is left out, however long a chain is; what
/// cannot be had whole is none.
certificate_chains chains_of(X509_STORE_CTX* verified) {
    certificate_chains chains;
    std::vector<std::string> chain;
    auto* const all = X509_STORE_CTX_get0_chain(verified);
    auto* const store = X509_STORE_CTX_get0_store(verified);
    for (int i = 0; i < sk_X509_num(all); ++i) {
        auto* const one = sk_X509_value(all, i);
        chain.push_back(der_of(one));
        if (chain.back().empty()) return {};
        const bool is_last = i + 1 == sk_X509_num(all);
        if (!is_last && !is_trusted(store, one)) continue;
        chains.push_back(chain);
        if (i == 0) break;
    }
    return chains;
}

int verify(X509_STORE_CTX* of, void*) {
    if (X509_verify_cert(of) <= 0) return 0;
    const auto* const ssl = static_cast<const SSL*>(
        X509_STORE_CTX_get_ex_data(of, SSL_get_ex_data_X509_STORE_CTX_idx()));
    auto chains = chains_of(of);
    if (chains.empty()) {
        X509_STORE_CTX_set_error(of, X509_V_ERR_OUT_OF_MEM);
        return 0;
    }
    if (auto* const judgement = judgement_of(ssl)) {
        judgement->chains = std::move(chains);
        return 1;
    }
    X509_STORE_CTX_set_error(of, X509_V_ERR_CERT_REJECTED); // Nobody could be asked about it.
    return 0;
}

/// `SERVER_TRAFFIC_SECRET_0 <random> <secret>`, both in hex.
void note_secret(const SSL* ssl, const char* line) {
    const bytes_view text(line);
    auto* const judgement = judgement_of(ssl);
    if (judgement == nullptr || !text.starts_with("SERVER_TRAFFIC_SECRET_0 ")) return;
    std::array<unsigned char, EVP_MAX_MD_SIZE> secret{};
    std::size_t size = 0;
    const auto* const hex = line + text.rfind(' ') + 1;
    if (OPENSSL_hexstr2buf_ex(secret.data(), secret.size(), &size, hex, '\0') == 1) {
        judgement->traffic_secret.assign(reinterpret_cast<const char*>(secret.data()), size);
    }
    OPENSSL_cleanse(secret.data(), secret.size());
}

/// Source: RFC 8446, sections 7.1 and 7.3.
bool expand(bytes_view secret, const EVP_MD* digest, std::string label,
            std::span<unsigned char> into) {
    const c_pointer<EVP_KDF, EVP_KDF_free> kdf(EVP_KDF_fetch(nullptr, "TLS13-KDF", nullptr));
    const c_pointer<EVP_KDF_CTX, EVP_KDF_CTX_free> context(EVP_KDF_CTX_new(kdf.get()));
    if (!context) return false;
    std::string digest_name = EVP_MD_get0_name(digest);
    std::string mode = "EXPAND_ONLY";
    std::string key(secret);
    std::string prefix = "tls13 ";
    const std::array parameters{
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_MODE, mode.data(), 0),
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest_name.data(), 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, key.data(), key.size()),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_PREFIX, prefix.data(), prefix.size()),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_LABEL, label.data(), label.size()),
        OSSL_PARAM_construct_end()};
    const bool done =
        EVP_KDF_derive(context.get(), into.data(), into.size(), parameters.data()) == 1;
    OPENSSL_cleanse(key.data(), key.size());
    return done;
}

/// Wiped when they go.
template <std::size_t Size>
struct secret_array {
    std::array<unsigned char, Size> bytes{};

    secret_array() = default;
    ~secret_array() { OPENSSL_cleanse(bytes.data(), bytes.size()); }
    secret_array(const secret_array&) = delete;
    secret_array& operator=(const secret_array&) = delete;
};

constexpr int nonce_bytes = 12;
constexpr int tag_bytes = 16;

/// The first record that this side protects by `secret`: its number is 0.
/// Source: RFC 8446, sections 5.2 and 5.3.
std::string first_record(const SSL_CIPHER* suite, bytes_view secret, bytes_view inner) {
    const auto* const cipher = EVP_get_cipherbynid(SSL_CIPHER_get_cipher_nid(suite));
    const auto* const digest = SSL_CIPHER_get_handshake_digest(suite);
    if (cipher == nullptr || digest == nullptr) return {};
    secret_array<EVP_MAX_KEY_LENGTH> key;
    secret_array<nonce_bytes> nonce;
    const auto key_bytes = static_cast<std::size_t>(EVP_CIPHER_get_key_length(cipher));
    if (!expand(secret, digest, "key", std::span(key.bytes).first(key_bytes)) ||
        !expand(secret, digest, "iv", nonce.bytes)) {
        return {};
    }
    std::string record("\x17\x03\x03\x00", 4);
    record += static_cast<char>(inner.size() + tag_bytes);
    constexpr int head_bytes = 5;
    record.append(inner.size() + tag_bytes, '\0');
    auto* const out = reinterpret_cast<unsigned char*>(record.data());
    const auto* const in = reinterpret_cast<const unsigned char*>(inner.data());
    const auto in_bytes = static_cast<int>(inner.size());
    int written = 0;
    const c_pointer<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free> context(EVP_CIPHER_CTX_new());
    const bool done =
        context &&
        EVP_EncryptInit_ex2(context.get(), cipher, key.bytes.data(), nonce.bytes.data(), nullptr) &&
        EVP_EncryptUpdate(context.get(), nullptr, &written, out, head_bytes) == 1 &&
        EVP_EncryptUpdate(context.get(), out + head_bytes, &written, in, in_bytes) == 1 &&
        EVP_EncryptFinal_ex(context.get(), out + head_bytes + in_bytes, &written) == 1 &&
        EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, tag_bytes,
                            out + head_bytes + in_bytes) == 1;
    return done ? record : std::string();
}

} // namespace

tls_judgement::~tls_judgement() { forget_secret(); }

void tls_judgement::forget_secret() noexcept {
    OPENSSL_cleanse(traffic_secret.data(), traffic_secret.size());
    traffic_secret.clear();
}

called_back& keep_with(SSL_CTX* context, called_back what) {
    static const int index = SSL_CTX_get_ex_new_index(
        0, nullptr, nullptr, nullptr, [](void*, void* kept, CRYPTO_EX_DATA*, int, long, void*) {
            const std::unique_ptr<called_back> last(static_cast<called_back*>(kept));
        });
    auto made = std::make_unique<called_back>(std::move(what));
    if (SSL_CTX_set_ex_data(context, index, made.get()) != 1) throw std::bad_alloc();
    return *made.release();
}

void judge_peers_of(SSL_CTX* context) {
    SSL_CTX_set_cert_verify_callback(context, verify, nullptr);
    SSL_CTX_set_keylog_callback(context, note_secret);
}

void set_judgement(SSL* ssl, tls_judgement* judgement) {
    SSL_set_ex_data(ssl, judgement_index(), judgement);
}

std::string bad_certificate_alert(const SSL* ssl, bytes_view traffic_secret) {
    constexpr bytes_view alert{"\x02\x2a", 2}; // Fatal; bad certificate.
    if (SSL_version(ssl) != TLS1_3_VERSION) {
        // Neither side protects anything before the client has finished.
        return std::string("\x15\x03\x03\x00\x02", 5).append(alert);
    }
    const auto* suite = SSL_get_current_cipher(ssl);
    if (suite == nullptr) suite = SSL_get_pending_cipher(ssl);
    if (suite == nullptr || traffic_secret.empty()) return {};
    auto record = first_record(suite, traffic_secret, std::string(alert) += '\x15');
    ERR_clear_error();
    return record;
}

void add_certificate(std::vector<std::string>& to, X509* one) {
    if (one == nullptr || to.size() == limits::tls_certificates_shown) return;
    if (auto der = der_of(one); !der.empty()) to.push_back(std::move(der));
}

} // namespace pipit::net::detail
