# SPDX-License-Identifier: Apache-2.0
"""Flags, what the program prints, exit codes."""
import os
import re
import resource
import signal
import subprocess
import tempfile
from pathlib import Path

from suite import behaviour, equal, is_logged, matches, pipits_own, wait_until

FLAGS = """-a --addr --net -p --port -n --name --server_name -P --pid -m --http_port -ms --https_port
-c --config -t -sl --signal --client_advertise --ports_file_dir -l --log -T --logtime --logtime_utc
-s --syslog -r --remote_syslog -D --debug -V --trace -VV -DV -DVV --log_size_limit
--max_traced_msg_len -js --jetstream -sd --store_dir --user --pass --auth --tls --tlscert --tlskey
--tlsverify --tlscacert --routes --cluster --cluster_name --no_advertise --cluster_advertise
--connect_retries --cluster_listen --profile -h --help -v --version --help_tls""".split()

MAN_PAGE = Path(__file__).resolve().parents[2] / "docs" / "man" / "pipit-server.1"


@behaviour
def the_version_goes_to_stdout_in_the_form_that_tools_parse(side):
    for argument in ("-v", "--v", "-version", "--version", "version"):
        result = side.run(argument)
        equal(result.code, 0, argument)
        found = matches(r"^nats-server: v(\d+)\.(\d+)\.(\d+)", result.out)
        assert (int(found[1]), int(found[2])) >= (2, 14), result.out
        equal(result.err, "", "stderr")


@pipits_own
def the_version_names_pipits_own_too(side):
    matches(r"(?i)pipit.*\d+\.\d+\.\d+", side.run("--version").out)


@behaviour
def help_goes_to_stdout_and_lists_every_flag(side):
    for argument in ("-h", "--help", "help"):
        result = side.run(argument)
        equal(result.code, 0, argument)
        matches(r"(?i)^usage: ", result.out)
        missing = [flag for flag in FLAGS
                   if not re.search(rf"(?<![\w-]){re.escape(flag)}(?![\w-])", result.out)]
        equal(missing, [], "flags that the help does not name")


@pipits_own
def the_man_page_describes_the_flags_that_the_help_lists_and_no_others(side):
    listed = set(re.findall(r"(?<![\w-])--?[A-Za-z]\w*", side.run("--help").out))
    page = MAN_PAGE.read_text(encoding="utf-8")
    described = {"-" + flag for flag in re.findall(r"\bFl (-?[A-Za-z]\w*)", page)}
    equal(sorted(described), sorted(listed))


@behaviour
def help_for_tls_is_a_page_of_its_own(side):
    result = side.run("--help_tls")
    equal(result.code, 0)
    matches("(?i)tls", result.out + result.err)


@behaviour
def an_unknown_flag_is_named_with_the_usage(side):
    result = side.run("-foo")
    matches("flag provided but not defined: -foo", result.err)
    matches("(?i)usage", result.err + result.out)


@behaviour
def a_flag_without_its_value_is_named(side):
    matches("flag needs an argument: -p", side.run("-p").err)


@behaviour
def a_flag_with_a_wrong_value_is_named(side):
    matches(r"invalid value .?\"?abc\"? for flag -p", side.run("-p", "abc").err)


@behaviour
def a_port_that_does_not_exist_is_an_error(side):
    for arguments in (("-p", "70000"), ("-p", "-2"), ("-p", "-1", "-m", "65536")):
        result = side.run("-a", "127.0.0.1", *arguments)
        equal(result.code, 1, str(arguments))
        matches("invalid port", result.err)


@behaviour
def an_unknown_word_is_an_error(side):
    result = side.run("extra")
    equal(result.code, 1)
    matches('unrecognized command: "extra"', result.err)


@behaviour
def checking_needs_a_configuration(side):
    result = side.run("-t")
    equal(result.code, 1)
    matches(r"must specify \[-c, --config\] option to check configuration file syntax", result.err)


@behaviour
def checking_a_good_configuration_prints_its_digest(side):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "c.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write("max_payload: 1MB\n")
        result = side.run("-t", "-c", path)
        equal(result.code, 0)
        matches(rf"configuration file {re.escape(path)} is valid \(sha256:[0-9a-f]{{64}}\)",
                result.err)


@behaviour
def a_configuration_that_is_not_there_is_an_error(side):
    result = side.run("-c", "/proc/nonexistent/c.conf")
    equal(result.code, 1)
    matches("open /proc/nonexistent/c.conf: no such file or directory", result.err)


@behaviour
def routes_need_a_cluster(side):
    result = side.run("--routes", "nats://127.0.0.1:1", "-a", "127.0.0.1", "-p", "-1")
    equal(result.code, 1)
    matches("solicited routes require cluster capabilities, e.g. --cluster", result.err)


@behaviour
def the_name_of_a_cluster_is_one_word(side):
    result = side.run("-a", "127.0.0.1", "-p", "-1", "--cluster_name", "x y")
    equal(result.code, 1)
    matches("nats-server: cluster name cannot contain spaces", result.err)


@behaviour
def tls_without_a_certificate_is_an_error(side):
    result = side.run("--tls", "-a", "127.0.0.1", "-p", "-1")
    equal(result.code, 1)
    matches("(?i)tls", result.err)


@behaviour
def flags_come_with_one_dash_or_two_and_with_or_without_equals(side):
    for arguments in (["-p", "-1"], ["--port", "-1"], ["-p=-1"], ["--port=-1"], ["-port", "-1"]):
        server = side.start("max_payload: 1000\n", *arguments, "-a=127.0.0.1", bare=True)
        equal(side.connect(server.port).info["max_payload"], 1000)


@behaviour
def flags_win_over_the_file(side):
    server = side.start('server_name: from_file\nhttp: "127.0.0.1:1"\ndebug: false\n',
                        "--name", "from_flag", "-m", "-1", "-D", "--client_advertise", "h:123")
    info = side.connect(server.port).info
    equal(info["server_name"], "from_flag")
    equal((info["host"], info["port"]), ("h", 123))
    assert "monitoring" in server.ports and not server.ports["monitoring"][0].endswith(":1")
    is_logged(server, r"\[DBG\]")


@behaviour
def a_boolean_flag_can_be_switched_off(side):
    server = side.start("debug: true\n", "-D=false")
    side.connect(server.port)
    assert "[DBG]" not in server.log(), server.log()


@behaviour
def user_and_password_from_flags(side):
    server = side.start("", "--user", "u", "--pass", "p")
    assert side.connect(server.port, user="u", **{"pass": "p"}).info["auth_required"]
    equal(side.connect(server.port).errors, ["-ERR 'Authorization Violation'"])


@behaviour
def a_token_from_flags(side):
    server = side.start("", "--auth", "t")
    equal(side.connect(server.port, auth_token="t").errors, [])
    equal(side.connect(server.port, auth_token="x").errors, ["-ERR 'Authorization Violation'"])


@behaviour
def flags_of_what_comes_later_start_the_server(side):
    with tempfile.TemporaryDirectory() as folder:
        for arguments in (["-js", "-sd", folder], ["--cluster", "nats://127.0.0.1:-1",
                                                   "--cluster_name", "C"],
                          ["--cluster_listen", "nats://127.0.0.1:-1"],
                          ["--max_traced_msg_len", "10"], ["--log_size_limit", "1000"],
                          ["--connect_retries", "2"], ["-T"], ["--logtime_utc"]):
            server = side.start("", *arguments)
            equal(side.connect(server.port).errors, [], str(arguments))


@behaviour
def the_pid_file_has_no_newline_and_stays(side):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "pid")
        server = side.start("", "-P", path)
        with open(path, "rb") as file:
            equal(file.read(), str(server.process.pid).encode())
        server.process.send_signal(signal.SIGTERM)
        server.process.wait(10)
        assert os.path.exists(path)


@behaviour
def a_pid_file_that_cannot_be_written_is_fatal(side):
    result = side.run("-a", "127.0.0.1", "-p", "-1", "-P", "/proc/nonexistent/pid")
    equal(result.code, 1)
    matches(r"\[FTL\] Could not write pidfile: open /proc/nonexistent/pid: no such file", result.err)


@behaviour
def a_store_that_is_no_folder_is_fatal(side):
    with tempfile.NamedTemporaryFile() as file:
        result = side.run("-a", "127.0.0.1", "-p", "-1", "-js", "-sd", file.name)
    equal(result.code, 1)
    matches(r"\[FTL\] Can't start JetStream: storage directory is not a directory", result.err)


@behaviour
def the_ports_file_appears_and_goes(side):
    server = side.start('http: "127.0.0.1:-1"\n')
    name = [each for each in os.listdir(server.path) if each.endswith(".ports")][0]
    matches(rf"^[\w.-]+_{server.process.pid}\.ports$", name)
    equal(set(server.ports), {"nats", "monitoring"})
    matches(r"^nats://127\.0\.0\.1:\d+$", server.ports["nats"][0])
    matches(r"^http://127\.0\.0\.1:\d+$", server.ports["monitoring"][0])
    server.process.send_signal(signal.SIGTERM)
    server.process.wait(10)
    assert not os.path.exists(os.path.join(server.path, name))


@behaviour
def stdout_may_be_closed(side):
    with tempfile.TemporaryDirectory() as folder:
        with subprocess.Popen(["sh", "-c", 'exec "$0" "$@" >&- 2>&-', side.program, "-a",
                               "127.0.0.1", "-p", "-1", "--ports_file_dir", folder]) as process:
            wait_until(lambda: any(name.endswith(".ports") for name in os.listdir(folder)),
                       what="a ports file")
            process.terminate()
            equal(process.wait(10), 0)


@behaviour
def a_taken_port_ends_the_start(side):
    server = side.start()
    result = side.run("-a", "127.0.0.1", "-p", str(server.port))
    equal(result.code, 1)
    matches(rf'\[FTL\] Error listening on port: 127\.0\.0\.1:{server.port}, "listen tcp '
            rf'127\.0\.0\.1:{server.port}: bind: address already in use"', result.err)


@pipits_own
def one_that_cannot_start_leaves_the_pid_file_of_the_one_that_runs(side):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "pid")
        server = side.start("", "-P", path)
        equal(side.run("-a", "127.0.0.1", "-p", str(server.port), "-P", path).code, 1)
        with open(path, "rb") as file:
            equal(file.read(), str(server.process.pid).encode())


@behaviour
def a_taken_monitoring_port_ends_the_start(side):
    server = side.start('http: "127.0.0.1:-1"\n')
    taken = server.ports["monitoring"][0].rsplit(":", 1)[1]
    result = side.run("-a", "127.0.0.1", "-p", "-1", "-m", taken)
    equal(result.code, 1)
    matches(r"\[FTL\].*address already in use", result.err)


def _is_sanitized(side):
    """A sanitizer wants more than any limit, and has its own opinion of exceptions in constructors."""
    return b"__asan_init" in Path(side.program).read_bytes()


@pipits_own
def without_memory_it_ends_with_a_sentence(side):
    """Not with a core dump."""
    if _is_sanitized(side):
        return
    server = side.start()
    client = side.connect(server.port)
    limit = 96 * 1024 * 1024
    resource.prlimit(server.process.pid, resource.RLIMIT_AS, (limit, limit))
    line = "SUB a.subject.that.takes.memory.{0} {0}\r\n"
    try:
        client.send("".join(line.format(number) for number in range(1_000_000)))
    except OSError:
        pass  # It has ended.
    server.process.wait(20)
    equal(server.process.returncode, 1)
    is_logged(server, "^pipit-server: cannot go on: there is not enough memory$")


@pipits_own
def with_too_few_descriptors_it_does_not_start_and_says_so(side):
    if _is_sanitized(side):
        return
    for few in (6, 8):
        script = f'ulimit -c 0; ulimit -n {few}; exec "$0" -a 127.0.0.1 -p -1 -m -1'
        done = subprocess.run(["sh", "-c", script, side.program], capture_output=True, text=True, timeout=20,
                              check=False, stdin=subprocess.DEVNULL)
        equal(done.returncode, 1, few)
        matches("(?i)too many open files", done.stdout + done.stderr)
