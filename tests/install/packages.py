#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""packages.py --packages <folder> --cache <folder>: installs the Debian packages on a clean system.

The system has what is essential and what the packages ask for, nothing else; dpkg refuses a package
whose dependencies are not all there, and the programs would not start. It is kept below the cache.
"""
import argparse
import hashlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sandbox import VERSION, Sandbox, children, expect, need, run

# What lintian says of CPack, which calls ldconfig besides the trigger.
LINTIAN_ALLOWED = ["maintscript-calls-ldconfig"]
PING = ('CONNECT {"verbose":false}', "PING")
EXPOSURE_MAX = 2.0 # Of 10, as `systemd-analyze security` counts.


def control(package, field):
    return run("dpkg-deb", "-f", package, field).strip()


def dependencies(package):
    """The names of what a package asks for."""
    names = re.split(r"\s*,\s*", re.sub(r"\([^)]*\)", "", control(package, "Depends")))
    return {name.split("|")[0].strip() for name in names} - {""}


def clean_system(cache, needed):
    """A tar file with a Debian of this machine's release that has these packages."""
    release = re.search(r"^VERSION_CODENAME=(\w+)", Path("/etc/os-release").read_text(), re.M)[1]
    key = hashlib.sha256(" ".join([release, *sorted(needed)]).encode()).hexdigest()[:16]
    system = cache / f"debian-{release}-{key}.tar"
    if not system.exists():
        cache.mkdir(parents=True, exist_ok=True)
        part = system.with_suffix(".part.tar")
        run("mmdebstrap", "--quiet", "--mode=root", "--variant=essential",
            "--dpkgopt=force-unsafe-io", f"--include={','.join(sorted(needed))}", release, part)
        part.rename(system)
    return system


def check_packages(packages):
    expect(set(packages) == {"pipit", "libpipit0", "libpipit-dev"}, f"packages: {sorted(packages)}")
    for package in packages.values():
        expect(control(package, "Version") == f"{VERSION}-1", control(package, "Version"))
    needed = dependencies(packages["libpipit-dev"])
    expect({"libpipit0"} <= needed and any(re.fullmatch(r"libboost[\d.]+-dev", n) for n in needed),
           f"libpipit-dev depends on {needed}")
    expect({"adduser", "libc6"} <= dependencies(packages["pipit"]), control(packages["pipit"], "Depends"))
    run("lintian", "--fail-on", "error,warning", "--suppress-tags", ",".join(LINTIAN_ALLOWED),
        *packages.values())


def check_unit(root):
    """systemd understands the unit, and finds little that it could still take away."""
    unit = "/lib/systemd/system/pipit.service"
    expect((root / "etc/systemd/system/multi-user.target.wants/pipit.service").is_symlink(),
           "the service is not enabled")
    said = run("systemd-analyze", "security", "--offline=true", "--no-pager", str(root) + unit)
    exposure = float(re.search(r"Overall exposure level for pipit.service: ([\d.]+)", said)[1])
    expect(exposure <= EXPOSURE_MAX, f"{said}")
    return [re.search(rf"^{key}=(.*)$", (root / unit[1:]).read_text(), re.M)[1].split()
            for key in ("ExecStart", "ExecReload")]


def owner(system, path):
    return system.inside("/usr/bin/stat", "-c", "%U:%G %a", path).strip()


def load_time(varz):
    return re.search(r'"config_load_time": "(.*)"', varz)[1]


def check_service(system, command, reload):
    """What the unit starts, as whom it starts it, and that the system has what reloads it."""
    user = int(system.inside("/usr/bin/id", "-u", "pipit"))
    group = int(system.inside("/usr/bin/id", "-g", "pipit"))
    system.inside(*command, "-t", user=user, group=group)
    server = subprocess.Popen([*system.entering(user, group), *command],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        answer = system.says(4222, *PING)
        expect("INFO {" in answer and "PONG" in answer, f"on port 4222: {answer}")
        answer = system.says(8222, "GET /varz HTTP/1.0", "")
        expect(f'"pipit_version": "{VERSION}"' in answer, f"on port 8222: {answer}")
        pid = re.search(r"^NSpid:.*\t(\d+)$", Path(f"/proc/{children(server.pid)[0]}/status").read_text(), re.M)[1]
        system.inside(*(word.replace("${MAINPID}", pid) for word in reload), user=user, group=group)
        deadline = time.monotonic() + 30
        while load_time(answer) == load_time(system.says(8222, "GET /varz HTTP/1.0", "")):
            expect(time.monotonic() < deadline, "it was not reloaded")
            time.sleep(0.1)
    finally:
        for process in children(server.pid): # The server, which nsenter waits for.
            os.kill(process, signal.SIGTERM)
        printed, _ = server.communicate(timeout=30)
    expect(server.returncode == 0, f"the server ended with {server.returncode}:\n{printed}")


def check_installation(system, root, packages):
    install = ["/usr/bin/dpkg", "--install", "--force-unsafe-io"]
    system.inside(*install, "/packages/pipit.deb", "/packages/libpipit0.deb")
    expect(VERSION in system.inside("/usr/bin/pipit-server", "--version"), "another version")
    expect(owner(system, "/etc/pipit/pipit.conf") == "root:pipit 640", "who reads the configuration?")
    expect(owner(system, "/var/lib/pipit") == "pipit:pipit 700", "who reads the state?")
    check_service(system, *check_unit(root))

    # Headers alone: what they need of Boost is large, and was looked at above.
    boost = next(n for n in dependencies(packages["libpipit-dev"]) if n.startswith("libboost"))
    system.inside(*install, f"--ignore-depends={boost}", "/packages/libpipit-dev.deb")
    library = next(root.glob("usr/lib/*/libpipit.so"))
    expect(library.resolve().name == f"libpipit.so.{VERSION}", f"{library} leads to {library.resolve()}")
    expect("libpipit.so.0 " in system.inside("/sbin/ldconfig", "-p"), "ldconfig does not know it")


def check_life(system, root):
    """An upgrade keeps what was changed, a removal what was stored, and a purge nothing."""
    configuration = root / "etc/pipit/pipit.conf"
    changed = configuration.read_text() + "max_payload: 2MB\n"
    configuration.write_text(changed)
    (root / "var/lib/pipit/kept").write_text("kept")
    system.inside("/usr/bin/dpkg", "--install", "--force-unsafe-io", "/packages/pipit.deb")
    expect(configuration.read_text() == changed, "the configuration was overwritten")
    expect(owner(system, "/etc/pipit/pipit.conf") == "root:pipit 640", "its owner was lost")

    system.inside("/usr/bin/dpkg", "--remove", "pipit")
    expect(not (root / "usr/bin/pipit-server").exists(), "the program is still there")
    expect(configuration.exists() and (root / "var/lib/pipit/kept").exists(), "too much was removed")

    system.inside("/usr/bin/dpkg", "--purge", "pipit")
    for path in ("etc/pipit/pipit.conf", "var/lib/pipit",
                 "etc/systemd/system/multi-user.target.wants/pipit.service"):
        expect(not (root / path).exists() and not (root / path).is_symlink(), f"{path} is still there")
    expect("pipit" not in (root / "etc/passwd").read_text(), "the user is still there")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--packages", required=True, type=Path)
    parser.add_argument("--cache", required=True, type=Path)
    arguments = parser.parse_args()
    need("mmdebstrap", "dpkg-deb", "lintian", "systemd-analyze", "unshare", "nsenter")
    packages = {control(file, "Package"): file for file in arguments.packages.glob("*.deb")}
    check_packages(packages)
    needed = dependencies(packages["pipit"]) | dependencies(packages["libpipit0"])
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        root.chmod(0o755)
        run("tar", "-C", root, "-xf", clean_system(arguments.cache, needed))
        (root / "packages").mkdir()
        for package, file in packages.items():
            (root / "packages" / f"{package}.deb").write_bytes(file.read_bytes())
        with Sandbox(root, writable=True) as system:
            check_installation(system, root, packages)
            check_life(system, root)
    print(f"the packages of {VERSION} install, run, and go")


if __name__ == "__main__":
    main()
