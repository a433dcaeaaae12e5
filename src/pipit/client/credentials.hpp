// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/error.hpp>
#include <pipit/protocol/client_protocol.hpp>
#include <pipit/protocol/info.hpp>

#include <functional>
#include <string>
#include <string_view>

/// Ways to say who a client is, for `connection_options::credentials_provider`:
///
///     auto me = client::sign_in_with_creds_file("me.creds");
///     if (!me) return me.error();
///     options.credentials_provider = *me;
namespace pipit::client {

using credentials_function = std::function<protocol::credentials(const protocol::server_info&)>;

/// A JWT and a seed in a file, as `nsc` writes it. The file is read now, and again at each connect:
/// a renewed one counts at once, and one that is gone or broken then does no harm.
/// Errors: `auth::errc::invalid_creds` and those of its key; the detail names the file.
[[nodiscard]] result<credentials_function> sign_in_with_creds_file(std::string path);

/// A seed in a file, for servers that know its public key. Read as the one above.
[[nodiscard]] result<credentials_function> sign_in_with_seed_file(std::string path);

/// The same, for a seed that is at hand: `SU…`.
[[nodiscard]] result<credentials_function> sign_in_with_seed(std::string_view seed);

/// A JWT, asked for at each connect, whose key somebody else keeps: `sign` is handed the server's
/// nonce and returns the 64 bytes of its signature. Either may throw.
[[nodiscard]] credentials_function
sign_in_with_jwt(std::function<std::string()> jwt,
                 std::function<std::string(std::string_view nonce)> sign);

} // namespace pipit::client
