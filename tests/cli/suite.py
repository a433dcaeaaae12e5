# SPDX-License-Identifier: Apache-2.0
"""What the tests of the command line share: how one is registered and run, and how programs are
driven as a script does (pipes) and as a person does (a pseudo-terminal).

A test is a function whose name is a sentence. It gets a `world`: a server, a home folder of its own, and
`pipit` in it. It runs against Pipit's server and against nats-server.
"""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "differential"))
from servers import find_program, server_process  # noqa: E402,F401

REGISTERED = []
SECONDS = 20


def test(function):
    """Against both servers."""
    REGISTERED.append(("both", function))
    return function


def once(function):
    """Against one server, or without any: the other one changes nothing."""
    REGISTERED.append(("once", function))
    return function


def reference_only(function):
    """Against nats-server, for what Pipit's server has not got yet."""
    REGISTERED.append(("reference", function))
    return function


def beside_nats(function):
    """Compares with the `nats` tool; left out where there is none."""
    REGISTERED.append(("nats", function))
    return function


class skipped(Exception):
    """Something that the test needs is not on this machine."""


class finished:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err


class running:
    """A program with pipes, read by threads, so that nothing blocks; another `stdout` is not read."""

    def __init__(self, arguments, environment, folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE):
        self.process = subprocess.Popen(arguments, stdin=stdin, stdout=stdout,
                                        stderr=subprocess.PIPE, env=environment, cwd=folder)
        self.parts = {"out": b"", "err": b""}
        self.readers = [threading.Thread(target=self._read, args=(name, pipe), daemon=True)
                        for name, pipe in (("out", self.process.stdout), ("err", self.process.stderr)) if pipe]
        for each in self.readers:
            each.start()

    def _read(self, name, pipe):
        for part in iter(lambda: os.read(pipe.fileno(), 65536), b""):
            self.parts[name] += part

    @property
    def out(self):
        return self.parts["out"].decode(errors="replace")

    @property
    def err(self):
        return self.parts["err"].decode(errors="replace")

    def wait_for(self, pattern, where="err", seconds=SECONDS):
        deadline = time.monotonic() + seconds
        while not (found := re.search(pattern, self.parts[where].decode(errors="replace"), re.M)):
            if time.monotonic() > deadline or self.process.poll() is not None:
                time.sleep(0.05)  # What it said last may still be on its way.
                if found := re.search(pattern, self.parts[where].decode(errors="replace"), re.M):
                    break
                raise AssertionError(f"no {pattern!r}: {self.parts}, code {self.process.poll()}")
            time.sleep(0.005)
        return found

    def signal(self, number):
        self.process.send_signal(number)

    def finish(self, seconds=SECONDS):
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError(f"it did not end: {self.parts}") from None
        for each in self.readers:
            each.join(5)
        return finished(self.process.returncode, self.out, self.err)

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


class terminal:
    """A program on a pseudo-terminal, as a person sees it."""

    def __init__(self, arguments, environment, rows=24, columns=80):
        self.pid, self.descriptor = pty.fork()
        if self.pid == 0:
            os.execve(arguments[0], arguments, environment)
        fcntl.ioctl(self.descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.shown = ""
        self.status = None

    def _receive(self, seconds):
        if not select.select([self.descriptor], [], [], seconds)[0]:
            return True
        try:
            part = os.read(self.descriptor, 65536)
        except OSError:  # The other end is gone.
            return False
        self.shown += part.decode(errors="replace")
        return bool(part)

    def wait_for(self, pattern, seconds=SECONDS):
        deadline = time.monotonic() + seconds
        while not (found := re.search(pattern, self.shown)):
            if time.monotonic() > deadline or not self._receive(0.05):
                raise AssertionError(f"no {pattern!r} on the terminal: {self.shown!r}")
        return found

    def type(self, text):
        os.write(self.descriptor, text.encode())

    def finish(self, seconds=SECONDS):
        deadline = time.monotonic() + seconds
        while self._receive(0.05):
            if time.monotonic() > deadline:
                raise AssertionError(f"it did not end: {self.shown!r}")
        _, status = os.waitpid(self.pid, 0)
        self.status = os.waitstatus_to_exitcode(status)
        return finished(self.status, self.shown.replace("\r\n", "\n"), "")

    def stop(self):
        if self.status is None:
            try:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
            except (ProcessLookupError, ChildProcessError):
                pass
        os.close(self.descriptor)


class world:
    """A server, a home, and programs that end with the test."""

    def __init__(self, programs, server_program):
        self.programs = programs
        self.pipit = programs["pipit"]
        self.server_program = server_program
        self.is_reference = server_program == programs["reference"]
        self.folder = tempfile.TemporaryDirectory(prefix="pipit_cli_")
        self.path = self.folder.name
        self.started = []
        self.servers = []
        self._server = None

    @property
    def server(self):
        """The usual one: open to everybody, with monitoring."""
        if not self._server:
            self._server = self.start_server('http: "127.0.0.1:-1"\n')
        return self._server

    @property
    def url(self):
        return f"nats://127.0.0.1:{self.server.port}"

    def start_server(self, configuration, *arguments):
        server = server_process(self.server_program, configuration, arguments)
        self.servers.append(server)
        return server

    def environment(self, more=None):
        kept = {name: value for name, value in os.environ.items() if not name.startswith("NATS_")}
        kept.pop("NO_COLOR", None)
        kept.update({"HOME": self.path, "XDG_CONFIG_HOME": os.path.join(self.path, "config"),
                     "LC_ALL": "C.UTF-8", "TERM": "xterm", "TZ": "UTC",
                     "PATH": os.path.dirname(self.pipit) + ":" + kept.get("PATH", "")})
        kept.update({name: value for name, value in (more or {}).items() if value is not None})
        return kept

    def _with_server(self, env):
        """Every call finds the server, unless the test says otherwise."""
        env = dict(env or {})
        if "NATS_URL" not in env:
            env["NATS_URL"] = self.url
        return self.environment(env)

    def run(self, *arguments, input=None, env=None, seconds=SECONDS, program=None):
        data = input.encode() if isinstance(input, str) else input
        given = {"input": data} if data is not None else {"stdin": subprocess.DEVNULL}
        done = subprocess.run([program or self.pipit, *arguments], capture_output=True, cwd=self.path,
                              env=self._with_server(env), timeout=seconds, check=False, **given)
        return finished(done.returncode, done.stdout.decode(errors="replace"),
                        done.stderr.decode(errors="replace"))

    def nats(self, *arguments, **options):
        return self.run(*arguments, program=self.programs["nats"], **options)

    def start(self, *arguments, env=None, program=None, **streams):
        process = running([program or self.pipit, *arguments], self._with_server(env), self.path, **streams)
        self.started.append(process)
        return process

    def subscribe(self, *arguments, **options):
        """`pipit sub` that has subscribed. What is for programs says nothing of it, so the server is
        asked."""
        before = self.subscriptions()
        process = self.start("sub", *arguments, **options)
        deadline = time.monotonic() + SECONDS
        while self.subscriptions() <= before:
            if time.monotonic() > deadline or process.process.poll() is not None:
                raise AssertionError(f"it did not subscribe: {process.parts}")
            time.sleep(0.005)
        return process

    def subscriptions(self):
        found = re.search(rb'"subscriptions":\s*(\d+)', self.server.monitoring("/varz"))
        return int(found[1])

    def terminal(self, *arguments, env=None, **size):
        shown = terminal([self.pipit, *arguments], self._with_server(env), **size)
        self.started.append(shown)
        return shown

    def file(self, name, text=None, mode=0o600):
        """The path of a file in the home; written when there is a text."""
        path = os.path.join(self.path, name)
        if text is not None:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            os.chmod(path, mode)
        return path

    def read(self, name):
        with open(self.file(name), encoding="utf-8") as file:
            return file.read()

    def end(self):
        for each in self.started:
            each.stop()
        for each in self.servers:
            each.stop()
        self.folder.cleanup()


def eventually(condition, what):
    deadline = time.monotonic() + SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: it did not come to that")
        time.sleep(0.005)


def equal(actual, expected, what=""):
    if actual != expected:
        raise AssertionError(f"{what}: {actual!r} is not {expected!r}" if what
                             else f"{actual!r} is not {expected!r}")


def succeeded(done):
    if done.code != 0:
        raise AssertionError(f"it ended with {done.code}: {done.out!r} {done.err!r}")
    return done


def matches(pattern, text, what="text"):
    found = re.search(pattern, text, re.MULTILINE)
    if not found:
        raise AssertionError(f"no {pattern!r} in the {what}:\n{text[-1500:]}")
    return found


def _guarded(function, programs, server_program):
    """The complaint, None, or `skipped`."""
    place = None
    try:
        place = world(programs, server_program)
        function(place)
        return None
    except skipped as why:
        return why
    except AssertionError as failed:
        frames = traceback.extract_tb(failed.__traceback__)[1:]
        where = f"{os.path.basename(frames[0].filename)}:{frames[0].lineno}" if frames else ""
        return f"{os.path.basename(server_program)}, {where}: {failed}"
    except Exception:
        return f"{os.path.basename(server_program)}: {traceback.format_exc()}"
    finally:
        if place:
            place.end()


def _run_one(kind, function, programs):
    if kind == "nats" and not programs["nats"]:
        return skipped("there is no nats tool")
    sides = {"both": ["server", "reference"], "once": ["server"], "nats": ["reference"],
             "reference": ["reference"]}[kind]
    for side in sides:
        complaint = _guarded(function, programs, programs[side])
        if complaint:
            return complaint
    return None


def run_all(programs, pattern=None, jobs=4):
    """Runs what was registered; (passed, failed)."""
    chosen = [(kind, function) for kind, function in REGISTERED
              if not pattern or re.search(pattern, function.__name__.replace("_", " "))]
    lock = threading.Lock()
    counts = {"ok": 0, "FAILED": 0, "skipped": 0}
    complaints = {}

    def one(item):
        kind, function = item
        begin = time.monotonic()
        complaint = _run_one(kind, function, programs)
        word = "ok" if complaint is None else "skipped" if isinstance(complaint, skipped) else "FAILED"
        with lock:
            counts[word] += 1
            name = function.__name__.replace("_", " ")
            print(f"{word:7} {name} ({time.monotonic() - begin:.1f} s)", flush=True)
            if complaint:
                complaints[f"{word:7} {name}"] = str(complaint)

    with ThreadPoolExecutor(jobs) as pool:
        list(pool.map(one, chosen))
    # At the end, where a log that was cut still shows them.
    for title, complaint in complaints.items():
        print(f"{title}\n       " + complaint.replace("\n", "\n       "))
    if counts["skipped"]:
        print(f"{counts['skipped']} skipped")
    return counts["ok"], counts["FAILED"]
