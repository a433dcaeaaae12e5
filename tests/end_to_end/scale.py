# SPDX-License-Identifier: Apache-2.0
"""Many connections and many subscriptions; only with --scale."""
import json
import resource
import socket

import suite

CONNECTIONS = 10_000
SUBSCRIPTIONS = 1_000_000


def register():
    suite.REGISTERED.append(("server", ten_thousand_connections_work))
    suite.REGISTERED.append(("server", a_million_subscriptions_work))


def ten_thousand_connections_work(side):
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, CONNECTIONS + 1000), hard))
    server = side.start('http: "127.0.0.1:-1"\n')
    before = server.memory_bytes()
    sockets = []
    for _ in range(CONNECTIONS):
        each = socket.create_connection(("127.0.0.1", server.port))
        each.sendall(b'CONNECT {"verbose":false,"protocol":1}\r\nSUB all 1\r\nPING\r\n')
        sockets.append(each)
    for each in sockets:
        text = b""
        while b"PONG\r\n" not in text:
            text += each.recv(4096)
    print(f"       {(server.memory_bytes() - before) / CONNECTIONS:.0f} bytes per connection")
    suite.equal(json.loads(server.monitoring("/varz"))["connections"], CONNECTIONS)
    speaker = side.connect(server.port)
    speaker.send("PUB all 2\r\nhi\r\n")
    for each in sockets:
        text = b""
        while b"hi\r\n" not in text:
            text += each.recv(4096)
    for each in sockets:
        each.close()
    suite.wait_until(lambda: json.loads(server.monitoring("/varz"))["connections"] == 1, 30)


def a_million_subscriptions_work(side):
    server = side.start('http: "127.0.0.1:-1"\n')
    before = server.memory_bytes()
    client = side.connect(server.port)
    for start in range(0, SUBSCRIPTIONS, 10_000):
        client.send("".join(f"SUB a.{index % 1000}.{index} {index}\r\n"
                            for index in range(start, start + 10_000)))
        assert client.barrier()
    print(f"       {(server.memory_bytes() - before) / SUBSCRIPTIONS:.0f} bytes per subscription")
    client.send("PUB a.999.999999 2\r\nhi\r\n")
    assert client.barrier()
    suite.equal(client.messages, [(b"MSG a.999.999999 999999 2", b"hi")])
    client.stream.close()
    suite.wait_until(
        lambda: json.loads(server.monitoring("/varz"))["subscriptions"] < 1000, 30)
