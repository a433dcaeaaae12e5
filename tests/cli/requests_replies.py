# SPDX-License-Identifier: Apache-2.0
"""request and reply."""
import json
import os
import signal
import time

from suite import beside_nats, equal, eventually, matches, once, succeeded, test


def replying(world, *arguments, **options):
    reply = world.start("reply", *arguments, **options)
    reply.wait_for("Listening on")
    return reply


@test
def a_request_is_answered(world):
    reply = replying(world, "svc.*", "hello, {{Request}} of {{1}} ({{Count}})", "--count", "2")
    done = succeeded(world.run("request", "svc.abc", "joe"))
    equal(done.out, "hello, joe of abc (0)\n\n")
    matches(r"Received after ", done.err)
    equal(succeeded(world.run("request", "svc.x", "ann", "--raw")).out, "hello, ann of x (1)\n")
    shown = succeeded(reply.finish())
    matches(r'^\[#0\] Received on "svc\.abc" with reply "_INBOX\.', shown.out)


@test
def a_request_is_echoed_with_its_headers(world):
    replying(world, "echo", "--echo")
    line = json.loads(succeeded(world.run("request", "echo", "ping", "-H", "A:b", "--json")).out)
    equal([line["payload"], line["headers"]], ["ping", {"A": "b", "NATS-Reply-Counter": "0"}])


@test
def a_header_that_a_request_spoils_is_left_out_and_said(world):
    reply = replying(world, "svc", "yes", "-H", "Said: {{Request}}")
    equal(succeeded(world.run("request", "svc", "a", "--raw")).out, "yes\n")
    equal(succeeded(world.run("request", "svc", "a\r\nb", "--raw")).out, "yes\n")
    reply.wait_for("Answered without a header: .*'Said'")


@test
def a_command_answers(world):
    replying(world, "w.*", "--command", "sh -c 'printf %s \"$0:$NATS_REQUEST_SUBJECT:$(cat)\"' {{1}}")
    equal(succeeded(world.run("request", "w.paris", "x y", "--raw")).out, "paris:w.paris:x y\n")


@test
def what_comes_over_the_network_is_never_run(world):
    replying(world, "w.*", "--command", "echo {{1}} {{Request}}")
    equal(succeeded(world.run("request", "w.$(id)", "; id 'x", "--raw")).out, "$(id) ; id 'x\n")


@test
def nobody_there_is_a_failure_with_a_hint(world):
    done = world.run("request", "nobody", "x")
    equal([done.code, done.out], [1, ""])
    matches("(?i)nobody|responder", done.err)
    matches("pipit reply 'nobody'", done.err)


@test
def no_answer_in_time_is_a_failure_that_says_how_long(world):
    world.subscribe("silent")
    done = world.run("request", "silent", "x", "--timeout", "200ms")
    equal(done.code, 1)
    matches("(?i)timed out.*silent|silent.*timed out", done.err)
    matches("200 ?ms", done.err)


@test
def several_replies_are_waited_for(world):
    for name in ("one", "two", "three"):
        replying(world, "all", name, "--queue", name)
    done = succeeded(world.run("request", "all", "", "--replies", "3", "--raw"))
    equal(sorted(done.out.split()), ["one", "three", "two"])
    done = succeeded(world.run("request", "all", "", "--replies", "0", "--timeout", "500ms", "--raw"))
    equal(sorted(done.out.split()), ["one", "three", "two"])
    done = succeeded(world.run("request", "all", "", "--replies", "9", "--reply-timeout", "300ms", "--raw"))
    equal(len(done.out.split()), 3)


@test
def replies_end_with_an_empty_one(world):
    replying(world, "all", "first", "--queue", "first")
    replying(world, "all", "second", "--queue", "second")
    replying(world, "all", "", "--queue", "last", "--command", "sleep 0.3")
    done = succeeded(world.run("request", "all", "", "--wait-for-empty", "--timeout", "60s", "--raw"))
    equal(sorted(done.out.split()), ["first", "second"])


@test
def one_reply_is_enough_for_who_says_so_also_before_an_empty_one(world):
    for group in ("first", "second"):
        replying(world, "all", group, "--queue", group)
    done = succeeded(world.run("request", "all", "", "--replies", "1", "--wait-for-empty", "--timeout", "60s", "--raw"))
    assert done.out in ("first\n", "second\n"), done.out


@test
def an_empty_reply_alone_is_an_answer(world):
    replying(world, "svc", "--echo")
    done = succeeded(world.run("request", "svc", "", "--wait-for-empty", "--timeout", "60s", "--raw"))
    equal(done.out, "")


@test
def many_requests_are_counted(world):
    replying(world, "svc", "x", "--quiet")
    done = succeeded(world.run("request", "svc", "{{Count}}", "--count", "5", "--json"))
    equal([json.loads(line)["number"] for line in done.out.splitlines()], [1, 2, 3, 4, 5])


@test
def ctrl_c_ends_a_reply_with_a_sum(world):
    reply = replying(world, "svc", "x")
    succeeded(world.run("request", "svc", "a", "--raw"))
    reply.signal(signal.SIGINT)
    done = reply.finish()
    equal(done.code, 0)
    matches("Answered 1 requests", done.err)


@test
def a_reply_that_is_ended_answers_what_has_come(world):
    reply = replying(world, "svc", "--command", "sh -c 'sleep 0.3; echo late'")
    request = world.start("request", "svc", "", "--raw")
    reply.wait_for("Received on", "out")
    reply.signal(signal.SIGTERM)
    equal(succeeded(request.finish()).out, "late\n")
    equal(reply.finish().code, 0)


@test
def ctrl_c_ends_a_request_that_waits(world):
    world.subscribe("silent")
    request = world.start("request", "silent", "x", "--timeout", "60s")
    request.wait_for("Sending a request")
    request.signal(signal.SIGINT)
    equal(request.finish(5).code, 130)


@once
def requests_from_lines(world):
    replying(world, "svc", "<{{Request}}>", "--quiet")
    done = succeeded(world.run("request", "svc", "--send-on", "newline", "--raw", input="a\nb\n"))
    equal(done.out, "<a>\n<b>\n")


@beside_nats
def the_nats_tool_is_answered_and_answers(world):
    replying(world, "ours", "from pipit: {{Request}}")
    equal(succeeded(world.nats("request", "ours", "x", "--raw")).out.strip(), "from pipit: x")
    theirs = world.start("reply", "theirs", "--echo", program=world.programs["nats"])
    theirs.wait_for("Listening on")
    equal(succeeded(world.run("request", "theirs", "x", "--raw")).out, "x\n")


@beside_nats
def both_tools_share_a_groups_requests(world):
    theirs = world.start("reply", "svc", "theirs", program=world.programs["nats"])
    theirs.wait_for("Listening on")
    replying(world, "svc", "ours")
    answers = set()
    while len(answers) < 2:
        answers.add(succeeded(world.run("request", "svc", "", "--raw")).out)
    done = world.run("request", "svc", "", "--replies", "2", "--reply-timeout", "200ms", "--raw")
    equal(len(done.out.split()), 1)


@test
def commands_run_beside_each_other_and_beside_the_connection(world):
    replying(world, "svc", "--command", "sh -c 'sleep 0.$1; echo $1' - {{Request}}", "--commands", "2")
    slow = world.start("request", "svc", "9", "--raw")
    fast = world.start("request", "svc", "1", "--raw")
    equal(succeeded(fast.finish()).out, "1\n")
    assert slow.process.poll() is None, "the second waited for the first"
    equal(succeeded(slow.finish()).out, "9\n")


@test
def a_command_holds_nobody_up_who_pings(world):
    server = world.start_server('http: "127.0.0.1:-1"\nping_interval: "300ms"\nping_max: 1\n')
    url = {"NATS_URL": f"nats://127.0.0.1:{server.port}"}
    reply = replying(world, "svc", "--command", "sh -c 'sleep 2.5; echo done'", env=url)
    equal(succeeded(world.run("request", "svc", "", "--raw", env=url)).out, "done\n")
    assert "Disconnected" not in reply.err, reply.err


@test
def no_more_commands_run_at_a_time_than_is_said(world):
    replying(world, "svc", "--commands", "2", "--quiet", "--command",
             "sh -c 'mine=$(mktemp running.XXXXXX); sleep 0.3; set -- running.*; echo $#; rm $mine'")
    requests = [world.start("request", "svc", "", "--raw") for _ in range(6)]
    counts = [int(succeeded(each.finish()).out) for each in requests]
    assert max(counts) <= 2, counts


def is_killed_with_its_child(world, script):
    reply = replying(world, "svc", "--command-timeout", "300ms", "--command", f"sh -c '{script}'")
    done = world.run("request", "svc", "", "--timeout", "2s")
    equal(done.code, 1)
    reply.wait_for("sh was killed after 300ms, and nothing was answered")
    child = int(world.read("child"))
    eventually(lambda: is_gone(child), "the command's own child ends")


@test
def a_command_that_takes_too_long_is_killed_with_what_it_started(world):
    is_killed_with_its_child(world, "sleep 61 & echo $! > child; wait")


@test
def what_a_command_leaves_behind_is_killed_too_when_it_takes_too_long(world):
    is_killed_with_its_child(world, "sleep 61 & echo $! > child; echo hi")


def is_gone(process):
    try:
        with open(f"/proc/{process}/stat", encoding="utf-8") as file:
            return file.read().split(") ")[1][0] == "Z"  # Nobody may be there to wait for it.
    except FileNotFoundError:
        return True


@test
def a_command_that_prints_without_end_is_killed(world):
    reply = replying(world, "svc", "--command", "yes")
    equal(world.run("request", "svc", "", "--timeout", "1s").code, 1)
    reply.wait_for("yes was killed, and nothing was answered: it wrote more than the server takes")


@test
def a_second_signal_ends_commands_too(world):
    reply = replying(world, "svc", "--command", "sh -c 'echo $$ > child; exec sleep 61'")
    world.start("request", "svc", "")
    eventually(lambda: os.path.exists(world.file("child")) and world.read("child").strip(),
               "the command runs")
    child = int(world.read("child"))
    before = world.subscriptions()
    reply.signal(signal.SIGINT)
    eventually(lambda: world.subscriptions() < before, "the first signal is obeyed")
    reply.signal(signal.SIGINT)
    equal(reply.finish().code, 130)
    eventually(lambda: is_gone(child), "the command ends")


@once
def as_many_commands_as_nobody_needs_are_wrong_usage(world):
    for count in ("0", "65"):
        done = world.run("reply", "svc", "--command", "true", "--commands", count)
        equal(done.code, 2)
        matches("--commands is between 1 and 64", done.err)


@test
def a_reply_that_loses_its_server_ends_its_commands(world):
    server = world.start_server("")
    url = {"NATS_URL": f"nats://127.0.0.1:{server.port}"}
    reply = replying(world, "svc", "--command", "sh -c 'echo $$ > child; exec sleep 61'", env=url)
    world.start("request", "svc", "", env=url)
    eventually(lambda: os.path.exists(world.file("child")) and world.read("child").strip(),
               "the command runs")
    child = int(world.read("child"))
    server.stop()
    reply.wait_for("Disconnected")
    reply.signal(signal.SIGINT)
    equal(reply.finish().code, 0)
    eventually(lambda: is_gone(child), "the command ends")
    assert "ERROR" not in reply.err, reply.err  # Of a sanitizer.
