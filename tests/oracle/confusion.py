#!/usr/bin/env python3
"""Which format logs are told to be by how they begin: for each format and variant that `make_logs.py` writes, heads of several
lengths, and heads of which one half is of another format. Prints a table in Markdown. Ends with 1 if a log was told to be what
it is not: to be refused is no fault.

    confusion.py LOGPARSER [--seed S]
"""

import argparse
import collections
import itertools
import pathlib
import re
import subprocess
import sys
import tempfile

from compare import HERE, variants

HEADS = [1, 2, 5, 20, 200]

# Variants whose lines are, by the description, those of another format too.
ALIKE = {
    "zeek-conn/json": {"zeek-conn-json"},
    "envoy/text": {"envoy"},
}


def told(program, log):
    """The format that a log is told to be; `refused` if none is."""
    run = subprocess.run([program, "top", str(log), "--until", "latest", "-q", "--output", "csv"], capture_output=True, text=True)
    if run.returncode == 2 and "say which" in run.stderr or "they look like" in run.stderr and run.returncode == 2:
        return "refused"
    found = re.search(r" (?:is|are) read as (\S+)", run.stderr)
    return found[1] if found else "plain"


def right(name, kind, told_as):
    """Whether that is what the log is."""
    base = lambda text: text.removesuffix("-json").removeprefix("vhost-")
    return told_as in ALIKE.get(f"{name}/{kind}", ()) or base(told_as) == base(name)


def made(name, kind, seed, folder):
    """The lines of a variant."""
    log = folder / "made"
    command = [sys.executable, HERE / "make_logs.py", name, "--variant", kind, "--lines", "200", "--seed", str(seed), "--clean",
               "--output", str(log)]
    subprocess.run(command, check=True, capture_output=True)
    return log.read_bytes().splitlines(keepends=True)


def main():
    """Tells all heads, and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    rows, wrong, logs = {}, [], {}
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        log = folder / "a.log"
        for name, kind in variants():
            lines = logs[name, kind] = made(name, kind, args.seed, folder)
            row = rows.setdefault(name, collections.Counter())
            for length in HEADS:
                log.write_bytes(b"".join(lines[:length]))
                found = told(args.program, log)
                row["right" if right(name, kind, found) else found] += 1
                if found != "refused" and not right(name, kind, found):
                    wrong.append(f"{name}/{kind}: {length} lines are told to be {found}")
        mixed, firsts = collections.Counter(), {}
        for (name, kind), lines in logs.items():
            firsts.setdefault(name, lines)
        for (one, first), (other, second) in itertools.permutations(firsts.items(), 2):
            half = zip(first[:60], second[-60:])
            log.write_bytes(b"".join(line for pair in half for line in pair))
            found = told(args.program, log)
            mixed["refused" if found == "refused" else "told to be one of them" if found in (one, other) else "told to be another"] += 1
            if found not in ("refused", one, other, one + "-json", other + "-json"):
                wrong.append(f"{one} and {other}: told to be {found}")
    print("| log | heads | right | refused | told to be another |\n|---|---:|---:|---:|---|")
    for name, row in sorted(rows.items()):
        others = ", ".join(f"{found} ({count})" for found, count in sorted(row.items()) if found not in ("right", "refused"))
        print(f"| `{name}` | {sum(row.values())} | {row['right']} | {row['refused']} | {others or '-'} |")
    print("\nTwo formats, line by line in turn: " + ", ".join(f"{count} {what}" for what, count in sorted(mixed.items())) + ".")
    print("\n".join(wrong), file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
