// SPDX-License-Identifier: Apache-2.0
#include <pipit/net/tls_context.hpp>

#include <pipit/base/filter_limits.hpp>
#include <pipit/base/hex.hpp>
#include <pipit/base/unix_time.hpp>
#include <pipit/net/detail/tls_judgement.hpp>
#include <pipit/net/detail/tls_names.hpp>
#include <pipit/net/detail/tls_state.hpp>
#include <pipit/net/error.hpp>
#include <pipit/net/read_file.hpp>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <ctime>
#include <utility>

namespace pipit::net {
namespace {

using bio_pointer = c_pointer<BIO, BIO_free>;
using key_pointer = c_pointer<EVP_PKEY, EVP_PKEY_free>;

/// Source: Go, what a server and a client of version 1.3 prefer where the processor knows AES.
constexpr auto suites_of_tls_1_3 =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";

error unusable_file(std::string why) { return {errc::unusable_tls_file, std::move(why)}; }

/// Reads files and remembers that it did.
class file_reader {
public:
    file_reader() { EVP_DigestInit_ex(digest_.get(), EVP_sha256(), nullptr); }

    result<std::string> read(const std::string& path);

    /// Of all that was read, in hex.
    [[nodiscard]] std::string digest() {
        std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
        unsigned int count = 0;
        EVP_DigestFinal_ex(digest_.get(), bytes.data(), &count);
        return to_hex({reinterpret_cast<const char*>(bytes.data()), count});
    }

private:
    c_pointer<EVP_MD_CTX, EVP_MD_CTX_free> digest_{EVP_MD_CTX_new()};
};

result<std::string> file_reader::read(const std::string& path) {
    auto text = read_file(path, limits::tls_file_bytes);
    if (!text) return unusable_file(std::string(text.error().detail()));
    if (text->size() > limits::tls_file_bytes) return unusable_file(path + " is too large");
    EVP_DigestUpdate(digest_.get(), text->data(), text->size());
    return text;
}

bio_pointer reader_of(const std::string& text) {
    return bio_pointer(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

/// A key with a password is refused instead of asking somebody at a terminal.
int no_password(char*, int, int, void*) { return -1; }

/// What OpenSSL says of what it has just refused.
std::string last_refusal() {
    const char* const why = ERR_reason_error_string(ERR_peek_last_error());
    ERR_clear_error();
    return why != nullptr ? why : "OpenSSL refuses it";
}

error unusable_certificate(const std::string& path, std::size_t index) {
    return unusable_file(path + ": certificate " + std::to_string(index + 1) +
                         " cannot be used: " + last_refusal());
}

/// All that a file holds, in its order; a file without any is not an error.
/// Errors: one of them cannot be read; nobody would notice that it is missing.
result<std::vector<certificate_pointer>> certificates_in(const std::string& text,
                                                         const std::string& path) {
    std::vector<certificate_pointer> all;
    const auto source = reader_of(text);
    while (X509* one = PEM_read_bio_X509(source.get(), nullptr, no_password, nullptr)) {
        all.emplace_back(one);
    }
    const auto end = ERR_peek_last_error();
    const bool is_end_of_text =
        ERR_GET_LIB(end) == ERR_LIB_PEM && ERR_GET_REASON(end) == PEM_R_NO_START_LINE;
    if (!is_end_of_text) return unusable_certificate(path, all.size());
    ERR_clear_error();
    return all;
}

/// Often the year 9999, when there are no nanoseconds any more.
std::optional<std::chrono::sys_seconds> end_of(const X509* certificate) {
    std::tm parts{};
    if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &parts) != 1) return std::nullopt;
    return std::chrono::sys_seconds(std::chrono::seconds(::timegm(&parts)));
}

/// Errors: the texts that nats-server shows for the same, which are Go's.
result<> use_key_pair(SSL_CTX* context, const tls_key_pair& pair, file_reader& files,
                      std::optional<std::chrono::sys_seconds>& valid_until) {
    if (pair.key_file.empty()) return unusable_file("missing 'key_file' in TLS configuration");
    if (pair.certificate_file.empty()) {
        return unusable_file("missing 'cert_file' in TLS configuration");
    }
    const auto wrong = [](std::string_view why) {
        return unusable_file("error parsing X509 certificate/key pair: " + std::string(why));
    };
    const auto certificate_text = files.read(pair.certificate_file);
    if (!certificate_text) return wrong(certificate_text.error().detail());
    auto key_text = files.read(pair.key_file);
    if (!key_text) return wrong(key_text.error().detail());

    auto found = certificates_in(*certificate_text, pair.certificate_file);
    if (!found) return wrong(found.error().detail());
    auto& certificates = *found;
    if (certificates.empty()) {
        return wrong("tls: failed to find any PEM data in certificate input");
    }
    const auto source = reader_of(*key_text);
    const key_pointer key(PEM_read_bio_PrivateKey(source.get(), nullptr, no_password, nullptr));
    OPENSSL_cleanse(key_text->data(), key_text->size());
    if (!key) {
        ERR_clear_error();
        return wrong("tls: failed to find a private key without a password in key input");
    }
    if (X509_check_private_key(certificates.front().get(), key.get()) != 1) {
        ERR_clear_error();
        return wrong("tls: private key does not match public key");
    }
    valid_until = end_of(certificates.front().get());
    if (SSL_CTX_use_certificate(context, certificates.front().get()) != 1 ||
        SSL_CTX_use_PrivateKey(context, key.get()) != 1) {
        return wrong(last_refusal());
    }
    for (std::size_t i = 1; i < certificates.size(); ++i) {
        if (SSL_CTX_add0_chain_cert(context, certificates[i].get()) != 1) {
            return wrong(unusable_certificate(pair.certificate_file, i).detail());
        }
        (void)certificates[i].release(); // It is the context's now.
    }
    return {};
}

/// Where systems keep the authorities that they trust, when it is not where OpenSSL looks: a
/// program is taken to other systems than the one it was linked on.
void trust_the_system(SSL_CTX* context) {
    SSL_CTX_set_default_verify_paths(context);
    const bool is_named = std::getenv(X509_get_default_cert_file_env()) != nullptr ||
                          std::getenv(X509_get_default_cert_dir_env()) != nullptr;
    if (is_named) return;
    SSL_CTX_load_verify_dir(context, "/etc/ssl/certs");
    for (const char* const file :
         {"/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"}) {
        SSL_CTX_load_verify_file(context, file);
    }
    ERR_clear_error();
}

result<> trust_authorities(SSL_CTX* context, const std::string& file, file_reader& files) {
    auto* const store = SSL_CTX_get_cert_store(context);
    // As Go: whatever is in the list is trusted, also what somebody else has signed.
    X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
    if (file.empty()) {
        trust_the_system(context);
        return {};
    }
    const auto text = files.read(file);
    if (!text) return text.error();
    const auto authorities = certificates_in(*text, file);
    if (!authorities) return authorities.error();
    if (authorities->empty()) return unusable_file("failed to parse root ca certificate");
    for (std::size_t i = 0; i < authorities->size(); ++i) {
        auto* const one = (*authorities)[i].get();
        // A server names whom it trusts.
        if (X509_STORE_add_cert(store, one) != 1 || SSL_CTX_add_client_CA(context, one) != 1) {
            return unusable_certificate(file, i);
        }
    }
    return {};
}

using security_question = decltype(SSL_CTX_get_security_callback(nullptr));

security_question usual_answer() {
    static const security_question usual = [] {
        const ssl_context_pointer context(SSL_CTX_new(TLS_method()));
        return context ? SSL_CTX_get_security_callback(context.get()) : nullptr;
    }();
    return usual;
}

/// As Go: how strong one's own certificate has to be is for the peer to judge. What a peer shows
/// is judged as ever.
int judge_peers_alone(const SSL* ssl, const SSL_CTX* context, int about, int bits, int nid,
                      void* other, void* extra) {
    if (about == SSL_SECOP_EE_KEY || about == SSL_SECOP_CA_KEY || about == SSL_SECOP_CA_MD)
        return 1;
    return usual_answer()(ssl, context, about, bits, nid, other, extra);
}

result<ssl_context_pointer> make_context(const tls_settings& settings, bool is_server,
                                         file_reader& files) {
    ssl_context_pointer context(SSL_CTX_new(is_server ? TLS_server_method() : TLS_client_method()));
    if (!context) return error(errc::unusable_tls_settings, "OpenSSL cannot be used");
    auto* const it = context.get();
    SSL_CTX_set_min_proto_version(it, settings.min_version == tls_version::v1_3 ? TLS1_3_VERSION
                                                                                : TLS1_2_VERSION);
    SSL_CTX_set_options(it, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    if (usual_answer() != nullptr) SSL_CTX_set_security_callback(it, judge_peers_alone);
    // What stands in the file is sent, and no chain is made up of who else is trusted.
    SSL_CTX_set_mode(it, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
    SSL_CTX_set_session_cache_mode(it, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_max_cert_list(it, limits::tls_certificate_bytes);
    if (is_server) {
        constexpr unsigned char name[] = "pipit";
        SSL_CTX_set_session_id_context(it, name, sizeof(name));
        // As Go, one. But a session that is taken up again shows no certificate.
        SSL_CTX_set_num_tickets(it, settings.verifies_peer ? 0 : 1);
        if (settings.verifies_peer) SSL_CTX_set_options(it, SSL_OP_NO_TICKET);
    }
    const auto ciphers = openssl_cipher_list(settings.cipher_suites);
    if (!ciphers) return ciphers.error();
    const auto curves = openssl_curve_list(settings.curves);
    if (!curves) return curves.error();
    const bool are_set = SSL_CTX_set_ciphersuites(it, suites_of_tls_1_3) == 1 &&
                         (ciphers->empty() || SSL_CTX_set_cipher_list(it, ciphers->c_str()) == 1) &&
                         SSL_CTX_set1_groups_list(it, curves->c_str()) == 1;
    if (!are_set) {
        ERR_clear_error();
        return error(errc::unusable_tls_settings, "OpenSSL refuses the cipher suites or curves");
    }
    // Whoever names suites of TLS 1.3 alone allows none of TLS 1.2.
    if (ciphers->empty()) SSL_CTX_set_min_proto_version(it, TLS1_3_VERSION);
    if (settings.verifies_peer) {
        SSL_CTX_set_verify(it, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    }
    // A file that is named has to be there, whether anybody is verified or not.
    if (settings.verifies_peer || !settings.authorities_file.empty()) {
        if (auto trusted = trust_authorities(it, settings.authorities_file, files); !trusted) {
            return trusted.error();
        }
    }
    return context;
}

/// The certificate for the name that a client asks for.
int choose_certificate(SSL* connection, int*, void* argument) {
    const auto& others = static_cast<const detail::called_back*>(argument)->others;
    const char* const name = SSL_get_servername(connection, TLSEXT_NAMETYPE_host_name);
    if (name == nullptr) return SSL_TLSEXT_ERR_NOACK;
    const auto is_for_it = [name](SSL_CTX* one) {
        return X509_check_host(SSL_CTX_get0_certificate(one), name, 0, 0, nullptr) == 1;
    };
    if (is_for_it(SSL_get_SSL_CTX(connection))) return SSL_TLSEXT_ERR_OK;
    for (const auto& one : others) {
        if (!is_for_it(one.get())) continue;
        SSL_set_SSL_CTX(connection, one.get());
        break;
    }
    return SSL_TLSEXT_ERR_OK;
}

/// Shows what an authority says of this certificate to who wants to know.
int show_staple(SSL* connection, void* argument) {
    const auto& parts = static_cast<const detail::called_back*>(argument)->parts;
    const auto staple = parts.staple->now();
    if (!staple) return SSL_TLSEXT_ERR_ALERT_FATAL;
    auto* const copy = static_cast<unsigned char*>(OPENSSL_memdup(staple->data(), staple->size()));
    if (copy == nullptr) return SSL_TLSEXT_ERR_ALERT_FATAL;
    SSL_set_tlsext_status_ocsp_resp(connection, copy, static_cast<long>(staple->size()));
    return SSL_TLSEXT_ERR_OK;
}

/// As nats-server: without it nobody is let in, also who does not ask for it.
int require_staple(SSL*, void* argument) {
    return static_cast<const detail::called_back*>(argument)->parts.staple->now() ? 1 : 0;
}

void add_parts(tls_context::state& state) {
    auto* const first = state.contexts.front().get();
    auto& kept = detail::keep_with(first, {.parts = state.parts, .others = {}});
    if (state.parts.judge) detail::judge_peers_of(first);
    for (std::size_t i = 1; i < state.contexts.size(); ++i) {
        auto* const other = state.contexts[i].get();
        SSL_CTX_up_ref(other);
        kept.others.emplace_back(other);
        if (state.parts.judge) detail::judge_peers_of(other);
    }
    if (!kept.others.empty()) {
        SSL_CTX_set_tlsext_servername_callback(first, choose_certificate);
        SSL_CTX_set_tlsext_servername_arg(first, &kept);
    }
    if (!state.parts.staple) return;
    SSL_CTX_set_tlsext_status_cb(first, show_staple);
    SSL_CTX_set_tlsext_status_arg(first, &kept);
    SSL_CTX_set_cert_cb(first, require_staple, &kept);
}

result<std::unique_ptr<tls_context::state>> make_state(const tls_settings& settings, bool is_server,
                                                       tls_server_parts parts = {}) {
    auto made = std::make_unique<tls_context::state>();
    made->is_server = is_server;
    made->verifies_peer = settings.verifies_peer;
    file_reader files;
    const auto count = std::max<std::size_t>(settings.key_pairs.size(), 1);
    for (std::size_t i = 0; i < count; ++i) {
        auto context = make_context(settings, is_server, files);
        if (!context) return context.error();
        if (i < settings.key_pairs.size()) {
            std::optional<std::chrono::sys_seconds> until;
            const auto used = use_key_pair(context->get(), settings.key_pairs[i], files, until);
            if (!used) return used.error();
            if (i == 0) made->valid_until = until;
        }
        made->contexts.push_back(std::move(*context));
    }
    made->files_digest = files.digest();
    made->parts = std::move(parts);
    add_parts(*made);
    return made;
}

} // namespace

tls_context::tls_context(std::unique_ptr<state> made) : state_(std::move(made)) {}
tls_context::~tls_context() = default;

result<std::shared_ptr<const tls_context>> tls_context::for_server(const tls_settings& settings,
                                                                   tls_server_parts parts) {
    if (settings.key_pairs.empty()) {
        return error(errc::unusable_tls_settings, "a TLS server needs a certificate and its key");
    }
    auto made = make_state(settings, true, std::move(parts));
    if (!made) return made.error();
    return std::shared_ptr<const tls_context>(new tls_context(std::move(*made)));
}

result<std::shared_ptr<const tls_context>> tls_context::for_client(const tls_settings& settings) {
    auto made = make_state(settings, false);
    if (!made) return made.error();
    return std::shared_ptr<const tls_context>(new tls_context(std::move(*made)));
}

const std::string& tls_context::files_digest() const noexcept { return state_->files_digest; }

std::optional<std::chrono::sys_seconds> tls_context::valid_until() const noexcept {
    return state_->valid_until;
}

result<std::vector<std::string>> tls_context::own_certificates(const tls_settings& settings) {
    std::vector<std::string> all;
    if (settings.key_pairs.empty()) return all;
    const auto text = file_reader().read(settings.key_pairs.front().certificate_file);
    if (!text) return text.error();
    const auto found = certificates_in(*text, settings.key_pairs.front().certificate_file);
    if (!found) return found.error();
    for (const auto& one : *found) detail::add_certificate(all, one.get());
    return all;
}

std::optional<std::string> tls_context::issuer() const {
    auto* const first = state_->contexts.front().get();
    X509* const own = SSL_CTX_get0_certificate(first);
    STACK_OF(X509)* others = nullptr;
    SSL_CTX_get0_chain_certs(first, &others);
    std::vector<std::string> found;
    const c_pointer<X509_STORE_CTX, X509_STORE_CTX_free> search(X509_STORE_CTX_new());
    if (own == nullptr || !search) return std::nullopt;
    if (sk_X509_num(others) > 0) {
        // As nats-server: the next one in the file, or nobody.
        auto* const next = sk_X509_value(others, 0);
        if (X509_verify(own, X509_get0_pubkey(next)) == 1) detail::add_certificate(found, next);
    } else if (X509_STORE_CTX_init(search.get(), SSL_CTX_get_cert_store(first), own, nullptr) ==
                   1 &&
               X509_verify_cert(search.get()) == 1) {
        auto* const chain = X509_STORE_CTX_get0_chain(search.get());
        if (sk_X509_num(chain) > 1) detail::add_certificate(found, sk_X509_value(chain, 1));
    }
    ERR_clear_error();
    if (found.empty()) return std::nullopt;
    return std::move(found.front());
}

bool detail::expect_name(SSL* ssl, const tls_context& context, const std::string& name) {
    if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name.c_str()) == 1) return true;
    ERR_clear_error();
    SSL_set_tlsext_host_name(ssl, name.c_str());
    if (!context.internals().verifies_peer) return true;
    // As Go: what a certificate calls its subject is no name of a host.
    SSL_set_hostflags(ssl,
                      X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    return !name.empty() && SSL_set1_host(ssl, name.c_str()) == 1;
}

} // namespace pipit::net
