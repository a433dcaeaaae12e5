# SPDX-License-Identifier: Apache-2.0
"""Plays the steps of behaviours on nats-py and writes down what is seen.

Usage: driver.py PACKAGES CONTROL. PACKAGES is the folder that holds the `nats` package.
"""

import asyncio
import base64
import hashlib
import json
import sys
import time
import traceback
import urllib.request

sys.path.insert(0, sys.argv[1])
import nats  # noqa: E402
import nats.errors  # noqa: E402

PATIENCE_SECONDS = 8


async def until(condition):
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition() and time.monotonic() < end:
        await asyncio.sleep(0.005)
    return condition()


def describe(error):
    return f"{type(error).__name__}: {error}"


def quoted(text):
    return json.dumps(text, ensure_ascii=False)


def show_payload(data):
    if len(data) <= 200:
        try:
            return quoted(data.decode())
        except UnicodeDecodeError:
            pass
    return f"<{len(data)} bytes {hashlib.sha256(data).hexdigest()[:12]}>"


def show_message(message):
    parts = [message.subject]
    if message.reply:
        parts.append(f"reply={message.reply}")
    if message.headers is not None:
        parts.append("[" + " | ".join(f"{key}: {value}" for key, value in message.headers.items()) + "]")
    parts.append(show_payload(message.data))
    return " ".join(parts)


def make_payload(payload, options, index):
    if "size" in options:
        return b"x" * options["size"]
    if "base64" in options:
        return base64.b64decode(options["base64"])
    return (str(index) if payload == "#" else payload).encode()


def headers_of(options):
    """A header comes once in this client's messages."""
    if "headers" not in options:
        return None
    headers = dict(options["headers"])
    if "long_header" in options:
        headers["Long"] = "v" * options["long_header"]
    return headers


class observed_client(nats.NATS):
    """Keeps the server's last words: the end of the stream that follows would hide them."""

    last_words = None

    async def _process_err(self, err_msg):
        self.last_words = err_msg
        await super()._process_err(err_msg)


class observed_connection:
    def __init__(self):
        self.client = observed_client()
        self.errors = []
        self.events = []
        self.closed = False
        self.cid = None

    def hears(self, event):
        async def callback():
            self.events.append(event)
            if event == "close":
                self.closed = True
        return callback

    async def on_error(self, error):
        self.errors.append(describe(error))

    async def open(self, name, url, options):
        settings = {key: options[key] for key in ("user", "token", "inbox_prefix") if key in options}
        if "pass" in options:
            settings["password"] = options["pass"]
        await self.client.connect(
            url, name=options.get("name", name), error_cb=self.on_error,
            disconnected_cb=self.hears("disconnect"), reconnected_cb=self.hears("reconnect"),
            closed_cb=self.hears("close"), lame_duck_mode_cb=self.hears("ldm"),
            allow_reconnect=options.get("reconnect", False), max_reconnect_attempts=-1,
            reconnect_time_wait=0.1, connect_timeout=options.get("timeout_ms", 5000) / 1000,
            ping_interval=options.get("ping_interval_ms", 120000) / 1000,
            max_outstanding_pings=options.get("ping_max", 2), no_echo=not options.get("echo", True),
            verbose=options.get("verbose", False), pedantic=options.get("pedantic", False), **settings)
        self.cid = self.client.client_id

    async def flush(self):
        """This client writes a PING before what it still holds back: only the second one comes after."""
        if self.closed or self.client.is_closed:
            return
        try:
            await self.client.flush(3)
            await self.client.flush(3)
        except Exception:  # Whatever ended the connection is told by other steps.
            pass


class observed_subscription:
    def __init__(self):
        self.messages = []
        self.handles = []


class scenario:
    def __init__(self, control):
        self.control = control
        self.lines = []
        self.connections = {}
        self.subscriptions = {}

    async def play(self, behaviour):
        granted = await self.ask({"op": "lease", "id": behaviour["id"]})
        self.lease, self.urls = granted["lease"], granted["urls"]
        try:
            async with asyncio.timeout(60):
                for verb, *rest in behaviour["steps"]:
                    step = getattr(self, f"do_{verb}", None)
                    await (step(*rest) if step else self.remote(verb, rest))
        except Exception:
            self.say("missing: " + traceback.format_exc())
        for connection in self.connections.values():
            try:
                await asyncio.wait_for(connection.client.close(), 2)
            except Exception:
                pass
        await self.ask({"op": "release", "lease": self.lease})
        return self.lines

    def say(self, line):
        self.lines.append(line)

    async def ask(self, body):
        def post():
            with urllib.request.urlopen(self.control, json.dumps(body).encode(), 60) as answer:
                return json.load(answer)
        return await asyncio.to_thread(post)

    async def remote(self, verb, rest):
        """What is not the client's own is done by the runner: servers, relays, monitoring."""
        cids = {name: connection.cid for name, connection in self.connections.items()}
        answer = await self.ask({"op": verb, "args": rest, "lease": self.lease, "cids": cids})
        self.lines += answer.get("lines", [])
        self.urls.update(answer.get("urls", {}))
        return answer

    async def do_connect(self, name, options=None):
        options = options or {}
        for tries_left in (2, 1, 0):
            connection = observed_connection()
            try:
                await connection.open(name, self.urls[options.get("via", "server")], options)
                break
            except Exception as error:
                # Once in some thousand times this client waits for what has come, whatever the server.
                if isinstance(error, asyncio.TimeoutError) and "timeout_ms" not in options and tries_left:
                    continue
                self.say(f"{name} cannot connect: {describe(error)}")
                return
        self.connections[name] = connection
        if options.get("say"):
            self.say(f"{name} connected")

    async def do_close(self, name):
        await self.connections[name].client.close()

    async def do_drain(self, name):
        await self.connections[name].client.drain()
        self.say(f"{name} drained")

    async def do_flush(self, name):
        client = self.connections[name].client
        try:
            await client.flush(PATIENCE_SECONDS)
            await client.flush(PATIENCE_SECONDS)
            self.say(f"{name} flushed")
        except Exception as error:
            self.say(f"{name} missing: pong, {describe(error)}")

    async def do_rtt(self, name):
        rtt = await self.connections[name].client.rtt()
        self.say(f"{name} rtt is {'sensible' if 0 <= rtt < PATIENCE_SECONDS else rtt}")

    async def settle(self):
        """Two rounds: what the first makes visible may be answered before the second ends."""
        for _ in range(2):
            for connection in self.connections.values():
                await connection.flush()
            await until(lambda: not any(
                handle.pending_msgs for record in self.subscriptions.values() for handle in record.handles))
            await asyncio.sleep(0)

    async def do_subscribe(self, name, label, subject, options=None):
        options = options or {}
        connection = self.connections[name]
        record = self.subscriptions[label] = observed_subscription()

        async def callback(message):
            record.messages.append(message)
            await self.answer(connection.client, message, options)
        try:
            for index in range(1, options.get("times", 1) + 1):
                record.handles.append(await connection.client.subscribe(
                    subject.replace("#", str(index)), queue=options.get("queue", ""), cb=callback))
                if "max" in options:
                    await record.handles[-1].unsubscribe(options["max"])
            await connection.flush()
        except Exception as error:
            self.say(f"{label} refused by the client: {describe(error)}")

    async def answer(self, client, message, options):
        if "forward" in options:
            await client.publish(options["forward"], message.data, reply=message.reply)
        if "reply" not in options or not message.reply:
            return
        for index in range(1, options.get("answers", 1) + 1):
            data = message.data if options["reply"] == "=" else make_payload(options["reply"], {}, index)
            await client.publish(message.reply, data, headers=headers_of(options))
        if options.get("sentinel"):
            await client.publish(message.reply)

    async def do_unsubscribe(self, label, limit=0):
        await self.subscriptions[label].handles[-1].unsubscribe(limit)

    async def do_drain_subscription(self, label):
        await self.subscriptions[label].handles[-1].drain()
        self.say(f"{label} drained")

    async def do_publish(self, name, subject, payload="", options=None):
        options = options or {}
        for index in range(1, options.get("times", 1) + 1):
            try:
                await self.connections[name].client.publish(
                    subject.replace("#", str(index)), make_payload(payload, options, index),
                    reply=options.get("reply", ""), headers=headers_of(options))
            except Exception as error:
                self.say(f"{name} publish refused by the client: {describe(error)}")
                return
            if index % 100 == 0:  # Other behaviours have their turn.
                await asyncio.sleep(0)

    async def do_request(self, name, subject, payload="", options=None):
        options = options or {}
        try:
            answer = await self.connections[name].client.request(
                subject, make_payload(payload, options, 1), timeout=options.get("timeout_ms", 5000) / 1000,
                headers=headers_of(options))
            self.say(f"{name} request {subject}: {show_message(answer)}")
        except Exception as error:
            self.say(f"{name} request {subject}: {describe(error)}")

    async def do_request_parallel(self, name, subject, count):
        client = self.connections[name].client
        wanted = [str(index).encode() for index in range(count)]
        answers = await asyncio.gather(*(client.request(subject, data, timeout=5) for data in wanted))
        right = sum(answer.data == data for answer, data in zip(answers, wanted))
        self.say(f"{name} got {right} of {count} answers")

    async def do_request_many(self, name, subject, payload, options):
        client = self.connections[name].client
        inbox = client.new_inbox()
        subscription = await client.subscribe(inbox)
        await client.publish(subject, payload.encode(), reply=inbox)
        found = []
        patience = options.get("stall_ms", 5000) / 1000
        try:
            while len(found) < options.get("max", sys.maxsize):
                answer = await subscription.next_msg(PATIENCE_SECONDS if not found else patience)
                found.append(show_message(answer))
                if options["until"] == "sentinel" and not answer.data:
                    break
        except nats.errors.TimeoutError:
            pass
        await subscription.unsubscribe()
        self.say(f"{name} request many {subject}: {len(found)} answers")
        self.lines += [f"  {line}" for line in found]

    async def do_wait_messages(self, label, count):
        messages = self.subscriptions[label].messages
        if not await until(lambda: len(messages) >= count):
            self.say(f"{label} missing: only {len(messages)} of {count} messages")

    async def do_messages(self, label, options=None):
        """Options: `sorted`; `json` leaves the payload to the runner, which knows what is volatile."""
        options = options or {}
        await self.settle()
        messages = self.subscriptions[label].messages
        shown = [f"json {message.data.decode()}" if options.get("json") else show_message(message)
                 for message in messages]
        self.say(f"{label} got {len(shown)}")
        self.lines += [f"  {line}" for line in (sorted(shown) if options.get("sorted") else shown)]
        messages.clear()

    async def do_count(self, label):
        await self.settle()
        messages = self.subscriptions[label].messages
        self.say(f"{label} got {len(messages)}")
        messages.clear()

    async def do_total(self, labels):
        await self.settle()
        self.say(f"{'+'.join(labels)} got {sum(len(self.subscriptions[label].messages) for label in labels)}")

    async def do_order(self, label):
        await self.settle()
        numbers = [int(message.data) for message in self.subscriptions[label].messages]
        in_order = all(first < second for first, second in zip(numbers, numbers[1:]))
        self.say(f"{label} got {len(numbers)} {'in order' if in_order else 'out of order'}")

    async def do_shares(self, labels, floor_percent):
        await self.settle()
        lists = [self.subscriptions[label].messages for label in labels]
        payloads = [message.data for messages in lists for message in messages]
        fair = all(len(messages) >= len(payloads) * floor_percent / 100 for messages in lists)
        shares = f"everyone at least {floor_percent} %" if fair else f"shares {[len(part) for part in lists]}"
        self.say(f"{'+'.join(labels)} got {len(payloads)}, {len(set(payloads))} distinct, {shares}")

    async def do_ended(self, label):
        await self.settle()
        self.say(f"{label} is {'open' if self.subscriptions[label].handles else 'refused'}")

    async def do_errors(self, name, count=0):
        connection = self.connections[name]
        await self.settle()
        if not await until(lambda: len(connection.errors) >= count):
            self.say(f"{name} missing: an error")
        await asyncio.sleep(0.01)
        self.say(f"{name} errors {len(connection.errors)}")
        self.lines += [f"  {line}" for line in connection.errors]
        connection.errors.clear()

    async def do_wait_event(self, name, event):
        seen = await until(lambda: event in self.connections[name].events)
        self.say(f"{name} saw {event}" if seen else f"{name} missing: {event}")

    async def do_closed(self, name):
        connection = self.connections[name]
        ended = await until(lambda: connection.closed)
        words = connection.client.last_words
        self.say(f"{name} closed: {words or 'no error'}" if ended else f"{name} missing: close")

    async def do_open(self, name):
        await self.settle()
        self.say(f"{name} is {'closed' if self.connections[name].client.is_closed else 'open'}")

    async def do_open_count(self, names, count):
        def still_open():
            return sum(not self.connections[name].closed for name in names)
        await until(lambda: still_open() == count)
        self.say(f"{still_open()} of {'+'.join(names)} open")

    async def do_increasing_ids(self, names):
        ids = [self.connections[name].cid for name in names]
        self.say(f"ids {'grow' if ids == sorted(set(ids)) else ids}")

    async def do_publish_until_gone(self, name, subject, size, reader):
        """Publishes to a reader that does not read until the server gives it up."""
        connection = self.connections[name]
        for _ in range(400):
            for _ in range(5):
                await connection.client.publish(subject, bytes(size))
            await connection.flush()
            if (await self.remote("gone", [reader]))["gone"]:
                self.connections[reader].closed = True  # It cannot know: what it is told stays in the relay.
                self.say(f"{reader} is gone")
                return
        self.say(f"missing: {reader} is still there")

    def info(self, name):
        return self.connections[name].client._server_info

    async def do_info(self, name, fields, options=None):
        await self.settle()
        info = self.info(name)
        for field in fields:
            shown = "absent"
            if field in info:
                types = (options or {}).get("types")
                shown = type(info[field]).__name__ if types else quoted(info[field])
            self.say(f"{name} info {field}: {shown}")

    async def do_pause(self, milliseconds):
        await asyncio.sleep(milliseconds / 1000)


async def work(lanes, control):
    while lanes:
        for behaviour in lanes.pop(0):
            outcome = await scenario(control).play(behaviour)
            print(json.dumps({"id": behaviour["id"], "outcome": outcome}), flush=True)


async def main(control):
    """Plays all lanes of the runner, some at a time; the behaviours of a lane share a server."""
    with urllib.request.urlopen(control) as answer:
        plan = json.load(answer)
    await asyncio.gather(*(work(plan["lanes"], control) for _ in range(plan["workers"])))


asyncio.run(main(sys.argv[2]))
