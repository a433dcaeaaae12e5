# SPDX-License-Identifier: Apache-2.0
"""TLS of clients and of monitoring: who is let in, who it is, what is seen of it, and reloads."""
import asyncio
import json
import os
import socket
import ssl
import tempfile
import time
import urllib.request

from suite import (behaviour, client, compared, equal, is_logged, matches, pipits_own, reload_with,
                   stream, wait_until)
from certificates import authority, key_digest  # Where suite has looked for servers.

ISSUER = authority()
SERVER = ISSUER.issue()


class _patient:
    """A secure socket that says of its timeout what a plain one says."""

    def __init__(self, wrapped):
        self._wrapped = wrapped

    def recv(self, size, *_):
        try:
            return self._wrapped.recv(size)
        except TimeoutError:
            raise BlockingIOError from None

    def __getattr__(self, name):
        return getattr(self._wrapped, name)


class secure_client(client):
    """A raw client that encrypts: after INFO, or before it."""

    def __init__(self, port, context=None, first=False, header=b""):
        self.stream = stream(port)
        self.pings = 0
        if header:
            self.stream.socket.sendall(header)
        if not first:
            self.stream.wait_for_operations(1)
        self.stream.socket.settimeout(20)
        context = context or ISSUER.context()
        self.socket = context.wrap_socket(self.stream.socket, server_hostname="localhost")
        self.stream.socket = _patient(self.socket)
        if first:
            self.stream.wait_for_operations(1)


def _block(more="", pair=None, verify=False):
    certificate, key = pair or SERVER
    text = f'tls {{ cert_file: "{certificate}", key_file: "{key}"\n'
    if verify:
        text += f'ca_file: "{ISSUER.file}", verify: true\n'
    return text + more + " }\n"


def _connect(side, server, context=None, first=False, header=b"", **options):
    """A secure client after its first PONG."""
    made = secure_client(server.port, context, first, header)
    side.clients.append(made)
    made.connect(**options)
    return made


def _is_refused(server, context=None, first=False):
    """The handshake fails, or the connection ends right after it."""
    try:
        made = secure_client(server.port, context, first)
    except (ssl.SSLError, OSError):
        return True
    made.connect()
    made.stream.socket.close()
    return made.stream.pongs == 0


def _connections(server, query=""):
    return json.loads(server.monitoring("/connz" + query))["connections"]


def _expect_service(connected):
    connected.send("SUB a 1\r\nPUB a 6\r\nsecret\r\n")
    assert connected.barrier()
    equal([body for _, body in connected.messages], [b"secret"])


@behaviour
def tls_is_asked_for_and_serves(side):
    server = side.start(_block() + "http: 127.0.0.1:-1\n")
    assert server.ports["nats"][0].startswith("tls://"), server.ports
    is_logged(server, "TLS required for client connections")
    connected = _connect(side, server)
    assert connected.info["tls_required"] and "tls_verify" not in connected.info
    assert "tls_available" not in connected.info
    _expect_service(connected)
    shown = _connections(server, "?auth=1")[0]
    equal((shown["tls_version"], shown["tls_cipher_suite"]), ("1.3", "TLS_AES_128_GCM_SHA256"))
    assert "tls_peer_certs" not in shown and "tls_first" not in shown, shown


@behaviour
def large_messages_and_many_small_ones_come_whole(side):
    server = side.start(_block())
    connected = _connect(side, server)
    connected.send("SUB a.* 1\r\n")
    large = b"x" * 1_000_000
    for _ in range(5):
        connected.send(b"PUB a.large %d\r\n%s\r\n" % (len(large), large))
    connected.send(b"PUB a.small 1\r\ny\r\n" * 10_000)
    assert connected.barrier()
    bodies = [body for _, body in connected.messages]
    assert bodies == [large] * 5 + [b"y"] * 10_000


@behaviour
def who_does_not_encrypt_is_not_served(side):
    server = side.start(_block() + "http: 127.0.0.1:-1\n")
    plain = side.open(server.port)
    plain.send("CONNECT {}\r\nPING\r\n")
    assert plain.wait_for_end()
    equal(len(plain.operations), 1, "INFO alone")
    wait_until(lambda: _connections(server, "?state=closed"), what="a closed connection")
    equal(_connections(server, "?state=closed")[0]["reason"], "TLS Handshake Failure")


@behaviour
def who_says_nothing_is_cut_after_the_timeout(side):
    server = side.start(_block("timeout: 0.3") + "debug: true\n")
    silent = side.open(server.port)
    begin = time.monotonic()
    assert silent.wait_for_end()
    assert 0.2 < time.monotonic() - begin < 5
    assert server.wait_for_log("TLS handshake (timeout|error)")


@behaviour
def bytes_that_are_no_tls_end_the_connection_alone(side):
    server = side.start(_block())
    for junk in (b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\xff\xff" + b"x" * 100, b"\0" * 1000,
                 b"\x16\x03\x01\x00\x05hello", os.urandom(20_000)):
        hostile = side.open(server.port)
        hostile.send(junk)
        assert hostile.wait_for_end(), junk[:10]
    _expect_service(_connect(side, server))


@behaviour
def clients_may_have_to_show_a_certificate(side):
    server = side.start(_block(verify=True))
    assert _is_refused(server)
    assert server.wait_for_log("TLS handshake error: tls: client didn't provide a certificate")
    stranger = authority("Stranger")
    assert _is_refused(server, ISSUER.context(stranger.issue()))
    assert server.wait_for_log("TLS handshake error: tls: failed to verify certificate: x509: "
                               "certificate signed by unknown authority")
    connected = _connect(side, server, ISSUER.context(ISSUER.issue()))
    assert connected.info["tls_verify"] and connected.info["tls_required"]
    _expect_service(connected)


SUBJECTS = ["/CN=plain", "/DC=org/DC=example/C=US/O=Example, Inc/O=Other/OU=Orders/CN=client",
            "/CN=\\+sign#/serialNumber=7/emailAddress=a@b.c/L=Here/ST=There/street=On\\, it",
            "/C=US/ST=California/L=Here/O=Example/OU=Orders/CN=all"]


@compared
def what_is_shown_of_certificates_is_the_same(*sides):
    owns = [ISSUER.issue(subject) for subject in SUBJECTS]
    shown = []
    for one in sides:
        server = one.start(_block(verify=True) + "http: 127.0.0.1:-1\n")
        contexts = [ISSUER.context(own) for own in owns]
        for context in contexts:
            _connect(one, server, context)
        shown.append([{key: value for key, value in each.items() if key.startswith("tls")}
                      for each in _connections(server, "?auth=1")])
    equal(shown[0], shown[1])
    equal(len(shown[0]), len(SUBJECTS))


@compared
def varz_shows_the_same_of_tls(*sides):
    shown = []
    for one in sides:
        server = one.start(_block("timeout: 3", verify=True) + "http: 127.0.0.1:-1\n")
        facts = json.loads(server.monitoring("/varz"))
        shown.append({key: value for key, value in facts.items()
                      if key.startswith("tls") or key in ("auth_timeout", "https_port")})
    equal(shown[0], shown[1])


MAPPED = """authorization { users: [
    {user: "a@example.org", permissions: {publish: email}}
    {user: "client.example.org", permissions: {publish: dns}}
    {user: "spiffe://example.org/client", permissions: {publish: uri}}
    {user: "CN=client,OU=Orders,O=Example", permissions: {publish: name}}
    {user: "CN=other,O=Example,DC=example,DC=org", permissions: {publish: components}}
    {user: "CN=secret", password: pw, permissions: {publish: secret}}
] }
"""


@behaviour
def a_certificate_says_which_user_it_is(side):
    server = side.start(_block(f'ca_file: "{ISSUER.file}", verify_and_map: true') + MAPPED)

    def publishes(subject, own, **options):
        connected = _connect(side, server, ISSUER.context(own), **options)
        if connected.stream.ended:
            return connected.errors
        connected.send(f"PUB {subject} 0\r\n\r\n")
        connected.barrier()
        return connected.errors

    for subject, own in (
            ("email", ISSUER.issue("/CN=x", "email:b@example.org,email:a@example.org")),
            ("dns", ISSUER.issue("/CN=x", "DNS:nobody.example.org,DNS:client.example.org")),
            ("uri", ISSUER.issue("/CN=x", "URI:spiffe://example.org/client")),
            ("dns", ISSUER.issue("/CN=x", "URI:spiffe://example.org/client,DNS:client.example.org")),
            ("name", ISSUER.issue("/O=Example/OU=Orders/CN=client", "")),
            ("name", ISSUER.issue("/CN=client/OU=Orders/O=Example", "")),
            ("components", ISSUER.issue("/DC=org/DC=example/O=Example/CN=other", ""))):
        equal(publishes(subject, own), [], subject)
    email = ISSUER.issue("/CN=x", "email:a@example.org")
    matches("Permissions Violation", publishes("dns", email)[0])
    equal(publishes("email", ISSUER.issue("/CN=nobody", "")), ["-ERR 'Authorization Violation'"])
    # What CONNECT says of a user means nothing, but a password that is asked for does.
    equal(publishes("email", email, user="client.example.org"), [])
    secret = ISSUER.issue("/CN=secret", "")
    equal(publishes("secret", secret), ["-ERR 'Authorization Violation'"])
    equal(publishes("secret", secret, **{"pass": "pw"}), [])


@behaviour
def who_is_known_by_a_certificate_anywhere_comes_in_by_nothing_less(side):
    maps = _block(f'ca_file: "{ISSUER.file}", verify_and_map: true')
    verifies = _block(verify=True)
    mqtt = 'mqtt { listen: "127.0.0.1:-1"\n' + maps + "}\n"
    leafnodes = 'leafnodes { listen: "127.0.0.1:-1"\n' + maps
    websocket = 'websocket { listen: "127.0.0.1:-1"\n'
    with tempfile.TemporaryDirectory() as folder:
        store = f'server_name: a\njetstream {{ store_dir: "{folder}" }}\n'
        for text, types, is_let_in in (
                (leafnodes + "}\n", "", False),
                (leafnodes + "}\n", "STANDARD", True),
                (leafnodes + "}\n", "STANDARD, LEAFNODE_WS", True),
                (leafnodes + "}\n" + websocket + verifies + "}\n", "STANDARD, LEAFNODE_WS", False),
                (leafnodes + "authorization { user: x, password: y } }\n", "", True),
                (leafnodes + "authorization { account: \"$G\" } }\n", "", False),
                ("leafnodes { " + maps + 'remotes: [ { url: "nats://127.0.0.1:1" } ] }\n', "", True),
                ("no_auth_user: page\n" + leafnodes + "}\n", "", True),
                (websocket + maps + "}\n", "", False),
                (websocket + maps + "}\n", "STANDARD", True),
                (store + mqtt, "", False),
                (store + mqtt, "STANDARD, MQTT", False),
                (store + mqtt + websocket + _block() + "}\n", "STANDARD, MQTT_WS", True),
                (store + mqtt + websocket + verifies + "}\n", "STANDARD, MQTT_WS", False)):
            user = "user: page" + (f", allowed_connection_types: [ {types} ]" if types else "")
            server = side.start(text + "debug: true\nauthorization { users [ {" + user + "} ] }\n")
            made = side.connect(server.port, user="page")
            what = f"{text} {types}"
            equal(made.errors, [] if is_let_in else ["-ERR 'Authorization Violation'"], what)
            if not is_let_in:
                assert server.wait_for_log('User "page" requires a client certificate'), what
            # Nor is such a user one whose password is too easy to read.
            equal("Plaintext passwords detected" in server.log(),
                  is_let_in and "no_auth_user" not in text, what)
            server.stop()


@behaviour
def only_pinned_keys_come_in(side):
    pinned, other = ISSUER.issue(), ISSUER.issue()
    server = side.start(_block(f'pinned_certs: ["{key_digest(pinned[0])}"]', verify=True))
    _expect_service(_connect(side, server, ISSUER.context(pinned)))
    assert _is_refused(server, ISSUER.context(other))
    assert server.wait_for_log("TLS handshake error: certificate not pinned")


@behaviour
def clients_choose_where_they_may(side):
    server = side.start(_block() + "allow_non_tls: true\n")
    is_logged(server, "TLS available for client connections")
    plain = side.connect(server.port)
    assert plain.info["tls_available"] and "tls_required" not in plain.info
    _expect_service(plain)
    _expect_service(_connect(side, server))


@behaviour
def the_handshake_may_have_to_come_first(side):
    server = side.start(_block("handshake_first: true") + "http: 127.0.0.1:-1\n")
    is_logged(server, "not using \"TLS Handshake First\" option will fail to connect")
    connected = _connect(side, server, first=True)
    assert connected.info["tls_required"]
    _expect_service(connected)
    assert _connections(server)[0]["tls_first"]
    with socket.create_connection(("127.0.0.1", server.port)) as silent:
        silent.settimeout(0.3)
        try:
            equal(silent.recv(100), b"", "bytes before the handshake")
        except TimeoutError:
            pass


@behaviour
def who_may_come_without_tls_is_told_so_also_after_a_handshake_that_came_first(side):
    def told(client):
        return [sorted(name for name in json.loads(line[5:]) if name in ("tls_required", "tls_available"))
                for line in client.operations if line.startswith(b"INFO")]

    for words in ("handshake_first: true", "handshake_first: auto"):
        server = side.start(_block(words) + "allow_non_tls: true\nhttp: 127.0.0.1:-1\n")
        first = _connect(side, server, first=True)
        equal(told(first), [["tls_available", "tls_required"], ["tls_available"]])
        if words.endswith("auto"):
            equal(told(_connect(side, server)), 2 * [["tls_available"]])
        assert "tls_required" not in json.loads(server.monitoring("/varz"))


@behaviour
def the_handshake_may_come_first_or_not(side):
    for words in ("handshake_first: auto", 'first: "100ms"'):
        server = side.start(_block(words) + "http: 127.0.0.1:-1\n")
        first = _connect(side, server, first=True)
        _expect_service(first)
        later = _connect(side, server)
        _expect_service(later)
        equal([each.get("tls_first", False) for each in _connections(server)], [True, False])


@behaviour
def a_proxy_tells_who_is_behind_it_before_tls(side):
    header = b"PROXY TCP4 10.1.2.3 127.0.0.1 1234 4222\r\n"
    server = side.start(_block() + "proxy_protocol: true\nhttp: 127.0.0.1:-1\n")
    _expect_service(_connect(side, server, header=header))
    equal(_connections(server)[0]["ip"], "10.1.2.3")


@behaviour
def a_least_version_and_cipher_suites_are_kept_to(side):
    server = side.start(_block('min_version: "1.3"'))
    assert _is_refused(server, ISSUER.context(highest=ssl.TLSVersion.TLSv1_2))
    _expect_service(_connect(side, server))
    suite = "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"
    server = side.start(_block(f'cipher_suites: ["{suite}"], curve_preferences: [CurveP384]') +
                        "http: 127.0.0.1:-1\n")
    _expect_service(_connect(side, server, ISSUER.context(highest=ssl.TLSVersion.TLSv1_2)))
    shown = _connections(server)[0]
    equal((shown["tls_version"], shown["tls_cipher_suite"]), ("1.2", suite))


@behaviour
def a_certificate_is_chosen_by_name(side):
    other = ISSUER.issue("/CN=other", "DNS:other.example")
    pairs = ", ".join(f'{{cert_file: "{certificate}", key_file: "{key}"}}'
                      for certificate, key in (SERVER, other))
    server = side.start(f"tls {{ certs: [{pairs}] }}\n")
    for name, subject in (("localhost", "localhost"), ("other.example", "other")):
        raw = socket.create_connection(("127.0.0.1", server.port))
        raw.recv(4096)
        with ISSUER.context().wrap_socket(raw, server_hostname=name) as secure:
            equal(dict(part[0] for part in secure.getpeercert()["subject"])["commonName"], subject)


@behaviour
def so_many_handshakes_in_a_second(side):
    server = side.start(_block("connection_rate_limit: 3, timeout: 0.5"))
    crowd = [stream(server.port) for _ in range(8)]
    for each in crowd:
        each.wait_for_end()
        each.close()
    refused = [each for each in crowd if any(b"Connection throttling is active" in line
                                             for line, _ in each.operations)]
    equal(len(refused), 5)


@behaviour
def a_new_certificate_holds_for_new_connections_alone(side):
    server = side.start(_block())
    before = _connect(side, server)
    other = authority("Other")
    log = reload_with(server, _block(pair=other.issue()))
    matches("Reloaded: tls = enabled", log, "log")
    assert _is_refused(server)
    _expect_service(_connect(side, server, other.context()))
    _expect_service(before)


@behaviour
def files_with_new_content_are_read_by_a_reload(side):
    pair = ISSUER.issue()
    server = side.start(_block(pair=pair))
    before = _connect(side, server)
    other = authority("Other")
    for new, old in zip(other.issue(), pair):
        os.replace(new, old)
    matches("Reloaded: tls = enabled", reload_with(server, _block(pair=pair)), "log")
    assert _is_refused(server)
    _expect_service(before)


@behaviour
def a_reload_with_files_that_are_not_there_changes_nothing(side):
    server = side.start(_block())
    log = reload_with(server, _block(pair=("/no/c.pem", "/no/k.pem")), "Failed to reload")
    matches("open /no/c.pem: no such file or directory", log, "log")
    _expect_service(_connect(side, server))


@behaviour
def a_reload_may_end_tls_or_begin_it(side):
    server = side.start("")
    log = reload_with(server, _block())
    matches("Reloaded: tls = enabled", log, "log")
    _expect_service(_connect(side, server))
    matches("Reloaded: tls = disabled", reload_with(server, ""), "log")
    _expect_service(side.connect(server.port))


@behaviour
def pinned_keys_that_change_end_connections(side):
    pair = ISSUER.issue()
    digest = key_digest(pair[0])
    server = side.start(_block(f'pinned_certs: ["{digest}", "{"0" * 64}"]', verify=True))
    connected = _connect(side, server, ISSUER.context(pair))
    log = reload_with(server, _block(f'pinned_certs: ["{digest}"]', verify=True))
    matches("Reloaded: 1 pinned_certs", log, "log")
    assert connected.barrier()


@pipits_own
def a_key_that_is_not_pinned_any_more_ends_its_connections(side):
    pair = ISSUER.issue()
    server = side.start(_block(f'pinned_certs: ["{key_digest(pair[0])}"]', verify=True))
    connected = _connect(side, server, ISSUER.context(pair))
    reload_with(server, _block(f'pinned_certs: ["{"0" * 64}"]', verify=True))
    assert connected.wait_for_end()


@behaviour
def flags_ask_for_tls(side):
    certificate, key = SERVER
    server = side.start("", "--tls", "--tlscert", certificate, "--tlskey", key)
    _expect_service(_connect(side, server))
    server = side.start("", "--tlscert", certificate, "--tlskey", key, "--tlscacert", ISSUER.file,
                        "--tlsverify")
    assert _is_refused(server)
    _expect_service(_connect(side, server, ISSUER.context(ISSUER.issue())))
    server = side.start(_block(), "--tls=false")
    _expect_service(side.connect(server.port))
    for arguments, text in ((["--tls"], "TLS Server certificate must be present and valid"),
                            (["--tlscert", certificate],
                             "TLS Server private key must be present and valid")):
        result = side.run("-a", "127.0.0.1", "-p", "-1", *arguments)
        equal(result.code, 1)
        matches(text, result.err)


WRONG = [
    ('cert_file: "/no/c.pem", key_file: "/no/k.pem"',
     "error parsing X509 certificate/key pair: open /no/c.pem: no such file or directory"),
    (f'cert_file: "{SERVER[0]}"', "missing 'key_file' in TLS configuration"),
    (f'key_file: "{SERVER[1]}"', "missing 'cert_file' in TLS configuration"),
    (f'cert_file: "{SERVER[0]}", key_file: "{ISSUER.key}"', "private key does not match public key"),
    (f'cert_file: "{SERVER[0]}", key_file: "{SERVER[1]}", cipher_suites: [NOPE]', "unrecognized cipher NOPE"),
    (f'cert_file: "{SERVER[0]}", key_file: "{SERVER[1]}", cipher_suites: [TLS_RSA_WITH_RC4_128_SHA]',
     "insecure cipher suites configured without 'allow_insecure_cipher_suites' option set"),
    (f'cert_file: "{SERVER[0]}", key_file: "{SERVER[1]}", curve_preferences: [NOPE]',
     "unrecognized curve preference NOPE"),
    (f'cert_file: "{SERVER[0]}", key_file: "{SERVER[1]}", min_version: "1.1"',
     "unsupported TLS version: TLS 1.1"),
    (f'cert_file: "{SERVER[0]}", key_file: "{SERVER[1]}", pinned_certs: [abc]',
     "does not look like hex-encoded sha256"),
    (f'cert_file: "{SERVER[0]}", key_file: "{SERVER[1]}", verify_cert_and_check_known_urls: true',
     "verify_cert_and_check_known_urls not supported in this context"),
    (f'cert_file: "{SERVER[0]}", key_file: "{SERVER[1]}", nonsense: 1', 'unknown field "nonsense"'),
]


@behaviour
def what_is_wrong_with_a_block_is_said(side):
    for number, (text, complaint) in enumerate(WRONG):
        path = os.path.join(os.path.dirname(SERVER[0]), f"wrong-{os.getpid()}-{id(side)}-{number}.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"tls {{ {text} }}\n")
        result = side.run("-t", "-c", path)
        equal(result.code, 1, text)
        assert complaint in result.err, (text, result.err)


@behaviour
def monitoring_pages_come_by_https(side):
    server = side.start(_block(verify=True) + "https: 127.0.0.1:-1\n")
    url = server.ports["monitoring"][0]
    assert url.startswith("https://"), url
    port = int(url.rsplit(":", 1)[1])
    context = ISSUER.context()
    with urllib.request.urlopen(f"https://localhost:{port}/varz", context=context) as answer:
        assert json.load(answer)["tls_required"]
    with socket.create_connection(("127.0.0.1", port)) as plain:
        plain.sendall(b"GET /varz HTTP/1.0\r\n\r\n")
        plain.settimeout(5)
        assert b"server_id" not in plain.recv(4096)


@behaviour
def a_stock_client_is_served(side):
    import nats  # pylint: disable=import-outside-toplevel

    async def talk(port, **options):
        connected = await nats.connect(f"tls://localhost:{port}", allow_reconnect=False,
                                       tls=ISSUER.context(ISSUER.issue()), **options)
        subscription = await connected.subscribe("a")
        await connected.publish("a", b"x" * 100_000)
        message = await subscription.next_msg(timeout=5)
        equal(len(message.data), 100_000)
        await connected.drain()

    server = side.start(_block(verify=True))
    asyncio.run(talk(server.port))
    server = side.start(_block("handshake_first: true", verify=True))
    asyncio.run(talk(server.port, tls_handshake_first=True))
