#!/usr/bin/env python3
"""logparser beside Polars, DuckDB, mawk and `wc -l`, and all that it is held to: prints each bar, and whether it is reached.

    python3 -m venv /tmp/peers && /tmp/peers/bin/pip install polars duckdb
    cargo build --release && /tmp/peers/bin/python benches/peers/run.py [--scale small] [--only PART] [--write]

All programs run on the same files and the same question, one after another in each round, with the page cache warm; times
are believed only where all of them give the same answer. What is printed are medians over the rounds, of ratios within a
round, with the lowest and the highest: what a machine shared with others shows in seconds means little. Programs that are
not there are named and left out.

The logs are made, at most 1.5 GB at a time, and deleted when they have been read. `--scale small` takes some minutes and is
good to see that all works; its figures are not written anywhere. `--write` puts those of a whole run into the README and
into docs/speed.md. Instructions need valgrind, the price of the stages builds a benchmark with cargo.
"""

import argparse
import datetime
import os
import pathlib
import platform
import shutil
import sys
import tempfile

import beside
import pages
from bars import Measured
from logs import FEW, LONG_NAMES, MANY, TENTH
from programs import Asked, few, is_there, long_names, many, versions
from rounds import Spread, rounds

LOGS = {logs.name: logs for logs in (FEW, MANY, LONG_NAMES)}
PARTS = ["instructions", "price", "following", *LOGS]


def told(text):
    print(text, file=sys.stderr, flush=True)


def machine(found, count):
    """When, on what, and with which versions."""
    models = [line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")]
    model = models[0] if models else "processor unknown"
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    cores = len(os.sched_getaffinity(0))
    return (f"Measured on {datetime.date.today()}, on {cores} cores ({model}, {platform.machine()}, {memory:.0f} GiB, Linux "
            f"{platform.release().split('-')[0]}), with the page cache warm: medians of {count} rounds in which all programs "
            "run in turn, and in brackets the lowest and the highest. "
            f"{'; '.join(found)}; Python {platform.python_version()}.")


def on_logs(logs, args, folder):
    """Makes the logs, measures all programs on them, and deletes them. Gives what was taken, and the sizes of the files."""
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="asked-", dir=folder))
    files = logs.make(args.program, args.scale, folder)
    asked = Asked(args.program, logs, files, scratch)
    if logs is FEW:
        tenth = Asked(args.program, TENTH, TENTH.make(args.program, args.scale, folder), scratch)
        programs = few(asked, tenth)
    else:
        programs = many(asked) if logs is MANY else long_names(asked)
    sizes = [os.path.getsize(file) for file in files]
    told(f"{logs.what}: {logs.total(args.scale):,} lines, {sum(sizes) / 1e6:.0f} MB")
    taken = rounds(programs, args.rounds, scratch, told)
    shutil.rmtree(scratch)
    if not args.keep:
        for each in (FEW, TENTH) if logs is FEW else (logs,):
            shutil.rmtree(each.folder(args.scale, folder))
    return taken, sizes


def measure(args, folder):
    measured = Measured()
    if "instructions" in args.only:
        if shutil.which("valgrind"):
            measured.instructions = beside.instructions(args.program)
        else:
            told("left out: instructions, there is no valgrind")
    if "price" in args.only:
        measured.price = {window: Spread(*values) for window, values in beside.price(args.scale).items()}
    if "following" in args.only:
        measured.following = {"rate": Spread.of(beside.following(args.program, args.scale, args.rounds))}
    for name, logs in LOGS.items():
        if name in args.only:
            measured.taken[name], measured.sizes[name] = on_logs(logs, args, folder)
    return measured


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", nargs="?", type=pathlib.Path, default=pages.ROOT / "target/release/logparser")
    parser.add_argument("--scale", choices=["small", "full"], default="full")
    parser.add_argument("--rounds", type=int, default=5, help="rounds that count, after one that does not")
    parser.add_argument("--only", action="append", choices=PARTS, help="a part; may be given several times")
    parser.add_argument("--data", type=pathlib.Path, help="folder for the logs, in place of a temporary one")
    parser.add_argument("--keep", action="store_true", help="leave the logs in that folder")
    parser.add_argument("--write", action="store_true", help="write the tables into the README and the book")
    args = parser.parse_args()
    args.program = args.program.resolve()
    missing = [tool for tool in ("Polars", "DuckDB", "mawk", "wc", "valgrind") if not is_there(tool)]
    if args.write and (args.scale != "full" or args.only or missing):
        lacking = ", ".join(missing) or "none"
        parser.error(f"--write takes a whole run at full scale, with all programs there; missing: {lacking}")
    if args.keep and not args.data:
        parser.error("--keep needs --data")
    args.only = args.only or PARTS
    return args


def main():
    args = arguments()
    found, missing = versions(args.program)
    for tool in missing:
        told(f"left out: {tool}, which is not there")
    with tempfile.TemporaryDirectory(prefix="peers-") as temporary:
        folder = args.data or pathlib.Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        measured = measure(args, folder)
    words = machine(found, args.rounds)
    first, more = (pages.speed(titles, measured, words, args.scale, LOGS) for titles in (pages.FIRST, pages.MORE))
    bars, unseen = pages.bars(measured)
    print(f"{first}\n\n{more}\n\n{bars}")
    for what in unseen:
        print(f"not measured: {what}")
    if args.write:
        pages.write("README.md", "speed", first)
        pages.write("docs/speed.md", "more", more)
        pages.write("docs/speed.md", "bars", f"{bars}\n\n{words}")


if __name__ == "__main__":
    main()
