#!/usr/bin/env python3
"""Makes logs of other programs by the descriptions of their formats, with noise, for tests that compare counts of them.

    make_logs.py FORMAT --output FILE [--variant NAME] [--lines N] [--seed N] [--start EPOCH] [--span SECONDS]
                 [--timezone ZONE] [--returns SHARE] [--cut] [--clean] [--expect FILE] [--from-epoch A] [--to-epoch B]
    make_logs.py --list

The same arguments make the same bytes. Stamps are nearly in order, up to two minutes early. A share of lines ends with a
carriage return, and with `--cut` the last one breaks off. `--clean` leaves out all lines that are malformed. The file gets
the time of its last stamp, so that stamps without a year can be told. `--expect` writes what a count of the file has to say,
in the form of oracle.py, as the maker knows it: it reads nothing back.
"""

import argparse
import collections
import json
import os
import sys
import zoneinfo

from logs.fields import shown
from makers import CUTS, MAKERS, UNCUT
from makers.world import NANOS, Made, World

CLASSES = ("counted", "filtered", "out_of_window", "malformed", "other", "blank")


def made_lines(asked):
    maker, variants = MAKERS[asked.format]
    variant = asked.variant or variants[0]
    if variant not in variants:
        sys.exit("make_logs.py: %s has no variant %s, but %s" % (asked.format, variant, ", ".join(variants)))
    world = World(asked.seed, asked.start, asked.span, asked.lines, asked.timezone)
    lines = [line for line in maker(world, asked.lines, variant) if not (asked.clean and line.kind == "malformed")]
    if asked.cut and asked.format not in UNCUT:
        while lines[-1].kind != "counted":
            del lines[-1]
        text = lines[-1].text
        lines[-1] = Made(text[: CUTS.get(asked.format, len(text) // 3)], "malformed")
    return world, lines


def written(world, lines, asked):
    """The bytes of the file."""
    parts = []
    for line in lines:
        end = b"\r\n" if world.chance(asked.returns) else b"\n"
        parts.append(line.text.encode("utf-8", "surrogateescape") + end)
    data = b"".join(parts)
    return data.rstrip(b"\r\n") if asked.cut else data


def expected(lines, asked):
    sheet, pairs, sums = collections.Counter(), collections.Counter(), collections.defaultdict(collections.Counter)
    for line in lines:
        low, high = asked.from_epoch * NANOS, asked.to_epoch * NANOS
        inside = line.time is None or low <= line.time <= high
        kind = line.kind if inside else "out_of_window"
        sheet["lines"] += 1
        sheet[kind] += 1
        if kind == "counted":
            pair = tuple(
                shown(name.encode("utf-8", "surrogateescape").decode("latin-1")) for name in (line.source, line.target)
            )
            pairs[pair] += line.weight
            sums[pair].update(line.sums)
    rows = [
        {"from": source, "to": target, "connections": connections, "sums": dict(sums[source, target])}
        for (source, target), connections in sorted(pairs.items())
    ]
    return {"format": asked.format, "sheet": {name: sheet[name] for name in ("lines",) + CLASSES}, "pairs": rows}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("format", nargs="?", choices=sorted(MAKERS))
    parser.add_argument("--output", metavar="FILE")
    parser.add_argument("--variant", metavar="NAME")
    parser.add_argument("--lines", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--start", type=int, default=1_700_000_000, metavar="EPOCH")
    parser.add_argument("--span", type=int, default=86_400, metavar="SECONDS")
    parser.add_argument("--timezone", type=zoneinfo.ZoneInfo, default=zoneinfo.ZoneInfo("UTC"), metavar="ZONE")
    parser.add_argument("--returns", type=float, default=0.01, metavar="SHARE")
    parser.add_argument("--cut", action="store_true")
    parser.add_argument("--clean", action="store_true")
    parser.add_argument("--expect", metavar="FILE")
    parser.add_argument("--from-epoch", type=int, default=-9_000_000_000, metavar="A")
    parser.add_argument("--to-epoch", type=int, default=9_000_000_000, metavar="B")
    parser.add_argument("--list", action="store_true", help="formats with their variants")
    asked = parser.parse_args()
    if not asked.list and not (asked.format and asked.output):
        parser.error("FORMAT and --output are needed")
    return asked


def main():
    asked = arguments()
    if asked.list:
        for name, (_, variants) in MAKERS.items():
            print(name, *variants)
        return
    world, lines = made_lines(asked)
    with open(asked.output, "wb") as output:
        output.write(written(world, lines, asked))
    latest = world.highest // NANOS + 1
    os.utime(asked.output, (latest, latest))
    if asked.expect:
        with open(asked.expect, "w") as output:
            json.dump(expected(lines, asked), output, indent=1)


if __name__ == "__main__":
    main()
