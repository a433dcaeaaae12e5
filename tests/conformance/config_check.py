#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares what `-t` makes of many configurations with what nats-server makes of them.

The cases, their verdicts and the reasons of the differences on purpose are in config_cases.txt.
Without --reference only the server is checked.

    config_check.py --server build/release/tools/pipit-server --reference nats-server
"""
import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile

# verdict: (is the server to accept it, is nats-server to accept it: None is "sometimes")
VERDICTS = {
    "valid": (True, True),
    "invalid": (False, False),
    "stricter": (False, True),
    "wider": (True, False),
    "later": (False, True),
    "unsteady": (False, None),
}
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


class Case:
    def __init__(self, verdict, name):
        self.verdict = verdict
        self.name = name
        self.files = {"c.conf": []}
        self.environment = {}


def read_cases(path):
    cases = []
    lines = []
    for line in path.read_bytes().decode().split("\n"):
        if line.startswith("=== "):
            verdict, name = line[4:].split(" | ", 1)
            cases.append(Case(verdict, name.strip()))
            lines = cases[-1].files["c.conf"]
        elif line.startswith("--- "):
            lines = cases[-1].files.setdefault(line[4:].strip(), [])
        elif line.startswith("+++ "):
            name, value = line[4:].split("=", 1)
            cases[-1].environment[name] = value
        elif cases and not line.startswith("# -----"):
            lines.append(line)
    return cases


def check(program, case):
    """Exit code and standard error of `program -t -c c.conf`, in a folder of the case's files."""
    with tempfile.TemporaryDirectory() as folder:
        for name, lines in case.files.items():
            text = "\n".join(lines).rstrip("\n") + "\n"
            pathlib.Path(folder, name).write_bytes(text.encode())
        done = subprocess.run([*program, "-t", "-c", "c.conf"], cwd=folder, capture_output=True,
                              text=True, env=os.environ | case.environment, timeout=30)
        return done.returncode, done.stderr


def complaints(case, server, reference):
    accepts, reference_accepts = VERDICTS[case.verdict]
    code, text = check(server, case)
    if (code == 0) != accepts or code not in (0, 1):
        yield f"the server exits with {code}: {text.strip()}"
    if case.verdict == "later" and "not supported yet: " not in text:
        yield f"the server does not say that it is not supported yet: {text.strip()}"
    if code == 1 and not re.search(r"\.conf:(\d+:\d+)?:? ", text):
        yield f"the server does not say where: {text.strip()}"
    if reference is None:
        return
    reference_code, reference_text = check(reference, case)
    if reference_accepts is not None and (reference_code == 0) != reference_accepts:
        yield f"the reference exits with {reference_code}: {reference_text.strip()}"
    if code == 0 and reference_code == 0:
        ours, theirs = DIGEST.search(text), DIGEST.search(reference_text)
        if not ours or ours.group() != theirs.group():
            yield f"the digests differ: {text.strip()} / {reference_text.strip()}"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", required=True, help="the program to check")
    parser.add_argument("--reference", help="nats-server")
    parser.add_argument("--cases", type=pathlib.Path,
                        default=pathlib.Path(__file__).with_name("config_cases.txt"))
    arguments = parser.parse_args()
    server = [os.path.abspath(arguments.server)]
    reference = [arguments.reference] if arguments.reference else None
    cases = read_cases(arguments.cases)
    failed = 0
    for case in cases:
        for complaint in complaints(case, server, reference):
            failed += 1
            print(f"{case.verdict} | {case.name}\n    {complaint}")
    print(f"{len(cases)} configurations, {failed} complaints")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
