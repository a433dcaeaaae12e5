# SPDX-License-Identifier: Apache-2.0
"""What the attacks share: registration, a bystander that measures round trips, raw connections.

The bystander lives in a process of its own, so that what the attack costs this interpreter does not
count as the server's delay.
"""
import json
import multiprocessing
import os
import socket
import statistics
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "differential"))
from servers import find_program, server_process, start_failure  # noqa: E402,F401

ROUND_TRIP_SECONDS_MAX = 0.100
ATTACKS = []


def attack(configuration="", login=None, monitored=False, bystander=True, tries=3):
    """Registers a function that gets (server) while a bystander measures."""
    def register(function):
        ATTACKS.append(planned(function, configuration, login or {}, monitored, bystander, tries))
        return function
    return register


class planned:
    """One attack and what it needs."""

    def __init__(self, function, configuration, login, monitored, bystander, tries):
        self.function = function
        self.name = function.__name__.replace("_", " ")
        self.configuration = configuration + ('http: "127.0.0.1:-1"\n' if monitored else "")
        self.login = login
        self.bystander = bystander
        self.tries = tries


class took_too_long(AssertionError):
    """Right, but late: a busy machine may be the reason, so that it is tried again. What has not come
    after many seconds has not come at all, and is wrong."""


class connection:
    """A raw connection that is never in anybody's way: short waits, errors are ends."""

    def __init__(self, port, seconds=20.0):
        self.socket = socket.create_connection(("127.0.0.1", port), 10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.settimeout(seconds)
        self.received = b""
        self.ended = False

    def connect(self, **options):
        self.send(b"CONNECT " + json.dumps({"verbose": False, "pedantic": False, "headers": True,
                                            **options}).encode() + b"\r\n")
        return self

    def send(self, data):
        """False when the server does not take it any more."""
        try:
            self.socket.sendall(data)
            return True
        except OSError:
            return False

    def read(self):
        try:
            data = self.socket.recv(1 << 16)
        except TimeoutError:
            raise AssertionError(f"no answer; so far {self.received[-200:]!r}") from None
        except OSError:
            data = b""
        self.ended = self.ended or not data
        self.received += data
        return data

    def wait_for(self, text):
        while text not in self.received:
            if not self.read():
                raise AssertionError(f"no {text!r} before the end: {self.received[-200:]!r}")

    def wait_for_end(self):
        """Everything that came until the server closed."""
        while self.read():
            pass
        return self.received

    def end(self):
        """Says that nothing more will come."""
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # The server was first.

    def close(self):
        self.socket.close()


def answer(port, data, login=None):
    """What the server says to `data` after a CONNECT, INFO left out, until it closes."""
    client = connection(port)
    if login is not None:
        client.connect(**login)
    client.send(data)
    text = client.wait_for_end()
    client.close()
    return text[text.find(b"\r\n") + 2:]


def _stand_by(port, login, stop, results):
    client = connection(port)
    client.connect(**login).send(b"SUB bystander 1\r\nPING\r\n")
    client.wait_for(b"PONG\r\n")
    client.received = b""
    results.put("ready")
    times = []
    oversleep = 0.0
    complaint = None
    message = b"MSG bystander 1 2\r\nhi\r\n"
    try:
        while not stop.is_set():
            begin = time.perf_counter()
            client.send(b"PUB bystander 2\r\nhi\r\n")
            while message not in client.received:
                client.read()
                if client.ended:
                    raise AssertionError("the bystander was disconnected")
                client.received = client.received.replace(b"PING\r\n", b"")
            times.append(time.perf_counter() - begin)
            client.received = b""
            # How late the machine wakes somebody up who waits for nothing but the time.
            begin = time.perf_counter()
            time.sleep(0.002)
            oversleep = max(oversleep, time.perf_counter() - begin - 0.002)
    except AssertionError as error:
        complaint = str(error)
    results.put((times, oversleep, complaint))


class bystander:
    """Measures round trips from another process until it is stopped."""

    def __init__(self, port, login):
        context = multiprocessing.get_context("fork")
        self.stop_event, self.results = context.Event(), context.Queue()
        self.process = context.Process(target=_stand_by, daemon=True,
                                       args=(port, login, self.stop_event, self.results))
        self.process.start()
        self.results.get(timeout=20)

    def stop(self):
        """(times in seconds, how late the machine was, complaint)"""
        self.stop_event.set()
        answer = self.results.get(timeout=40)
        self.process.join(10)
        return answer


class verdict:
    """How an attack ended on one server."""

    def __init__(self):
        self.complaint = None
        self.slow = None
        self.times = []
        self.oversleep = 0.0
        self.note = ""

    def take(self, function, server):
        """Runs the attack itself."""
        try:
            self.note = function(server) or ""
        except took_too_long as error:
            self.slow = str(error)
        except Exception as error:
            self.complaint = f"{type(error).__name__}: {error}"

    @property
    def too_slow(self):
        """A busy machine's own delays do not count."""
        return bool(self.slow) or max(self.times, default=0.0) - self.oversleep >= ROUND_TRIP_SECONDS_MAX

    def text(self):
        if not self.times:
            return self.note
        times = sorted(self.times)
        return (f"{len(times)} round trips, median {statistics.median(times) * 1e3:.2f} ms, "
                f"p99 {times[int(len(times) * 0.99)] * 1e3:.2f} ms, "
                f"slowest {times[-1] * 1e3:.1f} ms (the machine: {self.oversleep * 1e3:.1f} ms)"
                f"{'; ' + self.note if self.note else ''}")


def run(plan, program):
    """The verdict of the first try that was fast enough or wrong, or of the last one."""
    for _ in range(plan.tries):
        result = run_once(plan, program)
        if result.complaint or not result.too_slow:
            break
    return result


def run_once(plan, program):
    """The verdict of one attack on a fresh server."""
    result = verdict()
    try:
        with server_process(program, plan.configuration) as server:
            _attack(plan, server, result)
    except start_failure as error:
        result.complaint = str(error)
    return result


def _attack(plan, server, result):
    witness = None
    try:
        witness = bystander(server.port, plan.login) if plan.bystander else None
    except Exception as error:
        result.complaint = f"{type(error).__name__}: {error}"
    else:
        result.take(plan.function, server)
    if witness:
        result.times, result.oversleep, complaint = witness.stop()
        result.complaint = result.complaint or complaint
    if not server.alive():
        result.complaint = f"the server ended with {server.process.returncode}\n{server.log()[-2000:]}"
        return
    try:
        after = connection(server.port)
        after.connect(**plan.login).send(b"SUB after 1\r\nPUB after 2\r\nhi\r\nPING\r\n")
        after.wait_for(b"PONG\r\n")
        assert b"MSG after 1 2\r\nhi\r\n" in after.received, after.received
        after.close()
    except Exception as error:
        result.complaint = result.complaint or f"afterwards: {error}"


def wait_until(condition, what, seconds=20.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not become true"
        time.sleep(0.02)


def varz(server):
    return json.loads(server.monitoring("/varz"))


MIB = 1 << 20
