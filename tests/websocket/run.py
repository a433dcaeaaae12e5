#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Other people's WebSockets: official clients in node and in a browser, behind nginx and http-proxy.

    run.py --server pipit-server --build FOLDER [--only node|browser|guide] [--count N]

FOLDER keeps the npm packages. The configurations of nginx and of the server, and the page, are those
of docs/guides/server.md.
"""
import argparse
import http.server
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "differential"))
from servers import find_program, server_process  # noqa: E402

GUIDE = os.path.join(HERE, "..", "..", "docs", "guides", "server.md")
BROWSERS = ("chromium-headless-shell", "chromium")
NGINX = ("nginx", "/usr/sbin/nginx")


def from_guide(language, word):
    """The guide's only block in this language that has the word."""
    with open(GUIDE, encoding="utf-8") as file:
        blocks = re.findall(r"^```(\w*)\n(.*?)^```$", file.read(), re.MULTILINE | re.DOTALL)
    found = [block for name, block in blocks if name == language and word in block]
    assert len(found) == 1, f"{len(found)} blocks in {language} with {word!r} in the guide"
    return found[0]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_port(port, process):
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        assert process.poll() is None, "it ended"
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise AssertionError(f"nobody listens on {port}")


def install(build):
    """The npm packages, and bundles that a page can import."""
    lock = os.path.join(HERE, "package-lock.json")
    done = os.path.join(build, "package-lock.json.done")
    os.makedirs(build, exist_ok=True)
    if not os.path.exists(done) or open(done, "rb").read() != open(lock, "rb").read():
        for name in ("package.json", "package-lock.json"):
            shutil.copy(os.path.join(HERE, name), build)
        subprocess.run(["npm", "ci", "--silent", "--no-audit", "--no-fund"], cwd=build, check=True)
        shutil.copy(lock, done)
    pages = os.path.join(build, "pages")
    os.makedirs(pages, exist_ok=True)
    subprocess.run(["npx", "esbuild", "@nats-io/nats-core", "--bundle", "--format=esm",
                    "--log-level=error", "--outfile=pages/nats-core.js"], cwd=build, check=True)
    shutil.copy(os.path.join(build, "node_modules/nats.ws/esm/nats.js"),
                os.path.join(pages, "nats.ws.js"))
    for name in ("work.mjs", "page.html"):
        shutil.copy(os.path.join(HERE, name), pages)
    return pages


class page_server:
    """Serves the pages and waits for what one of them found out."""

    def __init__(self, folder):
        results, outer = threading.Event(), self
        self.arrived, self.result = results, None

        class handler(http.server.SimpleHTTPRequestHandler):
            extensions_map = {".js": "text/javascript", ".mjs": "text/javascript",
                              ".html": "text/html", ".json": "application/json"}

            def __init__(self, *arguments):
                super().__init__(*arguments, directory=folder)

            def do_POST(self):
                outer.result = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(204)
                self.end_headers()
                results.set()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()


class world:
    """The server, both proxies, and a folder for what they need."""

    def __init__(self, program, build):
        self.folder = tempfile.TemporaryDirectory(prefix="pipit_websocket_")
        self.build = build
        self.processes = []
        self.pages = page_server(os.path.join(build, "pages"))
        # The configuration of the guide, with what is this machine's.
        block = from_guide("", "allowed_origins")
        block = block.replace('"127.0.0.1:8080"', '"127.0.0.1:-1"')
        block = block.replace('"https://app.example.org"', f'"{self.pages.url}"')
        self.server = server_process(program, block + 'http: "127.0.0.1:-1"\n')
        self.port = int(self.server.ports["websocket"][0].rsplit(":", 1)[1])
        self.nginx_port = self._start_nginx()
        self.proxy_port = self._start_http_proxy()

    def _start_nginx(self):
        port, path = free_port(), self.folder.name
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                        "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
                        "-keyout", f"{path}/app.key", "-out", f"{path}/app.crt"],
                       check=True, capture_output=True)
        block = from_guide("nginx", "location /nats")
        block = block.replace("443", f"127.0.0.1:{port}").replace("/etc/ssl/", path + "/")
        block = block.replace("127.0.0.1:8080", f"127.0.0.1:{self.port}")
        with open(f"{path}/nginx.conf", "w", encoding="utf-8") as file:
            file.write(f"daemon off;\npid {path}/nginx.pid;\nerror_log {path}/error.log;\n"
                       + ("user root;\n" if os.getuid() == 0 else "")
                       + "events {}\nhttp {\naccess_log off;\n"
                       + "".join(f"{kind}_temp_path {path}/{kind};\n" for kind in
                                 ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
                       + block + "}\n")
        program = next(filter(None, map(shutil.which, NGINX)))
        process = subprocess.Popen([program, "-p", path, "-e", f"{path}/error.log",
                                    "-c", f"{path}/nginx.conf"])
        self.processes.append(process)
        wait_for_port(port, process)
        return port

    def _start_http_proxy(self):
        process = subprocess.Popen(
            ["node", os.path.join(HERE, "http_proxy.mjs"), self.build, f"http://127.0.0.1:{self.port}"],
            stdout=subprocess.PIPE, text=True)
        self.processes.append(process)
        return int(process.stdout.readline())

    def published(self):
        return json.loads(self.server.monitoring("/varz"))["in_msgs"]

    def browse(self, page, seconds, *flags):
        """What the page posts."""
        browser = next(filter(None, map(shutil.which, BROWSERS)), None)
        assert browser, "no " + " and no ".join(BROWSERS)
        self.pages.arrived.clear()
        process = subprocess.Popen(
            [browser, "--headless", "--no-sandbox", "--disable-gpu", "--ignore-certificate-errors",
             "--disable-dev-shm-usage", f"--user-data-dir={self.folder.name}/browser",
             "--remote-debugging-port=0", *flags, f"{self.pages.url}/{page}"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        try:
            assert self.pages.arrived.wait(seconds), f"{page} did not end in {seconds} s"
        finally:
            os.killpg(process.pid, signal.SIGKILL)  # Its renderers outlive it otherwise.
            process.wait()
        return self.pages.result

    def write_page(self, name, text):
        with open(os.path.join(self.build, "pages", name), "w", encoding="utf-8") as file:
            file.write(text)

    def close(self):
        for each in self.processes:
            each.terminate()
            each.wait()
        self.pages.close()
        self.server.stop()
        self.folder.cleanup()


def in_node(at, count):
    """The official clients, straight and through both proxies."""
    plan = {"urls": {"nothing": f"ws://127.0.0.1:{at.port}/any/path",
                     "nginx": f"wss://localhost:{at.nginx_port}/nats",
                     "http-proxy": f"ws://127.0.0.1:{at.proxy_port}/nats"},
            "tcp": f"127.0.0.1:{at.server.port}", "count": count}
    before = at.published()
    done = subprocess.run(["node", os.path.join(HERE, "node_clients.mjs"), at.build, json.dumps(plan)],
                          capture_output=True, text=True, check=False, timeout=300,
                          env={**os.environ, "NODE_TLS_REJECT_UNAUTHORIZED": "0"})
    assert done.returncode == 0, done.stderr[-2000:]
    results = json.loads(done.stdout.splitlines()[-1])
    poured = at.published() - before
    if poured < 18 * count:
        results["everything arrived"] = f"failed: {poured} of {18 * count}"
    return results


def in_browser(at, count):
    """The same from a page, and a page that is not let in."""
    closed = server_process(at.server.program, 'websocket { listen: "127.0.0.1:-1", no_tls: true, '
                            "same_origin: true }\n")
    try:
        forbidden = closed.ports["websocket"][0]
        at.write_page("plan.json", json.dumps({
            "url": f"ws://127.0.0.1:{at.port}", "nginx": f"wss://localhost:{at.nginx_port}/nats",
            "forbidden": forbidden, "count": count}))
        before = at.published()
        results = at.browse("page.html", 400)
        poured = at.published() - before
        if poured < 12 * count:
            results["everything arrived"] = f"failed: {poured} of {12 * count}"
        if not closed.wait_for_log("origin not allowed: not same origin"):
            results["the log"] = "failed: says nothing of the other origin"
        return results
    finally:
        closed.stop()


def guide(at, _):
    """The guide's page shows what it publishes."""
    text = from_guide("html", "wsconnect")
    text = text.replace("wss://app.example.org/nats", f"wss://localhost:{at.nginx_port}/nats")
    at.write_page("guide.html", "<!doctype html><body></body>" + text + """<script>
const timer = setInterval(() => {
  if (!document.body.textContent.includes("hello")) return;
  clearInterval(timer);
  fetch("result", { method: "POST", body: JSON.stringify({ "the guide's page": 0 }) });
}, 50);
</script>""")
    return at.browse("guide.html", 60)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", required=True, help="the server under test")
    parser.add_argument("--build", required=True, help="where npm packages are kept")
    parser.add_argument("--only", default=None, help="node, browser or guide")
    parser.add_argument("--count", type=int, default=1_000_000, help="messages that are poured")
    arguments = parser.parse_args()
    program = find_program(arguments.server)
    if not program:
        sys.exit("the server is missing")
    build = os.path.abspath(arguments.build)
    install(build)
    parts = {"node": in_node, "browser": in_browser, "guide": guide}
    failed = 0
    at = world(program, build)
    try:
        for name, part in parts.items():
            if arguments.only and arguments.only != name:
                continue
            begin = time.monotonic()
            for step, outcome in part(at, arguments.count).items():
                good = isinstance(outcome, int)
                failed += not good
                print(f"{'ok    ' if good else 'FAILED'} {name}: {step}: {outcome}"
                      + (" ms" if good else ""), flush=True)
            print(f"       {name}: {time.monotonic() - begin:.1f} s", flush=True)
    finally:
        at.close()
    print(f"{failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
