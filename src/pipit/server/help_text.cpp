// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/command_line.hpp>

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

Not supported yet, and refused: -ms, --https_port PORT; --tls, --tlscert FILE, --tlskey FILE,
    --tlsverify, --tlscacert FILE
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
    pipit-server -t -c nats.conf               Is this configuration right?
    pipit-server -c nats.conf -P nats.pid      Run with it
    pipit-server --signal reload=nats.pid      Read it again
)";
}

} // namespace pipit::server
