# SPDX-License-Identifier: Apache-2.0
"""What an authority says of the server's own certificate, shown together with it."""
import glob
import os
import signal
import subprocess
import tempfile

from ocsp_responder import GOOD, REVOKED, responder
from suite import (behaviour, equal, is_logged, matches, pipits_own, reload_with, start_failure,
                   wait_until)
from certificates import authority  # Where suite has looked for servers.

ISSUER = authority("Staple authority")
MUST_STAPLE = "tlsfeature = status_request\n"


class _authority(responder):
    """One that ends with the test; its answers hold for an hour unless it is said."""

    def __init__(self):
        super().__init__(ISSUER)
        self.minutes = 60

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def _block(pair, more=""):
    return (f'tls {{ cert_file: "{pair[0]}", key_file: "{pair[1]}", ca_file: "{ISSUER.file}"\n'
            f"handshake_first: true\n{more} }}\n")


def _shown(server, asks=True):
    """What a client is shown: `good`, `revoked`, nothing, or that it does not come in."""
    done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}",
                           *(["-status"] if asks else []), "-CAfile", ISSUER.file],
                          input=b"", capture_output=True, timeout=20, check=False)
    text = done.stdout.decode(errors="replace")
    if "Verify return code: 0 (ok)" not in text or "Cipher is (NONE)" in text:
        return "refused"
    for status in ("good", "revoked"):
        if f"Cert Status: {status}" in text:
            return status
    return None


@behaviour
def always_shows_what_the_authority_says(side):
    with _authority() as asked:
        own = asked.issue(subject="/CN=localhost")
        server = side.start("ocsp { mode: always }\n" + _block(own))
        equal(_shown(server), "good")
        equal(_shown(server, asks=False), None)
        equal(asked.methods, ["POST"])
        is_logged(server, r"\[INF\] OCSP Stapling enabled for Client connections")
        is_logged(server, r"\[INF\] Found OCSP status for Client certificate at '[^']*': good, next update "
                r"\d{4}-.*Z, checking again in \d+m")


@behaviour
def a_certificate_that_demands_it_is_enough(side):
    with _authority() as asked:
        plain = asked.issue(subject="/CN=localhost")
        demanding = asked.issue(subject="/CN=localhost", more=MUST_STAPLE)
        for mode, pair, shown in (("", demanding, "good"), ("ocsp: true", demanding, "good"),
                                  ("ocsp { mode: must }", demanding, "good"),
                                  ("ocsp: false", demanding, None), ("ocsp: true", plain, None),
                                  ("ocsp { mode: must }", plain, None), ("", plain, None)):
            server = side.start(mode + "\n" + _block(pair))
            equal(_shown(server), shown, mode)
            told = "has MustStaple but OCSP is disabled" in server.log()
            equal(told, mode == "ocsp: false" and not side.is_reference)  # Which says it to nobody.


@behaviour
def the_configuration_may_say_where_to_ask(side):
    with _authority() as asked:
        own = ISSUER.issue("/CN=localhost")
        asked.statuses[int(_number(own), 16)] = GOOD
        server = side.start(f'ocsp {{ mode: always, url: "{asked.url}/" }}\n' + _block(own))
        equal(_shown(server), "good")


def _number(pair):
    return subprocess.run(["openssl", "x509", "-in", pair[0], "-noout", "-serial"], check=True,
                          capture_output=True, text=True).stdout.split("=")[1]


@behaviour
def a_get_is_tried_where_a_post_is_refused(side):
    with _authority() as asked:
        asked.refuses_post = True
        server = side.start("ocsp { mode: always }\n" + _block(asked.issue(subject="/CN=localhost")))
        equal(_shown(server), "good")
        equal(asked.methods, ["GET"])


@behaviour
def a_server_that_has_to_show_it_and_cannot_does_not_start(side):
    with _authority() as asked:
        revoked = asked.issue(REVOKED, subject="/CN=localhost")
        _fails(side, "ocsp { mode: always }\n" + _block(revoked),
               "found existing OCSP status for certificate at '.*': revoked")
        plain = ISSUER.issue("/CN=localhost")
        _fails(side, "ocsp { mode: always }\n" + _block(plain),
               "bad OCSP status update for certificate at '.*': no available ocsp servers")
        asked.is_broken = True
        _fails(side, "ocsp { mode: always }\n" + _block(asked.issue(subject="/CN=localhost")),
               "bad OCSP status update for certificate at '.*': exhausted ocsp servers")


def _fails(side, text, why):
    try:
        side.start(text)
    except start_failure as failure:
        matches(why, str(failure))
        return
    raise AssertionError("it starts")


@behaviour
def a_client_is_shown_also_that_the_certificate_was_called_back(side):
    with _authority() as asked:
        own = asked.issue(REVOKED, subject="/CN=localhost", more=MUST_STAPLE)
        server = side.start(_block(own))
        equal(_shown(server), "revoked")
        assert server.wait_for_log(r"\[ERR\] Received OCSP status for Client certificate '.*': revoked")


@behaviour
def an_answer_is_asked_for_again_and_a_server_whose_certificate_is_called_back_ends(side):
    with _authority() as asked:
        own = asked.issue(subject="/CN=localhost", more=MUST_STAPLE)
        asked.minutes = 1  # The least that `openssl` says; it is asked for again after a half.
        server = side.start("ocsp { mode: must }\n" + _block(own))
        equal(_shown(server), "good")
        asked.statuses[asked.last] = REVOKED
        assert server.wait_for_log("Received OCSP status for Client certificate '.*': revoked", 50)
        wait_until(lambda: not server.alive(), 20)
        equal(server.process.returncode, 0)


@pipits_own
def the_end_waits_for_no_authority_that_a_reload_asks(side):
    with _authority() as asked:
        server = side.start(_block(ISSUER.issue("/CN=localhost")))
        asked.speaks.clear()
        server.write_configuration(_block(asked.issue(subject="/CN=localhost", more=MUST_STAPLE)))
        server.signal(signal.SIGHUP)
        wait_until(lambda: asked.asked == 1, 60)
        server.signal(signal.SIGTERM)
        wait_until(lambda: not server.alive(), 25)


@behaviour
def an_answer_is_kept_below_the_store(side):
    with _authority() as asked, tempfile.TemporaryDirectory() as folder:
        own = asked.issue(subject="/CN=localhost")
        text = f'store_dir: "{folder}/x"\nocsp {{ mode: always }}\n' + _block(own)
        server = side.start(text)
        equal(_shown(server), "good")
        server.stop()
        kept, = glob.glob(f"{folder}/x/ocsp/*")
        equal(len(os.path.basename(kept)), 64)
        before = asked.asked
        again = side.start(text)
        equal(_shown(again), "good")
        equal(asked.asked, before)
        again.stop()
        with open(kept, "wb") as file:
            file.write(b"nonsense")
        server = side.start(text)
        equal(_shown(server), "good")
        assert asked.asked > before


@behaviour
def a_reload_brings_the_answer_for_another_certificate(side):
    with _authority() as asked:
        plain = ISSUER.issue("/CN=localhost")
        server = side.start(_block(plain))
        equal(_shown(server), None)
        own = asked.issue(subject="/CN=localhost", more=MUST_STAPLE)
        reload_with(server, _block(own))
        equal(_shown(server), "good")
        asked.is_broken = True
        other = asked.issue(subject="/CN=localhost", more=MUST_STAPLE)
        log = reload_with(server, _block(other))
        matches(r"\[WRN\] Can't restart OCSP features: bad OCSP status update for certificate", log)
        equal(_shown(server), None)
