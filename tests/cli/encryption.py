# SPDX-License-Identifier: Apache-2.0
"""Connections with TLS: options, environment and contexts, and what is said when one is not made."""
import os
import sys

from suite import equal, matches, once, succeeded, test

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "differential"))
from certificates import authority  # noqa: E402

ISSUER = authority()
SERVER, OWN = ISSUER.issue(), ISSUER.issue("/CN=me")


def _block(more="", pair=None):
    certificate, key = pair or SERVER
    return f'tls {{ cert_file: "{certificate}", key_file: "{key}", ca_file: "{ISSUER.file}"\n{more} }}\n'


@test
def a_server_that_asks_for_tls_gets_it(world):
    server = world.start_server(_block())
    for url in (f"tls://127.0.0.1:{server.port}", f"nats://localhost:{server.port}"):
        env = {"NATS_URL": url}
        succeeded(world.run("pub", "a", "x", "--tlsca", ISSUER.file, env=env))
        succeeded(world.run("pub", "a", "x", env={**env, "NATS_CA": ISSUER.file}))
    large = "x" * 100_000
    world.start("reply", "echo", "--echo", "--tlsca", ISSUER.file, env=env).wait_for("Listening on")
    done = succeeded(world.run("request", "echo", large, "--tlsca", ISSUER.file, "--raw", env=env))
    equal(done.out, large + "\n")


@test
def top_looks_by_https_too(world):
    server = world.start_server(_block() + 'https: "127.0.0.1:-1"\n')
    page = server.ports["monitoring"][0]
    arguments = ("top", "--monitor", page, "--once", "--interval", "100ms")
    matches("https://127.0.0.1", page)
    succeeded(world.run(*arguments, "--tlsca", ISSUER.file))
    matches("certificate", world.run(*arguments).err)


@test
def a_server_that_is_not_trusted_is_named_and_why(world):
    server = world.start_server(_block())
    place = f"127.0.0.1:{server.port}"
    done = world.run("pub", "a", "x", env={"NATS_URL": f"tls://{place}"})
    assert done.code != 0
    for text in (place, "certificate signed by unknown authority", "ca_file"):
        matches(text, done.err)
    other = world.start_server(_block(pair=ISSUER.issue("/CN=x", "DNS:elsewhere.example")))
    done = world.run("pub", "a", "x", "--tlsca", ISSUER.file,
                     env={"NATS_URL": f"tls://localhost:{other.port}"})
    assert done.code != 0
    matches("not valid for this name", done.err)


@test
def a_server_may_want_to_see_a_certificate(world):
    server = world.start_server(_block("verify: true"))
    env = {"NATS_URL": f"tls://127.0.0.1:{server.port}", "NATS_CA": ISSUER.file}
    done = world.run("pub", "a", "x", env=env)
    assert done.code != 0
    matches("the server wants to see a client's certificate", done.err)
    succeeded(world.run("pub", "a", "x", "--tlscert", OWN[0], "--tlskey", OWN[1], env=env))
    succeeded(world.run("pub", "a", "x", env={**env, "NATS_CERT": OWN[0], "NATS_KEY": OWN[1]}))


@test
def the_handshake_comes_first_where_it_has_to(world):
    server = world.start_server(_block("handshake_first: true"))
    env = {"NATS_URL": f"tls://127.0.0.1:{server.port}", "NATS_CA": ISSUER.file}
    succeeded(world.run("pub", "a", "x", "--tlsfirst", env=env))
    assert world.run("pub", "a", "x", "--timeout", "1s", env=env).code != 0


@test
def a_context_keeps_what_tls_needs(world):
    server = world.start_server(_block("verify: true, handshake_first: true"))
    succeeded(world.run("context", "add", "safe", "-s", f"tls://localhost:{server.port}", "--tlsca",
                        ISSUER.file, "--tlscert", OWN[0], "--tlskey", OWN[1], "--tlsfirst",
                        env={"NATS_URL": None}))
    succeeded(world.run("pub", "a", "x", "--context", "safe", env={"NATS_URL": ""}))
    shown = world.read("config/nats/context/safe.json")
    for key, value in (("ca", ISSUER.file), ("cert", OWN[0]), ("key", OWN[1])):
        assert f'"{key}": "{value}"' in shown, shown
    assert '"tls_first": true' in shown, shown


@once
def a_file_that_is_not_there_is_told(world):
    done = world.run("pub", "a", "x", "--tlsca", "/no/ca.pem")
    assert done.code != 0
    matches("open /no/ca.pem: no such file or directory", done.err)
    equal(done.out, "")
