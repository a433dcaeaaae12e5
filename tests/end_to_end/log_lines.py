# SPDX-License-Identifier: Apache-2.0
"""Lines of the log that people search for, to the letter."""
import contextlib
import re
import socket
import time

from identity import operated
from nkeys import key, user_jwt
from suite import behaviour, is_logged, matches, pipits_own, wait_until

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
