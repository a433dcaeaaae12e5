// SPDX-License-Identifier: Apache-2.0
#include <pipit/auth/nonce.hpp>

#include <pipit/auth/detail/octets.hpp>
#include <pipit/auth/error.hpp>
#include <pipit/base/base64.hpp>

#include <sodium.h>

#include <array>

namespace pipit::auth {
namespace {

constexpr std::size_t nonce_bytes = 11;

} // namespace

std::string nonce_maker::make(std::uint64_t connection) const {
    std::array<std::uint8_t, sizeof connection> number;
    for (auto& byte : number) {
        byte = static_cast<std::uint8_t>(connection & 0xff);
        connection >>= 8;
    }
    std::array<std::uint8_t, crypto_generichash_BYTES> hash;
    crypto_generichash(hash.data(), hash.size(), number.data(), number.size(),
                       secret_.bytes().data(), secret_.bytes().size());
    return to_base64url(detail::text_of(std::span(hash).first(nonce_bytes)));
}

bool verify_nonce(std::string_view nkey, std::string_view nonce, std::string_view signature) {
    const auto key = decode_public_nkey(nkey);
    if (!key) return false;
    auto bytes = from_base64url(signature);
    if (!bytes) bytes = from_base64(signature);
    return bytes && verify(*key, nonce, detail::octets_of(*bytes));
}

result<std::string> signer_of(std::span<const std::string> nkeys, std::string_view nonce,
                              std::string_view signature) {
    const auto bytes = from_base64url(signature);
    if (!bytes) return error(errc::invalid_signature, "signature not valid base64");
    for (const auto& nkey : nkeys) {
        const auto key = decode_public_nkey(nkey);
        if (!key || key->prefix == nkey_prefix::curve) continue; // That kind does not sign.
        if (verify(*key, nonce, detail::octets_of(*bytes))) return nkey;
    }
    return error(errc::invalid_signature, "signature not verified");
}

} // namespace pipit::auth
