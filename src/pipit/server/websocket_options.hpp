// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/error.hpp>
#include <pipit/base/time.hpp>

#include <pipit/server/tls_options.hpp>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace pipit::server {

struct server_options;

/// A configuration's `websocket` block; members have the names of their keys.
struct websocket_options {
    std::string host; ///< Empty: all addresses.
    int port = 0;     ///< 0: there is no such listener.
    std::string advertise;
    bool no_tls = false; ///< Counts where there is no `tls`.
    std::optional<tls_options> tls;

    // Whom a request may come from, and how it is answered.
    bool same_origin = false;
    std::vector<std::string> allowed_origins;
    /// Zero: `limits::websocket_handshake_timeout`; negative: none.
    nanoseconds handshake_timeout{};
    bool compression = false;
    std::map<std::string, std::string> headers; ///< Of the answer.

    // Who may connect; with any of the first three, instead of what others have to show.
    std::string username;
    std::string password;
    std::string token;
    std::string no_auth_user;
    nanoseconds auth_timeout{}; ///< Zero: everybody's.
    std::string jwt_cookie;     ///< Names of cookies whose values CONNECT may leave out.
    std::string user_cookie;
    std::string pass_cookie;
    std::string token_cookie;

    nanoseconds ping_interval{}; ///< Zero: everybody's.

    friend bool operator==(const websocket_options&, const websocket_options&) = default;
};

/// Checks what nats-server checks when it starts.
/// Errors: `errc::invalid_configuration`; the detail is the text to show.
[[nodiscard]] result<> validate_websocket_options(const server_options& options);

/// The block has its own idea of who may connect.
[[nodiscard]] bool overrides_authorization(const websocket_options& options) noexcept;

} // namespace pipit::server
