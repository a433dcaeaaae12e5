# SPDX-License-Identifier: Apache-2.0
"""Contexts: the `nats` tool's own files."""
import json
import os

from suite import beside_nats, equal, matches, once, succeeded


def home(world, name):
    return os.path.join("config", "nats", name)


@once
def a_context_is_made_selected_and_used(world):
    done = succeeded(world.run("context", "add", "one", "-s", world.url, "--description", "first", "--select"))
    matches("Added context 'one' in .*one.json", done.err)
    equal(world.read(home(world, "context.txt")), "one")
    equal(os.stat(world.file(home(world, "context/one.json"))).st_mode & 0o777, 0o600)
    equal(os.stat(world.file(home(world, "context"))).st_mode & 0o777, 0o700)
    succeeded(world.run("pub", "a", "x", env={"NATS_URL": ""}))
    equal(succeeded(world.run("context", "select")).out, "one\n")
    equal(world.run("pub", "a", "x", "--no-context", "-s", "nats://127.0.0.1:1").code, 1)


@once
def contexts_are_listed_for_people_and_programs(world):
    for name in ("two", "one"):
        succeeded(world.run("context", "add", name, "-s", f"nats://{name}:4222", "--token", "t0ken"))
    succeeded(world.run("context", "select", "two"))
    equal(succeeded(world.run("context", "ls")).out, "one\t\tnats://one:4222\t\ntwo\t*\tnats://two:4222\t\n")
    equal(succeeded(world.run("ctx", "ls", "--names")).out, "one\ntwo\n")
    listed = succeeded(world.run("context", "ls", "--json")).out
    equal([each["name"] for each in json.loads(listed)], ["one", "two"])
    assert "t0ken" not in listed


@once
def a_context_is_shown_without_its_secrets(world):
    succeeded(world.run("context", "add", "one", "-s", "nats://u:p4ss@h:4222", "--user", "me", "--password",
                        "s3cret"))
    for arguments in (["context", "show", "one"], ["context", "show", "one", "--json"]):
        out = succeeded(world.run(*arguments)).out
        assert "s3cret" not in out, out
        matches("me", out)
        assert "p4ss" not in out, out
    assert "p4ss" not in succeeded(world.run("context", "ls", "--json")).out
    equal(world.run("context", "show").code, 1)


@once
def changing_a_context_keeps_what_is_not_known(world):
    path = home(world, "context/one.json")
    world.file(path, '{"zebra": {"a": [1, 2]}, "url": "nats://old:1", "user": "me"}')
    succeeded(world.run("context", "add", "one", "-s", "nats://new:1"))
    equal(json.loads(world.read(path)), {"zebra": {"a": [1, 2]}, "url": "nats://new:1", "user": "me"})


@once
def one_goes_back_to_the_context_before(world):
    for name in ("one", "two"):
        succeeded(world.run("context", "add", name))
        succeeded(world.run("context", "select", name))
    succeeded(world.run("context", "previous"))
    equal(world.run("context", "select").out, "one\n")
    succeeded(world.run("context", "previous"))
    equal(world.run("context", "select").out, "two\n")
    succeeded(world.run("context", "unselect"))
    equal(world.run("context", "select").code, 1)


@once
def a_context_is_removed(world):
    succeeded(world.run("context", "add", "one", "--select"))
    equal(world.run("context", "rm", "one").code, 2)
    succeeded(world.run("context", "rm", "one", "--force"))
    equal(world.run("context", "ls", "--names").out, "")
    equal(world.run("context", "select").code, 1)
    equal(world.run("context", "rm", "one", "--force").code, 1)


@once
def a_context_is_edited(world):
    succeeded(world.run("context", "add", "one", "-s", "nats://old:1"))
    succeeded(world.run("context", "edit", "one", env={"EDITOR": "sed -i s/old/new/"}))
    equal(json.loads(world.read(home(world, "context/one.json")))["url"], "nats://new:1")
    done = world.run("context", "edit", "one", env={"EDITOR": "sed -i s/{/x/"})
    equal(done.code, 1)
    matches("nothing was changed", done.err)
    equal(world.run("context", "edit", "one", env={"VISUAL": "false"}).code, 1)
    equal(json.loads(world.read(home(world, "context/one.json")))["url"], "nats://new:1")
    equal(os.listdir(world.file(home(world, "context"))), ["one.json"])


@once
def a_folder_of_contexts_that_cannot_be_read_is_told(world):
    world.file(home(world, "context"), "where the folder should be")
    for arguments in (["context", "ls"], ["context", "ls", "--names"], ["pub", "a", "b", "--context", "x"]):
        done = world.run(*arguments)
        equal(done.code, 1)
        matches("Not a directory: .*/nats/context$", done.err)


@once
def a_context_that_is_not_there_or_broken_is_told(world):
    matches("there is no context 'x' and no other one.*pipit context add x", world.run("pub", "a", "b", "--context", "x").err)
    succeeded(world.run("context", "add", "prod"))
    matches("Did you mean 'prod'", world.run("pub", "a", "b", "--context", "prd").err)
    world.file(home(world, "context/broken.json"), "{")
    done = world.run("pub", "a", "b", "--context", "broken")
    equal(done.code, 1)
    matches("broken.json", done.err)
    done = world.run("context", "ls")
    equal((done.code, done.out.split("\t")[0]), (1, "prod"))
    matches("broken.json", done.err)
    equal(world.run("context", "add", "../x").code, 1)
    world.file(home(world, "context.txt"), "gone")
    succeeded(world.run("pub", "a", "b"))
    # Where nothing else says which server, it is not this machine's that is meant.
    done = world.run("pub", "a", "b", env={"NATS_URL": ""})
    equal(done.code, 1)
    matches("the selected context 'gone' is gone.*pipit context unselect", done.err)


@once
def a_selection_that_cannot_be_read_is_told(world):
    succeeded(world.run("context", "add", "one", "-s", "nats://127.0.0.1:1"))
    os.makedirs(world.file(home(world, "context.txt")))
    for arguments in (["pub", "a", "b"], ["context", "select"], ["context", "show"], ["context", "edit"], ["context", "ls"]):
        done = world.run(*arguments, env={"NATS_URL": ""})
        equal(done.code, 1, arguments)
        matches("Is a directory: .*/nats/context.txt", done.err)
    # Nobody asked for it where the server is named, or does not matter.
    succeeded(world.run("pub", "a", "b"))
    equal(succeeded(world.run("context", "ls", "--names")).out, "one\n")
    os.rmdir(world.file(home(world, "context.txt")))
    for text in ("a/b\n", "x" * 5000):
        world.file(home(world, "context.txt"), text)
        done = world.run("pub", "a", "b", env={"NATS_URL": ""})
        equal(done.code, 1)
        matches("which context is selected cannot be read: .*/nats/context.txt", done.err)
    succeeded(world.run("context", "select", "one"))
    equal(world.run("context", "select").out, "one\n")


@once
def a_context_with_a_proxy_is_refused(world):
    world.file(home(world, "context/far.json"), json.dumps({"url": world.url, "socks_proxy": "socks5://127.0.0.1:1"}))
    done = world.run("pub", "a", "b", "--context", "far")
    equal(done.code, 1)
    matches("'far' goes through a SOCKS proxy", done.err)


@once
def a_context_may_be_a_file_anywhere(world):
    path = world.file("mine.json", json.dumps({"url": world.url}))
    succeeded(world.run("pub", "a", "b", "--context", path, env={"NATS_URL": ""}))


@beside_nats
def both_tools_use_the_same_contexts(world):
    succeeded(world.run("context", "add", "ours", "-s", world.url, "--description", "made by pipit",
                        "--select"))
    matches("ours", succeeded(world.nats("context", "ls", "--names")).out)
    succeeded(world.nats("pub", "a", "x", env={"NATS_URL": ""}))
    succeeded(world.nats("context", "add", "theirs", "--server", world.url, "--description", "made by nats"))
    succeeded(world.nats("context", "select", "theirs"))
    equal(succeeded(world.run("context", "select")).out, "theirs\n")
    succeeded(world.run("pub", "a", "x", env={"NATS_URL": ""}))
    succeeded(world.run("context", "add", "theirs", "--description", "changed by pipit"))
    theirs = json.loads(succeeded(world.nats("context", "show", "theirs", "--json")).out)
    equal([theirs["description"], theirs["url"]], ["changed by pipit", world.url])
    succeeded(world.run("context", "previous"))
    equal(world.run("context", "select").out, "ours\n")
