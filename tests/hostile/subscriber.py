# SPDX-License-Identifier: Apache-2.0
"""A nats-py subscriber that counts; told to stop by a line, it prints what it saw."""
import asyncio
import json
import sys

import nats


async def main(port):
    seen = {"received": 0, "disconnects": 0, "errors": []}

    async def disconnected():
        seen["disconnects"] += 1

    async def error(problem):
        # A full queue of the client's own is its own affair, and comes for every message.
        if len(seen["errors"]) < 3:
            seen["errors"].append(repr(problem))

    async def message(_):
        seen["received"] += 1

    client = await nats.connect(f"nats://127.0.0.1:{port}", disconnected_cb=disconnected,
                                error_cb=error, max_reconnect_attempts=5)
    await client.subscribe("full.speed", cb=message)
    await client.flush()
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    print(json.dumps(seen), flush=True)


asyncio.run(main(int(sys.argv[1])))
