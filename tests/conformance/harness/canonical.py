# SPDX-License-Identifier: Apache-2.0
"""Makes what was observed free of ids, ports and times, so that two servers can be compared."""

import json
import re

_SCRUBS = [
    (re.compile(r"_INBOX\.[A-Za-z0-9._-]+"), "_INBOX"),
    (re.compile(r"mybox\.[A-Za-z0-9._-]+"), "mybox"),
    (re.compile(r"(127\.0\.0\.1|\[::1\]|localhost):\d+"), r"\1:PORT"),
    (re.compile(r"\bN[A-Z2-7]{55}\b"), "SERVER_ID"),
    (re.compile(r"\bX[A-Z2-7]{55}\b"), "XKEY"),
    (re.compile(r"(?<=nats: '')[0-9.]+"), "TIME"),
    (re.compile(r"\bcid:\d+"), "cid:N"),
]
_TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
_DURATION = re.compile(r"^(\d+(\.\d+)?(ns|µs|ms|s|m|h|d|y))+$")


def scrub(line):
    for pattern, text in _SCRUBS:
        line = pattern.sub(text, line)
    return line


def _kind(text):
    if _TIME.match(text):
        return "time"
    if _DURATION.match(text):
        return "duration"
    scrubbed = scrub(text)
    return scrubbed if scrubbed != text else "text"


_VOLATILE = {"id", "name", "host", "ts", "time", "start", "stop", "cid", "seq", "ver", "version", "rtt",
             "timestamp", "service", "system", "total"}


def lines_of(observed):
    """The lines of an observation; a JSON document in it becomes a line per leaf, with its value."""
    start = "  json "
    if not observed.startswith(start):
        return [scrub(observed)]
    try:
        return [f"    {scrub(line)}" for line in leaves(_settled(json.loads(observed[len(start):])))]
    except ValueError:
        return [f"  not json: {observed[len(start):]}"]


def _settled(value, key=""):
    if isinstance(value, dict):
        return {name: _settled(value[name], name) for name in sorted(value)}
    if isinstance(value, list):  # Events of one message come in any order.
        items = sorted((_settled(item, key) for item in value), key=json.dumps)
        return {str(index): item for index, item in enumerate(items)}
    return shape(value) if key in _VOLATILE else value


def shape(value):
    """The names and types of a JSON value; the elements of an array are laid over one another."""
    if isinstance(value, dict):
        return {key: shape(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return [_overlay([shape(item) for item in value])] if value else []
    if isinstance(value, str):
        return _kind(value)
    return "bool" if isinstance(value, bool) else "null" if value is None else "number"


def _overlay(shapes):
    if not all(isinstance(item, dict) for item in shapes):
        return " or ".join(sorted({json.dumps(item) for item in shapes}))
    return {key: _overlay([item[key] for item in shapes if key in item])
            for key in sorted({key for item in shapes for key in item})}


def leaves(value, path=""):
    """One line per leaf of a shape, so that a difference names its field."""
    if isinstance(value, dict) and value:
        return [line for key, item in value.items() for line in leaves(item, f"{path}.{key}")]
    if isinstance(value, list) and value:
        return leaves(value[0], f"{path}[]")
    return [f"{path.lstrip('.')}: {value if isinstance(value, str) else json.dumps(value)}"]


def pick(value, path):
    """The values at a path like `connections[].name`, in their order."""
    found = [value]
    for step in path.replace("[]", ".[]").split("."):
        if step == "[]":
            found = [item for items in found if isinstance(items, list) for item in items]
        else:
            found = [item.get(step) for item in found if isinstance(item, dict)]
    return found


# What Pipit says beside everything that the reference says.
_ADDITIONS = ("pipit_version:",)


def described(answer, options):
    """What a behaviour wants to know of a monitoring answer, in lines."""
    lines = []
    if "header" in options:
        lines.append(f"{options['header']}: {answer.headers.get(options['header'])}")
    wanted = {name: options.get(name, ()) for name in ("pick", "pick_sorted", "pick_last", "positive")}
    json_wanted = options.get("shape") or any(wanted.values())
    if options.get("text") or (json_wanted and answer.status != 200):
        return lines + [line.rstrip() for line in answer.body.splitlines()]
    if not json_wanted:
        return lines
    document = json.loads(answer.body)
    if options.get("shape"):
        ignored = (*_ADDITIONS, *options.get("ignore", ()))
        lines += [line for line in leaves(shape(document)) if not line.startswith(ignored)]
    lines += [f"{path} = {json.dumps(pick(document, path))}" for path in wanted["pick"]]
    lines += [f"{path} = {json.dumps(sorted(pick(document, path)))}" for path in wanted["pick_sorted"]]
    lines += [f"{path}, last = {json.dumps(pick(document, path)[-1:])}" for path in wanted["pick_last"]]
    lines += [f"{path} > 0: {min(pick(document, path)) > 0}" for path in wanted["positive"]]
    return lines
