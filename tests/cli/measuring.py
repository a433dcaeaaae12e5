# SPDX-License-Identifier: Apache-2.0
"""bench, rtt, latency, server check, server info, server ping."""
import json
import re
import signal
import socket
import threading
import time

from suite import beside_nats, equal, eventually, matches, once, succeeded, test


@test
def a_benchmark_publishes_and_receives(world):
    sub = world.start("bench", "sub", "b", "--msgs", "20000", "--clients", "2", "--json")
    sub.wait_for("Listening")
    csv = world.file("figures.csv")
    pub = json.loads(succeeded(world.run("bench", "pub", "b", "--msgs", "20_000", "--size", "1KB", "--clients",
                                         "4", "--json", "--csv", csv)).out)
    equal([pub["bench"], pub["messages"], pub["bytes"], pub["clients"], pub["complete"]],
          ["pub", 20000, 20000 * 1024, 4, True])
    equal(len(pub["client_messages_per_second"]), 4)
    assert pub["messages_per_second"] > 0
    found = json.loads(succeeded(sub.finish()).out)
    equal([found["messages"], found["bytes"]], [40000, 40000 * 1024])  # Each client has got all of them.
    rows = world.read("figures.csv").splitlines()
    equal(rows[0], "bench,client,messages,bytes,size,seconds,messages_per_second")
    equal([row.split(",")[1] for row in rows[1:]], ["1", "2", "3", "4", "all"])


@beside_nats
def subscribers_of_a_benchmark_get_every_message_as_with_the_nats_tool(world):
    ours = world.start("bench", "sub", "b", "--msgs", "1000", "--clients", "3", "--json")
    ours.wait_for("Listening")
    before = world.subscriptions()
    theirs = world.start("bench", "sub", "b", "--msgs", "1000", "--clients", "3", "--no-progress",
                         program=world.programs["nats"])
    eventually(lambda: world.subscriptions() >= before + 3, "the nats tool has subscribed")
    # More clients than messages: some would have nothing to do.
    succeeded(world.run("bench", "pub", "b", "--msgs", "2", "--clients", "5"))
    succeeded(world.run("bench", "pub", "b", "--msgs", "998"))
    equal(json.loads(succeeded(ours.finish()).out)["messages"], 3000)
    succeeded(theirs.finish())


@test
def a_benchmark_asks_and_answers_with_percentiles(world):
    service = world.start("bench", "service", "s")
    service.wait_for("Listening")
    done = succeeded(world.run("bench", "request", "s", "--msgs", "1000", "--clients", "10", "--json"))
    found = json.loads(done.out)
    equal(found["messages"], 1000)
    latency = found["latency_seconds"]
    equal(latency["count"], 1000)
    assert 0 < latency["min"] <= latency["p50"] <= latency["p99"] <= latency["max"], latency
    people = succeeded(world.run("bench", "request", "s", "--msgs", "100")).out
    matches(r"^request: [\d,]+ messages per second", people)
    matches(r"^p99\t[\d.]+(µs|ms|s)$", people)
    service.signal(signal.SIGINT)
    done = service.finish()
    equal(done.code, 0)
    matches("1,100 messages", done.out)
    assert "before it was done" not in done.out, done.out


@test
def ctrl_c_ends_a_benchmark_with_what_was_found(world):
    pub = world.start("bench", "pub", "b", "--msgs", "1000000", "--sleep", "1ms", "--json")
    while b"in_msgs\": 0," in world.server.monitoring("/varz"):
        pass
    pub.signal(signal.SIGINT)
    done = pub.finish()
    equal(done.code, 130)
    found = json.loads(done.out)
    equal(found["complete"], False)
    assert 0 < found["messages"] < 1000000 and found["seconds"] > 0, found


@once
def a_benchmark_without_an_answer_is_a_failure(world):
    done = world.run("bench", "request", "nobody", "--msgs", "10")
    equal(done.code, 1)
    matches("no responders: 'nobody' .to answer there: pipit bench service 'nobody'.$", done.err)
    done = world.run("bench", "pub", "b", "--msgs", "10", "--csv", "/nowhere/figures")
    equal(done.code, 1)
    matches("No such file or directory: /nowhere/figures$", done.err)
    equal(world.run("bench", "pub", "b", "--clients", "0").code, 2)
    equal(world.run("bench", "sub", "b", "--msgs", "0").code, 2)


@test
def round_trips_are_measured(world):
    done = succeeded(world.run("rtt", "3"))
    matches(rf"^{re.escape(world.url)}\t[\d.]+[µm]?s\t", done.out)
    found = json.loads(succeeded(world.run("rtt", "--json")).out)
    equal(found[0]["url"], world.url)
    assert found[0]["results"][0]["rtt"] > 0
    done = world.run("rtt", "-s", world.url + ",nats://127.0.0.1:1")
    equal(done.code, 1)
    matches("127.0.0.1:1: ", done.err)


@test
def latency_is_measured_between_two_connections(world):
    done = succeeded(world.run("latency", "--rate", "200", "--duration", "500ms", "--json"))
    found = json.loads(done.out)
    equal(found["sent"], found["received"])
    assert found["latency_seconds"]["p50"] > 0
    done = world.run("latency", "--server-b", "nats://me:s3cret@127.0.0.1:1")
    equal(done.code, 1)
    matches("cannot connect to nats://127.0.0.1:1: .*refused.*--server URL", done.err)
    assert "s3cret" not in done.err
    people = succeeded(world.run("latency", "--rate", "100", "--duration", "200ms"))
    matches(r"^p50\t", people.out)
    matches("Sent 20 messages, received 20", people.err)


class server_with_late_messages:
    """Gives each message to the subscriber; but of those shorter than `size`, which only ask whether one comes,
    the first when there are three, and the others when a longer one comes."""

    def __init__(self, size):
        self.size, self.late, self.subscriber = size, [], None
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"nats://127.0.0.1:{self.listener.getsockname()[1]}"
        for _ in range(2):
            threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        connection, _ = self.listener.accept()
        connection.sendall(b'INFO {"server_id":"X","version":"2.15.2","headers":true,"max_payload":1048576}\r\n')
        lines = connection.makefile("rb")
        for line in iter(lines.readline, b""):
            words = line.split()
            with self.lock:
                if words[0] == b"PING":
                    connection.sendall(b"PONG\r\n")
                if words[0] == b"SUB":
                    self.subscriber, self.sid = connection, words[-1]
                if words[0] == b"PUB":
                    self._give(words[1], lines.read(int(words[-1]) + 2)[:-2])

    def _give(self, subject, payload):
        self.late.append(b"MSG %s %s %d\r\n%s\r\n" % (subject, self.sid, len(payload), payload))
        if len(payload) < self.size and len(self.late) != 3:
            return
        now = self.late[:1] if len(payload) < self.size else self.late
        self.late = self.late[len(now):]
        self.subscriber.sendall(b"".join(now))


@once
def latency_is_that_of_what_it_has_sent(world):
    server = server_with_late_messages(size=100)
    done = succeeded(world.run("latency", "--rate", "100", "--duration", "200ms", "--size", "100", "--json",
                               env={"NATS_URL": server.url}))
    found = json.loads(done.out)
    equal([found["sent"], found["received"], found["latency_seconds"]["count"]], [20, 20, 20])


@test
def a_check_is_a_line_for_nagios_and_an_exit_code(world):
    done = succeeded(world.run("server", "check", "connection"))
    matches(r"^OK Connection OK:connected to nats://127\.0\.0\.1:\d+ in \S+ OK:rtt time \S+ OK:round trip took "
            r"0\.\d{6}s \| connect_time=\d\.\d{4}s;0\.5000;1\.0000 rtt=\S+ request_time=\S+$", done.out)
    done = world.run("server", "check", "connection", "--connect-warn", "1ns")
    equal(done.code, 1)
    matches("^WARNING Connection Warn:", done.out)
    done = world.run("server", "check", "conn", "--rtt-critical", "1ns")
    equal(done.code, 2)
    done = world.run("server", "check", "connection", "-s", "nats://127.0.0.1:1")
    equal([done.code, done.err], [2, ""])
    matches("^CRITICAL Connection Crit:connection failed: ", done.out)


@test
def a_check_has_other_forms(world):
    found = json.loads(succeeded(world.run("server", "check", "connection", "--format", "json")).out)
    equal([found["status"], [each["name"] for each in found["perf_data"]]],
          ["OK", ["connect_time", "rtt", "request_time"]])
    matches('^nats_server_check_connections_status_code{item="Connection",status="OK"} 0$',
            succeeded(world.run("server", "check", "connection", "--format", "prometheus")).out)
    succeeded(world.run("server", "check", "connection", "--outfile", world.file("check.txt")))
    equal(world.run("server", "check", "connection", "--outfile", world.file("no/where.txt")).code, 3)
    matches("^OK ", world.read("check.txt"))
    matches("^Connection: OK$", succeeded(world.run("server", "check", "connection", "--format", "text")).out)


@test
def a_check_asks_a_service(world):
    reply = world.start("reply", "svc", "pong")
    reply.wait_for("Listening")
    succeeded(world.run("server", "check", "request", "--subject", "svc", "--match-payload", "po"))
    equal(world.run("server", "check", "request", "--subject", "svc", "--match-payload", "x").code, 2)
    equal(world.run("server", "check", "request", "--subject", "nobody").code, 2)


@beside_nats
def checks_are_those_of_the_nats_tool(world):
    def keys(text):
        found = json.loads(text)
        return sorted(found), [sorted(each) for each in found["perf_data"]], [each["name"] for each in
                                                                            found["perf_data"]]
    arguments = ("server", "check", "connection", "--format", "json")
    equal(keys(world.run(*arguments).out), keys(world.nats(*arguments).out))

    def shape(text):
        return re.sub(r"[\d.]+(µs|ms|s)?", "N", text)
    arguments = ("server", "check", "connection")
    equal(shape(world.run(*arguments).out), shape(world.nats(*arguments).out))
    arguments = ("server", "check", "connection", "--format", "prometheus")
    equal([line.split("}")[0] for line in world.run(*arguments).out.split("\n") if line],
          [line.split("}")[0] for line in world.nats(*arguments).out.split("\n") if line])
    dead = ("server", "check", "connection", "-s", "nats://127.0.0.1:1")
    equal(world.run(*dead).code, world.nats(*dead).code)


@test
def a_server_says_who_it_is(world):
    found = json.loads(succeeded(world.run("server", "info", "--json")).out)
    equal(found["version"], "2.15.2")
    equal(found["connected_url"], world.url)
    matches(r"^version\t2\.15\.2$", succeeded(world.run("server", "info")).out)


@test
def servers_are_pinged(world):
    second = world.start_server("")
    urls = f"{world.url},nats://127.0.0.1:{second.port}"
    lines = succeeded(world.run("server", "ping", "-s", urls)).out.splitlines()
    equal(len(lines), 2)
    found = [json.loads(line) for line in world.run("server", "ping", "--json", "-s", urls).out.splitlines()]
    assert all(each["rtt"] > 0 and each["version"] == "2.15.2" for each in found), found


@test
def a_benchmark_that_is_refused_is_a_failure(world):
    server = world.start_server('authorization { users [ { user: a, password: b, permissions '
                                '{ publish: { deny: "no" } } } ] }\n')
    url = {"NATS_URL": f"nats://a:b@127.0.0.1:{server.port}"}
    done = world.run("bench", "pub", "no", "--msgs", "1000", "--json", env=url)
    equal([done.code, json.loads(done.out)["complete"]], [1, False])
    matches('(?i)permissions violation for publish to "no"', done.err)
    equal(world.run("bench", "pub", "yes", "--msgs", "1000", env=url).code, 0)


@test
def a_benchmark_is_not_complete_when_a_connection_was_lost(world):
    server = world.start_server('http: "127.0.0.1:-1"\n')
    url = {"NATS_URL": f"nats://127.0.0.1:{server.port}"}
    pub = world.start("bench", "pub", "b", "--msgs", "2000", "--sleep", "1ms", "--json", env=url)
    while b'in_msgs": 0,' in server.monitoring("/varz"):
        pass
    server.stop()
    pub.signal(signal.SIGINT)
    done = pub.finish()
    equal(json.loads(done.out)["complete"], False)
    matches("Not all of what is counted has reached the server", done.err)


@test
def a_benchmark_counts_what_has_arrived(world):
    before = json.loads(world.server.monitoring("/varz"))["in_msgs"]
    pub = world.start("bench", "pub", "b", "--msgs", "1000000000", "--size", "1KB", "--json")
    while json.loads(world.server.monitoring("/varz"))["in_msgs"] < before + 1000:
        pass
    pub.signal(signal.SIGINT)
    found = json.loads(pub.finish().out)
    eventually(lambda: json.loads(world.server.monitoring("/varz"))["in_msgs"] - before == found["messages"],
               "the server has got what is counted")


@test
def a_slow_service_counts_what_it_has_answered(world):
    service = world.start("bench", "service", "s", "--msgs", "5", "--sleep", "300ms", "--json")
    service.wait_for("Listening")
    found = json.loads(succeeded(world.run("bench", "request", "s", "--msgs", "5", "--clients", "5",
                                           "--json")).out)
    assert found["latency_seconds"]["min"] >= 0.3, found
    service = json.loads(succeeded(service.finish()).out)
    equal([service["messages"], service["complete"]], [5, True])
    assert service["seconds"] >= 1.5, service  # One at a time.


@test
def ctrl_c_ends_round_trips_with_what_was_measured(world):
    rtt = world.start("rtt", "1000000000")
    eventually(lambda: json.loads(world.server.monitoring("/varz"))["connections"] >= 2, "it is connected")
    time.sleep(0.3)
    rtt.signal(signal.SIGINT)
    done = rtt.finish()
    equal(done.code, 130)
    matches(rf"^{re.escape(world.url)}\t[\d.]+[µm]?s\t", done.out)
