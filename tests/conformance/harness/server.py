# SPDX-License-Identifier: Apache-2.0
"""A server program under test: started on free ports, signalled, restarted and stopped."""

import collections
import json
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

CONFIGS = pathlib.Path(__file__).resolve().parent.parent / "configs"
PATIENCE_SECONDS = 15


page = collections.namedtuple("page", "status headers body")


class controlled_server:
    """One process, with a folder of its own for its configuration, its ports file and its log."""

    def __init__(self, program, config):
        self.program = str(program)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="conformance-"))
        self.configure(config)
        self.ports = {}
        self.process = None
        self.start()

    @property
    def url(self):
        return self.ports["nats"][0]

    def configure(self, config):
        shutil.copy(CONFIGS / f"{config}.conf", self.folder / "server.conf")

    def start(self):
        """Starts the program; a second time on the ports of the first, so that clients find it again."""
        command = [self.program, "-c", "server.conf", "--ports_file_dir", str(self.folder)]
        if self.ports:
            command += ["-p", self.url.rsplit(":", 1)[1]]
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log)
        self.ports = self._wait_for(self._read_ports, "its ports file")

    def _read_ports(self):
        for path in self.folder.glob(f"*_{self.process.pid}.ports"):
            try:
                return json.loads(path.read_text())
            except ValueError:
                return None  # It is still being written.
        return None

    def _wait_for(self, condition, what):
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            found = condition()
            if found:
                return found
            if self.process.poll() is not None:
                break
            time.sleep(0.01)
        raise RuntimeError(f"{self.program}: waited in vain for {what}\n{self.log()}")

    def log(self):
        return (self.folder / "log").read_text(errors="replace")

    def reload(self, config):
        """Gives the running server another configuration; answers whether it took it."""
        self.configure(config)
        seen = len(self.log())
        self.process.send_signal(signal.SIGHUP)
        words = ("Reloaded server configuration", "Failed to reload")
        line = self._wait_for(
            lambda: next((word for word in words if word in self.log()[seen:]), None), "a reload")
        return line == words[0]

    def lame_duck(self):
        self.process.send_signal(signal.SIGUSR2)

    def stop(self):
        """Answers the exit code."""
        if self.process.poll() is None:
            self.process.terminate()
        return self.wait()

    def wait(self):
        try:
            return self.process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def get(self, path):
        """A monitoring document."""
        try:
            with urllib.request.urlopen(self.ports["monitoring"][0] + path, timeout=10) as answer:
                return page(answer.status, answer.headers, answer.read().decode())
        except urllib.error.HTTPError as error:
            return page(error.code, error.headers, error.read().decode())

    def remove(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
