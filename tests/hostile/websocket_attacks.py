# SPDX-License-Identifier: Apache-2.0
"""What comes over HTTP and WebSockets that should not."""
import os
import random
import socket
import struct
import sys
import time

from attack import MIB, attack, wait_until, varz
from crowd_attacks import SLOW_HASH

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "end_to_end"))
from web_socket import PING, compressed, frame, web_socket  # noqa: E402

LISTENER = 'websocket { listen: "127.0.0.1:-1", no_tls: true, compression: true }\n'
OFFER = {"Sec-WebSocket-Extensions": "permessage-deflate"}


def port_of(server):
    return int(server.ports["websocket"][0].rsplit(":", 1)[1])


def raw(server):
    """A connection that has not asked for anything."""
    made = socket.create_connection(("127.0.0.1", port_of(server)), 10)
    made.settimeout(10)
    return made


def push(connection, data):
    try:
        connection.sendall(data)
        return True
    except OSError:
        return False


@attack(LISTENER)
def requests_that_are_none_end_soon(server):
    for data in (b"\x16\x03\x01\x02\x00" + b"\x00" * 500, b"CONNECT {}\r\nPING\r\n\r\n", b"\x00" * 20000,
                 b"\r\n" * 10000, b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 5000 + b"\r\n",
                 b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\n\r\n"):
        with raw(server) as connection:
            push(connection, data)
            try:
                while connection.recv(65536):
                    pass
            except ConnectionError:
                pass


@attack(LISTENER)
def a_crowd_that_never_asks_is_let_go(server):
    before = server.memory_bytes()
    crowd = [raw(server) for _ in range(2000)]
    for each in crowd:
        push(each, b"GET / HTTP/1.1\r\nHost: " + b"h" * 1000)
    time.sleep(0.5)
    late = web_socket(port_of(server))
    assert late.status == 101, "nobody else comes in"
    late.close()
    grown = server.memory_bytes() - before
    assert grown < 24 * MIB, f"memory grew by {grown / MIB:.1f} MiB"
    for each in crowd:
        each.settimeout(10)
        try:
            assert each.recv(1) == b"", "somebody was answered"
        except ConnectionError:
            pass
        each.close()
    return f"memory grew by {grown / MIB:.1f} MiB"


@attack(LISTENER)
def random_frames_close_or_are_served(server):
    for _ in range(200):
        web = web_socket(port_of(server), headers=OFFER if random.random() < 0.5 else {})
        web.send_raw(random.randbytes(random.randrange(1, 3000)))
        web.close()


@attack(LISTENER)
def a_frame_without_end_holds_nothing(server):
    before = server.memory_bytes()
    web = web_socket(port_of(server))
    web.connect()
    web.send_raw(b"\x82\xff" + struct.pack("!Q", (1 << 63) - 1) + b"\0\0\0\0")
    pings = b"PING\r\n" * 10000
    for _ in range(50):
        web.send_raw(pings)
        web.wait_for_text(b"PONG\r\n")
        web.text = b""
    grown = server.memory_bytes() - before
    assert grown < 24 * MIB, f"memory grew by {grown / MIB:.1f} MiB"
    web.close()
    return f"memory grew by {grown / MIB:.1f} MiB"


@attack(LISTENER)
def pings_of_somebody_who_does_not_read_cost_nothing(server):
    before = server.memory_bytes()
    sockets = [web_socket(port_of(server)) for _ in range(20)]
    pings = frame(b"p" * 125, opcode=PING) * 500
    for web in sockets:
        web.socket.settimeout(0.2)
        for _ in range(50):
            web.send_raw(pings)
    grown = server.memory_bytes() - before
    assert grown < 24 * MIB, f"memory grew by {grown / MIB:.1f} MiB"
    for web in sockets:
        web.close()
    return f"memory grew by {grown / MIB:.1f} MiB"


@attack(LISTENER)
def bombs_of_strangers_and_of_others_do_not_go_off(server):
    before = server.memory_bytes()
    bomb = frame(compressed(b"\0" * (256 * MIB)), compressed=True)
    for _ in range(20):
        web = web_socket(port_of(server), headers=OFFER)
        web.send_raw(bomb)
        web.wait_for_end()
        known = web_socket(port_of(server), headers=OFFER)
        assert known.connect()
        known.send_raw(bomb)
        known.wait_for_end()
    grown = server.memory_bytes() - before
    assert grown < 64 * MIB, f"memory grew by {grown / MIB:.1f} MiB"
    return f"memory grew by {grown / MIB:.1f} MiB"


@attack("""authorization { timeout: 60, users = [
  { user: fast, password: fast }, { user: slow, password: "%s" } ] }
""" % SLOW_HASH + LISTENER, login={"user": "fast", "pass": "fast"}, tries=1)
def many_small_bombs_at_once_go_off_one_by_one(server):
    """Each is allowed; behind a CONNECT that is being checked they would all wait unpacked."""
    before = server.memory_bytes()
    bombs = frame(compressed(b"\0" * 65000), compressed=True) * 3000
    login = frame(b'CONNECT {"user":"slow","pass":"wrong"}\r\n')
    crowd, peak = [], 0
    for _ in range(30):
        web = web_socket(port_of(server), headers=OFFER)
        web.socket.settimeout(0.5)
        web.send_raw(login + bombs)
        crowd.append(web)
        peak = max(peak, server.memory_bytes())
    grown = peak - before
    for web in crowd:
        web.close()
    assert grown < 32 * MIB, f"memory grew by {grown / MIB:.1f} MiB"
    return f"memory grew by {grown / MIB:.1f} MiB"


@attack(LISTENER, tries=1)
def many_large_bombs_at_once_go_off_one_by_one(server):
    before = server.memory_bytes()
    bomb = frame(compressed(b"PING\r\n" * (7 * MIB // 6)), compressed=True)
    peak = 0
    for _ in range(3):
        web = web_socket(port_of(server), headers=OFFER)
        assert web.connect()
        web.socket.settimeout(0.2)
        for _ in range(20):
            web.send_raw(bomb * 30)
            peak = max(peak, server.memory_bytes())
            if web.ended:
                break
        web.close()
    grown = peak - before
    assert grown < 100 * MIB, f"memory grew by {grown / MIB:.1f} MiB"
    return f"memory grew by {grown / MIB:.1f} MiB"


@attack(LISTENER + 'authorization { token: t, timeout: 60 }\n', login={"auth_token": "t"})
def what_strangers_begin_and_do_not_end_is_small(server):
    before = server.memory_bytes()
    begun = frame(b"\0" * 60000, compressed=True, final=False)
    crowd = []
    for _ in range(300):
        web = web_socket(port_of(server), headers=OFFER)
        web.send_raw(begun)
        crowd.append(web)
    time.sleep(0.5)
    grown = server.memory_bytes() - before
    assert grown < 48 * MIB, f"memory grew by {grown / MIB:.1f} MiB"
    for web in crowd:
        web.send_raw(frame(b"\0" * 10000, opcode=0, final=False))
        assert web.wait_for_end() is not None
    return f"memory grew by {grown / MIB:.1f} MiB"


@attack(LISTENER, monitored=True)
def idle_websockets_are_small(server):
    count = 2000
    crowd = []
    for _ in range(count):
        web = web_socket(port_of(server), headers=OFFER)
        crowd.append(web)
        if len(crowd) == 200:
            before = server.memory_bytes()
    for web in crowd:
        assert web.connect()
    wait_until(lambda: varz(server)["connections"] >= count, "everybody is there")
    grown = (server.memory_bytes() - before) / (count - 200)
    for web in crowd:
        web.close()
    assert grown < 4096, f"{grown:.0f} bytes for each"
    return f"{grown:.0f} bytes for each"
