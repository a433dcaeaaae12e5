# SPDX-License-Identifier: Apache-2.0
"""Streams that are closed or stuck, signals at bad moments, and servers that do not mean well."""
import fcntl
import json
import os
import signal
import socket
import struct
import subprocess
import termios
import threading
import time

from requests_replies import replying
from suite import SECONDS, equal, eventually, matches, once, skipped, succeeded, test


class strange_server:
    """Greets with this INFO, answers the first PING, and then does as it is told."""

    def __init__(self, info=None, answers_pings=True, hangs_up_once=False, last_words=b""):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"nats://127.0.0.1:{self.listener.getsockname()[1]}"
        self.info = {"server_id": "X", "version": "2.15.2", "headers": True, "max_payload": 1048576} | (info or {})
        self.answers_pings = answers_pings
        self.ignored_pings = 0
        self.hangs_up_at_sub = hangs_up_once
        self.last_words = last_words
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        connection.sendall(b"INFO " + json.dumps(self.info).encode() + b"\r\n")
        is_first = True
        try:
            for line in connection.makefile("rb"):
                if line.startswith(b"SUB ") and self.hangs_up_at_sub:
                    self.hangs_up_at_sub = False
                    connection.sendall(self.last_words)
                    return connection.shutdown(socket.SHUT_RDWR)
                if line != b"PING\r\n":
                    continue
                if is_first or self.answers_pings:
                    connection.sendall(b"PONG\r\n")
                else:
                    self.ignored_pings += 1
                is_first = False
        except OSError:
            pass


def shell(world, script):
    return world.run("-c", script, program="/bin/bash")


@once
def a_standard_stream_that_is_closed_is_no_socket(world):
    done = shell(world, "pipit pub a <&-")
    equal(done.code, 1)
    matches("(?i)the standard input", done.err)
    done = shell(world, "pipit server info >&-")
    equal(done.code, 1)
    matches("cannot write to the standard output", done.err)
    succeeded(shell(world, "pipit pub a text 2>&-"))
    succeeded(shell(world, "pipit pub a text <&- >&- 2>&-"))
    equal(shell(world, "pipit server info >/dev/full").code, 1)


def waiting_bytes(pipe):
    return struct.unpack("i", fcntl.ioctl(pipe.fileno(), termios.FIONREAD, b"\0" * 4))[0]


@test
def ctrl_c_ends_what_nobody_reads(world):
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)  # Full with the first bytes.
    with os.fdopen(reader, "rb") as pipe:
        sub = world.subscribe("a", "--raw", stdout=writer)
        os.close(writer)
        succeeded(world.run("pub", "a", "x" * 100_000, "--count", "10"))
        eventually(lambda: waiting_bytes(pipe), "a full pipe")
        sub.signal(signal.SIGINT)
        done = sub.finish()
    equal(done.code, 0)
    matches("Received [0-9,]+ messages", done.err)


@test
def streams_that_do_not_wait_lose_nothing(world):
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    sub = world.subscribe("a", "--raw", "--count", "2000", stdout=writer)
    os.close(writer)
    succeeded(world.run("pub", "a", "x" * 999, "--count", "2000"))
    with os.fdopen(reader, "rb") as pipe:
        equal(len(pipe.read()), 2_000_000)
    succeeded(sub.finish())


@once
def a_signal_at_the_moment_of_a_failure_ends_it_in_order(world):
    server = strange_server(answers_pings=False)
    sub = world.start("sub", "a", "--timeout", "2s", env={"NATS_URL": server.url})
    sub.wait_for("Subscribed")
    sub.signal(signal.SIGSTOP)
    time.sleep(2)  # Both are due when it goes on.
    sub.signal(signal.SIGINT)
    sub.signal(signal.SIGCONT)
    done = sub.finish()
    assert done.code in (0, 1, 130), (done.code, done.err)


@once
def ctrl_c_does_not_wait_long_for_a_server_that_is_silent(world):
    for code, *arguments in ((0, "sub", "a"), (130, "pub", "a", "x"), (130, "server", "info"), (0, "reply", "a")):
        server = strange_server(answers_pings=False)
        started = world.start(*arguments, "--timeout", "60s", env={"NATS_URL": server.url})
        eventually(lambda: server.ignored_pings, arguments)
        started.signal(signal.SIGINT)
        equal(started.finish().code, code, arguments)


@once
def a_pause_before_an_answer_ends_with_ctrl_c(world):
    reply = replying(world, "svc", "late", "--sleep", "100000s")
    request = world.start("request", "svc", "", "--raw", "--timeout", "60s")
    reply.wait_for("Received on", "out")
    reply.signal(signal.SIGINT)
    equal(succeeded(request.finish()).out, "late\n")
    done = reply.finish()
    equal(done.code, 0)
    matches("Answered 1 requests", done.err)


@test
def a_reply_without_a_server_ends_at_once(world):
    server = world.start_server("")
    reply = world.start("reply", "svc", "x", "--timeout", "60s", env={"NATS_URL": f"nats://127.0.0.1:{server.port}"})
    reply.wait_for("Listening")
    server.stop()
    reply.wait_for("Disconnected")
    reply.signal(signal.SIGINT)
    equal(reply.finish(5).code, 0)


@once
def a_second_signal_ends_a_command_that_does_not_end(world):
    reply = replying(world, "svc", "--command", "sh -c 'trap \"\" TERM INT; sleep 30'")
    world.start("request", "svc", "", "--raw")
    reply.wait_for("Received on", "out")

    def ends():
        reply.signal(signal.SIGTERM)
        return reply.process.poll() is not None

    eventually(ends, "the end")
    assert reply.finish().code in (0, 143), reply.err


@once
def who_loses_the_connection_while_subscribing_subscribes_again(world):
    for command, last_words in (("sub", b""), ("reply", b""), ("sub", b"-ERR 'Stale Connection'\r\n")):
        server = strange_server(hangs_up_once=True, last_words=last_words)
        listener = world.start(command, "a", *(["x"] if command == "reply" else []), env={"NATS_URL": server.url})
        listener.wait_for("Connected again")
        listener.signal(signal.SIGINT)
        equal(listener.finish().code, 0, command)


@test
def who_publishes_while_the_connection_is_lost_is_told(world):
    for begins_before in (True, False):
        publish_over_a_restart(world, begins_before)


def publish_over_a_restart(world, begins_before):
    server = world.start_server('http: "127.0.0.1:-1"\n')
    pub = world.start("pub", "a", "--send-on", "newline", env={"NATS_URL": f"nats://127.0.0.1:{server.port}"},
                      stdin=subprocess.PIPE)
    def publish():
        pub.process.stdin.write(b"one\n")
        pub.process.stdin.flush()
        pub.wait_for("Published 3 bytes")
    if begins_before:
        publish()
    else:
        eventually(lambda: b'"name": "pipit"' in server.monitoring("/connz"), "a connection")
    server.stop()
    pub.wait_for("Disconnected")
    world.servers.append(type(server)(server.program, f'port: {server.port}\nhost: "127.0.0.1"\n', bare=True))
    pub.wait_for("Connected again")
    if not begins_before:
        publish()
    pub.process.stdin.close()
    done = pub.finish()
    equal(done.code, 1 if begins_before else 0)
    equal("not all messages may have arrived" in done.err, begins_before)


@once
def a_server_cannot_command_the_terminal(world):
    server = strange_server({"server_name": "\x1b[2J\x1b]0;evil\x07", "version": "\x1b[31m", "cluster": "\x1b[1m"})
    for arguments in (("server", "info"), ("server", "ping")):
        shown = world.terminal(*arguments, env={"NATS_URL": server.url}).finish()
        equal(shown.code, 0)
        equal("\x1b" in shown.out, False, shown.out)


@once
def what_a_server_refuses_is_no_reason_to_start_one(world):
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(SECONDS)
    started = world.start("pub", "a", "x", env={"NATS_URL": f"nats://127.0.0.1:{listener.getsockname()[1]}"})
    connection, _ = listener.accept()
    connection.sendall(b"-ERR 'maximum connections exceeded'\r\n")
    connection.close()
    done = started.finish()
    equal(done.code, 1)
    matches("maximum connections exceeded", done.err)
    equal("Start a server" in done.err, False)


@test
def servers_are_pinged_as_their_urls_say(world):
    server = world.start_server("authorization { user: u, password: p }\n"
                                'websocket { listen: "127.0.0.1:-1", no_tls: true }\n')
    done = succeeded(world.run("server", "ping", "-s", f"nats://u:p@127.0.0.1:{server.port}"))
    matches(f"^nats://127.0.0.1:{server.port}\t", done.out)


@test
def a_check_waits_as_long_as_the_environment_says(world):
    world.subscribe("silent")
    done = world.run("server", "check", "request", "--subject", "silent", env={"NATS_TIMEOUT": "1500ms"})
    equal(done.code, 2)
    matches("within 1500 ms", done.out)


@test
def a_benchmark_service_ignores_what_is_no_request(world):
    service = world.start("bench", "service", "svc", "--msgs", "1")
    service.wait_for("Listening")
    succeeded(world.run("pub", "svc", "no reply wanted"))
    succeeded(world.run("request", "svc", "x", "--raw"))
    succeeded(service.finish())


@test
def any_file_may_look_like_a_template(world):
    done = succeeded(world.run("pub", "a", input=b"{{" + b"\xff" * 10_000 + b"}}"))
    matches("Sent as it is", done.err)
    assert len(done.err) < 1000, len(done.err)


@once
def what_is_wrong_is_said_before_a_server_is_asked(world):
    nowhere = {"NATS_URL": "nats://127.0.0.1:1"}
    for arguments, said in ((("pub", "a b", "x"), "'a b' cannot be published to"),
                            (("pub", "a", "x", "--reply", "b c"), "'b c' cannot be published to"),
                            (("pub", "a", "x", "--file", "y"), "one of them is enough"),
                            (("request", "a", "x", "-H", "no-colon"), "'no-colon' is not a header"),
                            (("reply", "a", "x", "-H", "no-colon"), "'no-colon' is not a header"),
                            (("server", "check", "request", "--subject", "a", "-H", "no-colon"),
                             "'no-colon' is not a header"),
                            (("reply", "a", "--command", "sh 'x"), "a quote that is not closed"),
                            (("pub", "a", "x", "-s", "http://h"), "'http://h' is not a server's URL"),
                            (("pub", "a", "x", "--timeout", "0s"), "'0s' is not longer than 0"),
                            (("rtt", "0"), "<iterations> is at least 1"),
                            (("bench", "pub", "a", "--size", "1TB"), "--size is at most")):
        done = world.run(*arguments, env=nowhere)
        equal(done.code, 2, arguments)
        assert said in done.err, (said, done.err)


@once
def a_context_that_is_broken_can_be_edited(world):
    world.file("config/nats/context/bad.json", "{")
    editor = world.file("editor", "#!/bin/sh\ngrep -q '^{$' \"$1\" && echo '{\"url\": \"nats://h:1\"}' > \"$1\"\n",
                        0o700)
    succeeded(world.run("context", "edit", "bad", env={"EDITOR": editor}))
    matches("nats://h:1", succeeded(world.run("context", "show", "bad")).out)


@test
def who_asks_for_what_cannot_be_answered_stops_nobody(world):
    reply = replying(world, "svc", "--echo")
    large = world.file("large", "x" * 1048576)
    request = world.start("request", "svc", "--file", large, "--timeout", "60s")
    reply.wait_for("Cannot answer: headers and payload are larger than max_payload")
    request.stop()
    with socket.create_connection(("127.0.0.1", world.server.port), SECONDS) as strange:
        strange.sendall(b'CONNECT {"verbose":false}\r\nPUB svc a..b 0\r\n\r\nPING\r\n')
        assert b"PONG\r\n" in iter(strange.makefile("rb").readline, b""), "it was sent away"
        equal(succeeded(world.run("request", "svc", "hello", "--raw")).out, "hello\n")


@test
def a_message_that_is_too_long_to_be_translated_is_shown_as_it_came(world):
    sub = world.subscribe("a", "--raw", "--count", "2", "--translate", "echo <{{Request}}>")
    for payload in ("x" * 200_000, "short"):
        succeeded(world.run("pub", "a", input=payload))
    done = succeeded(sub.finish())
    equal([len(line) for line in done.out.splitlines()], [200_000, 7])
    matches("too long for an argument", done.err)


class server_of_one_message:
    """Sends a message to who subscribes, and `then` when `may_go_on` is set; `answered` is for a PONG."""

    def __init__(self, then=b"PING\r\n"):
        self.then = then
        self.may_go_on, self.answered = threading.Event(), threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"nats://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        connection, _ = self.listener.accept()
        connection.sendall(b'INFO {"server_id":"X","version":"2.15.2","headers":true,"max_payload":1048576}\r\n')
        lines = iter(connection.makefile("rb").readline, b"")
        for line in lines:
            if line == b"PING\r\n":
                connection.sendall(b"PONG\r\n")
            if line.startswith(b"SUB "):
                break
        connection.sendall(b"MSG a 1 5\r\nhello\r\n")
        threading.Thread(target=self._go_on, args=(connection,), daemon=True).start()
        for line in lines:
            if line == b"PING\r\n":
                connection.sendall(b"PONG\r\n")
            if line == b"PONG\r\n":
                self.answered.set()

    def _go_on(self, connection):
        self.may_go_on.wait()
        connection.sendall(self.then)


def translating_without_end(world, server):
    """`pipit sub` whose command hangs; its number is in the file `pid`."""
    file = world.file("pid")
    sub = world.start("sub", "a", "--raw", "--translate", f"sh -c 'echo $$ > {file}; exec sleep 1000'",
                      "--translate-timeout", "0s", env={"NATS_URL": server.url})
    eventually(lambda: os.path.exists(file) and world.read("pid").endswith("\n"), "the command runs")
    server.may_go_on.set()
    return sub


def the_command_is_gone(world):
    eventually(lambda: not os.path.exists(f"/proc/{world.read('pid').strip()}"), "the command is gone")


@once
def a_command_that_hangs_holds_up_neither_the_connection_nor_ctrl_c(world):
    server = server_of_one_message()
    sub = translating_without_end(world, server)
    assert server.answered.wait(SECONDS), "no PONG"
    sub.signal(signal.SIGINT)
    done = sub.finish()
    equal([done.code, done.out], [0, ""])
    matches("Received 0 messages, .*; 1 more still waited for the command", done.err)
    the_command_is_gone(world)


@once
def a_command_that_hangs_does_not_hold_up_the_end_after_a_refusal(world):
    server = server_of_one_message(b"-ERR 'Permissions Violation for Subscription to \"a\"'\r\n")
    done = translating_without_end(world, server).finish()
    equal([done.code, done.out], [1, ""])
    matches("Permissions Violation", done.err)
    the_command_is_gone(world)


@test
def what_a_command_is_too_slow_for_is_dropped_and_said(world):
    sub = world.subscribe("a", "--raw", "--translate", "sleep 1000")
    succeeded(world.run("pub", "a", "x", "--count", "70000"))
    sub.wait_for("the command is too slow: .* others are dropped")
    sub.signal(signal.SIGINT)
    done = sub.finish()
    equal(done.code, 0)
    matches("more still waited for the command; [0-9,]+ were dropped", done.err)


@once
def headers_count_of_what_waits_for_a_command(world):
    sub = world.subscribe("a", "--raw", "--translate", "sleep 1000")
    headers = b"NATS/1.0\r\nX: " + b"x" * 1_000_000 + b"\r\n\r\n"
    message = b"HPUB a %d %d\r\n%s\r\n" % (len(headers), len(headers), headers)
    with socket.create_connection(("127.0.0.1", world.server.port), SECONDS) as publisher:
        publisher.sendall(b'CONNECT {"verbose":false,"headers":true}\r\n')
        for _ in range(70):  # 64 MiB may wait.
            publisher.sendall(message)
        sub.wait_for("the command is too slow: .* others are dropped")
    sub.signal(signal.SIGINT)
    equal(sub.finish().code, 0)


@test
def a_command_that_does_not_come_to_its_end_is_killed(world):
    sub = world.subscribe("a", "--raw", "--count", "1", "--translate", "sleep 1000", "--translate-timeout", "100ms")
    endless = world.subscribe("a", "--raw", "--count", "1", "--translate", "yes")
    deaf = world.subscribe("a", "--raw", "--count", "1", "--translate", "echo done")
    payload = "x" * 900_000
    succeeded(world.run("pub", "a", input=payload))
    for each, why in ((sub, "sleep was killed after 100ms"), (endless, "yes was killed, for it wrote more than 64.0 MiB")):
        done = succeeded(each.finish())
        equal(done.out, payload + "\n")
        matches(why + ".*; the message is shown as it came", done.err)
    equal(succeeded(deaf.finish()).out, "done\n")
    replying(world, "svc", "it")
    equal(succeeded(world.run("request", "svc", "x", "--raw", "--translate", "sleep 1000", "--translate-timeout",
                              "100ms")).out, "it\n")


@once
def a_name_that_is_looked_up_holds_up_nobody(world):
    """Only root can have a resolver of its own that never answers."""
    resolver = world.file("resolv.conf", "nameserver 127.0.0.153\noptions timeout:15 attempts:2\n", 0o644)

    def with_resolver(then):
        return shell(world, f"unshare -m sh -c 'mount --bind {resolver} /etc/resolv.conf && {then}'")

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        try:
            silent.bind(("127.0.0.153", 53))
        except OSError:
            raise skipped("port 53 is not ours") from None
        if with_resolver("true").code != 0:
            raise skipped("nothing can be mounted")
        began = time.monotonic()
        done = with_resolver("pipit pub a x -s nats://slow.example.com --timeout 500ms")
        equal(done.code, 1)
        matches("cannot connect to nats://slow.example.com", done.err)
        assert time.monotonic() - began < 15, "it waited for the resolver"
