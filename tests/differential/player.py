# SPDX-License-Identifier: Apache-2.0
"""Plays a sequence on two servers at once and hands back what each connection received.

No step waits for a time: after each turn a PING is sent, and its PONG says that everything before
it was served, whatever other connections got because of it included.
"""
import json
import re
import select
import socket
import struct
import time

import generator
import profiles
from parser_model import parser_model
from servers import server_process

# Nothing takes this long unless an answer is missing.
PATIENCE_SECONDS = 3.0
_PATIENCE = struct.pack("ll", int(PATIENCE_SECONDS), 0)
# An end that the model foresees; when it was wrong, a PING finds out.
UNCERTAIN_SECONDS = 0.5
INTEREST_SECONDS = 5.0


class stream:
    """One connection and the operations that the server sent on it."""

    def __init__(self, port, host="127.0.0.1"):
        self.socket = socket.create_connection((host, port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _PATIENCE)
        self.buffer = b""
        self.operations = []  # (control line, payload or None)
        self.pongs = 0
        self.ended = False
        self.silent = False  # An answer that was due did not come.

    def send(self, data):
        try:
            self.socket.sendall(data)
        except OSError:
            pass  # It is closed: reading tells.

    def receive(self):
        """One read; False at the end of the connection or of patience."""
        try:
            data = self.socket.recv(1 << 17)
        except BlockingIOError:
            self.silent = True
            return False
        except OSError:
            data = b""
        if not data:
            self.ended = True
            if self.buffer:
                # How much of a large message still came is the kernel's affair.
                cut_off = self.buffer.startswith((b"MSG ", b"HMSG "))
                self.operations.append((b"a message cut off" if cut_off else self.buffer, None))
                self.buffer = b""
            return False
        self.buffer += data
        self._parse()
        return True

    def _parse(self):
        buffer, at = self.buffer, 0
        while True:
            end = buffer.find(b"\r\n", at)
            if end < 0:
                break
            control = buffer[at:end]
            if control.startswith((b"MSG ", b"HMSG ")):
                size = int(control.rsplit(b" ", 1)[1])
                after = end + 2 + size + 2
                if len(buffer) < after:
                    break
                self.operations.append((control, buffer[end + 2:after]))
                at = after
            else:
                self.operations.append((control, None))
                self.pongs += control == b"PONG"
                at = end + 2
        self.buffer = buffer[at:]

    def wait_for_operations(self, count):
        while len(self.operations) < count and not self.ended:
            if not self.receive():
                return

    def wait_for_pongs(self, count):
        while self.pongs < count and not self.ended:
            if not self.receive():
                return

    def wait_for_end(self, seconds=PATIENCE_SECONDS):
        while not self.ended:
            if not select.select([self.socket], [], [], seconds)[0] or not self.receive():
                return

    def drain(self):
        """Reads what has arrived, and the rest of a message that has begun."""
        while not self.ended:
            if not self.buffer:
                try:
                    self.socket.recv(1, socket.MSG_DONTWAIT | socket.MSG_PEEK)
                except BlockingIOError:
                    return
                except OSError:
                    pass  # Ended: reading tells.
            if not self.receive():
                return

    def close(self):
        self.socket.close()


class control:
    """A connection of the player's own, which looks for what a sequence left behind."""

    def __init__(self, port, login):
        self.stream = stream(port)
        self.stream.send(b"CONNECT " + json.dumps(
            {"verbose": False, "pedantic": False, "headers": True, "no_responders": True,
             "protocol": 0, **login}).encode() + b"\r\nSUB _CONTROL.* 1\r\nPING\r\n")
        self.stream.wait_for_pongs(1)
        if self.stream.ended or self.stream.pongs != 1:
            raise RuntimeError(f"the control connection failed: {self.stream.operations}")
        self.pongs = 1

    def wait_until_nobody_listens(self, subjects):
        """Waits until a request on each subject finds no responder; the ones that still do."""
        if not subjects:
            return []
        text = b"".join(b"PUB %s _CONTROL.r 0\r\n\r\n" % each for each in subjects) + b"PING\r\n"
        deadline = time.monotonic() + INTEREST_SECONDS
        while True:
            self.stream.operations.clear()
            self.stream.send(text)
            self.pongs += 1
            self.stream.wait_for_pongs(self.pongs)
            nobody = sum(1 for _, body in self.stream.operations if body is not None)
            if nobody == len(subjects):
                return []
            if self.stream.ended or time.monotonic() > deadline:
                return subjects
            time.sleep(0.001)


class party:
    """One server under one profile, with what is needed to play there."""

    def __init__(self, program, profile):
        self.profile = profile
        self.server = server_process(program, profile.configuration)
        no_headers = {} if profile.headers else {"headers": False, "no_responders": False}
        self.controls = [control(self.server.port, {**login, **no_headers})
                         for login in profile.controls]
        self.streams = {}

    def open(self, connection):
        self.streams[connection] = stream(self.server.port)

    def wait_until_clean(self, subjects):
        """Waits until the server has forgotten the sequence; a complaint if it never does."""
        if self.profile.monitored:
            deadline = time.monotonic() + INTEREST_SECONDS
            while json.loads(self.server.monitoring("/connz"))["total"] > len(self.controls) or \
                    not self._accounts_are_empty():
                if time.monotonic() > deadline:
                    return "connections are still open"
                time.sleep(0.002)
            return None
        if not self.profile.headers:
            return None  # Nobody can ask; such a profile has no queue groups to disturb.
        for each in self.controls:
            if left := each.wait_until_nobody_listens(subjects):
                return f"somebody still listens to one of {left}"
        return None

    def _accounts_are_empty(self):
        accounts = json.loads(self.server.monitoring("/accstatz?unused=1"))["account_statz"]
        # Each control connection is one of its account.
        return sum(each["conns"] for each in accounts) <= len(self.controls)

    def close(self):
        for each in self.streams.values():
            each.close()
        self.streams = {}


class outcome:
    """What one server did with a sequence."""

    def __init__(self):
        self.transcripts = {}  # connection -> (operations, ended, silent)
        self.complaint = None


class arena:
    """Both servers, one pair for each profile, started when it is first needed."""

    def __init__(self, programs):
        self.programs = programs
        self.pairs = {}

    def pair(self, name):
        if name not in self.pairs:
            self.pairs[name] = [party(program, profiles.BY_NAME[name])
                                for program in self.programs]
        return self.pairs[name]

    def discard(self, name):
        """Stops the pair of a profile, so that the next sequence meets fresh servers."""
        for each in self.pairs.pop(name, []):
            each.close()
            each.server.stop()

    def stop(self):
        for name in list(self.pairs):
            self.discard(name)

    def play(self, sequence):
        return play(self.pair(sequence.profile), sequence)


def play(parties, sequence):
    """An outcome for each party, and the models of what the connections sent."""
    profile = profiles.BY_NAME[sequence.profile]
    models = {}
    outcomes = [outcome() for _ in parties]
    closed = set()
    for each in sequence.steps:
        if each.kind == generator.OPEN:
            models[each.connection] = parser_model(profile.control_line_max, profile.payload_max)
            models[each.connection].keeps_pings = profile.pings
            for party_ in parties:
                party_.open(each.connection)
            for party_ in parties:
                party_.streams[each.connection].wait_for_operations(1)
        elif each.connection in closed or each.connection not in models:
            continue
        elif each.kind == generator.SEND:
            _send(parties, each, models[each.connection])
        elif each.kind == generator.WAIT:
            for party_ in parties:
                party_.streams[each.connection].wait_for_end()
        elif each.kind == generator.CLOSE:
            model = models[each.connection]
            if model.between_operations and not model.closed:
                # How much of a large message an end cuts off would be chance.
                _barrier([party_.streams[each.connection] for party_ in parties], model)
            _close_by_client(parties, each.connection)
            closed.add(each.connection)
    _finish(parties, models, closed)
    subjects = _subjects(sequence)
    for party_, result in zip(parties, outcomes):
        for connection, stream_ in party_.streams.items():
            result.transcripts[connection] = (stream_.operations, stream_.ended, stream_.silent)
        party_.close()
        result.complaint = party_.wait_until_clean(subjects)
    return outcomes, models


def _send(parties, step, model):
    streams = [each.streams[step.connection] for each in parties]
    before = model.consumed
    model.feed(step.data)
    if model.closed or model.between_operations:
        for part in step.parts():
            for each in streams:
                each.send(part)
            if step.pause:
                time.sleep(0.0003)
        _barrier(streams, model)
        return
    # The turn ends inside an operation: what is complete gets its barrier, the rest just goes out.
    rest_bytes = len(model.buffer)
    complete = step.data[:max(0, len(step.data) - rest_bytes)]
    rest = step.data[len(complete):]
    if complete and model.consumed > before:
        for each in streams:
            each.send(complete)
        _barrier(streams, model)
    for each in streams:
        each.send(rest)


def _barrier(streams, model):
    if model.closed and not model.unsure:
        # A PING that the server has not read when it closes could cost us its last words.
        for each in streams:
            each.wait_for_end(UNCERTAIN_SECONDS)
        if all(each.ended for each in streams):
            return
    model.pings += 1
    for each in streams:
        each.send(b"PING\r\n")
    for each in streams:
        each.wait_for_pongs(model.pings)


def _close_by_client(parties, connection):
    for each in parties:
        each.streams[connection].drain()
        try:
            each.streams[connection].socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass
    for each in parties:
        each.streams[connection].wait_for_end()


def _finish(parties, models, closed):
    """One more barrier everywhere: only now has everybody got what others published."""
    for connection, model in models.items():
        if connection in closed:
            continue
        streams = [each.streams[connection] for each in parties]
        if model.between_operations or model.closed:
            if not all(each.ended for each in streams):
                _barrier(streams, model)
        else:
            _close_by_client(parties, connection)


_SUBSCRIBE = re.compile(rb"(?i)SUB[ \t]+([^ \t\r\n]+)")


def _subjects(sequence):
    """Subjects to which something of the sequence may have subscribed."""
    text = {}
    for each in sequence.steps:
        text[each.connection] = text.get(each.connection, b"") + each.data
    found = set()
    for data in text.values():
        for subject in _SUBSCRIBE.findall(data):
            tokens = [b"x" if token in (b"*", b">") else token for token in subject.split(b".")]
            if all(tokens) and not subject.startswith((b"_GR_.", b"$NRG.")) and len(subject) < 200:
                found.add(b".".join(tokens))
    return sorted(found)
