# SPDX-License-Identifier: Apache-2.0
"""What a person sees: colours, tables, progress, Ctrl-C."""
import time

from suite import equal, matches, once, succeeded, test


@test
def a_person_sees_colours_and_ctrl_c_ends_with_a_sum(world):
    sub = world.terminal("sub", "a")
    sub.wait_for("Subscribed to a")
    succeeded(world.run("pub", "a", "hello"))
    sub.wait_for("hello")
    matches("\x1b\\[2m\\[#1\\]\x1b\\[0m Received on \"\x1b\\[32ma\x1b\\[0m\"", sub.shown)
    sub.type("\x03")
    done = sub.finish()
    equal(done.code, 0)
    matches("Received 1 messages", done.out)


@once
def colours_can_be_switched_off(world):
    for arguments, env in ((["--no-color"], {}), ([], {"NO_COLOR": "1"}), ([], {"TERM": "dumb"})):
        shown = world.terminal("pub", "--help", *arguments, env=env)
        equal("\x1b" in shown.finish().out, False, (arguments, env))
    assert "\x1b[1m" in world.terminal("pub", "--help").finish().out


@once
def what_others_send_cannot_command_the_terminal(world):
    sub = world.terminal("sub", "a", "--no-color")
    sub.wait_for("Subscribed")
    succeeded(world.run("pub", "a", "\x1b]0;title\x07\x1b[2J", "-H", "X:\x1b[31m"))
    sub.wait_for("x1b\\[2J")
    equal("\x1b" in sub.shown, False)


@once
def tables_are_aligned_on_a_terminal(world):
    succeeded(world.run("context", "add", "one", "-s", "nats://h:4222"))
    done = world.terminal("context", "ls").finish()
    matches(r"^Name +Selected +Servers", done.out)
    matches("^─+", done.out.split("\n")[1])


@once
def a_benchmark_shows_its_progress_live(world):
    bench = world.terminal("bench", "pub", "b", "--msgs", "1000", "--sleep", "1ms")
    bench.wait_for(r"pub \[=*>? *\] +\d+%  [\d,]+ messages")
    done = bench.finish()
    equal(done.code, 0)
    matches(r"pub: [\d,]+ messages per second", done.out)
    quiet = world.terminal("bench", "pub", "b", "--msgs", "1000", "--no-progress").finish()
    equal("%" in quiet.out, False)


@once
def a_graph_of_rates_is_drawn(world):
    pub = world.start("pub", "a", "x", "--count", "0", "--sleep", "1ms")
    sub = world.terminal("sub", "a", "--graph", rows=24, columns=60)
    sub.wait_for(r"┤ *[▁▂▃▄▅▆▇█]")
    sub.wait_for(r"a: [\d,]+ messages per second")
    sub.type("\x03")
    equal(sub.finish().code, 0)
    pub.stop()


@once
def a_payload_is_typed(world):
    sub = world.subscribe("a", "--raw", "--count", "1")
    pub = world.terminal("pub", "a")
    pub.wait_for("Ctrl-D ends it")
    pub.type("typed here\n\x04")
    equal(pub.finish().code, 0)
    equal(succeeded(sub.finish()).out, "typed here\n")


@once
def ctrl_c_while_typing_publishes_nothing(world):
    pub = world.terminal("pub", "a")
    pub.wait_for("Ctrl-D ends it")
    pub.type("half a li")
    pub.type("\x03")
    equal(pub.finish().code, 130)


@once
def top_fills_the_screen_and_ends_with_ctrl_c(world):
    world.subscribe("a", "--connection-name", "watched")
    monitor = world.server.ports["monitoring"][0]
    top = world.terminal("top", "--monitor", monitor, "--interval", "100ms", columns=200)
    top.wait_for(r"\x1b\[H\x1b\[2J")
    top.wait_for("watched")
    top.wait_for("per second")
    top.type("\x03")
    equal(top.finish().code, 0)


@once
def removing_a_context_is_asked_about(world):
    succeeded(world.run("context", "add", "one"))
    asked = world.terminal("context", "rm", "one")
    asked.wait_for("Remove context 'one'")
    asked.type("n\n")
    equal(asked.finish().code, 1)
    asked = world.terminal("context", "rm", "one")
    asked.wait_for("Remove context 'one'")
    asked.type("y\n")
    equal(asked.finish().code, 0)
    equal(world.run("context", "ls", "--names").out, "")
