# SPDX-License-Identifier: Apache-2.0
"""JWTs of accounts that change while the server runs: updates, folders, what nsc pushes and pulls."""
import http.server
import json
import os
import signal
import ssl
import threading
import time

from identity import is_in, is_refused, log_in_by_jwt, operated
from nkeys import account_jwt, key, operator_jwt, token, user_jwt
from suite import behaviour, equal, matches, pipits_own, start_failure, wait_until
from certificates import authority  # Where suite has looked for servers.

FULL = 'resolver: { type: full, dir: "./jwt", allow_delete: true, interval: "1m" }'


def asked(client, subject, payload="", number=[0]):
    """The answers to a request, until nothing comes for a while or the first one, if that is all."""
    number[0] += 1
    inbox = f"_INBOX.t.{number[0]}"
    body = payload if isinstance(payload, bytes) else payload.encode()
    before = len(client.messages)
    client.send(f"SUB {inbox} {1000 + number[0]}\r\n")
    client.send(f"PUB {subject} {inbox} {len(body)}\r\n".encode() + body + b"\r\n")
    client.wait_for(lambda c: len(c.messages) > before, what=f"an answer to {subject}")
    client.barrier()
    return [each.decode() for _, each in client.messages[before:]]


class observed(operated):
    """With somebody in the system account."""

    def __init__(self, side, **options):
        super().__init__(side, **options)
        self.administrator = key("U")
        self.inside = self.connect(user_jwt(self.system, self.administrator),
                                   user=self.administrator)
        is_in(self.inside)

    def newer(self, **claims):
        return account_jwt(self.operator, self.account, **claims)

    def update(self, jwt, account=None):
        name = (account or self.account).public
        return json.loads(asked(self.inside, f"$SYS.REQ.ACCOUNT.{name}.CLAIMS.UPDATE", jwt)[0])

    def request(self, what, payload=""):
        return json.loads(asked(self.inside, f"$SYS.REQ.CLAIMS.{what}", payload)[0])


@behaviour
def a_user_who_is_revoked_goes_at_once(side):
    world = observed(side)
    other = key("U")
    token_of_victim = world.token()
    victim, stays = world.connect(token_of_victim), world.connect(
        user_jwt(world.account, other), user=other)
    is_in(victim)
    is_in(stays)
    answer = world.update(world.newer(revocations={world.user.public: int(time.time()) + 5}))
    equal(answer["data"], {"account": world.account.public, "code": 200, "message": "jwt updated"})
    equal(answer["server"]["ver"], "2.15.2")
    is_refused(victim, "-ERR 'User Authentication Revoked'")
    is_in(stays)
    for jwt in (token_of_victim, world.token()):
        is_refused(world.connect(jwt))
    closed = [each["reason"] for each in world.connections("state=closed")]
    equal("Credentials Revoked" in closed, True, closed)


@behaviour
def with_fewer_connections_allowed_the_youngest_go(side):
    world = observed(side)
    first, second = world.connect(world.token()), world.connect(world.token())
    is_in(first)
    is_in(second)
    world.update(world.newer(limits={"conn": 1}))
    is_refused(second, "-ERR 'maximum account active connections exceeded'")
    is_in(first)


@behaviour
def who_signed_in_by_a_key_that_changed_goes_without_a_word(side):
    signer, scoped = key("A"), key("A")
    scope = {"kind": "user_scope", "key": scoped.public, "role": "r",
             "template": {"subs": -1, "data": -1, "payload": -1, "pub": {"allow": ["a"]}}}
    world = observed(side, signing_keys=[signer.public, scope])
    by_key = world.connect(user_jwt(signer, world.user, scoped_in=world.account,
                                    subs=-1, data=-1, payload=-1))
    by_scope = world.connect(user_jwt(scoped, world.user, scoped_in=world.account))
    itself = world.connect(world.token())
    for each in (by_key, by_scope, itself):
        is_in(each)
    scope["template"]["pub"]["allow"] = ["b"]
    world.update(world.newer(signing_keys=[signer.public, scope]))
    equal(by_scope.wait_for_end(), True)
    equal(by_scope.errors, [])
    is_in(by_key)
    world.update(world.newer(signing_keys=[scope]))
    equal(by_key.wait_for_end(), True)
    equal(by_key.errors, [])
    is_in(itself)


@behaviour
def updates_that_are_wrong_change_nothing(side):
    world = observed(side)
    client = world.connect(world.token())
    is_in(client)
    stranger = key("O")
    foreign = world.update(account_jwt(stranger, world.account, limits={"conn": 0}))
    matches("jwt update resulted in error - account validation failed",
            foreign["error"]["description"])
    matches("subject does not match", world.update(account_jwt(
        world.operator, key("A")))["error"]["description"])
    equal(world.update("rubbish")["error"]["code"], 500)
    equal(world.update(account_jwt(world.operator, world.account), account=key("A"))["error"]["code"],
          500)
    is_in(client)


@behaviour
def a_folder_keeps_what_is_pushed(side):
    world = observed(side, resolver=FULL)
    pushed, user = key("A"), key("U")
    jwt = account_jwt(world.operator, pushed, "pushed")
    is_refused(world.connect(user_jwt(pushed, user), user=user))
    answer = world.request("UPDATE", jwt)
    equal(answer["data"], {"account": pushed.public, "code": 200, "message": "jwt updated"})
    wait_until(lambda: not world.connect(user_jwt(pushed, user), user=user).errors,
               what="a login")
    listed = world.request("LIST")
    equal(sorted(listed["data"]),
          sorted([pushed.public, world.account.public, world.system.public]))
    lookup = f"$SYS.REQ.ACCOUNT.{pushed.public}.CLAIMS.LOOKUP"
    equal(asked(world.inside, lookup), [jwt])
    equal(asked(world.inside, f"$SYS.REQ.ACCOUNT.{key('A').public}.CLAIMS.LOOKUP"), [""])
    # One that is no account has no answer: the first that comes is of the next request.
    world.inside.send("SUB _INBOX.none 999\r\n"
                      "PUB $SYS.REQ.ACCOUNT.nobody.CLAIMS.LOOKUP _INBOX.none 0\r\n\r\n")
    equal(asked(world.inside, lookup), [jwt])
    with open(os.path.join(world.server.path, "jwt", pushed.public + ".jwt"),
              encoding="utf-8") as file:
        equal(file.read(), jwt)
    asked(world.inside, "$SYS.REQ.CLAIMS.PACK", b"x" * 32)
    packed = f"{pushed.public}|{jwt}".encode()
    world.inside.wait_for(lambda c: packed in [each for _, each in c.messages], what="the pack")


@behaviour
def only_an_operator_deletes_accounts(side):
    world = observed(side, resolver=FULL)
    client = world.connect(world.token())
    is_in(client)

    def delete(signer, accounts):
        claims = {"jti": "D", "iat": int(time.time()), "sub": signer.public, "name": "delete",
                  "nats": {"accounts": accounts, "type": "generic", "version": 2}}
        return world.request("DELETE", token(signer, claims))

    stranger = key("O")
    matches("not trusted", delete(stranger, [world.account.public])["error"]["description"])
    matches("not allowed to delete system account",
            delete(world.operator, [world.system.public])["error"]["description"])
    matches("malformed request", delete(world.operator, ["x"])["error"]["description"])
    is_in(client)
    equal(delete(world.operator, [world.account.public])["data"]["message"], "deleted 1 accounts")
    is_refused(client, "-ERR 'Account Authentication Expired'")
    is_refused(world.connect(world.token()))
    path = os.path.join(world.server.path, "jwt", world.account.public + ".jwt")
    equal((os.path.exists(path), os.path.exists(path + ".deleted")), (False, True))


@behaviour
def deleting_has_to_be_allowed(side):
    world = observed(side, resolver='resolver: { type: full, dir: "./jwt" }')
    claims = {"jti": "D", "iat": int(time.time()), "sub": world.operator.public, "name": "delete",
              "nats": {"accounts": [world.account.public], "type": "generic", "version": 2}}
    answer = world.request("DELETE", token(world.operator, claims))
    equal(answer["error"]["description"], f"delete accounts request by {world.operator.public} "
          "failed - delete must be enabled in server config")


@behaviour
def a_folder_is_there_after_a_restart(side):
    world = observed(side, resolver=FULL)
    newer = world.newer(limits={"conn": 1})
    world.request("UPDATE", newer)
    configuration = (f"operator: {operator_jwt(world.operator, system_account=world.system.public)}\n"
                     f"resolver: {{ type: full, dir: \"{world.server.path}/jwt\" }}\n")
    world.server.process.terminate()
    world.server.process.wait(10)
    again = side.start(configuration)
    clients = []
    for _ in range(2):
        client = side.open(again.port)
        client.connect(jwt=world.token(), sig=world.user.signature_of(client.info["nonce"]))
        clients.append(client)
    is_in(clients[0])
    is_refused(clients[1], "-ERR 'maximum account active connections exceeded'")


@pipits_own
def a_file_that_somebody_put_into_the_folder_holds_after_a_reload(side):
    world = observed(side, resolver=FULL)
    victim = world.connect(world.token())
    is_in(victim)
    path = os.path.join(world.server.path, "jwt", world.account.public + ".jwt")
    with open(path, "w", encoding="utf-8") as file:
        file.write(world.newer(revocations={world.user.public: int(time.time()) + 5},
                               more={"iat": int(time.time()) + 10}))
    world.server.process.send_signal(signal.SIGHUP)
    is_refused(victim, "-ERR 'User Authentication Revoked'")


class accounts_server:
    """A server of accounts, by HTTP or HTTPS."""

    def __init__(self, known, certificate=None):
        self.authorizations = seen = []

        class answers(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                seen.append(self.headers["Authorization"])
                name = self.path.rsplit("/", 1)[1]
                body = known.get(name, "" if not name else None)
                self.send_response(404 if body is None else 200)
                self.end_headers()
                self.wfile.write((body or "").encode())

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), answers)
        self.server.handle_error = lambda *_: None  # Whoever does not trust it hangs up.
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.place = f"127.0.0.1:{self.server.server_port}/accounts/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def end(self):
        self.server.shutdown()
        self.server.server_close()


@behaviour
def accounts_are_fetched_from_a_url(side):
    operator, account, user = key("O"), key("A"), key("U")
    web = accounts_server({account.public: account_jwt(operator, account)})
    try:
        server = side.start(f"operator: {operator_jwt(operator)}\n"
                            f"resolver: URL(\"http://{web.place}\")\n")
        is_in(log_in_by_jwt(side, server, account, user))
        is_in(log_in_by_jwt(side, server, account, user))
        is_refused(log_in_by_jwt(side, server, key("A"), user))
    finally:
        web.end()


@behaviour
def accounts_are_fetched_by_https_with_a_password(side):
    operator, account, user, issuer = key("O"), key("A"), key("U"), authority()
    web = accounts_server({account.public: account_jwt(operator, account)}, issuer.issue())
    head = f'operator: {operator_jwt(operator)}\nresolver: URL("https://me:secret@{web.place}")\n'
    try:
        server = side.start(head + f'resolver_tls {{ ca_file: "{issuer.file}" }}\n')
        is_in(log_in_by_jwt(side, server, account, user))
        is_refused(log_in_by_jwt(side, server, key("A"), user))
        equal(set(web.authorizations), {"Basic bWU6c2VjcmV0"})
        assert "secret" not in server.log(), server.log()
        trusting = side.start(head + "resolver_tls { insecure: true }\n")
        is_in(log_in_by_jwt(side, trusting, account, user))
        before = len(web.authorizations)
        try:
            side.start(head)
        except start_failure as failure:
            matches("could not fetch", str(failure))
            assert "secret" not in str(failure)
        else:
            raise AssertionError("it trusts anybody")
        equal(len(web.authorizations), before)
    finally:
        web.end()


@behaviour
def a_server_of_accounts_has_to_be_there_at_the_start(side):
    try:
        side.start(f"operator: {operator_jwt(key('O'))}\n"
                   "resolver: URL(\"http://127.0.0.1:1/accounts/\")\n")
    except start_failure as failure:
        matches("could not fetch <.http://127.0.0.1:1/accounts/.>", str(failure))
    else:
        raise AssertionError("it started")


@behaviour
def accounts_share_by_their_jwts(side):
    operator, giver, taker, user = key("O"), key("A"), key("A"), key("U")
    activation = token(giver, {"jti": "ACT", "iat": int(time.time()), "sub": taker.public,
                               "nats": {"subject": "private.>", "kind": "stream",
                                        "type": "activation", "version": 2}})
    gives = account_jwt(operator, giver, exports=[
        {"name": "s", "subject": "open.>", "type": "stream"},
        {"name": "p", "subject": "private.>", "type": "stream", "token_req": True},
        {"name": "h", "subject": "help", "type": "service"}])
    takes = account_jwt(operator, taker, imports=[
        {"name": "s", "subject": "open.>", "account": giver.public, "type": "stream",
         "local_subject": "from.them.>"},
        {"name": "p", "subject": "private.>", "account": giver.public, "type": "stream",
         "token": activation},
        {"name": "h", "subject": "help", "account": giver.public, "type": "service",
         "local_subject": "their.help"}])
    server = side.start(f"operator: {operator_jwt(operator)}\nresolver: MEMORY\nresolver_preload "
                        f"{{ {giver.public}: {gives}\n{taker.public}: {takes} }}\n")

    reader, writer = (log_in_by_jwt(side, server, of, user) for of in (taker, giver))
    for client in reader, writer:
        is_in(client)
    reader.send("SUB from.them.a 1\r\nSUB private.b 2\r\n")
    reader.barrier()
    writer.send("PUB open.a 1\r\nx\r\nPUB private.b 1\r\ny\r\nPUB open.b 1\r\nz\r\n")
    writer.barrier()
    reader.wait_for(lambda c: len(c.messages) == 2, what="what was imported")
    equal([control for control, _ in reader.messages],
          [b"MSG from.them.a 1 1", b"MSG private.b 2 1"])
    writer.send("SUB help 1\r\n")
    writer.barrier()
    reader.send("SUB answer 3\r\nPUB their.help answer 1\r\n?\r\n")
    writer.wait_for(lambda c: c.messages, what="a request")
    reply = writer.messages[0][0].decode().split()[3]
    writer.send(f"PUB {reply} 1\r\n!\r\n")
    reader.wait_for(lambda c: len(c.messages) == 3, what="an answer")
    equal(reader.messages[2], (b"MSG answer 3 1", b"!"))


@behaviour
def the_system_account_may_come_later(side):
    operator, system, account = key("O"), key("A"), key("A")
    administrator, user = key("U"), key("U")
    server = side.start(f"operator: {operator_jwt(operator)}\nsystem_account: {system.public}\n"
                        'resolver: { type: full, dir: "./jwt" }\n')

    def connect(of, who):
        return log_in_by_jwt(side, server, of, who)

    inside = connect(system, administrator)
    is_in(inside)
    for jwt in (account_jwt(operator, system, "SYS"), account_jwt(operator, account)):
        answer = json.loads(asked(inside, "$SYS.REQ.CLAIMS.UPDATE", jwt)[0])
        equal(answer["data"]["message"], "jwt updated")
    is_in(inside)
    is_in(connect(account, user))


@behaviour
def no_account_has_a_token_that_is_not_its_own(side):
    world = observed(side, resolver=FULL)
    giver = key("A")

    def update(importer, **changes):
        nats = {"subject": "a.>", "kind": "stream", "type": "activation", "version": 2, **changes}
        leave = token(giver, {"jti": "ACT", "iat": int(time.time()), "sub": importer.public,
                              "nats": nats})
        imports = [{"name": "p", "subject": "a.b", "account": giver.public, "type": "stream",
                    "token": leave}]
        return world.update(world.newer(imports=imports))

    equal(update(world.account)["data"]["message"], "jwt updated")
    for wrong in (update(key("A")), update(world.account, subject="b.>"),
                  update(world.account, kind="service")):
        matches("validation", wrong["error"]["description"])


@behaviour
def an_import_without_leave_is_none(side):
    operator, giver, taker, other, user = key("O"), key("A"), key("A"), key("A"), key("U")

    def activation(**changes):
        return token(giver, {"jti": "ACT", "iat": int(time.time()), "sub": taker.public,
                             "nats": {"subject": "a.>", "kind": "stream", "type": "activation",
                                      "version": 2}, **changes})

    def got(revocations=None, **changes):
        gives = account_jwt(operator, giver, exports=[
            {"name": "p", "subject": "a.>", "type": "stream", "token_req": True,
             **({"revocations": revocations} if revocations else {})}])
        takes = account_jwt(operator, taker, imports=[
            {"name": "p", "subject": "a.>", "account": giver.public, "type": "stream",
             **({"token": activation(**changes)} if changes is not None else {})}])
        server = side.start(f"operator: {operator_jwt(operator)}\nresolver: MEMORY\n"
                            f"resolver_preload {{ {giver.public}: {gives}\n"
                            f"{taker.public}: {takes} }}\n")
        reader, writer = (log_in_by_jwt(side, server, of, user) for of in (taker, giver))
        if reader.stream.ended:
            return "refused"
        reader.send("SUB a.b 1\r\n")
        reader.barrier()
        writer.send("PUB a.b 1\r\nx\r\n")
        writer.barrier()
        reader.barrier()
        return len(reader.messages)

    equal(got(), 1)
    equal(got(exp=int(time.time()) - 5), 0)
    equal(got(revocations={taker.public: int(time.time()) + 5}), 0)
    equal(got(sub=other.public) in (0, "refused"), True)


