# SPDX-License-Identifier: Apache-2.0
"""What is typed wrongly, what is unreachable, help, secrets, sources of settings."""
import os
import re
import shutil
import signal

from suite import equal, matches, once, server_process, succeeded, test

COMMANDS = ["", "pub", "sub", "request", "reply", "bench", "bench pub", "bench sub", "bench request",
            "bench service", "latency", "rtt", "top", "server", "server check", "server check connection",
            "server info", "server ping", "context", "context add", "context select", "context ls",
            "context show", "context edit", "context rm", "completion", "help"]


@once
def every_command_has_help_with_examples(world):
    for command in COMMANDS:
        done = succeeded(world.run(*command.split(), "--help"))
        matches("^Usage: pipit", done.out)
        matches("NATS_URL", done.out)
        equal(done.err, "", command)
        width = max(len(line) for line in done.out.splitlines() if not line.startswith("  "))
        assert command == "server" or width <= 80, (command, width)
    for command in ("pub", "sub", "request", "reply", "bench", "rtt", "top", "context add"):
        matches("^Examples:", world.run(*command.split(), "-h").out)
    equal(world.run("help", "pub").out, world.run("pub", "--help").out)


@once
def the_help_of_the_server_is_its_own_and_its_commands(world):
    out = succeeded(world.run("server", "--help")).out
    matches("--http_port", out)
    matches("check ", out)


@once
def what_is_mistyped_is_named_with_what_was_meant(world):
    for arguments, said in ((["pubb", "a"], "unknown command 'pubb'. Did you mean 'pub'"),
                            (["context", "slect"], "unknown command 'slect'. Did you mean 'select'"),
                            (["pub", "a", "--cuont", "1"], "unknown option '--cuont'. Did you mean '--count'"),
                            (["pub"], "<subject> is missing"),
                            (["sub"], "<subjects> are missing"),
                            (["pub", "a", "hello", "world"], "one word too many"),
                            (["pub", "a", "--count", "x"], "--count: 'x' is not a whole number"),
                            (["pub", "a", "--count"], "--count needs a value"),
                            (["sub", "a", "--raw=maybe"], "a switch takes no value"),
                            (["sub", "a", "--timeout", "soon"], "'soon' is not a duration"),
                            (["sub", "a", "--queue", "a b"], "--queue: 'a b' is not the name of a group"),
                            (["sub", "a", "--translate", "jq '"], "--translate: 'jq '' has a quote that is not closed"),
                            (["sub", "a", "--translate", "''"], "--translate: '''' names no command"),
                            (["sub", "a", "--translate", ""], "--translate: '' names no command"),
                            (["request", "a", "--translate", " "], "--translate: ' ' names no command"),
                            (["reply", "a", "text", "--echo"], "one of them is enough"),
                            (["pub", "a", "x", "--reply", "b c"], "--reply: 'b c' cannot be published to"),
                            (["latency", "--duration", "0s"], "--duration is longer than 0s"),
                            (["server", "chek"], "unknown command 'chek'. Did you mean 'check'"),
                            (["pub", "a", "x", "--inbox-prefix", "a b"], "--inbox-prefix: 'a b' cannot begin a subject"),
                            (["reply", "a", "--command", ""], "--command: '' names no command"),
                            (["latency", "--size", "15"], "--size is at least 16"),
                            (["completion"], "<shell> is missing: bash, zsh or fish"),
                            (["completion", "tcsh"], "'tcsh' is not one of bash, zsh or fish"),
                            (["context"], "needs one of its commands"),
                            (["--json"], "")):
        done = world.run(*arguments)
        equal(done.code, 2, arguments)
        assert said in done.err, (said, done.err)


@once
def the_version_is_printed(world):
    matches(r"^pipit \d+\.\d+\.\d+, .*nats-server 2\.15\.2$", succeeded(world.run("--version")).out)


@once
def a_server_that_is_not_there_is_named_with_why_and_what_to_do(world):
    done = world.run("pub", "a", "x", env={"NATS_URL": "nats://me:s3cret@127.0.0.1:1"})
    equal([done.code, done.out], [1, ""])
    matches(r"cannot connect to nats://127\.0\.0\.1:1: .*refused", done.err)
    matches("pipit server|--server", done.err)
    assert "s3cret" not in done.err
    done = world.run("pub", "a", "x", env={"NATS_URL": "nats://no-such-host.invalid:4222"})
    equal(done.code, 1)
    matches(r"no-such-host\.invalid:4222", done.err)
    done = world.run("pub", "a", "x", "-s", "http://me:s3cret@x")
    equal(done.code, 2)
    matches("'http://x' is not a server's URL", done.err)
    done = world.run("pub", "a", "x", env={"NATS_URL": "http://me:s3cret@x"})
    equal(done.code, 1)
    matches("'http://x' is not a server's URL", done.err)


@test
def who_is_not_let_in_is_told_how_to_say_who_he_is(world):
    server = world.start_server("authorization { user: me, password: s3cret }\n")
    url = f"nats://127.0.0.1:{server.port}"
    done = world.run("pub", "a", "x", env={"NATS_URL": url})
    equal(done.code, 1)
    matches("(?i)authorization violation", done.err)
    matches("--user", done.err)
    for arguments, env in ((["--user", "me", "--password", "s3cret"], {"NATS_URL": url}),
                           ([], {"NATS_URL": url, "NATS_USER": "me", "NATS_PASSWORD": "s3cret"}),
                           (["--password", "s3cret"], {"NATS_URL": url, "NATS_USER": "me"}),
                           (["-s", url.replace("//", "//me:s3cret@")], {"NATS_URL": "nats://127.0.0.1:1"})):
        succeeded(world.run("pub", "a", "x", *arguments, env=env))


@test
def a_lone_user_and_a_token_are_a_token(world):
    server = world.start_server("authorization { token: t0ken }\n")
    env = {"NATS_URL": f"nats://127.0.0.1:{server.port}"}
    for arguments, more in ((["--token", "t0ken"], {}), (["--user", "t0ken"], {}), ([], {"NATS_TOKEN": "t0ken"})):
        succeeded(world.run("pub", "a", "x", *arguments, env={**env, **more}))


@once
def flags_go_before_the_environment_and_that_before_the_context(world):
    dead = "nats://127.0.0.1:1"
    succeeded(world.run("context", "add", "dead", "-s", dead, "--select"))
    succeeded(world.run("pub", "a", "x"))
    succeeded(world.run("pub", "a", "x", "-s", world.url, env={"NATS_URL": dead}))
    equal(world.run("pub", "a", "x", env={"NATS_URL": ""}).code, 1)
    succeeded(world.run("context", "add", "alive", "-s", world.url))
    succeeded(world.run("pub", "a", "x", "--context", "alive", env={"NATS_URL": ""}))
    succeeded(world.run("pub", "a", "x", env={"NATS_URL": "", "NATS_CONTEXT": "alive"}))
    done = world.run("pub", "a", "x", env={"NATS_URL": ""})
    matches(r"as context 'dead' says", done.err)


@test
def secrets_are_not_shown_by_ps(world):
    server = world.start_server("authorization { user: me, password: s3cret }\n")
    url = f"nats://127.0.0.1:{server.port}"
    first = world.start("sub", "a", "--user", "me", "--password=s3cret", "-s", url)
    second = world.start("sub", "a", "-s", url.replace("//", "//me:s3cret@"))
    for each in (first, second):
        each.wait_for("Subscribed")
        with open(f"/proc/{each.process.pid}/cmdline", "rb") as file:
            line = file.read()
        assert b"s3cret" not in line and b"127.0.0.1" in line, line


@once
def a_password_is_not_shown_in_complaints_about_urls(world):
    for arguments in (["pub", "a", "x", "-s", "me:s3cret@h:99999999"], ["pub", "a", "x", "-s", "s3cret@h:99999999"],
                      ["pub", "a", "x", "nats://me:s3cret@h"], ["pub", "a", "x", "me:s3cret@h"],
                      ["pub", "a", "x", "--server=nats://me:x,ss://s3cret@h:99999999"],
                      ["top", "-m", "me:s3cret@ho st"], ["top", "-m", "http://me:s3cret@ho st"]):
        done = world.run(*arguments)
        equal(done.code, 2, arguments)
        matches("'(nats://|http://)?h", done.err)
        assert "s3cret" not in done.err and "me:" not in done.err, done.err


@once
def no_part_of_a_password_with_a_comma_is_shown(world):
    def shows_none(done, code):
        said = done.out + done.err
        assert done.code == code and not re.search("localhost|s3cr|et@", said), (done.code, said)

    # No port, one, and a token: what stands before the comma is a server then, as to nats.go.
    for beginning in ("localhost:s3cr", "localhost:1", "s3cr.invalid"):
        url = f"nats://{beginning},et@127.0.0.1:1"
        for command in (["pub", "a", "x"], ["rtt"], ["server", "ping"]):
            shows_none(world.run(*command, env={"NATS_URL": url}), 1)
        shows_none(world.run("server", "check", "connection", env={"NATS_URL": url}), 2)
        shows_none(world.run("latency", "--server-b", url), 1)
    alive = {"NATS_URL": f"nats://localhost:1,et@127.0.0.1:{world.server.port}"}
    shows_none(world.run("pub", "a", "x", env=alive), 0)
    for command in (["rtt"], ["rtt", "--json"], ["server", "ping"], ["server", "ping", "--json"]):
        done = world.run(*command, env=alive)
        shows_none(done, 1)
        matches(f"127.0.0.1:{world.server.port}", done.out)
    matches("%2C", world.run("pub", "a", "x", env={"NATS_URL": "nats://me:s3cr,et@h"}).err)
    equal(world.run("top", "--once", env={"NATS_URL": ","}).code, 1)


@once
def a_seed_in_the_place_of_its_file_is_never_shown(world):
    seed = "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY"
    jwt = "eyJ0eXAiOiJKV1QiLCJhbGciOiJlZDI1NTE5LW5rZXkifQ.eyJqdGkiOiJYIn0.c2VjcmV0"
    world.file("config/nats/context/it.json", '{"nkey": "' + seed + '"}')
    for arguments, env, code, said in (
            (["pub", "a", "x", "--nkey", seed], {}, 2, "--nkey: this is a secret itself; name a file"),
            (["pub", "a", "x", "--nkey=" + seed[:-1]], {}, 2, "--nkey: this is a secret itself"),
            (["pub", "a", "x", "--creds", jwt], {}, 2, "--creds: this is a secret itself"),
            (["context", "add", "one", "--nkey", seed], {}, 2, "--nkey: this is a secret itself"),
            (["pub", "a", "x"], {"NATS_NKEY": seed}, 1, "NATS_NKEY or the context's nkey"),
            (["pub", "a", "x", "--context", "it"], {}, 1, "NATS_NKEY or the context's nkey"),
            (["context", "show", "it"], {}, 0, ""), (["context", "show", "it", "--json"], {}, 0, ""),
            (["pub", "a", "x", "--nkey", "file://" + seed], {}, 2, "--nkey: this is a secret itself"),
            (["pub", "a", "x"], {"NATS_CREDS": "env://" + seed}, 1, "NATS_CREDS or the context's creds"),
            (["completion", seed], {}, 2, "<shell>: this is not one of bash, zsh or fish"),
            (["pub", "a", "x", "-c" + seed], {}, 2, "unknown option '-c'"),
            (["pub", "a", "x", "--nkey" + seed], {}, 2, "unknown option '--nkey'"),
            (["pub", "a", "x", "-H", seed], {}, 2, "-H: this is not a header"),
            (["pub", "a", "x", "--count", seed], {}, 2, "--count: this is not")):
        done = world.run(*arguments, env=env)
        equal(done.code, code, arguments)
        assert said in done.err, (said, done.err)
        assert seed[:-1] not in done.out + done.err and jwt not in done.out + done.err, (done.out, done.err)
    sub = world.start("sub", "a", seed)
    sub.wait_for("Subscribed")
    with open(f"/proc/{sub.process.pid}/cmdline", "rb") as file:
        assert seed.encode() not in file.read()


@test
def the_connection_is_named_and_its_inboxes_begin_as_asked(world):
    world.subscribe("a", "--connection-name", "my tool", "--inbox-prefix", "_MINE")
    matches('"name": "my tool"', world.server.monitoring("/connz").decode())
    reply = world.start("reply", "svc", "x", "--json", "--count", "1")
    world.subscribe("nothing")
    while not re.search('"svc"', world.server.monitoring("/subsz?subs=1").decode()):
        pass
    succeeded(world.run("request", "svc", "", "--inbox-prefix", "_MINE"))
    matches('"reply":"_MINE\\.', reply.finish().out)


@once
def the_program_is_a_server_by_its_first_word_and_by_its_name(world):
    matches("^nats-server: v2", succeeded(world.run("server", "--version")).out)
    for name in ("pipit-server", "nats-server"):
        link = world.file(name)
        os.symlink(world.pipit, link)
        matches("^nats-server: v2", succeeded(world.run("-v", program=link)).out)
    with server_process(world.file("nats-server")) as server:
        succeeded(world.run("pub", "a", "x", env={"NATS_URL": f"nats://127.0.0.1:{server.port}"}))


@once
def the_server_alone_does_the_work_where_it_stands_beside(world):
    alone = world.file("pipit")
    shutil.copy(world.pipit, alone)
    for program, runs in ((world.pipit, "pipit-server"), (alone, "pipit")):
        server = world.start("server", "-a", "127.0.0.1", "-p", "-1", "--user", "u", "--pass", "s3cret",
                             program=program)
        port = server.wait_for(r"Listening for client connections on 127\.0\.0\.1:(\d+)")[1]
        equal(os.path.basename(os.readlink(f"/proc/{server.process.pid}/exe")), runs)
        with open(f"/proc/{server.process.pid}/cmdline", "rb") as file:
            equal(b"s3cret" in file.read(), False)
        succeeded(world.run("pub", "a", "x", env={"NATS_URL": f"nats://u:s3cret@127.0.0.1:{port}"}))
        server.signal(signal.SIGTERM)
        equal(server.finish().code, 0)
