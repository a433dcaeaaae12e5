# SPDX-License-Identifier: Apache-2.0
"""What a driver asks of the runner: servers to talk to, relays, reloads, monitoring documents."""

import json
import socket
import threading
import time

from . import canonical
from .relay import tcp_relay
from .server import controlled_server

PATIENCE_SECONDS = 8


class server_lease:
    """One behaviour's hold on a server and on the relays it opened."""

    def __init__(self, server, exclusive):
        self.server = server
        self.exclusive = exclusive
        self.relays = {}


class driver_session:
    """One driver against one server program. Behaviours share a server unless they disturb it."""

    def __init__(self, program, behaviours, workers):
        self.program = program
        self.behaviours = {behaviour["id"]: behaviour for behaviour in behaviours}
        self.workers = workers
        self.lock = threading.Lock()
        self.servers = {}
        self.leases = {}

    def plan(self):
        lanes = {}
        for behaviour in self.behaviours.values():
            alone = behaviour.get("exclusive")
            key = behaviour["id"] if alone else behaviour["config"] + behaviour.get("lane", "")
            lanes.setdefault(key, []).append({"id": behaviour["id"], "steps": behaviour["steps"]})
        # What waits long begins first.
        order = sorted(lanes.items(), key=lambda lane: lane[0] not in self.behaviours)
        return {"lanes": [lane for _, lane in order], "workers": self.workers}

    def handle(self, request):
        verb = request["op"]
        if verb == "lease":
            return self._lease(self.behaviours[request["id"]])
        lease = self.leases[request["lease"]]
        if verb == "release":
            return self._release(request["lease"], lease)
        return getattr(self, f"do_{verb}")(lease, request, *request["args"])

    def _lease(self, behaviour):
        exclusive = behaviour.get("exclusive", False)
        config = behaviour["config"]
        if exclusive:
            server = controlled_server(self.program, config)
        else:
            key = config + behaviour.get("lane", "")
            with self.lock:  # A lane is played one after another: nobody else waits here for long.
                if key not in self.servers:
                    self.servers[key] = controlled_server(self.program, config)
                server = self.servers[key]
        token = behaviour["id"]
        self.leases[token] = server_lease(server, exclusive)
        return {"lease": token, "urls": {"server": server.url}}

    def _release(self, token, lease):
        for relay in lease.relays.values():
            relay.close()
        if lease.exclusive:
            lease.server.stop()
            lease.server.remove()
        del self.leases[token]
        return {}

    def close(self):
        for lease in list(self.leases.values()):
            lease.server.remove()
        for server in self.servers.values():
            server.stop()
            server.remove()

    def do_relay(self, lease, _request, name, options=None):
        relay = tcp_relay(lease.server.url, **(options or {}))
        lease.relays[name] = relay
        return {"urls": {name: relay.url}}

    def do_freeze(self, lease, _request, name, direction):
        lease.relays[name].freeze(direction)
        return {}

    def do_thaw(self, lease, _request, name, direction):
        lease.relays[name].thaw(direction)
        return {}

    def do_cut(self, lease, _request, name):
        lease.relays[name].cut()
        return {}

    def do_inject(self, lease, _request, name, text):
        lease.relays[name].inject(text)
        return {}

    def do_wire(self, lease, _request, name, wanted=None):
        lines = lease.relays[name].operations()
        return {"lines": [f"{name} wire: {line}" for line in lines
                          if wanted is None or line.split(" ")[0] in wanted]}

    def do_restart(self, lease, _request):
        lease.server.stop()
        lease.server.start()
        return {}

    def do_stop(self, lease, _request):
        return {"lines": [f"server exits with {lease.server.stop()}"]}

    def do_kill(self, lease, _request):
        lease.server.process.kill()
        lease.server.wait()
        return {}

    def do_start(self, lease, _request):
        lease.server.start()
        return {}

    def do_lame_duck(self, lease, _request):
        lease.server.lame_duck()
        return {}

    def do_exit(self, lease, _request):
        return {"lines": [f"server exits with {lease.server.wait()}"]}

    def do_reload(self, lease, _request, config):
        taken = lease.server.reload(config)
        return {"lines": [f"reload of {config}: {'taken' if taken else 'refused'}"]}

    def do_ports(self, lease, _request):
        return {"lines": [f"ports file names {name}: {canonical.scrub(' '.join(urls))}"
                          for name, urls in sorted(lease.server.ports.items())]}

    def do_gone(self, lease, request, name):
        return {"gone": self._is_gone(lease, request["cids"][name])}

    def do_refused(self, lease, _request):
        host, port = lease.server.url.removeprefix("nats://").rsplit(":", 1)
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            try:
                socket.create_connection((host, int(port)), 5).close()
            except OSError as error:
                return {"lines": [f"a new connection: {type(error).__name__}"]}
            time.sleep(0.05)
        return {"lines": ["missing: a new connection is still accepted"]}

    @staticmethod
    def _is_gone(lease, cid):
        _, _, body = lease.server.get(f"/connz?cid={cid}")
        return not json.loads(body)["connections"]

    def do_wait_gone(self, lease, request, name):
        """Waits until the server has noticed the end of a connection."""
        if not self._repeat(lambda: self._is_gone(lease, request["cids"][name])):
            return {"lines": [f"{name} missing: its end"]}
        return {}

    @staticmethod
    def _repeat(condition):
        end = time.monotonic() + PATIENCE_SECONDS
        while not (met := condition()) and time.monotonic() < end:
            time.sleep(0.02)
        return met

    def do_http(self, lease, request, path, options=None):
        """Asks for a monitoring document and notes what `options` name of it.

        wait [path, value]: asks again until the value stands there; shape: names and types of all
        fields but those that begin like one in ignore; text: the body; header: a header of the
        answer; pick, pick_sorted, pick_last, positive [paths]: values.
        """
        options = options or {}
        cids = {f"{{cid:{name}}}": cid for name, cid in request["cids"].items()}
        shown = path
        for name, cid in cids.items():
            path = path.replace(name, str(cid))
        answer = lease.server.get(path)
        if "wait" in options:
            where, wanted = options["wait"]
            wanted = cids.get(wanted, wanted)

            def arrived():
                nonlocal answer
                answer = lease.server.get(path)
                return wanted in canonical.pick(json.loads(answer.body), where)
            if not self._repeat(arrived):
                return {"lines": [f"GET {shown} missing: {options['wait']}"]}
        lines = [f"GET {shown}: {answer.status} {answer.headers.get('Content-Type')}"]
        return {"lines": lines + [f"  {line}" for line in canonical.described(answer, options)]}
