#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The container without an engine: lays the image's tree by the script that the Dockerfile runs, and
starts from it, in namespaces and with a read-only root, what the Dockerfile says."""
import json
import os
import re
import signal
import sys
import tempfile
from pathlib import Path

from sandbox import ROOT, VERSION, Sandbox, expect, need, run

IMAGE_BYTES_MAX = 30_000_000
PING = ('CONNECT {"verbose":false}', "PING")


def instructions():
    """The Dockerfile's last word on each instruction."""
    text = (ROOT / "Dockerfile").read_text()
    words = dict(re.findall(r"^(USER|ENTRYPOINT|EXPOSE|CMD|HEALTHCHECK) (.*)$", text, re.M))
    words["HEALTHCHECK"] = words["HEALTHCHECK"].split("CMD ")[1]
    return {key: json.loads(value) if value.startswith("[") else value.split()
            for key, value in words.items()}


def check_tree(tree):
    files = [f for f in tree.rglob("*") if f.is_file() and not f.is_symlink()]
    size = sum(f.stat().st_size for f in files)
    expect(size < IMAGE_BYTES_MAX, f"the image has {size} bytes")
    programs = [f for f in files if os.access(f, os.X_OK)]
    names = {f.name for f in programs}
    expect(names <= {"pipit", "pipit-server", "pipit-health"}, f"programs: {names}")
    for program in programs:
        expect("NEEDED" not in run("readelf", "-d", program), f"{program.name} needs libraries")
    return size


def check_default(tree, said, user):
    """Without options: both ports answer, it is healthy, and it is not root's."""
    with Sandbox(tree, *said["ENTRYPOINT"], *said["CMD"], user=user) as container:
        client, monitoring = said["EXPOSE"]
        answer = container.says(client, *PING)
        expect(answer.startswith("INFO {") and "PONG" in answer, f"on port {client}: {answer}")
        answer = container.says(monitoring, "GET /healthz HTTP/1.0", "")
        expect('"ok"' in answer, f"on port {monitoring}: {answer}")
        status = Path(f"/proc/{container.first}/status").read_text()
        expect(f"Uid:\t{user}\t{user}\t{user}\t{user}" in status, status)
        container.inside(*said["HEALTHCHECK"], user=user)
        os.kill(container.first, signal.SIGSTOP)
        container.inside(*said["HEALTHCHECK"], user=user, fails=True)
        os.kill(container.first, signal.SIGCONT)
        code, printed = container.end()
        expect(code == 0, f"after TERM: exit code {code}\n{printed}")


def check_options(tree, said, user):
    """With options in place of the default ones, on other ports and with a password."""
    options = ["-p", "5222", "--user", "me", "--pass", "s3cret", "-n", "named", "-P", "/data/pid"]
    with Sandbox(tree, *said["ENTRYPOINT"], *options, user=user) as container:
        answer = container.says(5222, 'CONNECT {"user":"me","pass":"s3cret"}', "PING")
        expect('"server_name":"named"' in answer and "PONG" in answer, f"on port 5222: {answer}")
        expect('"auth_required":true' in answer, answer)
        container.inside(*said["HEALTHCHECK"], user=user)
        expect(container.end()[0] == 0, "it did not end well")
    version = run("chroot", tree, *said["ENTRYPOINT"], "--version")
    expect(VERSION in version, f"--version: {version}")
    run("chroot", tree, "/usr/bin/nats-server", "-t", "-c", "/etc/pipit/pipit.conf")


def main():
    need("unshare", "nsenter", "chroot", "readelf", "strip")
    said = instructions()
    user = int(said["USER"][0].split(":")[0])
    with tempfile.TemporaryDirectory() as tree:
        run(ROOT / "scripts/image", tree)
        os.chmod(tree, 0o755)
        size = check_tree(Path(tree))
        check_default(tree, said, user)
        check_options(tree, said, user)
    print(f"the image has {size / 1e6:.1f} MB, and starts")


if __name__ == "__main__":
    sys.exit(main())
