# SPDX-License-Identifier: Apache-2.0
"""Lame-duck mode."""
import signal
import socket
import time

from monitoring import get
from suite import behaviour, equal, is_logged

QUICK = 'lame_duck_duration: "30s"\nlame_duck_grace_period: "300ms"\n'


@behaviour
def without_clients_the_server_ends_at_once(side):
    server = side.start()
    server.signal(signal.SIGUSR2)
    server.process.wait(10)
    equal(server.process.returncode, 0)
    is_logged(server, r"Entering lame duck mode")


@behaviour
def clients_are_told_first_and_closed_after_the_grace_period(side):
    server = side.start(QUICK)
    new, old = side.connect(server.port), side.connect(server.port, protocol=0)
    begin = time.monotonic()
    server.signal(signal.SIGUSR2)
    new.wait_for(lambda c: any(b'"ldm":true' in each for each in c.operations), what="the INFO")
    assert not new.stream.ended
    assert new.wait_for_end(15) and old.wait_for_end(15)
    assert time.monotonic() - begin >= 0.3
    equal(new.errors + old.errors, [])
    assert not any(b'"ldm"' in each for each in old.operations)
    server.process.wait(15)
    equal(server.process.returncode, 0)


@behaviour
def nobody_may_connect_any_more_and_messages_still_flow(side):
    server = side.start('lame_duck_duration: "30s"\nlame_duck_grace_period: "3s"\n')
    client = side.connect(server.port)
    server.signal(signal.SIGUSR2)
    client.wait_for(lambda c: any(b'"ldm":true' in each for each in c.operations))
    try:
        socket.create_connection(("127.0.0.1", server.port), 2).close()
        raise AssertionError("a connection was accepted")
    except OSError:
        pass
    client.send("SUB a 1\r\nPUB a 2\r\nhi\r\n")
    assert client.barrier()
    equal(client.messages, [(b"MSG a 1 2", b"hi")])
    server.signal(signal.SIGTERM)  # Ignored now.
    client.barrier()
    assert not client.stream.ended and server.alive()
    server.kill()


@behaviour
def whoever_spreads_clients_sees_that_it_takes_nobody_any_more(side):
    server = side.start('http: "127.0.0.1:-1"\nlame_duck_duration: "30s"\n'
                        'lame_duck_grace_period: "20s"\n')
    client = side.connect(server.port)
    equal(get(server, "/healthz")[0], 200)
    server.signal(signal.SIGUSR2)
    client.wait_for(lambda c: any(b'"ldm":true' in each for each in c.operations))
    status, _, body = get(server, "/healthz")
    equal((status, body), (500, '{"status":"error","error":"failed to be ready for connections '
                                'after 1ms: server"}'))
    server.kill()
