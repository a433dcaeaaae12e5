# SPDX-License-Identifier: Apache-2.0
"""The monitoring pages: names and types as the reference's, error texts, Prometheus."""
import http.client
import json
import re
import socket

from suite import behaviour, compared, equal, matches, pipits_own, wait_until

CONFIGURATION = """
http: "127.0.0.1:-1"
server_name: N
server_tags: ["a:1", "b"]
accounts {
  A { users: [ { user: a, password: a, permissions: { subscribe: ">" } } ], mappings { m: n } }
  B { users: [ { user: b, password: b } ] }
}
"""

PAGES = [
    "/varz", "/connz", "/connz?subs=1", "/connz?subs=detail", "/connz?auth=1",
    "/connz?auth=1&subs=detail", "/connz?state=closed", "/connz?state=closed&auth=1&sort=stop",
    "/connz?state=closed&subs=detail",
    "/connz?state=any", "/connz?state=all&sort=cid", "/connz?limit=1&offset=1", "/connz?acc=A",
    "/connz?user=a&auth=1", "/connz?cid=999999", "/connz?filter_subject=foo.*&subs=1&acc=A",
    "/subsz", "/subsz?subs=1", "/subscriptionsz", "/subsz?limit=1&offset=1",
    "/subsz?subs=1&acc=A", "/subsz?subs=1&test=foo.bar", "/routez", "/routez?subs=1",
    "/routez?subs=detail", "/leafz", "/leafz?subs=1", "/gatewayz", "/gatewayz?accs=1", "/accountz",
    "/accountz?acc=A", "/accountz?acc=B", "/accstatz", "/accstatz?unused=1", "/jsz",
    "/jsz?accounts=1", "/jsz?streams=1&config=1&acc=A", "/healthz", "/healthz?js-server-only=1",
    "/healthz?details=true", "/ipqueuesz", "/ipqueuesz?all=1", "/debug/vars",
    *[f"/connz?sort={key}" for key in (
        "cid", "start", "subs", "pending", "msgs_to", "msgs_from", "bytes_to", "bytes_from",
        "last", "idle", "uptime", "rtt")],
]

WRONG = [
    "/nope", "/Varz", "/connz?subs=foo", "/connz?auth=x", "/connz?limit=x", "/connz?offset=x",
    "/connz?cid=x", "/connz?state=foo", "/connz?sort=foo", "/connz?sort=stop",
    "/connz?sort=reason", "/subsz?subs=x", "/subsz?test=a..b", "/subsz?limit=x",
    "/accountz?acc=NOPE", "/routez?subs=x", "/leafz?subs=x", "/gatewayz?accs=x",
    "/accstatz?unused=x", "/jsz?accounts=x", "/jsz?limit=x", "/jsz?acc=NOPE",
    "/healthz?js-enabled-only=x", "/healthz?js-enabled-only=1", "/healthz?stream=s",
    "/healthz?consumer=c", "/healthz?account=Z", "/healthz?account=Z&stream=s",
    "/healthz?consumer=c&account=A", "/raftz", "/raftz?acc=NOPE", "/expvarz", "/connz?acc=NOPE",
    "/leafz?acc=NOPE", "/subsz?acc=NOPE", "/connz?user=NOPE", "/ipqueuesz?all=x",
    "/connz?filter_subject=a..b", "/connz?mqtt_client=x",
]

# What depends on the machine, the moment or the program itself.
FREE = {"git_commit", "gomemlimit", "memstats", "cmdline", "http_req_stats", "feature_flags"}
# Lists that are never empty there because the reference's own services stand in them, about
# requests to $SYS that are not served here.
OF_OWN_SERVICES = {"account_detail.imports", "account_detail.exports"}
# Members whose keys are data.
MAPS = {"http_req_stats", "outbound_gateways", "inbound_gateways", "mappings"}


def _kind(value):
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, (int, float)):
        return "number"
    return type(value).__name__


def shape(value, path=""):
    """Names and types of a document as a flat set; a list's members are one."""
    if isinstance(value, dict):
        found = {(path, "object")}
        for key, member in value.items():
            if key in FREE or key.startswith("pipit_"):
                continue
            if f"{path}.{key}".removeprefix(".") in OF_OWN_SERVICES:
                continue
            name = "*" if path.rsplit(".", 1)[-1] in MAPS else key
            found |= shape(member, f"{path}.{name}")
        return found
    if isinstance(value, list):
        found = {(path, "array")}
        for member in value:
            found |= shape(member, path + "[]")
        return found
    return {(path, _kind(value))}


def get(server, path, method="GET"):
    """(status, headers, body)"""
    host, port = server.ports["monitoring"][0].removeprefix("http://").rsplit(":", 1)
    connection = http.client.HTTPConnection(host, int(port), timeout=10)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read().decode()
    finally:
        connection.close()


def populate(side, server):
    """The same life on every server: open, closed, rejected and busy connections."""
    first = side.connect(server.port, user="a", name="app", lang="go", version="1.2.3",
                         **{"pass": "a"})
    first.send("SUB foo.* 1\r\nSUB foo.> q 2\r\nSUB bar 3\r\nUNSUB 3 5\r\nPUB foo.x 2\r\nhi\r\n"
               "HPUB bar r 12 14\r\nNATS/1.0\r\n\r\nhi\r\n")
    first.barrier()
    second = side.connect(server.port, user="b", **{"pass": "b"})
    second.send("SUB other 1\r\nPUB other 1\r\nx\r\n")
    second.barrier()
    for ending in ("", "NONSENSE\r\n"):
        gone = side.connect(server.port, user="a", **{"pass": "a"})
        gone.send("SUB gone 1\r\n")
        gone.barrier()
        gone.send(ending)
        if not ending:
            gone.stream.close()
    side.connect(server.port, user="a", **{"pass": "wrong"})
    wait_until(lambda: json.loads(server.monitoring("/connz?state=closed"))["total"] == 3,
               what="three closed connections")
    return first, second


@compared
def documents_have_the_names_and_types_of_the_reference(side, reference):
    ours, theirs = side.start(CONFIGURATION), reference.start(CONFIGURATION)
    populate(side, ours)
    populate(reference, theirs)
    complaints = []
    for page in PAGES:
        status, headers, body = get(ours, page)
        expected_status, expected_headers, expected_body = get(theirs, page)
        if status != expected_status:
            complaints.append(f"{page}: status {status}, not {expected_status}")
            continue
        if headers.get("Content-Type") != expected_headers.get("Content-Type"):
            complaints.append(f"{page}: type {headers.get('Content-Type')}, "
                              f"not {expected_headers.get('Content-Type')}")
        mine, other = shape(json.loads(body)), shape(json.loads(expected_body))
        if mine != other:
            complaints.append(f"{page}: missing {sorted(other - mine)}, "
                              f"too many {sorted(mine - other)}")
    assert not complaints, "\n".join(complaints)


@compared
def wrong_questions_get_the_same_answers(side, reference):
    ours, theirs = side.start(CONFIGURATION), reference.start(CONFIGURATION)
    complaints = []
    for page in WRONG:
        status, headers, body = get(ours, page)
        expected_status, expected_headers, expected_body = get(theirs, page)
        same_text = body == expected_body or \
            (expected_status == 200 and _shape_of_text(body) == _shape_of_text(expected_body))
        if (status, headers.get("Content-Type")) != \
                (expected_status, expected_headers.get("Content-Type")) or not same_text:
            complaints.append(f"{page}: {status} {headers.get('Content-Type')} {body[:300]!r}, not "
                              f"{expected_status} {expected_headers.get('Content-Type')} "
                              f"{expected_body[:300]!r}")
    assert not complaints, "\n".join(complaints)


def _shape_of_text(text):
    try:
        return shape(json.loads(text))
    except ValueError:
        return text


@compared
def values_that_do_not_depend_on_the_machine_are_the_same(side, reference):
    ours, theirs = side.start(CONFIGURATION), reference.start(CONFIGURATION)
    populate(side, ours)
    populate(reference, theirs)
    complaints = []
    for page, keys in (
            ("/varz", ("server_name", "proto", "host", "auth_required", "max_connections",
                       "ping_interval", "ping_max", "http_host", "http_base_path", "https_port",
                       "auth_timeout", "max_control_line", "max_payload", "max_pending",
                       "cluster", "gateway", "leaf", "mqtt", "websocket", "jetstream",
                       "tls_timeout", "write_deadline", "connections", "total_connections",
                       "routes", "remotes", "leafnodes", "in_msgs", "in_bytes", "out_msgs",
                       "out_bytes", "in_client_msgs", "out_client_msgs", "slow_consumers",
                       "stale_connections", "stalled_clients", "tags", "system_account",
                       "slow_consumer_stats", "stale_connection_stats", "config_digest")),
            ("/connz", ("num_connections", "total", "offset", "limit")),
            ("/subsz", ("total", "offset", "limit")),
            ("/accountz", ("system_account",)),
            ("/routez", ("num_routes", "routes")), ("/leafz", ("leafnodes", "leafs")),
            ("/gatewayz", ("outbound_gateways", "inbound_gateways")),
            ("/jsz", ("disabled", "memory", "storage", "streams", "consumers", "api")),
            ("/healthz", ("status",))):
        mine, other = (json.loads(get(each, page)[2]) for each in (ours, theirs))
        complaints += [f"{page} {key}: {mine.get(key)!r}, not {other.get(key)!r}"
                       for key in keys if mine.get(key) != other.get(key)]
    for page in ("/connz?subs=detail&auth=1", "/connz?state=closed&auth=1&subs=detail&sort=cid"):
        mine, other = (_connections(get(each, page)[2]) for each in (ours, theirs))
        if mine != other:
            complaints.append(f"{page}: {mine}\n  not {other}")
    mine, other = (sorted(json.loads(get(each, "/accountz")[2])["accounts"])
                   for each in (ours, theirs))
    if mine != other:
        complaints.append(f"/accountz: {mine}, not {other}")
    assert not complaints, "\n".join(complaints)


def _connections(text):
    keys = ("kind", "type", "ip", "in_msgs", "out_msgs", "in_bytes", "out_bytes", "subscriptions",
            "name", "lang", "version", "authorized_user", "account", "reason",
            "name_tag", "tls_version")
    details = ("account", "subject", "qgroup", "sid", "msgs", "max")
    return [({key: each.get(key) for key in keys},
             sorted(tuple(str(detail.get(key)) for key in details)
                    for detail in each.get("subscriptions_list_detail", [])))
            for each in json.loads(text)["connections"]]


@compared
def documents_of_an_open_server_look_the_same(side, reference):
    text = 'http: "127.0.0.1:-1"\n'
    ours, theirs = side.start(text), reference.start(text)
    complaints = []
    for page in ("/varz", "/connz", "/subsz", "/accountz", "/accountz?acc=$G",
                 "/accountz?acc=$SYS", "/accstatz", "/accstatz?unused=1", "/jsz", "/healthz"):
        mine, other = (shape(json.loads(get(each, page)[2])) for each in (ours, theirs))
        if mine != other:
            complaints.append(f"{page}: missing {sorted(other - mine)}, "
                              f"too many {sorted(mine - other)}")
    assert not complaints, "\n".join(complaints)


@behaviour
def answers_are_json_that_any_page_may_read(side):
    server = side.start('http: "127.0.0.1:-1"\n')
    status, headers, body = get(server, "/varz")
    equal(status, 200)
    equal(headers["Content-Type"], "application/json")
    equal(headers["Access-Control-Allow-Origin"], "*")
    assert body.startswith('{\n  "server_id": "N'), body[:50]
    assert not body.endswith("\n")
    equal(get(server, "/varz?callback=f")[2][:1], "{")


@behaviour
def the_first_page_links_the_others(side):
    server = side.start('http: "127.0.0.1:-1"\n')
    status, headers, body = get(server, "/")
    equal(status, 200)
    matches("^text/html", headers["Content-Type"])
    for page in ("varz", "jsz", "connz", "accountz", "accstatz", "subsz", "routez", "leafz",
                 "gatewayz", "healthz"):
        matches(rf"href=['\"]?\.?/?{page}", body, "page")


@behaviour
def goroutines_or_what_stands_for_them_are_a_text(side):
    server = side.start('http: "127.0.0.1:-1"\n')
    status, _, body = get(server, "/stacksz")
    equal(status, 200)
    assert body


@behaviour
def requests_are_counted_by_page(side):
    server = side.start('http: "127.0.0.1:-1"\n')
    for page in ("/connz", "/connz?subs=1", "/subscriptionsz", "/subsz", "/healthz"):
        get(server, page)
    # A page of connections or routes is not, where its parameters cannot be read.
    for page in ("/connz?limit=x", "/connz?state=x", "/routez?subs=x", "/subsz?limit=x",
                 "/connz?sort=x"):
        equal(get(server, page)[0], 400, page)
    counts = json.loads(get(server, "/varz")[2])["http_req_stats"]
    equal((counts["/connz"], counts["/subsz"], counts["/varz"]), (3, 3, 1))
    equal(counts.get("/routez", 0), 0)


@behaviour
def a_base_path_goes_before_every_page(side):
    server = side.start('http: "127.0.0.1:-1"\nhttp_base_path: "/nats"\n')
    equal(get(server, "/nats/varz")[0], 200)
    equal(get(server, "/varz")[0], 404)
    equal(get(server, "/varz")[2], "404 page not found\n")
    equal(json.loads(get(server, "/nats/varz")[2])["http_base_path"], "/nats")


@behaviour
def methods_are_not_looked_at_and_head_has_no_body(side):
    server = side.start('http: "127.0.0.1:-1"\n')
    equal(get(server, "/varz", "POST")[0], 200)
    equal(get(server, "/varz", "HEAD")[::2], (200, ""))


@behaviour
def several_requests_share_a_connection(side):
    server = side.start('http: "127.0.0.1:-1"\n')
    host, port = server.ports["monitoring"][0].removeprefix("http://").rsplit(":", 1)
    connection = http.client.HTTPConnection(host, int(port), timeout=10)
    for _ in range(3):
        connection.request("GET", "/healthz")
        equal(json.loads(connection.getresponse().read()), {"status": "ok"})
    connection.close()


def _raw(server, *parts, until=None):
    """Everything that is answered to these bytes, to the end of the connection or to that text."""
    host, port = server.ports["monitoring"][0].removeprefix("http://").rsplit(":", 1)
    with socket.create_connection((host, int(port)), 10) as client:
        for part in parts:
            client.sendall(part.encode())
        answer = b""
        while part := client.recv(4096):
            answer += part
            if until and until.encode() in answer:
                break
        return answer.decode()


@behaviour
def a_request_says_whom_it_is_for(side):
    server = side.start('http: "127.0.0.1:-1"\n')
    for version, lines, status, end in (
            ("1.1", "", "400", "missing required Host header"),
            ("1.0", "", "200", '{"status":"ok"}'),
            ("1.1", "Host: a\r\nHost: a\r\n", "400", "\r\n\r\n400 Bad Request"),
            ("1.1", "Host: a b\r\n", "400", "malformed Host header"),
            ("1.1", "Host:\r\nConnection: close\r\n", "200", '{"status":"ok"}')):
        answer = _raw(server, f"GET /healthz HTTP/{version}\r\n{lines}\r\n")
        equal(answer.split()[1], status, lines)
        assert answer.endswith(end), answer


OK = '{"status":"ok"}'
LAST = "Host: x\r\nConnection: close\r\n"


@behaviour
def simple_probes_are_answered(side):
    """As they are written by hand, in shell scripts and in old load balancers."""
    server = side.start('http: "127.0.0.1:-1"\n')
    for request in ("GET /healthz HTTP/1.1\nHost: x\nConnection: close\n\n",
                    "GET /healthz HTTP/1.1\r\nHost: x\nConnection: close\r\n\n",
                    "GET /healthz HTTP/1.0\n\n",
                    "get /healthz HTTP/1.1\r\n" + LAST + "\r\n",
                    "GET http://else.where/healthz HTTP/1.1\r\n" + LAST + "\r\n",
                    "GET /healthz HTTP/1.4\r\n" + LAST + "\r\n",
                    "GET /%68ealthz?x=%zz HTTP/1.1\r\n" + LAST + "\r\n"):
        answer = _raw(server, request)
        matches(r"^HTTP/1\.[01] 200 OK\r\n", answer)
        assert answer.endswith(OK), answer
    two = _raw(server, "GET /healthz HTTP/1.1\nHost: x\n\n" + "GET /healthz HTTP/1.1\nHost: x\n"
               "Connection: close\n\n")
    equal(two.count(OK), 2)


@behaviour
def an_old_client_is_answered_as_it_asks(side):
    server = side.start('http: "127.0.0.1:-1"\n')
    answer = _raw(server, "GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
                  "GET /healthz HTTP/1.0\r\n\r\n")
    equal(answer.count("HTTP/1.0 200 OK\r\n"), 2)
    equal(answer.lower().count("connection: keep-alive"), 1)
    equal(answer.lower().count("connection:"), 1)


@behaviour
def bodies_are_not_waited_for_nor_looked_at(side):
    server = side.start('http: "127.0.0.1:-1"\n')
    chunked = "Transfer-Encoding: chunked\r\n"
    for head, body in (
            (chunked, "3\r\nabc\r\n0\r\n\r\n"), (chunked, "what is no chunk"),
            ("Content-Length: 3\r\n", "abc")):
        answer = _raw(server, "POST /healthz HTTP/1.1\r\n" + LAST + head + "\r\n" + body, until=OK)
        matches("^HTTP/1.1 200 OK\r\n", answer)
        assert answer.endswith(OK), answer
    # One that waits for leave gets none, and is not waited for.
    waiting = "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n"
    answer = _raw(server, "POST /healthz HTTP/1.1\r\n" + LAST + waiting, until=OK)
    matches("(?s)^HTTP/1.1 200 OK\r\n.*\r\nConnection: close\r\n", answer)
    # What follows a body is the next request.
    again = "GET /healthz HTTP/1.1\r\n" + LAST + "\r\n"
    for head, body in ((chunked, "3\r\nabc\r\n0\r\n\r\n"), ("Content-Length: 100000\r\n", "x" * 100000)):
        answer = _raw(server, "POST /healthz HTTP/1.1\r\nHost: x\r\n" + head + "\r\n" + body + again)
        equal(answer.count(OK), 2, head)
    matches("^HTTP/1.1 417 Expectation Failed\r\n", _raw(server, "GET / HTTP/1.1\r\n" + LAST + "Expect: x\r\n\r\n"))


@behaviour
def what_is_no_request_is_told_so_at_once(side):
    server = side.start('http: "127.0.0.1:-1"\n')
    form = ("HTTP/1.1 {}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n{}")
    bad, old = "400 Bad Request", "505 HTTP Version Not Supported: unsupported protocol version"
    host = "400 Bad Request: missing required Host header"
    unknown = ("501 Not Implemented", "Unsupported transfer encoding")
    for request, status, body in (
            ("HELLO\r\n", bad, bad), ("GET /healthz\r\n", bad, bad), ("\r\n", bad, bad),
            ("GET /healthz HTTP/2.0\r\n\r\n", old, old), ("GET /healthz HTTP/1.1\r\n\r\n", host, host),
            ("GET / HTTP/1.1\r\n" + LAST + "X\r\n\r\n", bad, bad),
            ("GET / HTTP/1.1\r\n" + LAST + "Transfer-Encoding: gzip\r\n\r\n", *unknown)):
        equal(_raw(server, request), form.format(status, body), request)


@behaviour
def the_server_as_a_whole_has_options(side):
    server = side.start('http: "127.0.0.1:-1"\n')
    for method, status in (("OPTIONS", "200 OK"), ("GET", "400 Bad Request")):
        answer = _raw(server, f"{method} * HTTP/1.1\r\n{LAST}\r\n")
        matches(rf"^HTTP/1.1 {status}\r\n(?:.*\r\n)*Content-Length: 0\r\n(?:.*\r\n)*\r\n$", answer)


@behaviour
def careless_addresses_are_sent_on(side):
    server = side.start('http: "127.0.0.1:-1"\n')
    for target, location in (("http://x", "/"), ("//varz?a=1", "/varz?a=1"), ("/a/../varz", "/varz")):
        for method, ends in (("GET", ">Temporary Redirect</a>.\n\n"), ("POST", "\r\n\r\n")):
            answer = _raw(server, f"{method} {target} HTTP/1.1\r\n{LAST}\r\n")
            matches(r"^HTTP/1.1 307 Temporary Redirect\r\n", answer)
            matches(rf"(?m)^Location: {re.escape(location)}\r$", answer)
            assert answer.endswith(ends), answer


@behaviour
def counters_add_up(side):
    server = side.start('http: "127.0.0.1:-1"\n')
    client, other = side.connect(server.port), side.connect(server.port)
    other.send("SUB a 1\r\nSUB a 2\r\n")
    other.barrier()
    for _ in range(10):
        client.send("PUB a 5\r\nhello\r\n")
    client.barrier()
    other.barrier()
    varz = json.loads(get(server, "/varz")[2])
    equal([varz[key] for key in ("in_msgs", "in_bytes", "out_msgs", "out_bytes", "connections",
                                 "total_connections")], [10, 50, 20, 100, 2, 2])
    connections = {each["cid"]: each for each in
                   json.loads(get(server, "/connz?sort=msgs_to")[2])["connections"]}
    counts = sorted((each["in_msgs"], each["out_msgs"]) for each in connections.values())
    equal(counts, [(0, 20), (10, 0)])


@behaviour
def messages_and_interest_are_activity_but_pings_are_not(side):
    server = side.start('http: "127.0.0.1:-1"\n')
    client = side.connect(server.port)

    def activity():
        return json.loads(get(server, "/connz")[2])["connections"][0]["last_activity"]

    begin = activity()
    client.barrier()
    equal(activity(), begin)
    for text in ("SUB a 1\r\n", "PUB b 1\r\nx\r\n", "UNSUB 9\r\n"):
        before = activity()
        client.send(text)
        client.barrier()
        wait_until(lambda before=before: activity() > before, what=f"activity by {text!r}")


@pipits_own
def metrics_are_prometheus_text(side):
    server = side.start('http: "127.0.0.1:-1"\n')
    client = side.connect(server.port)
    client.send("SUB a 1\r\nPUB a 2\r\nhi\r\n")
    client.barrier()
    status, headers, body = get(server, "/metrics")
    equal(status, 200)
    matches(r"^text/plain; version=0\.0\.4", headers["Content-Type"])
    samples = parse_prometheus(body)
    assert len(samples) >= 10, body
    assert any(value == 1 for name, value in samples.items() if "connections" in name), body


_SAMPLE = re.compile(r'^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\"n])*",?)*\})? '
                     r"(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|[+-]?Inf|NaN)( -?\d+)?$")


def parse_prometheus(text):
    """{name and labels: value}; complains about anything that a scraper would not take."""
    assert text.endswith("\n"), "no newline at the end"
    types, helped, samples, families = {}, set(), {}, []
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ", 3)
            assert kind in ("counter", "gauge", "histogram", "summary", "untyped"), line
            assert name not in types, f"{name} has two types"
            assert name not in families, f"the type of {name} comes after its samples"
            types[name] = kind
        elif line.startswith("# HELP "):
            name = line.split(" ", 3)[2]
            assert name not in helped, f"{name} is explained twice"
            helped.add(name)
        elif line and not line.startswith("#"):
            found = _SAMPLE.match(line)
            assert found, f"no sample: {line!r}"
            name = found[1]
            if not families or families[-1] != name:
                assert name not in families, f"the samples of {name} are apart"
                families.append(name)
            assert name + (found[2] or "") not in samples, f"twice: {line}"
            samples[name + (found[2] or "")] = float(found[3])
    assert all(any(name == base or name.startswith(base + "_") for base in types)
               for name in families), "a family without a type"
    return samples
