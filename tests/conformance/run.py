#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs one list of behaviours with clients against a server and against a reference.

Usage: run.py --server PATH --reference PATH [--cpp-driver PATH]
              [--client js|py|go|js_old|cpp|cpp_blocking] [--only ID] [--show]

The clients are the official ones, and with --cpp-driver the two faces of Pipit's own.

Ends with `N passed, N failed`; exits with 1 when an outcome differs, when an outcome of the
reference says that something expected was missing, or when fewer than 150 behaviours ran.
"""

import argparse
import concurrent.futures
import difflib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

from harness import canonical, control
from harness.session import driver_session

HERE = pathlib.Path(__file__).resolve().parent
OFFICIAL_CLIENTS = ("js", "py", "go", "js_old")
OWN_CLIENTS = ("cpp", "cpp_blocking")
CLIENTS = OFFICIAL_CLIENTS + OWN_CLIENTS
BEHAVIOURS_MIN = 150
DRIVER_SECONDS = 300


def program(name):
    """A path that holds in every folder."""
    found = shutil.which(name)
    if found is None:
        raise argparse.ArgumentTypeError(f"no program {name}")
    return str(pathlib.Path(found).absolute())


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--server", required=True, type=program, help="the program under test")
    parser.add_argument("--reference", required=True, type=program, help="the nats-server to agree with")
    parser.add_argument("--build", default=HERE.parent.parent / "build" / "conformance",
                        type=pathlib.Path, help="the folder that setup.sh has filled")
    parser.add_argument("--cpp-driver", type=program, help="the driver of Pipit's own client")
    parser.add_argument("--client", choices=CLIENTS, action="append")
    parser.add_argument("--only", action="append", help="an id, or the beginning of some")
    parser.add_argument("--show", action="store_true", help="print every outcome of the reference")
    parser.add_argument("--workers", type=int, default=6, help="lanes at a time in one driver")
    return parser.parse_args()


def load_behaviours():
    behaviours = []
    for path in sorted((HERE / "behaviours").glob("*.json")):
        behaviours += json.loads(path.read_text())
    names = [behaviour["id"] for behaviour in behaviours]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        sys.exit(f"behaviours with the same id: {', '.join(sorted(twice))}")
    return behaviours


def chosen(behaviours, client, only):
    """The behaviours of a client; what names `cpp` is for both of its faces."""
    named = "cpp" if client in OWN_CLIENTS else client
    return [behaviour for behaviour in behaviours
            if named in behaviour.get("clients", CLIENTS)
            and (not only or any(behaviour["id"].startswith(start) for start in only))]


def command_of(client, arguments, url):
    build = arguments.build
    if client in OWN_CLIENTS:
        return [arguments.cpp_driver, client, url]
    if client == "go":
        return [str(build / "go_driver"), url]
    if client == "py":
        return [sys.executable, str(HERE / "drivers/py/driver.py"), str(build / "py"), url]
    return ["node", str(HERE / f"drivers/{client}/driver.mjs"), str(build / client), url]


def observe(path, client, behaviours, arguments):
    """The outcomes of one driver against one program, by id."""
    session = driver_session(path, behaviours, arguments.workers)
    listener = control.serve(session)
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    outcomes = {}
    try:
        done = subprocess.run(command_of(client, arguments, listener.url), env=environment,
                              stdout=subprocess.PIPE, text=True, timeout=DRIVER_SECONDS, check=False)
        for line in done.stdout.splitlines():
            found = json.loads(line)
            outcomes[found["id"]] = [
                line for text in found["outcome"] for line in canonical.lines_of(text)]
    except subprocess.TimeoutExpired:
        print(f"the {client} driver did not end within {DRIVER_SECONDS} s", file=sys.stderr)
    finally:
        listener.shutdown()
        session.close()
    return outcomes


def report(client, behaviour, seen, wanted):
    """Prints a difference; answers whether the two agree and show what they should."""
    broken = not wanted or any("missing" in line for line in wanted)
    if seen == wanted and not broken:
        return True
    print(f"FAILED {client} {behaviour['id']} ({behaviour['proves']}): {behaviour['says']}")
    if broken:
        print("  the reference did not show what the behaviour waits for:")
        print("\n".join(f"    {line}" for line in wanted or ["no outcome at all"]))
    for line in list(difflib.unified_diff(wanted or [], seen or [], lineterm="", n=1))[2:]:
        print(f"    {line}")
    return False


def main():
    arguments = parse_arguments()
    behaviours = load_behaviours()
    clients = arguments.client or (CLIENTS if arguments.cpp_driver else OFFICIAL_CLIENTS)
    if not arguments.cpp_driver and set(clients) & set(OWN_CLIENTS):
        sys.exit("Pipit's own client needs --cpp-driver")
    programs = {"server": arguments.server, "reference": arguments.reference}
    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(max_workers=4) as pool:
        jobs = {(client, side): pool.submit(observe, path, client,
                                            chosen(behaviours, client, arguments.only), arguments)
                for client in clients for side, path in programs.items()}
        outcomes = {key: job.result() for key, job in jobs.items()}

    passed = failed = 0
    proven = set()
    for client in clients:
        for behaviour in chosen(behaviours, client, arguments.only):
            name = behaviour["id"]
            wanted = outcomes[client, "reference"].get(name)
            if arguments.show:
                print(f"{client} {name}", *(wanted or ["no outcome"]), sep="\n    ")
            if report(client, behaviour, outcomes[client, "server"].get(name), wanted):
                passed += 1
            else:
                failed += 1
            proven.add(name)
    enough = arguments.only or len(proven) >= BEHAVIOURS_MIN
    if not enough:
        print(f"only {len(proven)} behaviours ran, at least {BEHAVIOURS_MIN} should")
    print(f"{len(proven)} behaviours, {len(clients)} clients, {time.monotonic() - began:.0f} s")
    print(f"{passed} passed, {failed} failed")
    return 0 if failed == 0 and enough else 1


if __name__ == "__main__":
    sys.exit(main())
