# SPDX-License-Identifier: Apache-2.0
"""Trusted proxies (ADR-55): who signs for a client, and who may come by a proxy only."""
import base64
import json
import re
import time

from auth_callout import CONFIGURATION, admit, log_in, refuse, service
from identity import HTTP, is_in, is_refused, operated
from nkeys import account_jwt, key, user_jwt
from suite import behaviour, equal, is_logged, matches, pipits_own, reload_with, start_failure, wait_until
from tls import ISSUER as AUTHORITY, _block, secure_client

PROXY, OTHER, STRANGER = key("U", b"p" * 32), key("A", b"q" * 32), key("U", b"r" * 32)
USERS = """authorization { users [ { user: a, password: a },
                                   { user: b, password: b, proxy_required: true } ] }\n"""


def trusting(*keys):
    return "proxies { trusted: [ " + ", ".join(f"{{ key: {each.public} }}" for each in keys) + " ] }\n"


def come(side, server, proxy=None, user=None, **options):
    """A client that said who it is, let in or not; `proxy` signed for it."""
    client = side.open(server.port)
    if user:
        options = {"user": user, "pass": user, **options}
    if proxy:
        options["proxy_sig"] = proxy.signature_of(client.info["nonce"])
    client.connect(**options)
    return client


def reasons(server):
    """Why connections ended, the oldest first."""
    closed = json.loads(server.monitoring("/connz?state=closed&sort=cid"))["connections"]
    return [each["reason"] for each in closed]


# --- Signatures ---

@behaviour
def a_proxy_signs_for_clients_also_where_nobody_logs_in(side):
    server = side.start(HTTP + trusting(PROXY, OTHER), "-D")
    is_in(come(side, server))
    for proxy in (PROXY, OTHER):
        is_in(come(side, server, proxy))
    shown = json.loads(server.monitoring("/connz"))["connections"]
    equal([each.get("proxy") for each in shown],
          [None, {"key": PROXY.public}, {"key": OTHER.public}])
    equal(json.loads(server.monitoring("/varz"))["proxies"],
          {"trusted": [{"key": PROXY.public}, {"key": OTHER.public}]})
    is_refused(come(side, server, STRANGER))
    wait_until(lambda: reasons(server) == ["Proxy Not Trusted"])
    is_logged(server, r"\[DBG\] \S+ - cid:\d+ - proxy is not trusted\n"
                      r".*\[ERR\] \S+ - cid:\d+ - authentication error\n")


@behaviour
def a_proxy_writes_its_signature_in_one_way(side):
    server = side.start(HTTP + trusting(PROXY), "-D")
    for written in (base64.b64encode, base64.urlsafe_b64encode, lambda signature: b"!"):
        client = side.open(server.port)
        signature = PROXY.sign(client.info["nonce"].encode())
        client.connect(proxy_sig=written(signature).decode())
        is_refused(client)
    is_logged(server, r"\[DBG\] .* - Proxy signature not valid base64\n.*proxy is not trusted")


@behaviour
def a_signature_is_of_one_connection(side):
    server = side.start(trusting(PROXY))
    overheard = PROXY.signature_of(side.open(server.port).info["nonce"])
    is_refused(come(side, server, proxy_sig=overheard))


@behaviour
def a_signature_says_nothing_where_no_proxy_is_trusted(side):
    for text in ("", "proxies {}\n", "proxies { trusted: [] }\n"):
        server = side.start(HTTP + text + USERS)
        equal(side.open(server.port).info.get("nonce"), None)
        is_in(come(side, server, user="a", proxy_sig="x"))
        is_refused(come(side, server, user="b", proxy_sig="x"))
        equal(json.loads(server.monitoring("/varz")).get("proxies"), {} if text else None)


# --- Who may come by a proxy only ---

@behaviour
def a_user_may_have_to_come_by_a_proxy(side):
    signer = key("U")
    server = side.start(HTTP + trusting(PROXY) + f"""
        accounts {{ A {{ users [ {{ user: a, password: a }}, {{ user: b, password: b, proxy_required: true }},
                                 {{ nkey: {signer.public}, proxy_required: true }} ] }} }}""", "-D")
    is_in(come(side, server, user="a"))
    is_in(come(side, server, PROXY, user="a"))
    is_in(come(side, server, PROXY, user="b"))
    is_refused(come(side, server, user="b"))
    is_refused(come(side, server, user="b", **{"pass": "wrong"}))
    is_refused(come(side, server, PROXY, user="b", **{"pass": "wrong"}))
    is_refused(come(side, server, STRANGER, user="a"))
    for proxy in (None, PROXY):
        client = side.open(server.port)
        nonce = client.info["nonce"]
        options = {"proxy_sig": proxy.signature_of(nonce)} if proxy else {}
        client.connect(nkey=signer.public, sig=signer.signature_of(nonce), **options)
        is_in(client) if proxy else is_refused(client)
    wait_until(lambda: reasons(server) == ["Proxy Required", "Proxy Required",
                                           "Authentication Failure", "Proxy Not Trusted",
                                           "Proxy Required"])
    is_logged(server, r'\[DBG\] .* - proxy connection required\n'
                      r'.*\[ERR\] .* - authentication error - User "b"\n')


@behaviour
def the_holder_of_a_token_may_have_to_come_by_a_proxy(side):
    for login, right, wrong in (("token: t", {"auth_token": "t"}, {"auth_token": "x"}),
                                ("user: u, password: u", {"user": "u", "pass": "u"},
                                 {"user": "x", "pass": "u"})):
        server = side.start(HTTP + trusting(PROXY) +
                            f"authorization {{ {login}, proxy_required: true }}")
        for options in (right, wrong, {}):
            is_refused(come(side, server, **options))
        is_refused(come(side, server, PROXY, **wrong))
        is_in(come(side, server, PROXY, **right))
        wait_until(lambda: reasons(server) == ["Proxy Required"] * 3 + ["Authentication Failure"])


@behaviour
def what_a_block_asks_of_its_token_it_does_not_ask_of_its_users(side):
    server = side.start(trusting(PROXY) + "authorization { proxy_required: true, "
                        "users [ { user: a, password: a } ] }")
    is_in(come(side, server, user="a"))
    is_in(come(side, side.start("authorization { proxy_required: true }")))


@behaviour
def who_need_not_say_who_he_is_may_have_to_come_by_a_proxy(side):
    server = side.start(HTTP + trusting(PROXY) + USERS + "no_auth_user: b\n")
    silent = side.open(server.port)
    silent.send("PING\r\n")
    is_refused(silent)
    is_refused(come(side, server))
    is_in(come(side, server, PROXY))
    server = side.start(trusting(PROXY) + USERS + "no_auth_user: a\n")
    silent = side.open(server.port)
    assert silent.barrier()
    is_in(come(side, server, PROXY))
    is_refused(come(side, server, STRANGER))


@behaviour
def a_second_connect_is_vouched_for_too(side):
    server = side.start(trusting(PROXY) + USERS)
    client = come(side, server, PROXY, user="b")
    client.connect(user="b", **{"pass": "b"})
    is_in(client)
    client.connect(user="b", proxy_sig="", **{"pass": "b"})
    is_refused(client)
    client = come(side, server, user="a")
    client.connect(proxy_sig=STRANGER.signature_of(client.info["nonce"]))
    is_refused(client)


@behaviour
def who_is_known_by_a_certificate_may_have_to_come_by_a_proxy(side):
    own = AUTHORITY.context(AUTHORITY.issue("/CN=x", "email:boss@example.org"))
    server = side.start(_block(f'ca_file: "{AUTHORITY.file}", verify_and_map: true') +
                        trusting(PROXY) + "authorization { users [ "
                        "{ user: \"boss@example.org\", proxy_required: true } ] }")
    for proxy in (None, PROXY):
        client = secure_client(server.port, own)
        side.clients.append(client)
        client.connect(**({"proxy_sig": proxy.signature_of(client.info["nonce"])} if proxy else {}))
        is_in(client) if proxy else is_refused(client)


# --- JWTs ---

class proxied(operated):
    """Users of an operator where a proxy is trusted; one signing key wants it of all its users."""

    def __init__(self, side):
        self.strict = key("A")
        super().__init__(side, beside=trusting(PROXY), arguments=["-D"], signing_keys=[
            {"kind": "user_scope", "key": self.strict.public, "role": "r",
             "template": {"subs": -1, "data": -1, "payload": -1, "proxy_required": True}}])

    def come(self, token, proxy=None, signs=True):
        client = self.open()
        nonce = client.info["nonce"]
        options = {"sig": self.user.signature_of(nonce)} if signs else {}
        if proxy:
            options["proxy_sig"] = proxy.signature_of(nonce)
        client.connect(jwt=token, **options)
        return client


@behaviour
def a_jwt_may_want_a_proxy(side):
    world = proxied(side)
    strict = world.token(proxy_required=True)
    bearer = world.token(proxy_required=True, bearer_token=True)
    scoped = user_jwt(world.strict, world.user, scoped_in=world.account)
    expired = world.token(proxy_required=True, more={"exp": int(time.time()) - 10})
    for token, signs in ((strict, True), (bearer, False), (scoped, True)):
        is_refused(world.come(token, signs=signs))
        is_refused(world.come(token, STRANGER, signs))
        is_in(world.come(token, PROXY, signs))
    is_refused(world.come(expired))
    is_refused(world.come(expired, PROXY))
    is_in(world.come(world.token()))
    is_refused(world.come(world.token(), STRANGER))
    wait_until(lambda: reasons(world.server) == ["Proxy Required", "Proxy Not Trusted"] * 3 +
               ["Proxy Required", "Authentication Failure", "Proxy Not Trusted"])


@behaviour
def a_scoped_user_wants_nothing_of_its_own(side):
    world = proxied(side)
    token = user_jwt(world.strict, world.user, scoped_in=world.account, proxy_required=True)
    is_refused(world.come(token, PROXY))


# --- Services that decide ---

STRICT = CONFIGURATION.replace("password: known }", "password: known }, "
                               "{ user: strict, password: strict, proxy_required: true }")


def vouched(side, server, decider, proxy, user):
    """As `log_in`, by a proxy."""
    client = side.open(server.port)
    client.pings = 1
    client.send("CONNECT " + json.dumps({
        "verbose": False, "protocol": 1, "user": user, "pass": user,
        "proxy_sig": proxy.signature_of(client.info["nonce"])}) + "\r\nPING\r\n")
    if decider:
        decider.serve()
    client.wait_for(lambda it: it.stream.ended or b"PONG" in it.operations or it.errors,
                    what="the end of the login")
    return client


@behaviour
def a_service_is_asked_but_lets_nobody_in_past_a_proxy(side):
    server = side.start(HTTP + trusting(PROXY) + STRICT)
    answers = {"strict": admit, "open": lambda it: admit(it, proxy_required=True),
               "bad": lambda it: refuse(it, "no")}
    decider = service(side, server, lambda it: answers[it["nats"]["connect_opts"]["user"]](it))
    listener = come(side, server, user="auth")
    listener.send("SUB $SYS.ACCOUNT.CLIENT.AUTH.ERR 1\r\n")
    listener.barrier()
    is_refused(log_in(side, server, serving=decider, user="strict", **{"pass": "strict"}))
    is_refused(log_in(side, server, serving=decider, user="open"))
    is_in(vouched(side, server, decider, PROXY, "strict"))
    is_in(vouched(side, server, decider, PROXY, "open"))
    is_refused(vouched(side, server, decider, PROXY, "bad"))
    is_refused(vouched(side, server, None, STRANGER, "strict"))
    equal("proxy" in json.dumps(decider.requests), False, "the service hears of proxies")
    wait_until(lambda: reasons(server) == ["Proxy Required", "Proxy Required",
                                           "Authentication Failure", "Proxy Not Trusted"])
    listener.wait_for(lambda it: len(it.messages) == 3, what="events")
    equal([json.loads(body)["reason"] for _, body in listener.messages], ["Proxy connection required"] * 2 + ["Auth callout service returned an error: no"])


@behaviour
def a_refusal_of_the_service_does_not_hide_that_a_proxy_was_missing(side):
    server = side.start(HTTP + trusting(PROXY) + STRICT)
    decider = service(side, server, lambda request: refuse(request, "no"))
    is_refused(log_in(side, server, serving=decider, user="strict", **{"pass": "strict"}))
    wait_until(lambda: reasons(server) == ["Proxy Required"])


@behaviour
def who_is_not_asked_about_may_have_to_come_by_a_proxy(side):
    server = side.start(trusting(PROXY) + STRICT.replace("[ auth ]", "[ auth, strict ]"))
    decider = service(side, server, admit)
    is_refused(come(side, server, user="strict"))
    is_in(come(side, server, PROXY, user="strict"))
    equal(decider.requests, [])


# --- Events ---

@behaviour
def events_say_that_a_proxy_was_the_reason(side):
    text = trusting(PROXY) + """
        accounts { SYS { users [ { user: sys, password: sys } ] }
                   A { users [ { user: a, password: a }, { user: b, password: b, proxy_required: true } ] } }
        system_account: SYS\n"""
    server = side.start(text)
    listener = come(side, server, user="sys")
    listener.send("SUB $SYS.SERVER.*.CLIENT.AUTH.ERR 1\r\nSUB $SYS.ACCOUNT.A.DISCONNECT 2\r\n"
                  "SUB $SYS.ACCOUNT.$G.DISCONNECT 3\r\n")
    listener.barrier()
    is_refused(come(side, server, user="b"))
    is_refused(come(side, server, STRANGER, user="a"))
    client = come(side, server, PROXY, user="b")
    reload_with(server, text.replace(PROXY.public, OTHER.public))
    is_refused(client)
    listener.wait_for(lambda it: len(it.messages) == 6, what="events")
    heard = [(control.split()[1].decode().split(".")[-1], json.loads(body))
             for control, body in listener.messages]
    equal(sorted((what, event["reason"], event["client"]["acc"], event["client"]["user"])
                 for what, event in heard),
          [(what, *why) for what in ("DISCONNECT", "ERR")
           for why in (("Proxy Not Trusted", "$G", "a"), ("Proxy Not Trusted", "A", "b"),
                       ("Proxy Required", "$G", "b"))])


@behaviour
def accounts_hear_of_users_without_a_proxy_and_not_of_strange_proxies(side):
    server = side.start(trusting(PROXY) + USERS)
    listener = come(side, server, user="a")
    listener.send("SUB $SYS.ACCOUNT.CLIENT.AUTH.ERR 1\r\n")
    listener.barrier()
    is_refused(come(side, server, STRANGER, user="a"))
    is_refused(come(side, server, user="b"))
    is_refused(come(side, server, PROXY, user="b", **{"pass": "wrong"}))
    listener.wait_for(lambda it: len(it.messages) == 2, what="events")
    listener.barrier()
    equal([json.loads(body)["reason"] for _, body in listener.messages],
          ["Proxy Required", "Authentication Failure"])


# --- Reloads ---

@behaviour
def a_proxy_that_is_trusted_no_more_takes_its_clients_with_it(side):
    server = side.start(HTTP + trusting(PROXY, STRANGER) + USERS, "-D")
    kept, gone = come(side, server, STRANGER, user="b"), come(side, server, PROXY, user="a")
    direct = come(side, server, user="a")
    log = reload_with(server, HTTP + trusting(STRANGER, OTHER) + USERS)
    matches(rf'\[INF\] Reloaded: proxies trusted keys \["{PROXY.public}"\] were removed', log, "log")
    matches(rf'\[INF\] Reloaded: proxies trusted keys \["{OTHER.public}"\] were added', log, "log")
    is_refused(gone)
    for client in (kept, direct):
        is_in(client)
    wait_until(lambda: reasons(server) == ["Proxy Not Trusted"])
    is_logged(server, r'\[ERR\] .* - authentication error - User "a"\n')
    is_refused(come(side, server, PROXY, user="a"))
    is_in(come(side, server, OTHER, user="b"))


@behaviour
def a_proxy_is_wanted_from_now_on_by_a_reload(side):
    signer = key("U")
    users = ("authorization { users [ { user: a, password: a %s }, { user: b, password: b %s }, "
             f"{{ nkey: {signer.public} %s }} ] }}\n")
    strict = ", proxy_required: true"
    server = side.start(HTTP + trusting(PROXY) + users % ("", strict, ""), "-D")
    direct, by_proxy = come(side, server, user="a"), come(side, server, PROXY, user="a")
    before = come(side, server, PROXY, user="b")
    by_key = side.open(server.port)
    by_key.connect(nkey=signer.public, sig=signer.signature_of(by_key.info["nonce"]))
    reload_with(server, HTTP + trusting(PROXY) + users % (strict, "", strict))
    for client in (direct, by_key):
        is_refused(client)
    for client in (by_proxy, before):
        is_in(client)
    wait_until(lambda: reasons(server) == ["Proxy Required"] * 2)
    is_logged(server, r"\[DBG\] .* - proxy connection required")


@behaviour
def what_a_token_asks_for_is_not_reloaded(side):
    block = "authorization {{ token: t, proxy_required: {} }}"
    server = side.start(trusting(PROXY) + block.format("true"))
    reload_with(server, trusting(PROXY) + block.format("false"),
                "Failed to reload server configuration: config reload not supported for "
                "ProxyRequired: old=true, new=false")


@pipits_own  # The reference ends with a panic.
def a_block_of_proxies_comes_and_goes_by_a_reload(side):
    server = side.start(HTTP + USERS)
    early = side.open(server.port)
    reload_with(server, HTTP + trusting(PROXY) + USERS)
    client = come(side, server, PROXY, user="b")
    is_in(client)
    early.connect(user="a", **{"pass": "a"})
    is_in(early)
    reload_with(server, HTTP + USERS)
    is_refused(client)
    is_in(early)
    equal("proxies" in json.loads(server.monitoring("/varz")), False)


# --- Configurations ---

@behaviour
def proxies_are_configured_by_public_keys(side):
    for text in ("proxies: 1", "proxies { trusted: {} }", "proxies { trusted: [ x ] }",
                 "proxies { trusted: [ { key: x } ] }", "proxies { trusted: [ {} ] }",
                 "proxies { trust: [] }", f"proxies {{ trusted: [ {{ key: {PROXY.seed} }} ] }}",
                 "authorization { users [ { user: a, proxy_required: 1 } ] }"):
        try:
            side.start(text)
        except start_failure as failure:
            # The reference shows the seed.
            equal(PROXY.seed in str(failure), side.is_reference and PROXY.seed in text)
        else:
            raise AssertionError(f"it started with {text}")
    server = side.start(f"proxies {{ trusted: [ {{ public_key: {PROXY.public} }} ] }}")
    is_in(come(side, server, PROXY))
