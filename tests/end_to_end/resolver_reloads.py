# SPDX-License-Identifier: Apache-2.0
"""A reload that says another place for the JWTs of accounts."""
import json

from identity import VIOLATION, is_in, is_refused, log_in_by_jwt
from nkeys import account_jwt, key, operator_jwt
from resolvers import accounts_server, asked
from suite import behaviour, equal, matches, pipits_own, reload_with


class moving:
    """An operator with a system account and accounts `old` and `new`: each place has one of them."""

    def __init__(self, side):
        self.side = side
        self.operator, self.system, self.user = key("O"), key("A"), key("U")
        self.token = operator_jwt(self.operator, system_account=self.system.public)
        self.old, self.new = key("A"), key("A")
        self.places = []
        self.server = None

    def jwts(self, account):
        return {each.public: account_jwt(self.operator, each) for each in (self.system, account)}

    def place(self, kind, account):
        """The configuration with a place that has the account."""
        head = f"operator: {self.token}\nsystem_account: {self.system.public}\n"
        jwts = self.jwts(account)
        if kind == "url":
            self.places.append(accounts_server(jwts))
            return head + f'resolver: URL("http://{self.places[-1].place}")\n'
        preload = "resolver_preload: {\n" + "".join(
            f"{name}: {jwt}\n" for name, jwt in jwts.items()) + "}\n"
        if kind == "memory":
            return head + "resolver: MEMORY\n" + preload
        name = f"jwt-{account.public}"
        return head + f'resolver: {{ type: full, dir: "./{name}" }}\n' + preload

    def connect(self, account, user=None):
        return log_in_by_jwt(self.side, self.server, account, user or self.user)

    def start(self, kind):
        self.server = self.side.start(self.place(kind, self.old))
        client = self.connect(self.old)
        is_in(client)
        return client

    def end(self):
        for each in self.places:
            each.end()


def _moved(side, before, after):
    """Who was in before, and the world, in which accounts come from elsewhere now."""
    world = moving(side)
    try:
        client = world.start(before)
        log = reload_with(world.server, world.place(after, world.new))
        matches("Reloaded: accounts", log, "log")
        is_in(world.connect(world.new))
        is_refused(world.connect(key("A")))
        is_in(world.connect(world.system, key("U")))
    finally:
        world.end()
    return client, world, log


@behaviour
def accounts_come_from_another_url_after_a_reload(side):
    client, world, _ = _moved(side, "url", "url")
    is_in(client)
    is_in(world.connect(world.old))


@behaviour
def accounts_come_from_another_kind_of_place_after_a_reload(side):
    for before, after in (("memory", "url"), ("url", "folder"), ("folder", "folder"),
                          ("memory", "folder"), ("folder", "url")):
        client, world, _ = _moved(side, before, after)
        is_in(client)
        is_in(world.connect(world.old))


@behaviour
def accounts_that_memory_does_not_have_after_a_reload_end(side):
    for before in ("memory", "url", "folder"):
        client, world, log = _moved(side, before, "memory")
        is_refused(client, VIOLATION)
        is_refused(world.connect(world.old))
        matches(f'Reloaded: deleting account .removed.: "{world.old.public}"', log, "log")
        reload_with(world.server, world.place("memory", world.old))
        is_in(world.connect(world.old))
        is_refused(world.connect(world.new))


@behaviour
def nobody_asks_a_url_of_a_reload_before_an_account_is_wanted(side):
    world = moving(side)
    try:
        client = world.start("url")
        text = world.place("url", world.new)
        reload_with(world.server, text.replace(world.places[-1].place, "127.0.0.1:1/none/"))
        is_in(client)
        is_in(world.connect(world.old))
        is_refused(world.connect(world.new))
    finally:
        world.end()


@pipits_own
def what_is_pushed_after_a_reload_goes_into_its_folder(side):
    """nats-server goes on with the folder it began with, where no login finds it."""
    for before in ("folder", "memory", "url"):
        _, world, _ = _moved(side, before, "folder")
        pushed, administrator = key("A"), key("U")
        inside = world.connect(world.system, administrator)
        answers = asked(inside, "$SYS.REQ.CLAIMS.UPDATE", account_jwt(world.operator, pushed))
        equal([json.loads(each)["data"]["message"] for each in answers], ["jwt updated"])
        is_in(world.connect(pushed))
