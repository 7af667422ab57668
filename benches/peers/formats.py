#!/usr/bin/env python3
"""logparser beside DuckDB, Polars, Miller and GoAccess on logs of other programs: the busiest servers of a whole log of JSON, of
Zeek's columns, and of a web server. Prints a table in Markdown.

    /tmp/peers/bin/python benches/peers/formats.py LOGPARSER [--megabytes 1000] [--rounds 3]

All programs run on the same file one after another in each round, on as many cores as there are, with the page cache warm, and
logparser on one core besides. Times are believed only where the ten busiest servers are the same (GoAccess answers other
questions). The logs are lines of `tests/oracle/make_logs.py`, over and over.
"""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

MAKE = pathlib.Path(__file__).resolve().parents[2] / "tests/oracle/make_logs.py"

DUCKDB = """
import duckdb, sys
rows = duckdb.sql({query!r}).fetchall()
for server, count in rows:
    print(server, count)
"""

POLARS = """
import polars as pl
lines = {scan}
found = lines.group_by({to!r}).len().sort(["len", {to!r}], descending=[True, False]).head(10).collect(engine="streaming")
for server, count in found.rows():
    print(server, count)
"""

# Of each log: its maker, where the server stands, and how the others read it.
LOGS = {
    "jsonl": dict(
        make=("suricata-flow", "eve"),
        duckdb="SELECT dest_ip AS server, count(*) AS n FROM read_json({log!r}, format='newline_delimited', "
        "columns={{timestamp: 'VARCHAR', event_type: 'VARCHAR', src_ip: 'VARCHAR', dest_ip: 'VARCHAR'}}) "
        "WHERE event_type = 'flow' GROUP BY 1 ORDER BY n DESC, server LIMIT 10",
        polars="pl.scan_ndjson({log!r}, schema={{'timestamp': pl.String, 'event_type': pl.String, 'src_ip': pl.String, "
        "'dest_ip': pl.String}}).filter(pl.col('event_type') == 'flow')",
        to="dest_ip",
        miller=["--ijsonl", "--ojsonl", "filter", '$event_type == "flow"', "then", "count", "-g", "dest_ip"],
    ),
    "zeek": dict(
        make=("zeek-conn", "tsv"),
        duckdb="SELECT \"id.resp_h\" AS server, count(*) AS n FROM read_csv({log!r}, delim='\\t', comment='#', header=false, "
        "quote='', escape='', names={names}, all_varchar=true) GROUP BY 1 ORDER BY n DESC, server LIMIT 10",
        polars="pl.scan_csv({log!r}, separator='\\t', comment_prefix='#', has_header=False, quote_char=None, "
        "new_columns={names}, infer_schema=False)",
        to="id.resp_h",
        miller=None,
    ),
    "combined": dict(make=("combined", "plain"), duckdb=None, polars=None, to=None, miller=None),
}


def told(text):
    print(text, file=sys.stderr, flush=True)


def make(name, log, megabytes, folder):
    """A log of so many megabytes, and the names of its columns if it says them."""
    kind, variant = name
    block = folder / "block"
    listed = subprocess.run([sys.executable, MAKE, "--list"], capture_output=True, text=True, check=True).stdout
    variants = next(line.split()[1:] for line in listed.splitlines() if line.split()[0] == kind)
    variant = variant if variant in variants else variants[0]
    command = [sys.executable, MAKE, kind, "--variant", variant, "--lines", "200000", "--seed", "1", "--clean", "--output", block]
    subprocess.run(command, check=True, capture_output=True)
    lines = block.read_bytes().splitlines(keepends=True)
    head = [line for line in lines[:20] if line.startswith(b"#")]
    body = b"".join(line for line in lines if not line.startswith(b"#"))
    with open(log, "wb") as file:
        file.write(b"".join(head))
        for _ in range(max(1, megabytes * 1_000_000 // len(body))):
            file.write(body)
    block.unlink()
    fields = [line.decode().rstrip("\n").split("\t")[1:] for line in head if line.startswith(b"#fields")]
    return fields[0] if fields else []


def programs(asked, of, log, names, scratch):
    """What there is to run: name and command."""
    top = [asked.program, "top", log, "--since", "1971-01-01", "--until", "2200-01-01", "--now", "2200-01-01", "--scan", "full",
           "--output", "csv", "-qq"]
    yield "logparser", top
    yield "logparser, one core", ["taskset", "-c", "0", *top, "--threads", "1"]
    if of["duckdb"]:
        query = of["duckdb"].format(log=str(log), names=names)
        yield "DuckDB", [sys.executable, "-c", DUCKDB.format(query=query)]
    if of["polars"]:
        yield "Polars", [sys.executable, "-c", POLARS.format(scan=of["polars"].format(log=str(log), names=names), to=of["to"])]
    if of["miller"] and shutil.which("mlr"):
        yield "Miller", ["mlr", *of["miller"], log]
    if of["duckdb"] is None and shutil.which("goaccess"):
        yield "GoAccess", ["goaccess", log, "--log-format=COMBINED", "--no-global-config", "-o", str(scratch / "report.json")]


def answer(name, text):
    """The ten busiest servers, in one form for all."""
    if name.startswith("logparser"):
        rows = [line.rsplit(",", 1) for line in text.splitlines()[1:]]
    elif name == "Miller":
        rows = [list(json.loads(line).values()) for line in text.splitlines()]
    else:
        rows = [line.rsplit(" ", 1) for line in text.splitlines()]
    return sorted(((server, int(count)) for server, count in rows), key=lambda row: (-row[1], row[0]))[:10]


def measure(asked, name, of, folder):
    """Rows of the table for one log."""
    log, scratch = folder / f"{name}.log", folder
    names = make(of["make"], log, asked.megabytes, folder)
    size = os.path.getsize(log)
    times, answers = {}, {}
    for _ in range(asked.rounds):
        for program, command in programs(asked, of, log, names, scratch):
            began = time.monotonic()
            run = subprocess.run([str(part) for part in command], capture_output=True, text=True)
            times.setdefault(program, []).append(time.monotonic() - began)
            if run.returncode != 0:
                told(f"{name}: {program}: {run.stderr[-500:]}")
            if program != "GoAccess":
                answers[program] = answer(program, run.stdout)
    log.unlink()
    for program in times:
        if program in answers and answers[program] != answers["logparser"]:
            told(f"{name}: {program} gives another answer: {answers[program][:3]}, {answers['logparser'][:3]}")
        seconds = statistics.median(times[program])
        ratio = statistics.median(mine / own for mine, own in zip(times[program], times["logparser"]))
        yield f"| {name} | {program} | {size / 1e6 / seconds:.0f} | {ratio:.2f} |"


def main():
    """Measures all logs, and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program")
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=LOGS)
    asked = parser.parse_args()
    print("| log | program | MB/s | time, logparser = 1 |\n|---|---|---:|---:|")
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
        for name, of in LOGS.items():
            if asked.only in (None, name):
                for row in measure(asked, name, of, pathlib.Path(folder)):
                    print(row, flush=True)


if __name__ == "__main__":
    main()
