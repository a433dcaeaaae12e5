#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares what accounts get of each other on two servers, decision by decision.

Usage: imports_check.py --server PATH --reference PATH [--worlds N] [--seed N]

Makes accounts with generated exports and imports (literal and wildcard, public and private, token
positions, prefixes and renamings, chains, cycles) and users with generated permissions. A world
that one server refuses has to be refused by the other; in one that both take, every user tries the
same on both: subscriptions plain and in queues, requests, answers, and what must not be possible
from outside. Ends with `N passed, N failed` decisions.
"""
import argparse
import json
import pathlib
import random
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "differential"))
from permissions_check import connection, rule  # noqa: E402
from servers import server_process  # noqa: E402

ACCOUNTS = ["A", "B", "C"]
STREAMS = ["a.>", "a.*", "a.b", "b.*.>", "*.c", "a.*.c", "b", ">"]
SERVICES = ["s.>", "s.*", "s.a", "t", "t.*.a", "u.*.*", "*.x"]
QUEUES = ["", "", "q", "r"]
DIFFERENCES_SHOWN_MAX = 10
# Whether nats-server finds a cycle may depend on the order in which it happens to read accounts:
# what it does not always say is not compared.
VERDICTS = 12
# What nobody may do to others, whatever he imports.
ATTACKS = [
    "PUB s.* 1\r\nx", "PUB s.> 1\r\nx", "PUB > 1\r\nx", "PUB t _R_.a.b 1\r\nx",
    "PUB t _R_ 1\r\nx", "PUB _R_.a.b 1\r\nx", "PUB t $JS.ACK.a.b 1\r\nx", "PUB _GR_.a.b 1\r\nx",
    "PUB $GR.a.b 1\r\nx", "PUB $SYS.ACCOUNT.B.CONNECT 1\r\nx", "PUB $SYS.SERVER.x.STATSZ 1\r\nx",
    "PUB $NRG.x 1\r\nx", "SUB $SYS.> 90", "SUB _R_.> 91", "SUB $JS.> 92", "SUB > _sys_ 93",
]


def narrowed(chance, pattern):
    """A pattern within another one, or the same."""
    tokens = []
    for token in pattern.split("."):
        if token == "*" and chance.random() < 0.4:
            token = chance.choice("abcx")
        elif token == ">" and chance.random() < 0.4:
            token = chance.choice(["a", "*", "b.>"])
        tokens.append(token)
    return ".".join(tokens)


def renamed(chance, pattern):
    """Another name for it, with its wildcards in some order and way of writing; perhaps wrong."""
    count = pattern.split(".").count("*")
    order = list(range(1, count + 1))
    if chance.random() < 0.1 and order:
        order.pop()
    if len(order) == 2 and chance.random() < 0.5:
        order.reverse()
    tokens = [chance.choice(["n", "m"])]
    # `*` stands for the next one: it may be written where the order is the usual one.
    plain = order == sorted(order)
    for number in order:
        ways = [f"${number}", "{{wildcard(" + str(number) + ")}}"] + (["*"] if plain else [])
        tokens.append(ways[chance.randrange(len(ways))] if not plain else "*")
    if pattern.endswith(">"):
        tokens.append(">")
    return ".".join(tokens)


def collide(one, other):
    """Whether some subject fits both patterns."""
    first, second = one.split("."), other.split(".")
    for mine, its in zip(first, second):
        if ">" in (mine, its):
            return True
        if "*" not in (mine, its) and mine != its:
            return False
    return len(first) == len(second)


def exports(chance):
    """The exports of one account. Of several that cover one import, nats-server takes any: there
    are none."""
    made = []
    for kind, names in (("stream", STREAMS), ("service", SERVICES)):
        for subject in chance.sample(names, chance.randint(1, 4)):
            if any(collide(subject, one[kind]) for one in made if kind in one):
                continue
            export = {kind: subject}
            if chance.random() < 0.2:
                export["accounts"] = chance.sample(ACCOUNTS, chance.randint(1, 2))
            if kind == "service" and chance.random() < 0.4:
                export["response_type"] = chance.choice(["singleton", "stream", "chunked"])
            if "*" in subject.split(".") and chance.random() < 0.1:
                export["account_token_position"] = subject.split(".").index("*") + 1
            made.append(export)
    return made


def imports(chance, name, by_account):
    """The imports of one account: usually of what is exported, seldom of something else."""
    made = []
    for other in ACCOUNTS:
        if other == name:
            continue
        for export in by_account[other]:
            if chance.random() < 0.5:
                continue
            if name not in export.get("accounts", [name]) and chance.random() < 0.9:
                continue
            kind = "stream" if "stream" in export else "service"
            subject = narrowed(chance, export[kind]) if chance.random() < 0.5 else export[kind]
            if "account_token_position" in export and chance.random() < 0.8:
                tokens = export[kind].split(".")
                tokens[export["account_token_position"] - 1] = chance.choice([name, name, "A"])
                subject = ".".join(tokens)
            if chance.random() < 0.03:
                subject = chance.choice(STREAMS + SERVICES)
            made_one = {kind: {"account": other, "subject": subject}}
            way = chance.choice(["same", "to", "to", "prefix"])
            if way == "to":
                made_one["to"] = renamed(chance, subject)
            elif way == "prefix" and kind == "stream":
                made_one["prefix"] = chance.choice(["p", "p.q", "p.", "p.*"]
                                                   if chance.random() < 0.2 else ["p"])
            if kind == "service" and chance.random() < 0.3:
                made_one["share"] = True
            made.append(made_one)
    return made


def permissions(chance):
    """Rules in the subjects of this world, with answers allowed at times."""
    written = {"publish": rule(chance, False), "subscribe": rule(chance, True)}
    if chance.random() < 0.4:
        written["allow_responses"] = chance.choice([True, {"max": 2}])
    return {key: value for key, value in written.items() if value is not None}


def configuration(chance):
    """One world."""
    by_account = {name: exports(chance) for name in ACCOUNTS}
    accounts = {}
    for name in ACCOUNTS:
        # In most worlds the imports go one way, so that few are cycles.
        wanted = imports(chance, name, by_account)
        if chance.random() < 0.9:
            wanted = [one for one in wanted
                      if list(one.values())[0]["account"] < name]
        accounts[name] = {
            "users": [{"user": f"all{name}", "password": "p"},
                      {"user": f"some{name}", "password": "p", "permissions": permissions(chance)}],
            "exports": by_account[name], "imports": wanted}
    return "accounts: " + json.dumps(accounts, indent=1) + "\n"


def is_taken(program, text):
    """Whether a configuration is, and the reasons if not."""
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
        file.write(text)
        file.flush()
        done = subprocess.run([program, "-t", "-c", file.name], capture_output=True, text=True,
                              check=False)
    return done.returncode == 0, done.stdout + done.stderr


def canonical(text):
    """Without what differs from run to run: reply tokens, round trips and what they make longer."""
    text = re.sub(r"_R_\.\w{6}\.\w{6}", "_R_.", text)
    text = re.sub(r'"rtt":\d+', '"rtt":1', text)
    text = re.sub(r'"(start|server|host)":"[^"]*"', r'"\1":""', text)
    text = re.sub(r'"id":\d+', '"id":1', text)
    return re.sub(r"^(HMSG \S+ \S+(?: \S+)?) \d+ \d+$", r"\1", text, flags=re.MULTILINE)


def lines_of(answer):
    """Order among several subscriptions is not promised."""
    return sorted(canonical(answer).split("\n"))


def subject(chance):
    """What somebody publishes to, so that it often meets an import."""
    return chance.choice(["a.b", "a.c", "a.b.c", "b.a.c", "b.b.b.b", "b", "x.c", "n.a", "n.b.a",
                          "m.a.b", "m", "p.a.b", "p.b", "s.a", "s.x", "t", "t.b.a", "u.a.b", "a.x",
                          "n", "n.a.b.c", "m.x"])


def pattern(chance):
    """What somebody subscribes to."""
    return chance.choice([">", "a.>", "a.*", "a.b", "*.*", "n.>", "m.>", "n.*", "p.>", "p.*.*", "b",
                          "*.b.>", "n.a", "b.*.c", "*.>", "m", "n.*.*", "s.>", "*.c", "p.a.*"])


def plan_of(chance):
    """What everybody tries."""
    return {"subscriptions": [(pattern(chance), chance.choice(QUEUES)) for _ in range(6)],
            "subjects": sorted({subject(chance) for _ in range(14)}),
            "requests": sorted({subject(chance) for _ in range(6)})}


def observe_streams(port, plan, found):
    """Who gets what others publish."""
    for reader_name in (f"{who}{name}" for name in ACCOUNTS for who in ("all", "some")):
        reader = connection(port, reader_name)
        for where, queue in plan["subscriptions"]:
            asked = f"SUB {where} {queue}".strip()
            found.append((f"{reader_name} {asked}", [reader.ask(f"{asked} 1")]))
            for name in ACCOUNTS:
                publisher = connection(port, f"all{name}")
                for published in plan["subjects"]:
                    publisher.ask(f"PUB {published} 1\r\nx")
                publisher.close()
                found.append((f"{reader_name} {asked} hears {name}", lines_of(reader.ask())))
            reader.ask("UNSUB 1")
        reader.close()


def observe_requests(port, plan, found):
    """Who is asked, who may answer, and who gets the answer."""
    responders = {name: connection(port, f"some{name}") for name in ACCOUNTS}
    helpers = {name: connection(port, f"all{name}") for name in ACCOUNTS}
    # A group for each account and subject, so that it is not by chance who is asked.
    for name in ACCOUNTS:
        for responder in (responders[name], helpers[name]):
            responder.ask(*(f"SUB {where} {name}{sid} {sid}" for sid, where in
                            enumerate(["s.>", "t.>", "t", "u.>", "*.x"], 1)))
    for requester_name in (f"{who}{name}" for name in ACCOUNTS for who in ("all", "some")):
        requester = connection(port, requester_name)
        requester.ask("SUB inbox.> 1")
        for asked in plan["requests"]:
            what = f"{requester_name} asks {asked}"
            at_once = requester.ask(f"PUB {asked} inbox.1 1\r\n?")
            requests, replies = [], []
            for name in ACCOUNTS:
                for responder in (responders[name], helpers[name]):
                    got = responder.ask()
                    requests += [f"{name} {line}" for line in canonical(got).split("\n") if line]
                    replies += [(name, reply) for reply in re.findall(r" (_R_\.\S+) ", got)]
            # Of the two members one is chosen by chance: who may do everything answers for both.
            answers = [canonical(helpers[name].ask(
                f"PUB {reply} 1\r\n!", f"PUB {reply} 1\r\n!", f"PUB {reply} 0\r\n",
                f"PUB {reply} 1\r\n!")) for name, reply in replies]
            found.append((what, lines_of(at_once)))
            found.append((what + ": requests", sorted(requests)))
            found.append((what + ": answers", sorted(answers)))
            found.append((what + ": got", lines_of(requester.ask())))
        requester.close()
    for each in (*responders.values(), *helpers.values()):
        each.close()


def observe_answers(port, found):
    """Who was asked may answer as far as his permissions say."""
    for name in ACCOUNTS:
        responder = connection(port, f"some{name}")
        responder.ask("SUB > 1")
        got = []
        for other in ACCOUNTS:
            requester = connection(port, f"all{other}")
            requester.ask("SUB inbox.> 1")
            for asked in ("s.a", "t", "n.a", "m", "m.a"):
                requester.ask(f"PUB {asked} inbox.1 1\r\n?")
                for line in responder.ask().split("\n"):
                    reply = re.search(r"_R_\.\w{6}\.\w{6}", line)
                    if reply and line.startswith("HMSG"):
                        got += [canonical(responder.ask(f"PUB {reply.group()} 1\r\n!"))] * 1
                        got += [canonical(requester.ask())]
            requester.close()
        found.append((f"some{name} answers", got))
        responder.close()


def observe_attacks(port, found):
    """Nobody reaches what is not his."""
    for name in ACCOUNTS:
        watchers = {other: connection(port, f"all{other}") for other in ACCOUNTS}
        for watcher in watchers.values():
            watcher.ask("SUB > 1")
        attacker = connection(port, f"all{name}")
        for attack in ATTACKS:
            found.append((f"{name} {attack!r}", lines_of(attacker.ask(attack))))
            for other, watcher in watchers.items():
                found.append((f"{name} {attack!r} at {other}", lines_of(watcher.ask())))
        attacker.close()
        for watcher in watchers.values():
            watcher.close()


def observe(program, text, plan):
    """Everything that is seen of one world on one server."""
    found = []
    with server_process(program, text) as server:
        observe_streams(server.port, plan, found)
        observe_requests(server.port, plan, found)
        observe_answers(server.port, found)
        observe_attacks(server.port, found)
    return found


class comparison:
    """Counts decisions, and shows the first that differ."""

    def __init__(self):
        self.passed = self.failed = 0

    def judge(self, what, got, expected, text):
        if got == expected:
            self.passed += 1
            return
        self.failed += 1
        if self.failed <= DIFFERENCES_SHOWN_MAX:
            print(f"FAILED {what}\n  server:    {got!r}\n  reference: {expected!r}\n  with {text}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--server", required=True, help="the program under test")
    parser.add_argument("--reference", required=True, help="the nats-server to agree with")
    parser.add_argument("--worlds", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()

    seen = comparison()
    for number in range(arguments.worlds):
        chance = random.Random(f"{arguments.seed}.{number}")
        # A world for each way to be refused, and then one that is taken.
        for _ in range(40):
            text = configuration(chance)
            taken, why = is_taken(arguments.server, text)
            verdicts = [is_taken(arguments.reference, text) for _ in range(VERDICTS)]
            wanted, reason = verdicts[0]
            if any(verdict != wanted for verdict, _ in verdicts):
                taken = False
                continue
            seen.judge(f"world {number} is taken", taken, wanted, text + why + reason)
            if wanted:
                break
        if not (taken and wanted):
            continue
        plan = plan_of(chance)
        got = observe(arguments.server, text, plan)
        expected = observe(arguments.reference, text, plan)
        for (what, one), (_, other) in zip(got, expected):
            seen.judge(f"world {number}: {what}", one, other, text)
    print(f"seed {arguments.seed}: {seen.passed} passed, {seen.failed} failed")
    return 1 if seen.failed or not seen.passed else 0


if __name__ == "__main__":
    sys.exit(main())
