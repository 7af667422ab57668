#!/usr/bin/env python3
"""Some hundred requests to the servers of run.sh, from several addresses of loopback, some of which are no HTTP."""

import http.client
import random
import socket
import ssl
import time

NGINX, APACHE, WEB, RAW, PLAIN, PROXY, SECURE, NOWHERE = 18080, 18081, 18082, 18083, 18084, 18085, 18086, 18087
PATHS = [
    "/",
    "/api/users",
    "/api/users?full=1",
    "/static/app.js",
    "/missing/x",
    "/caf%C3%A9",
    "//double",
    "/a%20b/c",
    "/?q=%22x%22",
]
AGENTS = ["curl/8.5.0", 'say "hi"', "back\\slash", "", "caf\u00e9", "tab\there", "[x] (+http://x.example/bot)"]
# Bytes that are not HTTP, or barely.
ODD = [
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"GET /old\r\n",
    b"GET /a b HTTP/1.1\r\nHost: x\r\n\r\n",
    b'GET /q"uote HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
    b"GET /b\\ack HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    b"GET /\xc3\xa9\xff HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    b"GET http://shop.example.com/absolute HTTP/1.1\r\nHost: shop.example.com\r\nConnection: close\r\n\r\n",
    b"GET /oauth?next=https://shop.example.com/x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    b"CONNECT example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"\r\n\r\n",
    b"SSH-2.0-Go\r\n\r\n",
    b"BREW /pot HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: [::1]:18081\r\nConnection: close\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Basic am9obiBzbWl0aDp4\r\nConnection: close\r\n\r\n",
    b"GET /private HTTP/1.1\r\nHost: x\r\nAuthorization: Basic am9obiBzbWl0aDp4\r\nConnection: close\r\n\r\n",
    b"",
]


def address(draw):
    return "127.0.1.%d" % draw.choice([1, 1, 1, 2, 2, 3, 4, 5, 6, 7, 8, 9])


def raw(port, data, draw, wait=0.3):
    with socket.create_connection(("127.0.0.1", port), 5, (address(draw), 0)) as connection:
        connection.settimeout(wait)
        try:
            connection.sendall(data)
            while connection.recv(65536):
                pass
        except OSError:
            pass


def ask(port, draw, path=None, host=None, tls=False):
    if tls:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection = http.client.HTTPSConnection(
            "127.0.0.1", port, timeout=2, source_address=(address(draw), 0), context=context
        )
    else:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2, source_address=(address(draw), 0))
    headers = {"Host": host or draw.choice(["shop.example.com", "api.example.com", "localhost:%d" % port])}
    agent = draw.choice(AGENTS)
    if agent:
        headers["User-Agent"] = agent.encode("utf-8").decode("latin-1")
    if draw.random() < 0.3:
        headers["Referer"] = draw.choice(["https://www.example.org/?q=a", '"'])
    try:
        connection.request(
            draw.choice(["GET", "GET", "GET", "HEAD", "POST"]), path or draw.choice(PATHS), headers=headers
        )
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        pass
    finally:
        connection.close()


def over_ipv6(port):
    try:
        connection = http.client.HTTPConnection("::1", port, timeout=5)
        connection.request("GET", "/api/users")
        connection.getresponse().read()
        connection.close()
    except OSError:
        pass


def main():
    draw = random.Random(1)
    for port in (NGINX, APACHE, WEB):
        for _ in range(80):
            ask(port, draw)
        for data in ODD:
            raw(port, data, draw, 2.5 if not data else 0.3)
    for path in ("/down/x", "/denied/x"):
        ask(WEB, draw, path)
    for port in (NGINX, WEB):
        for _ in range(10):
            over_ipv6(port)
    for _ in range(20):
        ask(RAW, draw)
        ask(PLAIN, draw)
        ask(SECURE, draw, tls=True)
    ask(NOWHERE, draw)
    for port in (RAW, SECURE):
        raw(port, b"", draw)
        raw(port, b"no tls\r\n\r\n", draw)
    for _ in range(40):
        host = draw.choice(["shop.example.com:18081", "127.0.0.1:18080", "api.example.com:18081"])
        ask(PROXY, draw, "http://%s%s" % (host, draw.choice(["/", "/static/app.js", "/missing"])), host)
    for target in (
        "denied.example.com:80/",
        "unknown.example.com/",
        "127.0.0.1:18099/",
        "[::1]:18080/x",
        "user:pw@127.0.0.1:18080/y",
    ):
        ask(PROXY, draw, "http://" + target, "x")
    for target in (b"127.0.0.1:18080", b"shop.example.com:18081", b"127.0.0.1:18099", b"[::1]:443"):
        raw(PROXY, b"CONNECT %s HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.0\r\n\r\n" % target, draw)
    for data in ODD:
        raw(PROXY, data, draw)
    time.sleep(1)


if __name__ == "__main__":
    main()
