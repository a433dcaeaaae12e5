#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""run_example.py <server> <example>: runs an example against a server of its own on a free port."""
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SECONDS_MAX = 30


def first_url(folder, server):
    """The client URL in the ports file, which the server writes when it is ready."""
    deadline = time.monotonic() + SECONDS_MAX
    while time.monotonic() < deadline and server.poll() is None:
        for ports in folder.glob("*.ports"):
            try:
                return json.loads(ports.read_text())["nats"][0]
            except (ValueError, KeyError):
                pass  # It is being written.
        time.sleep(0.02)
    sys.exit("the server did not start")


def main():
    program, example = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        server = subprocess.Popen([program, "-a", "127.0.0.1", "-p", "-1",
                                   "--ports_file_dir", folder])
        try:
            url = first_url(Path(folder), server)
            return subprocess.run([example, url], timeout=SECONDS_MAX, check=False).returncode
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    sys.exit(main())
