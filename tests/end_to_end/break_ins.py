# SPDX-License-Identifier: Apache-2.0
"""What somebody tries who wants in, or wants to stay in, and knows the server well."""
import json
import socket
import time

from auth_callout import CONFIGURATION, ISSUER, admit, log_in, service
from identity import is_in, is_refused, operated
from nkeys import claims_of, key, token, user_jwt
from resolvers import observed
from suite import behaviour, equal, pipits_own, reload_with
from tls import ISSUER as AUTHORITY, _block
from web_socket import web_socket

VIOLATION = "-ERR 'Authorization Violation'"


# --- Services that decide ---

@pipits_own
def who_has_a_password_is_not_spared_the_service_by_the_name_of_another(side):
    server = side.start(CONFIGURATION)
    decider = service(side, server, lambda request: admit(request, name="asked"))
    for beside in ({}, {"nkey": "auth"}):
        client = log_in(side, server, serving=decider, user="known", **{"pass": "known"}, **beside)
        equal(client.errors, [])
    equal(len(decider.requests), 2)


@pipits_own
def logins_that_no_service_answers_do_not_lock_everybody_out(side):
    server = side.start(CONFIGURATION)
    # Nobody answers; and what is asked is large.
    for size in [60_000] * 6 + [5_000]:
        crowd = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(220)]
        for each in crowd:
            each.sendall(b'CONNECT {"user":"x","pass":"' + b"x" * size + b'"}\r\n')
        for each in crowd:
            each.settimeout(10)
            while each.recv(65536):
                pass
            each.close()
    decider = service(side, server, admit)
    equal(log_in(side, server, serving=decider, user="u", **{"pass": "x" * 20_000}).errors, [])


class delegating(observed):
    """An account by JWT whose users a service decides about."""

    def __init__(self, side):
        self.helper, self.scoped = key("U"), key("A")
        super().__init__(side, **self.claims())
        self.service = self.connect(user_jwt(self.account, self.helper), self.helper)
        self.service.send("SUB $SYS.REQ.USER.AUTH 1\r\n")
        self.service.barrier()

    def claims(self, **more):
        return {"authorization": {"auth_users": [self.helper.public]},
                "signing_keys": [self.scoped.public], **more}

    def admitted(self, signed_by=None):
        """A client that the service let in, and its user's key."""
        client = self.open()
        client.pings = 1
        before = len(self.service.messages)
        sentinel = key("U")
        client.send("CONNECT " + json.dumps({
            "verbose": False, "protocol": 1, "jwt": user_jwt(self.account, sentinel),
            "sig": sentinel.signature_of(client.info["nonce"])}) + "\r\nPING\r\n")
        self.service.wait_for(lambda it: len(it.messages) > before, what="a question")
        control, body = self.service.messages[before]
        request = claims_of(body.decode())
        user_nkey = request["nats"]["user_nkey"]
        nats = {"type": "user", "version": 2, "subs": -1, "data": -1, "payload": -1}
        if signed_by:
            nats["issuer_account"] = self.account.public
        user = token(signed_by or self.account,
                     {"sub": user_nkey, "iat": int(time.time()), "name": "bob", "nats": nats})
        answer = token(self.account, {
            "sub": user_nkey, "aud": request["nats"]["server_id"]["id"], "iat": int(time.time()),
            "nats": {"type": "authorization_response", "version": 2, "jwt": user}})
        reply = control.split()[3].decode()
        self.service.send(f"PUB {reply} {len(answer)}\r\n{answer}\r\n")
        client.wait_for(lambda it: b"PONG" in it.operations or it.errors, what="the login")
        equal(client.errors, [])
        return client, user_nkey

    def change(self, **nats):
        equal(self.update(self.newer(**self.claims(**nats)))["data"]["code"], 200)


@behaviour
def whom_a_service_let_in_is_revoked_like_others(side):
    world = delegating(side)
    one, its_key = world.admitted()
    other, _ = world.admitted()
    world.change(revocations={its_key: int(time.time()) + 10})
    assert one.wait_for_end()
    equal(one.errors, ["-ERR 'User Authentication Revoked'"])
    assert other.barrier()
    world.change(revocations={"*": int(time.time()) + 10})
    assert other.wait_for_end()
    equal(other.errors, ["-ERR 'User Authentication Revoked'"])


@behaviour
def whom_a_service_let_in_goes_with_the_key_that_signed(side):
    world = delegating(side)
    by_key, _ = world.admitted(world.scoped)
    by_account, _ = world.admitted()
    world.change(signing_keys=[])
    assert by_key.wait_for_end()
    assert by_account.barrier()


@behaviour
def users_of_a_service_s_account_may_not_ask_it(side):
    world = delegating(side)
    client, _ = world.admitted()
    for each in (client, world.service):
        each.send("PUB $SYS.REQ.USER.AUTH 0\r\n\r\n")
        each.barrier()
        equal(each.errors, ["-ERR 'Permissions Violation for Publish to \"$SYS.REQ.USER.AUTH\"'"])


@behaviour
def a_user_that_needs_a_proxy_does_not_come_in_by_a_service(side):
    server = side.start(CONFIGURATION)
    decider = service(side, server, lambda request: admit(request, proxy_required=True))
    equal(log_in(side, server, serving=decider, user="u").errors, [VIOLATION])


# --- Ways around ---

@pipits_own
def a_name_in_a_certificate_is_no_name_without_it(side):
    own = AUTHORITY.issue("/CN=x", "email:boss@example.org")
    certificate, its_key = own
    server = side.start(
        _block(f'ca_file: "{AUTHORITY.file}", verify_and_map: true') +
        'authorization { users [ { user: "boss@example.org" }, { user: u, password: p } ] }\n'
        'websocket { listen: "127.0.0.1:-1", no_tls: true }\n')
    port = int(server.ports["websocket"][0].rsplit(":", 1)[1])
    for options in ({"user": "boss@example.org"}, {"user": "boss@example.org", "pass": ""}):
        web = web_socket(port)
        assert not web.connect(**options), web.text
        web.close()
    web = web_socket(port)
    assert web.connect(user="u", **{"pass": "p"}), web.text
    web.close()


@behaviour
def who_may_do_without_tls_has_no_more_time_for_that(side):
    server = side.start(_block("handshake_first: auto, timeout: 1") +
                        "allow_non_tls: true\nauthorization { token: t, timeout: 1 }\n")
    client = side.open(server.port)
    assert client.wait_for_end(8)
    equal(client.errors, ["-ERR 'Authentication Timeout'"])


# --- Reloads ---

@behaviour
def a_way_that_a_user_may_come_no_more_ends_those_who_came(side):
    users = "authorization {{ users = [ {{user: a, password: a {}}}, {{user: b, password: b}} ] }}\n"
    server = side.start(users.format(""))
    client = side.connect(server.port, user="a", **{"pass": "a"})
    other = side.connect(server.port, user="b", **{"pass": "b"})
    reload_with(server, users.format(", allowed_connection_types: [WEBSOCKET]"))
    assert client.wait_for_end()
    assert other.barrier()


@pipits_own
def a_service_that_decides_from_now_on_decides_about_those_who_are_there(side):
    callout = f"auth_callout {{ issuer: {ISSUER.public}, account: AUTH, auth_users: [ auth ] }}"
    assert callout in CONFIGURATION
    server = side.start(CONFIGURATION.replace(callout, ""))
    client = side.connect(server.port, user="known", **{"pass": "known"})
    helper = side.connect(server.port, user="auth", **{"pass": "auth"})
    reload_with(server, CONFIGURATION)
    assert client.wait_for_end()
    assert helper.barrier()


@pipits_own
def a_service_whose_account_comes_by_a_reload_is_heard(side):
    without = CONFIGURATION.replace("AUTH { users: [ { user: auth, password: auth } ] }", "")
    assert without != CONFIGURATION
    server = side.start(without)
    equal(log_in(side, server, user="u").errors, [VIOLATION])
    reload_with(server, CONFIGURATION)
    decider = service(side, server, admit)
    equal(log_in(side, server, serving=decider, user="u").errors, [])


# --- Accounts ---

@pipits_own
def questions_of_one_account_do_not_silence_another(side):
    server = side.start("""accounts { A { users [ { user: a, password: a } ] }
                                      S { users [ { user: s, password: s } ] } }
                           system_account: S\n""")
    crowd = side.connect(server.port, user="a", **{"pass": "a"})
    inside = side.connect(server.port, user="s", **{"pass": "s"})
    inside.send("SUB answers 1\r\n")
    inside.barrier()
    flood = b"PUB $SYS.REQ.ACCOUNT.PING.CONNZ nobody 0\r\n\r\n" * 20_000
    crowd.send(flood)
    inside.send("PUB $SYS.REQ.SERVER.PING.IDZ answers 0\r\n\r\n")
    inside.wait_for(lambda it: it.messages, 5, "an answer")


@behaviour
def an_account_whose_exports_hold_one_another_is_refused(side):
    for narrow, comes_in in ("a.b", False), ("b.a", True):
        exports = [{"subject": "a.*", "type": "stream", "token_req": True},
                   {"subject": narrow, "type": "stream", "token_req": True}]
        world = operated(side, exports=exports)
        client = world.connect(world.token())
        if comes_in:
            is_in(client)
        else:
            is_refused(client)
