# SPDX-License-Identifier: Apache-2.0
"""The configurations under which both servers are compared.

A profile says which users exist, so that the generator can log in, and which accounts there are,
so that the player can look into each of them from outside.
"""
from dataclasses import dataclass, field

# "secret", cost 4: cheap enough to be hashed thousands of times.
BCRYPT = "$2a$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"

# The player's own user, without any restriction.
CONTROL = "control"


@dataclass
class profile:
    name: str
    weight: int
    configuration: str = ""
    logins: list = field(default_factory=list)  # CONNECT members of somebody who may log in.
    controls: list = field(default_factory=lambda: [{}])  # One free user of each account.
    headers: bool = True
    monitored: bool = False  # Connections are counted, so their end is waited for.
    control_line_max: int = 4096
    payload_max: int = 1048576
    pings: bool = False  # PINGs of the server are part of what is compared.


def _user(name, password="secret"):
    return {"user": name, "pass": password}


OPEN = profile("open", 40)

LIMITS = profile("limits", 12, """
max_payload: 100
max_control_line: 256
max_subscriptions: 3
max_subscription_tokens: 4
""", control_line_max=256, payload_max=100)

USERS = profile("users", 16, """
authorization {
  default_permissions { publish: "SANDBOX.*", subscribe: ["PUBLIC.>", "_INBOX.>"] }
  users = [
    { user: control, password: secret, permissions { publish: ">", subscribe: ">" } }
    { user: plain, password: secret }
    { user: hashed, password: "%s", permissions { publish: ">", subscribe: ">" } }
    { user: deny, password: secret, permissions {
        publish { deny: ["a.b", "x.>"] }, subscribe { deny: ["b", "x.*"] } } }
    { user: allow, password: secret, permissions {
        publish { allow: ["a", "a.*", "b"], deny: "a.c" },
        subscribe { allow: ["a.>", "b", "_INBOX.>"], deny: ["a.b.>"] } } }
    { user: queues, password: secret, permissions {
        publish: ">", subscribe: ["foo", "a q", "b.* q.*", "c.> >", "x q1"] } }
    { user: noqueue, password: secret, permissions {
        publish: ">", subscribe { allow: ">", deny: ["a q", "b *.dev"] } } }
    { user: responder, password: secret, permissions {
        subscribe: ["a", "a.*", "b"], allow_responses: true } }
    { user: twice, password: secret, permissions {
        publish: "b", subscribe: ["a", "a.*"], allow_responses: { max: 2, expires: "1m" } } }
    { user: mute, password: secret, permissions { publish { deny: ">" }, subscribe: ">" } }
  ]
}
""" % BCRYPT, logins=[_user(name) for name in (
    "plain", "hashed", "deny", "allow", "queues", "noqueue", "responder", "twice", "mute",
    "control", "control")], controls=[_user(CONTROL)])

TOKEN = profile("token", 3, "authorization { token: tok3n }\n",
                logins=[{"auth_token": "tok3n"}], controls=[{"auth_token": "tok3n"}])

HASHED_TOKEN = profile("hashed_token", 1, 'authorization { token: "%s" }\n' % BCRYPT,
                       logins=[{"auth_token": "secret"}], controls=[{"auth_token": "secret"}])

SINGLE = profile("single", 3, "authorization { user: one, password: secret }\n",
                 logins=[_user("one")], controls=[_user("one")])

ACCOUNTS = profile("accounts", 12, """
accounts {
  A { users = [ { user: a, password: secret }
                { user: control, password: secret }
                { user: a2, password: secret, permissions { publish: "a", subscribe: "b" } } ] }
  B { users = [ { user: b, password: secret }, { user: nobody, password: secret } ]
      limits { max_payload: 50, max_subscriptions: 2 } }
  # The server's own events are not what is compared.
  S { users = [ { user: sys, password: secret, permissions { subscribe { deny: "$SYS.>" } } } ] }
}
system_account: S
no_auth_user: nobody
""", logins=[_user("a"), _user("a"), _user("a2"), _user("b"), _user("sys"), {}],
                   controls=[_user(CONTROL), _user("b")])

NO_HEADERS = profile("no_headers", 4, "no_header_support: true\n", headers=False)

MAPPED = profile("mapped", 5, """
mappings {
  a: b
  "a.*": "b.$1"
  "x.*.*": "x.$2.$1"
  foo.bar: [ { destination: foo.mapped, weight: 100% } ]
  "b.*.c": "b.{{wildcard(1)}}.mapped"
  "p.*": "p.{{partition(3,1)}}.$1"
}
""")

# Nobody answers the PINGs that the control connection of a monitored profile gets.
PATIENT = 'http: "127.0.0.1:-1"\nping_interval: "1h"\n'

CROWD = profile("crowd", 1, PATIENT + "max_connections: 3\n", monitored=True)

ACCOUNT_CROWD = profile("account_crowd", 1, PATIENT + """
accounts {
  A { users = [ { user: a, password: secret }, { user: control, password: secret } ]
      limits { max_connections: 3 } }
}
""", logins=[_user("a")], controls=[_user(CONTROL)], monitored=True)

KEEPALIVE = profile("keepalive", 1, "ping_interval: 40ms\nping_max: 2\n", pings=True)

AUTH_TIMEOUT = profile("auth_timeout", 1, """
authorization { user: one, password: secret, timeout: 0.1 }
""", logins=[_user("one")], controls=[_user("one")])

ALL = [OPEN, LIMITS, USERS, TOKEN, HASHED_TOKEN, SINGLE, ACCOUNTS, NO_HEADERS, MAPPED, CROWD,
       ACCOUNT_CROWD, KEEPALIVE, AUTH_TIMEOUT]
BY_NAME = {each.name: each for each in ALL}
