// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/command_line.hpp>

#include <pipit/net/tls_context.hpp>
#include <pipit/server/version.hpp>

namespace pipit::server {

std::string version_text() {
    // Tools look for " v2.15.2" in the first line; nothing else here may look like it.
    return "nats-server: v" + std::string(nats_version) +
           "\npipit: " + std::string(pipit_version()) + "\n";
}

std::string help_text() {
    return R"(
Usage: pipit-server [options]

Pipit is a server for NATS clients. It takes the options and the configuration of
nats-server; one dash or two, and "-x value" or "-x=value", are the same.

Server:
    -a, --addr, --net HOST           Listen on this host (default: 0.0.0.0)
    -p, --port PORT                  Listen for clients on this port (default: 4222; -1: any free one)
    -n, --name, --server_name NAME   Call the server so (default: its id)
    -c, --config FILE                Read this configuration; the options here override it
    -t                               Check the configuration and exit
    -P, --pid FILE                   Write the process's id into this file
    -m, --http_port PORT             Serve monitoring pages on this port (usually 8222)
    -ms, --https_port PORT           The same with TLS, instead
        --client_advertise HOST      Tell clients this host, or host:port, instead of the real one
        --ports_file_dir DIR         Write DIR/nats-server_PID.ports with all addresses, once ready
        --loops N                    Use this many event loops (default: what measures best)
    -sl, --signal COMMAND[=PID]      Tell a running server: ldm, stop, quit, term, reopen or reload;
                                     PID may also be the path of its pid file

Logging:
    -l, --log FILE                   Log to this file (default: standard error)
    -T, --logtime=BOOL               Begin each line with the time (default: true)
        --logtime_utc                In UTC instead of local time
    -s, --syslog                     Log to the system's log
    -r, --remote_syslog URL          Log to this one, as udp://localhost:514
    -D, --debug                      Log what the server does
    -V, --trace                      Log what clients send and receive
    -VV                              The system account's messages too
    -DV, -DVV                        Both
        --log_size_limit BYTES       Begin a new log file at this size
        --max_traced_msg_len BYTES   Log at most so much of a message (default: all)

Who may connect:
        --user NAME --pass PASSWORD  One user
        --auth TOKEN                 Or one token
        (more users, accounts and permissions: in a configuration)

Encryption:
        --tls                        Clients must use TLS; with:
        --tlscert FILE --tlskey FILE   the server's certificate and its key, in PEM
        --tlsverify --tlscacert FILE   clients must show a certificate of this authority
                                     (more: --help_tls)

Not supported yet, and left out: -js, --jetstream; -sd, --store_dir DIR; --cluster, --cluster_listen
    URL; --cluster_name NAME; --cluster_advertise HOST; --no_advertise; --connect_retries N;
    --routes URL,URL; --profile PORT

Common:
    -h, --help                       Show this
    -v, --version                    Show the version
        --help_tls                   Show what there is to know about TLS

Examples:
    pipit-server                               For everybody on this network, on port 4222
    pipit-server -a 127.0.0.1 -m 8222          For this machine, with monitoring pages
    pipit-server --user me --pass secret       For who knows the password
    pipit-server --tlscert c.pem --tlskey k.pem  Encrypted
    pipit-server -t -c nats.conf               Is this configuration right?
    pipit-server -c nats.conf -P nats.pid      Run with it
    pipit-server --signal reload=nats.pid      Read it again
)";
}

std::string tls_help_text() {
    std::string text = R"(
TLS is configured by a block in the configuration:

    tls {
        cert_file: "server.pem"      # with those between it and the authority behind it
        key_file:  "server-key.pem"
        ca_file:   "authority.pem"   # of the clients; default: those that the system trusts
        verify:    true              # clients must show a certificate

        verify_and_map: true         # and it says which user they are
        ocsp_peer:      true         # and their authorities are asked about it; or a block
        pinned_certs:   ["…"]        # only these keys: SHA-256 of the public key, in hex
        certs: [{cert_file: "a.pem", key_file: "a-key.pem"}]  # several, chosen by name
        timeout: 2                   # seconds that a handshake may take
        min_version: "1.2"           # or "1.3"
        cipher_suites:     ["TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"]  # of version 1.2
        curve_preferences: ["X25519", "CurveP256"]
        connection_rate_limit: 100   # handshakes in a second
        handshake_first: auto        # true, false, auto, or how long to wait: "300ms"
    }
    allow_non_tls: true              # clients choose

New certificates are used from the next connection on after a reload; nobody is disconnected.

Cipher suites:
)";
    for (const auto name : net::tls_cipher_suite_names()) text.append("    ").append(name) += '\n';
    text += "\nCurves:\n";
    for (const auto name : net::tls_curve_names()) text.append("    ").append(name) += '\n';
    return text;
}

} // namespace pipit::server
