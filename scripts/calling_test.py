#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How the scripts may be called: from anywhere, by a link, with a mistake."""
import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parent

# Instead of building, this makes a server that says where it runs and with what.
CMAKE = """#!/bin/sh
echo "cmake $*" >>"$STUB_LOG"
case $1 in --build)
    mkdir -p build/release/tools
    printf '#!/bin/sh\\npwd\\necho "$@"\\n' >build/release/tools/pipit-server
    chmod +x build/release/tools/pipit-server
esac
"""
DPKG_QUERY = "#!/bin/sh\necho 'install ok installed'\n"


class Calling(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp()).resolve()
        self.addCleanup(shutil.rmtree, self.folder)
        self.root = self.folder / "a tree"
        shutil.copytree(SCRIPTS, self.root / "scripts")
        self.log = self.folder / "stub.log"
        self.elsewhere = self.folder / "elsewhere"
        self.elsewhere.mkdir()
        programs = self.folder / "bin"
        programs.mkdir()
        for name, text in (("cmake", CMAKE), ("dpkg-query", DPKG_QUERY)):
            (programs / name).write_text(text)
            (programs / name).chmod(0o755)
        self.environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}",
                            "STUB_LOG": str(self.log)}

    def call(self, *arguments, **environment):
        done = subprocess.run(list(map(str, arguments)), cwd=self.elsewhere, text=True,
                              env={**self.environment, **environment}, timeout=120, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return done.returncode, done.stdout

    def assert_runs(self, *arguments, **environment):
        status, said = self.call(*arguments, "-c", "my.conf", **environment)
        self.assertEqual((status, said.splitlines()[-2:]),
                         (0, [str(self.elsewhere), "-a 127.0.0.1 -p 4222 -m 8222 -c my.conf"]), said)

    def test_run_finds_the_files_of_whoever_calls_it(self):
        self.assert_runs(self.root / "scripts/run")

    def test_run_may_be_called_by_a_link(self):
        link = self.folder / "pipit"
        link.symlink_to(self.root / "scripts/run")
        self.assert_runs(link)

    def test_run_goes_where_it_is_although_cd_looks_elsewhere(self):
        self.assert_runs("../a tree/scripts/run", CDPATH=f"{self.elsewhere}:{self.folder}")
        (self.elsewhere / "tree").symlink_to(self.root)
        self.assert_runs("tree/scripts/run", CDPATH=f"{self.folder}:{self.elsewhere}")

    def test_an_nsc_of_another_version_is_taken_away_when_the_right_one_cannot_be_had(self):
        go = self.folder / "bin/go"
        go.write_text("#!/bin/sh\n[ $1 = env ] && echo go1.99\n")  # `go install` fails.
        go.chmod(0o755)
        nsc = self.root / "build/tools/bin/nsc"
        nsc.parent.mkdir(parents=True)
        for version, stays in (("v2.0.0", False), ("(devel)", True)):
            nsc.write_text(f"mod\tgithub.com/nats-io/nsc/v2\t{version}\t\n")
            nsc.chmod(0o755)
            status, said = self.call("bash", "-c", '. "$1"; need_nsc', "bash", self.root / "scripts/setup.sh")
            self.assertEqual((status, "are left out" in said, nsc.exists()), (0, not stays, stays), said)

    def test_a_part_that_is_not_there_is_said_before_the_others_take_their_time(self):
        status, said = self.call(self.root / "scripts/test", "asan", "relase")
        self.assertEqual(status, 1)
        self.assertIn("unknown part: relase", said)
        self.assertEqual(said.splitlines()[-1], "0 passed, 1 failed")
        self.assertFalse(self.log.exists(), "something was built")


if __name__ == "__main__":
    unittest.main()
