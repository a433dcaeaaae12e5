#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The command line `pipit` from outside, against both servers, beside the `nats` tool.

    run.py --pipit PATH --server PATH --reference PATH [--nats PATH] [--only WORDS]
"""
import argparse
import os
import sys

import suite
import adversity  # noqa: F401
import contexts  # noqa: F401
import credentials  # noqa: F401
import encryption  # noqa: F401
import measuring  # noqa: F401
import messages  # noqa: F401
import requests_replies  # noqa: F401
import shells  # noqa: F401
import terminals  # noqa: F401
import usage  # noqa: F401
import watching  # noqa: F401


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pipit", required=True, help="the program under test")
    parser.add_argument("--server", required=True, help="Pipit's server")
    parser.add_argument("--reference", default="nats-server", help="the other server")
    parser.add_argument("--nats", default="nats", help="the tool to compare with, if it is there")
    parser.add_argument("--only", default=None, help="tests whose sentence matches")
    parser.add_argument("--jobs", type=int, default=4, help="tests at the same time")
    arguments = parser.parse_args()
    programs = {name: suite.find_program(getattr(arguments, name))
                for name in ("pipit", "server", "reference", "nats")}
    missing = [name for name in ("pipit", "server", "reference") if not programs[name]]
    if missing:
        sys.exit("missing: " + ", ".join(missing))
    programs["pipit"] = os.path.abspath(programs["pipit"])
    passed, failed = suite.run_all(programs, arguments.only, arguments.jobs)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed or not passed else 0)


if __name__ == "__main__":
    main()
