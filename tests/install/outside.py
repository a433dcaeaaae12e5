#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""outside.py --build <folder> --linked static|shared: installs a build, and uses it from outside.

The project in examples/outside is built against the prefix with find_package and with pkg-config,
and run.
"""
import argparse
import os
import re
import tempfile
from pathlib import Path

from sandbox import ROOT, VERSION, expect, run

OUTSIDE = ROOT / "examples" / "outside"
# Each program, what it links, and what it says when all is well.
PROGRAMS = {
    "parses": (["pipit-protocol"], "this is somebody"),
    "serves": (["pipit-server"], "hello came back"),
    "connects": (["pipit-client", "pipit-server"], "2 of 2 answers"),
}


def check_files(prefix, library_folder, shared):
    """What an installation consists of, and that its headers need no others of ours."""
    wanted = ["bin/pipit-server", "bin/pipit", "share/man/man1/pipit-server.1", "share/doc/pipit/LICENSE", "share/doc/pipit/NOTICE",
              "share/doc/pipit/THIRD_PARTY.md",
              "include/pipit/protocol.hpp", "include/pipit/client.hpp", "include/pipit/server.hpp"]
    for file in wanted:
        expect((prefix / file).exists(), f"{file} is not installed")
    libraries = sorted(f.name for f in library_folder.glob("libpipit*"))
    expected = ["libpipit.so", "libpipit.so.0", f"libpipit.so.{VERSION}"] if shared else ["libpipit.a"]
    expect(libraries == expected, f"libraries: {libraries}")
    headers = {str(f.relative_to(prefix / "include")) for f in (prefix / "include").rglob("*.hpp")}
    for header in headers:
        included = set(re.findall(r"#include <(pipit/[^>]+)>", (prefix / "include" / header).read_text()))
        expect(included <= headers, f"{header} includes {included - headers}: not installed")


def check_exports(library):
    """Only names of Pipit and of Asio, all under the version of this interface."""
    node = "PIPIT_" + ".".join(VERSION.split(".")[:2])
    names = [line.split()[-1] for line in run("nm", "-D", "--defined-only", library).splitlines()]
    expect(len(names) > 100, f"{library} exports {len(names)} names")
    for name in set(names) - {node}:
        ours = "5pipit" in name or "5boost4asio" in name
        expect(ours and name.endswith("@" + node), f"{library} exports {name}")


def build_with_cmake(prefix, folder):
    run("cmake", "-S", OUTSIDE, "-B", folder, "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={prefix}")
    run("cmake", "--build", folder)


def build_with_pkg_config(_prefix, folder):
    folder.mkdir()
    for name, (parts, _) in PROGRAMS.items():
        flags = run("pkg-config", "--cflags", "--libs", *parts).split()
        run("g++", "-std=c++20", OUTSIDE / f"{name}.cpp", "-o", folder / name, *flags)
        versions = run("pkg-config", "--modversion", *parts).split()
        expect(set(versions) == {VERSION}, f"{parts}: {versions}")


def check_programs(folder, shared):
    for name, (_, said) in PROGRAMS.items():
        printed = run(folder / name)
        expect(said in printed, f"{name} printed: {printed}")
        needed = run("readelf", "-d", folder / name)
        expect(("libpipit.so.0" in needed) == shared, f"{name} needs: {needed}")


def check_versions(prefix, scratch):
    """Until 1.0.0 only the same minor version will do, and parts that are not there are missed."""
    major, minor, patch = map(int, VERSION.split("."))
    for wanted, found in ((VERSION, True), (f"{major}.{minor}", True),
                          (f"{major}.{minor}.{patch + 1}", False), (f"{major}.{minor + 1}", False),
                          (f"{major + 1}", False)):
        script = scratch / "version.cmake"
        script.write_text(f'set(PACKAGE_FIND_VERSION {wanted})\n'
                          + "".join(f"set(PACKAGE_FIND_VERSION_{n} {v})\n" for n, v in zip(
                              ("MAJOR", "MINOR", "PATCH"), (wanted + ".0.0").split(".")))
                          + f'include({prefix}/PipitConfigVersion.cmake)\n'
                          'message("${PACKAGE_VERSION_COMPATIBLE}")\n')
        said = run("cmake", "-P", script).strip() in ("TRUE", "1", "ON")
        expect(said == found, f"find_package(Pipit {wanted}): {said}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True, type=Path)
    parser.add_argument("--linked", required=True, choices=["static", "shared"])
    arguments = parser.parse_args()
    shared = arguments.linked == "shared"
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        prefix = scratch / "prefix"
        run("cmake", "--install", arguments.build, "--prefix", prefix)
        library_folder = next(prefix.rglob("libpipit.*")).parent
        os.environ["PKG_CONFIG_PATH"] = str(library_folder / "pkgconfig")
        os.environ["LD_LIBRARY_PATH"] = str(library_folder)
        check_files(prefix, library_folder, shared)
        if shared:
            check_exports(library_folder / "libpipit.so")
        expect(VERSION in run(prefix / "bin/pipit-server", "--version"), "--version says another version")
        check_versions(library_folder / "cmake/Pipit", scratch)
        for build in (build_with_cmake, build_with_pkg_config):
            folder = scratch / build.__name__
            build(prefix, folder)
            check_programs(folder, shared)
    print(f"Pipit {VERSION}, {arguments.linked}: found, built with and run")


if __name__ == "__main__":
    main()
