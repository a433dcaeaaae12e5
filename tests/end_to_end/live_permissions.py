# SPDX-License-Identifier: Apache-2.0
"""What a connection may do changes while it is open: its role, its JWT, the answer of a service."""
import json
import signal
import time

from auth_callout import CONFIGURATION, ISSUER, OTHER, admit, log_in, service, web_service
from identity import is_in, is_refused
from nkeys import claims_of, key, token, user_jwt
from resolvers import observed
from suite import behaviour, equal, is_logged, pipits_own

LIVE = "live_permissions: true\n"
PUBLISH = "-ERR 'Permissions Violation for Publish to \"{}\"'"
SUBSCRIBE = "-ERR 'Permissions Violation for Subscription to \"{}\"'"


def soon(seconds):
    return int(time.time()) + seconds


class with_role(observed):
    """Somebody is in by a scoped signing key."""

    def __init__(self, side, options=LIVE, template=None):
        self.role = key("A")
        super().__init__(side, resolver=f"{options}resolver: MEMORY",
                         signing_keys=[self.scope(template or {})],
                         arguments=() if side.is_reference else ("--loops", "2"))

    def scope(self, template):
        return {"kind": "user_scope", "key": self.role.public, "role": "r",
                "template": {"subs": -1, "data": -1, "payload": -1, **template}}

    def log_in(self, **options):
        client = self.connect(user_jwt(self.role, self.user, name="bob", scoped_in=self.account),
                              **options)
        is_in(client)
        return client

    def edit(self, template):
        answer = self.update(self.newer(signing_keys=[self.scope(template)]))
        equal(answer["data"]["message"], "jwt updated")


@behaviour
def an_edited_role_disconnects_unless_permissions_are_live(side):
    world = with_role(side, options="")
    client = world.log_in()
    world.edit({"pub": {"allow": ["new"]}})
    equal(client.wait_for_end(), True)
    equal(client.errors, [])


@pipits_own
def an_edited_role_holds_at_once_and_nobody_is_disconnected(side):
    world = with_role(side)
    readers = [world.log_in() for _ in range(4)]
    writer = world.connect(world.token())
    for number in range(20):
        is_denied = number % 2 == 1
        world.edit({"sub": {"deny": ["old.>"] if is_denied else ["none"]},
                    "pub": {"allow": ["{{name()}}.>", f"n{number}"]}})
        # Whoever has heard that it was changed, sees it changed.
        for reader in readers:
            reader.send(f"PUB n{number} 0\r\n\r\nPUB bob.x 0\r\n\r\n")
            if not is_denied:
                reader.send("SUB old.> 1\r\nSUB other.> 2\r\n")
            reader.barrier()
        body = str(number)
        writer.send(f"PUB old.x {len(body)}\r\n{body}\r\nPUB other.x 0\r\n\r\n")
        writer.barrier()
    for reader in readers:
        reader.barrier()
        heard = [int(body) for control, body in reader.messages
                 if control.startswith(b"MSG old.x")]
        equal(heard, list(range(0, 20, 2)))  # Not one message while it was denied.
        equal(len(reader.messages), 30)
        equal(reader.errors, [SUBSCRIBE.format("old.>")] * 10)
    equal(len(world.connections("state=closed")), 0)


@pipits_own
def an_edited_role_lets_nobody_in_from_elsewhere(side):
    world = with_role(side)
    client = world.log_in()
    world.edit({"src": ["10.0.0.0/8"]})
    is_refused(client)


@pipits_own
def a_reload_switches_live_permissions_on(side):
    world = with_role(side, options="")
    client = world.log_in()
    server = world.server
    with open(server.config_path, encoding="utf-8") as file:
        configuration = file.read()
    server.bare = True
    server.write_configuration(LIVE + configuration)
    server.signal(signal.SIGHUP)
    assert server.wait_for_log("Reloaded: live_permissions = true")
    assert server.wait_for_log("Reloaded server configuration")
    world.edit({"pub": {"deny": ["a"]}})
    client.send("PUB a 0\r\n\r\n")
    client.barrier()
    equal(client.errors, [PUBLISH.format("a")])


# --- A newer JWT of one's own ---

def connect_again(client, user, jwt, signer=None, nonce=None):
    signature = (signer or user).signature_of(nonce or client.info["nonce"])
    client.send("CONNECT " + json.dumps({"jwt": jwt, "sig": signature}) + "\r\n")


@behaviour
def a_second_connect_begins_anew_unless_permissions_are_live(side):
    world = observed(side)
    client = world.connect(world.token())
    client.send("SUB a 1\r\n")
    connect_again(client, world.user, world.token())
    client.send("PUB a 0\r\n\r\n")
    is_in(client)
    equal(client.messages, [])


@pipits_own
def a_newer_jwt_changes_what_an_open_connection_may_do(side):
    world = observed(side, resolver=LIVE + "resolver: MEMORY")
    client = world.connect(world.token(pub={"allow": ["a"]}, more={"exp": soon(30)}))
    client.send("SUB a 1\r\nSUB b 2\r\nPUB b 0\r\n\r\n")
    client.barrier()
    equal(client.errors, [PUBLISH.format("b")])
    connect_again(client, world.user, world.token(pub={"allow": ["b"]}, sub={"deny": ["a"]},
                                                  more={"exp": soon(2)}))
    client.send("PUB b 0\r\n\r\nPUB a 0\r\n\r\n")
    client.barrier()
    equal(client.errors[1:], [SUBSCRIBE.format("a"), PUBLISH.format("a")])
    equal([control for control, _ in client.messages], [b"MSG b 2 0"])
    # Its end is the newer one's.
    assert client.wait_for_end()
    equal(client.errors[-1], "-ERR 'User Authentication Expired'")


@pipits_own
def a_newer_jwt_is_judged_like_any_login(side):
    world = observed(side, resolver=LIVE + "resolver: MEMORY")
    stranger, other = key("A"), key("U")
    elsewhere = world.open().info["nonce"]
    attacks = {
        "another user's key": lambda it: connect_again(it, world.user, world.token(), signer=other),
        "another connection's signature": lambda it: connect_again(
            it, world.user, world.token(), nonce=elsewhere),
        "a stranger's account": lambda it: connect_again(
            it, world.user, user_jwt(stranger, world.user)),
        "a JWT that nobody signed": lambda it: connect_again(
            it, world.user, user_jwt(world.account, world.user, signer=stranger)),
        "one that is over": lambda it: connect_again(
            it, world.user, world.token(more={"exp": 1_500_000_000})),
        "from elsewhere": lambda it: connect_again(
            it, world.user, world.token(src=["10.0.0.0/8"])),
        "for others' ways to connect": lambda it: connect_again(
            it, world.user, world.token(allowed_connection_types=["WEBSOCKET"])),
        "no signature": lambda it: it.send(
            "CONNECT " + json.dumps({"jwt": world.token(), "sig": ""}) + "\r\n"),
    }
    for what, attack in attacks.items():
        client = world.connect(world.token())
        is_in(client)
        attack(client)
        client.wait_for_end()
        equal(client.errors, ["-ERR 'Authorization Violation'"], what)
    # By a role nobody gets more than its template says.
    role = key("A")
    scope = {"kind": "user_scope", "key": role.public, "role": "r",
             "template": {"subs": -1, "data": -1, "payload": -1, "pub": {"allow": ["a"]}}}
    world.update(world.newer(signing_keys=[scope]))
    client = world.connect(user_jwt(role, world.user, scoped_in=world.account))
    is_in(client)
    connect_again(client, world.user, user_jwt(role, world.user, scoped_in=world.account,
                                               pub={"allow": [">"]}))
    is_refused(client)
    # And who was revoked does not stay by an older one.
    old = world.token(pub={"allow": ["a"]})
    client = world.connect(world.token(more={"iat": soon(60)}))
    world.update(world.newer(revocations={world.user.public: soon(30)}))
    is_in(client)
    connect_again(client, world.user, old)
    is_refused(client)


# --- A service that is asked again ---

def admit_for(request, seconds, signer=ISSUER, **rights):
    """As `admit`, by a service that wants to be asked again."""
    response = claims_of(admit(request, name="bob", issuer=signer, **rights))
    response["nats"]["refresh"] = seconds
    response.pop("iss")
    return token(signer, response)


@pipits_own
def a_service_changes_what_somebody_may_do(side):
    server = side.start(LIVE + CONFIGURATION)
    decider = service(side, server, lambda request: admit_for(request, 1))
    client = log_in(side, server, serving=decider, user="u", **{"pass": "secret"})
    client.send("SUB a 1\r\nSUB b 2\r\n")
    client.barrier()
    # Silence and other people's answers change nothing.
    decider.decide = lambda request: None
    decider.serve()
    decider.decide = lambda request: admit_for(request, 1, signer=OTHER, pub={"deny": [">"]})
    decider.serve()
    first = decider.requests[0]
    decider.decide = lambda request: admit_for(first, 1, pub={"deny": [">"]})
    decider.serve()
    client.send("PUB b 0\r\n\r\n")
    client.barrier()
    equal(client.errors, [])
    is_logged(server, "auth callout response is not for expected user")
    # A new answer is obeyed.
    decider.decide = lambda request: admit_for(request, 1, sub={"deny": ["a"]})
    decider.serve()
    client.wait_for(lambda it: it.errors, what="a word about the subscription")
    equal(client.errors, [SUBSCRIBE.format("a")])
    asked = decider.requests[-1]["nats"]
    equal(asked["refresh"], True)
    equal("refresh" in first["nats"], False)
    equal(asked["connect_opts"], {"user": "u", "protocol": 1})
    equal(asked["client_info"]["id"], first["nats"]["client_info"]["id"])
    equal(asked["user_nkey"] != first["nats"]["user_nkey"], True)
    client.send("PUB b 0\r\n\r\n")
    client.barrier()
    equal(len(client.messages), 2)
    # It may also show somebody the door.
    decider.decide = lambda request: token(ISSUER, {
        "sub": request["nats"]["user_nkey"], "aud": request["nats"]["server_id"]["id"],
        "nats": {"type": "authorization_response", "version": 2, "error": "fired"}})
    decider.serve()
    client.wait_for_end()
    equal(client.errors[-1], "-ERR 'Authorization Violation'")


@behaviour
def nobody_is_asked_again_unless_permissions_are_live(side):
    server = side.start(CONFIGURATION)
    decider = service(side, server, lambda request: admit_for(request, 1))
    client = log_in(side, server, serving=decider, user="u")
    decider.client.stream.wait_for_end(1.5)  # It does not end: nothing comes.
    equal(len(decider.client.messages), 1)
    is_in(client)


@pipits_own
def a_web_service_changes_what_somebody_may_do(side):
    answers = [(200, {"account": "APP", "refresh_seconds": 1}),
               (503, {}),
               (200, {"account": "APP", "refresh_seconds": 1, "user": {"sub": {"deny": ["a"]}}}),
               (403, {})]
    web = web_service(lambda request: answers[min(len(web.requests), len(answers)) - 1])
    try:
        server = side.start(LIVE + f"""
          accounts {{ APP {{ }} }}
          authorization {{ http_callout {{ url: "{web.url}" }} }}
        """)
        client = log_in(side, server, user="u", **{"pass": "secret"})
        client.send("SUB a 1\r\n")
        client.wait_for(lambda it: it.errors, what="a word about the subscription")
        equal(client.errors, [SUBSCRIBE.format("a")])
        client.wait_for_end()
        equal(client.errors[1:], ["-ERR 'Authorization Violation'"])
        equal([each["connect_opts"].get("pass") for each in web.requests],
              ["secret", None, None, None])
        equal([each.get("refresh") for each in web.requests], [None, True, True, True])
    finally:
        web.end()
