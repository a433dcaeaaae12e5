#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Live permissions as somebody else's client sees them: nats-py, unmodified.

    live_permissions_nats_py.py --server build/release/tools/pipit-server --clients build/conformance
"""
import argparse
import asyncio
import os
import sys
import time

import suite
from auth_callout import CONFIGURATION
from live_permissions import LIVE, admit_for, with_role
from nkeys import claims_of, user_jwt


class watched:
    """A client of nats-py and what it was told."""

    def __init__(self):
        self.errors, self.ends, self.messages = [], [], []

    async def connect(self, nats, port, jwt=None, signer=None, **options):
        async def on_error(error):
            self.errors.append(str(error))

        async def on_end():
            self.ends.append("disconnected")

        if jwt:
            options.update(user_jwt_cb=lambda: self.jwt.encode(),
                           signature_cb=lambda nonce: signer.signature_of(nonce).encode())
        self.jwt = jwt
        self.nc = await nats.connect(f"nats://127.0.0.1:{port}", error_cb=on_error,
                                     disconnected_cb=on_end, closed_cb=on_end, **options)
        return self

    async def subscribe(self, *subjects):
        async def keep(message):
            self.messages.append(message.subject)

        for subject in subjects:
            await self.nc.subscribe(subject, cb=keep)
        await self.nc.flush()

    async def publish(self, *subjects):
        for subject in subjects:
            await self.nc.publish(subject, b"")
        await self.nc.flush()
        await self.nc.flush()

    async def wait_for(self, condition, what):
        deadline = time.monotonic() + 10
        while not condition():
            assert time.monotonic() < deadline, f"{what}: {self.errors} {self.messages}"
            await asyncio.sleep(0.02)

    def is_as(self, messages, errors):
        suite.equal(self.messages, messages)
        suite.equal([each.lower() for each in self.errors], errors)
        suite.equal(self.ends, [])


def violation(kind, subject):
    return f'nats: permissions violation for {kind} to "{subject}"'


async def a_role_is_edited(nats, side):
    world = with_role(side)
    client = await watched().connect(
        nats, world.server.port, user_jwt(world.role, world.user, scoped_in=world.account),
        world.user)
    await client.subscribe("old", "kept")
    await client.publish("old", "kept")
    world.edit({"sub": {"deny": ["old"]}, "pub": {"deny": ["secret"]}})
    await client.publish("old", "kept", "secret")
    await client.wait_for(lambda: len(client.errors) == 2, "two errors")
    client.is_as(["old", "kept", "kept"],
                 [violation("subscription", "old"), violation("publish", "secret")])
    world.edit({"sub": {"deny": ["none"]}})
    await client.subscribe("old")
    await client.publish("old", "secret")
    await client.wait_for(lambda: len(client.messages) == 4, "a message")
    client.is_as(["old", "kept", "kept", "old"],
                 [violation("subscription", "old"), violation("publish", "secret")])
    await client.nc.close()


async def a_jwt_is_renewed(nats, side):
    world = with_role(side)
    client = await watched().connect(nats, world.server.port,
                                     world.token(pub={"allow": ["a"]}), world.user)
    await client.subscribe("a", "b")
    await client.publish("a", "b")
    client.jwt = world.token(pub={"allow": ["b"]})
    client.nc._transport.write(client.nc._connect_command())  # It has no word for it.
    await client.publish("a", "b")
    await client.wait_for(lambda: len(client.errors) == 2, "two errors")
    client.is_as(["a", "b"], [violation("publish", "b"), violation("publish", "a")])
    await client.nc.close()


async def a_service_answers_again(nats, side):
    server = side.start(LIVE + CONFIGURATION)
    service = await watched().connect(nats, server.port, user="auth", password="auth")
    requests = []

    async def decide(message):
        request = claims_of(message.data.decode())
        requests.append(request["nats"])
        rights = {"sub": {"deny": ["old"]}} if "refresh" in request["nats"] else {}
        await message.respond(admit_for(request, 1, **rights).encode())

    await service.nc.subscribe("$SYS.REQ.USER.AUTH", cb=decide)
    await service.nc.flush()
    client = await watched().connect(nats, server.port, user="u", password="secret")
    await client.subscribe("old", "kept")
    await client.publish("old", "kept")
    await client.wait_for(lambda: client.errors, "an error")
    await client.publish("old", "kept")
    client.is_as(["old", "kept", "kept"], [violation("subscription", "old")])
    suite.equal([each["connect_opts"].get("pass") for each in requests[:2]], ["secret", None])
    await client.nc.close()
    await service.nc.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", required=True, help="the server under test")
    parser.add_argument("--clients", required=True,
                        help="a folder with py/ as tests/conformance/setup.sh makes it")
    arguments = parser.parse_args()
    sys.path.insert(0, os.path.join(os.path.abspath(arguments.clients), "py"))
    import nats
    side = suite.side(suite.find_program(arguments.server), False)
    try:
        for scene in (a_role_is_edited, a_jwt_is_renewed, a_service_answers_again):
            asyncio.run(scene(nats, side))
            print("ok", scene.__name__)
    finally:
        side.end()


if __name__ == "__main__":
    main()
