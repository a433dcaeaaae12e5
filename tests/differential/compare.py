# SPDX-License-Identifier: Apache-2.0
"""Says whether two outcomes of one sequence are the same, apart from what may differ.

May differ: who a server is, ids, ports and nonces in INFO; the order among the subscriptions of
one connection for one message; the member of a queue group; PINGs that a timer sends; events of
the server; how often an invalid publish subject is reported (the reference repeats it when a read
ends in the payload).
"""
import difflib
import json
from collections import Counter

# Members of INFO whose values name this server or this connection.
IDENTITY = ("server_id", "server_name", "version", "git_commit", "go", "host", "port", "client_id",
            "nonce", "xkey", "connect_urls", "ip")
OPTIONAL_IDENTITY = ("git_commit",)
NO_RESPONDERS = b"NATS/1.0 503\r\n"
EVENTS = (b"$SYS.ACCOUNT.", b"$SYS.SERVER.")
REPEATED = b"-ERR 'Invalid Publish Subject'"


def normal_info(control):
    try:
        pairs = json.loads(control[5:], object_pairs_hook=list)
    except ValueError:
        return control
    return "INFO" + json.dumps([(key, "…" if key in IDENTITY else value) for key, value in pairs
                                if key not in OPTIONAL_IDENTITY]) + \
        ("" if control.endswith(b"} ") else " without a blank at its end")


class groups:
    """The queue groups with more than one member in the sequence: who gets a message is chance."""

    def __init__(self, models):
        members = {}  # queue -> {(connection, sid)}
        limited = set()
        self.plain = {}  # connection -> subjects of its plain subscriptions
        for connection, model in models.items():
            for name, argument in model.operations:
                parts = argument.split()
                if name == b"SUB" and len(parts) == 3:
                    members.setdefault(parts[1], set()).add((connection, parts[2]))
                elif name == b"SUB" and len(parts) == 2:
                    self.plain.setdefault(connection, set()).add(parts[1])
                elif name == b"UNSUB" and len(parts) == 2:
                    limited.add((connection, parts[0]))
        shared = [who for who in members.values() if len(who) > 1]
        self.members = set().union(*shared)
        # A limit on a member makes it chance who is left, and so what anybody gets.
        self.unpredictable = bool(self.members & limited)


def normal(outcome, models):
    """The outcome as a comparable value."""
    group = groups(models)
    shared = Counter()
    connections = {}
    for connection, (operations, ended, silent) in outcome.transcripts.items():
        connections[connection] = (
            _normal_stream(connection, operations, group, shared, models[connection].keeps_pings),
            ended, silent)
    return connections, shared, outcome.complaint


def _normal_stream(connection, operations, group, shared, pings):
    result = []
    run, run_key = [], None
    for control, body in operations:
        if body is not None:
            parts = control.split(b" ")
            sid = parts[2]
            if body.startswith(NO_RESPONDERS) and parts[0] == b"HMSG":
                if group.unpredictable:
                    continue  # Whether anybody was there is chance too.
                if len(group.plain.get(connection, ())) > 1:
                    parts[2] = b"*"  # Any of its subscriptions that match the reply may get it.
            elif (connection, sid) in group.members:
                if not group.unpredictable:
                    shared[_without_header(parts, body)] += 1
                continue
            elif parts[1].startswith(EVENTS):
                continue
            key = (parts[0], parts[1], parts[3:], body)
            if key != run_key:
                result += sorted(run)
                run, run_key = [], key
            run.append((b" ".join(parts), body))
            continue
        result += sorted(run)
        run, run_key = [], None
        if control.startswith(b"INFO "):
            result.append((normal_info(control), None))
        elif control == b"PING" and not pings:
            pass
        elif control == REPEATED and result and result[-1] == (REPEATED, None):
            pass
        else:
            result.append((control, None))
    return result + sorted(run)


def _without_header(parts, body):
    """Subject, reply and payload, as a member without headers gets them."""
    with_header = parts[0] == b"HMSG"
    reply = parts[3] if len(parts) == (6 if with_header else 5) else b""
    return parts[1], reply, body[int(parts[-2]):] if with_header else body


def same(outcomes, models):
    first, second = (normal(each, models) for each in outcomes)
    return first == second


def show(outcome, models):
    """The transcript of an outcome for people, one line for each operation."""
    connections, shared, complaint = normal(outcome, models)
    lines = []
    for connection, (operations, ended, silent) in sorted(connections.items()):
        for control, body in operations:
            text = control if isinstance(control, str) else _text(control)
            lines.append(f"{connection} < {text}" + (f" | {_text(body)}" if body else ""))
        state = "closed by the server" if ended else "no answer" if silent else "open"
        lines.append(f"{connection} = {state}")
    for message, count in sorted(shared.items()):
        text = " ".join(_text(part) for part in message)
        lines.append(f"some member of a group < {text} x{count}")
    if complaint:
        lines.append(f"afterwards: {complaint}")
    return lines


def difference(outcomes, models):
    """Both transcripts as one text: `-` the server's, `+` the reference's, ` ` both."""
    server, reference = (show(each, models) for each in outcomes)
    lines = []
    for each in difflib.ndiff(server, reference):
        if each.startswith("  ") and "INFO[" in each:
            each = each[:each.index("INFO[")] + "INFO …"
        if not each.startswith("?"):
            lines.append("  " + each)
    return "\n".join(lines)


def _text(data):
    text = repr(data)[2:-1]
    return text if len(text) < 200 else f"{text[:120]}… ({len(data)} bytes) …{text[-40:]}"
