# SPDX-License-Identifier: Apache-2.0
"""Addresses that are listened on, and listeners of what comes later."""
import os
import resource
import socket

from suite import behaviour, equal, is_logged, matches, pipits_own

RESERVED = """
websocket { host: 127.0.0.1, port: -1, no_tls: true }
leafnodes { listen: "127.0.0.1:-1" }
"""


def _has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
        return True
    except OSError:
        return False


@behaviour
def a_server_without_free_descriptors_says_so_and_serves_again_when_there_are_some(side):
    server = side.start()
    before = side.connect(server.port)
    used = len(os.listdir(f"/proc/{server.process.pid}/fd"))
    resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (used, 1000))
    with socket.create_connection(("127.0.0.1", server.port)) as waiting:
        assert server.wait_for_log(r"\[ERR\] Temporary Client Accept Error\(.*"
                                   r"too many open files\), sleeping 10ms")
        assert before.barrier(), "who was there is not served"
        resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (1000, 1000))
        waiting.settimeout(10)
        equal(waiting.recv(4), b"INFO")


@behaviour
def ipv6_is_written_in_brackets(side):
    if not _has_ipv6():
        return
    server = side.start('listen: "[::1]:-1"\ndebug: true\n', bare=True)
    assert server.wait_for_log(rf"Listening for client connections on \[::1\]:{server.port}")
    equal(server.ports["nats"], [f"nats://[::1]:{server.port}"])
    info = side.connect(server.port, host="::1").info
    equal(info["client_ip"], "::1")
    assert server.wait_for_log(rf"\[DBG\] \[::1\]:\d+ - cid:{info['client_id']} - ")


@behaviour
def whose_proxy_header_is_wrong_is_named_with_ipv6_in_brackets(side):
    if not _has_ipv6():
        return
    server = side.start('listen: "[::1]:-1"\nproxy_protocol: true\n', bare=True)
    with socket.create_connection(("::1", server.port)) as stranger:
        stranger.sendall(b"PROXY TCP9 a b 1 2\r\n")
        assert server.wait_for_log(r"\[WRN\] Error reading PROXY protocol header from \[::1\]:\d+: ")


@behaviour
def a_name_is_an_address_in_the_ports_file(side):
    server = side.start('listen: "localhost:-1"\nhttp: "localhost:-1"\n', bare=True)
    equal(server.ports["nats"], [f"nats://127.0.0.1:{server.port}"])
    matches(r"^http://127\.0\.0\.1:\d+$", server.ports["monitoring"][0])


@behaviour
def listening_on_every_address_names_each_in_the_ports_file(side):
    # The one test that binds more than the loopback, for as long as it takes to read the file.
    server = side.start('listen: "0.0.0.0:-1"\nauthorization { token: t }\n', bare=True)
    assert any(url.startswith("nats://127.0.0.1:") for url in server.ports["nats"]), server.ports


@behaviour
def the_configuration_takes_host_and_port_apart(side):
    server = side.start('host: "127.0.0.1"\nport: -1\nclient_advertise: "example.org:4333"\n',
                        bare=True)
    info = side.connect(server.port).info
    equal((info["host"], info["port"]), ("example.org", 4333))


@pipits_own  # The reference leaves its leaf-node port out.
def websocket_and_leafnodes_have_their_ports_in_the_file(side):
    server = side.start(RESERVED)
    assert {"nats", "websocket", "leafnodes"} <= set(server.ports), server.ports
    matches(r"^ws://127\.0\.0\.1:\d+$", server.ports["websocket"][0])
    matches(r"^nats://127\.0\.0\.1:\d+$", server.ports["leafnodes"][0])
    for url in (server.ports["websocket"][0], server.ports["leafnodes"][0]):
        socket.create_connection(("127.0.0.1", int(url.rsplit(":", 1)[1])), 5).close()
    equal(side.connect(server.port).errors, [])


@pipits_own
def a_reserved_listener_closes_with_a_clear_text(side):
    server = side.start(RESERVED)
    port = int(server.ports["leafnodes"][0].rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port), 5) as connection:
        connection.settimeout(5)
        received = b""
        while data := connection.recv(4096):
            received += data
    matches("not supported", received.decode(errors="replace"))


@pipits_own
def what_comes_later_is_warned_of(side):
    server = side.start(RESERVED + 'jetstream: enabled\nmqtt { host: 127.0.0.1, port: -1 }\n'
                        'cluster { name: C, listen: "127.0.0.1:-1" }\nserver_name: N\n')
    server.wait_for_log("Server is ready")
    for name in ("leafnodes", "jetstream", "mqtt", "cluster"):
        is_logged(server, rf"(?i)\[WRN\].*{name}")


@behaviour
def the_way_to_a_client_is_measured_soon_after_its_connect(side):
    client = side.connect(side.start().port)
    client.wait_for(lambda each: b"PING" in each.operations, what="PING")
    equal(client.barrier(), True, "the connection")
