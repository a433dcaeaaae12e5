# SPDX-License-Identifier: Apache-2.0
"""SIGHUP: what changes for connections that live, and reloads that fail."""
import json
import os
import signal

from suite import (DONE, behaviour, equal, is_logged, matches, pipits_own, reload_with,
                   wait_until)

VIOLATION = "-ERR 'Authorization Violation'"
FAILED = r"Failed to reload server configuration: (.*)"


@behaviour
def a_reload_says_what_it_changed(side):
    server = side.start("max_payload: 1000\n")
    log = reload_with(server, "max_payload: 2000\ndebug: true\nping_interval: 33s\n")
    matches(r'Trapped "hangup" signal', log, "log")
    matches(r"Reloaded: max_payload = 2000", log, "log")
    matches(r"Reloaded: debug = true", log, "log")
    matches(r"Reloaded: ping_interval = 33s", log, "log")


@behaviour
def a_new_max_payload_holds_for_living_connections(side):
    server = side.start("max_payload: 1000\n")
    client = side.connect(server.port)
    reload_with(server, "max_payload: 20\n")
    equal(side.connect(server.port).info["max_payload"], 20)
    client.send(b"PUB a 30\r\n" + b"x" * 30 + b"\r\n")
    assert client.wait_for_end()
    equal(client.errors, ["-ERR 'Maximum Payload Violation'"])


@behaviour
def users_that_are_gone_or_changed_are_disconnected(side):
    users = "authorization {{ users = [ {{user: a, password: {}}}, {{user: b, password: b}} {}] }}\n"
    server = side.start(users.format("a", ", {user: c, password: c}"))
    changed = side.connect(server.port, user="a", **{"pass": "a"})
    kept = side.connect(server.port, user="b", **{"pass": "b"})
    gone = side.connect(server.port, user="c", **{"pass": "c"})
    reload_with(server, users.format("a2", ""))
    assert changed.wait_for_end() and gone.wait_for_end()
    equal(changed.errors, [VIOLATION])
    assert gone.errors in ([], [VIOLATION]), gone.errors  # The reference just closes it.
    assert kept.barrier()
    equal(side.connect(server.port, user="a", **{"pass": "a2"}).errors, [])
    equal(side.connect(server.port, user="c", **{"pass": "c"}).errors,
          ["-ERR 'Authorization Violation'"])


@behaviour
def a_changed_password_or_token_disconnects(side):
    for before, after, options in (
            ("user: u, password: p", "user: u, password: q", {"user": "u", "pass": "p"}),
            ("token: t", "token: t2", {"auth_token": "t"})):
        server = side.start(f"authorization {{ {before} }}\n")
        client = side.connect(server.port, **options)
        reload_with(server, f"authorization {{ {after} }}\n")
        assert client.wait_for_end()
        # The reference just closes the only user of a server.
        assert client.errors in ([], [VIOLATION]), client.errors


@behaviour
def authentication_can_be_switched_on(side):
    server = side.start("debug: false\n")
    client = side.connect(server.port)
    reload_with(server, "authorization { token: t }\n")
    assert client.wait_for_end()
    equal(client.errors, ["-ERR 'Authorization Violation'"])
    assert side.connect(server.port, auth_token="t").info["auth_required"]


@behaviour
def subscriptions_that_are_no_longer_allowed_are_removed(side):
    users = """authorization {{ users = [
      {{ user: a, password: a, permissions {{ subscribe: {} }} }}
      {{ user: b, password: b }} ] }}\n"""
    server = side.start(users.format('["foo", "bar", "baz"]'))
    client = side.connect(server.port, user="a", **{"pass": "a"})
    client.send("SUB foo 1\r\nSUB bar 2\r\nSUB baz q 3\r\n")
    client.barrier()
    reload_with(server, users.format('["foo"]'))
    client.wait_for(lambda c: len(c.errors) == 2, what="two violations")
    equal(sorted(client.errors), [
        "-ERR 'Permissions Violation for Subscription to \"bar\" (sid \"2\")'",
        "-ERR 'Permissions Violation for Subscription to \"baz\" using queue \"q\" (sid \"3\")'"])
    other = side.connect(server.port, user="b", **{"pass": "b"})
    other.send("PUB foo 1\r\n1\r\nPUB bar 1\r\n2\r\nPUB baz 1\r\n3\r\n")
    other.barrier()
    assert client.barrier()
    equal(client.messages, [(b"MSG foo 1 1", b"1")])


@behaviour
def publish_permissions_change_for_living_connections(side):
    users = """authorization {{ users = [
      {{ user: a, password: a, permissions {{ publish: {} }} }} ] }}\n"""
    server = side.start(users.format('"foo"'))
    client = side.connect(server.port, user="a", **{"pass": "a"})
    client.send("PUB bar 0\r\n\r\n")
    client.barrier()
    equal(client.errors, ["-ERR 'Permissions Violation for Publish to \"bar\"'"])
    reload_with(server, users.format('"bar"'))
    client.send("PUB bar 0\r\n\r\nPUB foo 0\r\n\r\n")
    assert client.barrier()
    equal(client.errors[1:], ["-ERR 'Permissions Violation for Publish to \"foo\"'"])


@behaviour
def connections_above_a_lower_limit_are_closed(side):
    server = side.start('http: "127.0.0.1:-1"\n')
    clients = [side.connect(server.port) for _ in range(5)]
    reload_with(server, 'http: "127.0.0.1:-1"\nmax_connections: 2\n')
    wait_until(lambda: json.loads(server.monitoring("/varz"))["connections"] == 2,
               what="two connections")
    for each in clients:
        each.barrier()
    closed = [each for each in clients if each.stream.ended]
    equal(len(closed), 3)
    for each in closed:
        equal(each.errors, ["-ERR 'maximum connections exceeded'"])


@behaviour
def a_new_control_line_limit_is_obeyed(side):
    server = side.start("max_control_line: 1000\n")
    reload_with(server, "max_control_line: 100\n")
    client = side.connect(server.port)
    client.send("SUB " + "a" * 200 + " 1\r\n")
    assert client.wait_for_end()
    equal(client.errors, ["-ERR 'maximum control line exceeded'"])


@behaviour
def a_new_advertised_address_reaches_clients(side):
    server = side.start('client_advertise: "a.example:1"\n')
    client = side.connect(server.port)
    reload_with(server, 'client_advertise: "b.example:2"\n')
    equal(side.connect(server.port).info["host"], "b.example")
    client.barrier()


@behaviour
def accounts_and_mappings_can_be_changed(side):
    text = """accounts {{ A {{ users: [ {{user: a, password: a}} ], mappings {{ x: {} }} }}, {} }}\n"""
    server = side.start(text.format("y", ""))
    client = side.connect(server.port, user="a", **{"pass": "a"})
    client.send("SUB y 1\r\nSUB z 2\r\nPUB x 1\r\n1\r\n")
    client.barrier()
    reload_with(server, text.format("z", "B { users: [ {user: b, password: b} ] }"))
    client.send("PUB x 1\r\n2\r\n")
    assert client.barrier()
    equal(client.messages, [(b"MSG y 1 1", b"1"), (b"MSG z 2 1", b"2")])
    equal(side.connect(server.port, user="b", **{"pass": "b"}).errors, [])


@behaviour
def a_log_file_can_be_named_by_a_reload(side):
    server = side.start("debug: false\n")
    path = os.path.join(server.path, "new.log")
    server.write_configuration(f'log_file: "{path}"\n')
    server.signal(signal.SIGHUP)
    wait_until(lambda: os.path.exists(path) and DONE in open(path, encoding="utf-8").read(),
               what="the new log")


@behaviour
def the_pid_file_can_be_moved(side):
    server = side.start("debug: false\n")
    path = os.path.join(server.path, "new.pid")
    reload_with(server, f'pid_file: "{path}"\n')
    with open(path, encoding="utf-8") as file:
        equal(file.read(), str(server.process.pid))


@behaviour
def trace_can_be_switched_on_for_living_connections(side):
    server = side.start("debug: false\n")
    client = side.connect(server.port)
    reload_with(server, "trace: true\n")
    client.send("SUB traced 1\r\n")
    client.barrier()
    assert server.wait_for_log(r"<<- \[SUB traced 1\]", 5), server.log()


@behaviour
def a_reload_that_fails_changes_nothing(side):
    server = side.start("max_payload: 1000\n")
    client = side.connect(server.port)
    for text, pattern in (
            ("max_payload: 5\nfoo: 1\n", 'unknown field "foo"'),
            ("max_payload: 5\na = {\n", "Parse error"),
            ("max_payload: 5\nserver_name: OTHER\n",
             "config reload not supported for ServerName: old=.*, new=OTHER"),
            ("max_payload: 5\nmax_pending: 1MB\n",
             "config reload not supported for MaxPending"),
            ("max_payload: 5\nmax_subscriptions: 5\n", "config reload not supported for MaxSubs"),
            ('max_payload: 5\nhttp: "127.0.0.1:-1"\n',
             "config reload not supported for HTTP(Host|Port)"),
            ('max_payload: 5\nlame_duck_duration: "1m"\n',
             "config reload not supported for LameDuckDuration")):
        log = reload_with(server, text, FAILED)
        matches(pattern, log, f"log after {text!r}")
        equal(side.connect(server.port).info["max_payload"], 1000, text)
    assert client.barrier()
    reload_with(server, "max_payload: 2000\n")


@behaviour
def flags_still_win_after_a_reload(side):
    server = side.start("debug: false\n", "--auth", "t", "-D")
    reload_with(server, "max_payload: 500\nauthorization { token: other }\n")
    equal(side.connect(server.port, auth_token="t").info["max_payload"], 500)
    is_logged(server, r"\[DBG\]")


@behaviour
def a_reload_of_the_same_file_disturbs_nobody(side):
    text = "authorization { users = [ {user: a, password: a}, {user: b, password: b} ] }\n"
    server = side.start(text)
    client = side.connect(server.port, user="a", **{"pass": "a"})
    client.send("SUB x 1\r\n")
    for _ in range(3):
        reload_with(server, text)
    client.send("PUB x 1\r\n1\r\n")
    assert client.barrier()
    equal(client.messages, [(b"MSG x 1 1", b"1")])


@behaviour
def the_time_of_the_last_load_is_told(side):
    server = side.start('http: "127.0.0.1:-1"\n')
    before = json.loads(server.monitoring("/varz"))
    reload_with(server, 'http: "127.0.0.1:-1"\nmax_payload: 10\n')
    after = json.loads(server.monitoring("/varz"))
    assert after["config_load_time"] != before["config_load_time"]
    assert after["config_digest"] != before["config_digest"]
    matches(r"^sha256:[0-9a-f]{64}$", after["config_digest"])


@pipits_own
def a_reload_tells_of_features_that_are_not_here_once(side):
    server = side.start("debug: false\njetstream: true\n")
    is_logged(server, r":\d: not supported yet: jetstream")
    text = "debug: true\njetstream: true\nleafnodes { remotes: [] }\n"
    log = reload_with(server, text)
    matches(r":\d: not supported yet: leafnodes", log, "log")
    assert "not supported yet: jetstream" not in log, log
    assert "not supported yet" not in reload_with(server, text)
