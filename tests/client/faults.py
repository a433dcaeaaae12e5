#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Disturbs servers, networks and Pipit's client itself in the middle of its work.

Usage: faults.py --server PATH --reference PATH --cpp-driver PATH [--only WORD]

Whatever happens, subscriptions go on and nothing waits longer than it said. Both faces of the
client, against `pipit-server` and `nats-server`. The steps are those of tests/conformance, played by
its driver; ends with `N passed, N failed`.
"""

import argparse
import concurrent.futures
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS / "conformance"), str(TESTS / "end_to_end")]
import nkeys  # noqa: E402
from harness import canonical, control  # noqa: E402
from harness.server import controlled_server  # noqa: E402
from harness.session import driver_session, server_lease  # noqa: E402

FACES = ("cpp", "cpp_blocking")
DRIVER_SECONDS = 60
LISTEN = 'listen: "127.0.0.1:-1"\nhttp: "127.0.0.1:-1"\n'
LAME_DUCK = 'lame_duck_duration: "30s"\nlame_duck_grace_period: "1s"\n'

USER = LISTEN + "authorization { user: joe, password: one }\n"
USER_CHANGED = USER.replace("one", "two")

# A step, and the line that shows it (a pattern); without one it shows nothing.
CONNECT = {"reconnect": True, "ping_interval_ms": 300, "ping_max": 2}
LIVES = [
    (["ended", "s"], "s is open"),
    (["ended", "r"], "r is open"),
    (["count", "s"], r"s got \d+"),  # What was under way when it was disturbed.
    (["publish", "a", "numbers.#", "#", {"times": 100}], None),
    (["order", "s"], "s got 100 in order"),
    (["count", "s"], "s got 100"),
    (["request", "a", "ask", "x"], 'a request ask: _INBOX "x"'),
    (["request_parallel", "a", "ask", 300], "a got 300 of 300 answers"),
]
LEFT = [(["wait_event", "a", "disconnect"], "a saw disconnect")]
BACK = [(["wait_event", "a", "reconnect"], "a saw reconnect"), (["wait_client"], None)]
DRAINS = [(["drain", "a"], "a drained")]


def begins(via="server", **options):
    return [
        (["connect", "a", CONNECT | {"via": via} | options], None),
        (["subscribe", "a", "s", "numbers.*"], None),
        (["subscribe", "a", "r", "ask", {"reply": "="}], None),
    ] + LIVES


def silent(*verbs):
    return [([verb] if isinstance(verb, str) else verb, None) for verb in verbs]


TRAFFIC = silent(["publish", "a", "numbers.#", "#", {"times": 20000}])
BUSY = [(["request_parallel", "a", "ask", 2000], r"a got \d+ of 2000 answers")]



class credentials:
    """An operator's account, and a user of it whose JWT is in a file."""

    def __init__(self, folder):
        self.file = folder / "me.creds"
        self.account, self.user = nkeys.key("A"), nkeys.key("U")
        operator = nkeys.key("O")
        account = nkeys.account_jwt(operator, self.account)
        self.config = (LISTEN + f"operator: {nkeys.operator_jwt(operator)}\nresolver: MEMORY\n"
                       f"resolver_preload {{ {self.account.public}: {account} }}\n")
        self.last(4)

    def last(self, seconds):
        """Writes a JWT that is good for so long."""
        token = nkeys.user_jwt(self.account, self.user, more={"exp": int(time.time()) + seconds})
        self.file.write_text(nkeys.creds(token, self.user))


# What is disturbed: steps, and beside them `config`, `servers` (how many), `cluster` (they know one
# another: with nats-server alone, as long as Pipit has no routes), `hosts` (another /etc/hosts),
# `credentials` (an operator's user, whose file is CREDS).
FAULTS = {
    "a server restarts": {
        "steps": begins() + TRAFFIC + silent("restart") + LEFT + BACK + LIVES + DRAINS},
    "a server is killed behind what was published": {
        "steps": begins() + TRAFFIC + silent("kill", "start") + LEFT + BACK + LIVES + DRAINS},
    "a server is killed while thousands of requests wait": {
        "steps": begins() + silent("suspend", ["kill_soon", 0.3]) + BUSY + LEFT + BACK + LIVES + DRAINS},
    "a server is killed again and again": {
        "steps": begins() + (silent("kill", "start", "wait_client") + LIVES) * 3 + DRAINS},
    "a server is stopped and continued": {
        "steps": begins() + silent("suspend") + LEFT + silent("continue") + BACK + LIVES + DRAINS},
    "a server is stopped while requests wait": {
        "steps": begins() + silent("suspend") + BUSY + LEFT + silent("continue") + BACK + LIVES
                 + DRAINS},
    "a network vanishes without a FIN": {
        "steps": silent(["relay", "wire"]) + begins("wire")
                 + silent(["freeze", "wire", "up"], ["freeze", "wire", "down"]) + LEFT
                 + silent(["thaw", "wire", "up"], ["thaw", "wire", "down"]) + BACK + LIVES + DRAINS},
    "the client is stopped and continued": {
        "steps": begins() + TRAFFIC + silent(["suspend_client", 3]) + silent("wait_client")
                 + LIVES + DRAINS},
    "the client is stopped until the server gives it up": {
        "config": LISTEN + 'ping_interval: "300ms"\nping_max: 1\n',
        "steps": begins() + silent(["suspend_client", 3]) + LEFT + BACK + LIVES + DRAINS},
    "the client is stopped while the server restarts": {
        "steps": begins() + silent(["suspend_client", 2, "restart"]) + LEFT + BACK + LIVES + DRAINS},
    "credentials expire, and there are new ones": {
        "credentials": True,
        "steps": begins(creds="CREDS") + silent(["renew", 3600]) + LEFT + BACK + LIVES + DRAINS},
    "credentials expire": {
        "credentials": True,
        "steps": begins(creds="CREDS") + LEFT
                 + [(["closed", "a"], "a closed: .*Authentication Expired.*|a closed: .*Authorization "
                                      "Violation.*"), (["ended", "s"], "s is closed")]},
    # What ends a connection beside its user: refused twice in a row by all servers.
    "the password is another one": {
        "config": USER,
        "steps": begins(user="joe", **{"pass": "one"}) + silent(["configure", USER_CHANGED]) + LEFT
                 + [(["closed", "a"], "a closed: .*Authorization Violation.*"),
                    (["ended", "s"], "s is closed")]},
    "one server of a pool after another fails": {
        "servers": 3,
        "steps": begins("all") + silent("kill_connected", "wait_client") + LIVES
                 + silent("suspend_connected", "wait_client") + LIVES + DRAINS},
    "a server becomes a lame duck": {
        "config": LISTEN + LAME_DUCK,
        "steps": begins() + silent("lame_duck") + [(["wait_event", "a", "ldm"], "a saw ldm")]
                 + [(["exit"], r"server exits with \d+")] + silent("start") + LEFT + BACK + LIVES + DRAINS},
    "one of two servers becomes a lame duck, and nothing is lost": {
        "servers": 2,
        "config": LISTEN + LAME_DUCK.replace('"1s"', '"10s"'),
        "steps": begins("all") + silent("duck_connected") + [(["wait_event", "a", "ldm"], "a saw ldm")]
                 + [(step, "a got 2000 of 2000 answers") for step, _ in BUSY] * 3 + LIVES
                 + LEFT + BACK + LIVES + DRAINS},
    "the servers of a cluster die one by one": {
        "servers": 3, "cluster": True,
        "steps": begins() + silent("kill_connected", "wait_client") + LIVES
                 + silent("kill_connected", "wait_client") + LIVES + DRAINS},
    "a cluster grows, and its first server dies": {
        "servers": 1, "cluster": True,
        "steps": begins() + silent("grow", ["pause", 300], "kill_connected", "wait_client") + LIVES
                 + DRAINS},
    "a server of a cluster becomes a lame duck": {
        "servers": 3, "cluster": True,
        "steps": begins() + silent("duck_connected") + [(["wait_event", "a", "ldm"], "a saw ldm")]
                 + LEFT + BACK + LIVES + DRAINS},
    "IPv6": {
        "config": LISTEN.replace("127.0.0.1", "[::1]", 1),
        "steps": begins() + silent("kill", "start") + LEFT + BACK + LIVES + DRAINS},
    "the last of a name's addresses": {
        "hosts": ["127.0.0.1 localhost", "::1 many.test", "127.0.0.3 many.test", "127.0.0.1 many.test"],
        "steps": begins("many") + silent("kill", "start") + LEFT + BACK + LIVES + DRAINS},
}


class text_server(controlled_server):
    """One whose configuration is text."""

    def configure(self, config):
        (self.folder / "server.conf").write_text(config)


class fault_session(driver_session):
    """The runner of one fault: beside what a behaviour may ask for, it disturbs."""

    def __init__(self, program, fault):
        super().__init__(program, [fault], 1)
        self.pool = []
        self.suspended = []
        self.driver = None
        self.credentials = None
        self.is_cluster = bool(fault.get("cluster"))

    def _start(self, fault):
        config = fault.get("config", LISTEN)
        if self.is_cluster:
            routes = ", ".join(f'"{known.ports["cluster"][0]}"' for known in self.pool)
            config += LAME_DUCK
            config += f'cluster {{ name: c, listen: "127.0.0.1:-1", routes: [{routes}] }}\n'
        self.pool.append(text_server(self.program, config))

    def _lease(self, behaviour):
        for _ in range(behaviour.get("servers", 1)):
            self._start(behaviour)
        first = self.pool[0]
        self.leases["only"] = server_lease(first, True)
        many = f"nats://many.test:{first.url.rsplit(':', 1)[1]}"
        everyone = ",".join(one.url for one in self.pool)
        return {"lease": "only", "urls": {"server": first.url, "all": everyone, "many": many}}

    def _release(self, token, lease):
        for relay in lease.relays.values():
            relay.close()
        return {}

    def close(self):
        for one in self.pool:
            one.remove()

    def _connected(self):
        """The server that has the client with its subscriptions, if one has."""
        for one in self.pool:
            if one.process.poll() is not None or one in self.suspended:
                continue
            try:
                found = json.loads(one.get("/connz").body)["connections"]
            except (OSError, http.client.HTTPException):
                continue  # It is about to end, or has just been started.
            if any(each.get("name") == "a" and each["subscriptions"] >= 2 for each in found):
                return one
        return None

    def do_wait_client(self, _lease, _request):
        if not self._repeat(lambda: self._connected() is not None):
            return {"lines": ["missing: the client on any server"]}
        return {}

    def _cluster_is_whole(self):
        """Each server has told its clients of all that live: before, nobody knows where to go."""
        living = [one for one in self.pool if one.process.poll() is None]
        return all(len(json.loads(one.get("/varz").body).get("connect_urls", [])) >= len(living)
                   for one in living)

    def do_kill_connected(self, _lease, _request):
        if self.is_cluster and not self._repeat(self._cluster_is_whole):
            return {"lines": ["missing: a cluster"]}
        victim = self._connected()
        victim.process.kill()
        victim.wait()
        return {}

    def do_kill_soon(self, lease, _request, seconds):
        def kill():
            time.sleep(seconds)
            lease.server.process.kill()
            lease.server.wait()
            lease.server.start()
        threading.Thread(target=kill).start()
        return {}

    def do_suspend_connected(self, _lease, _request):
        self.suspended.append(self._connected())
        self.suspended[-1].process.send_signal(signal.SIGSTOP)
        return {}

    def do_duck_connected(self, _lease, _request):
        self._connected().lame_duck()
        return {}

    def do_suspend(self, lease, _request):
        lease.server.process.send_signal(signal.SIGSTOP)
        return {}

    def do_continue(self, lease, _request):
        lease.server.process.send_signal(signal.SIGCONT)
        return {}

    def do_configure(self, lease, _request, config):
        return {} if lease.server.reload(config) else {"lines": ["missing: a reload"]}

    def do_renew(self, _lease, _request, seconds):
        self.credentials.last(seconds)
        return {}

    def do_grow(self, _lease, _request):
        self._start(next(iter(self.behaviours.values())))
        return {}

    def do_suspend_client(self, lease, _request, seconds, meanwhile=None):
        os.kill(self.driver.pid, signal.SIGSTOP)
        time.sleep(seconds)
        if meanwhile == "restart":
            self.do_restart(lease, None)
        os.kill(self.driver.pid, signal.SIGCONT)
        return {}


def observe(program, driver, face, fault):
    """The lines of one play, or why there are none."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="faults-"))
    material = None
    if fault.get("credentials"):
        material = credentials(folder)
        steps = json.loads(json.dumps(fault["steps"]).replace("CREDS", str(material.file)))
        fault = fault | {"config": material.config, "steps": steps}
    session = fault_session(program, fault)
    session.credentials = material
    listener = control.serve(session)
    command = [driver, face, listener.url]
    if "hosts" in fault:
        hosts = folder / "hosts"
        hosts.write_text("\n".join(fault["hosts"]) + "\n")
        mount = f'mount --bind {hosts} /etc/hosts && exec "$@"'
        command = ["unshare", "-rm", "sh", "-c", mount, "sh"] + command
    try:
        session.driver = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        output, _ = session.driver.communicate(timeout=DRIVER_SECONDS)
        lines = [canonical.scrub(line) for line in json.loads(output)["outcome"]]
        # Nothing but a sanitizer ends a driver that has told all with another one.
        code = session.driver.returncode
        return lines if code == 0 else [*lines, f"the driver ended with {code}"]
    except subprocess.TimeoutExpired:
        return [f"missing: the end, within {DRIVER_SECONDS} s"]
    except ValueError:
        return [f"missing: an outcome; the driver ended with {session.driver.returncode}"]
    finally:
        if session.driver.poll() is None:
            session.driver.kill()
            session.driver.wait()
        listener.shutdown()
        session.close()
        shutil.rmtree(folder, ignore_errors=True)


def passes(side, program, driver, face, name):
    fault = {"id": name, "exclusive": True, **FAULTS[name]}
    wanted = [line for _, line in fault["steps"] if line is not None]
    seen = observe(program, driver, face, fault | {"steps": [step for step, _ in fault["steps"]]})
    right = len(seen) == len(wanted) and all(map(re.fullmatch, wanted, seen))
    if not right:
        text = [f"FAILED {name} ({face}, {side}), of {len(wanted)} lines:", *seen]
        print("\n    ".join(text), flush=True)
    return right


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--server", required=True, type=pathlib.Path)
    parser.add_argument("--reference", required=True, type=pathlib.Path)
    parser.add_argument("--cpp-driver", required=True, help="conformance_driver_cpp")
    parser.add_argument("--only", default="", help="a part of a fault's name")
    arguments = parser.parse_args()
    sides = {"pipit-server": arguments.server.absolute(), "nats-server": arguments.reference.absolute()}
    began = time.monotonic()
    possible = dict(FAULTS)
    if subprocess.run(["unshare", "-rm", "true"], capture_output=True, check=False).returncode != 0:
        possible = {name: fault for name, fault in FAULTS.items() if "hosts" not in fault}
        print("without user namespaces: nobody is given an /etc/hosts of his own")
    with concurrent.futures.ThreadPoolExecutor(max_workers=4) as pool:
        jobs = [pool.submit(passes, side, program, arguments.cpp_driver, face, name)
                for name, fault in possible.items() if arguments.only in name
                for face in FACES
                for side, program in sides.items()
                if side == "nats-server" or not fault.get("cluster")]
        outcomes = [job.result() for job in jobs]
    print(f"{time.monotonic() - began:.0f} s")
    print(f"{outcomes.count(True)} passed, {outcomes.count(False)} failed")
    return 0 if outcomes and all(outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
