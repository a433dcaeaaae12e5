// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/auth/nkey.hpp>
#include <pipit/base/bytes.hpp>
#include <pipit/base/error.hpp>

#include <array>
#include <cstdint>
#include <span>
#include <string>

namespace pipit::auth {

inline constexpr std::size_t xkey_nonce_bytes = 24;
using xkey_nonce = std::array<std::uint8_t, xkey_nonce_bytes>;

/// Seals bytes for the holder of `to`, who learns that `from` did it: `xkv1`, the nonce, and the
/// box (X25519, XSalsa20, Poly1305). A nonce is random, and never used twice.
/// Errors: `errc::invalid_xkey` when `to` is no key that one can seal for.
/// Source: "NKeys" in the NATS docs.
[[nodiscard]] result<std::string> seal(const curve_key& from, const public_nkey& to,
                                       bytes_view message, const xkey_nonce& nonce);

/// Opens what the holder of `from` sealed for `to`.
/// Errors: `errc::invalid_xkey`: it is none, or sealed by or for somebody else.
[[nodiscard]] result<std::string> open(const curve_key& to, const public_nkey& from,
                                       bytes_view sealed);

} // namespace pipit::auth
