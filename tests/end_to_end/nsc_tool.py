# SPDX-License-Identifier: Apache-2.0
"""What `nsc` makes, pushes, pulls and deletes; left out where that tool is not installed.

`go install github.com/nats-io/nsc/v2@latest` puts it on the PATH; beside the reference server it is
found as well.
"""
import os
import re
import shutil
import subprocess
import tempfile

from identity import is_in, is_refused
from nkeys import base64, key
from suite import behaviour, equal, matches

# The part of a file of credentials that holds this.
JWT = re.compile(r"BEGIN NATS USER JWT-----\n(\S+)")
SEED = re.compile(r"BEGIN USER NKEY SEED-----\n(\S+)")


def found():
    here = os.path.dirname(os.path.abspath(__file__))
    beside = os.path.join(here, "..", "..", "build", "tools", "bin", "nsc")
    return shutil.which("nsc") or (os.path.abspath(beside) if os.path.exists(beside) else None)


class workshop:
    """An operator with a system account, an account A and its user U, made by nsc in a folder."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="pipit_nsc_")
        path = self.folder.name
        self.environment = {**os.environ, "HOME": path, "XDG_CONFIG_HOME": path + "/config",
                            "XDG_DATA_HOME": path + "/data", "NSC_HOME": path + "/nsc",
                            "NKEYS_PATH": path + "/keys"}
        for arguments in (("add", "operator", "OP", "--sys"), ("add", "account", "A"),
                          ("add", "user", "--account", "A", "U")):
            self.run(*arguments)

    def run(self, *arguments):
        done = subprocess.run([found(), *arguments], capture_output=True, text=True, timeout=60,
                              env=self.environment, check=False)
        equal(done.returncode, 0, f"nsc {' '.join(arguments)}: {done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def configuration(self):
        path = self.folder.name + "/resolver.conf"
        self.run("generate", "config", "--nats-resolver", "--config-file", path, "--force")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        text = re.sub(r"dir: .*", 'dir: "./jwt"', text)
        return text.replace("allow_delete: false", "allow_delete: true")

    def log_in(self, side, port):
        """As the user U, with the file of credentials that nsc wrote."""
        for folder, _, names in os.walk(self.folder.name):
            if "U.creds" in names:
                with open(os.path.join(folder, "U.creds"), encoding="utf-8") as file:
                    text = file.read()
        seed = SEED.search(text)[1]
        user = key("U")
        user.use_secret(base64.b32decode(seed + "=" * (-len(seed) % 8))[2:34])
        client = side.open(port)
        client.connect(jwt=JWT.search(text)[1], sig=user.signature_of(client.info["nonce"]))
        return client


@behaviour
def what_nsc_makes_works_unchanged(side):
    if not found():
        return
    made = workshop()
    server = side.start(made.configuration())
    url = f"nats://127.0.0.1:{server.port}"
    made.run("edit", "operator", "--account-jwt-server-url", url)
    is_refused(made.log_in(side, server.port))
    matches(r"pushed \"A\" to nats-server .*: jwt updated", made.run("push", "--all"))
    is_in(made.log_in(side, server.port))
    matches("stored account \"A\"", made.run("pull", "--all", "--overwrite-newer"))
    made.run("revocations", "add-user", "--account", "A", "--name", "U")
    client = made.log_in(side, server.port)
    made.run("push", "--account", "A")
    is_refused(client, "-ERR 'User Authentication Revoked'")
    made.run("delete", "account", "A", "--force")
    matches("deleted 1 accounts", made.run("push", "--prune"))
