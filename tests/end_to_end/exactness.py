# SPDX-License-Identifier: Apache-2.0
"""What nobody configures on purpose, and what only logs tell: as nats-server does it all the same."""
import json
import socket
import time

from auth_callout import CONFIGURATION, admit, service
from identity import is_in, is_refused, log_in_by_jwt, operated
from nkeys import account_jwt, key, operator_jwt
from resolvers import accounts_server, observed
from suite import behaviour, equal, is_logged, reload_with, wait_until
from tls import SERVER

EXCEEDED = "-ERR 'maximum subscriptions exceeded'"


def is_ended(client):
    assert client.wait_for_end()
    equal(client.errors, [EXCEEDED])


@behaviour
def who_may_have_no_subscription_is_not_kept(side):
    world = operated(side)
    for limit in (0, -2):
        is_ended(world.connect(world.token(subs=limit)))
    is_in(world.connect(world.token(subs=1)))
    is_in(world.connect(world.token(payload=0, data=0)))
    wait_until(lambda: [each["reason"] for each in world.connections("state=closed")] ==
               ["Maximum Subscriptions Exceeded"] * 2)
    is_logged(world.server, r"\[ERR\] .* - maximum subscriptions exceeded\n")
    world = operated(side, limits={"subs": 0})
    is_ended(world.connect(world.token()))


@behaviour
def nothing_may_be_published_where_the_limit_is_no_number(side):
    world = operated(side)
    client = world.connect(world.token(payload=-2))
    client.send("PUB a 1\r\nx\r\n")
    assert client.wait_for_end()
    equal(client.errors, ["-ERR 'Maximum Payload Violation'"])


@behaviour
def what_is_pushed_to_memory_holds_until_a_reload(side):
    world = observed(side)
    name = lambda: json.loads(world.server.monitoring(
        "/accountz?acc=" + world.account.public))["account_detail"]["name_tag"]
    client = world.connect(world.token())
    newer = account_jwt(world.operator, world.account, "NEWER", more={"iat": int(time.time()) + 1})
    for _ in range(2):
        equal(world.update(newer)["data"]["code"], 200)
        equal(name(), "NEWER")
        with open(world.server.config_path, encoding="utf-8") as file:
            text = file.read().split("\n", 1)[1]
        reload_with(world.server, text)
        equal(name(), "A")
        is_in(client)


@behaviour
def memory_learns_of_no_account_that_it_does_not_have(side):
    world = observed(side)
    other, user = key("A"), key("U")
    world.update(account_jwt(world.operator, other, "B"), other)
    is_refused(log_in_by_jwt(side, world.server, other, user))


@behaviour
def an_account_that_is_missing_is_looked_for_each_time(side):
    operator, system, account, user = key("O"), key("A"), key("A"), key("U")
    known = {system.public: account_jwt(operator, system, "SYS")}
    web = accounts_server(known)
    try:
        server = side.start(f"operator: {operator_jwt(operator, system_account=system.public)}\n"
                            f"resolver: URL(\"http://{web.place}\")\n", "-D")
        asked = len(web.authorizations)
        for _ in range(3):
            is_refused(log_in_by_jwt(side, server, account, user))
        equal(len(web.authorizations) - asked, 3)
        known[account.public] = account_jwt(operator, account, "A")
        is_in(log_in_by_jwt(side, server, account, user))
        took = rf"\[DBG\] Account \[{account.public}\] fetch took [\d.]+[mµn]?s\n"
        is_logged(server, took + r"(?:.*\n)*?.*\[WRN\] Account fetch failed: ",
                  took + rf".*\[DBG\] Updating account claims: {account.public}/A\n")
    finally:
        web.end()


@behaviour
def who_waits_for_a_service_as_a_user_that_goes_goes_too(side):
    text = CONFIGURATION.replace("timeout: 1\n", "timeout: 4\n") + "no_auth_user: known\n"
    without = text.replace("{ user: known, password: known }", "").replace("no_auth_user: known", "")
    for beginning in ("PING\r\n", 'CONNECT {"verbose":false}\r\nPING\r\n',
                      'CONNECT {"verbose":false,"user":"known","pass":"known"}\r\nPING\r\n'):
        server = side.start(text)
        decider = service(side, server, admit)
        client = side.open(server.port)
        client.send(beginning)
        decider.client.wait_for(lambda it: it.messages, what="a question")
        reload_with(server, without)
        assert client.wait_for_end(3), beginning
        equal(client.operations[1:], [])


@behaviour
def who_leaves_a_secure_websocket_early_is_logged(side):
    server = side.start('websocket { listen: "127.0.0.1:-1", '
                        'tls { cert_file: "%s", key_file: "%s" } }\n' % SERVER)
    port = int(server.ports["websocket"][0].rsplit(":", 1)[1])
    for said, why in ((b"", "EOF"), (b"\x16", "unexpected EOF"), (b"GET", "unexpected EOF"),
                      (b"\x16\x03\x01\x00", "unexpected EOF"), (b"\x16\x03\x01\x00\x05", "unexpected EOF"),
                      (b"\x16\x03\x01\x00\x02\x01\x00", "EOF"),
                      (b"\x16\x03\x01\x00\x02\x01\x00\x16", "unexpected EOF")):
        start = len(server.log())
        with socket.create_connection(("127.0.0.1", port), 5) as stranger:
            stranger.sendall(said)
            stranger.shutdown(socket.SHUT_WR)
            equal(stranger.recv(100), b"")
        pattern = rf"\[ERR\] websocket: TLS handshake error from 127\.0\.0\.1:\d+: {why}\n"
        assert server.wait_for_log(pattern, 5, start), (said, server.log()[start:])


@behaviour
def http_for_a_secure_websocket_may_come_in_pieces(side):
    server = side.start('websocket { listen: "127.0.0.1:-1", '
                        'tls { cert_file: "%s", key_file: "%s" } }\n' % SERVER)
    port = int(server.ports["websocket"][0].rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port), 5) as stranger:
        stranger.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in (b"G", b"ET", b" / HTTP/1.1\r\n"):
            stranger.sendall(piece)
            time.sleep(0.02)
        answer = b""
        while part := stranger.recv(1000):
            answer += part
    equal(answer, b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n")


@behaviour
def a_ping_that_is_not_needed_is_put_off(side):
    server = side.start('ping_interval: "250ms"\n', "-D")
    client = side.connect(server.port)
    client.wait_for(lambda it: b"PING" in it.operations, what="PING")
    client.send("PONG\r\n")
    pattern = r"\[DBG\] \S+ - cid:\d+ - Delaying PING due to remote client data or ping 0s ago\n"
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and "Delaying PING" not in server.log():
        assert client.barrier()
        time.sleep(0.02)
    is_logged(server, pattern)
