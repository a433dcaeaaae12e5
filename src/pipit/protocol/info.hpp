// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/bytes.hpp>
#include <pipit/base/error.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace pipit::protocol {

/// What a server says about itself and about this connection; the names are the JSON's keys.
/// Source: client-protocol, section 1.
struct server_info {
    std::string server_id;
    std::string server_name;
    std::string version;
    int proto = 1;
    std::string git_commit;
    std::string go;
    std::string host;
    int port = 0;
    bool headers = false;
    bool auth_required = false;
    bool tls_required = false;
    bool tls_verify = false;
    bool tls_available = false;
    int max_payload = 0;
    bool jetstream = false;
    std::string ip;
    std::uint64_t client_id = 0;
    std::string client_ip;
    std::string nonce;
    std::string cluster;
    bool cluster_dynamic = false;
    std::string domain;
    std::vector<std::string> connect_urls;
    std::vector<std::string> ws_connect_urls; ///< Between servers; never sent to clients.
    bool ldm = false;                         ///< The server is about to stop (lame duck mode).
    bool connect_info = false;                ///< The answer to a client's first PING.
    std::string remote_account;
    bool acc_is_sys = false;
    int api_lvl = 0;
    std::string xkey;

    friend bool operator==(const server_info&, const server_info&) = default;
};

/// Appends `INFO {…} ` and CRLF, with nats-server's order of keys; those that it leaves out when
/// they are empty are left out. The blank before CRLF is nats-server's, too.
void append_info(std::string& out, const server_info& info);

/// Reads the JSON of an INFO: keys in any case, unknown ones ignored.
/// Errors: `errc::invalid_json`, also for a value of another type.
[[nodiscard]] result<server_info> parse_info(bytes_view json);

} // namespace pipit::protocol
