#!/usr/bin/env python3
"""What the makers meant and what oracle.py reads are the same, for all formats and variants; and a few lines by hand.

test_oracle.py [--seeds N] [--lines N]
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ZONES = ["UTC", "Europe/Berlin", "America/New_York"]
# An hour that comes twice in Berlin and one that never comes lie within these days.
STARTS = [1_700_000_000, 1_698_530_000, 1_711_820_000]

# Format, line, what `--classes` has to say of it.
BY_HAND = [
    ("plain", "1700000000123 a b", "counted 1700000000123000000 a b"),
    ("plain", "1700000000.1234567891 a b", "malformed"),
    (
        "combined",
        '::1 - - [10/Oct/2000:13:55:36 -0700] "GET /a%20b/c HTTP/1.0" 200 -',
        "counted 971211336000000000 ::1 /a%20b",
    ),
    (
        "common",
        'a.example:443 ::1 - x [10/Oct/2000:13:55:36 +0000] "" 400 0 "-" "-"',
        "counted 971186136000000000 ::1 a.example:443",
    ),
    ("combined", '- - - [10/Oct/2000:13:55:36 +0000] "GET / HTTP/1.0" 200 5', "malformed"),
    ("combined", '1.2.3.4 - john smith [10/Oct/2000:13:55:36 +0000] "GET / HTTP/1.0" 200 5', "malformed"),
    (
        "haproxy",
        "::1:4000 [06/Feb/2009:12:14:14.655] fnt bck/srv1 0/0/5007 212 -- 0/0/0/0/3 0/0",
        "counted 1233922454655000000 ::1 bck/srv1",
    ),
    (
        "sshd",
        "Oct 11 22:14:15 web sshd[1]: Failed password for a from 1.1.1.1 port 2 ssh2 from 9.9.9.9 port 3 ssh2",
        "counted 1697062455000000000 9.9.9.9 web",
    ),
    ("sshd", "<38>1 2003-10-11T22:14:15.003Z - sshd 1 - - Failed none for a from ::1 port 3 ssh2", "malformed"),
    (
        "squid",
        "1066036250.603 9 10.0.0.1 NONE/400 4 GET error:invalid-request - NONE/- -",
        "counted 1066036250603000000 10.0.0.1 -",
    ),
    (
        "sshd",
        "Oct 11 22:14:15 web sshd[1]: message repeated 5 times: [ Failed none for a from ::1 port 3 ssh2]",
        "counted 1697062455000000000 ::1 web",
    ),
    ("squid", "1066036250.603 9 10.0.0.1 A/200 4 GET http://a/b c - NONE/- -", "malformed"),
    (
        "combined",
        '::1 - - [10/Oct/2000:13:55:36 +0000] "GET http://x@a.example:80/b HTTP/1.0" 200 5',
        "counted 971186136000000000 ::1 a.example",
    ),
    (
        "tcpdump",
        "1700000000.000001 IP6 fe80::1.99 > fe80::2.80: Flags [S], seq 1, length 0",
        "counted 1700000000000001000 fe80::1 fe80::2",
    ),
    ("jsonl", '{"ts": 1.5, "src": "a", "dst": "\\ud83c\\udf10 \\ud83c"}', "counted 1500000000 a \U0001f310 \\xed\\xa0\\xbc"),
    ("jsonl", '{"ts": 1, "source.ip": "a", "source": {"ip": "b"}, "dst": "c"}', "counted 1000000000 b c"),
    ("jsonl", '{"ts": 1, "src": "a", "src": null, "dst": "c"}', "malformed"),
    ("logfmt", 'flag ts=1 src="a \\"b\\"" src=c dst=d', 'counted 1000000000 a "b" d'),
    ("csv", 'time,from,to\n1,"a, ""b""",c', 'counted 1000000000 a, "b" c'),
]


def run(program, *arguments, text=None):
    done = subprocess.run(
        [sys.executable, os.path.join(HERE, program), *arguments], capture_output=True, text=True, input=text
    )
    if done.returncode:
        sys.exit("%s %s: %s" % (program, " ".join(arguments), done.stderr))
    return done.stdout


def by_hand():
    for name, line, wanted in BY_HAND:
        told = run("oracle.py", name, "-", "--classes", "--latest", "1700000000", text=line + "\n").splitlines()[-1]
        found = told.split(": ", 1)[1]
        if not (found == wanted or found.startswith(wanted + " ")):
            sys.exit("%s: %s\n found %s\nwanted %s" % (name, line, found, wanted))


def compare(folder, name, variant, seed, lines):
    log, expect = os.path.join(folder, "log"), os.path.join(folder, "expect")
    start, zone = STARTS[seed % len(STARTS)], ZONES[seed % len(ZONES)]
    window = [] if seed % 2 else ["--from-epoch", str(start + 20_000), "--to-epoch", str(start + 60_000)]
    options = [
        "--seed",
        str(seed),
        "--lines",
        str(lines),
        "--start",
        str(start),
        "--timezone",
        zone,
        "--variant",
        variant,
    ]
    options += ["--cut"] if seed % 3 == 0 else []
    run("make_logs.py", name, "--output", log, "--expect", expect, *options, *window)
    found = json.loads(run("oracle.py", name, log, "--timezone", zone, *window))
    with open(expect) as stream:
        wanted = json.load(stream)
    if found["sheet"] != wanted["sheet"] or bare(found) != bare(wanted):
        different = [pair for pair in bare(found) + bare(wanted) if pair not in bare(found) or pair not in bare(wanted)]
        sys.exit(
            "%s %s seed %d\n found %s\nwanted %s\n%s"
            % (name, variant, seed, found["sheet"], wanted["sheet"], different[:6])
        )
    return found["sheet"]["lines"]


def bare(answer):
    """Pairs with their connections and sums; a sum of nothing may be there or not."""
    return [
        (
            pair["from"],
            pair["to"],
            pair["connections"],
            sorted((name, value) for name, value in pair["sums"].items() if value),
        )
        for pair in answer["pairs"]
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--lines", type=int, default=600)
    asked = parser.parse_args()
    by_hand()
    total = 0
    with tempfile.TemporaryDirectory() as folder:
        for line in run("make_logs.py", "--list").splitlines():
            name, *variants = line.split()
            for variant in variants:
                for seed in range(1, asked.seeds + 1):
                    total += compare(folder, name, variant, seed, asked.lines)
    print("%d lines of all formats counted alike" % total)


if __name__ == "__main__":
    main()
