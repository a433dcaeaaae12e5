// SPDX-License-Identifier: Apache-2.0
#include <pipit/client/credentials.hpp>

#include <pipit/auth/creds.hpp>
#include <pipit/auth/error.hpp>
#include <pipit/auth/nkey.hpp>
#include <pipit/base/base64.hpp>
#include <pipit/base/limits.hpp>
#include <pipit/net/read_file.hpp>

#include <utility>

namespace pipit::client {
namespace {

using protocol::credentials;
using protocol::server_info;

/// The detail of a file that cannot be read names it.
error invalid(const error& unreadable) {
    return {auth::errc::invalid_creds, std::string(unreadable.detail())};
}

/// A secret itself in place of its file's name must not get into an error's text.
error not_a_file() {
    return {auth::errc::invalid_creds, "a secret stands where its file has to be named"};
}

result<auth::user_credentials> read_creds_file(const std::string& path) {
    if (auth::looks_secret(path)) return not_a_file();
    const auto text = net::read_file(path, limits::creds_file_bytes);
    if (!text) return invalid(text.error());
    auto creds = auth::read_creds(*text);
    if (!creds) return error(creds.error().code(), path + ": " + creds.error().message());
    return creds;
}

result<auth::user_credentials> read_seed_file(const std::string& path) {
    if (auth::looks_secret(path)) return not_a_file();
    const auto text = net::read_file(path, limits::creds_file_bytes);
    if (!text) return invalid(text.error());
    auto seed = auth::read_seed(*text);
    if (!seed) return error(seed.error().code(), path + ": " + seed.error().message());
    return auth::user_credentials{{}, *seed};
}

credentials signed_in(const auth::user_credentials& user, const server_info& server) {
    credentials who;
    who.jwt = user.jwt;
    if (user.jwt.empty()) who.nkey = auth::encode(auth::signing_key(user.seed).public_key());
    // A server that needs no signature sends no nonce.
    if (!server.nonce.empty()) who.sig = auth::sign_nonce(user.seed, server.nonce);
    return who;
}

using reader = result<auth::user_credentials> (*)(const std::string& path);

result<credentials_function> sign_in_with_file(std::string path, reader read) {
    auto first = read(path);
    if (!first) return first.error();
    return credentials_function([path = std::move(path), read,
                                 last = std::move(*first)](const server_info& server) mutable {
        if (auto renewed = read(path)) last = std::move(*renewed);
        return signed_in(last, server);
    });
}

} // namespace

result<credentials_function> sign_in_with_creds_file(std::string path) {
    return sign_in_with_file(std::move(path), read_creds_file);
}

result<credentials_function> sign_in_with_seed_file(std::string path) {
    return sign_in_with_file(std::move(path), read_seed_file);
}

result<credentials_function> sign_in_with_seed(std::string_view seed) {
    auto read = auth::read_seed(seed);
    if (!read) return read.error();
    return credentials_function([user = auth::user_credentials{{}, *read}](
                                    const server_info& server) { return signed_in(user, server); });
}

credentials_function sign_in_with_jwt(std::function<std::string()> jwt,
                                      std::function<std::string(std::string_view nonce)> sign) {
    return [jwt = std::move(jwt), sign = std::move(sign)](const server_info& server) {
        credentials who;
        who.jwt = jwt();
        if (!server.nonce.empty()) who.sig = to_base64url(sign(server.nonce));
        return who;
    };
}

} // namespace pipit::client
