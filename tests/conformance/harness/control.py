# SPDX-License-Identifier: Apache-2.0
"""The small HTTP server through which drivers reach their session."""

import http.server
import json
import threading
import traceback


class control_handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self._answer(self.server.session.plan())

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        try:
            answer = self.server.session.handle(request)
        except Exception:  # The driver notes it as part of the outcome, which then fails.
            answer = {"lines": ["missing: " + traceback.format_exc()], "urls": {}, "lease": ""}
        self._answer(answer)

    def _answer(self, value):
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class control_listener(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def serve(session):
    """Serves the session until `shutdown()` of what is returned; `url` is its address."""
    server = control_listener(("127.0.0.1", 0), control_handler)
    server.session = session
    server.url = f"http://127.0.0.1:{server.server_address[1]}/"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
