"""Logs of web servers and proxies: nginx, Apache, HAProxy, Squid, Envoy. By their descriptions."""

import json

from .hosts import stamped
from .world import MONTHS, Made, NANOS, decimals, iso, record, unix, web

PATHS = [
    "/",
    "/api/users",
    "/api/orders/7?full=1",
    "/static/app.js",
    "/login",
    "/?q=a",
    "/img//x.png",
    "/caf%C3%A9/x",
    "//double",
    "/a;b/c#d",
    "/oauth?next=https://www.example.org/x/y",
    "/go/http://www.example.org/x",
]
SEGMENTS = ["/", "/api", "/api", "/static", "/login", "/", "/img", "/caf%C3%A9", "/", "/a;b", "/oauth", "/go"]
AGENTS = [
    "curl/8.5.0",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36",
    "-",
    "",
    "Agent [x] (+http://x.example/bot)",
]
METHODS = ["GET", "GET", "GET", "POST", "HEAD", "OPTIONS", "PROPFIND"]


def request(world, escape):
    """A request line as a web log has it, and the first segment of its path."""
    kind = world.draw.random()
    if kind < 0.9:
        path, segment = world.often(list(zip(PATHS, SEGMENTS)))
        return "%s %s HTTP/%s" % (world.draw.choice(METHODS), path, world.draw.choice(["1.1", "1.0", "2.0"])), segment
    if kind < 0.93:
        return "GET /a%sb/c HTTP/1.1" % escape['"'], "/a%sb" % escape['"']
    if kind < 0.94:
        return "GET /a b/c HTTP/1.1", "/a b"
    if kind < 0.96:
        proxied = [
            ("CONNECT example.com:443 HTTP/1.1", "example.com"),
            ("GET http://example.com/x HTTP/1.1", "example.com"),
            ("GET http://me@example.com:8080?y HTTP/1.0", "example.com"),
            ("CONNECT [2001:db8::7]:443 HTTP/1.1", "2001:db8::7"),
        ]
        return world.draw.choice(proxied)
    odd = ["", "-", escape["\x16"] + escape["\x03"] + escape["\x01"], "GET /", "OPTIONS * HTTP/1.0"]
    odd += ["SSH-2.0-Go", escape["\\"] + "n", "GET a.example HTTP/1.1"]
    return world.draw.choice(odd), "-"


NGINX = {'"': "\\x22", "\x16": "\\x16", "\x03": "\\x03", "\x01": "\\x01", "\\": "\\x5C"}
APACHE = {'"': '\\"', "\x16": "\\x16", "\x03": "\\x03", "\x01": "\\x01", "\\": "\\\\"}


def web_log(world, lines, variant, tail):
    """`nginx`, `apache`; `vhost` with a name in front, `vhost-port` with a port too."""
    escape = NGINX if variant == "nginx" else APACHE
    for _ in range(lines):
        at = world.tick(NANOS)
        client = world.client() if world.chance(0.95) else "client.example.net"
        text, target = request(world, escape)
        size = world.size() if world.chance(0.9) else None
        line = "%s - %s [%s]" % (
            client,
            world.draw.choice(["-", "-", "alice"]),
            web(at, world.draw.choice([0, 120, -420])),
        )
        status = world.draw.choice([200, 200, 304, 404, 400, 502])
        rest = '"%s" %d %s' % (text, status, "-" if size is None and variant != "nginx" else size or 0)
        if tail == "combined":
            agent = world.draw.choice(
                AGENTS + ["say %shi%s" % (escape['"'], escape['"']), "caf\u00e9", "end%s" % escape["\\"]]
            )
            rest += ' "%s" "%s"' % (world.draw.choice(["-", "https://www.example.org/?q=a"]), agent)
            if world.chance(0.05):
                rest += ' "10.1.2.3, 10.4.5.6" 0.012'
        if variant.startswith("vhost"):
            target = world.often(world.names) + (
                ":%d" % world.draw.choice([80, 443]) if variant == "vhost-port" else ""
            )
            line = target + " " + line
        if world.chance(0.02):
            yield broken_web(world, line, rest)
        else:
            yield record("%s %s" % (line, rest), at, client, target, bytes=size or 0)


def broken_web(world, line, rest):
    bad = [
        "[Thu Oct 13 12:24:49.880562 2022] [auth_basic:error] [pid 10:tid 14] [client 192.0.2.1:50229] AH01618: user not found: /",
        "2023/11/14 22:13:20 [error] 31#31: *7 connect() failed (111: Connection refused), client: 10.0.0.1",
        line,
        "%s %s" % (line, rest.split('" ')[0]),
        "%s %s" % (line.replace("[", "[99/", 1), rest),
        "%s %s" % (line.replace("]", ""), rest),
    ]
    return Made(world.draw.choice(bad), "malformed")


def combined(world, lines, variant):
    yield from web_log(world, lines, variant, "combined")


def common(world, lines, variant):
    yield from web_log(world, lines, variant, "common")


def haproxy(world, lines, variant):
    """`http`, `tcp` and `https`, bare or within syslog with `syslog-` in front; messages of the process and errors between."""
    in_syslog, kind = variant.startswith("syslog-"), variant.rpartition("-")[2]
    for _ in range(lines):
        front, at = "", world.tick(10**6)
        moment, read = world.local(at)
        if in_syslog:
            _, front = stamped(world, "lb", "haproxy[%d]" % world.draw.randrange(9, 9999), "plain")
        process = [
            "Proxy web started.",
            "Server be_app/s1 is DOWN, reason: Layer4 timeout, check duration: 2001ms. 1 active and 0 backup servers left.",
        ]
        process += ["Connect from 10.0.1.2:33312 to 10.0.3.31:8012 (www/HTTP)", "Stopping frontend GLOBAL in 0 ms."]
        if world.chance(0.05):
            yield Made(front + world.draw.choice(process), "other")
            continue
        client = world.client()
        stamp = "%02d/%s/%s%s" % (moment.day, MONTHS[moment.month - 1], moment.strftime("%Y:%H:%M:%S"), decimals(at, 3))
        text = "%s%s:%d [%s] " % (front, client, world.port(), stamp)
        if world.chance(0.03):
            yield Made(
                text + "fe/10.0.0.9:443: SSL handshake failure (error:0A0000C1:SSL routines::no shared cipher)", "other"
            )
            continue
        if world.chance(0.02):
            yield Made(
                text + world.draw.choice(["fe be/s1", "fe", "fe be 0/0/0/1/1 200 5", ""]).rstrip(" "), "malformed"
            )
            continue
        target = world.often(
            ["be_app/s1", "be_app/s2", "be_static/nginx-1", "be_app/<NOSRV>", "fe_main/<NOSRV>", "stats/<STATS>"]
        )
        size = world.size()
        if kind == "tcp":
            text += "fe_tcp %s 0/%d/%d %d -- 1/1/1/1/0 0/0" % (
                target,
                world.draw.choice([0, -1]),
                world.draw.randrange(9999),
                size,
            )
        else:
            requests = ["GET / HTTP/1.1", "<BADREQ>", 'GET /a"b HTTP/1.1', "POST /x?y=[1] HTTP/2.0"]
            text += "fe_main~ %s 0/0/%d/1/-1 %d %d - - ---- 2/1/0/0/0 0/0 " % (
                target,
                world.draw.choice([3, -1]),
                world.draw.choice([200, 503, -1]),
                size,
            )
            text += world.draw.choice(["", "{Mozilla/5.0 (X11; rv:65.0)|} {} "]) + '"%s"' % world.draw.choice(requests)
            text += " 0/-/-/-/0 -/TLSv1.3/TLS_AES_256_GCM_SHA384" if kind == "https" else ""
        yield record(text, read, client, target, bytes=size)


def squid(world, lines, _variant):
    """Padded fields, tunnels, hits and errors that went nowhere, URLs with users, ports and IPv6."""
    urls = [
        ("GET", "http://www.example.org/index.html", "www.example.org"),
        ("GET", "http://shop.example.com:8080/a?b=c", "shop.example.com"),
        ("CONNECT", "api.example.com:443", "api.example.com"),
        ("GET", "http://u:p%40@files.example.com/x", "files.example.com"),
        ("GET", "http://[2001:db8::7]:81/", "2001:db8::7"),
        ("CONNECT", "[2001:db8::8]:443", "2001:db8::8"),
        ("GET", "ftp://ftp.example.org", "ftp.example.org"),
        ("NONE", "error:transaction-end-before-headers", "-"),
        ("GET", "error:invalid-request", "-"),
    ]
    for _ in range(lines):
        at = world.tick(10**6)
        client, size = world.client(), world.size()
        method, url, name = world.often(urls)
        target = world.server() if world.chance(0.6) and name != "-" else name
        if target == name:
            code, way = (
                world.draw.choice(["TCP_HIT/200", "TCP_DENIED/403", "NONE_NONE/400", "TCP_MISS_ABORTED/000"]),
                "HIER_NONE/-",
            )
        else:
            code, way = (
                world.draw.choice(["TCP_MISS/200", "TCP_TUNNEL/200"]),
                world.draw.choice(["HIER_DIRECT/", "FIRSTUP_PARENT/", "ORIGINAL_DST/"]) + target,
            )
        user = world.draw.choice(["-", "-", "alice"])
        text = "%10s %6d %s %s %d %s %s %s %s %s" % (
            unix(at, 3),
            world.draw.choice([0, 5, 61235, -1]),
            client,
            code,
            size,
            method,
            url,
            user,
            way,
            "text/html",
        )
        if world.chance(0.03):
            bad = [
                text.rpartition(" ")[0],
                text.replace(code, "x"),
                "x" + text,
                "2023/11/14 22:13:20 kid1| Starting Squid Cache version 5.7",
            ]
            yield Made(world.draw.choice(bad), "malformed")
        else:
            yield record(text, at, client, target, bytes=size)


def envoy(world, lines, variant):
    """`json`, `text` (Envoy's default) and `istio` (its default text), with `cri-` or `docker-` in front of the name or bare."""
    wrapping, _, form = variant.rpartition("-")
    for _ in range(lines):
        made = envoy_line(world, form)
        if wrapping == "cri":
            if made.kind == "counted" and world.chance(0.01):
                yield Made("%s stdout P %s" % (iso(world.time, 9, ":", 60), made.text), "malformed")
                continue
            made = made._replace(
                text="%s std%s F %s"
                % (iso(world.time, 9, ":", 60), world.draw.choice(["out", "out", "err"]), made.text)
            )
        if wrapping == "docker":
            items = [("log", made.text + "\n"), ("stream", "stdout"), ("time", iso(world.time, 9))]
            made = made._replace(text=json.dumps(dict(items), separators=(",", ":")))
        yield made


def envoy_line(world, form):
    at = world.tick(10**6)
    if world.chance(0.03):
        itself = [
            "[2023-11-14 22:13:20.123][1][info][main] [source/server/server.cc:1] starting",
            "2023-11-14T22:13:20.123456Z\tinfo\tEnvoy proxy is ready",
        ]
        return Made(world.draw.choice(itself), "other")
    client, server = world.pair()
    at_port = lambda host, port: "[%s]:%d" % (host, port) if ":" in host else "%s:%d" % (host, port)
    received, sent = world.draw.randrange(500), world.size()
    upstream, cluster, target = at_port(server, 8080), "outbound|8080||api.default.svc.cluster.local", server
    if world.chance(0.1):
        upstream, target = None, cluster
        if world.chance(0.3):
            cluster, target = None, "-"
    remote = at_port(client, world.port())
    path = world.often(PATHS)
    if form == "json":
        entry = {
            "start_time": iso(at, 3),
            "method": "GET",
            "path": path,
            "response_code": 200,
            "bytes_received": received,
            "bytes_sent": sent,
        }
        entry.update(downstream_remote_address=remote, upstream_host=upstream, upstream_cluster=cluster, duration=5)
        if upstream is None and world.chance(0.5):
            entry["upstream_host"] = "-"
        entry["user-agent"] = world.draw.choice(AGENTS + ['a "quoted" one'])
        text = json.dumps(entry, separators=(",", ":"))
        if world.chance(0.01):
            return Made(text[:-1], "malformed")
        return record(text, at, client, target, bytes=received + sent)
    head = '[%s] "%s %s HTTP/1.1" 200 -' % (iso(at, 3), world.draw.choice(METHODS), path)
    agent = world.draw.choice(AGENTS + ["ends with \\"])
    if form == "text":
        forwarded, client = world.draw.choice(
            [
                ("-", "-"),
                (client, client),
                ("203.0.113.9, " + client, client),
                ("[%s]" % client if ":" in client else client, client),
            ]
        )
        target = "-" if upstream is None else server
        upstream = "-" if upstream is None else world.draw.choice(["", "tcp://"]) + upstream
        rest = '%d %d 5 - "%s" "%s" "id-1" "example.com" "%s"' % (received, sent, forwarded, agent, upstream)
    else:
        rest = 'via_upstream - "-" %d %d 5 4 "-" "%s" "id-1" "example.com" "%s" %s' % (
            received,
            sent,
            agent,
            upstream or "-",
            cluster or "-",
        )
        rest += " 10.4.0.9:35290 10.4.0.7:8080 %s - default" % remote
    if world.chance(0.01):
        return Made(
            "%s %s" % (head, rest.rpartition(" ")[0] if form == "text" else rest.replace('"id-1"', '"id-1')),
            "malformed",
        )
    return record("%s %s" % (head, rest), at, client, target, bytes=received + sent)
