#!/usr/bin/env python3
"""Windows that repeat, counted once more: random logs whose stamps are of every unit and jump ahead and back, random windows.

    tests/oracle/windows.py PROGRAM [--runs N] [--seed N]

Each run writes one to three logs and a configuration, and compares the JSON of all results and the balance sheet of the last
with a count of its own, to the nanosecond. It knows the rules of docs/time.md, and nothing of the program.
"""

import argparse
import collections
import json
import math
import os
import random
import subprocess
import sys
import tempfile
import time

NANOS = 10**9
BASE = 1_700_000_000 * NANOS
# How many records of an input have to lie so far ahead that time follows them.
MANY = 8


def stamp_text(draw, at):
    """An instant in one of the units that can tell it, by digits and perhaps a point."""
    units = [(10**9, 11), (10**6, 14), (10**3, 17), (1, 19)]
    fitting = []
    for number, (unit, digits) in enumerate(units):
        fewest = units[number - 1][1] + 1 if number else 1
        whole, part = divmod(abs(at), unit)
        if fewest <= len(str(whole)) <= digits:
            places = len(str(unit)) - 1
            tail = str(part).rjust(places, "0") if places else ""
            if part == 0 and draw.random() < 0.8:
                tail = ""
            elif draw.random() < 0.5:
                tail = tail.rstrip("0")
            fitting.append(("-" if at < 0 else "") + str(whole) + ("." + tail if tail else ""))
    return draw.choice(fitting)


class Log:
    """Lines, and what each is: a record, or one of the classes that lose a line."""

    def __init__(self, draw, future):
        self.lines, self.records, self.classes = [], [], collections.Counter()
        self.future = future
        at = BASE + draw.randrange(-10_000, 10_000) * NANOS
        pace = draw.choice([10**3, 10**6, NANOS, 60 * NANOS])
        jump = draw.choice([0, 0, 0, 0.02, 0.1])
        for _ in range(draw.choice([0, 1, 5, 8, 9, 40, 200])):
            kind = draw.random()
            if kind < 0.04:
                self.no_record(draw)
                continue
            at += draw.randrange(2 * pace)
            stamp = at
            if draw.random() < jump:
                far = draw.choice([1, 60, 3_600, 7_200, 86_400, 10**7]) * NANOS + draw.randrange(3)
                stamp += far * draw.choice([1, 1, -1])
                if draw.random() < 0.2:
                    at = stamp
            elif draw.random() < 0.3:
                stamp -= draw.randrange(20 * pace)
            if draw.random() < 0.01:
                stamp = draw.choice([0, NANOS, -NANOS, 7])
            if draw.random() < 0.4:
                stamp -= stamp % NANOS
            self.record(draw, stamp)

    def record(self, draw, stamp):
        pair = ("s%d" % draw.randrange(5), "d%d" % draw.randrange(3))
        between = [draw.choice([" ", " ", " ", "\t", "  "]) for _ in range(2)]
        text = stamp_text(draw, stamp) + between[0] + pair[0] + between[1] + pair[1]
        self.lines.append(text + draw.choice(["", "", "", "\r", " "]))
        if stamp > self.future:
            self.classes["future"] += 1
        else:
            self.records.append((stamp, pair))

    def no_record(self, draw):
        text, name = draw.choice([("", "blank"), (" \t", "blank"), ("x a b", "malformed"), ("17000.0.1 a b", "malformed")])
        self.lines.append(text)
        self.classes[name] += 1

    def text(self):
        return "".join(line + "\n" for line in self.lines)


class Rules:
    def __init__(self, draw):
        second = lambda *choices: draw.choice(choices)
        self.period = second(10**6, 250 * 10**6, NANOS, 7 * NANOS, 60 * NANOS, 3_600 * NANOS, 86_400 * NANOS)
        self.length = max(1, self.period * draw.choice([1, 1, 1, 2, 5]) // draw.choice([1, 1, 1, 2, 3]))
        # Whole milliseconds, which is what a length in a file may be written in.
        self.length = max(10**6, self.length // 10**6 * 10**6)
        # Where windows start; none of them before the first stamp that is not late, if that is it.
        self.align = draw.choice(["epoch", "epoch", "first", "latest", BASE, BASE + 123_000_000])
        self.anchor = self.align if isinstance(self.align, int) else 0
        self.lateness = draw.choice([0, 0, NANOS, 60 * NANOS, 3_600 * NANOS])
        # Further buckets are refused.
        while self.lateness // math.gcd(self.length, self.period) > 10_000:
            self.lateness //= 60
        self.jump = draw.choice([0, 1, 60, 3_600, 20_000]) * NANOS
        self.gap = draw.choice([0, 1, 3, 100])
        # So few windows that all can be counted: a gap is told in one line only where that is allowed.
        self.gap = self.gap or 100

    def place(self, logs):
        """Finds where windows start, if that rests on the logs."""
        if self.align == "latest":
            self.anchor = max((stamp for log in logs for stamp, _ in log.records), default=0)
        if self.align == "first":
            in_time = [stamp for log in logs for stamp, _, is_late in self.judged(log) if not is_late]
            self.anchor = min(in_time, default=0)

    def first_end(self, stamp):
        """The end of the first window that ends after a stamp."""
        end = self.anchor + self.length + ((stamp - self.anchor - self.length) // self.period + 1) * self.period
        return max(end, self.anchor + self.length) if self.align == "first" else end

    def is_between(self, stamp):
        """Whether a stamp is between windows, those before the first included."""
        return (stamp - self.anchor) % self.period >= self.length

    def windows_of(self, stamp):
        """The ends of the windows that hold a stamp."""
        end = self.first_end(stamp)
        while end - self.length <= stamp:
            yield end
            end += self.period

    def judged(self, log):
        """The records of a log, and whether each is late."""
        jump = max(self.jump, self.lateness) if self.jump else 0
        highest = []
        for stamp, pair in log.records:
            told = None
            if jump and len(highest) >= MANY:
                at = MANY - 1
                while at > 0 and highest[at - 1] - highest[at] <= jump:
                    at -= 1
                told = highest[at]
            elif not jump and highest:
                told = highest[0]
            highest = sorted([*highest, stamp], reverse=True)[:MANY]
            yield stamp, pair, told is not None and stamp < told - self.lateness

    def counted(self, log):
        """The records of a log that are in time, how many are not, and how many are between windows."""
        kept, late, outside = [], 0, 0
        for stamp, pair, is_late in self.judged(log):
            if self.is_between(stamp):
                outside += 1
            elif is_late:
                late += 1
            else:
                kept.append((stamp, pair))
        return kept, late, outside


def expected(logs, rules):
    sheet, windows = collections.Counter(), collections.defaultdict(collections.Counter)
    lowest = highest = None
    for log in logs:
        kept, late, outside = rules.counted(log)
        sheet.update(log.classes)
        sheet.update({"late": late, "out_of_window": outside, "counted": len(kept), "lines_read": len(log.lines)})
        for stamp, pair in kept:
            lowest = stamp if lowest is None else min(lowest, stamp)
            highest = stamp if highest is None else max(highest, stamp)
            for end in rules.windows_of(stamp):
                windows[end][pair] += 1
    results = []
    if lowest is not None:
        first, last = rules.first_end(lowest), rules.first_end(highest)
        # A window that overlaps and ends after the last is none of these.
        ends = sorted(end for end in windows if first <= end <= last)
        at = first
        for end in [*ends, last + rules.period]:
            empty = (end - at) // rules.period
            if empty > rules.gap:
                results.append((at - rules.length, end - rules.period, empty, {}))
            else:
                results += [(e - rules.length, e, 1, {}) for e in range(at, end, rules.period)]
            if end <= last:
                results.append((end - rules.length, end, 1, dict(windows[end])))
            at = end + rules.period
    return results, sheet


def found(text):
    results, sheet = [], None
    for line in text.splitlines():
        result = json.loads(line)
        sheet, window = result["balance"], result["window"]
        if window is None:
            continue
        # Windows that hold nothing, told in one line, have no reports.
        pairs = {(row[0], row[1]): row[2] for report in result["reports"] for row in report["rows"]}
        results.append((window["start_unix_nanos"], window["end_unix_nanos"], window.get("empty_windows", 1), pairs))
    return results, sheet


def one(program, seed):
    draw = random.Random(seed)
    # Beyond this, stamps are in the future.
    now = BASE // NANOS + 40_000
    rules = Rules(draw)
    logs = [Log(draw, (now + 3_600) * NANOS) for _ in range(draw.choice([1, 1, 1, 2, 3]))]
    rules.place(logs)
    millis = lambda nanos: "%dms" % (nanos // 10**6)
    with tempfile.TemporaryDirectory(prefix="windows-") as folder:
        for number, log in enumerate(logs):
            with open(os.path.join(folder, "%d.log" % number), "w", newline="") as file:
                file.write(log.text())
        with open(os.path.join(folder, "p.toml"), "w") as file:
            file.write('location = "*.log"\nformat = "plain"\noutputs = ["json"]\nreports = [{ name = "top-pairs", limit = 1000000 }]\n')
            file.write('every = "%s"\nseconds = "%s"\nlateness = "%s"\n' % tuple(map(millis, (rules.period, rules.length, rules.lateness))))
            file.write('max-jump = "%s"\nmax-gap = %d\nnow = %d\n' % (millis(rules.jump), rules.gap, now))
            at = stamp_text(draw, rules.align) if isinstance(rules.align, int) else rules.align
            file.write('align = "%s"\n' % at)
            file.write("threads = %d\nchunk = %d\n" % (draw.choice([1, 2, 3]), draw.choice([16, 100, 1 << 16])))
        done = subprocess.run([program, "run", "p.toml", "-qq"], cwd=folder, capture_output=True, text=True, timeout=120)
    if done.returncode not in (0, 1):
        return "exit code %d: %s" % (done.returncode, done.stderr)
    (right, sums), (results, sheet) = expected(logs, rules), found(done.stdout)
    for at, (one, other) in enumerate(zip(results, right)):
        if one != other:
            return "result %d is %s, right is %s" % (at, one, other)
    if len(results) != len(right):
        return "%d results, right are %d" % (len(results), len(right))
    # The last line has all that is lost; of other lines that are not counted, those before the end of the last window.
    names = ["counted", "late", "future", "malformed"]
    differ = sheet is None or any(sheet[name] != sums[name] for name in names)
    if differ or any(sheet[name] > sums[name] for name in ["lines_read", "out_of_window", "blank"]):
        return "the balance is %s, right is %s" % (sheet, dict(sums))
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--runs", type=int, default=300)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 10**9)
    options = parser.parse_args()
    program, wrong = os.path.abspath(options.program), 0
    print("windows.py --seed %d" % options.seed, flush=True)
    for seed in range(options.seed, options.seed + options.runs):
        error = one(program, seed)
        if error:
            wrong += 1
            print("WRONG: --seed %d --runs 1: %s" % (seed, error[:1000]), flush=True)
    print("%d runs, %d wrong" % (options.runs, wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
