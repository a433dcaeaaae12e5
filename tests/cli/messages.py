# SPDX-License-Identifier: Apache-2.0
"""pub and sub."""
import json
import os
import signal
import subprocess
import time

from suite import beside_nats, equal, eventually, matches, once, succeeded, test


@test
def a_message_that_is_published_is_shown(world):
    sub = world.subscribe("a.*", "--count", "1")
    done = succeeded(world.run("pub", "a.b", "hello", "-H", "X:1", "-H", "X: 2", "--reply", "r.e"))
    matches(r'Published 5 bytes to "a\.b"', done.err)
    equal(done.out, "")
    shown = succeeded(sub.finish())
    equal(shown.out, '[#1] Received on "a.b" with reply "r.e"\nX: 1\nX: 2\n\nhello\n\n')
    matches(r"Subscribed to a\.\*", shown.err)


@test
def raw_shows_payloads_alone(world):
    sub = world.subscribe("a", "--raw", "--count", "3")
    for payload in ("one", "two\n", ""):
        succeeded(world.run("pub", "a", payload))
    equal(succeeded(sub.finish()).out, "one\ntwo\n\n")


@test
def json_is_a_line_for_each_message(world):
    sub = world.subscribe("a.>", "--json", "--count", "2")
    succeeded(world.run("pub", "a.b", "grüße", "-H", "K:v"))
    succeeded(world.run("pub", "a.c", input=b"\xff\x00"))
    first, second = [json.loads(line) for line in succeeded(sub.finish()).out.splitlines()]
    equal([first["number"], first["subject"], first["payload"], first["headers"]],
          [1, "a.b", "grüße", {"K": "v"}])
    matches(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$", first["time"])
    equal([second["payload_base64"], "reply" in second], ["/wA=", False])


@test
def the_standard_input_is_the_payload(world):
    sub = world.subscribe("a", "--raw", "--count", "1")
    succeeded(world.run("pub", "a", input="line one\nline two\n"))
    equal(succeeded(sub.finish()).out, "line one\nline two\n")


@test
def each_line_of_the_standard_input_is_a_message_as_it_comes(world):
    sub = world.subscribe("a", "--json")
    pub = world.start("pub", "a", "--send-on", "newline", stdin=subprocess.PIPE)
    pub.process.stdin.write(b"one\ntw")
    pub.process.stdin.flush()
    sub.wait_for('"payload":"one"', "out")
    pub.process.stdin.write(b"o\r\nthree")
    pub.process.stdin.close()
    succeeded(pub.finish())
    sub.wait_for('"payload":"three"', "out")
    equal([json.loads(line)["payload"] for line in sub.out.splitlines()], ["one", "two", "three"])


@test
def a_file_is_the_payload(world):
    path = world.file("order.json", '{"a": 1}\n')
    sub = world.subscribe("a", "--raw", "--count", "1")
    succeeded(world.run("pub", "a", "--file", path))
    equal(succeeded(sub.finish()).out, '{"a": 1}\n')
    done = world.run("pub", "a", "--file", world.file("absent"))
    equal(done.code, 1)
    matches("No such file or directory.*absent", done.err)


@test
def templates_are_filled_in_for_each_message(world):
    sub = world.subscribe("t.>", "--json", "--count", "3")
    succeeded(world.run("pub", "t.{{Count}}", "{{Count}} {{ Random 3 3 }} {{ID}}", "--count", "3",
                        "-H", "N:{{Count}}"))
    lines = [json.loads(line) for line in succeeded(sub.finish()).out.splitlines()]
    equal([line["subject"] for line in lines], ["t.1", "t.2", "t.3"])
    equal([line["headers"]["N"] for line in lines], ["1", "2", "3"])
    for number, line in enumerate(lines, 1):
        matches(rf"^{number} \w{{3}} \w{{22}}$", line["payload"])


@test
def what_is_no_template_is_sent_as_it_is(world):
    sub = world.subscribe("a", "--raw", "--count", "2")
    done = succeeded(world.run("pub", "a", '{{"a":{"b":1}}'))
    matches("Sent as it is", done.err)
    equal("Sent" in succeeded(world.run("pub", "a", "{{Count}}", "--no-templates")).err, False)
    equal(succeeded(sub.finish()).out, '{{"a":{"b":1}}\n{{Count}}\n')


@test
def messages_of_one_group_are_shared(world):
    first = world.subscribe("a", "--queue", "q", "--raw")
    second = world.subscribe("a", "--queue", "q", "--raw")
    succeeded(world.run("pub", "a", "x", "--count", "40", "--quiet"))
    done = 0
    while done < 40:
        done = len(first.out.splitlines()) + len(second.out.splitlines())
    equal(done, 40)
    assert first.out and second.out, "one of them got everything"


@test
def a_worker_that_takes_one_message_leaves_the_rest_to_others(world):
    one = world.subscribe("a", "--queue", "q", "--raw", "--count", "1")
    rest = world.subscribe("a", "--queue", "q", "--raw")
    succeeded(world.run("pub", "a", "{{Count}}", "--count", "200", "--quiet"))
    mine = succeeded(one.finish()).out.split()
    equal(len(mine), 1)
    rest.wait_for("^200$" if mine != ["200"] else "^199$", "out")
    equal(sorted(map(int, mine + rest.out.split())), list(range(1, 201)))


@test
def messages_are_dumped_as_files_or_with_zeros_between(world):
    files = world.subscribe("a", "--dump", world.file("dumped"), "--count", "2")
    zeros = world.subscribe("a", "--dump", "-", "--count", "2")
    succeeded(world.run("pub", "a", "hello", "-H", "X:1", "--reply", "r"))
    succeeded(world.run("pub", "a", ""))
    succeeded(files.finish())
    expected = [{"Subject": "a", "Reply": "r", "Header": {"X": ["1"]}, "Data": "aGVsbG8=", "Sub": None},
                {"Subject": "a", "Reply": "", "Header": None, "Data": "", "Sub": None}]
    equal([json.loads(world.read(f"dumped/{number}.json")) for number in (1, 2)], expected)
    equal(os.stat(world.file("dumped/1.json")).st_mode & 0o777, 0o600)
    parts = succeeded(zeros.finish()).out.split("\0")
    equal([json.loads(part) for part in parts[:2]] + parts[2:], expected + [""])


@beside_nats
def dumps_are_those_of_the_nats_tool(world):
    theirs = world.subscribe("a", "--dump=-", "--count", "1", program=world.programs["nats"])
    ours = world.subscribe("a", "--dump", "-", "--count", "1")
    succeeded(world.run("pub", "a", "hello", "-H", "X:1", "-H", "X:2", "--quiet"))
    equal(json.loads(ours.finish().out.split("\0")[0]), json.loads(theirs.finish().out.split("\0")[0]))


@beside_nats
def raw_is_what_the_nats_tool_shows(world):
    theirs = world.subscribe("a", "--raw", "--count", "1", program=world.programs["nats"])
    ours = world.subscribe("a", "--raw", "--count", "1")
    succeeded(world.nats("pub", "a", "two\nlines"))
    equal(ours.finish().out, theirs.finish().out)


@test
def parts_of_a_message_can_be_left_out(world):
    headers = world.subscribe("a", "--headers-only", "--count", "1")
    subjects = world.subscribe("a", "--subjects-only", "--count", "1")
    stamped = world.subscribe("a", "-t", "--subjects-only", "--count", "1")
    succeeded(world.run("pub", "a", "hello", "-H", "X:1"))
    equal(headers.finish().out, '[#1] Received on "a"\nX: 1\n\n')
    equal(subjects.finish().out, '[#1] Received on "a"\n')
    matches(r'^\[#1\] @ \d{4}-\d\d-\d\dT[\d:.]+Z Received on "a"$', stamped.finish().out)


@test
def payloads_are_translated_by_a_command(world):
    sub = world.subscribe("a", "--translate", "tr a-z A-Z", "--raw", "--count", "1")
    subject = world.subscribe("a", "--translate", "echo {{Subject}} '$(id) it'", "--raw", "--count", "1")
    succeeded(world.run("pub", "a", "hello"))
    equal(succeeded(sub.finish()).out, "HELLO\n")
    equal(succeeded(subject.finish()).out, "a $(id) it\n")


@test
def what_translates_is_told_of_each_message(world):
    sub = world.subscribe("a", "--translate", "echo {{Count}} {{ID}} {{Unix}} {{Nothing}}", "--raw", "--count", "2")
    begin = int(time.time())
    succeeded(world.run("pub", "a", "hello", "--count", "2"))
    done = succeeded(sub.finish())
    words = [line.split() for line in done.out.splitlines()]
    equal([(each[0], each[3]) for each in words], [("1", "{{Nothing}}"), ("2", "{{Nothing}}")])
    assert words[0][1] != words[1][1], words
    assert all(begin <= int(each[2]) <= time.time() for each in words), words
    equal(done.err.count("there is no template {{Nothing}}"), 1)


@test
def subjects_are_left_out(world):
    sub = world.subscribe("a.>", "-I", "a.b", "--raw", "--count", "1")
    succeeded(world.run("pub", "a.b", "no"))
    succeeded(world.run("pub", "a.c", "yes"))
    equal(succeeded(sub.finish()).out, "yes\n")


@test
def waiting_ends_after_a_pause(world):
    succeeded(world.run("sub", "a", "--graph", "--wait", "100ms"))
    equal(succeeded(world.run("sub", "a", "--wait", "100ms", "--raw")).out, "")
    done = world.run("sub", "a", "--wait", "100ms", "--count", "2")
    equal(done.code, 1)
    matches("only 0 of 2 messages", done.err)


@once
def a_graph_of_rates_has_a_line_for_each_second(world):
    pub = world.start("pub", "a", "x", "--count", "0", "--sleep", "1ms")
    succeeded(world.run("sub", "a", "--count", "1"))
    began = time.monotonic()
    sub = world.start("sub", "a", "--graph", "--wait", "700ms")
    sub.wait_for(r"(a\t[\d,]+\n){2}", "out")
    took = time.monotonic() - began
    assert took >= 2, f"two seconds have passed in {took}"
    pub.stop()
    succeeded(sub.finish())


@test
def ctrl_c_ends_what_runs_until_then_with_a_sum(world):
    sub = world.subscribe("a", "--raw")
    succeeded(world.run("pub", "a", "hello"))
    sub.wait_for("hello", "out")
    sub.signal(signal.SIGINT)
    done = sub.finish()
    equal(done.code, 0)
    matches(r"Received 1 messages, 5 B, in ", done.err)


@test
def a_signal_that_ends_unfinished_work_is_the_exit_code(world):
    for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        sub = world.subscribe("a", "--count", "1000")
        pub = world.start("pub", "a", "x", "--count", "20", "--sleep", "60s")
        pub.wait_for("Published")
        sub.wait_for(r"#1\]", "out")
        pub.signal(number)
        sub.signal(number)
        equal([pub.finish().code, sub.finish().code], [code, code])
        matches(r"Published 1 messages", pub.err)
        matches(r"Received 1 messages", sub.err)


@test
def a_reader_that_has_seen_enough_ends_it_quietly(world):
    world.start("pub", "a", "some text {{Count}}", "--count", "0", "--sleep", "1ms")
    done = world.run("-c", "set -o pipefail; pipit sub a --raw | head -n 2", program="/bin/bash")
    equal(done.code, 0)
    equal(len(done.out.splitlines()), 2)
    equal("cannot write" in done.err, False)


@test
def a_subject_or_header_that_is_none_is_refused(world):
    for arguments, code in ((("pub", "a b", "x"), 2), (("pub", "a.*", "x"), 2), (("pub", "a..b", "x"), 2),
                            (("sub", "a b"), 2), (("sub", ">.a"), 2)):
        done = world.run(*arguments)
        equal(done.code, code, arguments)
        matches("subject", done.err)
    done = world.run("pub", "a", "x", "-H", "no-colon")
    equal(done.code, 2)
    matches("'no-colon' is not a header", done.err)


@test
def what_the_server_does_not_permit_is_a_failure(world):
    permissions = "{ publish: { deny: secret }, subscribe: { deny: secret } }"
    server = world.start_server("authorization { users: [ { user: u, password: p, permissions: "
                                f"{permissions} }} ] }}\n")
    env = {"NATS_URL": f"nats://u:p@127.0.0.1:{server.port}"}
    done = world.run("pub", "secret", "x", env=env)
    equal(done.code, 1)
    matches(r"(?i)permissions violation.*publish.*secret", done.err)
    done = world.run("sub", "secret", "--wait", "5s", env=env)
    equal(done.code, 1)
    matches(r"(?i)permissions violation.*subscription.*secret", done.err)


@test
def a_payload_that_is_too_large_is_a_failure(world):
    done = world.run("pub", "a", input=b"x" * (2 * 1024 * 1024))
    equal(done.code, 1)
    matches("(?i)payload", done.err)


@test
def a_sub_survives_a_restart_of_its_server(world):
    server = world.start_server("")
    env = {"NATS_URL": f"nats://127.0.0.1:{server.port}"}
    sub = world.start("sub", "a", env=env)
    sub.wait_for("Subscribed")
    server.stop()
    sub.wait_for("Disconnected")
    world.servers.append(type(server)(server.program, f'port: {server.port}\nhost: "127.0.0.1"\n', bare=True))
    sub.wait_for("Connected again")
    succeeded(world.run("pub", "a", "hello", env=env))
    sub.wait_for("hello", "out")


@test
def a_sub_outlives_logins_that_are_refused(world):
    config = ('http: "127.0.0.1:-1"\nhost: "127.0.0.1"\nport: {}\n'
              'authorization {{ user: a, password: {} }}\n')
    server = world.start_server('authorization { user: a, password: b }\n')
    env = {"NATS_URL": f"nats://a:b@127.0.0.1:{server.port}"}
    sub = world.start("sub", "a", env=env)
    sub.wait_for("Subscribed")
    for password in "other", "b":
        server.stop()
        server = type(server)(server.program, config.format(server.port, password), bare=True)
        world.servers.append(server)
        if password == "b":
            sub.wait_for("Connected again")
            continue
        sub.wait_for("login was refused: Authorization Violation.*; trying again")
        eventually(lambda: json.loads(server.monitoring("/varz"))["total_connections"] > 2, "three logins")
    succeeded(world.run("pub", "a", "hello", env=env))
    sub.wait_for("hello", "out")


@once
def a_thousand_messages_are_counted_in_json(world):
    sub = world.subscribe("a", "--raw", "--count", "1000")
    done = succeeded(world.run("pub", "a", "x{{Count}}", "--count", "1000", "--json"))
    found = json.loads(done.out)
    equal(found["published"], 1000)
    equal(found["bytes"], sum(len(f"x{n}") for n in range(1, 1001)))
    equal(succeeded(sub.finish()).out.split(), [f"x{n}" for n in range(1, 1001)])
