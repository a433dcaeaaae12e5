#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The official clients, and Pipit's, sign in by every method; who may not come in stays outside.

Usage: sign_in_check.py --server PATH --reference PATH --pipit PATH [--build FOLDER] [--only WORD]

Against `pipit-server` and `nats-server`; ends with `N passed, N failed`.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "differential"), str(HERE.parent / "end_to_end")]
from certificates import authority  # noqa: E402
from nkeys import account_jwt, creds, key, operator_jwt, user_jwt  # noqa: E402
from profiles import BCRYPT  # noqa: E402
from servers import find_program, server_process  # noqa: E402

ISSUER, STRANGER = authority(), authority("Stranger")
SERVER, OWN, OTHERS = ISSUER.issue(), ISSUER.issue("/CN=me"), STRANGER.issue("/CN=me")
TRUST = {"ca": ISSUER.file}
SHOWN = {"cert": OWN[0], "key": OWN[1]}
WEB = 'websocket { listen: "127.0.0.1:-1", %s }\n'
FOLDER = tempfile.TemporaryDirectory(prefix="pipit_sign_in_")


def tls(more=""):
    return f'tls {{ cert_file: "{SERVER[0]}", key_file: "{SERVER[1]}", ca_file: "{ISSUER.file}"\n{more} }}\n'


def seed_file(of):
    path = pathlib.Path(FOLDER.name) / f"{of.public}.nk"
    path.write_text(of.seed, encoding="ascii")
    return str(path)


class operated:
    """An operator's account, and files for its users."""

    def __init__(self):
        self.account, operator = key("A"), key("O")
        self.user, self.number = key("U"), 0
        account = account_jwt(operator, self.account)
        self.config = (f"operator: {operator_jwt(operator)}\nresolver: MEMORY\n"
                       f"resolver_preload {{ {self.account.public}: {account} }}\n")

    def file(self, account=None, signed_by=None, **claims):
        self.number += 1
        path = pathlib.Path(FOLDER.name) / f"{self.number}.creds"
        path.write_text(creds(user_jwt(account or self.account, self.user, **claims),
                              signed_by or self.user), encoding="ascii")
        return str(path)


OPERATED = operated()
NKEY = key("U")
USERS = f"""authorization {{ users: [
  {{ user: plain, password: secret }}, {{ user: hashed, password: "{BCRYPT}" }},
  {{ nkey: {NKEY.public} }} ] }}
"""
NAMED = 'authorization { users: [ { user: "CN=me" } ] }\n'
GOOD = OPERATED.file()
OWN_SEED, ANOTHER_SEED = seed_file(NKEY), seed_file(key("U"))
EXPIRED = OPERATED.file(more={"exp": int(time.time()) - 10})

# Of each method: the configuration, the scheme of the URL, who comes in, and who does not.
METHODS = {
    "nobody": ("", "nats", [{}], []),
    "a token": ("authorization { token: secret }\n", "nats", [{"token": "secret"}],
                [{"token": "wrong"}, {}]),
    "a token that is hashed": (f'authorization {{ token: "{BCRYPT}" }}\n', "nats",
                               [{"token": "secret"}], [{"token": "wrong"}]),
    "a password": (USERS, "nats",
                   [{"user": "plain", "password": "secret"}, {"user": "hashed", "password": "secret"}],
                   [{"user": "plain", "password": "wrong"}, {"user": "hashed", "password": "wrong"}, {}]),
    "a name and password in the URL": (USERS, "nats://plain:secret", [{}], []),
    "an nkey": (USERS, "nats", [{"seed": OWN_SEED}], [{"seed": ANOTHER_SEED}]),
    "a JWT": (OPERATED.config, "nats", [{"creds": GOOD}],
              [{"creds": EXPIRED}, {"creds": OPERATED.file(key("A"))},
               {"creds": OPERATED.file(signed_by=key("U"))}, {}]),
    "TLS": (tls(), "tls", [TRUST], [{"ca": STRANGER.file}]),
    "a certificate": (tls("verify: true"), "tls", [TRUST | SHOWN],
                      [TRUST, TRUST | {"cert": OTHERS[0], "key": OTHERS[1]}]),
    "a certificate that says who": (tls("verify_and_map: true") + NAMED, "tls", [TRUST | SHOWN],
                                    [TRUST | dict(zip(("cert", "key"), ISSUER.issue("/CN=you")))]),
    "TLS before INFO": (tls("handshake_first: true"), "tls", [TRUST | {"first": True}], [TRUST]),
    "a JWT by TLS": (tls() + OPERATED.config, "tls", [TRUST | {"creds": GOOD}],
                     [TRUST | {"creds": EXPIRED}, {"ca": STRANGER.file, "creds": GOOD}]),
    "a password by WebSocket": (USERS + WEB % "no_tls: true", "ws",
                                [{"user": "plain", "password": "secret"}],
                                [{"user": "plain", "password": "wrong"}]),
    "an nkey by WebSocket": (USERS + WEB % "no_tls: true", "ws", [{"seed": OWN_SEED}],
                             [{"seed": ANOTHER_SEED}]),
    "a JWT by WebSocket with TLS": (OPERATED.config + WEB % tls(), "wss", [TRUST | {"creds": GOOD}],
                                    [TRUST | {"creds": EXPIRED}, {"ca": STRANGER.file, "creds": GOOD}]),
}
# The client of node takes no name from a URL.
NOT_JS = ("a name and password in the URL",)
# The clients of node and Python are played with WebSocket by tests/websocket, or have none.
WEB_CLIENTS = ("go", "pipit")


def url_of(server, scheme):
    scheme, _, who = scheme.partition("://")
    kind = "websocket" if scheme in ("ws", "wss") else "nats"
    return f"{scheme}://{who + '@' if who else ''}localhost:{server.ports[kind][0].rsplit(':', 1)[1]}"


def by_pipit(program, attempt):
    flags = {"user": "--user", "password": "--password", "token": "--token", "creds": "--creds",
             "seed": "--nkey", "ca": "--tlsca", "cert": "--tlscert", "key": "--tlskey"}
    command = [program, "pub", "probe", "x", "--server", attempt["url"], "--no-context"]
    for name, flag in flags.items():
        if name in attempt:
            command += [flag, attempt[name]]
    if attempt.get("first"):
        command.append("--tlsfirst")
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    return "in" if done.returncode == 0 else "out: " + done.stderr.strip()


def outcomes(client, attempts, arguments):
    """A line for each of the attempts."""
    if client == "pipit":
        return [by_pipit(arguments.pipit, each) for each in attempts]
    build, text = arguments.build, json.dumps(attempts)
    command = {
        "js": ["node", HERE / "drivers/js/sign_in.mjs", build / "js", text],
        "py": [sys.executable, HERE / "drivers/py/sign_in.py", build / "py", text],
        "go": [build / "go_driver", "sign-in", text],
    }[client]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=90,
                          check=False)
    lines = done.stdout.splitlines()
    return lines if len(lines) == len(attempts) else [f"ended: {done.stderr[-500:]}"] * len(attempts)


def check(method, side, program, arguments):
    """The complaints, and how many attempts there were."""
    config, scheme, insiders, outsiders = METHODS[method]
    complaints, count = [], 0
    server = server_process(program, config)
    try:
        place = url_of(server, scheme)
        clients = WEB_CLIENTS if place.startswith("ws") else ("js", "py", "go", "pipit")
        clients = [each for each in clients if each != "js" or method not in NOT_JS]
        attempts = [{"url": place, **each} for each in insiders + outsiders]
        for client in clients:
            for number, said in enumerate(outcomes(client, attempts, arguments)):
                count += 1
                wanted = "in" if number < len(insiders) else "out: "
                if not said.startswith(wanted) or (wanted == "in" and said != "in"):
                    complaints.append(f"{method}: {client} against {side}, attempt {number}: {said}")
    finally:
        server.stop()
    return complaints, count


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--server", required=True, type=find_program)
    parser.add_argument("--reference", required=True, type=find_program)
    parser.add_argument("--pipit", required=True, type=os.path.abspath)
    parser.add_argument("--build", default=HERE.parent.parent / "build" / "conformance",
                        type=pathlib.Path, help="the folder that setup.sh has filled")
    parser.add_argument("--only", default="", help="a part of a method's name")
    arguments = parser.parse_args()
    sides = {"pipit-server": arguments.server, "nats-server": arguments.reference}
    with concurrent.futures.ThreadPoolExecutor(max_workers=3) as pool:
        jobs = [pool.submit(check, method, side, program, arguments)
                for method in METHODS if arguments.only in method for side, program in sides.items()]
        results = [job.result() for job in jobs]
    complaints = [each for found, _ in results for each in found]
    print("\n".join(complaints))
    count = sum(number for _, number in results)
    print(f"{count - len(complaints)} passed, {len(complaints)} failed")
    return 0 if count and not complaints else 1


if __name__ == "__main__":
    sys.exit(main())
