# SPDX-License-Identifier: Apache-2.0
"""Events about traced messages, compressed as was asked."""
import gzip
import json
import re

from suite import behaviour, equal, matches


def _unpacked(block):
    """What one block in snappy's raw form holds: the size, then literals and copies."""
    at = 0
    while block[at] & 0x80:
        at += 1
    at += 1
    out = bytearray()
    while at < len(block):
        tag, kind = block[at], block[at] & 3
        at += 1
        if kind == 0:
            size = (tag >> 2) + 1
            if size > 60:
                more = size - 60
                size = int.from_bytes(block[at:at + more], "little") + 1
                at += more
            out += block[at:at + size]
            at += size
            continue
        wide = {1: 1, 2: 2, 3: 4}[kind]
        offset = int.from_bytes(block[at:at + wide], "little")
        at += wide
        size = (tag >> 2 & 7) + 4 if kind == 1 else (tag >> 2) + 1
        if kind == 1:
            offset |= tag >> 5 << 8
        for _ in range(size):
            out.append(out[-offset])
    return bytes(out)


def _unframed(stream):
    equal(stream[:10], b"\xff\x06\x00\x00sNaPpY")
    out, at = b"", 10
    while at < len(stream):
        size = int.from_bytes(stream[at + 1:at + 4], "little")
        chunk = stream[at + 8:at + 4 + size]
        out += _unpacked(chunk) if stream[at] == 0 else chunk
        at += 4 + size
    return out


READERS = {None: bytes, b"identity": bytes, b"gzip": gzip.decompress, b"snappy": _unframed}


@behaviour
def the_event_about_a_message_is_compressed_as_was_asked(side):
    server = side.start()
    client = side.connect(server.port)
    client.send("SUB tr 1\r\nSUB x 2\r\n")
    for count, (accepted, expected) in enumerate([
            ("", None), ("br", b"identity"), ("gzip", b"gzip"), ("GZIP;q=0.1", b"gzip"),
            ("snappy", b"snappy"), ("s2", b"snappy"), ("gzip, snappy", b"snappy")], 1):
        headers = f"NATS/1.0\r\nNats-Trace-Dest: tr\r\nAccept-Encoding: {accepted}\r\n\r\n"
        client.send(f"HPUB x {len(headers)} {len(headers)}\r\n{headers}\r\n")
        client.wait_for(lambda c, wanted=2 * count: len(c.messages) == wanted, what=accepted)
        control, body = next((control, body) for control, body in client.messages[-2:]
                             if control.split()[1] == b"tr")
        head = b""
        if control.startswith(b"HMSG"):
            size = int(control.split()[-2])
            head, body = body[:size], body[size:]
        encoding = head.partition(b"Content-Encoding: ")[2].partition(b"\r\n")[0] or None
        equal(encoding, expected, accepted)
        event = json.loads(READERS[encoding](body))
        equal([each["type"] for each in event["events"]], ["in", "eg"], accepted)


@behaviour
def the_event_about_a_message_that_is_too_large_says_so(side):
    server = side.start("max_payload: 1000\naccounts { A { users: [ { user: a, password: p,\n"
                        "  permissions { publish { deny: secret } } } ] } }\n")
    watcher = side.connect(server.port, user="a", **{"pass": "p"})
    watcher.send("SUB > 1\r\n")
    watcher.barrier()
    for more, count in (("Nats-Trace-Dest: tr\r\n", 1),
                        ("Nats-Trace-Dest: tr\r\nNats-Trace-Only: true\r\n", 1),
                        ("Nats-Trace-Dest: secret\r\n", 0), ("Nats-Trace-Dest: trace disabled\r\n", 0),
                        ("A: b\r\n", 0), ("traceparent: 00-1-2-01\r\n", 0)):
        before = len(watcher.messages)
        client = side.connect(server.port, user="a", **{"pass": "p"})
        headers = f"NATS/1.0\r\n{more}\r\n"
        client.send(f"PING\r\nHPUB x  r {len(headers)}\t2048\r\n{headers}Nats-Trace-Dest: tr\r\n")
        client.wait_for_end(seconds=10)
        watcher.wait_for(lambda it, wanted=before + count: len(it.messages) >= wanted, what=more)
        watcher.barrier()
        equal(len(watcher.messages) - before, count, more)
        if not count:
            continue
        event = json.loads(watcher.messages[-1][1])
        equal([each["type"] for each in event["events"]], ["in"])
        equal((event["events"][0]["subj"], event["events"][0]["error"], event["request"]["msgsize"]),
              ("x", "maximum payload exceeded", 2048))
        equal(sorted(event["request"]["header"]), sorted(line.split(":")[0] for line in more.split("\r\n")[:-1]))
    # Headers of which nothing has come ask for nothing; a message without any has none.
    for line in ("HPUB x 100 2048\r\n", "PUB x 2048\r\nNATS/1.0\r\nNats-Trace-Dest: tr\r\n\r\n"):
        before = len(watcher.messages)
        client = side.connect(server.port, user="a", **{"pass": "p"})
        client.send(line)
        client.wait_for_end(seconds=10)
        watcher.barrier()
        equal(len(watcher.messages), before, line)


@behaviour
def a_mapping_is_an_event_also_where_the_subject_stays(side):
    server = side.start('mappings { same: same, half: [ { destination: other, weight: 0 } ] }\n')
    client = side.connect(server.port)
    client.send("SUB tr 1\r\n")
    headers = "NATS/1.0\r\nNats-Trace-Dest: tr\r\n\r\n"
    for count, (subject, expected) in enumerate([
            ("same", ["in", "sm"]), ("half", ["in", "sm"]), ("none", ["in"])], 1):
        client.send(f"HPUB {subject} {len(headers)} {len(headers)}\r\n{headers}\r\n")
        client.wait_for(lambda it, wanted=count: len(it.messages) >= wanted, what=subject)
        events = json.loads(client.messages[-1][1])["events"]
        equal([each["type"] for each in events], expected, subject)
        equal([each["to"] for each in events if each["type"] == "sm"],
              [subject] * (len(expected) - 1))


@behaviour
def a_trace_ends_at_the_answer_of_another_account(side):
    server = side.start("accounts {\n"
                        "  A { users: [ { user: a, password: p } ],\n"
                        "      exports: [ { service: svc, allow_trace: true } ] }\n"
                        "  B { users: [ { user: b, password: p } ],\n"
                        "      imports: [ { service: { account: A, subject: svc }, to: ask } ] } }\n")
    responder = side.connect(server.port, user="a", **{"pass": "p"})
    asker = side.connect(server.port, user="b", **{"pass": "p"})
    responder.send("SUB svc 1\r\nSUB tr 2\r\n")
    asker.send("SUB inbox 1\r\nSUB tr 2\r\n")
    assert responder.barrier() and asker.barrier()
    headers = "NATS/1.0\r\nNats-Trace-Dest: tr\r\n\r\n"
    sized = f"{len(headers)} {len(headers)}\r\n{headers}\r\n"
    asker.send(f"HPUB ask inbox {sized}")
    responder.wait_for(lambda it: it.messages, what="the request")
    asker.wait_for(lambda it: it.messages, what="the event about the request")
    event = json.loads(asker.messages[0][1])
    equal([each["type"] for each in event["events"]], ["in", "si", "eg"])
    equal(event["request"]["header"]["Nats-Trace-Dest"], ["tr"])
    control, request = responder.messages[0]
    # Where events go is the asker's business.
    equal(re.findall(rb"Nats-Trace-Dest: (_R_\.)?", request), [b"_R_."])
    reply = control.split()[3].decode()
    responder.send(f"HPUB {reply} {sized}")
    responder.wait_for(lambda it: len(it.messages) == 2, what="the event about the answer")
    events = json.loads(responder.messages[1][1])["events"]
    equal([each["type"] for each in events], ["in", "si"])
    equal([events[1][name] for name in ("acc", "from", "to")], ["B", reply, "inbox"])
    asker.wait_for(lambda it: len(it.messages) == 2, what="the answer")
    matches("Nats-Trace-Dest: trace disabled\r\n", asker.messages[1][1].decode())
