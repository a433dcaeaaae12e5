# SPDX-License-Identifier: Apache-2.0
"""Files of credentials and seeds, against servers with an operator."""
import base64
import json
import os
import shutil
import subprocess
import tempfile
import threading

from suite import equal, matches, once, skipped, succeeded, test

_lock = threading.Lock()
_material = []


def material():
    """What the Go modules of NATS make, once for all tests: a folder."""
    with _lock:
        if not _material:
            if not shutil.which("go"):
                raise skipped("there is no go to make keys and JWTs with")
            folder = tempfile.TemporaryDirectory(prefix="pipit_jwt_")
            source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "jwt_material")
            subprocess.run(["go", "run", ".", folder.name], cwd=source, check=True, timeout=300)
            _material.append(folder)
    return _material[0].name


def read(name):
    with open(os.path.join(material(), name), encoding="utf-8") as file:
        return file.read()


@test
def a_file_of_credentials_opens_a_server_with_an_operator(world):
    server = world.start_server(read("server.conf"))
    env = {"NATS_URL": f"nats://127.0.0.1:{server.port}"}
    creds = os.path.join(material(), "user.creds")
    succeeded(world.run("pub", "a", "x", "--creds", creds, env=env))
    succeeded(world.run("pub", "a", "x", env={**env, "NATS_CREDS": creds}))
    succeeded(world.run("context", "add", "one", "--creds", creds, "-s", env["NATS_URL"]))
    succeeded(world.run("pub", "a", "x", "--context", "one", env={"NATS_URL": ""}))
    done = world.run("pub", "a", "x", "--creds", os.path.join(material(), "other.creds"), env=env)
    equal(done.code, 1)
    matches("(?i)authorization violation", done.err)
    equal(world.run("pub", "a", "x", env=env).code, 1)


@test
def credentials_come_from_variables_data_and_nsc(world):
    server = world.start_server(read("server.conf"))
    env = {"NATS_URL": f"nats://127.0.0.1:{server.port}"}
    creds = read("user.creds")
    succeeded(world.run("pub", "a", "x", "--creds", "env://MINE", env={**env, "MINE": creds}))
    data = "data:;base64," + base64.b64encode(creds.encode()).decode()
    succeeded(world.run("pub", "a", "x", "--creds", data, env=env))
    profile = json.dumps({"user_creds": os.path.join(material(), "user.creds"),
                          "operator": {"service": [env["NATS_URL"]]}})
    nsc = world.file("bin/nsc", f"#!/bin/sh\n[ \"$3\" = nsc://O/A/U ] && echo '{profile}'\n", 0o700)
    path = {"PATH": os.path.dirname(nsc) + ":" + os.environ["PATH"]}
    succeeded(world.run("pub", "a", "x", "--creds", "nsc://O/A/U", env={**env, **path}))
    world.file("config/nats/context/n.json", '{"nsc": "nsc://O/A/U"}')
    succeeded(world.run("pub", "a", "x", "--context", "n", env={"NATS_URL": "", **path}))
    equal(world.run("pub", "a", "x", "--creds", "nsc://O/A/V", env={**env, **path}).code, 1)


@test
def a_seed_opens_a_server_that_knows_its_key(world):
    server = world.start_server(f"authorization {{ users: [ {{ nkey: {read('user.pub')} }} ] }}\n")
    env = {"NATS_URL": f"nats://127.0.0.1:{server.port}"}
    seed = os.path.join(material(), "user.nk")
    succeeded(world.run("pub", "a", "x", "--nkey", seed, env=env))
    succeeded(world.run("pub", "a", "x", env={**env, "NATS_NKEY": seed}))


@test
def a_renewed_file_of_credentials_is_used_for_the_next_connection(world):
    server = world.start_server(read("server.conf"))
    env = {"NATS_URL": f"nats://127.0.0.1:{server.port}"}
    creds = world.file("my.creds", read("user.creds"))
    sub = world.start("sub", "a", "--creds", creds, env=env)
    sub.wait_for("Subscribed")
    os.remove(creds)  # What was read before is still good.
    server.stop()
    sub.wait_for("Disconnected")
    world.servers.append(type(server)(server.program, f'port: {server.port}\nhost: "127.0.0.1"\n'
                                      + read("server.conf"), bare=True))
    sub.wait_for("Connected again")


@once
def credentials_that_cannot_be_read_are_named(world):
    for arguments, said in ((["--creds", world.file("absent.creds")], "No such file.*absent.creds"),
                            (["--creds", world.file("empty.creds", "")], "empty.creds: .*no JWT"),
                            (["--nkey", world.file("x.nk", "SUAAA")], "x.nk: .*32 bytes"),
                            (["--creds", "env://ABSENT"], "env://ABSENT: there is no such variable"),
                            (["--creds", "op://a/b/c"], "1Password")):
        done = world.run("pub", "a", "x", *arguments)
        equal(done.code, 1, arguments)
        matches(said, done.err)
