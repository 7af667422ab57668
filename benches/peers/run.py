#!/usr/bin/env python3
"""logparser beside Polars, DuckDB, mawk and `wc -l`, all on the same files and the same question.

    python3 -m venv /tmp/peers && /tmp/peers/bin/pip install polars duckdb
    cargo build --release && /tmp/peers/bin/python benches/peers/run.py --data /tmp/peers-data

Makes the data where it is missing (1.4 GB, and 0.6 GB for many hosts), runs all programs in turn, several times, with
the page cache warm, checks that all give the same answer, and prints a table of medians, of ratios within the same
round, and of peak memory. What a machine shared with others shows in absolute times means little: read the ratios.
"""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
LOGPARSER = ROOT / "target/release/logparser"
END = 1_700_000_000
DAY = 86_400

# name: (folder, what logparser-make is given for each file, window in seconds, further options of logparser)
FIVE = [["--seed", str(seed), "--lines", "11600000"] for seed in range(1, 6)]
MANY = [["--seed", "1", "--lines", "20000000", "--hosts", "100000", "--servers", "10000"]]
HOST_FROM, HOST_TO = "sierra", "Delta"
SCENARIOS = {
    "last hour of a day": ("five", FIVE, 3_600, []),
    "last hour of a day, everything read": ("five", FIVE, 3_600, ["--scan", "full"]),
    "all inside the window": ("five", FIVE, DAY, []),
    "many hosts, all inside": ("many", MANY, DAY, []),
}


def make(folder, each):
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"conn-{at}.log" for at in range(1, len(each) + 1)]
    for file, args in zip(files, each):
        if not file.exists():
            subprocess.run([LOGPARSER, "make", file, "--end", str(END), "--quiet", *args], check=True)
    for file in files:  # into the page cache
        subprocess.run(["wc", "-l", file], stdout=subprocess.DEVNULL, check=True)
    return [str(file) for file in files]


def commands(files, seconds, extra):
    first = END - seconds
    window = [str(first), str(END), HOST_FROM, HOST_TO]
    reports = ["top-servers", {"name": "connected-to", "host": HOST_TO}, {"name": "connected-from", "host": HOST_FROM}]
    toml = lambda value: "{ " + ", ".join(f'{k} = "{v}"' for k, v in value.items()) + " }"
    written = ", ".join(toml(report) if isinstance(report, dict) else f'"{report}"' for report in reports)
    config = pathlib.Path(files[0]).parent / "peers.toml"
    config.write_text(f"location = {json.dumps(files)}\nuntil = {END}\nseconds = {seconds}\n"
                      f"reports = [{written}]\noutputs = [\"json\"]\n")
    return {
        "logparser": [LOGPARSER, "run", config, "--quiet", *extra],
        "Polars": [sys.executable, HERE / "polars_pairs.py", *window, *files],
        "DuckDB": [sys.executable, HERE / "duckdb_pairs.py", *window, *files],
        "mawk": ["mawk", "-v", f"first={first}", "-v", f"last={END}", "-v", f"host_from={HOST_FROM}",
                 "-v", f"host_to={HOST_TO}", "-f", HERE / "pairs.awk", *files],
        "wc -l": ["wc", "-l", *files],
    }


def run(command):
    """Seconds, peak memory in MiB, and what was printed."""
    before = time.perf_counter()
    process = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE)
    output = process.stdout.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{command[0]} ended with {process.returncode}")
    return time.perf_counter() - before, usage.ru_maxrss / 1024, output


def answer(tool, output):
    if tool == "wc -l":
        return None
    if tool == "logparser":
        top, to, from_ = [report["rows"] for report in json.loads(output)["reports"]]
        return [["top", top[0][0], str(top[0][1])], ["to"] + sorted(row[0] for row in to),
                ["from"] + sorted(row[0] for row in from_)]
    lines = [line.split() for line in output.splitlines()]
    return [lines[0]] + [[line[0]] + sorted(line[1:]) for line in lines[1:]]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, required=True, help="folder for the made logs")
    parser.add_argument("--runs", type=int, default=5, help="rounds that count, after one that does not")
    parser.add_argument("--only", action="append", help="a scenario, by its name; may be given several times")
    parser.add_argument("--tool", action="append", help="a program, by its name; may be given several times")
    args = parser.parse_args()
    print(f"{os.cpu_count()} cores; medians of {args.runs} rounds, all programs in turn in each\n")
    for name in args.only or SCENARIOS:
        folder, each, seconds, extra = SCENARIOS[name]
        files = make(args.data / folder, each)
        found = commands(files, seconds, extra)
        tools = [tool for tool in found if (not args.tool or tool in args.tool) and
                 (tool != "mawk" or (shutil.which("mawk") and folder == "five"))]
        taken = {tool: [] for tool in tools}
        peak = {tool: 0.0 for tool in tools}
        for at in range(args.runs + 1):
            answers = {}
            for tool in tools:
                seconds_taken, memory, output = run(found[tool])
                answers[tool] = answer(tool, output)
                peak[tool] = max(peak[tool], memory)
                if at > 0:
                    taken[tool].append(seconds_taken)
            given = [(tool, found_) for tool, found_ in answers.items() if found_]
            for tool, other in given:
                if other != given[0][1]:
                    sys.exit(f"{name}: {tool} and {given[0][0]} disagree:\n{other}\n{given[0][1]}")
        print(f"{name} ({', '.join(os.path.basename(file) for file in files)})\n")
        print("| program | seconds | times logparser | peak memory, MiB |\n|---|---:|---:|---:|")
        for tool in tools:
            ratio = statistics.median(theirs / ours for theirs, ours in zip(taken[tool], taken["logparser"]))
            print(f"| {tool} | {statistics.median(taken[tool]):.2f} | {ratio:.1f} | {peak[tool]:.0f} |", flush=True)
        print()


if __name__ == "__main__":
    main()
