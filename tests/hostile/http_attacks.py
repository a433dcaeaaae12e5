# SPDX-License-Identifier: Apache-2.0
"""Abuse of the monitoring port: it serves others all the while and so does the client port."""
import random
import time

from attack import MIB, attack, connection, took_too_long, varz


def _port(server):
    return int(server.ports["monitoring"][0].rsplit(":", 1)[1])


def _others_are_served(server):
    begin = time.monotonic()
    assert varz(server)["server_id"]
    took = time.monotonic() - begin
    if took >= 2:
        raise took_too_long(f"/varz took {took:.1f} s")


def _answer(server, data, seconds=20):
    """What came until the end of the connection, or b'' when it just ends."""
    client = connection(_port(server), seconds)
    client.send(data)
    text = client.wait_for_end()
    client.close()
    return text


@attack(monitored=True)
def junk_request_lines_are_bad_requests(server):
    for line in (b"\x00\x01\x02\r\n\r\n", b"HELLO\r\n\r\n", b"GET\r\n\r\n", b"GET /varz\r\n\r\n",
                 b"GET /varz HTTP/9.9\r\n\r\n", b"GET varz HTTP/1.1\r\nHost: x\r\n\r\n",
                 b"PING\r\n\r\n", b"CONNECT {}\r\n\r\n", b"\xff" * 200 + b"\r\n\r\n",
                 b"GET /varz HTTP/1.1\r\nHost: x\r\nbroken header\r\n\r\n",
                 b"GET /varz HTTP/1.1\r\nContent-Length: -1\r\nHost: x\r\n\r\n",
                 b"GET /varz HTTP/1.1\r\nContent-Length: x\r\nHost: x\r\n\r\n",
                 b"GET /varz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: nope\r\n\r\n",
                 b"GET /%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
                 b"GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"):
        text = _answer(server, line)
        assert text == b"" or text.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4", b"HTTP/1.1 5",
                                               b"HTTP/1.0 5", b"HTTP/1.1 3")), (line, text[:100])
    for _ in range(100):
        client = connection(_port(server))
        client.send(random.randbytes(random.randrange(1, 2000)) + b"\r\n\r\n")
        client.end()
        client.wait_for_end()
        client.close()
    _others_are_served(server)


@attack(monitored=True)
def endless_headers_end(server):
    before = server.memory_bytes()
    for start, more in ((b"GET /varz HTTP/1.1\r\nHost: x\r\nX: ", b"a" * 65536),
                        (b"GET /varz HTTP/1.1\r\nHost: x\r\n", b"A: b\r\n" * 10000),
                        (b"GET /", b"a" * 65536), (b"", b"\r\n" * 32768), (b"G" * 10, b"G" * 65536)):
        client = connection(_port(server))
        client.send(start)
        for _ in range(512):
            if not client.send(more):
                break
        else:
            raise AssertionError(f"32 MiB of headers were taken: {start!r}")
        client.close()
    grown = server.memory_bytes() - before
    assert grown < 24 * MIB, f"memory grew by {grown / MIB:.1f} MiB"
    _others_are_served(server)


@attack(monitored=True)
def bodies_are_not_kept(server):
    before = server.memory_bytes()
    client = connection(_port(server))
    client.send(b"POST /varz HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999\r\n\r\n")
    for _ in range(256):
        if not client.send(b"a" * 65536):
            break
    client.close()
    grown = server.memory_bytes() - before
    assert grown < 24 * MIB, f"memory grew by {grown / MIB:.1f} MiB"
    _others_are_served(server)


@attack(monitored=True)
def slow_clients_do_not_hold_others_up(server):
    text = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    clients = [connection(_port(server)) for _ in range(50)]
    for byte in text:
        for each in clients:
            each.send(bytes([byte]))
    _others_are_served(server)
    for each in clients:
        assert b'{"status":"ok"}' in each.wait_for_end(), each.received
        each.close()
    lazy = [connection(_port(server)) for _ in range(200)]
    for each in lazy:
        each.send(b"GET /varz HTTP/1.1\r\n")
    _others_are_served(server)
    for each in lazy:
        each.close()


@attack(monitored=True)
def many_connections_are_served_or_refused(server):
    clients = []
    for _ in range(800):
        try:
            client = connection(_port(server))
            client.send(b"GET /connz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            clients.append(client)
        except OSError:
            break
    good = 0
    for each in clients:
        good += b"200 OK" in each.wait_for_end()[:20]
        each.close()
    assert good >= 500, f"{good} of 800 were served"
    _others_are_served(server)


@attack(monitored=True)
def requests_in_one_packet_are_answered_in_order(server):
    client = connection(_port(server))
    client.send(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" * 20 +
                b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert client.wait_for_end().count(b'{"status":"ok"}') == 21
    client.close()


@attack(monitored=True)
def answers_that_nobody_reads_cost_little(server):
    load = connection(server.port)
    load.connect().send(b"".join(b"SUB some.subject.%d %d\r\n" % (index, index)
                                 for index in range(5_000)) + b"PING\r\n")
    load.wait_for(b"PONG\r\n")
    before = server.memory_bytes()
    clients = [connection(_port(server)) for _ in range(20)]
    for each in clients:
        each.send(b"GET /connz?subs=detail HTTP/1.1\r\nHost: x\r\n\r\n" * 20)
    time.sleep(1)  # So that as much is made as the server makes for them.
    _others_are_served(server)
    grown = server.memory_bytes() - before
    for each in clients:
        each.close()
    load.close()
    assert grown < 64 * MIB, f"memory grew by {grown / MIB:.1f} MiB"
    return f"memory grew by {grown / MIB:.1f} MiB"
