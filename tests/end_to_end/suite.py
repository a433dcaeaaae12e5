# SPDX-License-Identifier: Apache-2.0
"""What the end-to-end tests share: how a behaviour is registered and run, servers and raw clients.

A behaviour is a function whose name is a sentence. It gets a `side`: one program, and servers that
end with the test. It runs against the reference too, which proves that the behaviour is asked
rightly, unless it is Pipit's own.
"""
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "differential"))
from player import stream  # noqa: E402
from servers import find_program, server_process, start_failure  # noqa: E402,F401

REGISTERED = []
CALLOUT = None  # The program examples/auth_callout, when there is one.


def behaviour(function):
    """Both servers do this."""
    REGISTERED.append(("both", function))
    return function


def pipits_own(function):
    """Only Pipit does this."""
    REGISTERED.append(("server", function))
    return function


def compared(function):
    """Gets both sides and compares them."""
    REGISTERED.append(("compared", function))
    return function


DONE = "Reloaded server configuration"


def reload_with(server, text, outcome=DONE):
    """Writes the text, sends SIGHUP and waits for the outcome; what was logged meanwhile."""
    start = len(server.log())
    server.write_configuration(text)
    server.signal(signal.SIGHUP)
    assert server.wait_for_log(outcome, 10, start), server.log()[start:]
    return server.log()[start:]


class finished:
    """How a program ended and what it said."""

    def __init__(self, process):
        self.code = process.returncode
        self.out = process.stdout
        self.err = process.stderr


class side:
    """One of the two programs, and the servers that a test started with it."""

    def __init__(self, program, is_reference):
        self.program = program
        self.is_reference = is_reference
        self.servers = []
        self.clients = []

    def run(self, *arguments, seconds=20, folder=None, environment=None):
        """Runs the program to its end."""
        return finished(subprocess.run([self.program, *arguments], capture_output=True, text=True,
                                       errors="replace", timeout=seconds, cwd=folder, check=False,
                                       env={**os.environ, **(environment or {})}))

    def start(self, configuration="", *arguments, **options):
        server = server_process(self.program, configuration, arguments, **options)
        self.servers.append(server)
        return server

    def connect(self, port, host="127.0.0.1", **options):
        """A raw client after its first PONG; not verbose unless asked."""
        result = client(port, host)
        self.clients.append(result)
        result.connect(**options)
        return result

    def open(self, port):
        """A raw client that has said nothing."""
        result = client(port)
        self.clients.append(result)
        return result

    def end(self):
        for each in self.clients:
            each.stream.close()
        for each in self.servers:
            each.stop()


class client:
    """A raw connection."""

    def __init__(self, port, host="127.0.0.1"):
        self.stream = stream(port, host)
        self.stream.wait_for_operations(1)
        self.pings = 0

    @property
    def info(self):
        return json.loads(self.operations[0][5:])

    @property
    def operations(self):
        return [control for control, _ in self.stream.operations]

    @property
    def messages(self):
        return [(control, body[:-2]) for control, body in self.stream.operations
                if body is not None]

    @property
    def errors(self):
        return [each.decode(errors="replace") for each in self.operations
                if each.startswith(b"-ERR")]

    def connect(self, **options):
        members = {"verbose": False, "pedantic": False, "protocol": 1, "headers": True, **options}
        self.send("CONNECT " + json.dumps(members) + "\r\n")
        self.barrier()

    def send(self, text):
        self.stream.send(text if isinstance(text, bytes) else text.encode())

    def barrier(self):
        """Everything sent so far was served; False when the connection ended instead."""
        self.pings += 1
        self.send("PING\r\n")
        self.stream.wait_for_pongs(self.pings)
        return not self.stream.ended

    def wait_for(self, condition, seconds=10.0, what="something"):
        """Reads until `condition(self)` holds."""
        deadline = time.monotonic() + seconds
        while not condition(self):
            if self.stream.ended or time.monotonic() > deadline:
                raise AssertionError(f"{what} did not come: {self.operations[-5:]}")
            self.stream.receive()

    def wait_for_end(self, seconds=10.0):
        deadline = time.monotonic() + seconds
        while not self.stream.ended and time.monotonic() < deadline:
            self.stream.receive()
        return self.stream.ended


def equal(actual, expected, what=""):
    if actual != expected:
        raise AssertionError(f"{what}: {actual!r} is not {expected!r}" if what
                             else f"{actual!r} is not {expected!r}")


def matches(pattern, text, what="text"):
    found = re.search(pattern, text, re.MULTILINE)
    if not found:
        raise AssertionError(f"no {pattern!r} in the {what}:\n{text[-1500:]}")
    return found


def is_logged(server, *patterns):
    """Each of them comes to be in the log: a line may be later than what it tells of."""
    for pattern in patterns:
        found = server.wait_for_log(re.compile(pattern, re.MULTILINE))
        assert found, f"no {pattern!r} in the log:\n{server.log()[-2500:]}"


def wait_until(condition, seconds=10.0, what="the condition"):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not become true")
        time.sleep(0.01)


def _run_one(kind, function, server, reference):
    """The complaint, or None."""
    roles = {"both": [(reference, True), (server, False)], "server": [(server, False)]}
    if kind == "compared":
        sides = [side(server, False), side(reference, True)]
        return _guarded(function, sides, "compared")
    for program, is_reference in roles[kind]:
        complaint = _guarded(function, [side(program, is_reference)],
                             "the reference" if is_reference else "the server")
        if complaint:
            return complaint
    return None


def _guarded(function, sides, who):
    try:
        function(*sides)
        return None
    except AssertionError as error:
        place = traceback.extract_tb(error.__traceback__)[1:]
        where = f"{os.path.basename(place[0].filename)}:{place[0].lineno}" if place else ""
        return f"{who}, {where}: {error}"
    except Exception:
        return f"{who}: {traceback.format_exc()}"
    finally:
        for each in sides:
            try:
                each.end()
            except Exception:
                traceback.print_exc()


def run_all(server, reference, pattern=None, jobs=4):
    """Runs what was registered; (passed, failed)."""
    chosen = [(kind, function) for kind, function in REGISTERED
              if not pattern or re.search(pattern, function.__name__.replace("_", " "))]
    lock = threading.Lock()
    complaints = {}

    def one(item):
        kind, function = item
        begin = time.monotonic()
        complaint = _run_one(kind, function, server, reference)
        with lock:
            name = function.__name__.replace("_", " ")
            print(f"{'ok    ' if complaint is None else 'FAILED'} {name}"
                  f" ({time.monotonic() - begin:.1f} s)", flush=True)
            if complaint:
                complaints[name] = complaint

    with ThreadPoolExecutor(jobs) as pool:
        list(pool.map(one, chosen))
    # At the end, where a log that was cut still shows them.
    for name, complaint in complaints.items():
        print(f"FAILED {name}\n       " + complaint.replace("\n", "\n       "))
    return len(chosen) - len(complaints), len(complaints)
