# SPDX-License-Identifier: Apache-2.0
"""The system account: services that answer and events that tell, held against the reference."""
import difflib
import json
import os
import re
import subprocess
import zlib

from monitoring import populate, shape
from suite import behaviour, compared, equal, matches, wait_until

CONFIGURATION = """
server_name: N
server_tags: ["a:1", "b"]
accounts {
  A { users: [ { user: a, password: a, permissions: { subscribe: ">" } } ] }
  B { users: [ { user: b, password: b } ] }
  SYS { users: [ { user: sys, password: sys } ] }
}
system_account: SYS
"""

REQUESTS = [
    ("SERVER.PING", ""), ("SERVER.PING.STATSZ", ""), ("SERVER.PING.IDZ", ""),
    ("SERVER.PING.VARZ", ""), ("SERVER.PING.SUBSZ", ""),
    ("SERVER.PING.SUBSZ", {"subscriptions": True, "account": "A"}),
    ("SERVER.PING.SUBSZ", {"subscriptions": True, "account": "A", "test": "foo.x"}),
    ("SERVER.PING.SUBSZ", {"test": "a..b"}), ("SERVER.PING.CONNZ", ""),
    ("SERVER.PING.CONNZ", {"auth": True, "subscriptions": True, "account": "A"}),
    ("SERVER.PING.CONNZ", {"auth": True, "subscriptions_detail": True}),
    ("SERVER.PING.CONNZ", {"state": 1, "auth": True}), ("SERVER.PING.CONNZ", {"state": 2}),
    ("SERVER.PING.CONNZ", {"limit": 1, "offset": 1}), ("SERVER.PING.CONNZ", {"sort": "nonsense"}),
    ("SERVER.PING.CONNZ", {"sort": "stop"}), ("SERVER.PING.CONNZ", {"user": "a", "auth": True}),
    ("SERVER.PING.CONNZ", {"acc": "A"}), ("SERVER.PING.CONNZ", {"acc": "NOPE"}),
    ("SERVER.PING.CONNZ", {"acc": "A", "filter_subject": "nobody.wants.it"}),
    ("SERVER.PING.CONNZ", {"filter_subject": "foo"}), ("SERVER.PING.CONNZ", "null"),
    ("SERVER.PING.ROUTEZ", ""), ("SERVER.PING.GATEWAYZ", ""), ("SERVER.PING.LEAFZ", ""),
    ("SERVER.PING.ACCOUNTZ", ""), ("SERVER.PING.ACCOUNTZ", {"account": "A"}),
    ("SERVER.PING.ACCOUNTZ", {"account": "NOPE"}), ("SERVER.PING.JSZ", ""),
    ("SERVER.PING.JSZ", {"accounts": True}), ("SERVER.PING.HEALTHZ", ""),
    ("SERVER.PING.HEALTHZ", {"details": True, "stream": "s"}),
    ("SERVER.PING.HEALTHZ", {"stream": "s"}), ("SERVER.PING.PROFILEZ", ""),
    ("SERVER.PING.PROFILEZ", {"name": "nonsense"}), ("SERVER.PING.EXPVARZ", ""),
    ("SERVER.PING.IPQUEUESZ", ""), ("SERVER.PING.RAFTZ", ""),
    ("SERVER.{id}.VARZ", ""), ("SERVER.{id}.IDZ", ""), ("SERVER.{id}.STATSZ", ""),
    ("SERVER.{id}.HEALTHZ", ""), ("SERVER.{id}.RELOAD", ""), ("SERVER.{id}.KICK", {"cid": 999}),
    ("SERVER.{id}.LDM", {"cid": 999}), ("ACCOUNT.A.SUBSZ", ""), ("ACCOUNT.A.CONNZ", ""),
    ("ACCOUNT.A.CONNZ", {"auth": True}), ("ACCOUNT.A.CONNZ", {"subscriptions": True}),
    ("ACCOUNT.A.CONNZ", {"subscriptions_detail": True}), ("ACCOUNT.A.LEAFZ", ""), ("ACCOUNT.A.JSZ", ""),
    ("ACCOUNT.A.INFO", ""), ("ACCOUNT.NOPE.INFO", ""), ("ACCOUNT.A.STATZ", ""),
    ("ACCOUNT.A.CONNS", ""), ("ACCOUNT.PING.STATZ", ""),
    ("ACCOUNT.PING.STATZ", {"include_unused": True}),
    ("ACCOUNT.PING.STATZ", {"accounts": ["A"]}), ("USER.INFO", ""),
    ("USER.INFO", "who am I?"),
    ("SERVER.PING.VARZ", {"server_name": "N", "host": "127", "tags": ["a:1"]}),
]

# Nobody answers these: another server is meant, or there is nothing to say.
UNANSWERED = [
    ("SERVER.PING.VARZ", {"server_name": "other"}), ("SERVER.PING.VARZ", {"cluster": "C"}),
    ("SERVER.PING.VARZ", {"host": "127", "exact_match": True}),
    ("SERVER.PING.VARZ", {"tags": ["a:1", "c"]}), ("SERVER.PING.STATSZ", {"domain": "d"}),
    ("ACCOUNT.NOPE.CONNS", ""), ("ACCOUNT.NOPE.STATZ", ""),
]


def system_user(side, server):
    return side.connect(server.port, user="sys", **{"pass": "sys"}, no_responders=True)


def ask(client, subject, body="", reply="answers.x", headers=None):
    """(headers, body) of the first answer."""
    text = json.dumps(body) if isinstance(body, (dict, list)) else body
    if not getattr(client, "asks", False):
        client.send("SUB answers.* answers\r\n")
        client.asks = True
    before = len(client.messages)
    if headers:
        block = "NATS/1.0\r\n" + headers + "\r\n\r\n"
        client.send(f"HPUB {subject} {reply} {len(block)} {len(block) + len(text)}\r\n{block}{text}\r\n")
    else:
        client.send(f"PUB {subject} {reply} {len(text)}\r\n{text}\r\n")
    client.wait_for(lambda it: len(it.messages) > before, what=f"an answer of {subject}")
    control, payload = client.messages[before]
    if control.startswith(b"HMSG"):
        size = int(control.split()[-2])
        return payload[:size].decode(), payload[size:]
    return "", payload


def differences(mine, other):
    mine = {each for each in mine if not _is_free(each)}
    other = {each for each in other if not _is_free(each)}
    return "" if mine == other else f"missing {sorted(other - mine)}, too many {sorted(mine - other)}"


def _is_free(item):
    return any(member in item[0] for member in ("imports", "exports", "data.memstats", "recvQ"))


@compared
def system_services_answer_with_the_names_and_types_of_the_reference(side, reference):
    sides = []
    for each in (side, reference):
        server = each.start(CONFIGURATION + 'http: "127.0.0.1:-1"\n')
        populate(each, server)
        client = system_user(each, server)
        sides.append((client, client.info["server_id"]))
    complaints = []
    for subject, body in REQUESTS:
        answers = []
        for client, identity in sides:
            text = ask(client, "$SYS.REQ." + subject.format(id=identity), body)[1]
            answers.append(json.loads(text))
        found = differences(shape(answers[0]), shape(answers[1]))
        if found:
            complaints.append(f"{subject} {body}: {found}")
        errors = [answer.get("error") for answer in answers]
        if errors[0] != errors[1]:
            complaints.append(f"{subject} {body}: {errors[0]}, not {errors[1]}")
    assert not complaints, "\n".join(complaints)


@behaviour
def what_the_server_hears_itself_is_sent_to_nobody(side):
    client = system_user(side, side.start(CONFIGURATION))
    equal([json.loads(ask(client, "$SYS.REQ.SERVER.PING.VARZ")[1])["data"]["out_msgs"]
           for _ in range(3)], [0, 1, 2])


@behaviour
def requests_that_are_for_other_servers_are_not_answered(side):
    server = side.start(CONFIGURATION)
    client = system_user(side, server)
    for subject, body in UNANSWERED:
        text = json.dumps(body) if body else ""
        client.send(f"SUB other 7\r\nPUB $SYS.REQ.{subject} other {len(text)}\r\n{text}\r\n")
    # Requests are answered in the order in which they came.
    ask(client, "$SYS.REQ.SERVER.PING.IDZ")
    equal([control for control, _ in client.messages if b" 7 " in control], [])


@behaviour
def a_service_that_there_is_none_of_has_no_responders(side):
    server = side.start(CONFIGURATION)
    client = system_user(side, server)
    matches("^NATS/1.0 503", ask(client, "$SYS.REQ.SERVER.PING.NONSENSEZ")[0])


@behaviour
def a_request_that_cannot_be_read_is_answered_with_an_error(side):
    server = side.start(CONFIGURATION)
    client = system_user(side, server)
    answer = json.loads(ask(client, "$SYS.REQ.SERVER.PING.VARZ", "nonsense")[1])
    equal(answer["error"]["code"], 400)
    answer = json.loads(ask(client, "$SYS.REQ.SERVER.PING.CONNZ", {"limit": "x"})[1])
    equal(answer["error"]["code"], 400)


@behaviour
def answers_are_compressed_for_whoever_accepts_that(side):
    server = side.start(CONFIGURATION)
    client = system_user(side, server)
    headers, body = ask(client, "$SYS.REQ.SERVER.PING.VARZ", headers="Accept-Encoding: gzip")
    matches("Content-Encoding: ?gzip", headers)
    equal(json.loads(zlib.decompress(body, 31))["server"]["name"], "N")
    headers, body = ask(client, "$SYS.REQ.SERVER.PING.VARZ", headers="Accept-Encoding: snappy, gzip")
    matches("Content-Encoding: ?snappy", headers)
    assert body.startswith(b"\xff\x06\x00\x00sNaPpY"), body[:20]


@behaviour
def only_the_system_account_reaches_the_services(side):
    server = side.start(CONFIGURATION)
    client = side.connect(server.port, user="a", **{"pass": "a"}, no_responders=True)
    for subject in ("SERVER.PING", "SERVER.PING.VARZ", "ACCOUNT.B.CONNZ", "ACCOUNT.A.INFO"):
        matches("^NATS/1.0 503", ask(client, "$SYS.REQ." + subject)[0])


@compared
def every_user_may_ask_about_itself_and_its_account(side, reference):
    answers = []
    for each in (side, reference):
        server = each.start(CONFIGURATION)
        side_answers = {}
        for user in ("a", "b", "sys"):
            client = each.connect(server.port, user=user, **{"pass": user}, no_responders=True)
            answer = json.loads(ask(client, "$SYS.REQ.USER.INFO")[1])
            assert "server" in answer, answer
            side_answers[user] = answer["data"]
            if user == "sys":
                continue
            for subject in ("ACCOUNT.PING.CONNZ", "SERVER.PING.CONNZ", "ACCOUNT.PING.STATZ"):
                answer = json.loads(ask(client, "$SYS.REQ." + subject)[1])
                side_answers[f"{user} {subject}"] = sorted(shape(answer))
            connections = json.loads(ask(client, "$SYS.REQ.ACCOUNT.PING.CONNZ",
                                         {"auth": True})[1])["data"]["connections"]
            side_answers[f"{user} sees"] = [one["authorized_user"] for one in connections]
            statz = json.loads(ask(client, "$SYS.REQ.ACCOUNT.PING.STATZ")[1])["data"]
            side_answers[f"{user} is counted"] = [one["acc"] for one in statz["account_statz"]]
        answers.append(side_answers)
    for key, value in answers[1].items():
        equal(answers[0][key], value, key)


@compared
def user_information_shows_the_permissions(side, reference):
    text = """
    authorization { users: [
      { user: u, password: u, permissions: { publish: { allow: ["$SYS.REQ.>", "a"], deny: ["b.*"] },
        subscribe: { allow: ["answers.*", "q.> workers"] }, allow_responses: { max: 3, expires: "5s" } } } ] }
    """
    answers = []
    for each in (side, reference):
        client = each.connect(each.start(text).port, user="u", **{"pass": "u"})
        data = json.loads(ask(client, "$SYS.REQ.USER.INFO")[1])["data"]
        for part in ("publish", "subscribe"):
            for kind in ("allow", "deny"):
                data["permissions"][part].get(kind, []).sort()
        answers.append(data)
    equal(answers[0], answers[1])


def events_of(client, *subjects):
    """The events of these subjects so far, as (subject, document)."""
    found = []
    for control, payload in client.messages:
        subject = control.split()[1].decode()
        if any(re.fullmatch(each, subject) for each in subjects):
            found.append((subject, json.loads(payload)))
    return found


@compared
def events_have_the_names_and_types_of_the_reference(side, reference):
    seen = []
    for each in (side, reference):
        server = each.start(CONFIGURATION)
        watcher = system_user(each, server)
        watcher.send("SUB $SYS.ACCOUNT.> 1\r\nSUB $SYS.SERVER.*.CLIENT.AUTH.ERR 2\r\n"
                     "SUB $SYS.SERVER.ACCOUNT.*.CONNS 3\r\n")
        watcher.barrier()
        client = each.connect(server.port, user="a", name="app", lang="x", version="1",
                              **{"pass": "a"})
        client.send("SUB foo 1\r\nPUB foo 2\r\nhi\r\n")
        client.barrier()
        patterns = {"connect": r"\$SYS\.ACCOUNT\.A\.CONNECT",
                    "disconnect": r"\$SYS\.ACCOUNT\.A\.DISCONNECT",
                    "conns": r"\$SYS\.ACCOUNT\.A\.SERVER\.CONNS",
                    "old conns": r"\$SYS\.SERVER\.ACCOUNT\.A\.CONNS",
                    "refused": r"\$SYS\.SERVER\.N\w+\.CLIENT\.AUTH\.ERR",
                    "gone": r"\$SYS\.ACCOUNT\.\$G\.DISCONNECT"}
        watcher.wait_for(lambda it: events_of(it, patterns["old conns"]), what="connections")
        client.stream.close()
        watcher.wait_for(lambda it: events_of(it, patterns["disconnect"]), what="a disconnect")
        each.connect(server.port, user="a", **{"pass": "wrong"})
        events = {}
        for name, pattern in patterns.items():
            watcher.wait_for(lambda it, p=pattern: events_of(it, p), what=name)
            events[name] = events_of(watcher, pattern)[0][1]
        seen.append(events)
    complaints = []
    for name, event in seen[1].items():
        mine, other = shape(seen[0][name]), shape(event)
        if mine != other:
            complaints.append(f"{name}: missing {sorted(other - mine)}, too many {sorted(mine - other)}")
        for key in ("type", "reason", "sent", "received", "acc", "name", "conns", "total_conns"):
            if name not in ("conns", "old conns") or key not in ("sent", "received"):
                if seen[0][name].get(key) != event.get(key):
                    complaints.append(f"{name} {key}: {seen[0][name].get(key)}, not {event.get(key)}")
        for key in ("acc", "user", "name", "lang", "ver", "name_tag", "kind", "client_type"):
            mine, other = (each[name].get("client", {}).get(key) for each in seen)
            if mine != other:
                complaints.append(f"{name} client.{key}: {mine}, not {other}")
    assert not complaints, "\n".join(complaints)


@behaviour
def account_owners_hear_of_refused_logins(side):
    server = side.start("""
      accounts { A { users: [ { user: a, password: a } ] } }
      authorization { users: [ { user: g, password: g } ] }
      """)
    watcher = side.connect(server.port, user="g", **{"pass": "g"})
    watcher.send("SUB $SYS.ACCOUNT.CLIENT.AUTH.ERR 1\r\n")
    watcher.barrier()
    side.connect(server.port, user="a", **{"pass": "wrong"})
    watcher.wait_for(lambda it: it.messages, what="an event")
    event = json.loads(watcher.messages[0][1])
    equal((event["type"], event["reason"], event["client"]["user"]),
          ("io.nats.server.advisory.v1.client_disconnect", "Authentication Failure", "a"))


@behaviour
def statistics_come_by_themselves(side):
    server = side.start(CONFIGURATION)
    watcher = system_user(side, server)
    watcher.send("SUB $SYS.SERVER.*.STATSZ 1\r\n")
    watcher.wait_for(lambda it: it.messages, seconds=20, what="statistics")
    assert "connections" in json.loads(watcher.messages[0][1])["statsz"]


@behaviour
def the_end_of_a_server_is_an_event(side):
    server = side.start(CONFIGURATION)
    watcher = system_user(side, server)
    watcher.send("SUB $SYS.SERVER.*.SHUTDOWN 1\r\n")
    watcher.barrier()
    server.process.terminate()
    watcher.wait_for(lambda it: it.messages, what="an event")
    equal(json.loads(watcher.messages[0][1])["name"], "N")


@behaviour
def a_client_is_kicked_by_request(side):
    server = side.start(CONFIGURATION)
    client = system_user(side, server)
    other = side.connect(server.port, user="a", **{"pass": "a"})
    identity = client.info["server_id"]
    answer = json.loads(ask(client, f"$SYS.REQ.SERVER.{identity}.KICK",
                            {"cid": other.info["client_id"]})[1])
    assert "error" not in answer, answer
    assert other.wait_for_end()


@behaviour
def who_is_kicked_and_whose_connections_are_counted_has_to_be_readable(side):
    server = side.start(CONFIGURATION)
    client = system_user(side, server)
    other = side.connect(server.port, user="a", **{"pass": "a"})
    kick = f"$SYS.REQ.SERVER.{client.info['server_id']}.KICK"
    cid = other.info["client_id"]
    for body in ({"cid": cid, "server_name": 5}, {"cid": cid, "tags": "x"}):
        equal(json.loads(ask(client, kick, body)[1])["error"]["code"], 400, body)
    conns = "$SYS.REQ.ACCOUNT.A.CONNS"
    for subject, body in ((kick, {"cid": "x", "server_name": 5}), (conns, {"acc": ""}),
                          (conns, {"acc": 5}), (conns, {"acc": "B"})):
        client.send(f"SUB silence 70\r\nPUB {subject} silence {len(json.dumps(body))}\r\n"
                    f"{json.dumps(body)}\r\n")
        # Answers come in the order of the questions.
        equal(json.loads(ask(client, conns, {"server_name": 5})[1])["conns"], 1)
        equal([control for control, _ in client.messages if b" 70 " in control], [], body)
    assert other.barrier()


@behaviour
def a_client_is_told_by_request_to_go_elsewhere(side):
    server = side.start(CONFIGURATION)
    client = system_user(side, server)
    other = side.connect(server.port, user="a", **{"pass": "a"})
    identity = client.info["server_id"]
    answer = json.loads(ask(client, f"$SYS.REQ.SERVER.{identity}.LDM",
                            {"cid": other.info["client_id"]})[1])
    assert "error" not in answer, answer
    other.wait_for(lambda it: any(b'"ldm":true' in each for each in it.operations),
                   what="an INFO with ldm")
    assert other.barrier()


@behaviour
def a_server_is_reloaded_by_request_and_says_why_not(side):
    server = side.start(CONFIGURATION)
    client = system_user(side, server)
    subject = f"$SYS.REQ.SERVER.{client.info['server_id']}.RELOAD"
    server.write_configuration(CONFIGURATION.replace("user: b, password: b", "user: new, password: new"))
    assert "error" not in json.loads(ask(client, subject)[1])
    equal(side.connect(server.port, user="new", **{"pass": "new"}).errors, [])
    server.write_configuration("server_name: X\n" + CONFIGURATION.replace("server_name: N\n", ""))
    answer = json.loads(ask(client, subject)[1])
    equal(answer["error"]["code"], 500)
    matches("ServerName", answer["error"]["description"])
    equal(side.connect(server.port, user="new", **{"pass": "new"}).errors, [])


# --- The `nats` tool ---

TOOL_COMMANDS = [
    "server list", "server ping --count=1", "server info N", "server report connections",
    "server report connections --account=A", "server report accounts", "server report health",
    "server check connection", "server check server --name=N --connz-warn=0",
    "server check request --subject=$SYS.REQ.SERVER.PING.IDZ", "server request varz",
    "server request connections", "server request subscriptions",
    "server request routes", "server request gateways", "server request leafnodes",
    "server request jetstream", "server request healthz", "account info",
    "account report connections",
]


def scrubbed(text):
    """What a person reads, without what differs between two servers or two moments."""
    text = re.sub(r"\bN[A-Z2-7]{55}\b", "ID", text).replace("none, C++20", "go1.26.8")
    text = re.sub(r"\d[\d.,:]*\s?(?:[µmn]?s|[KMG]iB|B|%)?", "#", text)
    text = re.sub(r"[ \t]+", " ", text)
    text = re.sub(r"[─═━]+", "-", text)
    # Lists are in any order.
    return sorted(line.strip() for line in text.splitlines() if line.strip())


def tool(reference, server, command, user="sys"):
    program = os.path.join(os.path.dirname(reference.program), "nats")
    url = f"nats://{user}:{user}@127.0.0.1:{server.port}"
    done = subprocess.run([program, "-s", url, *command.split()], capture_output=True, text=True,
                          timeout=30, check=False, env={**os.environ, "NO_COLOR": "1"})
    return done.returncode, scrubbed(done.stdout + done.stderr)


@compared
def the_nats_tool_shows_both_servers_alike(side, reference):
    servers = []
    for each in (side, reference):
        server = each.start(CONFIGURATION + 'http: "127.0.0.1:-1"\n')
        populate(each, server)
        servers.append(server)
    complaints = []
    for command in TOOL_COMMANDS:
        mine, other = (tool(reference, server, command) for server in servers)
        if mine != other:
            complaints.append(f"nats {command}: {mine[0]}, not {other[0]}\n" + "\n".join(
                difflib.unified_diff(other[1], mine[1], "nats-server", "pipit", lineterm="", n=0)))
    assert not complaints, "\n".join(complaints)


@compared
def the_nats_tool_shows_events_of_both_alike(side, reference):
    shown = []
    for each in (side, reference):
        server = each.start(CONFIGURATION)
        program = os.path.join(os.path.dirname(reference.program), "nats")
        with subprocess.Popen([program, "-s", f"nats://sys:sys@127.0.0.1:{server.port}", "events",
                               "--all", "--json"], stdout=subprocess.PIPE, text=True) as watcher:
            wait_until(lambda: connections_named(each, server) > 0, what="a watcher")
            client = each.connect(server.port, user="a", name="app", **{"pass": "a"})
            client.stream.close()
            kinds = []
            for line in watcher.stdout:
                found = re.search(r'"type": ?"(io\.nats\.server\.[\w.]+)"', line)
                if found:
                    kinds.append(found[1])
                if len({kind for kind in kinds if "client_" in kind}) == 2:
                    break
            watcher.terminate()
            watcher.stdout.close()
        shown.append(sorted(set(kinds)))
    equal(shown[0], shown[1])


def connections_named(side, server):
    """How many connections of the tool there are, with a subscription."""
    client = system_user(side, server)
    page = json.loads(ask(client, "$SYS.REQ.SERVER.PING.CONNZ", {"subscriptions": True})[1])
    client.stream.close()
    return sum(1 for each in page["data"]["connections"]
               if "NATS CLI" in each.get("name", "") and each["subscriptions"] > 0)
