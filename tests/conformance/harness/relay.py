# SPDX-License-Identifier: Apache-2.0
"""A relay between a client and a server: it freezes a direction, edits, injects and takes down."""

import re
import socket
import threading


class tcp_relay:
    """Listens on a free port; every connection there is passed on to the server."""

    def __init__(self, server_url, replace=(), linger=False, greeting=""):
        """Options: `replace` edits what the server says, [old, new]; `greeting` goes to the server
        before all else; `linger` keeps the server's end from the client, so that the client's next
        write cannot fail before it has read the server's last words."""
        host, port = server_url.removeprefix("nats://").rsplit(":", 1)
        self.target = (host.strip("[]"), int(port))
        self.replacements = [(old.encode(), new.encode()) for old, new in replace]
        self.linger = linger
        self.greeting = greeting.encode()
        self.gates = {"up": threading.Event(), "down": threading.Event()}
        for gate in self.gates.values():
            gate.set()
        self.heard = bytearray()
        self.ends = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"nats://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
                server = socket.create_connection(self.target)
                server.sendall(self.greeting)
            except OSError:
                return
            self.ends += [client, server]
            threading.Thread(target=self._carry, args=("up", client, server), daemon=True).start()
            threading.Thread(target=self._carry, args=("down", server, client), daemon=True).start()

    def _carry(self, direction, source, sink):
        try:
            while chunk := self._read(direction, source):
                if direction == "down":
                    self.heard += chunk
                    for old, new in self.replacements:
                        chunk = chunk.replace(old, new)
                sink.sendall(chunk)
        except OSError:
            pass
        # A frozen direction keeps the end of the connection to itself too. A server that has closed
        # does not read any more, but what it has said before still goes to the client.
        self.gates[direction].wait()
        if self.linger and direction == "down":
            return
        try:
            sink.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def _read(self, direction, source):
        self.gates[direction].wait()
        chunk = source.recv(65536)
        self.gates[direction].wait()
        return chunk

    def freeze(self, direction):
        self.gates[direction].clear()

    def thaw(self, direction):
        self.gates[direction].set()

    def inject(self, text):
        """Sends bytes to the server as if the latest client had written them."""
        self.ends[-1].sendall(text.encode())

    def cut(self):
        for end in self.ends:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.ends.clear()

    def operations(self):
        """The lines that the server has sent, without payloads, PINGs and what differs by time."""
        lines = bytes(self.heard).split(b"\r\n")
        known = re.compile(rb"^(INFO|MSG|HMSG|\+OK|-ERR|PONG)\b|^\+OK$")
        return [line.decode(errors="replace").split(" {")[0] for line in lines if known.match(line)]

    def close(self):
        self.listener.close()
        for gate in self.gates.values():
            gate.set()
        self.cut()
