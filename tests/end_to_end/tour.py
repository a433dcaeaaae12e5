#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the tours of README.md and the guides and compares what they print: tour.py --server PATH --pipit PATH

A block of `bash` or `python` is run against a page's server; the block of `text` that follows is
what it must print, where `…` stands for anything. `pipit` finds the server, and a home of its own.
The steps of a page that starts servers itself are run in one shell, one after the other; those of
`nsc` are left out on a machine that has none.
Of the lines of `sh`, which show one way beside another, those of `pipit` and `curl` must be understood.
"""
import argparse
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / "build" / "tools" / "bin"  # nsc
PAGES = ["README.md", "docs/guides/cli.md"]
STEP = re.compile(r"```(bash|python)\n((?:(?!```).)*)```\n```text\n(.*?)```", re.S)
SESSIONS = ["docs/guides/security.md"]
LINES = {"docs/guides/cli.md": "pipit ", "docs/guides/monitoring.md": "curl "}
SHELL = re.compile(r"```sh\n(.*?)```", re.S)
ADDRESSES = re.compile(r"(Listening for client connections|Starting http monitor) on (\S+):(\d+)")


def start(server, folder):
    """The program on free ports, and its ports as {"4222": …, "8222": …}."""
    log = folder / "log"
    process = subprocess.Popen([server, "-a", "127.0.0.1", "-p", "-1", "-m", "-1"],
                               stderr=subprocess.PIPE, text=True)
    found = {}
    with log.open("w") as copy:
        for line in process.stderr:
            copy.write(line)
            if match := ADDRESSES.search(line):
                found["4222" if match[1].startswith("Listening") else "8222"] = match[3]
            if "Server is ready" in line:
                return process, found
    sys.exit("the server did not start:\n" + log.read_text())


def run(language, code, ports, folder, pipit):
    for port, real in ports.items():
        code = code.replace(port, real)
    program = ["bash", "-c", code] if language == "bash" else [sys.executable, "-c", code]
    env = {**os.environ, "XDG_CONFIG_HOME": str(folder), "NATS_URL": f"nats://127.0.0.1:{ports['4222']}",
           "PATH": f"{Path(pipit).resolve().parent}:{os.environ['PATH']}"}
    done = subprocess.run(program, capture_output=True, text=True, timeout=60, cwd=folder, env=env)
    return "\n".join(line.rstrip() for line in (done.stdout + done.stderr).splitlines())


def follow(page, server, pipit):
    """Runs a page's steps; (passed, failed)."""
    passed = failed = 0
    with tempfile.TemporaryDirectory() as folder:
        process, ports = start(server, Path(folder))
        try:
            for language, code, expected in STEP.findall((ROOT / page).read_text()):
                printed = run(language, code, ports, folder, pipit)
                wanted = ".*".join(map(re.escape, expected.rstrip().split("…")))
                if re.fullmatch(wanted, printed):
                    passed += 1
                else:
                    failed += 1
                    print(f"--- {page} says\n{expected}--- but it is\n{printed}\n")
        finally:
            process.terminate()
            process.communicate()
    if not passed:
        print(f"{page} has no steps")
    return passed, failed + (not passed)


class session:
    """A shell in a home of its own, with ports of its own; its servers end with it."""

    END = "that was the step"

    def __init__(self, folder, pipit):
        self.ports = {"4222": free_port(), "8222": free_port(), "8080": free_port()}
        env = {**os.environ, "HOME": folder, "XDG_CONFIG_HOME": folder, "XDG_DATA_HOME": folder,
               "PATH": f"{Path(pipit).resolve().parent}:{os.environ['PATH']}:{TOOLS}"}
        self.process = subprocess.Popen(["bash"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True, cwd=folder, env=env,
                                        start_new_session=True)

    def run(self, code):
        for port, real in self.ports.items():
            code = code.replace(port, real)
        self.process.stdin.write(f"{code}\necho; echo {self.END}\n")
        self.process.stdin.flush()
        printed = "\n".join(self._lines()).rstrip()
        for port, real in self.ports.items():
            printed = printed.replace(real, port)
        return printed

    def _lines(self):
        patience = threading.Timer(60, self._kill)
        patience.start()
        for line in self.process.stdout:
            if line.rstrip() == self.END:
                break
            yield line.rstrip()
        else:
            yield "the step did not end"
        patience.cancel()

    def _kill(self):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass  # It was here before.

    def end(self):
        self._kill()
        self.process.communicate()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def follow_session(page, pipit):
    """Runs a page's steps in one shell; (passed, failed)."""
    passed = failed = 0
    has_nsc = shutil.which("nsc", path=f"{os.environ['PATH']}:{TOOLS}") is not None
    with tempfile.TemporaryDirectory() as folder:
        shell = session(folder, pipit)
        try:
            for _, code, expected in STEP.findall((ROOT / page).read_text()):
                if not has_nsc and re.search(r"^nsc ", code, re.M):
                    print(f"--- left out, there is no nsc here: {code.splitlines()[0]}")
                    continue
                printed = shell.run(code)
                wanted = ".*".join(map(re.escape, expected.rstrip().split("…")))
                good = re.fullmatch(wanted, printed) is not None
                passed, failed = passed + good, failed + (not good)
                if not good:
                    print(f"--- {page} says\n{expected}--- but it is\n{printed}\n")
        finally:
            shell.end()
    return passed, failed + (not passed)


def is_understood(line, ports, folder, pipit):
    """Whether a command gets as far as its work, which may well go on until somebody ends it."""
    line = re.sub(r" &(?=\s|$)", "", line) # It is ended in front.
    line = line.replace("curl -s", "curl -sf").replace("localhost", "127.0.0.1")
    printed = run("bash", f"timeout 1 bash -c {shlex.quote(line)} < /dev/null; echo code $?", ports,
                  folder, pipit)
    if line.startswith("curl "):
        return printed.endswith("code 0"), printed
    return "To see what it takes" not in printed, printed


def understand(page, word, server, pipit):
    """Runs a page's lines with this word; (passed, failed)."""
    passed = failed = 0
    with tempfile.TemporaryDirectory() as folder:
        process, ports = start(server, Path(folder))
        try:
            lines = [line for block in SHELL.findall((ROOT / page).read_text())
                     for line in block.splitlines() if word in line]
            for line in lines:
                good, printed = is_understood(line, ports, folder, pipit)
                passed, failed = passed + good, failed + (not good)
                if not good:
                    print(f"--- {page} says\n{line}\n--- which gives\n{printed}\n")
        finally:
            process.terminate()
            process.communicate()
    return passed, failed + (not passed)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--server", required=True)
    parser.add_argument("--pipit", required=True)
    arguments = parser.parse_args()
    results = [follow(page, arguments.server, arguments.pipit) for page in PAGES]
    results += [follow_session(page, arguments.pipit) for page in SESSIONS]
    results += [understand(page, word, arguments.server, arguments.pipit)
                for page, word in LINES.items()]
    passed, failed = (sum(column) for column in zip(*results))
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
