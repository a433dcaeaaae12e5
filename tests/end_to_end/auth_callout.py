# SPDX-License-Identifier: Apache-2.0
"""Auth callout (ADR-26): a service in an account, and one that is asked by HTTP, say who may come in."""
import http.server
import json
import re
import ssl
import subprocess
import threading

import suite
from nkeys import account_jwt, claims_of, key, operator_jwt, token, user_jwt
from tls import secure_client
from suite import behaviour, equal, is_logged, matches, pipits_own, reload_with, wait_until
from certificates import authority  # Where suite has looked for servers.

ISSUER = key("A", b"i" * 32)
OTHER = key("A", b"o" * 32)
XKEY = key("X", b"x" * 32)

CONFIGURATION = f"""
accounts {{
  AUTH {{ users: [ {{ user: auth, password: auth }} ] }}
  APP {{ users: [ {{ user: known, password: known }} ] }}
}}
authorization {{
  timeout: 1
  auth_callout {{ issuer: {ISSUER.public}, account: AUTH, auth_users: [ auth ] }}
}}
"""


class service:
    """Answers what the server asks as `decide(request)` says: the claims of the answer, and of its
    user, or None for silence."""

    def __init__(self, side, server, decide, user="auth", client=None):
        self.client = client or side.open(server.port)
        side.clients.append(self.client)
        self.client.connect(user=user, **{"pass": user})
        self.requests = []
        self.decide = decide
        self.client.send("SUB $SYS.REQ.USER.AUTH 1\r\n")
        self.client.barrier()

    def serve(self):
        """Waits for one request and answers it."""
        before = len(self.client.messages)
        self.client.wait_for(lambda it: len(it.messages) > before, what="an authorization request")
        control, body = self.client.messages[before]
        reply = control.split()[3].decode()
        claims = claims_of(body.decode())
        self.requests.append(claims)
        answer = self.decide(claims)
        if answer is not None:
            self.client.send(f"PUB {reply} {len(answer)}\r\n{answer}\r\n")


def admit(request, account="APP", name="", issuer=ISSUER, signer=ISSUER, **rights):
    """The token of an answer that lets somebody in."""
    asked = request["nats"]
    user = {"sub": asked["user_nkey"], "aud": account, "iat": request["iat"],
            "nats": {"type": "user", "version": 2, "subs": -1, "data": -1, "payload": -1, **rights}}
    if name:
        user["name"] = name
    return token(signer, {"sub": asked["user_nkey"], "aud": asked["server_id"]["id"],
                          "iat": request["iat"],
                          "nats": {"type": "authorization_response", "version": 2,
                                   "jwt": token(issuer, user)}})


def refuse(request, text):
    asked = request["nats"]
    return token(ISSUER, {"sub": asked["user_nkey"], "aud": asked["server_id"]["id"],
                          "iat": request["iat"],
                          "nats": {"type": "authorization_response", "version": 2, "error": text}})


def log_in(side, server, decide=None, serving=None, **options):
    """A client whose login the service is asked about."""
    client = side.open(server.port)
    client.pings = 1
    client.send("CONNECT " + json.dumps({"verbose": False, "protocol": 1, **options}) +
                "\r\nPING\r\n")
    if serving:
        serving.serve()
    client.wait_for(lambda it: it.stream.ended or b"PONG" in it.operations or it.errors,
                    what="the end of the login")
    return client


@behaviour
def a_service_lets_people_in_and_says_what_they_may(side):
    server = side.start(CONFIGURATION)
    decider = service(side, server, lambda request: admit(
        request, name="bob", pub={"allow": ["a.>", "$SYS.REQ.USER.INFO"]}))
    client = log_in(side, server, serving=decider, user="somebody", **{"pass": "word"}, name="app",
                    lang="py", version="1")
    equal(client.errors, [])
    request = decider.requests[0]
    equal((request["aud"], request["sub"], request["iss"]),
          ("nats-authorization-request", ISSUER.public, request["nats"]["server_id"]["id"]))
    equal(request["nats"]["connect_opts"], {"user": "somebody", "pass": "word", "name": "app",
                                            "lang": "py", "version": "1", "protocol": 1})
    info = request["nats"]["client_info"]
    equal((info["user"], info["name"], info["kind"], info["type"], info["host"]),
          ("somebody", "app", "Client", "nats", "127.0.0.1"))
    client.send("PUB b 0\r\n\r\nSUB answers 1\r\nPUB $SYS.REQ.USER.INFO answers 0\r\n\r\n")
    client.wait_for(lambda it: it.messages, what="information")
    about = json.loads(client.messages[0][1])["data"]
    equal((about["user"], about["account"]), ("bob", "APP"))
    equal(client.errors, ["-ERR 'Permissions Violation for Publish to \"b\"'"])


@behaviour
def a_services_account_hears_whom_it_has_refused_and_why(side):
    server = side.start(CONFIGURATION)
    listener = side.connect(server.port, user="auth", **{"pass": "auth"})
    listener.send("SUB $SYS.ACCOUNT.CLIENT.AUTH.ERR 1\r\n")
    listener.barrier()
    answers = iter([lambda it: refuse(it, "wrong word"), lambda it: ""])
    decider = service(side, server, lambda request: next(answers)(request))
    for number, why in enumerate((
            "Auth callout service returned an error: wrong word",
            'Auth callout violation: "no reason supplied" on account "AUTH"')):
        refused = log_in(side, server, serving=decider, user="bob", **{"pass": "word"})
        equal(refused.errors, ["-ERR 'Authorization Violation'"])
        listener.wait_for(lambda it: len(it.messages) > number, what="an event")
        event = json.loads(listener.messages[number][1])
        equal((event["reason"], event["client"]["acc"], event["client"]["user"]),
              (why, "AUTH", "bob"))


@behaviour
def whom_a_service_let_in_goes_with_his_account(side):
    accounts = CONFIGURATION.replace("APP {", "B { users: [ { user: b, password: b } ] }\n  APP {")
    server = side.start(accounts)
    decider = service(side, server, lambda request: admit(request, "B"))
    client = log_in(side, server, serving=decider, user="bob")
    equal(client.errors, [])
    reload_with(server, CONFIGURATION)
    assert client.wait_for_end()
    equal(client.errors, [])


@behaviour
def networks_and_times_of_an_answer_have_to_be_some(side):
    server = side.start(CONFIGURATION)
    answers = [{"src": ["127.0.0.0/8", "10.1.0.0/33"]}, {"times_location": "Nowhere/Atall"},
               {"times": [{"start": "noon", "end": "13:00:00"}]}]
    left = iter(answers)
    decider = service(side, server, lambda request: admit(request, **next(left)))
    for rights in answers:
        client = log_in(side, server, serving=decider, user="bob")
        equal(client.errors, ["-ERR 'Authorization Violation'"], str(rights))


@behaviour
def limits_of_zero_in_an_answer_are_none(side):
    server = side.start(CONFIGURATION)
    decider = service(side, server, lambda request: admit(request, subs=0, data=0, payload=0))
    client = log_in(side, server, serving=decider, user="bob")
    client.send("SUB a 1\r\nPUB a 1\r\nx\r\n")
    client.wait_for(lambda it: it.messages, what="a message")
    equal(client.errors, [])


@behaviour
def who_sends_no_connect_is_asked_about_too(side):
    server = side.start(CONFIGURATION + "no_auth_user: known\n")
    decider = service(side, server, lambda request: admit(request, name="bob"))
    client = side.open(server.port)
    client.pings = 1
    client.send("PING\r\nSUB a 1\r\nPUB a 1\r\nx\r\n")
    decider.serve()
    client.wait_for(lambda it: it.messages, what="a message")
    equal(client.errors, [])
    equal(decider.requests[0]["nats"]["connect_opts"]["user"], "known")
    decider.decide = lambda request: refuse(request, "no")
    stranger = side.open(server.port)
    stranger.send("PING\r\n")
    decider.serve()
    stranger.wait_for_end()
    equal(stranger.errors, ["-ERR 'Authorization Violation'"])


@behaviour
def a_service_is_told_of_the_encryption(side):
    issuer = authority()
    (certificate, private), own = issuer.issue(), issuer.issue("/CN=me")
    server = side.start(CONFIGURATION + f"""
        tls {{ cert_file: "{certificate}", key_file: "{private}", ca_file: "{issuer.file}",
              verify: true }}""")
    context = issuer.context(own)
    decider = service(side, server, admit, client=secure_client(server.port, context))
    client = secure_client(server.port, context)
    side.clients.append(client)
    client.pings = 1
    client.send('CONNECT {"user":"u","verbose":false}\r\nPING\r\n')
    decider.serve()
    client.wait_for(lambda it: b"PONG" in it.operations, what="the end of the login")
    told = decider.requests[0]["nats"]["client_tls"]
    equal(sorted(told), ["cipher", "verified_chains", "version"])
    equal((told["version"], told["cipher"]), ("1.3", "TLS_AES_128_GCM_SHA256"))
    with open(own[0], encoding="ascii") as mine, open(issuer.file, encoding="ascii") as theirs:
        equal(told["verified_chains"], [[mine.read(), theirs.read()]])


@behaviour
def a_service_refuses_and_the_log_says_why(side):
    server = side.start(CONFIGURATION)
    cases = [
        (lambda request: refuse(request, "not today"),
         'Auth callout service returned an error: not today'),
        (lambda request: "", r'Auth callout violation: "no reason supplied" on account "AUTH"'),
        (lambda request: admit(request, account="NOPE"),
         r'No valid account "NOPE" for auth callout response on account "AUTH": account missing'),
        (lambda request: admit(request, signer=OTHER), 'Auth callout signing key is unknown'),
        (lambda request: admit(request, issuer=OTHER), 'Wrong issuer for auth callout response'),
        (lambda request: admit({**request, "nats": {**request["nats"], "user_nkey":
                                                    key("U", b"u" * 32).public}}),
         'Auth callout violation: auth callout response is not for expected user'),
        (lambda request: admit({**request, "nats": {**request["nats"], "server_id": {"id": "x"}}}),
         'Authorization response had validation errors: Audience must be a server public key'),
    ]
    decider = service(side, server, None)
    for decide, text in cases:
        decider.decide = decide
        client = log_in(side, server, serving=decider, user="u")
        equal(client.errors, ["-ERR 'Authorization Violation'"], text)
        is_logged(server, r"\[WRN\] " + text)


@behaviour
def who_is_not_answered_is_refused_in_time(side):
    server = side.start(CONFIGURATION)
    decider = service(side, server, lambda request: None)
    client = log_in(side, server, serving=decider, user="u")
    equal(client.errors, ["-ERR 'Authorization Violation'"])
    equal(log_in(side, server, user="u").errors, ["-ERR 'Authorization Violation'"])


@behaviour
def its_own_users_log_in_as_configured_and_may_not_ask(side):
    server = side.start(CONFIGURATION)
    equal(side.connect(server.port, user="auth", **{"pass": "wrong"}).errors,
          ["-ERR 'Authorization Violation'"])
    client = side.connect(server.port, user="auth", **{"pass": "auth"})
    client.send("PUB $SYS.REQ.USER.AUTH 0\r\n\r\n")
    client.barrier()
    equal(client.errors, ["-ERR 'Permissions Violation for Publish to \"$SYS.REQ.USER.AUTH\"'"])


@behaviour
def configured_users_are_asked_about_too_unless_their_account_is_not_delegated(side):
    server = side.start(CONFIGURATION)
    decider = service(side, server, admit)
    equal(log_in(side, server, serving=decider, user="known", **{"pass": "known"}).errors, [])
    equal(len(decider.requests), 1)
    server = side.start(CONFIGURATION.replace("auth_users:", "allowed_accounts: [ AUTH ], auth_users:"))
    equal(side.connect(server.port, user="known", **{"pass": "known"}).errors, [])


@behaviour
def a_user_that_a_service_let_in_expires(side):
    server = side.start(CONFIGURATION)

    def for_a_second(request):
        asked = request["nats"]
        user = token(ISSUER, {"sub": asked["user_nkey"], "aud": "APP", "exp": request["iat"] + 2,
                              "nats": {"type": "user", "version": 2, "subs": -1, "data": -1,
                                       "payload": -1}})
        return token(ISSUER, {"sub": asked["user_nkey"], "aud": asked["server_id"]["id"],
                              "nats": {"type": "authorization_response", "version": 2, "jwt": user}})

    client = log_in(side, server, serving=service(side, server, for_a_second), user="u")
    assert client.wait_for_end()
    equal(client.errors, ["-ERR 'User Authentication Expired'"])


@behaviour
def a_callout_that_is_not_complete_is_an_error(side):
    for text, complaint in (
            ("auth_users: [ a ]", "Authorization callouts require an issuer to be specified"),
            (f"issuer: {ISSUER.public}",
             "Authorization callouts require authorized users to be specified"),
            ('issuer: "x", auth_users: [ a ]',
             'Expected callout user to be a valid public account nkey, got "x"'),
            (f'issuer: {ISSUER.public}, auth_users: [ a ], xkey: "x"',
             'Expected callout xkey to be a valid public xkey, got "x"'),
            (f"issuer: {ISSUER.public}, auth_users: [ a ], allowed_accounts: [ NOPE ]",
             'auth_callout allowed account "NOPE" not found in configured accounts')):
        try:
            side.start(f"authorization {{ auth_callout {{ {text} }} }}\n")
        except suite.start_failure as failure:
            assert complaint in str(failure), failure
        else:
            raise AssertionError(f"it started with {text}")


class operated:
    """A server of an operator whose account AUTH has a service that lets people into APP."""

    def __init__(self, side, **authorization):
        operator, system = key("O"), key("A")
        self.auth, self.app, self.other = key("A"), key("A"), key("A")
        self.side, self.service_user, self.caller = side, key("U"), key("U")
        accounts = {
            self.auth: account_jwt(operator, self.auth, "AUTH", authorization={
                "auth_users": [self.service_user.public], "allowed_accounts": [self.app.public],
                **authorization}),
            self.app: account_jwt(operator, self.app, "APP"),
            self.other: account_jwt(operator, self.other, "OTHER"),
            system: account_jwt(operator, system, "SYS")}
        preload = "\n".join(f"{each.public}: {jwt}" for each, jwt in accounts.items())
        operator_token = operator_jwt(operator, system_account=system.public)
        self.server = side.start(f"operator: {operator_token}\nresolver: MEMORY\n"
                                 f"resolver_preload: {{ {preload} }}\n")
        self.requests = []

    def connect(self, who, serve=None, **options):
        client = self.side.open(self.server.port)
        client.pings = 1
        jwt = user_jwt(self.auth, who)
        client.send("CONNECT " + json.dumps({
            "jwt": jwt, "sig": who.signature_of(client.info["nonce"]), "verbose": False,
            "protocol": 1, **options}) + "\r\nPING\r\n")
        if serve:
            serve()
        client.wait_for(lambda it: it.stream.ended or b"PONG" in it.operations or it.errors,
                        what="the end of the login")
        return client

    def listen(self):
        self.service = self.connect(self.service_user)
        equal(self.service.errors, [])
        self.service.send("SUB $SYS.REQ.USER.AUTH 1\r\n")
        self.service.barrier()

    def answer(self, issuer, signer=None, **rights):
        """Lets the next one in as a user of the account `issuer`."""
        def serve():
            before = len(self.requests)
            self.service.wait_for(lambda it: len(it.messages) > before, what="a request")
            control, body = self.service.messages[before]
            request = claims_of(body.decode())
            self.requests.append(request)
            asked = request["nats"]
            user = token(issuer, {"sub": asked["user_nkey"], "iat": request["iat"], "name": "bob",
                                  "nats": {"type": "user", "version": 2, "subs": -1, "data": -1,
                                           "payload": -1, **rights}})
            answer = token(signer or self.auth, {
                "sub": asked["user_nkey"], "aud": asked["server_id"]["id"], "iat": request["iat"],
                "nats": {"type": "authorization_response", "version": 2, "jwt": user}})
            self.service.send(f"PUB {control.split()[3].decode()} {len(answer)}\r\n{answer}\r\n")
        return serve


@behaviour
def the_service_of_an_operators_account_lets_people_into_others(side):
    at = operated(side)
    at.listen()
    client = at.connect(at.caller, at.answer(at.app, pub={"allow": ["a", "$SYS.REQ.USER.INFO"]}),
                        user="somebody", **{"pass": "word"})
    equal(client.errors, [])
    asked = at.requests[0]
    equal(asked["iss"], asked["nats"]["server_id"]["id"])
    equal(asked["sub"], at.auth.public)
    options = asked["nats"]["connect_opts"]
    equal((options["user"], options["pass"]), ("somebody", "word"))
    equal(claims_of(options["jwt"])["sub"], at.caller.public)
    client.send("PUB b 0\r\n\r\nSUB answers 1\r\nPUB $SYS.REQ.USER.INFO answers 0\r\n\r\n")
    client.wait_for(lambda it: it.messages, what="information")
    about = json.loads(client.messages[0][1])["data"]
    equal((about["user"], about["account"]), ("bob", at.app.public))
    equal(client.errors, ["-ERR 'Permissions Violation for Publish to \"b\"'"])


@behaviour
def the_service_of_an_operators_account_opens_no_other_account(side):
    at = operated(side)
    at.listen()
    for issuer, signer in ((at.other, None), (at.app, at.other), (key("A"), None)):
        client = at.connect(at.caller, at.answer(issuer, signer))
        equal(client.errors, ["-ERR 'Authorization Violation'"])
    at = operated(side, allowed_accounts=["*"])
    at.listen()
    equal(at.connect(at.caller, at.answer(at.other)).errors, [])
    # Who is not asked about has to be somebody himself.
    stranger = side.open(at.server.port)
    stranger.send('CONNECT {"user":"a","pass":"b"}\r\nPING\r\n')
    assert stranger.wait_for_end()
    equal(stranger.errors, ["-ERR 'Authorization Violation'"])


class helper:
    """The example of our own library as the service."""

    def __init__(self, server, *keys):
        self.process = subprocess.Popen(
            [suite.CALLOUT, f"nats://auth:auth@127.0.0.1:{server.port}", *keys],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        equal(self.process.stdout.readline(), "ready\n")

    def end(self):
        self.process.communicate("\n", timeout=20)


@behaviour
def our_helper_answers_open_and_sealed(side):
    if not suite.CALLOUT:
        return
    public_xkey = subprocess.run([suite.CALLOUT, "--public", XKEY.seed], capture_output=True,
                                 text=True, check=True).stdout.strip()
    for keys, option in (([ISSUER.seed], ""), ([ISSUER.seed, XKEY.seed], f", xkey: {public_xkey}")):
        server = side.start(CONFIGURATION.replace("account: AUTH", "account: AUTH" + option))
        answers = helper(server, *keys)
        try:
            client = log_in(side, server, user="bob", **{"pass": "builder"})
            client.send("PUB secret.x 0\r\n\r\n")
            client.barrier()
            equal(client.errors, ["-ERR 'Permissions Violation for Publish to \"secret.x\"'"])
            equal(log_in(side, server, user="bob", **{"pass": "x"}).errors,
                  ["-ERR 'Authorization Violation'"])
            is_logged(server, "Auth callout service returned an error: unknown user or wrong "
                              "password")
        finally:
            answers.end()


class web_service:
    """Answers POST requests as `decide(request)` says: (status, document)."""

    def __init__(self, decide, certificate=None):
        self.scheme = "https" if certificate else "http"
        requests = self.requests = []

        class handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                requests.append(body)
                status, document = decide(body)
                text = json.dumps(document).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.handle_error = lambda *_: None  # Who asked may have gone.
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"{self.scheme}://127.0.0.1:{self.server.server_address[1]}/decide"

    def end(self):
        self.server.shutdown()
        self.server.server_close()


@pipits_own
def a_service_that_is_asked_by_http_lets_people_in(side):
    def decide(request):
        if request["connect_opts"].get("pass") != "right":
            return 403, {"error": "no"}
        if request["connect_opts"]["user"] == "late":
            return 200, {"account": "APP", "valid_seconds": -1}
        return 200, {"account": "APP", "name": "web", "user": {"pub": {"deny": ["secret"]}}}

    web = web_service(decide)
    try:
        server = side.start(f"""
          accounts {{ APP {{ }}, OWN {{ users: [ {{ user: own, password: own }} ] }} }}
          authorization {{ http_callout {{ url: "{web.url}", auth_users: [ own ] }} }}
        """)
        client = log_in(side, server, user="u", **{"pass": "right"})
        client.send("PUB secret 0\r\n\r\nSUB answers 1\r\nPUB $SYS.REQ.USER.INFO answers 0\r\n\r\n")
        client.wait_for(lambda it: it.messages, what="information")
        about = json.loads(client.messages[0][1])["data"]
        equal((about["user"], about["account"]), ("web", "APP"))
        equal(client.errors, ["-ERR 'Permissions Violation for Publish to \"secret\"'"])
        equal(log_in(side, server, user="u", **{"pass": "wrong"}).errors,
              ["-ERR 'Authorization Violation'"])
        is_logged(server, "HTTP callout answered with status 403")
        equal(log_in(side, server, user="late", **{"pass": "right"}).errors,
              ["-ERR 'Authorization Violation'"])
        equal(side.connect(server.port, user="own", **{"pass": "own"}).errors, [])
        equal([each["client_info"]["user"] for each in web.requests], ["u", "u", "late"])
    finally:
        web.end()


@pipits_own
def a_service_that_is_asked_by_https_has_to_be_trusted(side):
    issuer = authority()
    web = web_service(lambda _: (200, {"account": "APP"}), issuer.issue())
    text = (f'accounts {{ APP {{ }} }}\nauthorization {{ http_callout {{ url: "{web.url}", '
            "auth_users: [ ] } }\n")
    try:
        server = side.start(text, environment={"SSL_CERT_FILE": issuer.file})
        equal(log_in(side, server, user="u").errors, [])
        server = side.start(text)
        equal(log_in(side, server, user="u").errors, ["-ERR 'Authorization Violation'"])
        is_logged(server, "HTTP callout failed: .*certificate")
        equal(len(web.requests), 1)
    finally:
        web.end()


@pipits_own
def a_service_that_hangs_is_not_waited_for_by_others(side):
    release = threading.Event()

    def decide(_):
        release.wait(30)
        return 200, {"account": "APP"}

    web = web_service(decide)
    try:
        server = side.start(f"""
          accounts {{ APP {{ }}, OWN {{ users: [ {{ user: own, password: own }} ] }} }}
          authorization {{ timeout: 1, http_callout {{ url: "{web.url}", auth_users: [ own ] }} }}
        """)
        waiting = [side.open(server.port) for _ in range(40)]
        for client in waiting:
            client.send('CONNECT {"user":"u","verbose":false}\r\nPING\r\n')
        wait_until(lambda: web.requests, what="a request")
        own = side.connect(server.port, user="own", **{"pass": "own"})
        equal(own.errors, [])
        own.barrier()
        for client in waiting:
            assert client.wait_for_end()
            matches("Authentication Timeout|Authorization Violation", str(client.errors))
        equal(own.barrier(), True, "the other's connection")
    finally:
        release.set()
        web.end()
