# SPDX-License-Identifier: Apache-2.0
"""Starts and stops NATS servers (Pipit's or the reference) on free ports of 127.0.0.1."""
import glob
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.request

START_SECONDS = 20
STOP_SECONDS = 10


def find_program(name):
    """The absolute path, for servers start in folders of their own; None when there is none."""
    path = shutil.which(name)
    return os.path.abspath(path) if path else None


class start_failure(Exception):
    """The server did not come up; the text carries its log."""


class server_process:
    """One server with a configuration text, found by its ports file.

    A `listen: 127.0.0.1:-1` is put in front unless `bare` is set; `files` are written beside it.
    """

    def __init__(self, program, configuration="", arguments=(), bare=False, environment=None,
                 files=None):
        self.program = program
        self.folder = tempfile.TemporaryDirectory(prefix="pipit_server_")
        self.path = self.folder.name
        self.config_path = os.path.join(self.path, "server.conf")
        self.log_path = os.path.join(self.path, "server.log")
        self.bare = bare
        self.write_configuration(configuration)
        for name, text in (files or {}).items():
            os.makedirs(os.path.dirname(os.path.join(self.path, name)), exist_ok=True)
            with open(os.path.join(self.path, name), "w", encoding="utf-8") as file:
                file.write(text)
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                [program, "-c", self.config_path, "--ports_file_dir", self.path, *arguments],
                stdout=subprocess.DEVNULL, stderr=log, cwd=self.path,
                env={**os.environ, **(environment or {})})
        self.ports = self._wait_for_ports()
        self.port = self._port_of("nats")

    def write_configuration(self, text):
        with open(self.config_path, "w", encoding="utf-8") as file:
            if not self.bare:
                file.write("listen: \"127.0.0.1:-1\"\n")
            file.write(text)

    def _wait_for_ports(self):
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise start_failure(f"{self.program} exited with {self.process.returncode}\n"
                                    + self.log())
            for name in glob.glob(os.path.join(self.path, f"*_{self.process.pid}.ports")):
                try:
                    with open(name, encoding="utf-8") as file:
                        return json.load(file)
                except ValueError:
                    pass  # Still being written.
            time.sleep(0.005)
        self.kill()
        raise start_failure(f"{self.program} wrote no ports file\n" + self.log())

    def _port_of(self, kind):
        urls = self.ports.get(kind)
        return int(urls[0].rsplit(":", 1)[1]) if urls else None

    def monitoring(self, path):
        """The body of a monitoring page."""
        url = self.ports["monitoring"][0] + path
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.read()

    def log(self):
        with open(self.log_path, "r", encoding="utf-8", errors="replace") as file:
            return file.read()

    def wait_for_log(self, pattern, seconds=10.0, start=0):
        """The first match of `pattern` in the log from offset `start`, or None."""
        deadline = time.monotonic() + seconds
        while True:
            found = re.search(pattern, self.log()[start:])
            if found or time.monotonic() > deadline:
                return found
            time.sleep(0.01)

    def memory_bytes(self):
        """The resident set."""
        with open(f"/proc/{self.process.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def alive(self):
        return self.process.poll() is None

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self):
        """Ends the server as an operator would; its exit code."""
        if self.alive():
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()
        self.folder.cleanup()
        return self.process.returncode

    def kill(self):
        if self.alive():
            self.process.kill()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
