# SPDX-License-Identifier: Apache-2.0
"""A publisher at full speed does not disconnect subscribers that the reference would keep."""
import json
import os
import subprocess
import sys
import time

import attack

HERE = os.path.dirname(os.path.abspath(__file__))


def register(seconds, clients):
    """Adds the two tests; without the clients they fail, and say what is missing."""
    def python_subscriber_is_kept(server):
        return _run(server, seconds, [sys.executable, os.path.join(HERE, "subscriber.py")],
                    {"PYTHONPATH": os.path.join(clients or "", "py")},
                    os.path.join(clients or "", "py", "nats"))

    def javascript_subscriber_is_kept(server):
        folder = os.path.join(clients or "", "js")
        return _run(server, seconds, ["node", os.path.join(HERE, "subscriber.mjs")],
                    {"NATS_MODULES": os.path.join(folder, "node_modules")},
                    os.path.join(folder, "node_modules"))

    for function in (python_subscriber_is_kept, javascript_subscriber_is_kept):
        attack.attack(monitored=True, bystander=False, tries=1)(function)


def _run(server, seconds, command, environment, needed):
    assert os.path.isdir(needed), f"{needed} is missing: run tests/conformance/setup.sh DIR and " \
                                  "name it with --clients DIR"
    with subprocess.Popen([*command, str(server.port)], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True,
                          env={**os.environ, **environment}) as subscriber:
        try:
            assert subscriber.stdout.readline().strip() == "ready", "the subscriber did not start"
            sent = _publish(server, seconds)
            subscriber.stdin.write("stop\n")
            subscriber.stdin.flush()
            result = json.loads(subscriber.stdout.readline())
        finally:
            subscriber.kill()
    assert result["disconnects"] == 0, f"disconnected {result['disconnects']} times; {result}"
    assert result["received"] > 0
    return f"{sent / seconds:,.0f} messages/s sent, {result['received'] / seconds:,.0f} received"


def _publish(server, seconds):
    speaker = attack.connection(server.port, 60)
    speaker.connect(name="speaker")
    message = b"PUB full.speed 128\r\n" + b"s" * 128 + b"\r\n"
    block, count = message * 200, 0
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert speaker.send(block), "the publisher was disconnected"
        count += 200
    speaker.send(b"PING\r\n")
    speaker.wait_for(b"PONG\r\n")
    speaker.close()
    return count
