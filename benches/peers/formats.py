#!/usr/bin/env python3
"""logparser beside DuckDB, Polars, Miller, angle-grinder and GoAccess on logs of other programs, and its own rate for each format.

    python3 -m venv /tmp/peers && /tmp/peers/bin/pip install polars duckdb
    apt-get install miller goaccess valgrind; cargo install ag
    cargo build --release && /tmp/peers/bin/python benches/peers/formats.py [--megabytes 1000] [--only PART] [--write]

The question is which servers of a whole log were busiest: Suricata's JSON, Zeek's columns, and a web server's log. All programs
run on the same file one after another in each round, with the page cache warm, and have to give the same answer; but for
GoAccess, which answers a dozen other questions at once. Programs that are not there are named and left out.

The logs are lines of tests/oracle/make_logs.py, 200,000 of them over and over. `--write` puts the tables into the README and
into docs/speed.md.
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import pages
from programs import Program, is_there, versions
from rates import Made, rates
from rounds import Spread, ratio, rounds
from run import machine, told

SERVERS = "busiest servers"

DUCKDB = """
import duckdb
# It would be written among the rows.
duckdb.sql("SET enable_progress_bar = false")
for server, count in duckdb.sql({query!r}).fetchall():
    print(server, count)
"""

POLARS = """
import polars as pl
lines = {scan}
found = lines.group_by({to!r}).len().sort(["len", {to!r}], descending=[True, False]).head(10).collect(engine="streaming")
for server, count in found.rows():
    print(server, count)
"""

TEN = "GROUP BY 1 ORDER BY n DESC, server LIMIT 10"

# Of each log: what makes it, what it is, where the server stands, and how the others read it.
LOGS = {
    "jsonl": dict(
        made=Made("suricata-flow", "eve"),
        title="Suricata's flows, lines of JSON",
        to="dest_ip",
        duckdb="SELECT dest_ip AS server, count(*) AS n FROM read_json({log!r}, format='newline_delimited', "
        "columns={{timestamp: 'VARCHAR', event_type: 'VARCHAR', src_ip: 'VARCHAR', dest_ip: 'VARCHAR'}}) "
        f"WHERE event_type = 'flow' {TEN}",
        polars="pl.scan_ndjson({log!r}, schema={{'timestamp': pl.String, 'event_type': pl.String, 'src_ip': pl.String, "
        "'dest_ip': pl.String}}).filter(pl.col('event_type') == 'flow')",
        miller=["--ijsonl", "--ojsonl", "filter", '$event_type == "flow"', "then", "count", "-g", "dest_ip"],
        agrind='* | json | where event_type == "flow" | count by dest_ip',
    ),
    "zeek": dict(
        made=Made("zeek-conn", "tsv"),
        title="Zeek's connections, columns",
        to="id.resp_h",
        duckdb="SELECT \"id.resp_h\" AS server, count(*) AS n FROM read_csv({log!r}, delim='\\t', comment='#', header=false, "
        f"quote='', escape='', auto_detect=false, strict_mode=false, columns={{columns}}) {TEN}",
        polars="pl.scan_csv({log!r}, separator='\\t', comment_prefix='#', has_header=False, quote_char=None, "
        "new_columns={names}, infer_schema=False)",
        # Five columns at least, so that its header is not read as a line.
        miller=["--inidx", "--ifs", "tab", "--ojsonl", "--skip-comments-with", "#", "count", "-g", "5"],
        agrind=None,
    ),
    "combined": dict(made=Made("combined", "nginx"), title="a web server's log, combined", to=None, duckdb=None, polars=None,
                     miller=None, agrind=None),
}


def ten(rows):
    return sorted(((server, int(count)) for server, count in rows), key=lambda row: (-row[1], row[0]))[:10]


def of_csv(text):
    return ten(line.rsplit(",", 1) for line in text.splitlines()[1:])


def of_words(text):
    return ten(line.rsplit(None, 1) for line in text.splitlines())


def of_json_lines(text):
    return ten(list(json.loads(line).values())[:2] for line in text.splitlines())


def of_json(text):
    rows = json.loads(text)
    return ten((row["dest_ip"], row["_count"]) for row in rows)


def programs(program, of, log, names, scratch):
    """What there is to run on a log."""
    top = [program, "top", log, "--since", "1971-01-01", "--until", "2200-01-01", "--now", "2200-01-01", "--scan", "full",
           "--output", "csv", "-qq"]
    one_core = ["taskset", "-c", "0", *top, "--threads", "1"]
    compared = None if of["to"] is None else of_csv
    found = [Program("logparser", SERVERS, top, compared), Program("logparser", SERVERS, one_core, compared, "one core")]
    if of["duckdb"] and is_there("DuckDB"):
        query = of["duckdb"].format(log=str(log), columns=dict.fromkeys(names, "VARCHAR"))
        found.append(Program("DuckDB", SERVERS, [sys.executable, "-c", DUCKDB.format(query=query)], of_words))
    if of["polars"] and is_there("Polars"):
        script = POLARS.format(scan=of["polars"].format(log=str(log), names=names), to=of["to"])
        found.append(Program("Polars", SERVERS, [sys.executable, "-c", script], of_words))
    if of["miller"] and shutil.which("mlr"):
        found.append(Program("Miller", SERVERS, ["mlr", *of["miller"], log], of_json_lines))
    if of["agrind"] and shutil.which("agrind"):
        found.append(Program("angle-grinder", SERVERS, ["agrind", "--output", "json", "--file", log, of["agrind"]], of_json))
    if of["to"] is None and shutil.which("goaccess"):
        command = ["goaccess", log, "--log-format=COMBINED", "--no-global-config", "--no-progress", "-o", scratch / "report.json"]
        found.append(Program("GoAccess", SERVERS, command))
    return found


def beside(args, name, folder):
    """What all programs took for a log, and its bytes."""
    of, log = LOGS[name], folder / f"{name}.log"
    names = of["made"].write(log, args.megabytes * 1_000_000)
    size = log.stat().st_size
    told(f"{name}: {size / 1e6:.0f} MB")
    taken = rounds(programs(args.program, of, log, names, folder), args.rounds, folder, told)
    log.unlink()
    return taken, size


def table(title, taken, size):
    """A row for each program."""
    quickest, rows = taken["logparser", SERVERS, ""], []
    for (tool, _, how), it in taken.items():
        peak = f"{it.peak:.0f}" if it.peak > 1.05 * it.floor else f"under {it.floor:.0f}"
        name = f"{tool}, {how}" if how else tool
        rate = size / 1e6 / Spread.of(it.seconds).median
        rows.append([name, f"{rate:.0f}", pages.shown(ratio(it, quickest), 1), peak])
    return pages.markdown([f"{title}, {size / 1e9:.1f} GB", "MB/s", "times logparser", "peak memory, MiB"], rows)


def summary(taken):
    """A row for each log: how many times as long as logparser the others take."""
    tools = dict.fromkeys(tool for _, of_log, _ in taken for tool, _, _ in of_log if tool != "logparser")
    rows = []
    for title, of_log, size in taken:
        quickest = of_log["logparser", SERVERS, ""]
        times = lambda tool: pages.shown(ratio(of_log[tool, SERVERS, ""], quickest), 1) if (tool, SERVERS, "") in of_log else "-"
        rows.append([title, f"{size / 1e6 / Spread.of(quickest.seconds).median:.0f}", *map(times, tools)])
    head = [f"{taken[0][2] / 1e9:.1f} GB each; times logparser", "logparser, MB/s", *tools]
    return pages.markdown(head, rows)


def also_found():
    """Versions of what only this script runs."""
    line = lambda *command: subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\n")[0]
    told_by = {"mlr": lambda: "Miller " + line("mlr", "--version").split()[-1],
               "agrind": lambda: "angle-grinder " + line("agrind", "--version").split()[-1],
               "goaccess": lambda: line("goaccess", "--version").rstrip(".").replace(" - ", " ")}
    for tool in told_by:
        if not shutil.which(tool):
            told(f"left out: {tool}, which is not there")
    return [version() for tool, version in told_by.items() if shutil.which(tool)]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", nargs="?", type=pathlib.Path, default=pages.ROOT / "target/release/logparser")
    parser.add_argument("--megabytes", type=int, default=1000, help="of each log that the programs are compared on")
    parser.add_argument("--rounds", type=int, default=3, help="rounds that count, after one that does not")
    parser.add_argument("--only", action="append", choices=[*LOGS, "rates"], help="a part; may be given several times")
    parser.add_argument("--write", action="store_true", help="write the tables into the README and the book")
    args = parser.parse_args()
    args.program = args.program.resolve()
    if args.write and (args.only or args.megabytes < 1000):
        parser.error("--write takes a whole run on logs of 1 GB")
    return args


def main():
    args = arguments()
    taken, own = [], None
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR"), prefix="formats-") as folder:
        for name, of in LOGS.items():
            if args.only is None or name in args.only:
                taken.append((of["title"], *beside(args, name, pathlib.Path(folder))))
        if args.only is None or "rates" in args.only:
            own = rates(args.program, args.rounds, pathlib.Path(folder), told)
    found = [version for version in versions(args.program)[0] if version.split()[0] not in ("mawk", "wc")]
    words = machine([*found, *also_found()], args.rounds)
    short = summary(taken) if taken else ""
    whole = "\n\n".join([*(table(*of_log) for of_log in taken), *([own] if own else []), words])
    print(f"{short}\n\n{whole}")
    if args.write:
        pages.write("README.md", "formats", short, "formats.py")
        pages.write("docs/speed.md", "rates", whole, "formats.py")


if __name__ == "__main__":
    main()
