#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The start-up contract from outside: flags, files, signals, logs, reload, monitoring.

    run.py --server build/release/tools/pipit-server --reference nats-server [--only WORD]
"""
import argparse
import random
import sys

import suite
import auth_callout  # noqa: F401
import break_ins  # noqa: F401
import configuration  # noqa: F401
import exactness  # noqa: F401
import identity  # noqa: F401
import listeners  # noqa: F401
import live_permissions  # noqa: F401
import log_lines  # noqa: F401
import lame_duck  # noqa: F401
import logs  # noqa: F401
import monitoring  # noqa: F401
import nsc_tool  # noqa: F401
import program  # noqa: F401
import proxies  # noqa: F401
import reload  # noqa: F401
import resolver_reloads  # noqa: F401
import resolvers  # noqa: F401
import scale
import signals  # noqa: F401
import slow_readers  # noqa: F401
import system_account  # noqa: F401
import system_exports  # noqa: F401
import ocsp  # noqa: F401
import ocsp_staples  # noqa: F401
import tls  # noqa: F401
import tracing  # noqa: F401
import websocket  # noqa: F401


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", required=True, help="the server under test")
    parser.add_argument("--reference", default="nats-server", help="the server it is held against")
    parser.add_argument("--seed", type=int, default=0, help="the order of the tests")
    parser.add_argument("--count", type=int, default=0, help="at most so many tests")
    parser.add_argument("--only", default=None, help="tests whose name matches")
    parser.add_argument("--jobs", type=int, default=4, help="tests at the same time")
    parser.add_argument("--callout", help="the program examples/auth_callout")
    parser.add_argument("--scale", action="store_true",
                        help="10,000 connections and 1,000,000 subscriptions too")
    arguments = parser.parse_args()
    server = suite.find_program(arguments.server)
    reference = suite.find_program(arguments.reference)
    if not server or not reference:
        sys.exit("a server is missing")
    suite.CALLOUT = arguments.callout
    if arguments.scale:
        scale.register()
    if arguments.seed:
        random.Random(arguments.seed).shuffle(suite.REGISTERED)
    if arguments.count:
        del suite.REGISTERED[arguments.count:]
    passed, failed = suite.run_all(server, reference, arguments.only, arguments.jobs)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
