"""The rate of each format: a log of each, on one core, and the instructions that a line takes by valgrind."""

import dataclasses
import re
import shutil
import subprocess
import sys

import pages
from programs import Program
from rounds import Spread, rounds

MAKE = pages.ROOT / "tests/oracle/make_logs.py"
BLOCK = 200_000
RATED = 100_000_000

# What valgrind counts, at two lengths of a log: what the longer one takes more is its lines alone.
SHORT, LONG = 20_000, 60_000


@dataclasses.dataclass(frozen=True)
class Made:
    """Lines of a format in one of its variants."""

    format: str
    variant: str

    def lines(self, count, folder):
        """The header and so many lines, in bytes."""
        block = folder / "block"
        command = [sys.executable, MAKE, self.format, "--variant", self.variant, "--lines", str(count), "--seed", "1", "--clean",
                   "--output", block]
        subprocess.run([str(word) for word in command], check=True, capture_output=True)
        lines = block.read_bytes().splitlines(keepends=True)
        block.unlink()
        # A header once; what Zeek says at the end of a file is no line of the next.
        heads = 0 if self.format in ("plain", "combined", "common") else 1
        is_head = lambda line: line.startswith(b"#")
        head = [line for line in lines[:20] if is_head(line)] or lines[:heads]
        return head, [line for line in lines[len(head):] if not is_head(line)]

    def write(self, path, size):
        """A log of about so many bytes. Gives the names of its columns, if it says them as Zeek does."""
        head, lines = self.lines(BLOCK, path.parent)
        body = b"".join(lines)
        with open(path, "wb") as file:
            file.write(b"".join(head))
            for _ in range(max(1, size // len(body))):
                file.write(body)
        named = [line.decode().rstrip("\n").split("\t")[1:] for line in head if line.startswith(b"#fields")]
        return named[0] if named else []


# A variant of each, with the extractor that reads it.
RATES = [
    ("columns", Made("plain", "any")),
    ("columns", Made("zeek-conn", "tsv")),
    ("columns", Made("vpc-flow", "header")),
    ("columns", Made("nfdump-csv", "1.7.1")),
    ("columns", Made("silk", "padded")),
    ("columns", Made("csv", "comma")),
    ("columns", Made("squid", "native")),
    ("columns", Made("combined", "nginx")),
    ("columns", Made("envoy", "text")),
    ("json", Made("suricata-flow", "eve")),
    ("json", Made("zeek-conn", "json")),
    ("json", Made("gcp-vpc-flow", "entries")),
    ("json", Made("hubble", "wrapped")),
    ("json", Made("envoy", "json")),
    ("json, in a container's log", Made("envoy", "docker-json")),
    ("json", Made("jsonl", "flat")),
    ("keyval", Made("logfmt", "any")),
    ("keyval, behind syslog", Made("iptables", "iptables")),
    ("regex", Made("tcpdump", "any")),
    ("regex, behind syslog", Made("haproxy", "syslog-http")),
    ("regex, behind syslog", Made("sshd", "plain")),
]


def command(program, log, *more):
    return [str(word) for word in (program, "top", log, "--since", "1971-01-01", "--until", "2200-01-01", "--now", "2200-01-01",
                                   "--scan", "full", "--threads", "1", *more)]


def instructions(program, made, folder):
    """Instructions a line."""
    head, lines = made.lines(LONG, folder)
    counted = []
    for length in (SHORT, len(lines)):
        log = folder / "counted.log"
        log.write_bytes(b"".join(head + lines[:length]))
        of = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *command(program, log, "-qq")]
        run = subprocess.run(of, capture_output=True, text=True)
        found = re.search(r"Collected : (\d+)", run.stderr)
        if run.returncode or not found:
            sys.exit(f"{made}: {run.stderr[-500:]}")
        counted.append(int(found[1]))
        log.unlink()
    return (counted[1] - counted[0]) / (len(lines) - SHORT)


def rate(program, extractor, made, count, folder, told):
    """The row of a format."""
    log = folder / "rate.log"
    made.write(log, RATED)
    size, lines = log.stat().st_size, log.read_bytes().count(b"\n")
    read = Program("logparser", "rate", ["taskset", "-c", "0", *command(program, log, "-qq")])
    seconds = Spread.of(rounds([read], count, folder, lambda _: None)["logparser", "rate", ""].seconds).median
    log.unlink()
    of_line = f"{instructions(program, made, folder):,.0f}" if shutil.which("valgrind") else "-"
    told(f"{made.format}, {made.variant}: {size / 1e6 / seconds:.0f} MB/s")
    return [f"`{made.format}`", extractor, f"{size / lines:.0f}", f"{size / 1e6 / seconds:.0f}", f"{lines / 1e6 / seconds:.2f}",
            of_line]


def rates(program, count, folder, told):
    """The table of all formats."""
    rows = [rate(program, extractor, made, count, folder, told) for extractor, made in RATES]
    head = ["format", "extractor", "bytes a line", "MB/s on one core", "million lines a second", "instructions a line"]
    lines = pages.markdown(head, rows).split("\n")
    return "\n".join([lines[0], lines[1].replace("|---|---:|", "|---|---|", 1), *lines[2:]])
