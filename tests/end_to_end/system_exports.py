# SPDX-License-Identifier: Apache-2.0
"""What every account may import of the system account, which need not export anything."""
import json

from identity import is_in
from nkeys import account_jwt, key, operator_jwt, user_jwt
from suite import behaviour, equal, matches, start_failure

HTTP = 'http: "127.0.0.1:-1"\n'


class importing:
    """An account that imports services of the system account, each by a name of its own."""

    def __init__(self, side, imports, exports=(), **options):
        self.side, self.user = side, key("U")
        operator, system = key("O"), key("A")
        self.account, self.other = key("A"), key("A")
        listed = [{"name": local, "subject": self.named(subject), "account": system.public,
                   "type": "service", "local_subject": local, **options}
                  for local, subject in imports.items()]
        jwts = {self.account: account_jwt(operator, self.account, "importer", imports=listed),
                self.other: account_jwt(operator, self.other, "other"),
                system: account_jwt(operator, system, "SYS", exports=list(exports))}
        preload = "".join(f"{each.public}: {jwt}\n" for each, jwt in jwts.items())
        self.server = side.start(
            f"{HTTP}operator: {operator_jwt(operator, system_account=system.public)}\n"
            f"resolver: MEMORY\nresolver_preload {{\n{preload}}}\n")
        self.client = self.connect(self.account)
        self.count = 0

    def named(self, subject):
        return subject.replace("{own}", self.account.public).replace("{other}", self.other.public)

    def connect(self, account):
        client = self.side.open(self.server.port)
        client.connect(no_responders=True, jwt=user_jwt(account, self.user),
                       sig=self.user.signature_of(client.info["nonce"]))
        is_in(client)
        return client

    def ask(self, subject, body=""):
        """The answer; None: nobody is there who could give one."""
        self.count += 1
        inbox = f"_INBOX.i.{self.count}"
        before = len(self.client.messages)
        self.client.send(f"SUB {inbox} {100 + self.count}\r\n"
                         f"PUB {subject} {inbox} {len(body)}\r\n{body}\r\n")
        self.client.wait_for(lambda c: len(c.messages) > before, what="an answer")
        control, answer = self.client.messages[before]
        return None if control.startswith(b"HMSG") else answer.decode()


@behaviour
def accounts_import_what_the_system_account_knows_of_them(side):
    world = importing(side, {"c": "$SYS.REQ.ACCOUNT.{own}.CONNZ",
                             "s": "$SYS.REQ.ACCOUNT.{own}.STATZ"})
    world.connect(world.other)
    answer = json.loads(world.ask("c"))["data"]
    equal(answer["num_connections"], 1)
    answer = json.loads(world.ask("s"))["data"]
    equal([each["acc"] for each in answer["account_statz"]], [world.account.public])


@behaviour
def accounts_import_nothing_of_others_or_of_the_server(side):
    refused = {"a": "$SYS.REQ.ACCOUNT.{other}.CONNZ", "b": "$SYS.REQ.ACCOUNT.{own}.SUBSZ",
               "c": "$SYS.REQ.ACCOUNT.{own}.INFO", "d": "$SYS.REQ.SERVER.PING.VARZ",
               "e": "$SYS.REQ.SERVER.PING.CONNZ", "f": "$SYS.REQ.CLAIMS.LIST"}
    world = importing(side, refused)
    equal({subject: world.ask(subject) for subject in refused}, dict.fromkeys(refused))


@behaviour
def an_account_counts_its_subscribers_by_an_import(side):
    world = importing(side, {"count": "$SYS.DEBUG.SUBSCRIBERS"})
    world.client.send("SUB mine.a 1\r\nSUB mine.* 2\r\nSUB mine.b g 3\r\nSUB mine.> g 4\r\n")
    other = world.connect(world.other)
    other.send("SUB mine.a 1\r\n")
    other.barrier()
    equal([world.ask("count", text) for text in
           ("mine.a", "mine.b", "mine.b g", "mine.b h", "mine.*", "mine.* g", "mine.>")],
          ["3", "3", "2", "0", "3", "1", "4"])


@behaviour
def who_asks_is_told_only_by_an_import_that_shares(side):
    for share in (False, True):
        world = importing(side, {"who": "$SYS.REQ.USER.{own}.INFO"}, share=share)
        answer = json.loads(world.ask("who"))["data"]
        equal([answer["account"], answer["account_name"]], [world.account.public, "importer"])
        # The reference tells it all the same after some starts, 1 of 25.
        if share or not side.is_reference:
            equal(answer["user"], world.user.public if share else "")


@behaviour
def an_export_of_the_system_account_counts_more(side):
    own = [{"name": "all", "subject": "$SYS.REQ.ACCOUNT.*.*", "type": "service",
            "response_type": "Stream"}]
    world = importing(side, {"a": "$SYS.REQ.ACCOUNT.{other}.CONNZ",
                             "b": "$SYS.REQ.ACCOUNT.{own}.INFO"}, own)
    equal([json.loads(world.ask(each)).get("error") for each in "ab"], [None, None])


@behaviour
def configured_accounts_import_only_what_is_exported(side):
    """A configuration is judged before there is a system account."""
    try:
        side.start("""accounts { SYS {}, A { imports [
            { service: { account: SYS, subject: "$SYS.REQ.ACCOUNT.A.CONNZ" }, to: c } ] } }
            system_account: SYS\n""")
    except start_failure as failure:
        matches("service import not authorized", str(failure))
    else:
        raise AssertionError("it started")
