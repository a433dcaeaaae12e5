# SPDX-License-Identifier: Apache-2.0
"""An authority that can be asked about its certificates over HTTP; `openssl ocsp` answers."""
import base64
import http.server
import os
import subprocess
import tempfile
import threading
import time
import urllib.parse

GOOD, REVOKED, UNKNOWN = "V", "R", None


def _part(tag, content):
    """Of DER."""
    size = len(content)
    bytes_of_size = size.to_bytes((size.bit_length() + 7) // 8 or 1, "big")
    if size > 127:
        bytes_of_size = bytes([0x80 + len(bytes_of_size)]) + bytes_of_size
    return bytes([tag]) + bytes_of_size + content


def _sizes(der):
    """Of the head and of the content."""
    count = der[1] & 0x7f if der[1] > 127 else 0
    return 2 + count, int.from_bytes(der[2:2 + count], "big") if count else der[1]


def _content(der):
    head, size = _sizes(der)
    return der[head:head + size]


def _behind(der):
    return der[sum(_sizes(der)):]


class responder:
    """What it says of a certificate, by its number, is `statuses`; it may be silent or slow."""

    def __init__(self, of):
        self.of = of
        self.statuses = {}
        self.methods = []
        self.delay = 0
        self.speaks = threading.Event()  # Until then it listens and says nothing.
        self.speaks.set()
        self.is_broken = False
        self.answer_body = None
        self.minutes = None  # So long its answers hold; None: they do not say.
        self.refuses_post = False
        self.leaves_out_status = False  # As an authority that uses Go's library may.
        self._folder = tempfile.TemporaryDirectory(prefix="pipit_responder_")
        self._lock = threading.Lock()
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # Who asked may be gone.
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def issue(self, status=GOOD, subject="/CN=client", more="", **options):
        """A certificate with its key, that says who can be asked about it."""
        number = []
        made = self.of.issue(subject, extensions_more=f"authorityInfoAccess = OCSP;URI:{self.url}\n"
                             + more, number_to=number, **options)
        self.statuses[number[0]] = status
        self.last = number[0]
        return made

    @property
    def asked(self):
        return len(self.methods)

    def stop(self):
        self.speaks.set()
        self._server.shutdown()
        self._server.server_close()
        with self._lock:
            self.is_broken = True
            self._folder.cleanup()

    def _handler(self):
        outer = self

        class handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.methods.append("GET")
                path = urllib.parse.unquote(self.path[1:])
                self._answer(base64.b64decode(path))

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if outer.refuses_post:
                    return self.send_error(405)
                outer.methods.append("POST")
                return self._answer(body)

            def _answer(self, request):
                outer.speaks.wait(300)
                time.sleep(outer.delay)
                if outer.is_broken:
                    return self.send_error(500)
                made = outer.answer_without_status if outer.leaves_out_status else outer.answer
                body = outer.answer_body or made(request)
                self.send_response(200)
                self.send_header("Content-Type", "application/ocsp-response")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                return self.wfile.write(body)

            def log_message(self, *_):
                pass

        return handler

    def answer_without_status(self, request):
        """Means that it is revoked."""
        about = request
        for _ in range(4):
            about = _content(about)
        about = _part(0x30, _content(about))
        # It signs as who has the key that is asked about: the third part is its digest.
        key = _behind(_behind(_content(about)))
        now = _part(0x18, time.strftime("%Y%m%d%H%M%SZ", time.gmtime()).encode())
        data = _part(0x30, _part(0xa2, key[:2 + key[1]]) + now + _part(0x30, _part(0x30, about + now)))
        signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", self.of.key], input=data,
                                   check=True, capture_output=True).stdout
        ecdsa_with_sha256 = bytes.fromhex("300a06082a8648ce3d040302")
        basic = _part(0x30, data + ecdsa_with_sha256 + _part(0x03, b"\0" + signature))
        type_basic = bytes.fromhex("06092b0601050507300101")
        return _part(0x30, b"\x0a\x01\0" + _part(0xa0, _part(0x30, type_basic + _part(0x04, basic))))

    def answer(self, request):
        """What the authority says, in DER."""
        with self._lock:
            if self.is_broken:
                return b""
            path = os.path.join(self._folder.name, "")
            with open(path + "request", "wb") as file:
                file.write(request)
            with open(path + "index", "w", encoding="ascii") as file:
                for number, status in self.statuses.items():
                    revoked = "260101000000Z,keyCompromise" if status == REVOKED else ""
                    if status:
                        file.write(f"{status}\t361001000000Z\t{revoked}\t{number:02X}\tunknown\t/CN=x{number}\n")
            span = ["-nmin", str(self.minutes)] if self.minutes else []
            done = subprocess.run(["openssl", "ocsp", "-index", path + "index", "-CA", self.of.file,
                            "-rsigner", self.of.file, "-rkey", self.of.key, "-reqin",
                            path + "request", "-respout", path + "answer", *span],
                           check=False, capture_output=True)
            assert done.returncode == 0, done.stderr
            with open(path + "answer", "rb") as file:
                return file.read()
