# SPDX-License-Identifier: Apache-2.0
"""Lines of the log that people search for, to the letter."""
import contextlib
import re
import socket
import time

from identity import is_in, log_in_by_jwt, operated
from nkeys import account_jwt, key, operator_jwt, user_jwt
from suite import behaviour, equal, is_logged, matches, pipits_own, wait_until

WHO = r'127\.0\.0\.1:\d+ - cid:\d+'
USER = WHO + r' - "\$G/user:u"'


def _in_order(server, *patterns):
    """Each of them is a line that comes after the one before."""
    is_logged(server, "(?s:.*)".join(patterns))


@behaviour
def the_end_of_a_subscription_is_in_the_trace(side):
    server = side.start("", "-DV", "--user", "u", "--pass", "p")
    client = side.connect(server.port, user="u", **{"pass": "p"})
    client.send("SUB a 1\r\nUNSUB 1\r\nUNSUB 9\r\nSUB b q 2\r\nUNSUB 2 2\r\nSUB c 3\r\n")
    client.send("PUB b 1\r\nx\r\nPUB b 1\r\ny\r\n")
    client.barrier()
    client.stream.close()
    _in_order(server,
              rf"\[TRC\] {USER} - <<- \[UNSUB 1 ?\]$",
              rf"\[TRC\] {USER} - <-> \[DELSUB 1\]$",
              rf"\[DBG\] {USER} - Auto-unsubscribe limit of 2 reached for sid '2'$",
              rf"\[TRC\] {USER} - ->> \[MSG b 2 1\]$",
              rf"\[TRC\] {USER} - <-> \[DELSUB 2\]$",
              rf"\[DBG\] {USER} - Client connection closed: Client Closed$",
              rf"\[TRC\] {USER} - <-> \[DELSUB 3\]$")
    assert "DELSUB 9" not in server.log()


def _traced(server):
    """What the trace says of clients, without times and who they are."""
    return re.findall(r'\[TRC\] 127\.0\.0\.1:\d+ - cid:\d+ - (?:"\$G/user:u" - )?((?:<<-|->>|<->) .*)', server.log())


@behaviour
def a_session_is_in_the_trace_word_for_word(side):
    server = side.start('mappings { "a.*": "b.{{wildcard(1)}}" }\n', "-DV")
    client = side.open(server.port)
    # Who says a name is called so, also where nobody asks.
    connect = '{"verbose" :true,"user":"u","pass":"p","auth_token": "t","nkey":"","sig":"s","headers":true,"other":[1]}'
    client.send(f"CONNECT {connect}\r\nPING\r\nSUB  b.>   q  2\r\nPUB a.x  1\r\nx\r\n")
    client.send("HPUB a.y   r 12 12\r\nNATS/1.0\r\n\r\n\r\nUNSUB 2 7\r\nUNSUB 2\r\nPONG\r\nHPUB n 0 1\r\nx\r\n")
    client.send("SUB {x}?\r\n")
    assert client.wait_for_end()
    is_logged(server, "Client connection closed: Protocol Violation$")
    shown = connect
    for secret in ('"p"', '"t"', '""', '"s"'):
        shown = shown.replace(":" + secret, ':"[REDACTED]"').replace(": " + secret, ': "[REDACTED]"')
    expected = [
        f"<<- [CONNECT {shown}]", "->> [OK]", "<<- [PING]", "->> [PONG]", "<<- [SUB b.>   q  2]", "->> [OK]",
        "<<- [PUB a.x  1]", "<<- [MAPPING a.x -> b.x]", '<<- MSG_PAYLOAD: ["x"]', "->> [OK]",
        "->> [MSG b.x 2 1]", '->> MSG_PAYLOAD: ["x"]',
        "<<- [HPUB a.y   r 12 12]", "<<- [MAPPING a.y -> b.y]", r'<<- MSG_PAYLOAD: ["NATS/1.0\r\n\r\n"]', "->> [OK]",
        "->> [HMSG b.y 2 r 12 12]", r'->> MSG_PAYLOAD: ["NATS/1.0\r\n\r\n"]',
        "<<- [UNSUB 2 7]", "->> [OK]", "<<- [UNSUB 2]", "->> [OK]", "<-> [DELSUB 2]", "<<- [PONG]",
        "<<- [HPUB n 0 1]", '<<- MSG_PAYLOAD: ["x"]', "->> [OK]", "<<- [SUB {x}?]"]
    equal(_traced(server), expected)


@behaviour
def what_only_servers_send_ends_no_server_that_traces(side):
    server = side.start("", "-DV")
    client = side.connect(server.port)
    client.send("HMSG x\r\n\r\n")
    client.barrier()


@behaviour
def headers_alone_may_be_in_the_trace(side):
    server = side.start("trace_headers: true\n", "-DV")
    client = side.connect(server.port)
    client.send("PUB a 5\r\nhello\r\nHPUB a 17 21\r\nNATS/1.0\r\nA:b\r\n\r\nabcd\r\n")
    client.barrier()
    is_logged(server, r'<<- MSG_PAYLOAD: \["NATS/1\.0\\r\\nA:b"\]$')
    assert "hello" not in server.log() and "abcd" not in server.log()


@behaviour
def what_is_refused_is_told_before_it_is_logged(side):
    server = side.start("max_control_line: 512\n", "-DV")
    for data, text in (("XX\r\n", "Unknown Protocol Operation"),
                       ("PUB " + "a" * 600 + "\r\n", "maximum control line exceeded"),
                       ('CONNECT {"protocol":7}\r\n', "invalid client protocol"),
                       ('CONNECT {"no_responders":true}\r\n', "no responders requires headers support")):
        before = len(server.log())
        client = side.open(server.port)
        client.send(data if data.startswith("CONNECT") else "CONNECT {}\r\n" + data)
        assert client.wait_for_end()
        logged = "Client parser ERROR" if data.startswith("XX") else text
        found = server.wait_for_log(rf"->> \[-ERR {text}\]\n(?s:.*)\[ERR\] {WHO} - {logged}", 10, before)
        assert found, server.log()[before:]


@behaviour
def violations_and_imports_are_in_the_log(side):
    server = side.start("""accounts {
      A { users: [ {user: a, password: p, permissions: { subscribe: "b.>" }} ], imports: [ {stream: {account: B, subject: "s.>"}, to: "b.>"} ] }
      B { exports: [ {stream: "s.>"} ] }
    }
    """, "-D")
    client = side.connect(server.port, user="a", **{"pass": "p"})
    client.send("SUB x 1\r\nSUB x q 2\r\nSUB b.c 3\r\n")
    client.barrier()
    is_logged(server, 'Subscription Violation - Subject "x", SID 1$',
              'Subscription Violation - Subject "x", Queue: "q", SID 2$',
              r'\[DBG\] .* - Creating import subscription on "s\.c" from account "B"$')


@behaviour
def debug_tells_of_limits_but_not_of_ends(side):
    server = side.start("debug: true\n")
    client = side.connect(server.port)
    client.send("SUB a 1\r\nUNSUB 1 1\r\nPUB a 1\r\nx\r\n")
    client.barrier()
    is_logged(server, rf"\[DBG\] {WHO} - Auto-unsubscribe limit of 1 reached for sid '1'$")
    assert "DELSUB" not in server.log()


@behaviour
def the_ping_timer_is_in_the_log(side):
    server = side.start('ping_interval: "300ms"\n', "-DV", "--user", "u", "--pass", "p")
    side.connect(server.port, user="u", **{"pass": "p"})
    _in_order(server, rf"\[DBG\] {USER} - Client Ping Timer$", rf"\[TRC\] {USER} - ->> \[PING\]$")


@behaviour
def who_has_a_jwt_is_in_the_log(side):
    signer = key("A")
    world = operated(side, arguments=("-D",), signing_keys=[signer.public])
    world.connect(world.token(name="n", tags=["x", "y:z"]))
    account, user, operator = world.account.public, world.user.public, world.operator.public
    end = (rf'by Account "{account}" \(claim-name: "A", claim-tags: \[\]\) signed with "{operator}" '
           r'has mappings false accused 0x[0-9a-f]+$')
    is_logged(world.server, rf'\[DBG\] {WHO} - Authenticated JWT: Client "{user}" '
            rf'\(claim-name: "n", claim-tags: \["x" "y:z"\]\) signed with "{account}" ' + end)
    by_key = user_jwt(signer, world.user, scoped_in=world.account, subs=-1, data=-1, payload=-1)
    world.connect(by_key)
    is_logged(world.server, rf'\[DBG\] {WHO} - Authenticated JWT: Client "{user}" '
            rf'\(claim-name: ".*", claim-tags: \[\]\) signed with "{signer.public}" ' + end)
    assert by_key not in world.server.log()


@behaviour
def imports_that_nobody_allows_are_in_the_log(side):
    operator, giver, taker, missing, user = key("O"), key("A"), key("A"), key("A"), key("U")
    gives = account_jwt(operator, giver, exports=[{"name": "s", "subject": "open.>", "type": "stream"}])
    takes = account_jwt(operator, taker, "T", imports=[
        {"name": "s", "subject": "closed", "account": giver.public, "type": "stream"},
        {"name": "r", "subject": "help", "account": giver.public, "type": "service"},
        {"name": "m", "subject": "lost", "account": missing.public, "type": "stream"}])
    server = side.start(f"operator: {operator_jwt(operator)}\nresolver: MEMORY\nresolver_preload "
                        f"{{ {giver.public}: {gives}\n{taker.public}: {takes} }}\n", "-D")
    is_in(log_in_by_jwt(side, server, taker, user))
    to = re.escape(f"to account [{taker.public}/T]: ")
    is_logged(server, rf"\[DBG\] Error adding stream import {to}stream import not authorized$",
              rf"\[DBG\] Error adding service import {to}service import not authorized$")
    lost = rf"\[ERR\] Can't locate account \[{missing.public}\] for import of \[lost\] stream \(err=account missing\)\n"
    assert len(re.findall(lost, server.log())) == 1, server.log()


@behaviour
def whose_time_is_over_is_in_the_log(side):
    for whose in ("User", "Account"):
        soon = {"exp": int(time.time()) + 3}
        world = operated(side, arguments=("-D",), more=soon if whose == "Account" else None)
        client = world.connect(world.token(more=soon if whose == "User" else None))
        client.wait_for_end(seconds=15)
        account, user = world.account.public, world.user.public
        is_logged(world.server, rf'\[DBG\] {WHO} - "{account}/A/jwt:{user}" - '
                rf'{whose} Authentication Expired - Account:{account}/A - jwt:{user}$')


def _says(side, server, data):
    """What the log says of who sends this, until the connection ends."""
    before = len(server.log())
    client = side.connect(server.port)
    client.send(data)
    assert client.wait_for_end()
    wait_until(lambda: re.search(r"\[(ERR|WRN)\] .*\n", server.log()[before:]), what=f"a line about {data!r}")
    return re.search(r"\[(?:ERR|WRN)\] (.*)\n", server.log()[before:])[1]


@behaviour
def what_cannot_be_read_is_in_the_log_as_it_came(side):
    server = side.start()
    for data, text in (
            ("GET / HTTP/1.1\r\n\r\n", r'''Client parser ERROR, state=0, i=\d+: proto='"GET / HTTP/1.1\\r\\n\\r"...\''''),
            ("POST /x HTTP/1.1\r\n", r'''Client parser ERROR, state=37, i=\d+: proto='"ST /x HTTP/1.1\\r"...\''''),
            ("SUBX foo 1\r\n", r'''Client parser ERROR, state=45, i=\d+: proto='"X foo 1\\r"...\''''),
            ("\x00\x1b[31mX\r\n", r'''Client parser ERROR, state=0, i=\d+: proto='"\\x00\\x1b\[31mX\\r"...\''''),
            ("PUB a 2\r\nabcd\r\n", r'''Client parser ERROR, state=41, i=\d+: proto='"cd\\r"...\''''),
            ("SUB foo\r\n", 'processSub Parse Error: "foo"'),
            ("PUB foo\r\n", 'processPub Parse Error: "foo"'),
            ("PUB foo x\r\n", 'processPub Bad or Missing Size: "foo x"'),
            ("PUB foo 99999999\r\n", "maximum payload exceeded: 99999999 vs 1048576")):
        matches(rf"^{WHO} - {text}$", _says(side, server, data), "line")


@behaviour
def what_cannot_be_read_is_in_the_log_in_part(side):
    server = side.start()
    assert len(_says(side, server, "X" * 3000 + "\r\n")) < 200


@pipits_own
def what_cannot_be_read_is_in_the_log_without_secrets(side):
    server = side.start()
    for data in ('CONNECX {"user":"u","pass":"hunter2"}\r\n', '{"pass":"hunter2"}\r\n',
                 'CONNECT {"pass":"hunter2"\r\n', 'CONNECT {"verbose":"hunter2"}\r\n',
                 "GET /?token=hunter2 HTTP/1.1\r\n\r\n", "X\r\nAuthorization: hunter2\r\n"):
        _says(side, server, data)
    assert "hunter" not in server.log(), server.log()


@behaviour
def what_is_wrong_with_a_proxy_header_is_in_the_log(side):
    server = side.start("proxy_protocol: true\n", bare=True)
    binary = b"\r\n\r\n\0\r\nQUIT\n"
    for data, text in (
            (b"PROXY TCP4 1.2.3.4 5.6.7.8 x 2\r\n",
             'invalid source port: strconv.ParseUint: parsing "x": invalid syntax'),
            (b"PROXY TCP6 1.2.3.4 5.6.7.8 1 2\r\n", "invalid PROXY protocol header: TCP6 with IPv4 address"),
            (b"PROXY TCP4 1.2.3.4\r\n", "invalid PROXY protocol header: invalid v1 format"),
            (binary + b"\x11\x11\0\0", "invalid PROXY protocol header: invalid version 0x10"),
            (binary + b"\x22\x11\0\0", "unknown PROXY protocol command: 0x02"),
            (binary + b"\x21\x11\0\2ab", "IPv4 address data too short: 2 bytes"),
            (binary + b"\x21\x31\0\0", "unsupported PROXY protocol feature: unsupported address family 0x30"),
            (b"", "failed to read protocol version: EOF"),
            (b"PROXY TCP4 1.2", "failed to read v1 line: EOF"),
            (binary, "failed to read v2 header: EOF")):
        before = len(server.log())
        with socket.create_connection(("127.0.0.1", server.port), 10) as client:
            client.sendall(data)
            with contextlib.suppress(OSError):  # The server may have closed already.
                client.shutdown(socket.SHUT_WR)
            line = rf"\[WRN\] Error reading PROXY protocol header from 127\.0\.0\.1:\d+: {re.escape(text)}\n"
            wait_until(lambda: re.search(line, server.log()[before:]), what=f"{text!r} in {server.log()[before:]}")
