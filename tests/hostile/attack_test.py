#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How often an attack is tried: again when it was late, never when it was wrong."""
import unittest
from unittest import mock

import attack


def tried(outcomes, tries=3):
    """The verdict, and how many tries that took; an outcome is an error, or a note."""
    left = list(outcomes)

    def function(_server):
        outcome = left.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def once(plan, program):
        result = attack.verdict()
        result.take(plan.function, program)
        return result

    plan = attack.planned(function, "", {}, False, False, tries)
    with mock.patch.object(attack, "run_once", once):
        result = attack.run(plan, "server")
    return result, len(outcomes) - len(left)


class Tries(unittest.TestCase):
    def test_what_was_late_is_tried_again(self):
        late = attack.took_too_long("a login took 200 ms")
        result, count = tried([late, late, "well"])
        self.assertEqual((result.note, result.complaint, result.too_slow, count), ("well", None, False, 3))
        result, count = tried([late] * 4)
        self.assertEqual((result.slow, result.too_slow, count), (str(late), True, 3))
        self.assertEqual(tried([late, "well"], tries=1)[1], 1)

    def test_what_is_wrong_once_is_wrong(self):
        result, count = tried([AssertionError("lost"), "well"])
        self.assertEqual((result.complaint, count), ("AssertionError: lost", 1))
        self.assertEqual(tried([attack.took_too_long("x"), KeyError("k"), "well"])[1], 2)


if __name__ == "__main__":
    unittest.main()
