# SPDX-License-Identifier: Apache-2.0
"""Makes a failing sequence small while it keeps failing."""
from dataclasses import replace


def _smaller(sequence):
    """Candidates, the most daring first."""
    steps = sequence.steps
    size = len(steps) // 2
    while size >= 1:
        for at in range(0, len(steps), size):
            yield sequence.with_steps(steps[:at] + steps[at + size:])
        size //= 2
    for at, each in enumerate(steps):
        for index in range(len(each.lines)) if len(each.lines) > 1 else ():
            lines = each.lines[:index] + each.lines[index + 1:]
            yield sequence.with_steps(
                steps[:at] + (replace(each, lines=lines),) + steps[at + 1:])
        if each.cuts:
            yield sequence.with_steps(
                steps[:at] + (replace(each, cuts=(), pause=False),) + steps[at + 1:])
            for cut in each.cuts if len(each.cuts) > 1 else ():
                yield sequence.with_steps(
                    steps[:at] + (replace(each, cuts=(cut,)),) + steps[at + 1:])


def shrink(sequence, fails, attempts=400):
    """The smallest sequence found for which `fails` still holds."""
    progress = True
    while progress and attempts > 0:
        progress = False
        for candidate in _smaller(sequence):
            attempts -= 1
            if attempts <= 0:
                break
            if fails(candidate):
                sequence, progress = candidate, True
                break
    return sequence


def show(sequence):
    """The sequence as a list of what happens."""
    lines = [f"profile {sequence.profile}"]
    for each in sequence.steps:
        parts = [repr(part)[2:-1] for part in each.parts()]
        parts = [part if len(part) < 300 else part[:200] + f"… ({len(part)})" for part in parts]
        lines.append(f"  {each.connection} {each.kind} " + " || ".join(parts))
    return "\n".join(lines)
