#!/usr/bin/env python3
"""Holds logparser against the oracle on the logs of real programs that `run.sh` has left in a folder: the same pairs with the
same counts, and the same sheet; told by how they begin, with several threads and chunks, and divided into tasks of a plan.
Ends with 1 if anything differs, and says what.

    compare.py LOGPARSER FOLDER
"""

import argparse
import collections
import json
import pathlib
import subprocess
import sys
import tempfile

ORACLE = pathlib.Path(__file__).resolve().parents[1] / "oracle.py"

# The format that a log has by the first word of its name; what is not here is no log of connections.
FORMATS = {
    "apache": "combined", "haproxy": "haproxy", "iptables": "iptables", "nfdump": "nfdump-csv", "nftables": "iptables",
    "nginx": "combined", "squid": "squid", "sshd": "sshd", "tcpdump": "tcpdump", "ufw": "iptables",
}
OTHERS = {"apache-clf": "common", "apache-common": "common", "squid-combined": "combined"}

# Logs that are left out, and why.
LEFT_OUT = {
    "apache-error": "no log of connections",
    "nginx-error": "the same",
    "squid-cache": "the same",
    "haproxy-stdout": "the same",
    "nfdump-empty": "no record in it",
    "nfdump-quiet": "nothing says what its columns are, and so it is refused",
    "tcpdump-e": "-e, -v and -tttt write lines of other forms, of which none is a record",
    "tcpdump-tttt": "the same",
    "tcpdump-v": "the same",
}

# Logs of which too many lines are broken to be told by how they begin: Squid does not escape the quotes in a header.
SAID = {"squid-combined": "combined"}

ALL = ["--since", "1971-01-01", "--until", "2200-01-01", "--now", "2200-01-01"]


def run(command, **more):
    """Output and errors of a command, and how it ended."""
    done = subprocess.run(command, capture_output=True, text=True, **more)
    return done.stdout, done.stderr, done.returncode


def counted(text):
    """Pairs and sheet of a result in JSON."""
    result = json.loads(text)
    rows = result["reports"][0]["rows"]
    return collections.Counter({(row[0], row[1]): row[2] for row in rows}), result["balance"]


def whole(program, log, folder, settings):
    """What is counted in one run."""
    config = folder / "whole.toml"
    config.write_text(f"location = '{log}'\nformat = '{SAID.get(log.stem, 'auto')}'\n{settings}", encoding="utf-8")
    out, said, _ = run([program, "run", config, "-r", "top-pairs", "--limit", "10000000", "--output", "json", *ALL])
    return counted(out) if out else said.strip()


def in_ranges(program, log, folder):
    """What is counted in tasks of a plan, added up."""
    plan, said, code = run([program, "plan", log, "--max-partition", "7KiB", "--format", SAID.get(log.stem, "auto"), *ALL])
    if code != 0:
        return said.strip()
    tallies = []
    for number, task in enumerate(json.loads(plan)["tasks"]):
        tallies.append(str(folder / f"{number}.tally"))
        _, said, code = run([program, *task["args"], "--output", tallies[-1]])
        if code != 0:
            return said.strip()
    out, said, _ = run([program, "report", *tallies, "-r", "top-pairs", "--limit", "10000000", "--output", "json"])
    for tally in tallies:
        pathlib.Path(tally).unlink()
    return counted(out) if out else said.strip()


def expected(log):
    """What the oracle counts."""
    name = OTHERS.get(log.stem) or FORMATS[log.stem.split("-")[0]]
    out, said, code = run([sys.executable, ORACLE, name, log])
    if code != 0:
        sys.exit(said)
    result = json.loads(out)
    pairs = {(pair["from"], pair["to"]): pair["connections"] for pair in result["pairs"]}
    return collections.Counter(pairs), result["sheet"]


def differences(found, wanted):
    """What differs, a line each."""
    if isinstance(found, str):
        yield f"not read: {found[:300]}"
        return
    for key in ("counted", "filtered", "other", "malformed"):
        if found[1].get(key, 0) != wanted[1][key]:
            yield f"{key}: {found[1].get(key, 0)} and {wanted[1][key]}"
    for pair in sorted((found[0] - wanted[0]) + (wanted[0] - found[0]))[:5]:
        yield f"{pair}: {found[0][pair]} and {wanted[0][pair]}"


def main():
    """Compares all logs of a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("folder", type=pathlib.Path)
    args = parser.parse_args()
    program, logs = args.program.resolve(), sorted(args.folder.resolve().glob("*.*"))
    logs = [log for log in logs if log.stem.split("-")[0] in FORMATS and log.stem not in LEFT_OUT]
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for log in logs:
            wanted = expected(log)
            ways = {"one thread": "threads = 1\nscan = 'full'\n", "small chunks": "threads = 3\nchunk = '4KiB'\ncapacity = 1\n"}
            found = {name: whole(program, log, folder, settings) for name, settings in ways.items()}
            found["ranges"] = in_ranges(program, log, folder)
            lines = [f"{name}: {line}" for name, result in found.items() for line in differences(result, wanted)]
            failed += bool(lines)
            print(f"{log.name}: {wanted[1]['counted']} records{'' if not lines else ', differs'}")
            print("".join(f"  {line}\n" for line in lines), end="")
    print(f"{len(logs) - failed} logs passed, {failed} failed")
    return 1 if failed or not logs else 0


if __name__ == "__main__":
    sys.exit(main())
