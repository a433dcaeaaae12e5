// SPDX-License-Identifier: Apache-2.0
#include <pipit/auth/nkey.hpp>
#include <pipit/auth/nonce.hpp>
#include <pipit/net/random_bytes.hpp>
#include <pipit/server/server_identity.hpp>
#include <pipit/server/version.hpp>

namespace pipit::server {
namespace {

auth::secret_key_bytes fresh_secret() {
    auth::key_bytes bytes{};
    net::fill_randomly(bytes);
    return auth::secret_key_bytes(bytes);
}

auth::nkey_seed fresh_seed(auth::nkey_prefix prefix) { return {prefix, fresh_secret()}; }

} // namespace

server_keys make_server_keys() {
    using auth::nkey_prefix;
    return {std::make_shared<const auth::signing_key>(fresh_seed(nkey_prefix::server)),
            std::make_shared<const auth::curve_key>(fresh_seed(nkey_prefix::curve))};
}

broker::server_identity make_server_identity(const server_keys& keys) {
    broker::server_identity identity;
    identity.id = auth::encode(keys.identity->public_key());
    identity.name = identity.id;
    identity.xkey = auth::encode(keys.curve->public_key());
    identity.version = nats_version;
    identity.nonces = std::make_shared<const auth::nonce_maker>(fresh_secret());
    return identity;
}

} // namespace pipit::server
