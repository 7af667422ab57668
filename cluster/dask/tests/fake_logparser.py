#!/usr/bin/env python3
"""A stand-in for the program, which keeps tallies as JSON and can be told to misbehave.

FAKE_FAULT names a fault, see `FAULTS`. It knows no times: every line counts. What it is for is the control
of jobs, in tests that need no Rust.
"""

from __future__ import annotations

import glob
import json
import os
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any, NoReturn

FAULTS = {
    "lines-twice": "merge says that it read twice the lines",
    "bytes-twice": "merge keeps the ranges of its first file twice",
    "bytes-lost": "merge drops the ranges of its last file",
    "wrong-range": "partial reads more than its range",
    "connections": "merge multiplies the connections",
    "no-balance": "the balance sheet does not balance, in the parts and in the whole",
    "other-window": "partial counts another window",
    "pairs": "the report of all pairs loses one",
    "unsorted": "inspect says that an input is not sorted, unless all of it is read",
    "slow": "partial takes its time",
    "crash": "partial is ended by a signal",
}
FAULT = os.environ.get("FAKE_FAULT", "")
VERSION = os.environ.get("FAKE_VERSION", "0.1.0")
BUILD = "0123456789abcdef"
SUMS = ("lines_read", "counted", "blank", "bytes_read", "bytes_skipped", "bytes_total")
WINDOW = {"start": "2023-11-14T21:00:00Z", "end": "2023-11-14T22:00:00Z", "end_inclusive": True}

Tallies = dict[str, Any]


def fail(message: str, code: int = 1) -> NoReturn:
    """End as the program does."""
    print(f"logparser: {message}", file=sys.stderr)
    sys.exit(code)


def option(words: list[str], name: str, otherwise: str = "") -> str:
    """Take an option and its value out of the words."""
    if name not in words:
        return otherwise
    at = words.index(name)
    value = words[at + 1]
    del words[at : at + 2]
    return value


def rest(words: list[str]) -> list[str]:
    """Return what is not an option, nor the value of one."""
    if "--" in words:
        return words[words.index("--") + 1 :]
    return [word for word in words if not word.startswith("--")]


def plan(words: list[str]) -> None:
    """Cut each file into ranges."""
    size = int(option(words, "--max-partition", "100"))
    scan = option(words, "--scan", "auto")
    if option(words, "--seconds") == "nonsense":
        fail("invalid value 'nonsense' for '--seconds <TIME>'", 2)
    paths = sorted(path for word in rest(words) for path in glob.glob(word))
    if not paths:
        fail(f"no such file or folder: '{rest(words)[0]}'", 3)
    print("logparser: warning: this is the fake", file=sys.stderr)
    inputs, tasks = [], []
    for number, path in enumerate(paths):
        total = os.path.getsize(path)
        given = {"path": path, "size": total, "unterminated": 0, "head": head(path, total)}
        inputs.append({**given, "read": [0, total], "skipped": 0, "reason": ""})
        for start in range(0, total, size):
            end = min(start + size, total)
            args = ["partial", "--scan", scan, "--range", f"{start}..{end}", "--size", str(total), "--", path]
            tasks.append({"input": number, "from": start, "to": end, "args": args})
    total = sum(os.path.getsize(path) for path in paths)
    sums = {"bytes_read": total, "bytes_skipped": 0, "bytes_total": total}
    made = {"schema": "logparser-plan/1", "version": VERSION, "build": BUILD, "tallies": 1}
    print(
        json.dumps(
            {**made, "locations": rest(words), "window": WINDOW, "inputs": inputs, "tasks": tasks, **sums}
        )
    )


def head(path: str, size: int) -> str:
    """Say how a file begins."""
    start = Path(path).read_bytes()[: min(size, 1024)]
    return f"{len(start)}:{start.hex()}"


def compare(words: list[str]) -> None:
    """See whether the files of a plan are those that are here."""
    assert option(words, "--plan") == "-"
    plan = json.load(sys.stdin)
    if log := os.environ.get("FAKE_LISTED"):
        with open(log, "a") as out:
            print("listed", file=out)
    planned = {given["path"]: given for given in plan["inputs"]}
    here = {path for location in plan["locations"] for path in glob.glob(location)}
    for path in sorted(here ^ planned.keys()):
        fail(
            f"{path}: is here, and not in the plan"
            if path in here
            else f"{path}: is in the plan, and not here"
        )
    for path, given in planned.items():
        if (
            os.path.getsize(path) < given["size"]
            or head(path, int(given["head"].split(":")[0])) != given["head"]
        ):
            fail(f"{path}: is not as it was planned")
    grown = [path for path, given in planned.items() if os.path.getsize(path) > given["size"]]
    print(json.dumps({"inputs": [{"path": path, "size": os.path.getsize(path)} for path in grown]}))


def partial(words: list[str]) -> None:
    """Count the lines that start in a range."""
    output, scan = option(words, "--output"), option(words, "--scan")
    start, end = map(int, option(words, "--range").split(".."))
    size = int(option(words, "--size"))
    path = rest(words)[0]
    if FAULT == "crash":
        os.kill(os.getpid(), 9)
    if FAULT == "slow":
        time.sleep(float(os.environ.get("FAKE_SECONDS", "0.2")))
    if not os.path.exists(path):
        fail(f"no such file or folder: '{path}'", 3)
    if FAULT == "wrong-range":
        end = os.path.getsize(path)
    content = Path(path).read_bytes()[:size]
    start, end = line_start(content, start), line_start(content, end)
    lines = content[start:end].decode().splitlines()
    pairs = Counter(tuple(line.split()[1:]) for line in lines if line)
    counts = {"lines_read": len(lines), "counted": pairs.total(), "blank": len(lines) - pairs.total()}
    if FAULT == "no-balance":
        counts["blank"] += 1
    balance = {**counts, "bytes_read": end - start, "bytes_skipped": 0, "bytes_total": len(content)}
    window = {**WINDOW, "start": "1970-01-01T00:00:00Z"} if FAULT == "other-window" else WINDOW
    given = {"name": path, "size": len(content), "read": [[start, end]], "skipped": []}
    rows = sorted([*pair, number] for pair, number in pairs.items())
    save(output, {"inputs": [given], "rows": rows, "balance": balance, "window": window, "scan": scan})


def line_start(content: bytes, position: int) -> int:
    """Return the first line start at this position or behind it."""
    if position == 0:
        return 0
    newline = content.find(b"\n", position - 1)
    return len(content) if newline < 0 else newline + 1


def merge(words: list[str]) -> None:
    """Add up, without looking for what is there twice: that is the client's to notice."""
    output = option(words, "--output")
    files = [json.loads(Path(path).read_text()) for path in rest(words)]
    rows: Counter[tuple[str, str]] = Counter()
    inputs: dict[str, Tallies] = {}
    balance: Counter[str] = Counter()
    for number, tallies in enumerate(files):
        rows.update({(a, b): times for a, b, times in tallies["rows"]})
        balance.update({name: tallies["balance"][name] for name in SUMS[:-1]})
        for given in tallies["inputs"]:
            kept = inputs.setdefault(given["name"], {**given, "read": []})
            lost = FAULT == "bytes-lost" and number == len(files) - 1
            twice = 2 if FAULT == "bytes-twice" and number == 0 else 1
            kept["read"] += [] if lost else given["read"] * twice
    balance["bytes_total"] = sum(given["size"] for given in inputs.values())
    if FAULT == "lines-twice":
        for name in SUMS[:3]:
            balance[name] *= 2
    times = 2 if FAULT == "connections" else 1
    merged = sorted([*pair, number * times] for pair, number in rows.items())
    same = {"window": files[0]["window"], "scan": files[0]["scan"]}
    save(output, {"inputs": list(inputs.values()), "rows": merged, "balance": balance, **same})


def save(path: str, tallies: Tallies) -> None:
    """Write a tallies file."""
    Path(path).write_text(json.dumps(tallies))


def report(words: list[str]) -> None:
    """Print all pairs as JSON, or a report of the question as text."""
    everything = option(words, "--set")
    form = option(words, "--output", "text")
    path, *hosts = rest(words)
    show(json.loads(Path(path).read_text())["rows"], everything, form, hosts, "--quiet" in words)


def show(rows: list[Any], everything: str, form: str, hosts: list[str], quiet: bool) -> None:
    """Print rows in one of two forms."""
    if everything:
        kept = rows[1:] if FAULT == "pairs" else rows
        names = {"from": "host", "to": "host", "connections": "count"}
        columns = [{"name": name, "type": kind} for name, kind in names.items()]
        ranked = sorted(kept, key=lambda row: -row[2])
        print(json.dumps({"reports": [{"id": "top-pairs", "columns": columns, "rows": ranked}]}))
        return
    print(f"{form} {' '.join(hosts)}")
    for row in rows:
        print(*row)
    if not quiet:
        print("Balance sheet", file=sys.stderr)


def whole(words: list[str]) -> None:
    """Count everything in one run, as the program does without a cluster."""
    form = option(words, "--output", "text")
    location, *hosts = rest(words)
    pairs: Counter[tuple[str, ...]] = Counter()
    for path in glob.glob(location):
        pairs.update(tuple(line.split()[1:]) for line in Path(path).read_text().splitlines())
    show(sorted([*pair, number] for pair, number in pairs.items()), "", form, hosts, "--quiet" in words)


def inspect(words: list[str]) -> None:
    """Say what a tallies file holds."""
    tallies = json.loads(Path(rest(words)[0]).read_text())
    zero = {"out_of_window": 0, "late": 0, "future": 0, "malformed": 0, "bytes_unread": 0}
    print(
        json.dumps(
            {
                "version": VERSION,
                "build": BUILD,
                "format": 1,
                "window": tallies["window"],
                "inputs": tallies["inputs"],
                "connections": sum(row[2] for row in tallies["rows"]),
                "balance": {**zero, **tallies["balance"]},
                "sorted": FAULT != "unsorted" or tallies["scan"] == "full",
            }
        )
    )


def main() -> None:
    """Run a command."""
    command, *words = sys.argv[1:]
    if command == "--version":
        print(f"logparser {VERSION} (build {BUILD})")
        return
    commands = {
        "plan": plan,
        "partial": partial,
        "list": compare,
        "merge": merge,
        "report": report,
        "inspect": inspect,
    }
    if command in commands:
        commands[command](words)
    else:
        whole(sys.argv[1:])


main()
