// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/auth/error.hpp>
#include <pipit/base/bytes.hpp>
#include <pipit/base/error.hpp>

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace pipit::auth {

/// The first byte of a key's text form, which decides the letter that the text begins with.
enum class nkey_prefix : std::uint8_t {
    account = 0,            ///< A
    cluster = 2 << 3,       ///< C
    server = 13 << 3,       ///< N
    operator_key = 14 << 3, ///< O
    private_key = 15 << 3,  ///< P
    seed = 18 << 3,         ///< S, and then the letter of the public key
    user = 20 << 3,         ///< U
    curve = 23 << 3,        ///< X
};

inline constexpr std::size_t nkey_bytes = 32;
using key_bytes = std::array<std::uint8_t, nkey_bytes>;
using signature_bytes = std::array<std::uint8_t, 64>;

/// The 32 secret bytes of a key pair; wiped when they go.
class secret_key_bytes {
public:
    secret_key_bytes() = default;
    explicit secret_key_bytes(std::span<const std::uint8_t, nkey_bytes> bytes) noexcept;
    ~secret_key_bytes();
    secret_key_bytes(const secret_key_bytes&) = default;
    secret_key_bytes& operator=(const secret_key_bytes&) = default;

    [[nodiscard]] std::span<const std::uint8_t, nkey_bytes> bytes() const noexcept {
        return bytes_;
    }

private:
    key_bytes bytes_{};
};

/// A public key: whose it is, and its bytes.
struct public_nkey {
    nkey_prefix prefix = nkey_prefix::account;
    key_bytes bytes{};
    friend bool operator==(const public_nkey&, const public_nkey&) = default;
};

/// A seed: the kind of key pair that it makes, and its bytes.
struct nkey_seed {
    nkey_prefix prefix = nkey_prefix::account; ///< One for which `is_public` holds.
    secret_key_bytes secret;
};

/// The text of a public key: 56 characters. Its prefix is a public one.
/// Source: "NKeys" in the NATS docs; base32 of the prefix, the key and a CRC-16 (XMODEM).
[[nodiscard]] std::string encode(const public_nkey& key);
/// The text of a seed: 58 characters that begin with S and the letter of the public key.
[[nodiscard]] std::string encode(const nkey_seed& seed);

/// Reads the text of a public key; there is one text for each key, nothing else is accepted.
/// Errors: `errc::invalid_nkey_length` (a seed has another one), `errc::invalid_nkey_encoding`,
///         `errc::invalid_nkey_checksum`, `errc::invalid_nkey_prefix` (a private key).
[[nodiscard]] result<public_nkey> decode_public_nkey(std::string_view text);
/// Reads the text of a seed.
/// Errors: the same; `errc::invalid_nkey_prefix` when it is no seed or not of a public kind.
[[nodiscard]] result<nkey_seed> decode_nkey_seed(std::string_view text);

/// A key pair that signs (Ed25519): of a server, an account, an operator, a cluster or a user.
class signing_key {
public:
    /// `seed.prefix` is public and not `curve`. The same seed makes the same pair: whoever needs
    /// a fresh one hands over fresh bytes.
    explicit signing_key(const nkey_seed& seed);
    ~signing_key();
    signing_key(const signing_key&) = delete;
    signing_key& operator=(const signing_key&) = delete;

    [[nodiscard]] const public_nkey& public_key() const noexcept { return public_key_; }
    [[nodiscard]] signature_bytes sign(bytes_view message) const;

private:
    public_nkey public_key_;
    std::array<std::uint8_t, 64> secret_{};
};

/// Did the holder of this key sign these bytes? False also for a signature that is not 64 bytes
/// long, and for a key that cannot sign.
[[nodiscard]] bool verify(const public_nkey& key, bytes_view message,
                          std::span<const std::uint8_t> signature);

/// A key pair that seals (X25519): a server's `xkey`.
class curve_key {
public:
    /// `seed.prefix` is `curve`.
    explicit curve_key(const nkey_seed& seed);

    [[nodiscard]] const public_nkey& public_key() const noexcept { return public_key_; }
    [[nodiscard]] const secret_key_bytes& secret() const noexcept { return secret_; }

private:
    public_nkey public_key_;
    secret_key_bytes secret_;
};

} // namespace pipit::auth
