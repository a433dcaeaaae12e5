// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/auth/nkey.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace pipit::auth {

/// Makes what a server asks its clients to sign: a text that nobody can foresee and that no other
/// connection has, so that a signature is worth nothing a second time. It is made anew from the
/// connection's number whenever it is needed, hence costs a connection no memory.
///
/// Threads: any.
class nonce_maker {
public:
    /// `secret` is fresh and as random as a key.
    explicit nonce_maker(const secret_key_bytes& secret) : secret_(secret) {}

    /// 15 characters of base64url, as nats-server's; the same for the same number.
    [[nodiscard]] std::string make(std::uint64_t connection) const;

private:
    secret_key_bytes secret_;
};

/// Did the holder of this key (`U…`) sign the nonce? The signature is written as CONNECT carries
/// it: base64url without padding or, as some clients do, base64. False also for what is no key, no
/// base64 or no signature.
[[nodiscard]] bool verify_nonce(std::string_view nkey, std::string_view nonce,
                                std::string_view signature);

/// The first of the keys, of whatever kind, whose holder signed the nonce, as a proxy does for its
/// clients (ADR-55). The signature is base64url without padding and nothing else.
/// Errors: `errc::invalid_signature`; the detail says whether it is none, or of no such key.
[[nodiscard]] result<std::string> signer_of(std::span<const std::string> nkeys,
                                            std::string_view nonce, std::string_view signature);

} // namespace pipit::auth
