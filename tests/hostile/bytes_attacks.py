# SPDX-License-Identifier: Apache-2.0
"""Bytes that no client should send."""
import random
import time

from attack import MIB, answer, attack, connection

UNKNOWN = b"-ERR 'Unknown Protocol Operation'\r\n"
TOO_LONG = b"-ERR 'maximum control line exceeded'\r\n"
TOO_LARGE = b"-ERR 'Maximum Payload Violation'\r\n"
INVALID = b"-ERR 'Invalid Subject'\r\n"


@attack()
def garbage_is_an_unknown_operation(server):
    for _ in range(300):
        # An upper bit in the first byte: no operation begins so.
        data = bytes([random.randrange(128, 256)]) + random.randbytes(random.randrange(0, 3000))
        assert answer(server.port, data) == UNKNOWN
    for data in (b"\x16\x03\x01\x02\x00" + b"\x00" * 500, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
                 b"\x00" * 10000, b"\r\n" * 1000, b"\xff" * 100000, b"*1\r\n$4\r\nPING\r\n"):
        assert answer(server.port, data) == UNKNOWN, data[:20]


@attack()
def garbage_after_a_connect_closes_too(server):
    for _ in range(300):
        client = connection(server.port)
        client.connect().send(random.randbytes(random.randrange(1, 3000)))
        # It may have begun like an operation that waits for more.
        client.end()
        client.wait_for_end()
        client.close()


@attack()
def bytes_that_come_one_by_one_are_served(server):
    text = (b"CONNECT {\"verbose\":false}\r\nSUB dribble 1\r\nPUB dribble 5\r\nhello\r\n"
            b"UNSUB 1\r\nPING\r\n")
    clients = [connection(server.port) for _ in range(100)]
    for byte in text:
        for each in clients:
            each.send(bytes([byte]))
    for each in clients:
        each.wait_for(b"PONG\r\n")
        assert b"\r\nMSG dribble 1 5\r\nhello\r\n" in each.received, each.received[-200:]
        each.close()


@attack()
def half_a_line_waits_and_costs_others_nothing(server):
    clients = []
    for half, rest in ((b"P", b"ING\r\n"), (b"PUB a", b" 0\r\n\r\n"), (b"PUB a 5\r\nhe", b"llo\r\n"),
                       (b"SUB a ", b"1\r\n"), (b"CONNECT {", b"}\r\n"), (b"UNSUB ", b"1\r\n"), (b"PING", b"\r\n"),
                       (b"CONNECT {\"headers\":true}\r\nHPUB a 12 12\r\nNATS/1.0\r\n", b"\r\n\r\n"),
                       (b"+O", b"K\r\n"), (b"INFO {", b"}\r\n")):
        for _ in range(20):
            client = connection(server.port)
            client.send(half)
            clients.append((client, rest))
    time.sleep(1)  # The bystander measures meanwhile.
    for client, rest in clients:
        client.send(rest + b"PING\r\n")
    for client, _ in clients:
        client.wait_for(b"PONG\r\n")
        assert b"-ERR" not in client.received, client.received[-200:]
        client.close()


@attack()
def endless_lines_end_at_the_limit(server):
    before = server.memory_bytes()
    for name in (b"SUB ", b"PUB ", b"HPUB ", b"UNSUB ", b"CONNECT {", b"INFO {", b"-ERR '"):
        assert answer(server.port, name + b"a" * 5000) == TOO_LONG, name
        client = connection(server.port)
        client.send(name)
        for _ in range(64):
            if not client.send(b"a" * MIB):
                break
        assert client.wait_for_end().endswith(TOO_LONG), name
        client.close()
    grown = server.memory_bytes() - before
    assert grown < 24 * MIB, f"memory grew by {grown / MIB:.1f} MiB"
    return f"memory grew by {grown / MIB:.1f} MiB"


@attack()
def endless_text_after_ping_costs_no_memory(server):
    before = server.memory_bytes()
    for name in (b"PING ", b"PONG ", b"+OK "):
        client = connection(server.port)
        client.send(name)
        for _ in range(32):
            if not client.send(b"a" * MIB):
                break
        client.send(b"\r\nPING\r\n")
        client.wait_for(b"PONG\r\n")
        client.close()
    grown = server.memory_bytes() - before
    assert grown < 24 * MIB, f"memory grew by {grown / MIB:.1f} MiB"
    return f"memory grew by {grown / MIB:.1f} MiB"


@attack()
def endless_blanks_cost_no_memory(server):
    before = server.memory_bytes()
    for name in (b"SUB ", b"PUB ", b"CONNECT "):
        client = connection(server.port)
        for part in [name] + [b" " * MIB] * 16:
            if not client.send(part):
                break
        client.close()
    grown = server.memory_bytes() - before
    assert grown < 24 * MIB, f"memory grew by {grown / MIB:.1f} MiB"


@attack()
def huge_and_negative_sizes_are_refused(server):
    for size in (b"-1", b"-9223372036854775808", b"9223372036854775807", b"99999999999999999999999",
                 b"4294967296", b"2147483648", b"0x7fffffff", b"1e9", b"+1", b"1234567890", b""):
        for line in (b"PUB a %s\r\n", b"PUB a b %s\r\n", b"HPUB a 0 %s\r\n", b"HPUB a %s 5\r\n",
                     b"HPUB a b %s 5\r\n"):
            got = answer(server.port, line % size + b"hello\r\n", login={})
            assert got == b"", (line % size, got)
    for size in (b"1048577", b"2097152", b"999999999"):
        for line in (b"PUB a %s\r\n", b"HPUB a 0 %s\r\n"):
            got = answer(server.port, line % size, login={})
            assert got == TOO_LARGE, (line % size, got)


@attack()
def a_large_size_that_never_comes_reserves_nothing(server):
    before = server.memory_bytes()
    clients = []
    for _ in range(200):
        client = connection(server.port)
        client.connect().send(b"PUB a 1048576\r\nx")
        clients.append(client)
    time.sleep(0.5)
    grown = server.memory_bytes() - before
    for each in clients:
        each.close()
    assert grown < 24 * MIB, f"memory grew by {grown / MIB:.1f} MiB"
    return f"200 promises of 1 MiB cost {grown / MIB:.1f} MiB"


@attack()
def a_header_longer_than_the_message_is_refused(server):
    for line in (b"HPUB a 6 5\r\nhello\r\n", b"HPUB a b 12 0\r\n\r\n", b"HPUB a 999999999 1\r\n",
                 b"HPUB a 1048577 1048576\r\n"):
        got = answer(server.port, line, login={})
        assert got == b"", (line, got)


@attack()
def invalid_utf8_is_carried_and_never_fatal(server):
    subject, payload = b"\xff\xfe.\x80", b"\xc3\x28\xf0\x28\x8c\x28"
    client = connection(server.port)
    client.connect().send(b"SUB " + subject + b" \xfe\r\nPUB " + subject + b" \x80 6\r\n" + payload
                          + b"\r\nPING\r\n")
    client.wait_for(b"PONG\r\n")
    assert b"MSG " + subject + b" \xfe \x80 6\r\n" + payload in client.received, client.received
    client.close()
    for name in (b'"\xff\xfe"', b'"\xc0\xaf"', b'"\\ud800"', b'"\xed\xa0\x80"'):
        client = connection(server.port)
        client.send(b'CONNECT {"verbose":false,"name":' + name + b"}\r\nPING\r\n")
        client.wait_for(b"PONG\r\n")
        client.close()


@attack("max_control_line: 2MB\n")
def connect_json_of_450000_levels_closes_without_an_answer(server):
    for text in (b"[" * 450_000 + b"]" * 450_000, b"[" * 450_000, b'{"a":' * 400_000,
                 b'{"a":' * 225_000 + b"1" + b"}" * 225_000, b'{"x":' + b"[" * 450_000,
                 b'{"name":' + b"[{\"a\":" * 60_000):
        got = answer(server.port, b"CONNECT " + text + b"\r\n")
        assert got == b"", got[:100]


@attack()
def connect_json_of_450000_levels_ends_at_the_limit(server):
    for text in (b"[" * 450_000, b'{"a":' * 450_000):
        assert answer(server.port, b"CONNECT " + text + b"\r\n") == TOO_LONG


@attack("max_control_line: 2MB\n")
def info_json_of_450000_levels_is_no_better(server):
    assert answer(server.port, b"INFO " + b"[" * 450_000 + b"\r\n") == b""


@attack("max_control_line: 2MB\n")
def a_connect_of_many_members_is_read(server):
    members = ",".join(f'"k{index}":{index}' for index in range(100_000)).encode()
    client = connection(server.port)
    client.send(b'CONNECT {"verbose":false,' + members + b"}\r\nPING\r\n")
    client.wait_for(b"PONG\r\n")
    client.close()


@attack()
def subjects_of_many_tokens_are_served(server):
    client = connection(server.port)
    client.connect()
    wild = b".".join([b"*"] * 1800)
    literal = b".".join([b"a"] * 1800)
    client.send(b"SUB " + wild + b" 1\r\nSUB " + literal + b" 2\r\nSUB " + b"a." * 1800
                + b"> 3\r\n")
    for _ in range(200):
        client.send(b"PUB " + literal + b" 0\r\n\r\n")
    client.send(b"PING\r\n")
    client.wait_for(b"PONG\r\n")
    assert client.received.count(b"MSG ") == 400
    client.close()


@attack()
def wildcards_in_every_combination_are_served(server):
    client = connection(server.port)
    client.connect()
    tokens = 12
    for bits in range(1 << tokens):
        subject = ".".join("*" if bits >> place & 1 else "a" for place in range(tokens))
        client.send(f"SUB {subject} {bits}\r\n".encode())
    for _ in range(3):
        client.send(b"PUB " + b".".join([b"a"] * tokens) + b" 0\r\n\r\n")
    client.send(b"PING\r\n")
    client.wait_for(b"PONG\r\n")
    assert client.received.count(b"MSG ") == 3 << tokens
    client.close()
