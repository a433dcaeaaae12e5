#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sends generated sequences of protocol lines to two servers and compares what they answer.

    run.py --server build/release/tools/pipit-server --reference nats-server --count 3000
    run.py … --seed 7 --index 1234        # one sequence again
    run.py … --coverage                   # which rows of client-protocol.md were touched
"""
import argparse
import multiprocessing
import random
import sys
import time
from collections import Counter

import compare
import coverage
import generator
import profiles
import shrink
from player import arena
from servers import find_program

FAILURES_SHOWN = 20
AGAIN = 2  # A difference counts when it shows each time.


class tally:
    """What a worker hands back."""

    def __init__(self):
        self.passed = 0
        self.failed = 0
        self.unsteady = []
        self.rows = Counter()
        self.reports = []

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.unsteady += other.unsteady
        self.rows += other.rows
        self.reports += other.reports


def examine(seed, index, field, result, wanted, verbose):
    sequence = generator.draw(seed, index)
    if wanted and sequence.profile not in wanted:
        return
    outcomes, models = field.play(sequence)
    rows = coverage.rows_of(sequence, models, outcomes[1], profiles.BY_NAME[sequence.profile])
    result.rows.update(rows)
    if verbose:
        print(shrink.show(sequence))
        print(compare.difference(outcomes, models))
    if compare.same(outcomes, models):
        result.passed += 1
        return
    first = compare.difference(outcomes, models)
    for _ in range(AGAIN):
        field.discard(sequence.profile)
        outcomes, models = field.play(sequence)
        if compare.same(outcomes, models):
            result.passed += 1
            result.unsteady.append((index, first))
            return
    result.failed += 1
    if len(result.reports) < FAILURES_SHOWN:
        result.reports.append(report(seed, index, sequence, field))


def report(seed, index, sequence, field):
    def fails(candidate):
        outcomes, models = field.play(candidate)
        return not compare.same(outcomes, models)

    small = shrink.shrink(sequence, fails)
    outcomes, models = field.play(small)
    field.discard(sequence.profile)
    return (f"--- differs: --seed {seed} --index {index}\n{shrink.show(small)}\n"
            f"answers (- server, + reference):\n{compare.difference(outcomes, models)}")


def work(arguments, indexes):
    result = tally()
    field = arena([arguments.server, arguments.reference])
    try:
        for index in indexes:
            examine(arguments.seed, index, field, result, arguments.profile, arguments.verbose)
            if result.failed >= arguments.failures_max:
                break
    finally:
        field.stop()
    return result


def _worker(arguments, first, queue):
    try:
        queue.put(work(arguments, range(first, arguments.count, arguments.jobs)))
    except Exception as error:  # The parent has to learn of it, whatever it is.
        result = tally()
        result.failed = 1
        result.reports.append(f"--- worker {first}: {type(error).__name__}: {error}")
        queue.put(result)
        raise


def run(arguments):
    if arguments.index is not None:
        return work(arguments, [arguments.index])
    queue = multiprocessing.Queue()
    workers = [multiprocessing.Process(target=_worker, args=(arguments, first, queue))
               for first in range(arguments.jobs)]
    for each in workers:
        each.start()
    result = tally()
    for _ in workers:
        result.add(queue.get())
    for each in workers:
        each.join()
    return result


def parse():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", required=True, help="the server under test")
    parser.add_argument("--reference", default="nats-server", help="the server it is held against")
    parser.add_argument("--seed", type=int, default=None, help="drawn and printed when absent")
    parser.add_argument("--count", type=int, default=3000, help="sequences")
    parser.add_argument("--index", type=int, default=None, help="only this sequence")
    parser.add_argument("--profile", action="append", choices=sorted(profiles.BY_NAME),
                        help="only sequences of this profile; may be repeated")
    parser.add_argument("--jobs", type=int, default=2, help="processes, each with its own servers")
    parser.add_argument("--coverage", action="store_true", help="print the table of rows")
    parser.add_argument("--failures-max", type=int, default=10, help="of one process")
    parser.add_argument("--verbose", action="store_true", help="print each sequence and answer")
    return parser.parse_args()


def main():
    arguments = parse()
    for name in ("server", "reference"):
        path = find_program(getattr(arguments, name))
        if not path:
            sys.exit(f"there is no program {getattr(arguments, name)}")
        setattr(arguments, name, path)
    if arguments.seed is None:
        arguments.seed = random.SystemRandom().randrange(1 << 31)
    begin = time.monotonic()
    result = run(arguments)
    for each in result.reports:
        print(each)
    failed = result.failed
    if arguments.index is None:
        text, missing = coverage.table(result.rows)
        if arguments.coverage:
            print(text)
        # A short run cannot reach everything.
        if missing and arguments.count >= 3000 and not arguments.profile:
            print(f"rows that no sequence touched: {', '.join(missing)}")
            failed += len(missing)
    for index, text in result.unsteady[:FAILURES_SHOWN]:
        print(f"--- differed once, not again: --seed {arguments.seed} --index {index}\n{text}")
    if len(result.unsteady) > max(2, arguments.count // 2000):
        print(f"{len(result.unsteady)} sequences differed once and not again: too many")
        failed += 1
    print(f"seed {arguments.seed}, {time.monotonic() - begin:.1f} s, "
          f"{len(result.unsteady)} unsteady")
    print(f"{result.passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
