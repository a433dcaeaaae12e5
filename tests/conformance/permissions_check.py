#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares what users may publish, subscribe to, receive and answer on two servers.

Usage: permissions_check.py --server PATH --reference PATH [--users N] [--seed N]

Makes users with generated permissions (allow and deny, literal and wildcard, queue forms, every way
of writing them, allow_responses, default_permissions), and lets each of them try the same on both
servers. Every answer is compared byte for byte. Ends with `N passed, N failed` answers.
"""
import argparse
import json
import pathlib
import random
import socket
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "differential"))
from servers import server_process  # noqa: E402

TOKENS = ["a", "b", "c"]
QUEUES = ["q", "q.1", "q.2", "r"]
QUEUE_PATTERNS = QUEUES + ["q.*", "q.>", "*", ">"]
# A wildcard and an empty token are ordinary bytes to a publish that is not pedantic.
ODD_SUBJECTS = ["a.*", "b.>", "*", ">", "a..b", "c."]
PATIENCE_SECONDS = 10
DIFFERENCES_SHOWN_MAX = 10


def subject(chance, wildcards):
    """One to three tokens; with wildcards when they are wanted."""
    tokens = []
    for _ in range(chance.randint(1, 3)):
        token = chance.choice(TOKENS + (["*", "*", ">"] if wildcards else []))
        tokens.append(token)
        if token == ">":
            break
    return ".".join(tokens)


def entries(chance, queues):
    """What stands in one list of a permission."""
    found = []
    for _ in range(chance.randint(1, 4)):
        entry = subject(chance, chance.random() < 0.6)
        if queues and chance.random() < 0.4:
            entry += chance.choice([" ", "  "]) + chance.choice(QUEUE_PATTERNS)
        found.append(entry)
    return found


def rule(chance, queues):
    """One of the ways to write `publish` or `subscribe`; None: nothing is written."""
    form = chance.choice(["none", "one", "list", "allow", "deny", "both", "both", "empty"])
    if form == "none":
        return None
    if form == "one":
        return entries(chance, queues)[0]
    if form == "list":
        return entries(chance, queues)
    written = {}
    if form in ("allow", "both"):
        written["allow"] = entries(chance, queues)
    if form in ("deny", "both"):
        written["deny"] = entries(chance, queues)
    return written or {"allow": [], "deny": []}


def permissions(chance):
    """The permissions of one user; None: those of default_permissions."""
    if chance.random() < 0.03:
        return None
    written = {"publish": rule(chance, False), "subscribe": rule(chance, True)}
    if chance.random() < 0.3:
        written["allow_responses"] = chance.choice([True, False, {"max": 2}, {"max": -1}])
    return {key: value for key, value in written.items() if value is not None}


def configuration(users, default):
    """The configuration file: a user that may do everything, and the generated ones."""
    listed = [{"user": "all", "password": "p", "permissions": {"publish": ">", "subscribe": ">"}}]
    for number, written in enumerate(users):
        user = {"user": f"u{number}", "password": "p"}
        if written is not None:
            user["permissions"] = written
        listed.append(user)
    return "authorization: " + json.dumps({"users": listed, "default_permissions": default}) + "\n"


class connection:
    """A client by raw socket: what is sent is served before `ask` comes back."""

    def __init__(self, port, user):
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS)
        options = {"verbose": False, "pedantic": False, "user": user, "pass": "p"}
        self.ask("CONNECT " + json.dumps(options))

    def ask(self, *operations):
        """Sends the operations; what the server sent meanwhile, without INFO."""
        self.socket.sendall("".join(o + "\r\n" for o in (*operations, "PING")).encode())
        received = b""
        while not received.endswith(b"PONG\r\n"):
            part = self.socket.recv(1 << 16)
            if not part:
                return received.decode() + "<closed>"
            received += part
        lines = received.decode().split("\r\n")[:-2]
        return "\n".join(line for line in lines if not line.startswith("INFO "))

    def close(self):
        self.socket.close()


def attempts(chance):
    """What every user tries: subscriptions, with the subjects published to them, and publishes."""
    subscriptions = []
    for _ in range(20):
        queue = chance.choice(["", *QUEUES, "q.*", "q.>"])
        subscriptions.append(f"{subject(chance, True)} {queue}".strip())
    literals = sorted({subject(chance, False) for _ in range(12)})
    return subscriptions, literals + ODD_SUBJECTS


def answers(port, user, subscriptions, subjects):
    """Every answer to one user, as (what was tried, what came)."""
    everybody, tried = connection(port, "all"), connection(port, user)
    found = []
    publishes = [f"PUB {published} 1\r\nx" for published in subjects]
    for subscription in subscriptions:
        found.append((f"SUB {subscription}", tried.ask(f"SUB {subscription} 1")))
        everybody.ask(*publishes)
        found.append((f"receive on {subscription}", tried.ask("UNSUB 1")))
    for publish in publishes:
        found.append((publish.split("\r")[0], tried.ask(publish)))

    # Answers: to a request that came, more often than it may, and to one that never came.
    for requested in ("a", "b.c"):
        tried.ask(f"SUB {requested} 1")
        everybody.ask(f"PUB {requested} answer.{requested} 1\r\nx")
        for reply in [f"answer.{requested}"] * 3 + ["answer.none"]:
            found.append((f"answer {reply}", tried.ask(f"PUB {reply} 1\r\nx")))
        tried.ask("UNSUB 1")
    everybody.close()
    tried.close()
    return found


def observe(program, text, count, plan):
    """The answers to all users on one server."""
    with server_process(program, text) as server:
        return [answers(server.port, f"u{number}", *plan) for number in range(count)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--server", required=True, help="the program under test")
    parser.add_argument("--reference", required=True, help="the nats-server to agree with")
    parser.add_argument("--users", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()

    chance = random.Random(arguments.seed)
    users = [permissions(chance) for _ in range(arguments.users)]
    text = configuration(users, {"publish": ["a.>"], "subscribe": {"deny": ["b.*"]}})
    plan = attempts(chance)
    seen = observe(arguments.server, text, len(users), plan)
    wanted = observe(arguments.reference, text, len(users), plan)

    passed = failed = 0
    for written, got, expected in zip(users, seen, wanted):
        for (attempt, answer), (_, right) in zip(got, expected):
            if answer == right:
                passed += 1
                continue
            failed += 1
            if failed <= DIFFERENCES_SHOWN_MAX:
                print(f"FAILED {attempt}, with {json.dumps(written)}\n"
                      f"  server:    {answer!r}\n  reference: {right!r}")
    print(f"seed {arguments.seed}: {passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
