# SPDX-License-Identifier: Apache-2.0
"""Strangers who make the server keep what they send: alone little, together too much.

They come from several addresses. Meanwhile somebody from another one logs in, with a long line in
two parts; of his times the middle one counts, as the machine itself may be late now and then.
"""
import socket
import ssl
import statistics
import time

from attack import MIB, attack, took_too_long
from certificates import authority
from crowd_attacks import _many_descriptors

ISSUER = authority()
TLS = 'tls {{ cert_file: "{}", key_file: "{}", timeout: 60 }}\nallow_non_tls: true\n'.format(
    *ISSUER.issue())
TOKEN = "authorization { token: t, timeout: 60 }\n"
SECONDS_MAX = 0.1


def _begin(server, number, data=b"", after_info=False):
    """One of the crowd, which comes from four addresses; null when it was sent away meanwhile."""
    made = socket.create_connection(("127.0.0.1", server.port), 10, (f"127.0.0.{2 + number % 4}", 0))
    made.settimeout(5)
    try:
        if after_info:
            made.recv(4096)
        made.sendall(data)
    except OSError:
        made.close()
        return None
    return made


def _log_in(server, secure=None):
    """How long it takes."""
    begin = time.perf_counter()
    made = socket.create_connection(("127.0.0.1", server.port), 10)
    made.settimeout(20)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    assert b"INFO" in made.recv(16384)
    if secure:
        made = secure.wrap_socket(made, server_hostname="localhost")
    line = b'CONNECT {"verbose":false,"auth_token":"t","name":"' + b"n" * 20_000 + b'"}\r\nPING\r\n'
    made.sendall(line[:10_000])
    made.sendall(line[10_000:])
    received = b""
    while not received.endswith(b"PONG\r\n"):
        data = made.recv(4096)
        assert data, received[-200:]
        received += data
    made.close()
    return time.perf_counter() - begin


def _besiege(server, count, grown_max, begin, secure=None):
    """A crowd gathers while others log in."""
    _many_descriptors()
    before, peak = server.memory_bytes(), 0
    crowd, times = [], []
    for number in range(count):
        crowd.append(begin(server, number))
        if number % 25 == 24:
            times.append(_log_in(server, secure))
            peak = max(peak, server.memory_bytes())
    grown = peak - before
    for each in crowd:
        if each:
            each.close()
    middle = statistics.median(times)
    assert grown < grown_max, f"memory grew by {grown / MIB:.1f} MiB"
    if middle >= SECONDS_MAX:
        raise took_too_long(f"a login took {middle * 1e3:.0f} ms")
    return f"memory grew by {grown / MIB:.1f} MiB, a login took {middle * 1e3:.1f} ms"


@attack(TOKEN, login={"auth_token": "t"}, monitored=True)
def lines_of_strangers_that_do_not_end_are_little_together(server):
    """All but the end of the longest CONNECT that there may be."""
    begun = b'CONNECT {"auth_token":"' + b"x" * 60_000
    return _besiege(server, 4000, 96 * MIB, lambda *of: _begin(*of, begun))


@attack(TOKEN + TLS, login={"auth_token": "t"}, monitored=True)
def handshakes_that_do_not_end_are_little_together(server):
    """A whole hello, and then nothing more."""
    wire = ssl.MemoryBIO()
    tls = ISSUER.context().wrap_bio(ssl.MemoryBIO(), wire, server_hostname="localhost")
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        pass
    hello = wire.read()
    return _besiege(server, 3000, 96 * MIB, lambda *of: _begin(*of, hello, after_info=True),
                    ISSUER.context())


@attack(TOKEN + TLS, login={"auth_token": "t"}, monitored=True)
def hellos_that_say_to_be_long_get_no_room(server):
    """Nine bytes for which OpenSSL would allocate 170 KB."""
    announced = b"\x16\x03\x01\x02\x00\x01\x01\xff\xff"
    return _besiege(server, 3000, 48 * MIB, lambda *of: _begin(*of, announced, after_info=True),
                    ISSUER.context())


@attack(TOKEN + "proxy_protocol: true\n", login={"auth_token": "t"}, monitored=True)
def proxy_headers_that_do_not_end_are_little_together(server):
    """The longest that there may be, but for its end."""
    begun = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff" + b"x" * 60_000
    return _besiege(server, 4000, 96 * MIB, lambda *of: _begin(*of, begun))
