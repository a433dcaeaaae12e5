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


@once
def every_option_is_offered_by_bash(world):
    for command in ("sub", "request", "reply", "top", "latency"):
        offered = bash(world, "pipit", command, "--")
        options = succeeded(world.run(command, "--help")).out.split("Options:\n")[1].split("Examples:")[0]
        names = re.findall(r"^ +(?:-\w, )?(--[\w-]+)", options, re.M)
        assert len(names) > 15, names
        equal([name for name in names if name not in offered], [], command)


@once
def zsh_completes_commands_options_and_values(world):
    zsh = needs("zsh")
    script = succeeded(world.run("completion", "zsh")).out
    path = world.file("_pipit", script)
    equal(world.run("-n", path, program=zsh).err, "")
    # compadd only works inside the line editor: here it prints what it is given.
    for words, expected in (("pipit pu", "pub"), ("pipit context se", "select"), ("pipit pub --he", "--header"),
                            ("pipit pub --send-on n", "newline"), ("pipit completion f", "fish")):
        parts = words.split()
        done = world.run("-fc", "compdef() { }; compadd() { shift; print -l -- \"$@\" }; "
                         f"source {path}; words=({words}); CURRENT={len(parts)}; _pipit", program=zsh)
        offered = done.out.split()
        assert expected in offered, (words, done.out, done.err)


@once
def fish_completes_commands_options_and_values(world):
    fish = needs("fish")
    path = world.file("pipit.fish", succeeded(world.run("completion", "fish")).out)
    succeeded(world.run("context", "add", "prod"))
    for line, expected in (("pipit pu", "pub"), ("pipit context se", "select"), ("pipit pub --he", "--header"),
                           ("pipit pub --send-on n", "newline"), ("pipit completion f", "fish"),
                           ("pipit context select p", "prod"), ("pipit sub --context p", "prod")):
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
