"""What is measured apart from the logs that all programs share: instructions, the price of stages, and following."""

import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "benches"))

import live  # noqa: E402

# Lines of the log on which the graph is held against one loop, and seconds of the stamps that are followed.
PRICE_LINES = {"small": 1_000_000, "full": 8_000_000}
FOLLOWED = {"small": 12, "full": 60}


def instructions(program):
    """By shape and window, as benches/instructions.sh counts them."""
    found = {}
    script = [ROOT / "benches/instructions.sh", program]
    for line in subprocess.run(script, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()[2:]:
        shape, outside, inside, _ = line.split()
        found[shape, "outside"], found[shape, "inside"] = float(outside), float(inside)
    return found


def price(scale):
    """The graph's processor time against that of one loop over the same operators, by window, a value for each round."""
    bench = ["cargo", "bench", "--quiet", "--locked", "--bench", "price", "--", "--lines", str(PRICE_LINES[scale])]
    printed = subprocess.run(bench, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout
    rows = re.findall(r"^\| (.+?) \| [\d.]+ \| [\d.]+ \| ([\d.]+) \((.+?) to (.+?)\) \|", printed, re.MULTILINE)
    return {window: tuple(map(float, values)) for window, *values in rows}


def following(program, scale, rounds):
    """Million lines a second, a value for each round."""
    return [live.sustained(os.fspath(program), FOLLOWED[scale]) / 1e6 for _ in range(rounds)]
