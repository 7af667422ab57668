#!/usr/bin/env python3
"""Who connects to whom, counted once more from logs of other programs, by the published descriptions of their formats.

    oracle.py FORMAT FILE... [--from-epoch A] [--to-epoch B] [--timezone ZONE] [--latest EPOCH]
              [--time NAME --from NAME --to NAME] [--classes]

FORMAT is the name of a preset: see `logs/__init__.py`, where each has its reader, and each reader says what is taken as
time, from and to, and which lines are no records. `-` as a FILE is standard input. The window [A, B] holds both its ends.

The answer is one JSON object: the sheet, which has each line in exactly one class, and each pair with its connections and
sums, by name. Names are written as the program's JSON writes them: bytes that are not UTF-8 as `\\xNN`, and a backslash that
would read as the start of one as `\\x5c`. With `--classes` each line of the input is told instead: its class, and why.

It knows nothing of the program. How a line is judged, in this order: blank; no line of the format (malformed) or one of
another kind (other); no time (malformed); outside of the window; not what the preset asks for (filtered); without from or
to (malformed); else counted.
"""

import argparse
import collections
import decimal
import json
import os
import sys
import zoneinfo

from logs import FORMATS, stamps
from logs.fields import Malformed, Other, shown, whole_number

NANOS = 10**9
CLASSES = ("counted", "filtered", "out_of_window", "malformed", "other", "blank")


class Count:
    """What is counted over all files."""

    def __init__(self, low, high):
        self.low, self.high = low, high
        self.sheet = collections.Counter()
        self.pairs = collections.Counter()
        self.sums = collections.defaultdict(collections.Counter)
        # Records counted for which a sum had no number, or for a sum of two fields, not both.
        self.missing = collections.Counter()

    def line(self, reader, rules, line):
        """Counts one line; returns its class and why it is in that."""
        name, why = self.judge(reader, rules, line)
        self.sheet["lines"] += 1
        self.sheet[name] += 1
        return name, why

    def judge(self, reader, rules, line):
        if not line.strip(" \t"):
            return "blank", ""
        try:
            fields = reader.read(line)
            if fields.time is None:
                raise Malformed("no time")
            time = reader.stamp(fields.time, rules)
            if not self.low <= time <= self.high:
                return "out_of_window", str(time)
            if fields.unwanted:
                return "filtered", fields.unwanted
            source, target = host(fields.source, "from"), host(fields.target, "to")
        except Other as other:
            return "other", str(other)
        except Malformed as malformed:
            return "malformed", str(malformed)
        self.add(source, target, fields)
        return "counted", "%d %s %s" % (time, shown(source), shown(target))

    def add(self, source, target, fields):
        pair = (source, target)
        self.pairs[pair] += fields.weight
        for name, parts in fields.sums.items():
            numbers = [whole_number(part) for part in parts]
            self.sums[pair][name] += sum(number for number in numbers if number is not None)
            self.missing[name] += None in numbers

    def answer(self, format_name):
        pairs = [
            {
                "from": shown(source),
                "to": shown(target),
                "connections": connections,
                "sums": dict(self.sums[source, target]),
            }
            for (source, target), connections in sorted(self.pairs.items())
        ]
        sheet = {name: self.sheet[name] for name in ("lines",) + CLASSES}
        return {"format": format_name, "sheet": sheet, "missing": dict(self.missing), "pairs": pairs}


def host(text, which):
    if not text:
        raise Malformed("no %s" % which)
    if "\0" in text:
        raise Malformed("a zero byte in %s" % which)
    return text


def lines_of(path):
    """The lines of a file as text of one character a byte, without the newline and a carriage return before it."""
    stream = sys.stdin.buffer if path == "-" else open(path, "rb")
    with stream:
        for line in stream:
            text = line.decode("latin-1").removesuffix("\n")
            yield text.removesuffix("\r")


def nanos(text):
    return int(decimal.Decimal(text) * NANOS)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("format", choices=sorted(FORMATS))
    parser.add_argument("files", nargs="+", metavar="FILE")
    parser.add_argument("--from-epoch", type=nanos, default=-(2**63), metavar="A")
    parser.add_argument("--to-epoch", type=nanos, default=2**63 - 1, metavar="B")
    parser.add_argument("--timezone", type=zoneinfo.ZoneInfo, default=zoneinfo.ZoneInfo("UTC"))
    parser.add_argument(
        "--latest", type=nanos, help="no stamp without a year is later (default: a day after the file was modified)"
    )
    for name in ("time", "from", "to"):
        parser.add_argument("--" + name, dest="name_" + name, metavar="NAME", help="csv, jsonl, logfmt: the field")
    parser.add_argument("--classes", action="store_true")
    return parser.parse_args()


def main():
    asked = arguments()
    count = Count(asked.from_epoch, asked.to_epoch)
    names = {"time": asked.name_time, "from": asked.name_from, "to": asked.name_to}
    for path in asked.files:
        latest = asked.latest
        if latest is None:
            latest = 2**63 - 1 if path == "-" else os.stat(path).st_mtime_ns + 86_400 * 10**9
        rules = stamps.Rules(zone=asked.timezone, latest=latest)
        reader = FORMATS[asked.format](names)
        for number, line in enumerate(lines_of(path), 1):
            name, why = count.line(reader, rules, line)
            if asked.classes:
                print("%s:%d: %s %s" % (path, number, name, why))
    if not asked.classes:
        json.dump(count.answer(asked.format), sys.stdout, indent=1)
        print()


if __name__ == "__main__":
    main()
