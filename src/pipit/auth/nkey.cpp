// SPDX-License-Identifier: Apache-2.0
#include <pipit/auth/nkey.hpp>

#include <pipit/auth/detail/base32.hpp>
#include <pipit/base/assert.hpp>

#include <sodium.h>

#include <algorithm>
#include <optional>

namespace pipit::auth {
namespace {

using detail::base32_size;
using detail::to_base32;

constexpr std::size_t checksum_bytes = 2;
constexpr std::size_t public_raw_bytes = 1 + nkey_bytes + checksum_bytes;
constexpr std::size_t seed_raw_bytes = 2 + nkey_bytes + checksum_bytes;

/// Before anything else of the library: chooses the fastest code for this processor. Idempotent.
void prepare_libsodium() {
    static const bool prepared = sodium_init() >= 0;
    PIPIT_ASSERT(prepared);
}

/// CRC-16/XMODEM: polynomial 0x1021, begins with 0.
std::uint16_t checksum(std::span<const std::uint8_t> bytes) {
    std::uint32_t crc = 0;
    for (const auto byte : bytes) {
        crc ^= static_cast<std::uint32_t>(byte) << 8;
        for (int bit = 0; bit < 8; ++bit) {
            crc = (crc << 1) ^ ((crc & 0x8000) != 0 ? 0x1021u : 0u);
        }
        crc &= 0xffff;
    }
    return static_cast<std::uint16_t>(crc);
}

std::optional<std::uint32_t> base32_value(char c) {
    if (c >= 'A' && c <= 'Z') return static_cast<std::uint32_t>(c - 'A');
    if (c >= '2' && c <= '7') return static_cast<std::uint32_t>(c - '2' + 26);
    return std::nullopt;
}

/// What lies between the text and the key; a seed passes through it, so it is wiped.
template <std::size_t Size>
struct raw_key {
    std::array<std::uint8_t, Size> bytes{};
    raw_key() = default;
    raw_key(const raw_key&) = default;
    raw_key& operator=(const raw_key&) = default;
    ~raw_key() { sodium_memzero(bytes.data(), bytes.size()); }
};

template <std::size_t Size>
result<raw_key<Size>> from_base32(std::string_view text) {
    if (text.size() != base32_size(Size)) return errc::invalid_nkey_length;
    raw_key<Size> raw;
    std::size_t written = 0;
    std::uint32_t pending = 0;
    int pending_bits = 0;
    for (const auto c : text) {
        const auto value = base32_value(c);
        if (!value) return errc::invalid_nkey_encoding;
        pending = ((pending << 5) | *value) & 0xfff;
        pending_bits += 5;
        if (pending_bits >= 8) {
            pending_bits -= 8;
            raw.bytes[written++] = static_cast<std::uint8_t>(pending >> pending_bits);
        }
    }
    // One text for each key: the bits that are left over say nothing.
    if ((pending & ((1u << pending_bits) - 1)) != 0) return errc::invalid_nkey_encoding;
    return raw;
}

template <std::size_t Size>
void write_checksum(raw_key<Size>& raw) {
    const auto crc = checksum(std::span(raw.bytes).first(Size - checksum_bytes));
    raw.bytes[Size - 2] = static_cast<std::uint8_t>(crc & 0xff);
    raw.bytes[Size - 1] = static_cast<std::uint8_t>(crc >> 8);
}

template <std::size_t Size>
bool has_right_checksum(const raw_key<Size>& raw) {
    auto expected = raw;
    write_checksum(expected);
    return expected.bytes == raw.bytes;
}

constexpr std::uint8_t byte_of(nkey_prefix prefix) { return static_cast<std::uint8_t>(prefix); }

/// Of a public key, whose letter is A, C, N, O, U or X.
bool is_public(nkey_prefix prefix) noexcept {
    switch (prefix) {
    case nkey_prefix::account:
    case nkey_prefix::cluster:
    case nkey_prefix::server:
    case nkey_prefix::operator_key:
    case nkey_prefix::user:
    case nkey_prefix::curve: return true;
    case nkey_prefix::private_key:
    case nkey_prefix::seed: break;
    }
    return false;
}

} // namespace

secret_key_bytes::secret_key_bytes(std::span<const std::uint8_t, nkey_bytes> bytes) noexcept {
    std::copy(bytes.begin(), bytes.end(), bytes_.begin());
}

secret_key_bytes::~secret_key_bytes() { sodium_memzero(bytes_.data(), bytes_.size()); }

std::string encode(const public_nkey& key) {
    PIPIT_ASSERT(is_public(key.prefix));
    raw_key<public_raw_bytes> raw;
    raw.bytes[0] = byte_of(key.prefix);
    std::copy(key.bytes.begin(), key.bytes.end(), raw.bytes.begin() + 1);
    write_checksum(raw);
    return to_base32(raw.bytes);
}

std::string encode(const nkey_seed& seed) {
    PIPIT_ASSERT(is_public(seed.prefix));
    raw_key<seed_raw_bytes> raw;
    // The public prefix is cut so that it fills the second character of the text.
    raw.bytes[0] =
        static_cast<std::uint8_t>(byte_of(nkey_prefix::seed) | (byte_of(seed.prefix) >> 5));
    raw.bytes[1] = static_cast<std::uint8_t>((byte_of(seed.prefix) & 31) << 3);
    const auto secret = seed.secret.bytes();
    std::copy(secret.begin(), secret.end(), raw.bytes.begin() + 2);
    write_checksum(raw);
    return to_base32(raw.bytes);
}

result<public_nkey> decode_public_nkey(std::string_view text) {
    const auto raw = from_base32<public_raw_bytes>(text);
    if (!raw) return raw.error();
    if (!has_right_checksum(*raw)) return errc::invalid_nkey_checksum;
    public_nkey key;
    key.prefix = static_cast<nkey_prefix>(raw->bytes[0]);
    if (!is_public(key.prefix)) return errc::invalid_nkey_prefix;
    std::copy_n(raw->bytes.begin() + 1, nkey_bytes, key.bytes.begin());
    return key;
}

result<nkey_seed> decode_nkey_seed(std::string_view text) {
    const auto raw = from_base32<seed_raw_bytes>(text);
    if (!raw) return raw.error();
    if (!has_right_checksum(*raw)) return errc::invalid_nkey_checksum;
    const auto first = raw->bytes[0], second = raw->bytes[1];
    const auto prefix =
        static_cast<nkey_prefix>(static_cast<std::uint8_t>((first & 7) << 5 | second >> 3));
    const bool is_seed = (first & 0xf8) == byte_of(nkey_prefix::seed) && (second & 7) == 0;
    if (!is_seed || !is_public(prefix)) return errc::invalid_nkey_prefix;
    const auto secret = std::span(raw->bytes).template subspan<2, nkey_bytes>();
    return nkey_seed{prefix, secret_key_bytes(secret)};
}

signing_key::signing_key(const nkey_seed& seed) {
    PIPIT_ASSERT(is_public(seed.prefix) && seed.prefix != nkey_prefix::curve);
    prepare_libsodium();
    public_key_.prefix = seed.prefix;
    static_assert(crypto_sign_SECRETKEYBYTES == sizeof(secret_));
    crypto_sign_seed_keypair(public_key_.bytes.data(), secret_.data(), seed.secret.bytes().data());
}

signing_key::~signing_key() { sodium_memzero(secret_.data(), secret_.size()); }

signature_bytes signing_key::sign(bytes_view message) const {
    signature_bytes signature;
    static_assert(crypto_sign_BYTES == sizeof(signature));
    crypto_sign_detached(signature.data(), nullptr,
                         reinterpret_cast<const unsigned char*>(message.data()), message.size(),
                         secret_.data());
    return signature;
}

bool verify(const public_nkey& key, bytes_view message, std::span<const std::uint8_t> signature) {
    if (signature.size() != crypto_sign_BYTES || key.prefix == nkey_prefix::curve) return false;
    prepare_libsodium();
    return crypto_sign_verify_detached(signature.data(),
                                       reinterpret_cast<const unsigned char*>(message.data()),
                                       message.size(), key.bytes.data()) == 0;
}

curve_key::curve_key(const nkey_seed& seed) : secret_(seed.secret) {
    PIPIT_ASSERT(seed.prefix == nkey_prefix::curve);
    prepare_libsodium();
    public_key_.prefix = nkey_prefix::curve;
    crypto_scalarmult_base(public_key_.bytes.data(), secret_.bytes().data());
}

} // namespace pipit::auth
