# SPDX-License-Identifier: Apache-2.0
"""The log: lines that tools wait for, their order, formats, trace."""
import os
import re
import resource
import tempfile
import time

from suite import behaviour, equal, is_logged, matches, pipits_own, wait_until

LINE = r"^\[\d+\] \d{4}/\d\d/\d\d \d\d:\d\d:\d\d\.\d{6} \[(INF|WRN|DBG|TRC|ERR|FTL)\] .*"
BARE = r"^\[\d+\] \[(INF|WRN|DBG|TRC|ERR|FTL)\] .*"


def _plain(log):
    return [re.sub(r"^\[\d+\] (\S+ \S+ )?", "", line) for line in log.splitlines()]


@behaviour
def the_start_is_told_in_order(side):
    server = side.start('http: "127.0.0.1:-1"\nserver_name: N\n')
    server.wait_for_log("Server is ready")
    log = server.log()
    at = -1
    for pattern in (r"Starting nats-server|Starting pipit", r"Version: +2\.\d+\.\d+",
                    r"Name: +N\b", r"ID: +N[A-Z2-7]{55}",
                    r"Using configuration file: .*server\.conf \(sha256:[0-9a-f]{64}\)",
                    r"Starting http monitor on 127\.0\.0\.1:\d+",
                    rf"\[INF\] Listening for client connections on 127\.0\.0\.1:{server.port}$",
                    r"\[INF\] Server is ready$"):
        found = matches(pattern, log, "log")
        assert found.start() > at, f"{pattern} comes too early"
        at = found.start()


@behaviour
def every_line_has_pid_time_and_level(side):
    server = side.start()
    server.wait_for_log("Server is ready")
    for line in server.log().splitlines():
        matches(LINE, line, "line")
        assert line.startswith(f"[{server.process.pid}] "), line


@behaviour
def the_time_can_be_left_out(side):
    for configuration, arguments in (("", ["-T=false"]), ("logtime: false\n", [])):
        server = side.start(configuration or "debug: false\n", *arguments)
        server.wait_for_log("Server is ready")
        for line in server.log().splitlines():
            matches(BARE, line, "line")


@behaviour
def the_time_can_be_utc(side):
    server = side.start("logtime_utc: true\n", environment={"TZ": "Asia/Kolkata"})
    line = server.wait_for_log(r"\] (\d{4}/\d\d/\d\d \d\d:\d\d):\d\d\.\d+ \[INF\] Server is ready")
    stamps = {time.strftime("%Y/%m/%d %H:%M", time.gmtime(time.time() - back)) for back in (0, 20)}
    assert line and line[1] in stamps, server.log()


@behaviour
def a_log_file_takes_everything(side):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "log")
        server = side.start("", "-l", path)
        wait_until(lambda: "Server is ready" in open(path, encoding="utf-8").read())
        equal(server.log(), "", "stderr")


@behaviour
def a_log_file_that_may_not_grow_ends_nothing(side):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "log")
        server = side.start("trace: true", "-l", path)
        client = side.connect(server.port)
        limit = os.path.getsize(path) + 1000
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (limit, limit))
        client.send("PUB a 0\r\n\r\n" * 1000)
        client.barrier()
        equal(client.errors, [])
        equal(os.path.getsize(path), limit)


@behaviour
def a_log_file_that_cannot_be_opened_is_fatal(side):
    result = side.run("-a", "127.0.0.1", "-p", "-1", "-l", "/proc/nonexistent/log")
    equal(result.code, 1)
    matches("open /proc/nonexistent/log: no such file or directory", result.err)


@behaviour
def a_syslog_that_is_not_there_is_fatal(side):
    result = side.run("-a", "127.0.0.1", "-p", "-1", "-r", "tcp://127.0.0.1:1")
    equal(result.code, 1)
    matches("error connecting to syslog: .*127.0.0.1:1.*connection refused", result.err)


@behaviour
def the_log_file_rotates_at_its_limit(side):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "log")
        server = side.start(f'log_file: "{path}"\nlogfile_size_limit: 2000\ntrace: true\n')
        client = side.connect(server.port)
        for _ in range(100):
            client.send("PUB some.subject 2\r\nhi\r\n")
            client.barrier()
        wait_until(lambda: len(os.listdir(folder)) > 1, what="a second log file")
        name = [each for each in os.listdir(folder) if each != "log"][0]
        matches(r"^log\.\d{4}\.\d\d\.\d\d\.\d\d\.\d\d\.\d\d\.\d+$", name)


@behaviour
def trace_shows_the_protocol_without_secrets(side):
    server = side.start("", "-DV", "--user", "u", "--pass", "topsecret")
    client = side.connect(server.port, user="u", **{"pass": "topsecret"})
    client.send("SUB foo q 7\r\nPUB foo bar 5\r\nhello\r\nUNSUB 7 9\r\nUNSUB 7\r\n")
    client.barrier()
    for pattern in (r"\[TRC\] 127\.0\.0\.1:\d+ - cid:\d+ .*<<- \[CONNECT \{.*\[REDACTED\]",
                    r"<<- \[SUB foo q 7\]", r"<<- \[PUB foo bar 5\]",
                    r'<<- MSG_PAYLOAD: \["hello"\]', r"->> \[MSG foo 7 bar 5\]",
                    r'->> MSG_PAYLOAD: \["hello"\]',
                    r"<<- \[UNSUB 7 9\]", r"<<- \[UNSUB 7 ?\]", r"<<- \[PING\]", r"->> \[PONG\]"):
        assert server.wait_for_log(pattern, 5), f"{pattern}\n{server.log()[-2500:]}"
    client.send("SUB foo..bar 8\r\n")
    assert server.wait_for_log(r"->> \[-ERR Invalid Subject\]", 5), server.log()[-2500:]
    assert "topsecret" not in server.log()


@behaviour
def trace_cuts_long_payloads(side):
    server = side.start("max_traced_msg_len: 5\ntrace: true\n")
    client = side.connect(server.port)
    client.send("PUB foo 10\r\n0123456789\r\n")
    client.barrier()
    assert server.wait_for_log(r'MSG_PAYLOAD: \["01234\.\.\."\]', 5), server.log()


@behaviour
def debug_tells_of_connections_with_who_they_are(side):
    server = side.start("debug: true\n")
    client = side.connect(server.port, name="app", lang="go", version="1.2.3")
    assert server.wait_for_log(r"\[DBG\] 127\.0\.0\.1:\d+ - cid:\d+ - Client connection created")
    client.stream.close()
    assert server.wait_for_log(
        r'\[DBG\] 127\.0\.0\.1:\d+ - cid:\d+ - "v1\.2\.3:go:app"( - ".*")? - '
        r"Client connection closed: Client Closed"), server.log()


@behaviour
def errors_of_clients_are_logged(side):
    server = side.start("authorization { user: u, password: p }\n")
    client = side.connect(server.port, user="u", **{"pass": "wrong"})
    assert client.wait_for_end()
    assert server.wait_for_log(r"\[ERR\] 127\.0\.0\.1:\d+ - cid:\d+ - .*authentication error")
    other = side.connect(server.port, user="u", **{"pass": "p"})
    other.send("NONSENSE\r\n")
    assert other.wait_for_end()
    assert server.wait_for_log(r"\[ERR\] 127\.0\.0\.1:\d+ - cid:\d+ - .*parser ERROR"), \
        server.log()


@behaviour
def logins_that_fail_are_logged_without_secrets(side):
    server = side.start("authorization { token: right, timeout: 1 }\ndebug: true\n")
    assert side.connect(server.port, auth_token="topsecret").wait_for_end()
    assert server.wait_for_log(r'\[ERR\] .*authentication error - Token "\[REDACTED\]"'), server.log()
    assert side.open(server.port).wait_for_end()
    assert server.wait_for_log(r"\[DBG\] 127\.0\.0\.1:\d+ - cid:\d+ - Authentication Timeout"), \
        server.log()
    assert "topsecret" not in server.log()


@behaviour
def plaintext_passwords_are_warned_of(side):
    server = side.start("authorization { user: u, password: p }\n")
    assert server.wait_for_log(r"\[WRN\] Plaintext passwords detected, use nkeys or bcrypt", 5)


@behaviour
def a_large_max_payload_is_warned_of(side):
    server = side.start("max_payload: 9MB\n")
    assert server.wait_for_log(r"\[WRN\] Maximum payloads over 8\.00 MB are generally "
                               "discouraged", 5), server.log()


@behaviour
def a_bare_number_for_a_duration_is_warned_of_on_stderr(side):
    server = side.start("ping_interval: 5\n")
    assert server.wait_for_log('invalid use of field "ping_interval": '
                               "ping_interval should be converted to a duration", 5), server.log()


@pipits_own
def a_server_without_authentication_says_what_that_means(side):
    server = side.start()
    found = server.wait_for_log(r"\[WRN\] .*may read and write everything", 5)
    assert found, server.log()
    equal(len(re.findall("may read and write everything", server.log())), 1)
    closed = side.start("authorization { token: t }\n")
    closed.wait_for_log("Server is ready")
    assert "may read and write everything" not in closed.log()


@pipits_own
def the_first_lines_name_a_command_to_try(side):
    server = side.start()
    server.wait_for_log("Server is ready")
    is_logged(server, r"(?i)\[INF\].*\btry\b")
