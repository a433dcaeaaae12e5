# SPDX-License-Identifier: Apache-2.0
"""The rows of client-protocol.md, sections 2 to 7, that generated sequences have to touch.

A row is touched by a line that was sent while its connection lived (the generator names the rows
of each line) or by what the reference answered. Rows that need TLS, JWT, a route, a leaf node or a
reload are proved by other suites and stand in `ELSEWHERE`.
"""
import re
from collections import Counter

ROWS = {
    "2.connect": "CONNECT {json}",
    "2.blanks": "any number of blanks before the JSON",
    "2.defaults": "missing keys keep the default",
    "2.unknown": "unknown keys are ignored",
    "2.verbose": "verbose", "2.pedantic": "pedantic", "2.echo": "echo", "2.headers": "headers",
    "2.no_responders": "no_responders", "2.protocol": "protocol", "2.name": "name, lang, version",
    "2.user": "user, pass", "2.auth_token": "auth_token", "2.jwt": "jwt", "2.nkey": "nkey, sig",
    "2.tls_required": "tls_required", "2.account": "account, new_account",
    "2.proxy_sig": "proxy_sig", "2.leaf_only": "import, export, remote_account",
    "2.optional": "CONNECT is optional when no auth is required",
    "2.auth_first": "auth required: the first operation must begin with C",
    "2.no_auth_user": "no_auth_user: another first operation logs in",
    "2.second": "a second CONNECT",
    "2.json_error": "a JSON error closes without -ERR",
    "2.auth_timer": "the authentication timer",
    "3.case": "names in any case", "3.tab": "tabs", "3.blanks": "several blanks",
    "3.trailing_blank": "blanks at the end of a line",
    "3.bare_lf": "a bare LF ends a line", "3.trailing_text": "text after PING",
    "3.empty_line": "an empty line", "3.partial": "an operation that is cut off",
    "3.cut": "operations cut into several writes",
    "3.PUB": "PUB", "3.PUB.reply": "PUB with reply", "3.HPUB": "HPUB",
    "3.HPUB.reply": "HPUB with reply", "3.SUB": "SUB", "3.SUB.queue": "SUB with queue",
    "3.sid_text": "a sid of any text", "3.UNSUB": "UNSUB", "3.UNSUB.max": "UNSUB with a limit",
    "3.UNSUB.unknown": "UNSUB of an unknown sid", "3.PING": "PING", "3.PONG": "PONG",
    "3.INFO": "INFO from a client", "3.INFO.bad": "INFO that is no JSON", "3.+OK": "+OK",
    "3.-ERR": "-ERR from a client", "3.payload_bare_lf": "a payload that ends with LF",
    "3.size.negative": "a negative size", "3.size.text": "a size that is no number",
    "3.size.long": "a size of ten digits", "3.count.PUB": "PUB with a wrong argument count",
    "3.count.HPUB": "HPUB with a wrong argument count",
    "3.count.SUB": "SUB with a wrong argument count",
    "3.count.UNSUB": "UNSUB with a wrong argument count",
    "3.UNSUB.bare": "UNSUB without any argument", "3.letters": "wrong letters",
    "3.MSG": "MSG from a client", "3.RS+": "RS+", "3.LS+": "LS+", "3.A+": "A+",
    "3.payload_no_crlf": "a payload without CRLF", "3.HPUB.larger": "a header larger than all",
    "3.HPUB.no_headers": "HPUB without headers", "3.HPUB.zero": "a header of 0 bytes",
    "3.HPUB.not_validated": "header bytes are not validated",
    "3.HPUB.header_size": "a header size that is no number",
    "3.control_line.exact": "a control line of exactly the limit",
    "3.control_line.over": "a control line above the limit",
    "3.control_line_connect.over": "a CONNECT above the limit",
    "3.payload.exact": "a payload of exactly the limit", "3.payload.over": "a payload too large",
    "4.INFO": "INFO", "4.MSG": "MSG", "4.MSG.reply": "MSG with reply", "4.HMSG": "HMSG",
    "4.HMSG.reply": "HMSG with reply", "4.+OK": "+OK", "4.-ERR": "-ERR", "4.PING": "PING",
    "4.PONG": "PONG", "4.stripped": "a header is stripped for a client without headers",
    "4.number_text": "number texts are copied", "4.INFO.connect_info": "INFO after the first PING",
    "5.unknown_operation": "Unknown Protocol Operation",
    "5.authorization": "Authorization Violation", "5.auth_timeout": "Authentication Timeout",
    "5.connections": "maximum connections exceeded",
    "5.account_connections": "maximum account active connections exceeded",
    "5.subscriptions": "maximum subscriptions exceeded", "5.payload": "Maximum Payload Violation",
    "5.control_line": "maximum control line exceeded", "5.protocol": "invalid client protocol",
    "5.no_responders": "no responders requires headers support",
    "5.invalid_subject": "Invalid Subject", "5.invalid_publish": "Invalid Publish Subject",
    "5.publish": "Permissions Violation for Publish to",
    "5.publish_reply": "Permissions Violation for Publish with Reply of",
    "5.subscribe": "Permissions Violation for Subscription to",
    "5.subscribe_queue": "… using queue", "5.tokens": "…, too many tokens",
    "5.stale": "Stale Connection",
    "6.connect": "+OK after CONNECT", "6.sub": "+OK after SUB",
    "6.sub_again": "+OK after a SUB with a known sid", "6.unsub": "+OK after UNSUB",
    "6.unsub_unknown": "+OK after UNSUB of an unknown sid", "6.pub": "+OK after PUB",
    "6.before_echo": "+OK comes before the echo", "6.not_after_ping": "no +OK after PING",
    "6.not_after_error": "no +OK after -ERR",
    "7.valid.star": "foo*bar is a literal", "7.valid.gt": "foo.>x is a literal",
    "7.wildcard": "wildcards", "7.invalid.empty_token": "foo..bar",
    "7.invalid.gt_inside": "foo.>.b", "7.invalid.first_empty": ".a", "7.invalid.last_empty": "a.",
    "7.pub_wildcard": "PUB to a wildcard", "7.pub_invalid": "PUB to an invalid subject",
    "7.reply_wildcard": "a wildcard as reply", "7.duplicate_sid": "a sid twice",
    "7.no_echo": "echo off", "7.503": "no responders", "7.503.wildcard": "with a wildcard inbox",
    "7.unsub_zero": "a limit of 0, below, or no number", "7.unsub_limit": "a limit is reached",
    "7.queue": "a queue group", "7.order": "messages of one publisher in order",
    **{f"7.reserved.{name}": f"the reserved prefix {name}" for name in (
        "SYS", "JS", "JSC", "NRG", "INBOX", "R", "GR", "GNR", "MQTT", "KV", "O", "LDS", "SRV")},
}

ELSEWHERE = {
    "User Authentication Expired": "needs JWT", "Account Authentication Expired": "needs JWT",
    "User Authentication Revoked": "needs JWT", "Failed Account Registration": "needs JWT",
    "Permissions Violation for Subscription to … (sid …)": "a reload: end_to_end",
    "Secure Connection - TLS Required": "needs TLS",
    "Connection throttling is active. Please try again later.": "needs TLS",
    "attempted to connect to route port": "needs a route",
    "attempted to connect to leaf node port": "needs leaf nodes",
    "attempted to connect to gateway port": "needs a gateway",
    "Server Shutdown": "never sent",
}

_ERRORS = [
    (b"Unknown Protocol Operation", "5.unknown_operation"),
    (b"Authorization Violation", "5.authorization"),
    (b"Authentication Timeout", "5.auth_timeout"),
    (b"maximum connections exceeded", "5.connections"),
    (b"maximum account active connections exceeded", "5.account_connections"),
    (b"maximum subscriptions exceeded", "5.subscriptions"),
    (b"Maximum Payload Violation", "5.payload"),
    (b"maximum control line exceeded", "5.control_line"),
    (b"invalid client protocol", "5.protocol"),
    (b"no responders requires headers support", "5.no_responders"),
    (b"Invalid Subject", "5.invalid_subject"), (b"Invalid Publish Subject", "5.invalid_publish"),
    (b"Permissions Violation for Publish to", "5.publish"),
    (b"Permissions Violation for Publish with Reply", "5.publish_reply"),
    (b"too many tokens", "5.tokens"), (b"using queue", "5.subscribe_queue"),
    (b"Permissions Violation for Subscription to", "5.subscribe"),
    (b"Stale Connection", "5.stale"),
]
_QUEUE_ERROR = re.compile(rb"using queue")


def rows_of(sequence, models, outcome, profile):
    """The rows that a sequence touched, judged by the reference's outcome."""
    rows = set()
    for connection, model in models.items():
        sent = _lines_of(sequence, connection, model)
        for each in sent:
            rows.update(row for row in each.rows if row in ROWS)
        operations, ended, _ = outcome.transcripts[connection]
        rows |= _answered(operations)
        rows |= _together(model, operations, ended, profile, sent)
    if any(len(each.parts()) > 1 for each in sequence.steps):
        rows.add("3.cut")
    return rows


def _lines_of(sequence, connection, model):
    """The lines that were sent before the model saw the connection end."""
    lines, sent = [], 0
    for each in sequence.steps:
        for line in each.lines if each.connection == connection else ():
            if model.closed and sent > model.consumed:
                return lines
            lines.append(line)
            sent += len(line.data)
    return lines


def _answered(operations):
    rows = set()
    last_ok = False
    for index, (control, body) in enumerate(operations):
        name = control.split(b" ", 1)[0]
        if name == b"INFO":
            rows.add("4.INFO.connect_info" if b'"connect_info":true' in control else "4.INFO")
        elif body is not None:
            reply = len(control.split(b" ")) == (6 if name == b"HMSG" else 5)
            rows.add(f"4.{name.decode()}" + (".reply" if reply else ""))
            if body.startswith(b"NATS/1.0 503"):
                rows.add("7.503")
            if last_ok:
                rows.add("6.before_echo")
        elif name in (b"+OK", b"PING", b"PONG"):
            rows.add(f"4.{name.decode()}")
        elif name == b"-ERR":
            rows.add("4.-ERR")
            rows.update(row for text, row in _ERRORS[:14] if text in control)
            for text, row in _ERRORS[14:]:
                if text in control:
                    rows.add(row)
                    break
        last_ok = name == b"+OK"
    return rows


def _together(model, operations, ended, profile, sent):
    """Rows that need the question and the answer."""
    rows = set()
    names = [name for name, _ in model.operations]
    controls = [control for control, _ in operations]
    errors = any(control.startswith(b"-ERR") for control in controls)
    connects = [argument for name, argument in model.operations if name == b"CONNECT"]
    oks = controls.count(b"+OK")
    if names and names[0] not in (b"CONNECT", b"INFO"):
        if profile.name == "accounts":
            rows.add("2.no_auth_user")
        elif profile.logins:
            rows.add("2.auth_first")
        else:
            rows.add("2.optional")
    if len(connects) > 1 and not errors:
        rows.add("2.second")
    if b"-ERR 'Authentication Timeout'" in controls:
        rows.add("2.auth_timer")
    if connects and b'"verbose":true' in connects[0].replace(b" ", b"") and oks and not errors:
        rows |= _verbose(model, operations)
    if oks and errors:
        rows.add("6.not_after_error")
    if b"HPUB" in names and ended and not errors and \
            (not profile.headers or any(b'"headers": false' in each or b'"headers":false' in each
                                        or b"headers" not in each for each in connects)):
        rows.add("3.HPUB.no_headers")
    rows |= _delivered(model, operations, connects)
    return rows


def _verbose(model, operations):
    rows = {"6.connect"}
    known = set()
    for name, argument in model.operations:
        parts = argument.split()
        if name == b"SUB" and parts:
            rows.add("6.sub_again" if parts[-1] in known else "6.sub")
            known.add(parts[-1])
        elif name == b"UNSUB" and parts:
            rows.add("6.unsub" if parts[0] in known else "6.unsub_unknown")
        elif name in (b"PUB", b"HPUB"):
            rows.add("6.pub")
        elif name == b"PING":
            rows.add("6.not_after_ping")
    return rows


def _delivered(model, operations, connects):
    rows = set()
    bodies = [(control, body) for control, body in operations if body is not None]
    if any(b'"echo":false' in each.replace(b" ", b"") for each in connects) and \
            any(name == b"SUB" for name, _ in model.operations) and \
            any(name in (b"PUB", b"HPUB") for name, _ in model.operations):
        rows.add("7.no_echo")
    sids = Counter(control.split(b" ")[2] for control, _ in bodies)
    for name, argument in model.operations:
        parts = argument.split()
        if name == b"UNSUB" and len(parts) == 2 and parts[1].isdigit() and \
                0 < int(parts[1]) <= sids[parts[0]]:
            rows.add("7.unsub_limit")
        if name == b"SUB" and len(parts) == 2 and parts[0] in (b"_INBOX.r.*", b"_INBOX.>") and \
                any(body.startswith(b"NATS/1.0 503") for _, body in bodies):
            rows.add("7.503.wildcard")
    if any(count > 2 for count in sids.values()):
        rows.add("7.order")
    without = any(b'"headers":false' in each.replace(b" ", b"") or b'"headers"' not in each
                  for each in connects)
    if without and any(control.startswith(b"MSG") for control, _ in bodies):
        rows.add("4.stripped")
    return rows


def table(counts):
    """The table for people, and the rows that nothing touched."""
    lines = [f"{counts[row]:>8}  {row:<28} {text}" for row, text in ROWS.items()]
    lines += [f"       -  {text} ({why})" for text, why in ELSEWHERE.items()]
    return "\n".join(lines), [row for row in ROWS if counts[row] == 0]
