# SPDX-License-Identifier: Apache-2.0
"""Clients whose certificates the server asks an authority about."""
import base64
import json
import os
import re
import signal
import socket
import ssl
import tempfile
import threading
import time
import urllib.request

from ocsp_responder import GOOD, REVOKED, UNKNOWN, responder
from suite import behaviour, compared, equal, matches, pipits_own, reload_with, start_failure, wait_until
from certificates import authority  # Where suite has looked for servers.
from tls import secure_client

ISSUER = authority("OCSP authority")
SERVER = ISSUER.issue()


def _block(peer="ocsp_peer: true", verify=True, more=""):
    text = f'tls {{ cert_file: "{SERVER[0]}", key_file: "{SERVER[1]}", ca_file: "{ISSUER.file}"\n'
    return text + f"verify: {str(verify).lower()}\n{peer}\n{more} }}\n"


NO_CACHE = "ocsp_cache: false\n"


class _authority(responder):
    """One that ends with the test."""

    def __init__(self):
        super().__init__(ISSUER)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def _outcome(server, certificate, highest=None):
    """`in`, or why not."""
    made = None
    try:
        made = secure_client(server.port, ISSUER.context(certificate, highest))
        made.connect()
        return "in" if made.stream.pongs else "out"
    except (ssl.SSLError, OSError) as why:
        return str(why)
    finally:
        if made:
            made.stream.socket.close()


def _is_in(server, certificate, highest=None):
    return _outcome(server, certificate, highest) == "in"


@behaviour
def an_authority_says_who_comes_in(side):
    with _authority() as asked:
        good = asked.issue()
        revoked = asked.issue(REVOKED)
        unknown = asked.issue(UNKNOWN)
        server = side.start("debug: true\n" + NO_CACHE + _block())
        for highest in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            assert _is_in(server, good, highest)
            assert not _is_in(server, revoked, highest)
            assert not _is_in(server, unknown, highest)
        equal(asked.methods, ["GET"] * 6)
        for line in (
                     r"\[INF\] OCSP peer cache online, type \[none\]",
                     r"\[DBG\] Peer OCSP enabled: 1 TLS client chain\(s\) will be evaluated",
                     r"\[DBG\] Chain \[0\] has 1 OCSP eligible link\(s\)",
                     r"\[DBG\] Trying OCSP responder url \[http://127.0.0.1:\d+\]",
                     r"\[WRN\] OCSP verify fail for \[CN=client\] with CA status \[revoked\]",
                     r"\[DBG\] Invalid OCSP response status: unknown",
                     r"\[ERR\] .* TLS handshake error: client not OCSP valid",
                     r"\[DBG\] OCSP verify pass for \[CN=client\]"):
            assert server.wait_for_log(line), line + "\n" + server.log()


@behaviour
def who_is_refused_is_told_that_the_certificate_is_bad(side):
    with _authority() as asked:
        server = side.start(NO_CACHE + _block())
        revoked = asked.issue(REVOKED)
        for highest in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = ISSUER.context(revoked, highest)
            told = []
            wait_until(lambda: told.append(_alert(server, context)) or told[-1], what="an alert")
            matches(".*ALERT_BAD_CERTIFICATE", told[-1])


def _alert(server, context):
    """What a client is told in TLS; nothing, where what it still sent destroyed that on its way."""
    with socket.create_connection(("127.0.0.1", server.port)) as plain:
        plain.settimeout(10)
        plain.recv(4096)
        try:
            with context.wrap_socket(plain, server_hostname="localhost") as secured:
                secured.recv(100)
        except ssl.SSLError as why:
            return str(why)
        except ConnectionError:
            return None
    raise AssertionError("it is let in")


@behaviour
def a_certificate_without_a_place_to_ask_is_let_in(side):
    with _authority() as asked:
        server = side.start(NO_CACHE + _block())
        assert _is_in(server, ISSUER.issue("/CN=plain"))
        equal(asked.asked, 0)


@behaviour
def what_is_unknown_or_unreachable_is_as_the_block_says(side):
    with _authority() as asked:
        revoked, unknown = asked.issue(REVOKED), asked.issue(UNKNOWN)
        lenient = side.start(NO_CACHE + _block("ocsp_peer { verify: true, unknown_is_good: true }"))
        assert _is_in(lenient, unknown)
        assert not _is_in(lenient, revoked)
        warns = side.start(NO_CACHE + _block("ocsp_peer { verify: true, warn_only: true }"))
        assert _is_in(warns, revoked)
        assert warns.wait_for_log(r"\[WRN\] OCSP verify fail for \[CN=client\] but WarnOnly is true so "
                                  "allowing")
        asked.is_broken = True
        assert not _is_in(lenient, unknown)
        assert lenient.wait_for_log(r"\[WRN\] Attempt to obtain OCSP response from CA responder for "
                                    r"\[CN=client\] failed: exhausted OCSP responders: bad OCSP "
                                    r"responder http status: \[500\]")
        open_one = side.start(NO_CACHE + _block(
            "ocsp_peer { verify: true, allow_when_ca_unreachable: true }"))
        assert _is_in(open_one, revoked)
        assert open_one.wait_for_log("AllowWhenCAUnreachable set; no cached revocation so allowing")
        asked.is_broken = False
        asked.answer_body = b"nonsense"
        # Pipit remembers for a moment that nobody could be asked.
        wait_until(lambda: not _is_in(open_one, revoked), 60)
        assert open_one.wait_for_log(r"\[ERR\] Could not parse OCSP CA response for \[CN=client\]")


@behaviour
def an_authority_that_leaves_out_the_status_has_revoked(side):
    with _authority() as asked, tempfile.TemporaryDirectory() as folder:
        client = asked.issue()
        asked.leaves_out_status = True
        text = (f'debug: true\nocsp_cache {{ local_store: "{folder}", preserve_revoked: true }}\n' +
                _block("ocsp_peer { verify: true, unknown_is_good: true, allow_when_ca_unreachable: true, "
                       "cache_ttl_when_next_update_unset: 5, allowed_clockskew: 1 }"))
        server = side.start(text)
        assert not _is_in(server, client)
        assert server.wait_for_log(r"\[WRN\] OCSP verify fail for \[CN=client\] with CA status "
                                   r"\[revoked\]"), server.log()
        # And is remembered when nobody can be asked any more.
        asked.is_broken = True

        def is_refused_for_what_was_said():
            assert not _is_in(server, client)
            return "cached revocation exists so rejecting" in server.log()
        wait_until(is_refused_for_what_was_said, 30)


@behaviour
def false_asks_nobody(side):
    with _authority() as asked:
        revoked = asked.issue(REVOKED)
        for peer in ("ocsp_peer: false", "ocsp_peer { verify: false }", ""):
            server = side.start(_block(peer))
            assert _is_in(server, revoked), peer
            assert "OCSP peer cache" not in server.log()
        equal(asked.asked, 0)


@behaviour
def others_are_served_while_an_authority_is_slow(side):
    with _authority() as asked:
        slow, plain = asked.issue(), ISSUER.issue("/CN=plain")
        asked.delay = 3
        server = side.start(NO_CACHE + _block("ocsp_peer { verify: true, ca_timeout: 15 }", more="timeout: 20"))
        results = []
        waiting = [threading.Thread(target=lambda: results.append(_is_in(server, slow)))
                   for _ in range(3)]
        for each in waiting:
            each.start()
        wait_until(lambda: asked.asked > 0, 5)
        start = time.monotonic()
        for _ in range(3):
            assert _is_in(server, plain)
        assert time.monotonic() - start < 2.7
        for each in waiting:
            each.join(20)
        equal(results, [True] * 3)


def _in_the_background(server, certificates):
    """What becomes of clients that come now, one after the other has come."""
    results = []
    for each in certificates:
        threading.Thread(target=lambda it=each: results.append(_is_in(server, it)), daemon=True).start()
    return results


PATIENT = _block("ocsp_peer { verify: true, ca_timeout: 100 }", more="timeout: 100")


@behaviour
def who_needs_another_authority_is_not_held_up(side):
    with _authority() as slow, _authority() as quick:
        server = side.start(NO_CACHE + PATIENT)
        slow.speaks.clear()
        results = _in_the_background(server, [slow.issue() for _ in range(12)])
        wait_until(lambda: slow.asked >= 8, 60)
        assert _is_in(server, quick.issue())
        equal(results, [])
        slow.speaks.set()
        wait_until(lambda: results == [True] * 12, 60)


@pipits_own
def an_authority_is_asked_once_for_all_who_want_to_know_the_same(side):
    with _authority() as asked:
        good = asked.issue()
        server = side.start("debug: true\n" + NO_CACHE + PATIENT)
        asked.speaks.clear()
        results = _in_the_background(server, [good] * 5)
        wait_until(lambda: server.log().count("Checking OCSP peer cache for") == 5, 60)
        asked.speaks.set()
        wait_until(lambda: results == [True] * 5, 60)
        equal(asked.asked, 1)


@pipits_own
def the_end_waits_for_no_authority(side):
    with _authority() as asked:
        server = side.start(NO_CACHE + PATIENT)
        asked.speaks.clear()
        _in_the_background(server, [asked.issue()])
        wait_until(lambda: asked.asked == 1, 60)
        server.signal(signal.SIGTERM)
        wait_until(lambda: not server.alive(), 30)


@pipits_own
def a_handshake_that_waits_too_long_ends(side):
    with _authority() as asked:
        slow = asked.issue()
        asked.delay = 8
        server = side.start(NO_CACHE + _block("ocsp_peer { verify: true, ca_timeout: 10 }",
                                              more="timeout: 2"))
        start = time.monotonic()
        assert not _is_in(server, slow)
        assert time.monotonic() - start < 7
        assert _is_in(server, ISSUER.issue("/CN=plain"))


@behaviour
def an_authority_has_its_time_to_answer(side):
    with _authority() as asked:
        slow = asked.issue()
        asked.delay = 6
        server = side.start(NO_CACHE + _block("ocsp_peer { verify: true, ca_timeout: 0.3 }"))
        start = time.monotonic()
        assert not _is_in(server, slow)
        assert time.monotonic() - start < 5


@behaviour
def answers_are_kept_counted_and_saved(side):
    with _authority() as asked, tempfile.TemporaryDirectory() as folder:
        good, revoked = asked.issue(), asked.issue(REVOKED)
        text = (f'http: "127.0.0.1:-1"\nocsp_cache {{ local_store: "{folder}/s" }}\n' + _block())
        server = side.start(text)
        for _ in range(3):
            assert _is_in(server, good)
        assert not _is_in(server, revoked)
        equal(asked.asked, 2)
        page = json.loads(server.monitoring("/varz"))
        equal(page["tls_ocsp_peer_verify"], True)
        equal(page["ocsp_peer_cache"],
              {"cache_type": "local", "cache_hits": 2, "cache_misses": 2, "cached_responses": 2,
               "cached_revoked_responses": 1, "cached_good_responses": 1})
        server.stop()
        with open(f"{folder}/s/cache.json", encoding="utf-8") as file:
            kept = list(json.load(file).values())
        equal(sorted(each["resp_status"] for each in kept), ["good", "revoked"])
        equal(sorted(kept[0]), ["cached_at", "resp", "resp_expires", "resp_status", "subject"])
        again = side.start(text)
        assert _is_in(again, good)
        assert not _is_in(again, revoked)
        equal(asked.asked, 2)


@compared
def each_server_reads_the_answers_that_the_other_has_saved(side, reference):
    with _authority() as asked:
        for first, second in ((side, reference), (reference, side)):
            with tempfile.TemporaryDirectory() as folder:
                text = f'ocsp_cache {{ local_store: "{folder}/s" }}\n' + _block()
                good, revoked = asked.issue(), asked.issue(REVOKED)
                server = first.start(text)
                assert _is_in(server, good) and not _is_in(server, revoked)
                server.stop()
                before = asked.asked
                other = second.start(text)
                assert _is_in(other, good) and not _is_in(other, revoked)
                equal(asked.asked, before)
                other.stop()


@behaviour
def a_file_of_answers_is_not_believed(side):
    with _authority() as asked, tempfile.TemporaryDirectory() as folder:
        revoked = asked.issue(REVOKED)
        text = f'ocsp_cache {{ local_store: "{folder}" }}\n' + _block()
        for content in ("{", "[]", '{"a": {"resp": "AAAA"}}'):
            with open(f"{folder}/cache.json", "w", encoding="utf-8") as file:
                file.write(content)
            server = side.start(text)
            assert not _is_in(server, revoked)
            server.stop()


@compared
def the_system_account_hears_of_refused_certificates_alike(side, reference):
    heard = []
    with _authority() as asked:
        revoked = asked.issue(REVOKED)
        good = ISSUER.issue("/CN=watcher")
        for each in (side, reference):
            server = each.start(NO_CACHE + _block() + "system_account: SYS\n"
                                "accounts { SYS { users: [ { user: sys, password: sys } ] } }\n")
            watcher = secure_client(server.port, ISSUER.context(good))
            each.clients.append(watcher)
            watcher.connect(user="sys", **{"pass": "sys"})
            watcher.send("SUB $SYS.SERVER.*.OCSP.PEER.> 1\r\n")
            watcher.barrier()
            assert not _is_in(server, revoked)
            watcher.wait_for(lambda it: len(it.messages) >= 2, what="two events")
            found = []
            for control, body in watcher.messages:
                event = json.loads(body)
                for free in ("id", "timestamp"):
                    assert event.pop(free)
                assert event["server"].pop("id") in control.decode()
                event["server"] = sorted(event["server"])
                found.append((re.sub("SERVER.[A-Z0-9]+", "", control.decode().split()[1]), event,
                              list(event)))
            heard.append(sorted(found, key=lambda one: one[0]))
    mine, other = heard
    for one, two in zip(mine, other):
        one[1].pop("server"), two[1].pop("server")
    equal(mine, other)
    assert base64.b64decode(mine[0][1]["peer"]["raw"])


@behaviour
def a_listener_for_websockets_asks_too(side):
    with _authority() as asked:
        good, revoked = asked.issue(), asked.issue(REVOKED)
        server = side.start(NO_CACHE + 'http: "127.0.0.1:-1"\nwebsocket { listen: "127.0.0.1:-1"\n'
                            + _block() + "}\n")
        port = int(server.ports["websocket"][0].rsplit(":", 1)[1])
        assert b" 101 " in _upgrade(port, good)
        equal(_upgrade(port, revoked), b"")
        page = json.loads(server.monitoring("/varz"))
        equal(page["websocket"]["tls_ocsp_peer_verify"], True)
        assert "tls_ocsp_peer_verify" not in page


def _upgrade(port, certificate):
    """What a WebSocket's request is answered; nothing, where it is refused."""
    try:
        with socket.create_connection(("127.0.0.1", port)) as plain:
            plain.settimeout(5)
            context = ISSUER.context(certificate)
            with context.wrap_socket(plain, server_hostname="localhost") as secured:
                secured.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
                                b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                                b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
                return secured.recv(4096)
    except OSError:
        return b""


@behaviour
def monitoring_over_https_is_as_closed_as_the_clients_port(side):
    with _authority() as asked:
        good, revoked = asked.issue(), asked.issue(REVOKED)
        server = side.start(NO_CACHE + 'https: "127.0.0.1:-1"\n' + _block())
        port = server.ports["monitoring"][0].rsplit(":", 1)[1]

        assert _sees_monitoring(port, good)
        assert not _sees_monitoring(port, revoked)
        assert not _sees_monitoring(port, None)


def _sees_monitoring(port, certificate):
    try:
        context = ISSUER.context(certificate)
        with urllib.request.urlopen(f"https://localhost:{port}/varz", context=context,
                                    timeout=60) as answer:
            return json.load(answer)["tls_ocsp_peer_verify"]
    except OSError:
        return False


@behaviour
def monitoring_goes_on_while_an_authority_is_slow(side):
    with _authority() as asked:
        slow, plain = asked.issue(), ISSUER.issue("/CN=plain")
        server = side.start(NO_CACHE + 'https: "127.0.0.1:-1"\n' + PATIENT)
        port = server.ports["monitoring"][0].rsplit(":", 1)[1]
        asked.speaks.clear()
        results = []
        threading.Thread(target=lambda: results.append(_sees_monitoring(port, slow)),
                         daemon=True).start()
        wait_until(lambda: asked.asked == 1, 60)
        for _ in range(3):
            assert _sees_monitoring(port, plain)
        asked.speaks.set()
        wait_until(lambda: results, 60)


@behaviour
def it_wants_clients_that_show_a_certificate(side):
    try:
        side.start(_block(verify=False))
        raise AssertionError("it starts")
    except start_failure as why:
        matches("(?s).*OCSP peer verification for client connections requires TLS verify "
                r"\(mTLS\) to be enabled", str(why))


@behaviour
def a_reload_turns_it_on(side):
    with _authority() as asked:
        revoked = asked.issue(REVOKED)
        server = side.start(NO_CACHE + _block(""))
        assert _is_in(server, revoked)
        log = reload_with(server, NO_CACHE + _block())
        matches(r"(?s).*OCSP peer cache online, type \[none\]", log)
        assert not _is_in(server, revoked)
        reload_with(server, NO_CACHE + _block("ocsp_peer: false"))
        assert _is_in(server, revoked)


@behaviour
def the_folder_of_the_answers_is_beside_the_server_unless_it_is_said(side):
    with _authority() as asked:
        good = asked.issue(GOOD)
        server = side.start("ocsp_cache { save_interval: 1 }\n" + _block())
        assert _is_in(server, good)
        path = os.path.join(server.path, "_rc_", "cache.json")
        wait_until(lambda: os.path.exists(path), 10)
