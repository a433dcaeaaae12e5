# SPDX-License-Identifier: Apache-2.0
"""The WebSocket listener: requests and answers, frames, who comes in, what is seen of it."""
import json
import re
import socket
import time
import zlib

from suite import behaviour, compared, equal, is_logged, matches, pipits_own, start_failure, wait_until
from certificates import authority  # Where suite has looked for servers.
from web_socket import CLOSE, PING, PONG, TEXT, close_payload, compressed, frame, web_socket

ISSUER = authority()
CERTIFICATE, KEY = ISSUER.issue()
TLS = f'tls {{ cert_file: "{CERTIFICATE}", key_file: "{KEY}", ca_file: "{ISSUER.file}" '

USERS = """
authorization { users [
  { user: ann, password: secret }
  { user: tcp_only, password: secret, allowed_connection_types: [STANDARD] }
  { user: web_only, password: secret, allowed_connection_types: [WEBSOCKET] }
] }
"""


def start(side, inside="", outside=""):
    return side.start(f"websocket {{ listen: \"127.0.0.1:-1\", no_tls: true, {inside} }}\n"
                      f"http: \"127.0.0.1:-1\"\n{outside}\n")


def port_of(server):
    return int(server.ports["websocket"][0].rsplit(":", 1)[1])


def open_socket(side, server, **options):
    made = web_socket(port_of(server), **options)
    side.clients.append(type("closing", (), {"stream": made}))
    return made


def connected(side, server, connect=None, **options):
    made = open_socket(side, server, **options)
    equal(made.status, 101)
    assert made.connect(**(connect or {})), made.text
    return made


@behaviour
def a_websocket_carries_the_protocol(side):
    server = start(side)
    web = connected(side, server)
    equal((web.info["host"], web.info["port"]), ("127.0.0.1", port_of(server)))
    equal("connect_urls" in web.info, False)
    tcp = side.connect(server.port)
    tcp.send("SUB from.web 1\r\n")
    tcp.barrier()
    web.send("SUB from.tcp 7\r\nPUB from.web 5\r\nhello\r\n")
    assert web.barrier()
    tcp.wait_for(lambda it: it.messages == [(b"MSG from.web 1 5", b"hello")])
    tcp.send("PUB from.tcp 2\r\nhi\r\n")
    web.wait_for_text(b"MSG from.tcp 7 2\r\nhi\r\n")


@behaviour
def the_listener_stands_in_the_log_and_in_the_ports_file(side):
    server = start(side)
    matches(r"^ws://127\.0\.0\.1:\d+$", server.ports["websocket"][0])
    log = server.log()
    matches(rf"\[INF\] Listening for websocket clients on ws://127\.0\.0\.1:{port_of(server)}$", log)
    matches(r"\[WRN\] Websocket not configured with TLS\. DO NOT USE IN PRODUCTION!$", log)
    assert log.index("websocket clients") < log.index("Listening for client connections")


@behaviour
def any_path_leads_to_the_server(side):
    server = start(side)
    for path in ("/", "/nats", "/a/prefix/of/a/proxy/", "/x?y=z", "/%2F"):
        equal(open_socket(side, server, path=path).status, 101, path)


@behaviour
def what_is_no_request_for_a_websocket_is_refused_in_http(side):
    server = start(side)
    cases = [
        (405, {"method": "POST", "headers": {"Content-Length": "0"}}),
        (400, {"headers": {"Host": None}}),
        (400, {"headers": {"Upgrade": None}}),
        (400, {"headers": {"Upgrade": "h2c"}}),
        (400, {"headers": {"Connection": "keep-alive"}}),
        (400, {"headers": {"Sec-WebSocket-Key": None}}),
        (400, {"headers": {"Sec-WebSocket-Key": "short"}}),
        (400, {"headers": {"Sec-WebSocket-Version": "8"}}),
        (404, {"path": "/mqtt"}),
        (404, {"path": "/below/mqtt"}),
    ]
    for status, request in cases:
        refused = open_socket(side, server, **request)
        equal(refused.status, status, request)
    # As browsers and proxies write it.
    for headers in ({"Connection": "keep-alive, Upgrade"}, {"Upgrade": "WebSocket"},
                    {"Connection": "upgrade"}, {"Sec-WebSocket-Version": "8, 13"}):
        equal(open_socket(side, server, headers=headers).status, 101, headers)


@behaviour
def a_refusal_says_which_version_is_spoken(side):
    server = start(side)
    refused = open_socket(side, server, headers={"Sec-WebSocket-Version": "8",
                                                 "Connection": "Upgrade, close"})
    equal(refused.answer["sec-websocket-version"], "13")
    equal(refused.body(), "Bad Request\n")
    assert server.wait_for_log(r"\[ERR\] 127\.0\.0\.1:\d+ - websocket handshake error: invalid version")


@pipits_own  # The reference closes without a word.
def who_sends_before_the_answer_is_refused(side):
    server = start(side)
    equal(open_socket(side, server, after_request=frame(b"CONNECT {}\r\n")).status, 400)


@behaviour
def text_fragments_and_empty_frames_are_only_bytes(side):
    server = start(side)
    web = connected(side, server)
    web.send("SUB a 1\r\nPU", final=False, opcode=TEXT)
    web.send("", final=False, opcode=0)
    web.send("?", opcode=PING)
    web.send("B a 10\r\n01234", final=False, opcode=0)
    web.send("56789\r\n", opcode=0)
    web.wait_for_text(b"MSG a 1 10\r\n0123456789\r\n")
    assert (PONG, b"?") in web.frames
    for byte in frame(b"PUB a 1\r\nx\r\n"):
        web.send_raw(bytes([byte]))
    web.wait_for_text(b"MSG a 1 1\r\nx\r\n")


@behaviour
def pings_are_answered_and_a_close_is_returned(side):
    server = start(side)
    web = connected(side, server)
    for text in (b"", b"one", b"x" * 125):
        web.send(text, opcode=PING)
    web.wait_for(lambda it: [each for each in it.frames if each[0] == PONG] ==
                 [(PONG, b""), (PONG, b"one"), (PONG, b"x" * 125)])
    web.send(close_payload(3000, "my own"), opcode=CLOSE)
    equal(web.wait_for_end(), (3000, "my own"))
    silent = connected(side, server)
    silent.send(b"", opcode=CLOSE)
    equal(silent.wait_for_end(), (None, ""))
    wrong = connected(side, server)
    wrong.send(close_payload(1000) + b"\xff", opcode=CLOSE)
    equal(wrong.wait_for_end(), (1007, "invalid utf8 body in close frame"))


def _closed_for(server, reason):
    def reasons():
        closed = json.loads(server.monitoring("/connz?state=closed"))["connections"]
        return [each["reason"] for each in closed]
    wait_until(reasons, 10)
    equal(reasons(), [reason])


@behaviour
def what_comes_before_a_close_is_answered_before_it(side):
    server = start(side)
    web = connected(side, server)
    web.send_raw(frame(b"PING\r\n") + frame(close_payload(1000), opcode=CLOSE) + frame(b"PING\r\n"))
    equal(web.wait_for_end(), (1000, ""))
    equal(web.text.count(b"PONG\r\n"), 2)  # `connected` has asked, too.
    _closed_for(server, "Client Closed")


@behaviour
def the_log_says_what_was_wrong_also_where_something_came_before_it(side):
    server = start(side)
    web = connected(side, server)
    web.send_raw(frame(b"PING\r\n") + frame(b"PING\r\n", mask=False))
    web.wait_for_end()
    assert server.wait_for_log(r"\[ERR\] 127\.0\.0\.1:\d+ - wid:\d+ - read error: mask bit missing")
    _closed_for(server, "Read Error")


@behaviour
def masking_is_left_out_by_agreement_alone(side):
    server = start(side)
    agreed = open_socket(side, server, headers={"Nats-No-Masking": "true"})
    equal(agreed.answer.get("nats-no-masking"), "true")
    agreed.send("CONNECT {\"verbose\":false}\r\nPING\r\n", mask=False)
    agreed.wait_for_text(b"PONG\r\n")
    usual = open_socket(side, server, headers={"Nats-No-Masking": "yes"})
    equal("nats-no-masking" in usual.answer, False)
    usual.send("PING\r\n", mask=False)
    usual.wait_for_end()
    equal(b"PONG" in usual.text, False)


@pipits_own  # The reference means to, and its connection is gone before.
def who_breaks_the_rules_is_told_which(side):
    server = start(side)
    for wrong, text in ((frame(b"PING\r\n", mask=False), "mask bit missing"),
                        (b"\x83\x80\0\0\0\0", "unknown opcode 3"),
                        (frame(b"x", opcode=PING, final=False),
                         "control frame does not have final bit set"),
                        (frame(b"x", compressed=True),
                         "compressed frame received without negotiated permessage-deflate"),
                        (frame(b"x" * 126, opcode=PING),
                         "control frame length bigger than maximum allowed of 125 bytes")):
        web = connected(side, server)
        web.send_raw(wrong)
        equal(web.wait_for_end(), (1002, text))


@behaviour
def what_both_want_is_compressed(side):
    server = start(side, "compression: true")
    offer = {"Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits"}
    web = open_socket(side, server, headers=offer)
    equal(web.answer.get("sec-websocket-extensions"),
          "permessage-deflate; server_no_context_takeover; client_no_context_takeover")
    assert web.info["server_id"].startswith("N")
    equal(web.compressed, 1)
    web.send_raw(frame(compressed(b"CONNECT {\"verbose\":false}\r\nSUB a 1\r\n"), compressed=True))
    payload = b"0123456789" * 2000
    packed = compressed(b"PUB a 20000\r\n" + payload + b"\r\nPING\r\n")
    web.send_raw(frame(packed[:50], compressed=True, final=False))
    web.send_raw(frame(packed[50:], opcode=0))
    web.wait_for_text(b"MSG a 1 20000\r\n" + payload + b"\r\n")
    assert sum(web.frame_sizes) < 3000, web.frame_sizes
    for headers in ({}, {"Sec-WebSocket-Extensions": "x-other"}):
        equal("sec-websocket-extensions" in open_socket(side, server, headers=headers).answer, False)
    closed = start(side)
    equal("sec-websocket-extensions" in open_socket(side, closed, headers=offer).answer, False)


@behaviour
def what_was_unpacked_before_a_message_breaks_counts_and_the_log_says_so(side):
    server = start(side, "compression: true")
    offer = {"Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits"}
    tcp = side.connect(server.port)
    tcp.send("SUB > 1\r\n")
    tcp.barrier()
    packer = zlib.compressobj(wbits=-15)
    whole = packer.compress(b"PUB a 5\r\nhello\r\n") + packer.flush(zlib.Z_FULL_FLUSH)
    for broken, count in ((b"\xff\xff\xff", 0), (whole + b"\xff\xff\xff", 1)):
        before, logged = len(tcp.messages), len(server.log())
        web = connected(side, server, headers=offer)
        web.send(broken, compressed=True)
        web.wait_for_end()
        assert server.wait_for_log(r"\[ERR\] 127\.0\.0\.1:\d+ - wid:\d+ - read error: ", 10, logged)
        tcp.barrier()
        equal(tcp.messages[before:], [(b"MSG a 1 5", b"hello")] * count, broken)


@behaviour
def a_browser_gets_small_frames(side):
    server = start(side)
    agent = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Chrome/150.0 Safari/537.36"}
    payload = "x" * 50000
    for headers, largest in ((agent, 4096), ({}, 1 << 20)):
        web = connected(side, server, headers=headers)
        web.send(f"SUB a 1\r\nPUB a {len(payload)}\r\n{payload}\r\n")
        web.wait_for_text(payload.encode() + b"\r\n")
        assert max(web.frame_sizes) <= largest, max(web.frame_sizes)
        equal(max(web.frame_sizes) > 4096, largest > 4096)


@behaviour
def cookies_say_what_connect_leaves_out(side):
    names = "user_cookie: nats_user, pass_cookie: nats_pass, token_cookie: nats_token"
    server = start(side, names, USERS)
    cookie = {"Cookie": "other=1; nats_user=ann; nats_pass=\"secret\""}
    connected(side, server, headers=cookie)
    connected(side, server, {"user": "web_only", "pass": "secret"}, headers=cookie)
    for wrong in ("nats_user=ann; nats_pass=wrong", "nats_user=ann", "ann=secret",
                  "nats_user=ann, nats_pass=secret"):
        refused = open_socket(side, server, headers={"Cookie": wrong})
        equal(refused.connect(), False, wrong)
        assert b"-ERR 'Authorization Violation'" in refused.text
    by_token = start(side, names, "authorization { token: t0ken }")
    connected(side, by_token, headers={"Cookie": "nats_token=t0ken"})
    equal(open_socket(side, by_token, headers={"Cookie": "nats_user=t0ken"}).connect(), False)


@behaviour
def a_cookie_does_not_become_part_of_the_protocol(side):
    server = start(side, "user_cookie: u, pass_cookie: p", USERS)
    for injected in ("u=ann\",\"pass\":\"secret; p=x", "u=\"ann\\\"; p=\"secret\\\"",
                     "u=ann%22,%22pass%22:%22secret; p=", "u=*; p=*"):
        equal(open_socket(side, server, headers={"Cookie": injected}).connect(), False, injected)


@behaviour
def a_page_of_another_origin_is_kept_out(side):
    same = start(side, "same_origin: true")
    own = f"http://127.0.0.1:{port_of(same)}"
    listed = start(side, "allowed_origins: [\"https://app.example\"]")
    for server, origin, status in ((same, own, 101), (same, "http://127.0.0.1:1", 403),
                                   (same, own.replace("http", "https"), 403),
                                   (same, "null", 403), (same, "http://evil.example", 403),
                                   (listed, "https://app.example", 101),
                                   (listed, "https://APP.example:443", 101),
                                   (listed, "http://app.example", 403),
                                   (listed, "https://app.example.evil.example", 403),
                                   (listed, None, 101)):
        equal(open_socket(side, server, headers={"Origin": origin}).status, status, origin)
    assert same.wait_for_log(r"websocket handshake error: origin not allowed: not same origin")
    assert listed.wait_for_log(r"origin not allowed: not in the allowed list")


@behaviour
def configured_headers_stand_in_the_answer(side):
    server = start(side, "headers { X-Mine: \"yes, indeed\" }")
    equal(open_socket(side, server).answer.get("x-mine"), "yes, indeed")


@behaviour
def the_block_decides_who_comes_in(side):
    own = start(side, "authorization { user: web, password: w3b }",
                "authorization { user: tcp, password: t0p }")
    assert open_socket(side, own).info["auth_required"]
    connected(side, own, {"user": "web", "pass": "w3b"})
    equal(open_socket(side, own).connect(user="tcp", **{"pass": "t0p"}), False)
    side.connect(own.port, user="tcp", **{"pass": "t0p"})
    alone = start(side, "authorization { token: t }")
    side.connect(alone.port)
    connected(side, alone, {"auth_token": "t"})
    equal(open_socket(side, alone).connect(), False)
    nobody = start(side, "no_auth_user: ann", USERS)
    connected(side, nobody)
    equal(side.open(nobody.port).stream.ended, False)


@behaviour
def a_user_may_be_allowed_one_way_alone(side):
    server = start(side, "", USERS)
    connected(side, server, {"user": "web_only", "pass": "secret"})
    connected(side, server, {"user": "ann", "pass": "secret"})
    equal(open_socket(side, server).connect(user="tcp_only", **{"pass": "secret"}), False)
    tcp = side.open(server.port)
    tcp.send('CONNECT {"user":"web_only","pass":"secret"}\r\n')
    assert tcp.wait_for_end() and tcp.errors == ["-ERR 'Authorization Violation'"], tcp.errors


@behaviour
def who_is_closed_is_told_why(side):
    server = start(side, "authorization { token: t, timeout: 0.3 }", "max_payload: 1000\n")
    late = open_socket(side, server)
    equal(late.wait_for_end(), (1008, "Authentication Timeout"))
    assert late.text.endswith(b"-ERR 'Authentication Timeout'\r\n")
    wrong = open_socket(side, server)
    wrong.send('CONNECT {"auth_token":"x"}\r\n')
    equal(wrong.wait_for_end(), (1008, "Authentication Failure"))
    large = connected(side, server, {"auth_token": "t"})
    large.send("PUB a 1001\r\n" + "x" * 1001 + "\r\n")
    equal(large.wait_for_end(), (1009, "Maximum Message Payload Exceeded"))
    there = connected(side, server, {"auth_token": "t"})
    server.process.terminate()
    equal(there.wait_for_end(), (1001, "Server Shutdown"))


@pipits_own  # The reference closes without a frame.
def a_line_that_is_none_ends_in_a_protocol_error(side):
    server = start(side)
    web = connected(side, server)
    web.send("NONSENSE\r\n")
    equal(web.wait_for_end(), (1002, "Protocol Violation"))


@behaviour
def a_request_that_does_not_come_is_not_waited_for(side):
    server = start(side, "handshake_timeout: \"300ms\"")
    begin = time.monotonic()
    for text in (b"", b"GET / HTTP/1.1\r\nHost: "):
        with socket.create_connection(("127.0.0.1", port_of(server)), 5) as waiting:
            waiting.settimeout(5)
            waiting.sendall(text)
            while waiting.recv(4096):
                pass
    assert 0.3 < time.monotonic() - begin < 5


@compared
def monitoring_shows_the_listener_and_its_connections(ours, theirs):
    seen = []
    for side in (ours, theirs):
        server = start(side, "advertise: \"ws.example:443\", compression: true, same_origin: true, "
                       "allowed_origins: [\"http://127.0.0.1\"], handshake_timeout: \"3s\", "
                       "authorization { token: t, timeout: 2 }")
        web = connected(side, server, {"auth_token": "t", "name": "page"},
                        headers={"X-Forwarded-For": "192.0.2.7"})
        varz = json.loads(server.monitoring("/varz"))["websocket"]
        equal(varz.pop("port"), port_of(server))
        connz = json.loads(server.monitoring("/connz"))["connections"]
        equal(len(connz), 1)
        shown = {key: connz[0][key] for key in ("kind", "type", "ip", "name")}
        web.send(close_payload(1000), opcode=CLOSE)
        web.wait_for_end()
        closed = json.loads(server.monitoring("/connz?state=closed"))["connections"][0]
        seen.append((varz, shown, closed["type"], closed["reason"]))
    equal(seen[0], seen[1])


@behaviour
def log_lines_say_that_it_is_a_websocket_and_whom_a_proxy_named(side):
    server = side.start("websocket { listen: \"127.0.0.1:-1\", no_tls: true }\ndebug: true\n")
    for name, shown in (("192.0.2.7", r"192\.0\.2\.7/"), ("2001:db8::1", r"\[2001:db8::1\]/"),
                        ("192.0.2.7, 10.0.0.1", ""), ("nobody\u00e9", "")):
        web = web_socket(port_of(server), headers={"X-Forwarded-For": name.encode().decode("latin-1")})
        wid = web.info["client_id"]
        assert server.wait_for_log(rf"\[DBG\] {shown}127\.0\.0\.1:\d+ - wid:{wid} - Client connection"
                                   r" created"), server.log()[-500:]
        web.close()


@behaviour
def its_pings_have_their_own_interval(side):
    server = start(side, "ping_interval: \"200ms\"", "ping_interval: \"2m\"")
    web = connected(side, server)
    web.wait_for(lambda it: len(re.findall(rb"(?m)^PING\r$", it.text)) >= 2, seconds=5)


@behaviour
def a_block_without_tls_must_say_so(side):
    try:
        side.start("websocket { listen: \"127.0.0.1:-1\" }\n")
    except start_failure as failure:
        matches("websocket requires TLS configuration", str(failure))
    else:
        raise AssertionError("it started")


@behaviour
def a_websocket_goes_over_tls(side):
    server = side.start("websocket { listen: \"127.0.0.1:-1\", same_origin: true, " + TLS + "} }\n")
    port = port_of(server)
    equal(server.ports["websocket"], [f"wss://127.0.0.1:{port}"])
    is_logged(server, rf"Listening for websocket clients on wss://127\.0\.0\.1:{port}$")
    equal("DO NOT USE" in server.log(), False)
    web = connected(side, server, tls=ISSUER.context())
    equal((web.info.get("tls_required"), web.info.get("tls_available")), (True, True))
    web.send("SUB a 1\r\nPUB a 100000\r\n" + "x" * 100000 + "\r\n")
    web.wait_for_text(b"x" * 100000 + b"\r\n")
    origin = {"Origin": f"https://127.0.0.1:{port}"}
    equal(open_socket(side, server, tls=ISSUER.context(), headers=origin).status, 101)
    origin = {"Origin": f"http://127.0.0.1:{port}"}
    equal(open_socket(side, server, tls=ISSUER.context(), headers=origin).status, 403)
    assert web.barrier()


@behaviour
def who_speaks_http_where_https_is_spoken_is_told_so(side):
    secure = TLS + " }"
    server = side.start(f'websocket {{ listen: "127.0.0.1:-1", {secure} }}\n'
                        f'https: "127.0.0.1:-1"\n{secure}\n')
    monitoring = int(server.ports["monitoring"][0].rsplit(":", 1)[1])
    told = b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"
    for port in (port_of(server), monitoring):
        for request, answer in ((b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", told),
                                (b"HEAD / HTTP/1.1\r\n", told), (b"POST /x HTTP/1.1\r\n", told),
                                (b"PUT /", told), (b"OPTIONS * HTTP/1.1\r\n", told),
                                (b"DELETE / HTTP/1.1\r\n\r\n", b""), (b"CONNECT {}\r\n", b"")):
            with socket.create_connection(("127.0.0.1", port), 5) as plain:
                plain.settimeout(5)
                plain.sendall(request)
                equal(_all_of(plain), answer, f"{port} {request}")
    assert server.wait_for_log(r"\[ERR\] websocket: .*TLS handshake error from 127\.0\.0\.1:\d+: "
                               "client sent an HTTP request to an HTTPS server")
    equal(open_socket(side, server, tls=ISSUER.context()).status, 101)
    with socket.create_connection(("127.0.0.1", monitoring), 5) as raw:
        with ISSUER.context().wrap_socket(raw, server_hostname="localhost") as encrypted:
            encrypted.sendall(b"GET /varz HTTP/1.0\r\n\r\n")
            assert b"server_id" in _all_of(encrypted)


def _all_of(connection):
    """What comes until the end."""
    received = b""
    try:
        while data := connection.recv(65536):
            received += data
    except ConnectionError:
        pass
    return received


@behaviour
def a_certificate_says_who_a_page_is(side):
    users = 'authorization { users [ { user: "CN=page" }, { user: other, password: s } ] }\n'
    server = side.start("websocket { listen: \"127.0.0.1:-1\", " + TLS + ", verify_and_map: true } }\n"
                        + users)
    page = ISSUER.context(ISSUER.issue("/CN=page", ""))
    stranger = ISSUER.context(ISSUER.issue("/CN=stranger", ""))
    connected(side, server, tls=page)
    equal(open_socket(side, server, tls=stranger).connect(), False)
    side.connect(server.port, user="other", **{"pass": "s"})
