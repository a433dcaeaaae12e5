# SPDX-License-Identifier: Apache-2.0
"""Usage: sign_in.py PACKAGES ATTEMPTS. Tries to come in by each of the attempts (JSON), and prints a
line for each: "in", or why not."""
import asyncio
import json
import ssl
import sys

sys.path.insert(0, sys.argv[1])
import nats  # noqa: E402


async def ignore(_):
    pass


def tls_of(one):
    if not any(one.get(name) for name in ("ca", "cert", "first")) and "tls://" not in one["url"]:
        return None
    context = ssl.create_default_context(cafile=one.get("ca"))
    if one.get("cert"):
        context.load_cert_chain(one["cert"], one["key"])
    return context


async def attempt(one):
    options = {name: one[name] for name in ("user", "password", "token") if name in one}
    if one.get("creds"):
        options["user_credentials"] = one["creds"]
    if one.get("seed"):
        options["nkeys_seed"] = one["seed"]
    client = await nats.connect(one["url"], allow_reconnect=False, connect_timeout=5,
                                max_reconnect_attempts=0, error_cb=ignore, tls=tls_of(one),
                                tls_handshake_first=one.get("first", False), **options)
    echo = await client.subscribe("probe")
    await client.publish("probe", b"x")
    assert (await echo.next_msg(5)).data == b"x"
    await client.close()


async def main():
    for one in json.loads(sys.argv[2]):
        try:
            await asyncio.wait_for(attempt(one), 10)
            print("in")
        except Exception as error:  # Whatever keeps it out.
            print(f"out: {error or type(error).__name__}".replace("\n", " "))


asyncio.run(main())
