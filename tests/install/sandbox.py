# SPDX-License-Identifier: Apache-2.0
"""Another root folder with processes, mounts and a network of its own, by util-linux alone.

As a program it is the first process in there:
    sandbox.py enter <root> [--writable] [--user ID] [--pause] -- <command>…
    sandbox.py talk <port> [line]…      what a server says to a client that sends these lines
"""
import fcntl
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VERSION = re.search(r"project\(pipit VERSION (\d+\.\d+\.\d+)", (ROOT / "CMakeLists.txt").read_text())[1]
SECONDS_MAX = 30


def run(*command, fails=False, **options):
    """Runs it and returns what it printed; ends the test when it fails, or does not and should."""
    done = subprocess.run([str(word) for word in command], text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)
    if bool(done.returncode) != fails:
        sys.exit(f"{' '.join(map(str, command))}: exit code {done.returncode}\n{done.stdout}")
    return done.stdout


def expect(condition, otherwise):
    if not condition:
        sys.exit(otherwise)


def need(*programs):
    """Says in one line what the test cannot do without."""
    if os.geteuid():
        sys.exit("this test makes namespaces and other roots: it must be run as root")
    missing = [program for program in programs if not shutil.which(program)]
    if missing:
        sys.exit(f"missing: {', '.join(missing)} (scripts/setup.sh installs them for scripts/test)")


def children(process):
    """The processes that this one has started."""
    return [int(word) for word in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


class Sandbox:
    """A command in a root folder. `paused`: it is a place for `inside` only, until the end."""

    def __init__(self, root, *command, user=0, writable=False):
        inner = [sys.executable, __file__, "enter", root, "--user", user]
        inner += ["--writable"] if writable else []
        inner += ["--", *command] if command else ["--pause"]
        self.unshare = subprocess.Popen(
            ["unshare", "--mount", "--pid", "--fork", "--net", "--kill-child", *map(str, inner)],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.first = self._child()

    def _child(self):
        deadline = time.monotonic() + SECONDS_MAX
        while time.monotonic() < deadline and self.unshare.poll() is None:
            # It is there when it has left this root for its own.
            for child in children(self.unshare.pid):
                if os.readlink(f"/proc/{child}/root") != "/":
                    return child
            time.sleep(0.02)
        sys.exit(f"nothing runs in there: {self.unshare.communicate()[0]}")

    def entering(self, user=0, group=0):
        """What goes before a program of that root to run it in there."""
        return ["nsenter", "-t", str(self.first), "-m", "-p", "-n", "-r", "-w",
                "-S", str(user), "-G", str(group)]

    def inside(self, *command, user=0, group=None, **options):
        return run(*self.entering(user, user if group is None else group), *command, **options)

    def says(self, port, *lines):
        """What the server on that port says; retried until it listens."""
        return run("nsenter", "-t", self.first, "-n", sys.executable, __file__, "talk", port, *lines)

    def end(self, by=signal.SIGTERM):
        """The exit code and all that was printed."""
        if self.unshare.poll() is None:
            os.kill(self.first, by)
        printed, _ = self.unshare.communicate(timeout=SECONDS_MAX)
        return self.unshare.returncode, printed

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.unshare.poll() is None:
            self.unshare.kill()
            self.unshare.communicate()


def raise_loopback():
    """A new network has its loopback down."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        get_flags, set_flags, up = 0x8913, 0x8914, 1
        request = struct.pack("16sh14x", b"lo", 0)
        flags = struct.unpack("16sh14x", fcntl.ioctl(any_socket, get_flags, request))[1]
        fcntl.ioctl(any_socket, set_flags, struct.pack("16sh14x", b"lo", flags | up))


def enter(root, *arguments):
    """Becomes the command, in the other root."""
    split = arguments.index("--") if "--" in arguments else len(arguments)
    options, command = arguments[:split], arguments[split + 1:]
    user = int(options[options.index("--user") + 1])
    raise_loopback()
    run("mount", "--make-rprivate", "/")
    run("mount", "--bind", root, root)
    run("mount", "-t", "proc", "proc", f"{root}/proc")
    if "--writable" not in options: # As a container whose root is read-only, with a volume.
        run("mount", "-t", "tmpfs", "-o", f"uid={user},mode=700", "tmpfs", f"{root}/data")
        run("mount", "-o", "remount,bind,ro", root)
    os.chdir(root)
    os.chroot(root)
    if user:
        os.setgroups([])
        os.setgid(user)
        os.setuid(user)
    if "--pause" in options:
        while True: # It is process 1, which gets every orphan.
            try:
                os.wait()
            except ChildProcessError:
                time.sleep(0.05)
    os.execv(command[0], command)


def talk(port, *lines):
    """Sends the lines when the server has spoken, or at once to one that waits; prints the rest."""
    deadline = time.monotonic() + SECONDS_MAX
    while True:
        try:
            connection = socket.create_connection(("127.0.0.1", int(port)))
            break
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                sys.exit(f"nobody listens on port {port}")
            time.sleep(0.05)
    connection.settimeout(SECONDS_MAX)
    connection.sendall("".join(line + "\r\n" for line in lines).encode())
    received = b""
    while not received.endswith((b"PONG\r\n", b"}\n", b"}")):
        more = connection.recv(65536)
        if not more:
            break
        received += more
    print(received.decode())


if __name__ == "__main__":
    {"enter": enter, "talk": talk}[sys.argv[1]](*sys.argv[2:])
