// SPDX-License-Identifier: Apache-2.0
#include <pipit/auth/nkey.hpp>
#include <pipit/auth/nonce.hpp>
#include <pipit/base/assert.hpp>
#include <pipit/server/server_identity.hpp>
#include <pipit/server/version.hpp>

#include <sys/random.h>

namespace pipit::server {
namespace {

auth::secret_key_bytes fresh_secret() {
    auth::key_bytes bytes{};
    PIPIT_ASSERT(::getrandom(bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
    return auth::secret_key_bytes(bytes);
}

auth::nkey_seed fresh_seed(auth::nkey_prefix prefix) { return {prefix, fresh_secret()}; }

} // namespace

broker::server_identity make_server_identity() {
    const auth::signing_key id(fresh_seed(auth::nkey_prefix::server));
    const auth::curve_key xkey(fresh_seed(auth::nkey_prefix::curve));
    broker::server_identity identity;
    identity.id = auth::encode(id.public_key());
    identity.name = identity.id;
    identity.xkey = auth::encode(xkey.public_key());
    identity.version = nats_version;
    identity.nonces = std::make_shared<const auth::nonce_maker>(fresh_secret());
    return identity;
}

} // namespace pipit::server
