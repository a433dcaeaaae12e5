// SPDX-License-Identifier: Apache-2.0
#include <pipit/auth/digest.hpp>

#include <pipit/auth/detail/octets.hpp>

#include <sodium.h>

namespace pipit::auth {

sha256_digest sha256(bytes_view bytes) {
    static_assert(std::tuple_size_v<sha256_digest> == crypto_hash_sha256_BYTES);
    sha256_digest digest{};
    const auto octets = detail::octets_of(bytes);
    crypto_hash_sha256(digest.data(), octets.data(), octets.size());
    return digest;
}

} // namespace pipit::auth
