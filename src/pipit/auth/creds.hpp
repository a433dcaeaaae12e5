// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/auth/nkey.hpp>
#include <pipit/base/bytes.hpp>
#include <pipit/base/error.hpp>

#include <string>

namespace pipit::auth {

/// What a user of an operator's servers signs in with.
struct user_credentials {
    std::string jwt;
    nkey_seed seed;
};

/// Reads a `.creds` file: a JWT and a seed, each alone on the line between two lines of dashes;
/// what stands around them is for people. Errors: `errc::invalid_creds`, with what is missing;
/// those of `decode_nkey_seed`. Source: nats-server's `nsc` writes them; any number of dashes from
/// three on.
[[nodiscard]] result<user_credentials> read_creds(bytes_view text);

/// Reads a file that holds a seed: alone on the first line that is not empty, or as in a creds
/// file. Errors: as `read_creds`.
[[nodiscard]] result<nkey_seed> read_seed(bytes_view text);

/// Whether it is a seed, a JWT or a file of them, or nearly one: not to be shown where somebody has
/// typed it in place of something else.
[[nodiscard]] bool looks_secret(bytes_view text) noexcept;

/// The signature of a server's nonce as CONNECT carries it: base64url without padding.
[[nodiscard]] std::string sign_nonce(const nkey_seed& seed, bytes_view nonce);

} // namespace pipit::auth
