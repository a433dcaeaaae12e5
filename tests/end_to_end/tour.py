#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the tour of README.md and compares what it prints: tour.py --server PATH

A block of `bash` or `python` is run against a server of its own; the block of `text` that follows is
what it must print, where `…` stands for anything.
"""
import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

README = Path(__file__).resolve().parents[2] / "README.md"
STEP = re.compile(r"```(bash|python)\n((?:(?!```).)*)```\n```text\n(.*?)```", re.S)
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


def run(language, code, ports):
    for port, real in ports.items():
        code = code.replace(port, real)
    program = ["bash", "-c", code] if language == "bash" else [sys.executable, "-c", code]
    done = subprocess.run(program, capture_output=True, text=True, timeout=60)
    return "\n".join(line.rstrip() for line in (done.stdout + done.stderr).splitlines())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--server", required=True)
    server = parser.parse_args().server
    passed = failed = 0
    with tempfile.TemporaryDirectory() as folder:
        process, ports = start(server, Path(folder))
        try:
            for language, code, expected in STEP.findall(README.read_text()):
                printed = run(language, code, ports)
                wanted = ".*".join(map(re.escape, expected.rstrip().split("…")))
                if re.fullmatch(wanted, printed):
                    passed += 1
                else:
                    failed += 1
                    print(f"--- README.md says\n{expected}--- but it is\n{printed}\n")
        finally:
            process.terminate()
            process.communicate()
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed or not passed else 0)


if __name__ == "__main__":
    main()
