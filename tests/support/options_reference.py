#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""docs/guides/options.md names every key that the server reads, and no other.

    options_reference.py [folder of the project]
"""
import pathlib
import re
import sys

ROW = re.compile(r'\{"([a-z_]+(?: [a-z_]+)*)",\s')
NAME = re.compile(r"`([a-z_]+)`")
# Of features that are not here yet, only the blocks are named.
ABSENT = ("read_absent_features.cpp", "read_jetstream.cpp")


def keys_of_code(root: pathlib.Path) -> set[str]:
    server = root / "src/pipit/server"
    readers = [server / "options_from_config.cpp", *(server / "detail").glob("read_*.cpp")]
    rows = (row for file in readers if file.name not in ABSENT for row in ROW.findall(file.read_text()))
    return {name for row in rows for name in row.split()}


def keys_of_reference(root: pathlib.Path) -> tuple[set[str], set[str]]:
    """Those of the tables' first columns, and all that stand as code."""
    text = (root / "docs/guides/options.md").read_text()
    firsts = (line.split("|")[1] for line in text.splitlines() if line.startswith("| "))
    code = " ".join(re.findall(r"`([^`]+)`", text))
    return {name for first in firsts for name in NAME.findall(first)}, set(re.findall(r"[a-z_]+", code))


def main() -> int:
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    known = keys_of_code(root)
    documented, mentioned = keys_of_reference(root)
    for key in sorted(known - mentioned):
        print(f"docs/guides/options.md: {key} is missing")
    for key in sorted(documented - known):
        print(f"docs/guides/options.md: {key} is no key of the server")
    print(f"{len(known)} keys")
    return 0 if known and known <= mentioned and documented <= known else 1


if __name__ == "__main__":
    sys.exit(main())
