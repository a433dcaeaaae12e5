# SPDX-License-Identifier: Apache-2.0
"""top."""
import json
import signal

from suite import equal, matches, once, succeeded, test


@test
def top_looks_once_for_a_script(world):
    watched = world.subscribe("orders.*", "--connection-name", "watched")
    busy = world.start("pub", "orders.new", "x", "--count", "0", "--sleep", "1ms", "--connection-name", "busy")
    watched.wait_for("Received", "out")
    monitor = world.server.ports["monitoring"][0]
    arguments = ("top", "--monitor", monitor, "--once", "--interval", "300ms", "--subs")
    found = json.loads(succeeded(world.run(*arguments, "--sort", "msgs_rate", "--json")).out)
    equal(found["version"], "2.15.2")
    by_name = {each["name"]: each for each in found["connections"]}
    equal(by_name["watched"]["subjects"], ["orders.*"])
    assert by_name["busy"]["messages_from_per_second"] > 0, by_name
    assert by_name["watched"]["messages_to_per_second"] > 0, by_name
    rows = [line.split("\t") for line in succeeded(world.run(*arguments, "--exact")).out.splitlines()]
    equal(sorted(row[1] for row in rows), ["busy", "watched"])
    busy.stop()


@once
def a_monitoring_port_that_is_not_there_is_told(world):
    done = world.run("top", "--once", "--monitor", "http://127.0.0.1:1")
    equal(done.code, 1)
    matches("cannot watch: .*refused.*127.0.0.1:1.*--monitor", done.err)
    done = world.run("top", "--once", "-m", f"http://127.0.0.1:{world.server.port}")
    equal(done.code, 1)
    matches(rf"cannot watch: 127.0.0.1:{world.server.port} does not answer as HTTP does.*--monitor", done.err)
    equal(world.run("top", "--monitor", "ftp://x").code, 2)
    equal(world.run("top", "--monitor", "http://x:y").code, 2)
    done = world.run("top", "--once", "--monitor", f"http://127.0.0.1:{world.server.port}")
    equal(done.code, 1)


@test
def ctrl_c_ends_top_with_a_sum(world):
    world.subscribe("orders.*")
    arguments = ("--monitor", world.server.ports["monitoring"][0], "--interval", "50ms")
    for form in ((), ("--json",)):
        top = world.start("top", *arguments, *form)
        top.wait_for(r"(?s)\n.*\n", "out")
        succeeded(world.run("pub", "orders.new", "hello"))
        looks = len(top.out.splitlines())
        top.wait_for(r"(?:.*\n){%d}" % (looks + 8), "out")
        top.signal(signal.SIGINT)
        done = top.finish()
        equal(done.code, 0)
        matches(r"Looked \d+ times in [\d.]+m?s: in 1 messages, 5 B, out 1 messages, 5 B; 1 connections at "
                "the end$", done.err)


@once
def ctrl_c_on_a_terminal_ends_top_with_a_sum(world):
    top = world.terminal("top", "--monitor", world.server.ports["monitoring"][0])
    top.wait_for("CID")
    top.type("\x03")
    done = top.finish()
    equal(done.code, 0)
    matches(r"\n\d\d:\d\d:\d\d Looked \d+ times in ", done.out)
