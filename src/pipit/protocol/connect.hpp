// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/bytes.hpp>
#include <pipit/base/error.hpp>

#include <string>

namespace pipit::protocol {

/// What a client says in CONNECT; the names are the JSON's keys. As made, it holds what a server
/// assumes of a client that has not sent one.
/// Source: client-protocol, section 2.
struct connect_options {
    bool echo = true; ///< False: the connection does not get its own messages.
    bool verbose = true;
    bool pedantic = true;
    bool tls_required = false;
    std::string nkey;
    std::string jwt;
    std::string sig; ///< The signature of the server's nonce.
    std::string auth_token;
    std::string user;
    std::string pass;
    std::string name;
    std::string lang;
    std::string version;
    int protocol = 0;    ///< 1: understands an INFO at any time.
    std::string account; ///< A server refuses a client that names an account.
    bool new_account = false;
    bool headers = false;
    bool no_responders = false;
    std::string remote_account;
    std::string proxy_sig;

    friend bool operator==(const connect_options&, const connect_options&) = default;
};

/// Appends `CONNECT {…}` and CRLF.
void append_connect(std::string& out, const connect_options& options);

/// Reads the JSON of a CONNECT into `options`: a key that is missing keeps its value, as it does in
/// a second CONNECT. Keys in any case, unknown ones ignored.
/// Errors: `errc::invalid_json`, also for a value of another type.
[[nodiscard]] result<> read_connect(bytes_view json, connect_options& options);

} // namespace pipit::protocol
