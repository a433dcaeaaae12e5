# SPDX-License-Identifier: Apache-2.0
"""Signals and --signal."""
import json
import os
import signal
import subprocess
import tempfile
import time

from suite import behaviour, equal, matches, pipits_own, wait_until


def _exits(server, seconds=5):
    server.process.wait(seconds)
    return server.process.returncode


@behaviour
def sigterm_and_sigint_end_the_server_with_0(side):
    for number, name in ((signal.SIGTERM, "terminated"), (signal.SIGINT, "interrupt")):
        server = side.start()
        client = side.connect(server.port)
        server.signal(number)
        equal(_exits(server), 0, name)
        assert client.wait_for_end()
        equal(client.errors, [])
        log = server.log()
        matches(rf'Trapped "{name}" signal', log, "log")
        matches(r"Initiating Shutdown\.\.\.", log, "log")
        matches(r"Server Exiting\.\.", log, "log")


@pipits_own  # The reference ends by the signal.
def what_is_asked_for_during_the_start_waits_for_its_end(side):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "conf")
        os.mkfifo(path)
        with subprocess.Popen([side.program, "-c", path], stderr=subprocess.PIPE, text=True) as process:
            with open(path, "w", encoding="utf-8") as file:  # When it reads.
                process.send_signal(signal.SIGUSR1)
                file.write('listen: "127.0.0.1:-1"\n')
            for line in process.stderr:
                if 'Trapped "user defined signal 1" signal' in line:
                    break
            process.terminate()
            process.communicate()
            equal(process.returncode, 0)


@pipits_own  # The reference is stuck with it.
def nobody_has_to_read_the_log(side):
    reading, writing = os.pipe()
    with tempfile.TemporaryDirectory() as folder:
        with subprocess.Popen([side.program, "-a", "127.0.0.1", "-p", "-1", "-V", "--ports_file_dir", folder],
                              stderr=writing) as process:
            os.close(writing)
            wait_until(lambda: any(name.endswith(".ports") for name in os.listdir(folder)),
                       what="a ports file")
            name = next(name for name in os.listdir(folder) if name.endswith(".ports"))
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                client = side.connect(int(json.load(file)["nats"][0].rsplit(":", 1)[1]))
            for _ in range(300):
                client.send("PUB a 1000\r\n" + "x" * 1000 + "\r\n")
            client.barrier()
            process.terminate()
            equal(process.wait(10), 0)
    os.close(reading)


@pipits_own  # The reference waits out its write deadline, 10 s.
def a_server_ends_in_time_while_a_connection_does_not_read(side):
    server = side.start()
    sleeper = side.connect(server.port)
    sleeper.send("SUB a 1\r\n")
    sleeper.barrier()
    speaker = side.connect(server.port)
    for _ in range(20):
        speaker.send(b"PUB a 500000\r\n" + b"x" * 500000 + b"\r\n")
    speaker.barrier()
    begin = time.monotonic()
    server.signal(signal.SIGTERM)
    equal(_exits(server, 10), 0)
    assert time.monotonic() - begin < 5


@behaviour
def signals_are_sent_by_pid_and_by_pid_file(side):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "pid")
        for command, line in (("reload", "Reloaded server configuration"),
                              ("reopen", 'Trapped "user defined signal 1" signal')):
            for target in ("pid", "file"):
                server = side.start("debug: false\n", "-P", path)
                value = str(server.process.pid) if target == "pid" else path
                result = side.run("--signal", f"{command}={value}")
                equal(result.code, 0, result.err)
                assert server.wait_for_log(line), server.log()
        for command in ("stop", "quit", "term", "ldm"):
            server = side.start("", "-P", path)
            equal(side.run(f"-sl={command}={path}").code, 0)
            code = _exits(server, 10)
            equal(code, -signal.SIGKILL if command == "stop" else 0, command)


@behaviour
def wrong_signals_are_errors(side):
    for argument in ("foo=1", "reload=abc", "reload=/nonexistent", "reload=99999999"):
        result = side.run("--signal", argument)
        equal(result.code, 1, argument)
        assert result.err.strip(), argument


@behaviour
def sigusr1_opens_the_log_again(side):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "log")
        server = side.start("", "-l", path)
        wait_until(lambda: "Server is ready" in open(path, encoding="utf-8").read())
        os.rename(path, path + ".old")
        server.signal(signal.SIGUSR1)
        wait_until(lambda: os.path.exists(path) and
                   "File log re-opened" in open(path, encoding="utf-8").read(),
                   what="a new log file")
        server.signal(signal.SIGTERM)
        _exits(server)
        matches(r"Server Exiting\.\.", open(path, encoding="utf-8").read(), "new log")


@behaviour
def a_killed_server_leaves_nothing_that_keeps_the_next_from_starting(side):
    server = side.start()
    port = server.port
    client = side.connect(port)
    server.kill()
    assert client.wait_for_end()
    again = side.start(f'listen: "127.0.0.1:{port}"\n', bare=True)
    equal(side.connect(again.port).errors, [])


@pipits_own  # The reference signals every process that it may.
def a_signal_goes_to_one_process_and_not_to_a_group(side):
    for pid in ("0", "-1", "-7"):
        # No signal's name: none is sent, whatever becomes of the number.
        result = side.run("--signal", f"nothing={pid}")
        equal(result.code, 1)
        matches(f"invalid pid: {pid}$", result.err)
