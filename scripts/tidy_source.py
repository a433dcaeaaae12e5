# SPDX-License-Identifier: Apache-2.0
"""C++ source as text, for the checks of tidy.py."""
import re

_NOISE = re.compile(
    r'R"(?P<tag>[^()\s\\]{0,16})\((?s:.*?)\)(?P=tag)"'  # raw strings first: they hold anything
    r"|//[^\n]*"
    r"|/\*(?s:.*?)\*/"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'"  # not the separators of 1'000
)


def code_only(text):
    """The text with comments and literals blanked; every offset and line stays where it was."""
    return _NOISE.sub(_blank, text)


def _blank(match):
    noise = match[0]
    # Includes keep their names: `#include "x.hpp"` is no literal.
    line_start = match.string.rfind("\n", 0, match.start()) + 1
    if match.string[line_start : match.start()].lstrip().startswith("#include"):
        return noise
    quote = noise[-1] if noise[-1] in "\"'" else " "
    inner = re.sub(r"[^\n]", " ", noise[1:-1])
    return quote + inner + quote if len(noise) > 1 else " "


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1
