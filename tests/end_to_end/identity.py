# SPDX-License-Identifier: Apache-2.0
"""Who somebody is: nkeys, JWTs of an operator, and what attackers make of them."""
import json
import time

import nkeys
from nkeys import account_jwt, key, operator_jwt, user_jwt
from suite import behaviour, equal, matches, reload_with, start_failure, wait_until

VIOLATION = "-ERR 'Authorization Violation'"
HTTP = 'http: "127.0.0.1:-1"\n'


class operated:
    """An operator with a system account and an account, and a server that believes it."""

    def __init__(self, side, limits=None, account_name="A", resolver="resolver: MEMORY", arguments=(),
                 beside="", **account):
        self.side = side
        self.operator, self.system, self.account = key("O"), key("A"), key("A")
        self.user = key("U")
        self.account_token = account_jwt(self.operator, self.account, account_name, limits,
                                         **account)
        self.system_token = account_jwt(self.operator, self.system, "SYS")
        operator = operator_jwt(self.operator, system_account=self.system.public)
        preload = (f"resolver_preload: {{ {self.account.public}: {self.account_token}\n"
                   f"{self.system.public}: {self.system_token} }}\n")
        self.server = side.start(HTTP + f"operator: {operator}\n{resolver}\n{preload}{beside}", *arguments)

    def token(self, **claims):
        return user_jwt(self.account, self.user, **claims)

    def open(self):
        return self.side.open(self.server.port)

    def connect(self, token, user=None, signature=None, **options):
        """A client that said who it is, by its nonce; what came of it stands in `errors`."""
        client = self.open()
        if signature is None:
            signature = (user or self.user).signature_of(client.info["nonce"])
        client.connect(jwt=token, sig=signature, **options)
        return client

    def connections(self, query):
        return json.loads(self.server.monitoring("/connz?" + query))["connections"]


def log_in_by_jwt(side, server, account, user):
    """A connection of this user, whose JWT the account signs, let in or not."""
    client = side.open(server.port)
    client.connect(jwt=user_jwt(account, user), sig=user.signature_of(client.info["nonce"]))
    return client


def is_in(client):
    equal(client.errors, [])
    equal(client.barrier(), True, "the connection")


def is_refused(client, text=VIOLATION):
    client.wait_for_end()
    equal(client.errors, [text])


@behaviour
def a_user_with_an_nkey_signs_the_nonce_of_its_connection(side):
    user, other = key("U"), key("U")
    server = side.start(HTTP + f"authorization {{ users [ {{ nkey: {user.public} }} ] }}")
    client = side.open(server.port)
    nonce = client.info["nonce"]
    equal(len(nonce), 15)
    equal(client.info["auth_required"], True)
    client.connect(nkey=user.public, sig=user.signature_of(nonce))
    is_in(client)
    open_ones = json.loads(server.monitoring("/connz?auth=1"))["connections"]
    equal([each["authorized_user"] for each in open_ones], [user.public])
    for options in ({"nkey": user.public},
                    {"nkey": user.public, "sig": user.signature_of(nonce)},
                    {"nkey": user.public, "sig": other.signature_of("?")},
                    {"nkey": other.public, "sig": other.signature_of("?")},
                    {"nkey": user.public, "sig": "not base64"}, {}, {"user": user.public}):
        attacker = side.open(server.port)
        options = {name: value if value != other.signature_of("?") else
                   other.signature_of(attacker.info["nonce"]) for name, value in options.items()}
        attacker.connect(**options)
        is_refused(attacker)
    equal(len({side.open(server.port).info["nonce"] for _ in range(20)}), 20, "nonces")


@behaviour
def users_with_nkeys_have_accounts_and_permissions(side):
    user = key("U")
    server = side.start(f"""accounts {{ A {{ users [ {{ nkey: {user.public},
        permissions {{ publish: "a", subscribe: ">" }} }} ] }} }}""")
    client = side.open(server.port)
    client.connect(nkey=user.public, sig=user.signature_of(client.info["nonce"]))
    equal(json.loads(client.operations[-1][5:])["remote_account"], "A")
    client.send("PUB b 1\r\nx\r\n")
    client.barrier()
    equal(client.errors, ["-ERR 'Permissions Violation for Publish to \"b\"'"])


@behaviour
def wrong_nkeys_are_refused_by_the_configuration(side):
    account, user = key("A"), key("U")
    for text in (f"authorization {{ users [ {{ nkey: {account.public} }} ] }}",
                 f"authorization {{ users [ {{ nkey: {user.public}, user: a }} ] }}",
                 f"authorization {{ users [ {{ nkey: {user.public} }}, {{ nkey: {user.public} }} ] }}"):
        try:
            side.start(text)
        except start_failure as failure:
            matches("Not a valid public nkey for a user|do not take usernames|Duplicate nkey",
                    str(failure))
        else:
            raise AssertionError(f"it started with {text}")


@behaviour
def a_user_of_an_operator_brings_a_jwt(side):
    world = operated(side)
    client = world.connect(world.token(name="me", tags=["team:red"]))
    is_in(client)
    info = json.loads(client.operations[-2][5:])
    equal(info["remote_account"], world.account.public)
    equal((info.get("acc_is_sys"), info.get("nonce")), (None, None))
    shown = world.connections("auth=1")[0]
    equal(shown["authorized_user"], world.user.public)
    equal(shown["account"], world.account.public)
    equal(shown["name_tag"], "A")
    equal(shown["issuer_key"], world.account.public)
    equal(shown["tags"], ["team:red"])
    equal(shown["jwt"].count("."), 2)
    account = json.loads(world.server.monitoring(f"/accountz?acc={world.account.public}"))
    detail = account["account_detail"]
    equal(detail["name_tag"], "A")
    equal(detail["issuer_key"], world.operator.public)
    equal(detail["jwt"], world.account_token)
    equal(detail["client_connections"], 1)
    equal(detail["decoded_jwt"]["nats"]["limits"]["conn"], -1)


@behaviour
def the_log_names_a_connection_by_what_it_brought(side):
    for account_name, shown in ("A", "/A"), ("", ""):
        world = operated(side, account_name=account_name, arguments=["-D"])
        for brought, kind in ({}, "jwt"), ({"nkey": world.user.public}, "nkey"):
            client = world.connect(world.token(), name="app", lang="js", version="1", **brought)
            is_in(client)
            client.stream.close()
            label = f"{world.account.public}{shown}/{kind}:{world.user.public}"
            assert world.server.wait_for_log(
                f'"v1:js:app" - "{label}" - Client connection closed'), world.server.log()


@behaviour
def attackers_with_jwts_hear_one_text(side):
    world = operated(side)
    others, stranger, now = key("A"), key("A"), int(time.time())
    good = world.token()
    header, payload, signature = good.split(".")
    changed = json.loads(nkeys.base64.urlsafe_b64decode(payload + "=="))
    changed["nats"]["subs"] = 5
    tampered = nkeys.base64url(json.dumps(changed).encode())
    attempts = {
        "alg none": user_jwt(world.account, world.user, header={"typ": "JWT", "alg": "none"}),
        "no signature": nkeys.base64url(b'{"typ":"JWT","alg":"none"}') + f".{payload}.",
        "alg HS256": user_jwt(world.account, world.user, header={"typ": "JWT", "alg": "HS256"}),
        "alg EdDSA": user_jwt(world.account, world.user, header={"typ": "JWT", "alg": "EdDSA"}),
        "type": user_jwt(world.account, world.user, header={"typ": "JWE", "alg": "ed25519-nkey"}),
        "tampered": f"{header}.{tampered}.{signature}",
        "cut": good[:-3],
        "empty": "",
        "not a token": "x.y.z",
        "expired": world.token(more={"exp": now - 60}),
        "not yet": world.token(more={"nbf": now + 60}),
        "signed by another account": user_jwt(world.account, world.user, signer=others),
        "an unknown account": user_jwt(stranger, world.user),
        "an account of nobody": user_jwt(world.user, world.user),
        "in another's name": user_jwt(stranger, world.user, scoped_in=world.account),
        "an account's token": world.account_token,
        "an operator's": operator_jwt(world.operator),
        "wrong network": world.token(src=["10.1.2.0/24"]),
        "a wrong network": world.token(src=["nonsense"]),
        "never": world.token(times=[{"start": "00:00:01", "end": "00:00:02"}]),
        "another connection": world.token(allowed_connection_types=["MQTT"]),
        "an unknown connection": world.token(allowed_connection_types=["PIGEON"]),
    }
    for what, token in attempts.items():
        client = world.connect(token)
        client.wait_for_end()
        equal(client.errors, [VIOLATION], what)
    for signature in ("", "AAAA", "not base64", key("U").signature_of("x"),
                      world.user.signature_of(world.open().info["nonce"])):
        is_refused(world.connect(good, signature=signature))
    is_in(world.connect(good))
    is_in(world.connect(world.token(src=["10.1.2.0/24", "127.0.0.0/8"])))
    is_in(world.connect(world.token(times=[{"start": "00:00:00", "end": "23:59:59"},
                                           {"start": "23:00:00", "end": "01:00:00"}])))
    begun = time.strftime("%H:%M:%S")
    around_midnight = {"start": "23:59:00", "end": "00:01:00"}
    is_in(world.connect(world.token(times=[{"start": begun, "end": "23:59:59"}, around_midnight])))
    is_in(world.connect(world.token(allowed_connection_types=["standard"])))
    reasons = {each["reason"] for each in world.connections("state=closed&limit=100")
               if each["reason"] != "Client Closed"}
    equal(reasons, {"Authentication Failure"})


@behaviour
def networks_and_times_are_read_as_go_reads_them(side):
    role = key("A")
    all_day = [{"start": "0:00:00", "end": "23:59:59.5"}, {"start": "23:00:00", "end": "1:00:00"}]
    world = operated(side, signing_keys=[
        {"kind": "user_scope", "key": role.public, "role": "r", "template": {
            "times": [*all_day, {"start": "noon", "end": "13:00:00"}], **nkeys.UNLIMITED}}])
    for rights in ({"times": all_day}, {"src": ["::ffff:127.0.0.0/104"]},
                   {"times_location": "UTC"}):
        is_in(world.connect(world.token(**rights)))
    for rights in ({"times": [*all_day, {"start": "noon", "end": "13:00:00"}]}, {"times": [{}]},
                   {"src": ["127.0.0.0/8", "10.1.0.0/33"]}, {"src": ["::/0"]},
                   {"times_location": "Nowhere/Atall"}):
        is_refused(world.connect(world.token(**rights)))
    is_refused(world.connect(user_jwt(role, world.user, "me", world.account)))


@behaviour
def revoked_users_stay_outside(side):
    now = int(time.time())
    user, other = key("U"), key("U")
    world = operated(side, revocations={user.public: now + 5})
    is_refused(world.connect(user_jwt(world.account, user), user=user))
    is_in(world.connect(user_jwt(world.account, other), user=other))
    all_of_them = operated(side, revocations={"*": now + 5})
    is_refused(all_of_them.connect(all_of_them.token()))
    is_in(all_of_them.connect(all_of_them.token(more={"iat": now + 6})))


@behaviour
def a_bearer_needs_no_signature_unless_its_account_forbids(side):
    world = operated(side)
    is_in(world.connect(world.token(bearer_token=True), signature=""))
    strict = operated(side, limits={"disallow_bearer": True})
    is_refused(strict.connect(strict.token(bearer_token=True), signature=""))
    is_refused(strict.connect(strict.token(bearer_token=True)))
    is_in(strict.connect(strict.token()))


@behaviour
def a_jwt_that_expires_ends_the_connection(side):
    world = operated(side)
    token = world.token(more={"exp": int(time.time()) + 2})
    client = world.connect(token)
    is_in(client)
    client.wait_for_end(seconds=15)
    equal(client.errors, ["-ERR 'User Authentication Expired'"])
    closed = world.connections("state=closed")
    equal([each["reason"] for each in closed], ["Authentication Expired"])
    # That it was verified before is no help.
    wait_until(lambda: world.connect(token).errors == [VIOLATION], what="a refusal")


@behaviour
def an_account_that_expires_ends_its_connections(side):
    world = operated(side, more={"exp": int(time.time()) + 3})
    client = world.connect(world.token())
    is_in(client)
    client.wait_for_end(seconds=15)
    equal(client.errors, ["-ERR 'Account Authentication Expired'"])


@behaviour
def the_limits_of_users_and_accounts_hold(side):
    world = operated(side, limits={"conn": 2, "payload": 10, "subs": 3})
    first, second = world.connect(world.token()), world.connect(world.token(subs=1, payload=5))
    is_in(first)
    is_in(second)
    is_refused(world.connect(world.token()),
               "-ERR 'maximum account active connections exceeded'")
    second.send("SUB a 1\r\nSUB b 2\r\n")
    second.barrier()
    equal(second.errors, ["-ERR 'maximum subscriptions exceeded'"])
    second.send("PUB a 6\r\n123456\r\n")
    second.wait_for_end()
    equal(second.errors[1:], ["-ERR 'Maximum Payload Violation'"])
    first.send("SUB a 1\r\nSUB b 2\r\nSUB c 3\r\nSUB d 4\r\n")
    first.barrier()
    equal(first.errors, ["-ERR 'maximum subscriptions exceeded'"])
    wait_until(lambda: len(world.connections("")) == 1, what="one connection")
    is_in(world.connect(world.token()))


@behaviour
def permissions_come_from_the_user_the_account_or_the_scope_of_a_key(side):
    signer = key("A")
    scope = {"kind": "user_scope", "key": signer.public, "role": "r", "template": {
        "pub": {"allow": ["of.{{name()}}.>", "at.{{subject()}}", "in.{{account-name()}}",
                          "by.{{account-subject()}}", "team.{{tag(team)}}", "{{account-tag(land)}}",
                          "none.{{tag(none)}}"]},
        "sub": {"deny": ["secret"]}, **nkeys.UNLIMITED}}
    world = operated(side, signing_keys=[scope], tags=["land:at"],
                     default_permissions={"pub": {"allow": ["default"]}})

    def refused(client, *subjects):
        for subject in subjects:
            client.send(f"PUB {subject} 0\r\n\r\n")
        client.barrier()
        return [each.split('"')[1] for each in client.errors]

    equal(refused(world.connect(world.token()), "default", "other"), ["other"])
    own = world.connect(world.token(pub={"deny": ["x"]}))
    equal(refused(own, "default", "other", "x"), ["x"])
    scoped = world.connect(user_jwt(signer, world.user, "me", world.account,
                                    tags=["team:red", "team:blue"]))
    equal(refused(scoped, "of.me.a", f"at.{world.user.public}", "in.A",
                  f"by.{world.account.public}", "team.red", "team.blue", "at", "of.you.a",
                  "team.green", "default"), ["of.you.a", "team.green", "default"])
    scoped.send("SUB secret 1\r\n")
    scoped.barrier()
    matches("Permissions Violation for Subscription", scoped.errors[-1])
    # Who is under a scope says nothing of its own rights.
    is_refused(world.connect(user_jwt(signer, world.user, "me", world.account, subs=5)))


@behaviour
def the_system_account_is_told_that_it_is_one(side):
    world = operated(side)
    user = key("U")
    client = world.connect(user_jwt(world.system, user), user=user)
    is_in(client)
    info = json.loads(client.operations[-2][5:])
    equal((info["remote_account"], info["acc_is_sys"]), (world.system.public, True))


@behaviour
def events_and_statistics_call_an_account_as_its_jwt_does(side):
    world = operated(side, account_name="Acme")
    operator = key("U")
    watcher = world.connect(user_jwt(world.system, operator), user=operator)
    key_of_it = world.account.public
    watcher.send(f"SUB $SYS.ACCOUNT.{key_of_it}.> 1\r\nSUB answers.* 2\r\n")
    watcher.barrier()
    client = world.connect(world.token())
    is_in(client)
    watcher.send(f"PUB $SYS.REQ.ACCOUNT.{key_of_it}.CONNS answers.conns 0\r\n\r\n"
                 f"PUB $SYS.REQ.ACCOUNT.{key_of_it}.STATZ answers.statz 0\r\n\r\n")
    watcher.wait_for(lambda it: len(it.messages) >= 4, what="two events and two answers")
    client.stream.close()
    watcher.wait_for(lambda it: any(b"DISCONNECT" in line for line, _ in it.messages),
                     what="an end")
    heard = {line.split()[1].decode().removeprefix(f"$SYS.ACCOUNT.{key_of_it}."): json.loads(body)
             for line, body in watcher.messages}
    for event in ("CONNECT", "DISCONNECT"):
        about = heard[event]["client"]
        equal((about["acc"], about["name_tag"]), (key_of_it, "Acme"), event)
    page = json.loads(world.server.monitoring("/accstatz?unused=1"))["account_statz"]
    for numbers in (heard["SERVER.CONNS"], heard["answers.conns"],
                    heard["answers.statz"]["data"]["account_statz"][0],
                    next(each for each in page if each["acc"] == key_of_it)):
        equal((numbers["acc"], numbers["name"]), (key_of_it, "Acme"))


@behaviour
def a_connect_with_many_rules_is_no_matter_and_a_larger_one_is_told_the_limit(side):
    if side.is_reference:
        return  # Its limit is that of every line: 4096 bytes.
    world = operated(side)
    rules = [f"a.{number:06}.>" for number in range(2500)]
    client = world.connect(world.token(pub={"allow": rules}))
    is_in(client)
    client.send("PUB a.002499.x 0\r\n\r\nPUB b 0\r\n\r\n")
    client.barrier()
    equal(client.errors, ["-ERR 'Permissions Violation for Publish to \"b\"'"])
    client = world.open()
    client.send("CONNECT {\"jwt\":\"" + "x" * 70000 + "\"}\r\n")
    is_refused(client, "-ERR 'maximum control line exceeded (65536 bytes)'")


@behaviour
def what_operators_do_not_allow_is_said_at_the_start(side):
    operator, account = key("O"), key("A")
    token = operator_jwt(operator)
    cases = {
        f"operator: {token}\nresolver: MEMORY\naccounts {{ A {{}} }}":
            "operators do not allow Accounts to be configured directly",
        f"operator: {token}\nresolver: MEMORY\nauthorization {{ users [ {{user: a, password: b}} ] }}":
            "operators do not allow users to be configured directly",
        f"operator: {token}\nresolver: {{ type: full, dir: jwt }}":
            "using nats based account resolver - the system account needs to be specified",
        f"operator: {token}\nresolver: MEMORY\nsystem_account: {account.public}":
            "error resolving system account",
        f"operator: {operator_jwt(operator, system_account=key('A').public)}\nresolver: MEMORY\n"
        f"system_account: {account.public}":
            "system_account in config and operator JWT must be identical",
        f"operator: {operator_jwt(operator, assert_server_version='9.0.0')}\nresolver: MEMORY":
            "expected major version 9 > server major version 2",
        "operator: eyJhbGciOiJub25lIn0.e30.": "error parsing operator JWT",
        f"trusted_keys: {account.public}": "required to be a valid public operator nkey",
        f"operator: {token}\nresolver: MEMORY\ndefault_sentinel: {user_jwt(account, key('U'))}":
            "default sentinel must be a bearer token",
    }
    for text, said in cases.items():
        try:
            side.start(text)
        except start_failure as failure:
            matches(said, str(failure))
        else:
            raise AssertionError(f"it started with {text}")


@behaviour
def trusted_keys_and_pinned_accounts_decide_whose_accounts_count(side):
    operator, account, other, user = key("O"), key("A"), key("A"), key("U")
    preload = "".join(f"{each.public}: {account_jwt(operator, each)}\n" for each in (account, other))
    base = f"resolver: MEMORY\nresolver_preload {{ {preload} }}\n"

    def tried(server, of):
        return log_in_by_jwt(side, server, of, user)

    trusting = side.start(base + f"trusted_keys: {operator.public}\n")
    is_in(tried(trusting, account))
    stranger = side.start(base + f"trusted_keys: {key('O').public}\n")
    is_refused(tried(stranger, account))

    def pinning(one):
        return base + f"http: 127.0.0.1:-1\noperator: {token}\nresolver_pinned_accounts: [ {one.public} ]\n"

    token = operator_jwt(operator)
    pinned = side.start(pinning(account))
    first = tried(pinned, account)
    is_in(first)
    equal("pinned_account_fails" in json.loads(pinned.monitoring("/varz")), False)
    is_refused(tried(pinned, other))
    equal(json.loads(pinned.monitoring("/varz"))["pinned_account_fails"], 1)
    reload_with(pinned, pinning(other))
    equal(first.wait_for_end(), True)
    equal(first.errors, [VIOLATION])
    is_in(tried(pinned, other))
    is_refused(tried(pinned, account))
    # Who was connected, and who came.
    equal(json.loads(pinned.monitoring("/varz"))["pinned_account_fails"], 3)


@behaviour
def a_sentinel_lets_in_those_who_bring_no_jwt(side):
    operator, account, user = key("O"), key("A"), key("U")
    base = (f"operator: {operator_jwt(operator)}\nresolver: MEMORY\n"
            f"resolver_preload {{ {account.public}: {account_jwt(operator, account)} }}\n")

    def configuration(**rights):
        return base + f"default_sentinel: {user_jwt(account, user, bearer_token=True, **rights)}\n"

    server = side.start(configuration(pub={"allow": ["hello"]}))
    client = side.connect(server.port, user="x")
    client.send("PUB hello 0\r\n\r\nPUB b 0\r\n\r\n")
    client.barrier()
    equal(client.errors, ["-ERR 'Permissions Violation for Publish to \"b\"'"])
    reload_with(server, configuration(pub={"allow": ["b"]}))
    client = side.connect(server.port, user="x")
    client.send("PUB hello 0\r\n\r\nPUB b 0\r\n\r\n")
    client.barrier()
    equal(client.errors, ["-ERR 'Permissions Violation for Publish to \"hello\"'"])


@behaviour
def a_bearers_jwt_is_shown_to_nobody(side):
    world = operated(side)
    signed, bearer = world.token(), world.token(bearer_token=True)
    clients = [world.connect(signed), world.connect(bearer)]
    for each in clients:
        is_in(each)
    equal([each.get("jwt") for each in world.connections("auth=1")], [signed, None])
    equal([each.get("jwt") for each in world.connections("")], [None, None])
    for each in clients:
        each.stream.close()
    wait_until(lambda: len(world.connections("state=closed")) == 2, what="two that are closed")
    for query in ("state=closed", "state=closed&auth=1"):
        closed = world.connections(query)
        equal({each.get("jwt") for each in closed}, {signed, None})
        equal({each["issuer_key"] for each in closed}, {world.account.public})


@behaviour
def varz_shows_the_operators(side):
    world = operated(side)
    shown = json.loads(world.server.monitoring("/varz"))
    equal(len(shown["trusted_operators_jwt"]), 1)
    claims = nkeys.claims_of(shown["trusted_operators_jwt"][0])
    equal(shown["trusted_operators_claim"][0]["sub"], claims["sub"])
    equal(claims["sub"], world.operator.public)


@behaviour
def secrets_are_in_no_log(side):
    world = operated(side, arguments=("-DV",))
    token = world.token()
    client = world.connect(token)
    is_in(client)
    is_refused(world.connect(world.token(more={"exp": 1})))
    world.server.wait_for_log("authentication error")
    log = world.server.log()
    for secret in (world.user.seed, world.operator.seed, world.account.seed):
        equal(secret in log, False, "a seed in the log")
    if not side.is_reference:
        equal(token.split(".")[2] in log, False, "a JWT's signature in the log")
