# SPDX-License-Identifier: Apache-2.0
"""Too many of something that would be fine alone."""
import json
import resource
import socket
import struct
import threading
import time

from attack import MIB, attack, connection, varz, wait_until

# "secret", cost 11: about a tenth of a second.
SLOW_HASH = "$2a$11$abcdefghijklmnopqrstuuViuGI07N4McP9Kl.tD6XMEzyuvcY8LG"
TIMED_OUT = b"-ERR 'Authentication Timeout'\r\n"
VIOLATION = b"-ERR 'Authorization Violation'\r\n"


def _many_descriptors():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 20_000), hard))


@attack("authorization { token: t }\n", login={"auth_token": "t"}, monitored=True)
def half_open_connections_are_timed_out(server):
    _many_descriptors()
    clients = []
    for index in range(1500):
        client = connection(server.port)
        client.send((b"", b"C", b"CONNECT {", b"CONNECT ")[index % 4])
        clients.append(client)
    for each in clients:
        assert each.wait_for_end().endswith(TIMED_OUT), each.received[-100:]
        each.close()
    wait_until(lambda: varz(server)["connections"] == 1, "one connection")


@attack("""authorization { token: t, timeout: 3 }
websocket { listen: "127.0.0.1:-1", no_tls: true }
""", login={"auth_token": "t"}, monitored=True)
def five_thousand_strangers_keep_nobody_out(server):
    _many_descriptors()
    before = server.memory_bytes()
    web = int(server.ports["websocket"][0].rsplit(":", 1)[1])
    beginnings = ((server.port, b""), (server.port, b"CONNECT {\"auth_token\":\"x"),
                  (web, b""), (web, b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"))
    strangers = []
    for index in range(5000):
        port, text = beginnings[index % len(beginnings)]
        strangers.append(connection(port))
        strangers[-1].send(text)
        if index % 500 == 499:
            member = connection(server.port)
            member.connect(auth_token="t").send(b"PING\r\n")
            member.wait_for(b"PONG\r\n")
            member.close()
    grown = server.memory_bytes() - before
    assert grown < 64 * MIB, f"memory grew by {grown / MIB:.1f} MiB"
    for each in strangers:
        each.wait_for_end()
        each.close()
    wait_until(lambda: varz(server)["connections"] == 1, "one connection")
    return f"memory grew by {grown / MIB:.1f} MiB"


@attack(monitored=True)
def idle_connections_cost_others_nothing(server):
    _many_descriptors()
    before = server.memory_bytes()
    clients = [connection(server.port) for _ in range(1500)]
    wait_until(lambda: varz(server)["connections"] == 1501, "1,501 connections")
    grown = server.memory_bytes() - before
    for each in clients:
        each.close()
    wait_until(lambda: varz(server)["connections"] == 1, "one connection")
    assert grown < 24 * MIB, f"memory grew by {grown / MIB:.1f} MiB"
    return f"{grown / 1500 / 1024:.1f} KiB for each"


@attack(monitored=True)
def connections_that_come_and_go_leave_nothing(server):
    before = server.memory_bytes()
    for _ in range(5):
        for _ in range(400):
            client = connection(server.port)
            client.connect().send(b"SUB a.* 1\r\nSUB b q 2\r\nPUB c 0\r\n\r\n")
            client.close()
    wait_until(lambda: varz(server)["connections"] == 1, "one connection")
    grown = server.memory_bytes() - before
    assert grown < 60 * MIB, f"memory grew by {grown / MIB:.1f} MiB"
    return f"memory grew by {grown / MIB:.1f} MiB"


@attack("max_connections: 50\n", monitored=True, bystander=False)
def more_connections_than_allowed_are_told_so(server):
    clients = [connection(server.port) for _ in range(50)]
    wait_until(lambda: varz(server)["connections"] == 50, "50 connections")
    for _ in range(200):
        extra = connection(server.port)
        assert extra.wait_for_end().endswith(b"-ERR 'maximum connections exceeded'\r\n"), \
            extra.received
        extra.close()
    for each in clients:
        each.close()
    wait_until(lambda: varz(server)["connections"] == 0, "no connection")


@attack(monitored=True)
def a_flood_of_subscriptions_stays_small(server):
    client = connection(server.port)
    client.connect().send(b"PING\r\n")
    client.wait_for(b"PONG\r\n")
    before = server.memory_bytes()
    for start in range(0, 150_000, 5_000):
        client.send(b"".join(b"SUB flood.%d.x %d\r\n" % (index, index)
                             for index in range(start, start + 5_000)))
    client.send(b"PING\r\n")
    client.received = b""
    client.wait_for(b"PONG\r\n")
    grown = server.memory_bytes() - before
    assert b"-ERR" not in client.received
    wait_until(lambda: varz(server)["subscriptions"] >= 150_000, "150,000 subscriptions")
    client.send(b"PUB flood.149999.x 0\r\n\r\n")
    client.wait_for(b"MSG flood.149999.x 149999 0\r\n")
    client.close()
    wait_until(lambda: varz(server)["subscriptions"] < 1000, "the subscriptions gone")
    assert grown < 60 * MIB, f"memory grew by {grown / MIB:.1f} MiB"
    return f"{grown / MIB:.1f} MiB, {grown / 150_000:.0f} bytes each"


@attack(monitored=True)
def pages_about_many_subscriptions_cost_others_nothing(server):
    client = connection(server.port)
    client.connect().send(b"".join(b"SUB page.%d.x %d\r\n" % (index, index)
                                   for index in range(150_000)) + b"PING\r\n")
    client.wait_for(b"PONG\r\n")
    other = connection(server.port)
    other.connect(name="other").send(b"SUB page.7.x 1\r\nPING\r\n")
    other.wait_for(b"PONG\r\n")
    begin = time.monotonic()
    for _ in range(5):
        page = json.loads(server.monitoring("/connz?subs=1&sort=subs&limit=1"))
        assert len(page["connections"][0]["subscriptions_list"]) == 150_000
        page = json.loads(server.monitoring("/subsz?subs=1&offset=149990&limit=5"))
        assert (page["total"] >= 150_001, len(page["subscriptions_list"])) == (True, 5)
        page = json.loads(server.monitoring("/subsz?subs=1&test=page.7.x"))
        assert page["total"] == 2, page["total"]
    client.close()
    other.close()
    return f"15 pages in {time.monotonic() - begin:.1f} s"


@attack(monitored=True)
def connections_with_very_many_subscriptions_leave_at_once(server):
    """Nothing is delivered to them any more, nobody is held up, and nothing is left of them."""
    other = connection(server.port)
    other.connect(no_responders=True).send(b"SUB work q 1\r\nSUB answer 2\r\nPING\r\n")
    other.wait_for(b"PONG\r\n")
    lines = b"".join(b"SUB gone.%d.x %d\r\n" % (index, index) for index in range(150_000))
    for _ in range(3):
        client = connection(server.port)
        client.connect().send(lines + b"SUB work q 200000\r\nSUB gone.*.y 200001\r\nPING\r\n")
        client.wait_for(b"PONG\r\n")
        client.close()
        wait_until(lambda: varz(server)["connections"] == 2, "two connections")
        other.received = b""
        other.send(b"PUB work 0\r\n\r\n" * 50 + b"".join(
            b"PUB %s answer 0\r\n\r\n" % subject
            for subject in (b"gone.0.x", b"gone.70000.x", b"gone.149999.x", b"gone.1.y")) + b"PING\r\n")
        other.wait_for(b"PONG\r\n")
        counts = other.received.count(b"MSG work 1 0\r\n"), other.received.count(b"NATS/1.0 503")
        assert counts == (50, 4), counts
        wait_until(lambda: varz(server)["subscriptions"] < 1000, "the subscriptions gone")
    other.close()


@attack("max_subscriptions: 1000\n")
def a_flood_of_subscriptions_ends_at_the_limit(server):
    client = connection(server.port)
    client.connect().send(b"".join(b"SUB limit.%d %d\r\n" % (index, index)
                                   for index in range(20_000)) + b"PING\r\n")
    client.wait_for(b"PONG\r\n")
    assert client.received.count(b"-ERR 'maximum subscriptions exceeded'\r\n") == 19_000
    client.close()


@attack()
def subscriptions_that_come_and_go_cost_others_nothing(server):
    client = connection(server.port)
    client.connect()
    for start in range(0, 100_000, 2_000):
        client.send(b"".join(b"SUB churn.*.%d %d\r\nUNSUB %d\r\n" % (index, index, index)
                             for index in range(start, start + 2_000)))
    client.send(b"PING\r\n")
    client.wait_for(b"PONG\r\n")
    client.close()


@attack("""authorization { timeout: 60, users = [
  { user: fast, password: fast }, { user: slow, password: "%s" } ] }
""" % SLOW_HASH, login={"user": "fast", "pass": "fast"}, monitored=True)
def logins_with_a_slow_hash_wait_for_each_other_only(server):
    right, wrong = [], []
    for index in range(24):
        client = connection(server.port, 60)
        client.connect(user="slow", **{"pass": "secret" if index % 2 else "wrong"})
        client.send(b"PING\r\n")
        (right if index % 2 else wrong).append(client)
    begin = time.monotonic()
    for each in right:
        each.wait_for(b"PONG\r\n")
    for each in wrong:
        assert each.wait_for_end().endswith(VIOLATION), each.received[-100:]
    return f"24 logins in {time.monotonic() - begin:.1f} s"


@attack("""authorization { timeout: 60, users = [
  { user: fast, password: fast }, { user: slow, password: "%s" } ] }
""" % SLOW_HASH, login={"user": "fast", "pass": "fast"}, monitored=True)
def logins_that_do_not_wait_for_the_answer_are_forgotten(server):
    for _ in range(30):
        client = connection(server.port)
        client.connect(user="slow", **{"pass": "wrong"})
        client.close()
    wait_until(lambda: varz(server)["connections"] == 1, "one connection", 60)


SLOW_USERS = """authorization { timeout: 60, users = [
  { user: fast, password: fast }, { user: slow, password: "%s" } ] }
""" % SLOW_HASH


@attack(SLOW_USERS, login={"user": "fast", "pass": "fast"}, monitored=True, tries=1)
def what_comes_behind_a_login_that_waits_is_little(server):
    _many_descriptors()
    before = server.memory_bytes()
    clients = []
    for _ in range(1000):
        client = connection(server.port)
        client.socket.settimeout(0.05)
        client.connect(user="slow", **{"pass": "wrong"})
        client.send(b"PUB x 5\r\nhello\r\n" * 16000)
        clients.append(client)
    grown = server.memory_bytes() - before
    for each in clients:
        each.close()
    assert grown < 16 * MIB, f"memory grew by {grown / MIB:.1f} MiB"
    return f"memory grew by {grown / MIB:.1f} MiB"


@attack(SLOW_USERS, login={"user": "fast", "pass": "fast"}, monitored=True, tries=1)
def a_flood_of_logins_from_one_address_leaves_room_for_others(server):
    """Nobody waits for the answers, and there are more than may be open."""
    for _ in range(17_000):
        client = connection(server.port)
        client.connect(user="slow", **{"pass": "wrong"})
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 0, 0))
        client.close()
    other = socket.create_connection(("127.0.0.1", server.port), 10, ("127.0.0.2", 0))
    other.settimeout(20)
    other.sendall(b'CONNECT {"verbose":false,"user":"slow","pass":"secret"}\r\nPING\r\n')
    received = b""
    while b"PONG" not in received:
        data = other.recv(4096)
        assert data, received[-200:]
        received += data
    other.close()


@attack('authorization { token: t }\n', login={"auth_token": "t"}, monitored=True, tries=1)
def strangers_leave_little_when_they_go(server):
    before = server.memory_bytes()
    for _ in range(3000):
        client = connection(server.port)
        client.connect(auth_token="x", name="n" * 60_000)
        client.wait_for_end()
        client.close()
    grown = server.memory_bytes() - before
    assert grown < 80 * MIB, f"memory grew by {grown / MIB:.1f} MiB"
    return f"memory grew by {grown / MIB:.1f} MiB"


@attack(monitored=True, tries=1)
def subscriptions_of_those_who_went_are_little(server):
    before = server.memory_bytes()
    many = b"".join(b"SUB %s.%d %d\r\n" % (b"s" * 300, index, index) for index in range(1000))
    for _ in range(300):
        client = connection(server.port)
        client.connect().send(many + b"PING\r\n")
        client.wait_for(b"PONG\r\n")
        client.close()
    grown = server.memory_bytes() - before
    assert grown < 80 * MIB, f"memory grew by {grown / MIB:.1f} MiB"
    return f"memory grew by {grown / MIB:.1f} MiB"


@attack()
def a_flood_of_pings_that_nobody_reads_is_bounded(server):
    before = server.memory_bytes()
    client = connection(server.port, 3)
    sent = 0
    block = b"PING\r\n" * 20_000
    try:
        for _ in range(100):
            client.socket.sendall(block)
            sent += len(block)
    except OSError:
        pass  # The server reads no more of it, or has closed: both are answers.
    grown = server.memory_bytes() - before
    client.close()
    assert grown < 80 * MIB, f"memory grew by {grown / MIB:.1f} MiB"
    return f"{sent / MIB:.1f} MiB of PINGs, memory grew by {grown / MIB:.1f} MiB"


@attack()
def a_flood_of_connects_is_served(server):
    client = connection(server.port)
    text = b'CONNECT {"verbose":false,"name":"%s"}\r\n' % (b"n" * 500)
    for _ in range(100):
        client.send(text * 50)
    client.send(b"PING\r\n")
    client.wait_for(b"PONG\r\n")
    client.close()


@attack()
def publishers_to_nobody_do_not_starve_others(server):
    stop = threading.Event()
    block = b"".join(b"PUB nobody.%d 16\r\n0123456789abcdef\r\n" % index for index in range(500))

    def flood():
        client = connection(server.port)
        client.connect()
        while not stop.is_set() and client.send(block):
            pass
        client.close()

    threads = [threading.Thread(target=flood) for _ in range(3)]
    for each in threads:
        each.start()
    time.sleep(3)
    stop.set()
    for each in threads:
        each.join()
