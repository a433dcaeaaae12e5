# SPDX-License-Identifier: Apache-2.0
"""Connections that never read."""
import json
import time

from attack import MIB, attack, connection, varz, wait_until

PENDING = "max_pending: 8MB\nmax_payload: 1MB\n"


def _closed_reasons(server):
    closed = json.loads(server.monitoring("/connz?state=closed"))["connections"]
    return [each["reason"] for each in closed]


def _sleeper(server, subject=b"sleep"):
    """A subscriber that will not read any more."""
    client = connection(server.port)
    client.connect(name="sleeper").send(b"SUB " + subject + b" 1\r\nPING\r\n")
    client.wait_for(b"PONG\r\n")
    return client


def _flood(server, payload_bytes, total_bytes, subject=b"sleep", until=None):
    """Publishes until so much was sent or `until()`; waits until all of it was served."""
    speaker = connection(server.port, 60)
    speaker.connect(name="speaker")
    message = b"PUB %s %d\r\n" % (subject, payload_bytes) + b"x" * payload_bytes + b"\r\n"
    block = message * max(1, 65536 // len(message))
    peak, sent = 0, 0
    while sent < total_bytes and not (until and until()):
        assert speaker.send(block), "the publisher was disconnected"
        sent += len(block)
        peak = max(peak, server.memory_bytes())
    speaker.send(b"PING\r\n")
    speaker.wait_for(b"PONG\r\n")
    speaker.close()
    return max(peak, server.memory_bytes())


def _slow_reader(server, payload_bytes):
    before = server.memory_bytes()
    sleeper = _sleeper(server)
    peak = _flood(server, payload_bytes, 64 * MIB)
    wait_until(lambda: "Slow Consumer (Pending Bytes)" in _closed_reasons(server),
               "the slow consumer closed", 15)
    grown = max(peak, server.memory_bytes()) - before
    received = sleeper.wait_for_end()
    assert b"-ERR" not in received[-1000:], received[-200:]
    sleeper.close()
    assert varz(server)["slow_consumers"] >= 1
    assert server.wait_for_log(r"Slow Consumer Detected: MaxPending of \d+ Exceeded")
    assert grown < 24 * MIB, f"memory grew by {grown / MIB:.1f} MiB"
    return f"memory grew by {grown / MIB:.1f} MiB"


@attack(PENDING, monitored=True)
def a_reader_that_never_reads_is_closed_and_stays_small(server):
    return _slow_reader(server, 16)


@attack(PENDING, monitored=True)
def a_reader_that_never_reads_large_messages_is_closed(server):
    return _slow_reader(server, 500_000)


@attack("max_pending: 32MB\nwrite_deadline: 1s\n", monitored=True)
def a_reader_that_stops_is_closed_at_the_write_deadline(server):
    sleeper = _sleeper(server)
    # More than the sockets hold, less than may be pending.
    _flood(server, 1000, 20 * MIB)
    wait_until(lambda: "Slow Consumer (Write Deadline)" in _closed_reasons(server),
               "the slow consumer closed", 20)
    sleeper.close()
    assert server.wait_for_log(r"Slow Consumer Detected: WriteDeadline of 1s exceeded "
                               r"with \d+ chunks of \d+ total bytes\.")


@attack("max_pending: 2MB\n", monitored=True)
def twenty_readers_that_never_read_are_closed(server):
    before = server.memory_bytes()
    sleepers = [_sleeper(server) for _ in range(20)]
    # A flood of one connection: the kernel's buffers of each have to be filled too.
    peak = _flood(server, 1000, 64 * MIB)
    wait_until(lambda: len(_closed_reasons(server)) >= 20, "twenty slow consumers closed", 20)
    for each in sleepers:
        each.close()
    return f"memory grew by {(peak - before) / MIB:.1f} MiB"


@attack(monitored=True)
def a_request_that_nobody_reads_the_answers_of_is_bounded(server):
    """One connection is publisher and subscriber, and never reads."""
    before = server.memory_bytes()
    client = connection(server.port, 2)
    client.connect().send(b"SUB self 1\r\n")
    block = b"PUB self 10000\r\n" + b"y" * 10000 + b"\r\n"
    deadline = time.monotonic() + 10
    try:
        while time.monotonic() < deadline:
            client.socket.sendall(block * 10)
    except OSError:
        pass
    grown = server.memory_bytes() - before
    client.close()
    assert grown < 120 * MIB, f"memory grew by {grown / MIB:.1f} MiB"  # max_pending is 64 MiB.
    return f"memory grew by {grown / MIB:.1f} MiB"


@attack(monitored=True)
def a_fast_reader_beside_a_slow_one_gets_everything(server):
    fast = connection(server.port, 30)
    fast.connect().send(b"SUB sleep 1\r\nPING\r\n")
    fast.wait_for(b"PONG\r\n")
    sleeper = _sleeper(server)
    speaker = connection(server.port, 30)
    speaker.connect()
    count = 0
    for _ in range(200):
        speaker.send(b"PUB sleep 1000\r\n" + b"z" * 1000 + b"\r\n")
        count += 1
    speaker.send(b"PUB sleep 4\r\nlast\r\nPING\r\n")
    speaker.wait_for(b"PONG\r\n")
    fast.wait_for(b"last\r\n")
    assert fast.received.count(b"MSG sleep 1 1000\r\n") == count
    for each in (fast, sleeper, speaker):
        each.close()
