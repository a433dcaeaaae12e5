// SPDX-License-Identifier: Apache-2.0
#include <pipit/auth/xkey.hpp>
#include <pipit/base/assert.hpp>

#include <cstdint>

// What somebody says is sealed never opens; what was sealed opens to what it was.

using namespace pipit;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const bytes_view input(reinterpret_cast<const char*>(data), size);
    auth::key_bytes bytes{};
    bytes.fill(1);
    const auth::curve_key one({auth::nkey_prefix::curve, auth::secret_key_bytes(bytes)});
    bytes.fill(2);
    const auth::curve_key two({auth::nkey_prefix::curve, auth::secret_key_bytes(bytes)});
    PIPIT_ASSERT(!auth::open(two, one.public_key(), input));
    const auto sealed = auth::seal(one, two.public_key(), input, {});
    PIPIT_ASSERT(sealed && *auth::open(two, one.public_key(), *sealed) == input);
    return 0;
}
