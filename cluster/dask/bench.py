"""Times the job on 1, 2 and 4 workers of this machine beside the plain program, and prints a table.

    LOGPARSER_BIN=target/release/logparser python bench.py [--mb 2000] [--rounds 5] [--folder DIR]

All run in turn, in rounds; the medians are printed. The start of a cluster is timed apart, as a cluster is
there before the job in real use. Every answer is compared with that of the plain program.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median

from distributed import Client

from logparser_dask import binary, report
from logparser_dask.connect import Cluster, connected

FILES = 20
END = "1700000000"
HOSTS = ("sierra", "Delta")
SHAPES = ((1, 1), (1, 2), (2, 1), (4, 1))
"""Workers, and the threads of each."""


def main() -> None:
    """Make the data, time everything, and print."""
    parse = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parse.add_argument("--mb", type=int, default=2000, help="megabytes of logs, in 20 files")
    parse.add_argument("--rounds", type=int, default=5)
    parse.add_argument("--max-partition", default="100MiB")
    parse.add_argument("--threads", help="of the program, in a task")
    parse.add_argument("--folder", type=Path, help="where to make the logs; they are kept")
    args = parse.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        logs = make(args.folder or Path(scratch), args.mb)
        question = {"window": "1d", "max_partition": args.max_partition, "threads": args.threads}
        table(logs, args.rounds, question)


def make(folder: Path, megabytes: int) -> str:
    """Make what is not there yet; returns the glob."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(FILES):
        path = folder / f"conn{number:02}.log"
        size = megabytes * 1_000_000 // FILES
        if not path.exists():
            line = ["make", str(path), "--size", str(size), "--seed", str(number), "--end", END, "--quiet"]
            binary.run(line)
    return str(folder / "conn*.log")


def table(logs: str, rounds: int, question: dict[str, str | None]) -> None:
    """Time the plain program and each shape in every round, and print the medians."""
    with ExitStack() as stack:
        clients: dict[tuple[int, int], Client] = {}
        starts: dict[tuple[int, int], float] = {}
        for shape in SHAPES:
            with timed() as start:
                clients[shape] = stack.enter_context(connected(Cluster(None, *shape)))
            starts[shape] = start[0]
        plain: list[float] = []
        jobs: dict[tuple[int, int], list[float]] = {shape: [] for shape in SHAPES}
        for _ in range(rounds):
            with timed() as seconds:
                expected = alone(logs)
            plain += seconds
            for shape, client in clients.items():
                with timed() as seconds:
                    found = report(client, logs, *HOSTS, until=END, **question)  # type: ignore[arg-type]
                jobs[shape] += seconds
                assert found == expected, f"{shape}: another answer"
    print("| | job, s | times the plain program | start of the cluster, s |\n|---|---:|---:|---:|")
    print(f"| plain program | {median(plain):.2f} | 1.0 | |")
    for (workers, threads), times in jobs.items():
        name = f"{workers} worker{'s' * (workers > 1)} of {threads} thread{'s' * (threads > 1)}"
        ratio = median(times) / median(plain)
        print(f"| {name} | {median(times):.2f} | {ratio:.2f} | {starts[workers, threads]:.1f} |")


def alone(logs: str) -> str:
    """Run the plain program, and return what it prints."""
    line = [binary.find(), "--quiet", "--seconds", "1d", "--until", END, logs, *HOSTS]
    return subprocess.run(line, capture_output=True, text=True, check=True).stdout


@contextmanager
def timed() -> Iterator[list[float]]:
    """Give a list that has the seconds in it once the `with` has ended."""
    seconds: list[float] = []
    start = time.perf_counter()
    yield seconds
    seconds.append(time.perf_counter() - start)


if __name__ == "__main__":
    main()
