# SPDX-License-Identifier: Apache-2.0
"""The co_await rule of CONTRIBUTING.md, as far as text can tell.

g++ 12.2 destroys twice a capturing lambda or an aggregate that is made inside a co_await
expression, and rejects a braced list there; a lambda's captures die with the lambda while its
coroutine goes on.
"""
import re
from dataclasses import dataclass, field

from tidy_source import code_only, line_of

_COROUTINE = re.compile(r"\bco_(?:await|return|yield)\b")
_AFTER_PARAMETERS = re.compile(r"(?:\s*(?:mutable|noexcept|constexpr|->[\w:<>,\s&*]+))*\s*$")


@dataclass
class Braces:
    """What stands between one pair of braces, as statements and inner braces."""

    start: int
    end: int = 0
    captures: str | None = None  # Of a lambda's body: what stands between its brackets.
    is_lambda: bool = False
    is_block: bool = False  # Or else a braced list.
    statements: list = field(default_factory=list)


@dataclass
class Statement:
    start: int
    end: int = 0
    braces: list = field(default_factory=list)


def check_coroutines(text):
    """Yields (line, complaint)."""
    code = code_only(text)
    for braces in _all_braces(_parse(code)):
        if braces.captures and _COROUTINE.search(_own_text(code, braces)):
            yield line_of(code, braces.start), "a lambda with captures is a coroutine"
        for statement in braces.statements:
            for offset, why in _check_statement(code, statement):
                yield line_of(code, offset), why


def _check_statement(code, statement):
    blocks = [b for b in statement.braces if b.is_block]
    own = _cut_out(code, statement.start, statement.end, blocks)
    first = own.find("co_await")
    if first < 0:
        return
    offset = statement.start + first
    if len(re.findall(r"\bco_await\b", own)) > 1:
        yield offset, "more than one co_await in a statement"
    for braces in statement.braces:
        if not braces.is_block:
            yield offset, "a braced list in a co_await statement"
        elif braces.captures:
            yield offset, "a capturing lambda in a co_await statement"


def _own_text(code, braces):
    """The text of a body without the lambdas inside it."""
    lambdas = [b for b in _all_braces(braces) if b.is_lambda and b is not braces]
    return _cut_out(code, braces.start, braces.end, lambdas)


def _cut_out(code, start, end, holes):
    text = code[start:end]
    for hole in holes:
        a, b = max(hole.start - start, 0), hole.end - start
        text = text[:a] + " " * (b - a) + text[b:]
    return text


def _all_braces(braces):
    yield braces
    for statement in braces.statements:
        for inner in statement.braces:
            yield from _all_braces(inner)


def _parse(code):
    """Reads a whole file as the inside of one pair of braces."""
    root = Braces(start=0)
    stack = [_Frame(root, Statement(0))]
    for match in re.finditer(r"[(){};]", code):
        offset, mark, frame = match.start(), match[0], stack[-1]
        if mark == "(":
            frame.open_parentheses += 1
        elif mark == ")":
            frame.open_parentheses = max(frame.open_parentheses - 1, 0)
        elif mark == "{":
            stack.append(_open_braces(code, frame, offset))
        elif mark == "}" and len(stack) > 1:
            _close_braces(code, stack.pop(), stack[-1], offset)
        elif mark == ";" and frame.open_parentheses == 0:
            frame.end_statement(code, offset + 1)
            frame.braces.is_block = True
    stack[0].end_statement(code, len(code))
    root.end = len(code)
    return root


@dataclass
class _Frame:
    """Braces that are still open, and the statement in work."""

    braces: Braces
    statement: Statement
    open_parentheses: int = 0

    def end_statement(self, code, end):
        self.statement.end = end
        if code[self.statement.start : end].strip():
            self.braces.statements.append(self.statement)
        self.statement, self.open_parentheses = Statement(end), 0


def _open_braces(code, frame, offset):
    before = code[frame.statement.start : offset]
    captures = _lambda_captures(before)
    is_lambda = captures is not None
    # An empty body follows parentheses; what else is empty is a list.
    is_block = is_lambda or (frame.open_parentheses == 0 and before.rstrip().endswith(")"))
    return _Frame(Braces(offset, 0, captures, is_lambda, is_block), Statement(offset + 1))


def _close_braces(code, inner, outer, offset):
    inner.end_statement(code, offset)
    inner.braces.end = offset + 1
    outer.statement.braces.append(inner.braces)
    if inner.braces.is_block and not inner.braces.is_lambda and outer.open_parentheses == 0:
        outer.end_statement(code, offset + 1)
        outer.braces.is_block = True


def _lambda_captures(before):
    """The captures of the lambda whose body follows `before`, or None when it is no lambda."""
    before = before[: _AFTER_PARAMETERS.search(before).start()].rstrip()
    if before.endswith(")"):
        before = before[: _opening(before, "(", ")")].rstrip()
    if before.endswith(">"):  # A template lambda.
        before = before[: _opening(before, "<", ">")].rstrip()
    if not before.endswith("]"):
        return None
    opening = _opening(before, "[", "]")
    if re.search(r"[\w\])]$", before[:opening].rstrip()) and not before[:opening].rstrip().endswith("return"):
        return None  # A subscript or an array.
    return before[opening + 1 : -1].strip()


def _opening(text, opening, closing):
    """The offset of the bracket that the text's last character closes."""
    depth = 0
    for offset in range(len(text) - 1, -1, -1):
        depth += (text[offset] == closing) - (text[offset] == opening)
        if depth == 0:
            return offset
    return 0
