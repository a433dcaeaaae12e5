# SPDX-License-Identifier: Apache-2.0
"""Completion in bash, zsh and fish, and manual pages."""
import os
import re
import shutil
import subprocess

from suite import equal, matches, once, skipped, succeeded


def needs(program):
    path = shutil.which(program)
    if not path:
        raise skipped(f"there is no {program}")
    return path


def bash(world, *words):
    """What bash offers for the last word."""
    script = succeeded(world.run("completion", "bash")).out
    quoted = " ".join(f"'{word}'" for word in words)
    done = world.run("-c", f"{script}\nCOMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; _pipit\n"
                     'printf "%s\\n" "${COMPREPLY[@]}"', program=needs("bash"))
    equal(done.err, "")
    return sorted(word for word in done.out.split("\n") if word)


@once
def bash_completes_commands_options_and_values(world):
    equal(bash(world, "pipit", "pu"), ["pub"])
    equal(bash(world, "pipit", "context", "s"), ["select", "show"])
    equal(bash(world, "pipit", "pub", "--he"), ["--header", "--help"])
    equal(bash(world, "pipit", "-s", "pub", "sub", "--qu"), ["--queue"])
    equal(bash(world, "pipit", "server", "check", "--format", ""),
          ["json", "nagios", "prometheus", "text"])
    equal(bash(world, "pipit", "pub", "x", "--send-on", "n"), ["newline"])
    equal(bash(world, "pipit", "pub", "x", "--send-on", "=", "n"), ["newline"])
    equal(bash(world, "pipit", "completion", ""), ["bash", "fish", "zsh"])
    equal(bash(world, "pipit", "pub", "--count", ""), [])
    world.file("a.creds", "x")
    equal(bash(world, "pipit", "pub", "--creds", "a."), ["a.creds"])
    succeeded(world.run("context", "add", "prod"))
    equal(bash(world, "pipit", "context", "select", "p"), ["prod"])
    equal(bash(world, "pipit", "--context", "p"), ["prod"])
    equal(bash(world, "pipit", "server", "check", "connection", "--format", "n"), ["nagios"])
    assert "--outfile" in bash(world, "pipit", "server", "check", "connection", "--")
    equal(bash(world, "pipit", "help", "con"), ["context"])


@once
def names_of_contexts_are_words_and_not_run(world):
    for name in ("a b", "$(touch ran)", "a`touch ran`"):
        world.file(os.path.join("config", "nats", "context", name + ".json"), "{}")
    for words in (["context", "select", ""], ["--context", ""]):
        equal(bash(world, "pipit", *words), ["\\$\\(touch\\ ran\\)", "a\\ b", "a\\`touch\\ ran\\`"])
    equal(bash(world, "pipit", "context", "select", "a\\ "), ["a\\ b"])
    offered = zsh(world, "pipit", "context", "select", "''").out.splitlines()
    equal(sorted(offered), ["$(touch ran)", "a b", "a`touch ran`"])
    equal([name for name in os.listdir(world.file(".")) if name == "ran"], [])


@once
def every_option_is_offered_by_bash(world):
    for command in ("sub", "request", "reply", "top", "latency"):
        offered = bash(world, "pipit", command, "--")
        options = succeeded(world.run(command, "--help")).out.split("Options:\n")[1].split("Examples:")[0]
        names = re.findall(r"^ +(?:-\w, )?(--[\w-]+)", options, re.M)
        assert len(names) > 15, names
        equal([name for name in names if name not in offered], [], command)


@once
def behind_server_its_own_options_are_offered(world):
    world.file("a.conf", "x")
    options = set(re.findall(r"^ +(?:-\w+, )*(--?[\w]+)", succeeded(world.run("server", "--help")).out.split(
        "Not supported yet")[0], re.M))
    assert len(options) > 25, options
    offered = bash(world, "pipit", "server", "-")
    equal(options - set(offered), set())
    assert "--creds" not in offered and "--context" not in offered, offered
    equal(bash(world, "pipit", "server", "-D", "--ht"), ["--http_port", "--https_port"])
    for words in (["-c"], ["-config"], ["--config", "="], ["-s", "--tlscert"]):
        equal(bash(world, "pipit", "server", *words, "a."), ["a.conf"])
    equal(bash(world, "pipit", "server", "-p", ""), [])
    equal(bash(world, "pipit", "server", ""), ["check", "info", "ping"])
    # Its parser takes no command behind an option, and is not asked where the client's come first.
    equal(bash(world, "pipit", "server", "-D", ""), [])
    equal(bash(world, "pipit", "--context", "prod", "server", ""), ["check", "info", "ping"])
    offered = bash(world, "pipit", "--context", "prod", "server", "--")
    assert "--creds" in offered and "--http_port" not in offered, offered
    offered = zsh(world, "pipit", "server", "--ht").out.split()
    assert "--http_port" in offered and "-DV" in offered and "--creds" not in offered, offered
    equal(zsh(world, "pipit", "server", "-D", "''").out, "")
    offered = zsh(world, "pipit", "--context", "prod", "server", "--").out.split()
    assert "--creds" in offered and "--http_port" not in offered, offered
    fish = needs("fish")
    path = world.file("pipit.fish", succeeded(world.run("completion", "fish")).out)
    for line, expected, absent in (("pipit server --ht", "--http_port", "--html"), ("pipit server -D", "-DV", "-x"),
                                   ("pipit server -", "--config", "--creds"), ("pipit server -c a.", "a.conf", "info"),
                                   ("pipit server -D ", "", "check"), ("pipit --json server ", "check", "a.conf"),
                                   ("pipit --context prod server -", "--creds", "--config"),
                                   ("FOO=1 pipit server -", "--config", "--creds"),
                                   ("pipit server check -", "--creds", "--config")):
        done = world.run("-c", f"source {path}; complete -C '{line}'", program=fish)
        offered = [each.split("\t")[0] for each in done.out.splitlines()]
        assert (not expected or expected in offered) and absent not in offered, (line, offered, done.err)


def zsh(world, *words):
    """What zsh offers: compadd only works inside the line editor, here it prints what it is given."""
    path = world.file("_pipit", succeeded(world.run("completion", "zsh")).out)
    return world.run("-fc", "compdef() { }; compadd() { shift; print -l -- \"$@\" }; "
                     f"source {path}; words=({' '.join(words)}); CURRENT={len(words)}; _pipit", program=needs("zsh"))


@once
def zsh_completes_commands_options_and_values(world):
    path = world.file("_pipit", succeeded(world.run("completion", "zsh")).out)
    equal(world.run("-n", path, program=needs("zsh")).err, "")
    for words, expected in (("pipit pu", "pub"), ("pipit context se", "select"), ("pipit pub --he", "--header"),
                            ("pipit pub --send-on n", "newline"), ("pipit completion f", "fish"),
                            ("pipit server check connection --format n", "nagios"), ("pipit help c", "context")):
        done = zsh(world, *words.split())
        assert expected in done.out.split(), (words, done.out, done.err)


@once
def zsh_needs_nothing_else_in_its_startup_file(world):
    path = world.file("_pipit", succeeded(world.run("completion", "zsh")).out)
    done = world.run("-fc", f"source {path}; print -- $_comps[pipit]", program=needs("zsh"))
    equal([done.out, done.err], ["_pipit\n", ""])


@once
def fish_completes_commands_options_and_values(world):
    fish = needs("fish")
    path = world.file("pipit.fish", succeeded(world.run("completion", "fish")).out)
    succeeded(world.run("context", "add", "prod"))
    for line, expected in (("pipit pu", "pub"), ("pipit context se", "select"), ("pipit pub --he", "--header"),
                           ("pipit pub --send-on n", "newline"), ("pipit completion f", "fish"),
                           ("pipit context select p", "prod"), ("pipit sub --context p", "prod"),
                           ("pipit server check connection --format n", "nagios"), ("pipit help c", "context")):
        done = world.run("-c", f"source {path}; complete -C '{line}'", program=fish)
        offered = [each.split("\t")[0] for each in done.out.splitlines()]
        assert expected in offered, (line, done.out, done.err)


@once
def every_command_has_a_manual_page(world):
    folder = world.file("man")
    succeeded(world.run("help", "--man-folder", folder))
    pages = sorted(os.listdir(folder))
    for name in ("pipit.1", "pipit-pub.1", "pipit-server-check.1", "pipit-context-add.1", "pipit-bench-pub.1"):
        assert name in pages, pages
    assert "pipit-server.1" not in pages  # Written by hand, for the server alone.
    matches(r"^\.TH PIPIT\\?-PUB 1", open(os.path.join(folder, "pipit-pub.1"), encoding="utf-8").read())
    man = needs("man")
    for name in pages:
        done = subprocess.run([man, "--warnings", "-l", os.path.join(folder, name)], capture_output=True,
                              text=True, check=False, env={**world.environment(), "MANPAGER": "cat",
                                                           "MANWIDTH": "100"})
        equal([done.returncode, done.stderr], [0, ""], name)
        matches("SYNOPSIS", done.stdout)
