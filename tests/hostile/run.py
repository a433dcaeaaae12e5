#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Hostile input: the server stays up, answers as documented, and others are served in time.

    run.py --server build/release/tools/pipit-server --reference nats-server [--only WORD]

Each attack runs against both; the reference's figures stand beside ours and decide nothing. On a
busy machine a round trip may be slow for reasons of the machine's own: how late it wakes a sleeper is
subtracted, and an attack has three tries to be fast enough, unless it says another number. It has one to
be right: what the server gets wrong once in a while is wrong, and so is what has not come after seconds.
"""
import argparse
import random
import re
import sys

import attack
import bytes_attacks  # noqa: F401
import crowd_attacks  # noqa: F401
import http_attacks  # noqa: F401
import keep_up
import memory_attacks  # noqa: F401
import stranger_attacks  # noqa: F401
import websocket_attacks  # noqa: F401


def judge(plan, server, reference, always):
    """True when the server passed; prints both verdicts."""
    ours = attack.run(plan, server)
    good = not ours.complaint and not ours.too_slow
    theirs = attack.run_once(plan, reference) if always or not good else None
    print(f"{'ok    ' if good else 'FAILED'} {plan.name}")
    print(f"         server:    {ours.text()}")
    if theirs:
        print(f"         reference: {theirs.text()}"
              + (f" [{(theirs.complaint or theirs.slow)[:300]}]" if theirs.complaint or theirs.slow else ""))
    if ours.complaint:
        print("       " + ours.complaint.replace("\n", "\n       "))
    elif ours.too_slow:
        print("       " + (ours.slow or "another client's round trip took too long"))
    sys.stdout.flush()
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", required=True, help="the server under test")
    parser.add_argument("--reference", default="nats-server", help="measured beside it")
    parser.add_argument("--brief", action="store_true",
                        help="measure the reference only where the server failed")
    parser.add_argument("--seed", type=int, default=1, help="of random bytes")
    parser.add_argument("--count", type=int, default=0, help="at most so many attacks")
    parser.add_argument("--only", default=None, help="attacks whose name matches")
    parser.add_argument("--seconds", type=float, default=5.0,
                        help="how long a publisher runs at full speed")
    parser.add_argument("--clients", default=None,
                        help="a folder with js/ and py/ as tests/conformance/setup.sh makes it")
    arguments = parser.parse_args()
    server = attack.find_program(arguments.server)
    reference = attack.find_program(arguments.reference)
    if not server or not reference:
        sys.exit("a server is missing")
    random.seed(arguments.seed)
    keep_up.register(arguments.seconds, arguments.clients)
    plans = [plan for plan in attack.ATTACKS
             if not arguments.only or re.search(arguments.only, plan.name)]
    plans = plans[:arguments.count] if arguments.count else plans
    good = [judge(plan, server, reference, not arguments.brief) for plan in plans]
    print(f"{sum(good)} passed, {len(good) - sum(good)} failed")
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    main()
