# SPDX-License-Identifier: Apache-2.0
"""Lines of the log that people search for, to the letter."""
import time

from identity import operated
from nkeys import key, user_jwt
from suite import behaviour, matches

WHO = r'127\.0\.0\.1:\d+ - cid:\d+'
USER = WHO + r' - "\$G/user:u"'


def _logged(server, *patterns):
    for pattern in patterns:
        assert server.wait_for_log("(?m)" + pattern, 10), f"{pattern}\n{server.log()[-2500:]}"


def _in_order(server, *patterns):
    """Each of them is a line that comes after the one before."""
    _logged(server, *patterns)
    matches("(?s:.*)".join(patterns), server.log(), "log")


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
    _logged(server, rf"\[DBG\] {WHO} - Auto-unsubscribe limit of 1 reached for sid '1'$")
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
    _logged(world.server, rf'\[DBG\] {WHO} - Authenticated JWT: Client "{user}" '
            rf'\(claim-name: "n", claim-tags: \["x" "y:z"\]\) signed with "{account}" ' + end)
    by_key = user_jwt(signer, world.user, scoped_in=world.account, subs=-1, data=-1, payload=-1)
    world.connect(by_key)
    _logged(world.server, rf'\[DBG\] {WHO} - Authenticated JWT: Client "{user}" '
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
        _logged(world.server, rf'\[DBG\] {WHO} - "{account}/A/jwt:{user}" - '
                rf'{whose} Authentication Expired - Account:{account}/A - jwt:{user}$')
