# SPDX-License-Identifier: Apache-2.0
"""Configuration files: the forms that are accepted, and what is said about broken ones."""
import json
import os
import re
import tempfile

from suite import behaviour, equal, matches, pipits_own

USERS = "{ user: a, password: b }"

# Broken text -> what both servers say.
BROKEN = {
    'foo: 1': r'c\.conf:1:0: unknown field "foo"',
    'port: "abc"': r"c\.conf:1:0: ",
    'debug: "yes"': r"c\.conf:1:0: ",
    'logtime: 5': r"c\.conf:1:0: ",
    'port: 1.5': r"c\.conf:1:0: ",
    'max_control_line: "x"': r"c\.conf:1:0: ",
    'listen: "x:y:z"': r"c\.conf:1:0: .*x:y:z",
    'authorization { user: a, password: b, token: c }': "Cannot have a user/pass and token",
    f'authorization {{ users = [ {USERS}, {USERS} ] }}': 'Duplicate user "a" detected',
    f'authorization {{ user: x, pass: b, users = [ {USERS} ] }}':
        "Can not have a single user/pass and a users array",
    f'authorization {{ token: x, users = [ {USERS} ] }}':
        "Can not have a token and a users array",
    'authorization { users = [ {password: b} ] }': "User entry requires a user",
    'include "missing.conf"': r"error parsing include file 'missing\.conf', open .*missing\.conf: "
                              "no such file or directory",
    'port: $NOPE': "variable reference for 'NOPE' on line 1 can not be found",
    'a: $b\nb: $a': "(?i)variable reference|cycle",
    'ping_interval: "x"': r'c\.conf:1:0: .*ping_interval',
    'lame_duck_duration: "5s"': "lame_duck_duration of 5s, minimum is 30 seconds",
    'server_name: "a b"': "server name cannot contain spaces",
    'a = {': "Parse error on line",
    'a: [1,2\n': "Parse error",
    'a:\n1': "Expected value but found new line",
    'max_subscription_tokens: 300': "max_subscription_tokens",
    f'accounts {{ A {{ users: [{USERS}] }}, B {{ users: [{USERS}] }} }}':
        'Duplicate user "a" detected',
    'accounts { "$G" {} }': r'"\$G" is a Reserved Account',
    'mappings { a: [ {destination: b, weight: 120%} ] }':
        "Invalid weight 120 for mapping destination",
    'mappings { "a.*": "b.$2" }': r'mapping.*"a\.\*".*"b\.\$2"',
    'authorization { users: [ {user: a, password: b, permissions: { publish: "a..b" } } ] }':
        r'"a\.\.b" is not a valid subject',
    'authorization { timeout: "x" }': "timeout",
    'write_timeout: foo': "write_timeout must be 'default', 'close' or 'retry'",
    '': "config has no values or is empty",
    '# nothing\n': "config has no values or is empty",
}

# What `-t` passes and the start refuses.
BROKEN_AT_START = {
    'max_payload: 10\nmax_pending: 5': r"max_payload \(10\) cannot be higher than max_pending \(5\)",
    'lame_duck_duration: "30s"\nlame_duck_grace_period: "40s"':
        r"lame duck grace period \(40s\) should be strictly lower than lame duck duration \(30s\)",
    'no_auth_user: bob': 'no_auth_user: "bob" present',
    'system_account: NOPE': "system account",
    'pid_file: "/proc/nonexistent/x"': "Could not write pidfile",
    'log_file: "/proc/nonexistent/x"': "open /proc/nonexistent/x",
}

# The same settings in the forms that are in use.
FORMS = [
    "server_name: N\nmax_payload: 2000\nping_interval: \"90s\"\ndebug: true\n",
    "server_name = N\nmax_payload = 2K\nping_interval = 90s\ndebug = on\n",
    "server_name N\nmax_payload 2000\nping_interval 1m30s\ndebug yes\n",
    '{ "server_name": "N", "max_payload": 2000, "ping_interval": "90s", "debug": true }\n',
    "# a comment\nserver_name: 'N' // another\nmax_payload: 2k; ping_interval: \"1.5m\"\n"
    "DEBUG: TRUE\n",
    'NAME: N\nserver_name: $NAME\nSIZE: 2000\nmax_payload: $SIZE\nping_interval: "90s"\n'
    "debug: true\n",
    "server_name: \"N\"\nmax_payload: 2000\nping_interval: 90s\ndebug: false\ndebug: true\n",
]


def _check(side, text, *arguments, files=()):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "c.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        for name, content in files:
            with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                file.write(content)
        return side.run("-c", path, *arguments, folder=folder)


@behaviour
def broken_configurations_say_what_is_wrong(side):
    complaints = []
    for text, pattern in BROKEN.items():
        result = _check(side, text, "-t")
        if result.code != 1 or not re.search(pattern, result.err):
            complaints.append(f"{text!r}: exit code {result.code}, {result.err!r}, not {pattern!r}")
    assert not complaints, "\n".join(complaints)


@behaviour
def broken_configurations_do_not_start(side):
    for text in ('foo: 1', 'port: "abc"', "a = {", 'ping_interval: "x"'):
        result = _check(side, text)
        equal(result.code, 1, repr(text))
        matches("c.conf|Parse error", result.err, f"answer to {text!r}")


@behaviour
def some_contradictions_are_found_at_the_start(side):
    for text, pattern in BROKEN_AT_START.items():
        result = _check(side, text, "-a", "127.0.0.1", "-p", "-1")
        equal(result.code, 1, repr(text))
        matches(pattern, result.err, f"answer to {text!r}")


@behaviour
def every_error_is_listed(side):
    result = _check(side, "foo: 1\nbar: 2\nport: 4222\n", "-t")
    equal(result.code, 1)
    matches(r'c\.conf:1:0: unknown field "foo"', result.err)
    # The reference counts columns from 0 in the first line and from 1 in the others.
    matches(r'c\.conf:2:1: unknown field "bar"', result.err)


@pipits_own
def an_unknown_key_comes_with_the_nearest_known_one(side):
    for text, nearest in (("max_payloads: 1", "max_payload"), ("pingg_interval: 1s",
                                                               "ping_interval")):
        result = _check(side, text, "-t")
        equal(result.code, 1)
        matches(rf"c\.conf:1:0: .*{nearest}\b", result.err)


@behaviour
def every_form_of_the_language_means_the_same(side):
    for form in FORMS:
        server = side.start('\nlisten: "127.0.0.1:-1"\nhttp: "127.0.0.1:-1"\n' + form
                            if not form.startswith("{") else
                            form.replace("{", '{ "listen": "127.0.0.1:-1", '
                                              '"http": "127.0.0.1:-1",', 1), bare=True)
        varz = json.loads(server.monitoring("/varz"))
        equal((varz["server_name"], varz["max_payload"], varz["ping_interval"]),
              ("N", 2000, 90_000_000_000), repr(form))
        matches(r"\[DBG\]", _debug_log(side, server), "log")


def _debug_log(side, server):
    side.connect(server.port)
    server.wait_for_log(r"\[DBG\]", 5)
    return server.log()


@behaviour
def sizes_have_units(side):
    for text, expected in (("1000", 1000), ("1k", 1000), ("1K", 1000), ("1kb", 1024),
                           ("1KiB", 1024), ("1M", 1000000), ("1mb", 1048576), ("2MiB", 2097152)):
        server = side.start(f"max_payload: {text}\n")
        equal(side.connect(server.port).info["max_payload"], expected, text)


@behaviour
def a_file_is_included_from_beside_the_one_that_names_it(side):
    server = side.start('include "sub/a.conf"\n', files={
        "sub/a.conf": 'include "b.conf"\n', "sub/b.conf": "max_payload: 777\n"})
    equal(side.connect(server.port).info["max_payload"], 777)


@behaviour
def variables_come_from_the_environment_too(side):
    server = side.start("max_payload: $PIPIT_TEST_SIZE\nserver_name: $PIPIT_TEST_NAME\n",
                        environment={"PIPIT_TEST_SIZE": "2KB", "PIPIT_TEST_NAME": "n-1"})
    info = side.connect(server.port).info
    equal((info["max_payload"], info["server_name"]), (2048, "n-1"))


@pipits_own
def a_number_or_a_date_without_quotes_is_a_string_where_one_is_wanted(side):
    for user, password in (("u", "12345"), ("u", "'12345'"), ("u", "s3cr3t"), ("u", "2026-01-02T03:04:05Z")):
        server = side.start(f"authorization {{ user: {user}, password: {password} }}\n")
        client = side.connect(server.port, user="u", **{"pass": password.strip("'")})
        equal(client.errors, [], password)


@behaviour
def a_bcrypt_hash_needs_no_quotes(side):
    text = "$2a$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"
    server = side.start(f"authorization {{ user: u, password: {text} }}\n")
    equal(side.connect(server.port, user="u", **{"pass": "secret"}).errors, [])
    equal(side.connect(server.port, user="u", **{"pass": text}).errors,
          ["-ERR 'Authorization Violation'"])


@behaviour
def the_limits_that_a_file_sets_are_obeyed(side):
    server = side.start("max_control_line: 100\nmax_payload: 10\nmax_subscriptions: 1\n"
                        "max_connections: 5\n")
    client = side.connect(server.port)
    client.send("SUB a 1\r\nSUB b 2\r\n")
    client.barrier()
    equal(client.errors, ["-ERR 'maximum subscriptions exceeded'"])
    client.send("PUB a 11\r\n")
    assert client.wait_for_end()
    equal(client.errors[1:], ["-ERR 'Maximum Payload Violation'"])


@behaviour
def no_connections_at_all_when_the_limit_is_zero(side):
    server = side.start("max_connections: 0\n")
    client = side.open(server.port)
    assert client.wait_for_end()
    equal(client.errors, ["-ERR 'maximum connections exceeded'"])
