// SPDX-License-Identifier: Apache-2.0
// What configurations call cipher suites and curves, and what OpenSSL calls them.
#include <pipit/net/detail/tls_names.hpp>
#include <pipit/net/detail/tls_state.hpp>
#include <pipit/net/error.hpp>
#include <pipit/net/tls_context.hpp>

#include <openssl/ssl.h>

#include <algorithm>
#include <array>

namespace pipit::net {
namespace {

/// Source: Go's `tls.CipherSuites` and `tls.InsecureCipherSuites`, which nats-server takes.
constexpr std::array cipher_suites{
    tls_cipher_suite{"TLS_AES_128_GCM_SHA256"},
    tls_cipher_suite{"TLS_AES_256_GCM_SHA384"},
    tls_cipher_suite{"TLS_CHACHA20_POLY1305_SHA256"},
    tls_cipher_suite{"TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA"},
    tls_cipher_suite{"TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA"},
    tls_cipher_suite{"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"},
    tls_cipher_suite{"TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA"},
    tls_cipher_suite{"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"},
    tls_cipher_suite{"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"},
    tls_cipher_suite{"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"},
    tls_cipher_suite{"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"},
    tls_cipher_suite{"TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"},
    tls_cipher_suite{"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"},
    tls_cipher_suite{"TLS_RSA_WITH_RC4_128_SHA", true},
    tls_cipher_suite{"TLS_RSA_WITH_3DES_EDE_CBC_SHA", true},
    tls_cipher_suite{"TLS_RSA_WITH_AES_128_CBC_SHA", true},
    tls_cipher_suite{"TLS_RSA_WITH_AES_256_CBC_SHA", true},
    tls_cipher_suite{"TLS_RSA_WITH_AES_128_CBC_SHA256", true},
    tls_cipher_suite{"TLS_RSA_WITH_AES_128_GCM_SHA256", true},
    tls_cipher_suite{"TLS_RSA_WITH_AES_256_GCM_SHA384", true},
    tls_cipher_suite{"TLS_ECDHE_ECDSA_WITH_RC4_128_SHA", true},
    tls_cipher_suite{"TLS_ECDHE_RSA_WITH_RC4_128_SHA", true},
    tls_cipher_suite{"TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA", true},
    tls_cipher_suite{"TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256", true},
    tls_cipher_suite{"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256", true},
};

/// Of version 1.3, which no configuration chooses from: what Go prefers where the processor
/// knows AES.
constexpr std::size_t suites_of_tls_1_3 = 3;

struct curve {
    std::string_view name;
    const char* openssl_name;
};
/// In the order in which nats-server prefers them.
constexpr std::array curves_known{
    curve{"X25519MLKEM768", "X25519MLKEM768"},
    curve{"SecP384r1MLKEM1024", "SecP384r1MLKEM1024"},
    curve{"SecP256r1MLKEM768", "SecP256r1MLKEM768"},
    curve{"X25519", "X25519"},
    curve{"CurveP256", "P-256"},
    curve{"CurveP384", "P-384"},
    curve{"CurveP521", "P-521"},
};

/// Asks OpenSSL, in a context that is thrown away.
bool is_taken(const std::string& name, int (*set)(SSL_CTX*, const char*)) {
    const ssl_context_pointer context(SSL_CTX_new(TLS_method()));
    return context && set(context.get(), name.c_str()) == 1;
}
int set_ciphers(SSL_CTX* context, const char* list) {
    return SSL_CTX_set_cipher_list(context, list);
}
int set_groups(SSL_CTX* context, const char* list) {
    return static_cast<int>(SSL_CTX_set1_groups_list(context, list));
}

/// What is chosen before what, whatever the order in which a client or a configuration names them:
/// ways that keep their secrets when the key is stolen first, and of those the ones without CBC.
/// Source: Go's `cipherSuitesPreferenceOrder`.
constexpr std::string_view preferred[] = {
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
    "TLS_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_RSA_WITH_AES_128_CBC_SHA",
    "TLS_RSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA",
    "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
    "TLS_RSA_WITH_AES_128_CBC_SHA256",
    "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA",
    "TLS_ECDHE_RSA_WITH_RC4_128_SHA",
    "TLS_RSA_WITH_RC4_128_SHA",
};

void append(std::string& list, std::string_view name) {
    if (!list.empty()) list += ':';
    list += name;
}

} // namespace

const tls_cipher_suite* find_tls_cipher_suite(std::string_view name) noexcept {
    const auto* const found = std::ranges::find(cipher_suites, name, &tls_cipher_suite::name);
    return found == cipher_suites.end() ? nullptr : found;
}

bool is_tls_curve(std::string_view name) noexcept {
    return std::ranges::find(curves_known, name, &curve::name) != curves_known.end();
}

std::vector<std::string_view> tls_cipher_suite_names() {
    std::vector<std::string_view> names;
    for (const auto& suite : cipher_suites) names.push_back(suite.name);
    return names;
}

std::vector<std::string_view> tls_curve_names() {
    std::vector<std::string_view> names;
    for (const auto& one : curves_known) names.push_back(one.name);
    return names;
}

result<std::string> openssl_cipher_list(const std::vector<std::string>& suites) {
    std::vector<std::string_view> wanted;
    for (const auto& suite : cipher_suites) {
        if (suites.empty() && !suite.is_insecure) wanted.push_back(suite.name);
    }
    bool names_others = false;
    for (const auto& name : suites) {
        const auto* const known = find_tls_cipher_suite(name);
        if (known == nullptr) {
            return error(errc::unusable_tls_settings, "unrecognized cipher " + name);
        }
        if (known - cipher_suites.data() < static_cast<std::ptrdiff_t>(suites_of_tls_1_3)) continue;
        names_others = true;
        wanted.push_back(known->name);
    }
    std::ranges::sort(wanted, {}, [](auto name) { return std::ranges::find(preferred, name); });
    std::string list;
    for (const auto name : wanted) {
        const std::string openssl_name = OPENSSL_cipher_name(std::string(name).c_str());
        if (is_taken(openssl_name, set_ciphers)) append(list, openssl_name);
    }
    if (names_others && list.empty()) {
        return error(errc::unusable_tls_settings,
                     "none of the cipher suites is there in this OpenSSL");
    }
    return list;
}

result<std::string> openssl_curve_list(const std::vector<std::string>& curves) {
    std::string list;
    const auto take = [&](const curve& one) {
        if (is_taken(one.openssl_name, set_groups)) append(list, one.openssl_name);
    };
    if (curves.empty()) {
        for (const auto& one : curves_known) take(one);
        return list;
    }
    for (const auto& name : curves) {
        const auto* const known = std::ranges::find(curves_known, name, &curve::name);
        if (known == curves_known.end()) {
            return error(errc::unusable_tls_settings, "unrecognized curve preference " + name);
        }
        take(*known);
    }
    if (list.empty()) {
        return error(errc::unusable_tls_settings,
                     "none of the curve preferences is there in this OpenSSL");
    }
    return list;
}

} // namespace pipit::net
