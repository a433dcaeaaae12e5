# SPDX-License-Identifier: Apache-2.0
"""What a write deadline means for who reads slowly or not at all."""
import json
import socket
import time

from suite import behaviour, equal, is_logged, wait_until

CONFIGURATION = """
http: "127.0.0.1:-1"
write_deadline: "1s"
max_pending: 256MB
"""


class _reader:
    """Subscribes, and reads only when told to."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.stream = self.socket # What `side.end` closes.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
        self.socket.sendall(b'CONNECT {"verbose":false}\r\nSUB x 1\r\nPING\r\n')
        received = b""
        while not received.endswith(b"PONG\r\n"):
            received += self.socket.recv(65536)

    def read_for(self, seconds):
        """A little at a time. False when the server has closed the connection."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                if not self.socket.recv(256 * 1024):
                    return False
            except ConnectionResetError:
                return False
            time.sleep(0.02)
        return True



def _flood(side, server):
    publisher = side.connect(server.port)
    payload = "x" * 1_000_000
    publisher.send((f"PUB x {len(payload)}\r\n{payload}\r\n" * 60).encode())
    return publisher


def _slow_consumers(server):
    return json.loads(server.monitoring("/varz"))["slow_consumers"]


@behaviour
def a_slow_reader_is_closed_at_the_write_deadline(side):
    server = side.start(CONFIGURATION)
    reader = _reader(server.port)
    side.clients.append(reader)
    _flood(side, server)
    equal(reader.read_for(8), False, "kept")
    wait_until(lambda: "Slow Consumer Detected: WriteDeadline of" in server.log(), what="the line")


@behaviour
def with_retry_a_slow_reader_is_kept_and_counted(side):
    server = side.start(CONFIGURATION + "write_timeout: retry\n")
    reader = _reader(server.port)
    side.clients.append(reader)
    _flood(side, server)
    equal(reader.read_for(4), True, "kept")
    wait_until(lambda: _slow_consumers(server) > 0, what="a slow consumer")
    is_logged(server, "Slow Consumer Detected: WriteDeadline of")


@behaviour
def with_retry_who_reads_nothing_is_closed_all_the_same(side):
    server = side.start(CONFIGURATION + "write_timeout: retry\n")
    reader = _reader(server.port)
    side.clients.append(reader)
    _flood(side, server)
    wait_until(lambda: "Slow Consumer (Write Deadline)" in server.monitoring("/connz?state=closed").decode(),
               what="the end")


@behaviour
def a_publisher_that_is_slowed_down_is_in_the_log(side):
    server = side.start("max_pending: 8MB\n")
    reader = _reader(server.port)
    side.clients.append(reader)
    publisher = side.connect(server.port, name="fast")
    payload = "x" * 1000
    publisher.send((f"PUB x {len(payload)}\r\n{payload}\r\n" * 20_000).encode())
    is_logged(server, r'WRN\S* .*"fast" - Producer was stalled for a total of \d+ms - Account:\$G$')
