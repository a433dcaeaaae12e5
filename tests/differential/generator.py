# SPDX-License-Identifier: Apache-2.0
"""Draws sequences of protocol lines, valid and not, from a seed.

A sequence is a profile and a list of steps. Everything is decided here: playing a sequence draws
nothing, so that a seed and an index replay it exactly.
"""
import json
import random
from dataclasses import dataclass, field, replace

import profiles
from parser_model import parser_model

OPEN, SEND, CLOSE, WAIT = "open", "send", "close", "wait"


@dataclass(frozen=True)
class line:
    """One operation as it is sent, with the rows of the specification that it touches."""
    data: bytes
    rows: tuple = ()


@dataclass(frozen=True)
class step:
    kind: str
    connection: int
    lines: tuple = ()
    cuts: tuple = ()  # Positions in 0..1 at which the bytes are cut into several writes.
    pause: bool = False  # Give the server time to read each part alone.

    @property
    def data(self):
        return b"".join(each.data for each in self.lines)

    def parts(self):
        data = self.data
        at = sorted({int(cut * len(data)) for cut in self.cuts} - {0, len(data)})
        return [data[a:b] for a, b in zip([0, *at], [*at, len(data)])] if data else []


@dataclass(frozen=True)
class sequence:
    profile: str
    steps: tuple

    def with_steps(self, steps):
        return replace(self, steps=tuple(steps))


LITERALS = ["a", "b", "a.b", "a.c", "a.b.c", "x.y", "x.y.z", "foo", "foo.bar", "b.x.c", "p.1",
            "p.abc", "_INBOX.r.1", "c.d", "SANDBOX.x", "PUBLIC.y"]
WILD = ["a.*", "*.b", "a.>", ">", "*", "a.*.c", "*.*", "*.>", "x.>", "foo.*", "b.>", "_INBOX.>",
        "_INBOX.r.*", "p.*.*", "c.>"]
ODD = {  # Valid literals that only look like wildcards.
    "foo*bar": "7.valid.star", "foo.>x": "7.valid.gt", "*a.b": "7.valid.star",
    "a.b>": "7.valid.gt"}
INVALID = {
    "foo..bar": "7.invalid.empty_token", "foo.>.b": "7.invalid.gt_inside",
    ".a": "7.invalid.first_empty", "a.": "7.invalid.last_empty", "..": "7.invalid.empty_token",
    ".": "7.invalid.first_empty", ">.a": "7.invalid.gt_inside"}
RESERVED = {
    "$SYS.x": "7.reserved.SYS", "$JS.x": "7.reserved.JS", "$JSC.x": "7.reserved.JSC",
    "$NRG.x": "7.reserved.NRG", "_INBOX.z": "7.reserved.INBOX", "_R_.x": "7.reserved.R",
    "_GR_.x": "7.reserved.GR", "$GNR.x": "7.reserved.GNR", "$MQTT.x": "7.reserved.MQTT",
    "$KV.b.k": "7.reserved.KV", "$O.b.c": "7.reserved.O", "$OBJ.x": "7.reserved.O",
    "$LDS.x": "7.reserved.LDS", "$SRV.PING": "7.reserved.SRV"}
SIDS = ["1", "2", "3", "4", "5", "6"]
QUEUES = ["q", "q1", "q.x", "v.dev", ">"]


class generator:
    """Draws one sequence."""

    def __init__(self, seed, index):
        self.random = random.Random(f"{seed}:{index}")
        self.profile = self.random.choices(profiles.ALL,
                                           [each.weight for each in profiles.ALL])[0]
        self.payloads = 0
        self.steps = []
        self.connections = 0
        self.models = {}  # connection -> what it has sent so far
        self.subs = {}  # connection -> sids given so far
        self.queue_users = {}  # queue -> number of members, to know when UNSUB max is random

    # -- small dice -------------------------------------------------------------------------------

    def chance(self, probability):
        return self.random.random() < probability

    def pick(self, items):
        return self.random.choice(items)

    def blank(self):
        return self.pick([b" "] * 12 + [b"  ", b"\t", b" \t ", b"   "])

    def name(self, text, rows):
        shape = self.random.random()
        if shape < 0.8:
            return text
        rows.append("3.case")
        if shape < 0.9:
            return text.lower()
        return bytes(each ^ 0x20 if chr(each).isalpha() and self.chance(0.5) else each
                     for each in text)

    def end(self, rows):
        if self.chance(0.07):
            rows.append("3.bare_lf")
            return b"\n"
        return b"\r\n"

    def operation(self, name, arguments, rows):
        """A control line with the liberties that the protocol allows."""
        rows = list(rows)
        text = self.name(name, rows)
        for each in arguments:
            blank = self.blank()
            if b"\t" in blank:
                rows.append("3.tab")
            elif len(blank) > 1:
                rows.append("3.blanks")
            text += blank + (each if isinstance(each, bytes) else str(each).encode())
        if arguments and self.chance(0.05):
            text += self.pick([b" ", b"\t", b"  "])
            rows.append("3.trailing_blank")
        return text + self.end(rows), rows

    def body(self, size=None):
        """A payload that nobody else has, sometimes with bytes that look like protocol."""
        self.payloads += 1
        text = b"m%d" % self.payloads
        if size is None:
            dice = self.random.random()
            if dice < 0.12:
                return b""
            if dice < 0.30:
                text += self.pick([b"\r\n", b"PING\r\n", b"\x00\xff\x80", b" ", b"\r", b"\n",
                                   b"\r\nMSG a 1 2\r\n", "äöü".encode()])
            if dice > 0.93 and self.profile.payload_max > 5000:
                text += bytes([97 + self.payloads % 26]) * self.pick([400, 520, 1100, 4090, 9000])
            elif dice > 0.925 and self.profile.payload_max > 70000:
                text += b"z" * self.pick([66000, 131072])
            return text[:self.profile.payload_max]
        return (text + b"." * size)[:size]

    # -- subjects ---------------------------------------------------------------------------------

    def publish_subject(self, rows):
        dice = self.random.random()
        if dice < 0.72:
            return self.pick(LITERALS)
        if dice < 0.78:
            rows.append("7.pub_wildcard")
            return self.pick(WILD)
        if dice < 0.84:
            rows.append("7.pub_invalid")
            return self.pick(list(INVALID))
        if dice < 0.90:
            return self.pick(list(ODD))
        if dice < 0.97:
            subject = self.pick(list(RESERVED))
            rows.append(RESERVED[subject])
            return subject
        return self.pick(["a.b.c.d.e", "é", "a" * 70, "a.b.c.d", "A", "a,b", "a\x01"])

    def subscribe_subject(self, rows):
        dice = self.random.random()
        if dice < 0.38:
            return self.pick(LITERALS)
        if dice < 0.80:
            rows.append("7.wildcard")
            return self.pick(WILD)
        if dice < 0.87:
            subject = self.pick(list(INVALID))
            rows.append(INVALID[subject])
            return subject
        if dice < 0.92:
            subject = self.pick(list(ODD))
            rows.append(ODD[subject])
            return subject
        if dice < 0.97:
            return self.pick(list(RESERVED))
        return self.pick(["a.b.c.d.e", "é", "a" * 70, "a.b.c.d", "A", "a.*.*.*.>", "a\x01"])

    def reply(self, rows):
        dice = self.random.random()
        if dice < 0.7:
            return self.pick(["_INBOX.r.1", "_INBOX.r.2", "b", "a.b", "_INBOX.x.y.z"])
        if dice < 0.8:
            rows.append("7.reply_wildcard")
            return self.pick(["a.*", ">", "_INBOX.>"])
        rows.append("5.publish_reply")
        return self.pick(["_R_.x", "_GR_.x", "$JS.ACK.x", "_R_", "$JS.ACK", "$JS.API.x", "_R_x"])

    # -- operations -------------------------------------------------------------------------------

    def connect(self, login=None, **members):
        """A CONNECT; `login` None takes one of the profile's users."""
        rows = ["2.connect"]
        options = {}
        for key, values, chance in (
                ("verbose", [True, False, False], 0.85), ("pedantic", [True, False, False], 0.8),
                ("echo", [True, True, False], 0.4), ("headers", [True, True, True, False], 0.7),
                ("no_responders", [True, False], 0.35), ("protocol", [0, 1, 1], 0.7),
                ("name", ["n", "with \"quotes\"", "ü"], 0.2), ("lang", ["go"], 0.2),
                ("version", ["1.2.3"], 0.2), ("tls_required", [True, False], 0.1),
                ("jwt", ["eyJ"], 0.05), ("proxy_sig", ["x"], 0.03), ("unknown", [1, None], 0.1),
                ("import", [{}], 0.03), ("export", [{}], 0.03),
                ("remote_account", ["x"], 0.03), ("nkey", [""], 0.03), ("sig", [""], 0.03)):
            if self.chance(chance):
                options[key] = self.pick(values)
        if options.get("no_responders") and not self.chance(0.05):
            options["headers"] = True
        if login is None and self.profile.logins:
            login = self.pick(self.profile.logins)
        options.update(login or {})
        options.update(members)
        for key in list(options):  # None stands for "leave it out".
            if options[key] is None and key != "unknown":
                del options[key]
        rows += self._connect_rows(options)
        pairs = list(options.items())
        self.random.shuffle(pairs)
        text = json.dumps(dict(pairs), ensure_ascii=self.chance(0.5),
                          separators=self.pick([(",", ":"), (", ", ": ")])).encode()
        if self.chance(0.1):
            rows.append("2.blanks")
            text = self.pick([b"   ", b"\t", b" \t "]) + text
        data, rows = self.operation(b"CONNECT", [text], rows)
        return line(data, tuple(rows))

    @staticmethod
    def _connect_rows(options):
        rows = []
        if not {"verbose", "pedantic", "echo"} <= set(options):
            rows.append("2.defaults")
        for key, row in (("verbose", "2.verbose"), ("pedantic", "2.pedantic"),
                         ("echo", "2.echo"), ("headers", "2.headers"),
                         ("no_responders", "2.no_responders"), ("protocol", "2.protocol"),
                         ("name", "2.name"), ("lang", "2.name"), ("version", "2.name"),
                         ("user", "2.user"), ("auth_token", "2.auth_token"), ("jwt", "2.jwt"),
                         ("nkey", "2.nkey"), ("sig", "2.nkey"), ("unknown", "2.unknown"),
                         ("tls_required", "2.tls_required"), ("account", "2.account"),
                         ("new_account", "2.account"), ("proxy_sig", "2.proxy_sig"),
                         ("import", "2.leaf_only"), ("export", "2.leaf_only"),
                         ("remote_account", "2.leaf_only")):
            if key in options:
                rows.append(row)
        return rows

    def publish(self, header=None, subject=None, reply=None, body=None):
        rows = []
        header = self.profile.headers and self.chance(0.25) if header is None else header
        subject = self.publish_subject(rows) if subject is None else subject
        if reply is None and self.chance(0.3):
            reply = self.reply(rows)
        body = self.body() if body is None else body
        arguments = [subject] + ([reply] if reply else [])
        if header:
            block = self.header_block(rows)
            body = (block + body)[:max(self.profile.payload_max, len(block))]
            arguments.append(len(block))
            rows.append("3.HPUB.reply" if reply else "3.HPUB")
        else:
            rows.append("3.PUB.reply" if reply else "3.PUB")
        arguments.append(self.number(len(body), rows))
        data, rows = self.operation(b"HPUB" if header else b"PUB", arguments, rows)
        return line(data + body + b"\r\n", tuple(rows))

    def header_block(self, rows):
        dice = self.random.random()
        if dice < 0.1:
            rows.append("3.HPUB.zero")
            return b""
        if dice < 0.2:
            rows.append("3.HPUB.not_validated")
            return self.pick([b"abc", b"NATS/1.0\r\n", b"NATS/2.0\r\n\r\n", b"\r\n", b"\x00"])
        return b"NATS/1.0\r\n" + self.pick(
            [b"\r\n", b"A: b\r\n\r\n", b"a: 1\r\na: 2\r\n\r\n", b"X:\r\n\r\n", b"k: \xff\r\n\r\n"])

    def number(self, value, rows):
        if self.chance(0.04):
            rows.append("4.number_text")
            return "00" + str(value)
        return value

    def subscribe(self, connection, subject=None, queue=None, sid=None):
        rows = []
        subject = self.subscribe_subject(rows) if subject is None else subject
        known = self.subs.setdefault(connection, [])
        if queue is None and self.chance(0.2) and self.profile.headers:
            queue = self.pick(QUEUES) if self.chance(0.93) else "_sys_"
        if sid is None:
            if known and self.chance(0.12):
                sid = self.pick(known)
                rows.append("7.duplicate_sid")
            else:
                sid = self.pick(SIDS if not queue else ["q1", "q2", "q3"])
                if self.chance(0.05):
                    sid = self.pick(["abc", "sid-1", "0", "-1", "é", "s" * 40, "1.5"])
                    rows.append("3.sid_text")
        known.append(sid)
        if queue:
            self.queue_users[queue] = self.queue_users.get(queue, 0) + 1
            rows += ["3.SUB.queue", "7.queue"]
        else:
            rows.append("3.SUB")
        data, rows = self.operation(b"SUB", [subject] + ([queue] if queue else []) + [sid], rows)
        return line(data, tuple(rows))

    def unsubscribe(self, connection, sid=None, count=None):
        rows = []
        known = self.subs.get(connection, [])
        if sid is None:
            if known and self.chance(0.85):
                sid = self.pick(known)
            else:
                sid = self.pick(["99", "nope"])
                rows.append("3.UNSUB.unknown")
        arguments = [sid]
        # How much a member of a group got is chance, so a limit on it would be too.
        if count is None and not str(sid).startswith("q") and self.chance(0.5):
            count = self.pick([1, 1, 2, 3, 5, 0, -1, "x", "1234567890", "01"])
        if count is not None:
            arguments.append(count)
            rows.append("3.UNSUB.max" if isinstance(count, int) and count > 0
                        else "7.unsub_zero")
        else:
            rows.append("3.UNSUB")
        data, rows = self.operation(b"UNSUB", arguments, rows)
        return line(data, tuple(rows))

    def ping(self):
        rows = ["3.PING"]
        name = self.name(b"PING", rows)
        if self.chance(0.1):
            rows.append("3.trailing_text")
            name += self.pick([b" foo", b"  ", b"X", b"\tbar baz"])
        return line(name + self.end(rows), tuple(rows))

    def pong(self):
        rows = ["3.PONG"]
        name = self.name(b"PONG", rows) + self.pick([b"", b"", b" trailing"])
        return line(name + self.end(rows), tuple(rows))

    def noise_from_server(self):
        """What only a server should say, and what a client may say all the same."""
        if self.chance(0.5):
            return line(self.name(b"+OK", []) + self.pick([b"", b" x"]) + self.end([]), ("3.+OK",))
        text = self.pick([b"{}", b'{"server_id":"x","max_payload":1}', b'{"port":4222}'])
        data, rows = self.operation(b"INFO", [text], ["3.INFO"])
        return line(data, tuple(rows))

    def harmless(self, connection):
        dice = self.random.random()
        if dice < 0.42:
            return self.publish()
        if dice < 0.70:
            return self.subscribe(connection)
        if dice < 0.82:
            return self.unsubscribe(connection)
        if dice < 0.90:
            return self.ping()
        if dice < 0.94:
            return self.pong()
        if dice < 0.97:
            return self.noise_from_server()
        return self.connect()

    # -- what goes wrong --------------------------------------------------------------------------

    def wrong(self, connection):
        """One line that the server should not like."""
        return self.pick([
            self.wrong_count, self.wrong_count, self.wrong_size, self.wrong_size,
            self.wrong_letters, self.wrong_letters, self.wrong_payload_end, self.wrong_header,
            self.too_long, self.too_long, self.too_large, self.too_large, self.wrong_connect,
            self.wrong_connect, self.from_server,
            lambda: self.mutated(connection), lambda: self.mutated(connection),
            lambda: self.mutated(connection)])()

    def wrong_count(self):
        name, arguments = self.pick([
            (b"PUB", [b"5"]), (b"PUB", [b"a", b"b", b"c", b"1"]), (b"PUB", [b"a"]),
            (b"HPUB", [b"a", b"1"]), (b"HPUB", [b"a"]), (b"HPUB", [b"a", b"b", b"c", b"1", b"1"]),
            (b"SUB", [b"a"]), (b"SUB", [b"a", b"b", b"c", b"d"]),
            (b"UNSUB", [b"1", b"2", b"3"]), (b"UNSUB", []), (b"SUB", []), (b"PUB", []),
            (b"HPUB", []), (b"UNSUB", [b""]), (b"SUB", [b""]), (b"PUB", [b""]),
            (b"PUB", [b"a", b"b", b"c", b"d", b"e", b"f", b"g", b"1"])])
        row = "3.UNSUB.bare" if name == b"UNSUB" and not arguments else f"3.count.{name.decode()}"
        text = name + b"".join(b" " + each for each in arguments)
        return line(text + b"\r\n", (row,))

    def wrong_size(self):
        text, row = self.pick([
            (b"-1", "3.size.negative"), (b"x", "3.size.text"), (b"1x", "3.size.text"),
            (b"1234567890", "3.size.long"), (b"0x10", "3.size.text"), (b"+1", "3.size.text"),
            (b"99999999999999999999", "3.size.long"), (b"1.5", "3.size.text"),
            (b"0000000001", "3.size.long")])
        name = self.pick([b"PUB a ", b"PUB a b ", b"HPUB a 0 ", b"HPUB a b ", b"HPUB a b 0 "])
        if name == b"HPUB a b ":
            return line(name + text + b" 5\r\nhello\r\n", (row, "3.HPUB.header_size"))
        return line(name + text + b"\r\nx\r\n", (row,))

    def wrong_letters(self):
        return self.pick([
            line(b"MSG a 1 2\r\nhi\r\n", ("3.MSG",)), line(b"RS+ $G a\r\n", ("3.RS+",)),
            line(b"LS+ a\r\n", ("3.LS+",)), line(b"A+ a\r\n", ("3.A+",)),
            line(b"\r\n", ("3.empty_line",)), line(b"\n", ("3.empty_line",)),
            line(b"HELLO\r\n", ("3.letters",)), line(b"PIN\r\n", ("3.letters",)),
            line(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", ("3.letters",)),
            line(b"PUBB a 1\r\n", ("3.letters",)), line(b" PING\r\n", ("3.letters",)),
            line(b"\x16\x03\x01\x00\x05", ("3.letters",)), line(b"\x00\r\n", ("3.letters",)),
            line(b"RMSG $G a 1\r\nx\r\n", ("3.letters",)), line(b"-OK\r\n", ("3.letters",)),
            line(b"+ERR\r\n", ("3.letters",)), line(b"SUBSCRIBE a 1\r\n", ("3.letters",)),
            line(b"HMSG a 1 0 0\r\n", ("3.MSG",)), line(b"LMSG a\r\n", ("3.letters",)),
            line(b"PUB\r\n", ("3.letters",)), line(b"UNSUB\r\n", ("3.UNSUB.bare",)),
            line(b"SUB\r\n", ("3.letters",)), line(b"SUB\n", ("3.letters",))])

    def wrong_payload_end(self):
        body = self.body(self.random.randrange(1, 12))
        end, row = self.pick([(b"\n", "3.payload_bare_lf"), (b"XY", "3.payload_no_crlf"),
                              (b"\rX", "3.payload_no_crlf"), (b"more\r\n", "3.payload_no_crlf")])
        head = b"PUB a %d\r\n" if self.chance(0.6) else b"HPUB a 0 %d\r\n"
        return line(head % len(body) + body + end, (row,))

    def wrong_header(self):
        return self.pick([
            line(b"HPUB a 6 5\r\nhello\r\n", ("3.HPUB.larger",)),
            line(b"HPUB a b 13 12\r\nNATS/1.0\r\n\r\n\r\n", ("3.HPUB.larger",)),
            line(b"HPUB a 12 12\r\nNATS/1.0\r\n\r\n\r\n", ("3.HPUB",))])

    def too_long(self):
        limit = self.profile.control_line_max
        over = self.pick([0, 1, 1, 2, 300])
        row = "3.control_line.over" if over else "3.control_line.exact"
        length = limit + over
        names = [b"SUB", b"PUB", b"UNSUB", b"INFO", b"HPUB"]
        # Where somebody has to log in, Pipit takes a CONNECT of up to 64 KiB on purpose.
        if not self.profile.logins:
            names.append(b"CONNECT")
        name = self.pick(names)
        if name == b"SUB":
            argument = b"a" * (length - 2) + b" 1"
        elif name == b"PUB":
            argument = b"a" * (length - 2) + b" 0"
        elif name == b"HPUB":
            argument = b"a" * (length - 4) + b" 0 0"
        elif name == b"UNSUB":
            argument = b"1" * length
        else:
            # A number of blanks inside the object makes any length.
            argument = b'{"verbose":true' + b" " * (length - 16) + b"}"
            row = row.replace("control_line", "control_line_connect") \
                if name == b"CONNECT" else row
        ending = self.pick([b"\r\n", b"\n"])
        tail = b"\r\n" if name in (b"PUB", b"HPUB") else b""
        if over and self.chance(0.3):
            ending, tail = b"", b""
        return line(name + b" " + argument + ending + tail, (row,))

    def too_large(self):
        limit = self.profile.payload_max
        if limit <= 100 and self.chance(0.4):
            body = self.body(limit)
            return line(b"PUB a %d\r\n" % limit + body + b"\r\n", ("3.payload.exact",))
        size = limit + self.pick([1, 2, 1000])
        if self.chance(0.4):
            return line(b"HPUB a 0 %d\r\n" % size, ("3.payload.over",))
        return line(b"PUB a b %d\r\n" % size, ("3.payload.over",))

    def wrong_connect(self):
        return self.pick([
            lambda: line(b"CONNECT {\r\n", ("2.json_error",)),
            lambda: line(b"CONNECT\r\n", ("2.json_error",)),
            lambda: line(b"CONNECT {}x\r\n", ("2.json_error",)),
            lambda: line(b"CONNECT []\r\n", ("2.json_error",)),
            lambda: line(b"CONNECT null\r\n", ("2.json_error",)),
            lambda: line(b'CONNECT {"verbose":1}\r\n', ("2.json_error",)),
            lambda: line(b'CONNECT {"protocol":"1"}\r\n', ("2.json_error",)),
            lambda: line(b'CONNECT {"protocol":1.5}\r\n', ("2.json_error",)),
            lambda: line(b'CONNECT {"name":null,"verbose":null}\r\n', ("2.unknown",)),
            lambda: line(b'CONNECT {"VERBOSE":false,"Echo":false}\r\n', ("2.unknown",)),
            lambda: line(b'CONNECT {"name":"\\u00e9\\ud800"}\r\n', ("2.unknown",)),
            lambda: line(b'CONNECT {"name":"\xff"}\r\n', ("2.unknown",)),
            lambda: line(b"CONNECT{}\r\n", ("2.blanks",)),
            lambda: line(b'CONNECT {"verbose":false,"verbose":true}\r\n', ("2.verbose",)),
            lambda: line(b"CONNECT " + b"[" * 200 + b"\r\n", ("2.json_error",)),
            lambda: line(b"INFO x\r\n", ("3.INFO.bad",)),
            lambda: line(b"INFO {\r\n", ("3.INFO.bad",)),
            lambda: line(b"INFO\r\n", ("3.INFO.bad",)),
            lambda: self.connect(protocol=self.pick([2, -1, 99])),
            lambda: self.connect(protocol=self.pick([2, -1])),
            lambda: self.connect(no_responders=True, headers=self.pick([False, None])),
            lambda: self.connect(account="x"), lambda: self.connect(new_account=True),
            lambda: self.connect(login={"user": "wrong", "pass": "secret"}),
            lambda: self.connect(login={"auth_token": "wrong"}),
            lambda: self.connect(login={"user": "hashed", "pass": "wrong"}),
            lambda: self.connect(login={"user": "plain"})])()

    def from_server(self):
        return self.pick([
            line(b"-ERR 'Stale Connection'\r\n", ("3.-ERR",)), line(b"-err x\r\n", ("3.-ERR",)),
            line(b"-ERR\r\n", ("3.letters",)), line(b"MSG a 1 2\r\n", ("3.MSG",)),
            line(b"msg a 1 0\r\n", ("3.MSG",))])

    def mutated(self, connection):
        """A harmless line with a few bytes changed, lost or doubled."""
        data = bytearray(self.harmless(connection).data)
        for _ in range(self.pick([1, 1, 2, 3])):
            at = self.random.randrange(len(data)) if data else 0
            dice = self.random.random()
            if dice < 0.3:
                del data[at:at + self.pick([1, 1, 2, 5])]
            elif dice < 0.6:
                data[at:at] = self.pick([b" ", b"\t", b"x", b"0", b"9", b".", b"*", b"\n", b"\x00",
                                         b"\xff", b"\r\n", b"-", b'"', b"}"])
            elif dice < 0.8 and data:
                data[at] = self.random.randrange(256)
            else:
                data[at:at] = data[at:at + self.pick([1, 3, 8])]
        return line(bytes(data), ("3.letters",) if not data else ())

    # -- sequences --------------------------------------------------------------------------------

    def open(self):
        number = self.connections
        self.connections += 1
        self.steps.append(step(OPEN, number))
        return number

    def send(self, connection, lines):
        lines = tuple(lines)
        before = self.models.setdefault(
            connection, parser_model(self.profile.control_line_max, self.profile.payload_max))
        model = before.copy()
        model.fragile = False
        data = b"".join(each.data for each in lines)
        model.feed(data)
        cuts, pause = (), False
        if model.fragile:
            # Where a read ends decides here, so the whole turn has to fit into the smallest
            # read buffer of the reference (64 bytes) and be alone in it.
            if len(data) > 60 or not before.between_operations:
                return
        elif self.chance(0.4) and len(data) > 1:
            count = self.pick([1, 1, 2, 3, 6])
            cuts = tuple(round(self.random.random(), 4) for _ in range(count))
            pause = self.chance(0.25)
        self.models[connection] = model
        self.steps.append(step(SEND, connection, lines, cuts, pause))

    def turn(self, connection, wrong=0.08):
        lines = []
        for _ in range(self.pick([1, 1, 2, 3, 5])):
            if self.chance(wrong):
                lines.append(self.wrong(connection))
                if self.chance(0.7):
                    break
            else:
                lines.append(self.harmless(connection))
            if lines[-1].data[:4].upper() in (b"-ERR", b"MSG ", b"HMSG"):
                break  # What follows in the same read is served or not by chance.
        self.send(connection, lines)

    def partial(self, connection):
        """The beginning of an operation; its rest, or None when nothing more will come."""
        data = self.harmless(connection).data
        at = self.random.randrange(1, len(data))
        self.send(connection, [line(data[:at], ("3.partial",))])
        return line(data[at:]) if self.chance(0.5) else None

    def build(self):
        recipe = {"crowd": self.crowd, "account_crowd": self.crowd, "keepalive": self.keepalive,
                  "auth_timeout": self.auth_timeout}.get(self.profile.name)
        if recipe is None:
            recipe = self.random.choices(
                [self.mixed, self.broken, self.delivery, self.groups, self.requests, self.limits],
                [40, 20, 16, 8, 10, 8])[0]
        recipe()
        return sequence(self.profile.name, tuple(self.steps))

    def start(self, **members):
        """A new connection, mostly with a CONNECT."""
        connection = self.open()
        if not members and self.chance(0.06):
            self.turn(connection, wrong=0)
        if members or self.chance(0.9):
            self.send(connection, [self.connect(**members)])
        return connection

    def mixed(self):
        peers = [self.start() for _ in range(self.pick([1, 2, 2, 3, 3, 4]))]
        for _ in range(self.random.randrange(2, 9)):
            peer = self.pick(peers)
            dice = self.random.random()
            if dice < 0.05:
                self.steps.append(step(CLOSE, peer))
                peers.remove(peer)
                peers.append(self.start())
            elif dice < 0.10:
                rest = self.partial(peer)
                if rest is None:
                    peers.remove(peer)
                    peers.append(self.start())
                else:
                    self.send(peer, [rest])
            else:
                self.turn(peer)

    def broken(self):
        peers = [self.start() for _ in range(self.pick([1, 1, 2]))]
        for peer in peers:
            if self.chance(0.7):
                self.turn(peer, wrong=0)
        for _ in range(self.pick([1, 1, 2])):
            self.send(self.pick(peers), [self.wrong(peers[0])])
        if self.chance(0.3):
            self.turn(peers[0], wrong=0.5)

    def delivery(self):
        """Overlapping subscriptions, limits, and what arrives."""
        listeners = [self.start(login=None, protocol=1) for _ in range(self.pick([1, 2, 3]))]
        speaker = self.pick(listeners) if self.chance(0.4) else self.start()
        for listener in listeners:
            self.send(listener, [self.subscribe(listener)
                                 for _ in range(self.random.randrange(1, 6))])
            if self.chance(0.5):
                self.send(listener, [self.unsubscribe(listener) for _ in range(2)])
        for _ in range(self.pick([1, 2, 3])):
            self.send(speaker, [self.publish() for _ in range(self.pick([1, 2, 4, 8]))])
            listener = self.pick(listeners)
            if self.chance(0.5):
                self.send(listener, [self.unsubscribe(listener)])

    def groups(self):
        """Queue groups whose members sit on several connections."""
        if not self.profile.headers:
            return self.mixed()
        members = [self.start() for _ in range(self.pick([1, 2, 3]))]
        subject = self.pick(["a", "a.*", "a.>", "b", "x.y"])
        queue = self.pick(QUEUES)
        for member in members:
            self.send(member, [self.subscribe(member, subject=self.pick([subject, subject, "a.>"]),
                                              queue=queue, sid=f"q{index}")
                               for index in range(self.pick([1, 1, 2]))])
            if self.chance(0.3):
                self.send(member, [self.subscribe(member)])
        speaker = self.pick(members) if self.chance(0.3) else self.start()
        target = subject.replace("*", "b").replace(">", "b")
        for _ in range(self.pick([1, 2])):
            self.send(speaker, [self.publish(subject=target)
                                for _ in range(self.pick([1, 2, 6]))])
            if self.chance(0.5) and len(members) > 1:
                self.steps.append(step(CLOSE, members.pop()))
                if speaker not in members:
                    continue
            if self.chance(0.3):
                self.send(members[0], [self.unsubscribe(members[0], sid="q0")])
        if speaker in members or self.chance(0.5):
            self.send(members[0], [self.publish(subject=target)])

    def requests(self):
        """Requests with and without somebody who answers."""
        asker = self.start(verbose=self.chance(0.2), headers=self.profile.headers,
                           no_responders=self.profile.headers)
        inbox = self.pick(["_INBOX.r.*", "_INBOX.r.1", "_INBOX.>"])
        self.send(asker, [self.subscribe(asker, subject=inbox, sid="1")])
        if self.chance(0.5):
            other = self.start()
            self.send(other, [self.subscribe(other, subject=self.pick(["a", "a.*", "b", ">"]))])
            if self.chance(0.3):
                self.send(other, [self.unsubscribe(other)])
            if self.chance(0.4):
                self.send(asker, [self.publish(subject="a", reply="_INBOX.r.1")])
                self.send(other, [self.publish(subject="_INBOX.r.1"),
                                  self.publish(subject="_INBOX.r.1")])
                self.send(other, [self.publish(subject="_INBOX.r.1")])
        self.send(asker, [self.publish(reply=self.pick(["_INBOX.r.1", "_INBOX.r.1", "b", "a"]))
                          for _ in range(self.pick([1, 2, 4]))])

    def limits(self):
        """Just below, at and above what the server allows."""
        peer = self.start()
        for _ in range(self.pick([1, 2, 3])):
            self.send(peer, [self.pick([self.too_long, self.too_large])()
                             if self.chance(0.6) else self.subscribe(peer)])
        for index in range(self.pick([0, 0, 5])):
            self.send(peer, [self.subscribe(peer, sid=str(index + 10))])

    def crowd(self):
        for _ in range(self.pick([2, 3, 4])):
            peer = self.start()
            if self.chance(0.5):
                self.turn(peer, wrong=0)

    def keepalive(self):
        if self.chance(0.5):
            peer = self.start(verbose=False)
            self.steps.append(step(WAIT, peer))
        else:
            peer = self.open()
            self.steps.append(step(WAIT, peer))

    def auth_timeout(self):
        peer = self.open()
        if self.chance(0.3):
            self.send(peer, [line(b"CONNECT {", ("3.partial",))])
        self.steps.append(step(WAIT, peer))


def draw(seed, index):
    """The sequence number `index` of a seed."""
    return generator(seed, index).build()
