#!/usr/bin/env python3
"""Stops and starts: a program that follows logs is ended and started again and again, and its results are added up.

    tests/oracle/stops.py PROGRAM [--stops N] [--loops N] [--seed N] [--only KIND] [--lines FORM]

Each loop has a folder, a writer that keeps every byte it ever wrote, and a way of counting of its own. After every stop, be it
by SIGTERM, SIGINT or SIGKILL, what the saved state says is counted has to be found: of each window that has closed in
the last revision of its result, of open windows in the state. What is not counted has to be told as lost. It knows the
command line, the JSON of results and of `state show`, and nothing of the program.
"""

import argparse
import bisect
import collections
import datetime
import decimal
import gzip
import itertools
import json
import math
import multiprocessing
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

NANOS = 10**9
MILLI = 10**6
SOURCES, SERVERS = 6, 4
# The columns of a log of Zeek, in an order of its own in each file.
COLUMNS = ["ts", "uid", "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", "proto", "duration", "conn_state"]
# Seconds for which a run that was asked to end waits for its last results to be written.
PATIENCE = 0.3

# What loops are like. `trigger`; length and period of windows, lateness and late updates in milliseconds of the stamps;
# how many of them pass with each line.
KINDS = {
    "tumbling": dict(trigger="event", length=1000, period=1000, lateness=0, grace=0, pace=10),
    "early": dict(trigger="event", length=1000, period=1000, lateness=60_000, grace=0, pace=15),
    "overlapping": dict(trigger="event", length=3000, period=1000, lateness=2000, grace=0, pace=10),
    "gaps": dict(trigger="event", length=500, period=1500, lateness=1000, grace=0, pace=10),
    "updates": dict(trigger="event", length=1000, period=1000, lateness=500, grace=3000, pace=10),
    "overlapping updates": dict(trigger="event", length=2000, period=1000, lateness=500, grace=2000, pace=10),
    "clock": dict(trigger="clock", length=400, period=400, lateness=300, grace=0, pace=None),
    "overlapping clock": dict(trigger="clock", length=600, period=200, lateness=900, grace=0, pace=None),
    "clock updates": dict(trigger="clock", length=300, period=300, lateness=200, grace=900, pace=None),
}


def instant(text):
    """Nanoseconds of an RFC 3339 instant in UTC."""
    match = re.fullmatch(r"(\d+-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?Z", text)
    whole = datetime.datetime.fromisoformat(match[1] + "+00:00")
    return int(whole.timestamp()) * NANOS + int((match[2] or "").ljust(9, "0"))


def nanos(decimal_text):
    return int(decimal.Decimal(str(decimal_text)) * NANOS)


# How the first bytes of a file say which generation it is.
GENERATION = r" g(\d+) "


class Generation:
    """The content of one file over its life."""

    def __init__(self, number, path):
        self.number, self.path = number, path
        self.data = bytearray()
        # Of each whole line: where it ends, its stamp, its pair, and whether it comes too late to count; nothing of one
        # that is no record.
        self.ends, self.lines = [], []
        self.columns = []
        self.highest = None
        # No run may find it again; a compressed copy of all of it may be there.
        self.is_gone, self.is_compressed = False, False


class Wrong(Exception):
    pass


class Loop:
    def __init__(self, program, kind, seed, folder, form):
        self.program, self.kind, self.folder, self.form = program, kind, folder, form
        self.random = random.Random(seed)
        self.__dict__.update({key: value * MILLI if isinstance(value, int) else value for key, value in KINDS[kind].items()})
        self.pane = math.gcd(self.length, self.period)
        self.logs = os.path.join(folder, "logs")
        os.makedirs(self.logs)
        os.makedirs(os.path.join(folder, "elsewhere"))
        self.generations, self.stamp = [], 1_700_000_000 * NANOS
        # What is counted: panes, positions by generation, late lines and those between windows.
        self.panes = collections.defaultdict(collections.Counter)
        self.positions, self.late, self.outside, self.lines, self.other = {}, 0, 0, 0, 0
        self.is_hurried = False
        # Results are told apart by their line in the file: how many there were when the run began, and those that a run
        # issued which did not live to save that.
        self.before, self.unsaved = 0, set()
        self.begin()

    # The writer.

    def begin(self):
        generation = Generation(len(self.generations), os.path.join(self.logs, "log"))
        self.generations.append(generation)
        with open(generation.path, "xb") as log:
            if self.form == "zeek":
                log.write(self.header(generation))

    def header(self, generation):
        """What a log of Zeek begins with, and which generation it is."""
        generation.columns = self.random.sample(COLUMNS, len(COLUMNS))
        lines = ["#separator \\x09", "# g%d " % generation.number, "#path\tconn", "\t".join(["#fields"] + generation.columns)]
        for line in lines:
            self.known(generation, line.encode() + b"\n", None)
        return bytes(generation.data)

    def known(self, generation, text, what):
        """Takes in a line before it is written: nothing may be counted that is not known here."""
        generation.data += text
        generation.ends.append(len(generation.data))
        generation.lines.append(what)

    def covers(self, stamp):
        return self.length >= self.period or stamp % self.period < self.length

    def line(self, generation):
        if self.pace is None:
            now = time.time_ns()
            self.stamp = max(self.stamp + 1000, now)
        else:
            self.stamp += self.random.randrange(2 * self.pace)
        stamp, is_late = self.stamp, False
        if len(generation.lines) > 50 and self.random.random() < 0.2:
            behind = self.random.randrange(100)
            if behind < 90:
                # Within the disorder that was declared, or within what results are issued again for.
                stamp -= self.random.randrange((self.lateness + self.grace) * 9 // 10 + 1)
            elif behind < 93:
                stamp -= self.lateness + self.grace + 60 * NANOS
                is_late = True
        if is_late and not self.covers(stamp):
            stamp, is_late = self.stamp, False
        # Stamps of one file differ, and the first line names the generation.
        source = "g%d" % generation.number if not generation.lines else "s%d" % self.random.randrange(SOURCES)
        server = "d%d" % self.random.randrange(SERVERS)
        if self.form == "zeek":
            values = {"ts": "%d.%09d" % divmod(stamp, NANOS), "id.orig_h": source, "id.resp_h": server, "proto": "tcp"}
            text = "\t".join(values.get(column, "-") for column in generation.columns).encode() + b"\n"
        else:
            text = b"%d %s %s\n" % (stamp, source.encode(), server.encode())
        self.known(generation, text, (stamp, (source, server), is_late))
        return text

    def write(self, lines):
        generation = self.generations[-1]
        text = b"".join(self.line(generation) for _ in range(lines))
        with open(generation.path, "ab") as log:
            log.write(text)

    def rotate(self):
        generation = self.generations[-1]
        to = os.path.join(self.logs, "log.%d" % generation.number)
        os.rename(generation.path, to)
        generation.path = to
        self.begin()

    def change_while_stopped(self):
        """What becomes of logs while nobody looks."""
        what = self.random.randrange(12)
        self.write(self.random.randrange(40))
        if what < 2:
            self.rotate()
            return
        if what > 4:
            return
        # With a file of its own, so that what is lost of it is known.
        self.rotate()
        here = [generation for generation in self.generations[:-1] if not generation.is_gone]
        generation = self.random.choice(here[-3:])
        generation.is_gone = True
        if what == 2:
            os.remove(generation.path)
        elif what == 3:
            shutil.move(generation.path, os.path.join(self.folder, "elsewhere"))
        else:
            with open(generation.path, "rb") as log, gzip.open(generation.path + ".gz", "wb") as packed:
                packed.write(log.read())
            os.remove(generation.path)
            generation.is_compressed = True

    # The program.

    def start(self):
        seconds = lambda length: "%dms" % (length // MILLI)
        # A clock that goes with the stamps needs them near the present.
        keys = [
            "top", "logs/log*", "--follow", "--since", "1970-01-01T00:00:00Z", "--seconds", seconds(self.length),
            "--every", seconds(self.period), "--lateness", seconds(self.lateness), "--late-updates", seconds(self.grace),
            "--trigger", self.trigger, "--state", "state", "--checkpoint", "60ms", "--idle", "10m", "--align", "epoch",
            "--unit", "ns", "--output", "json:results",
        ]
        # The command line has neither the pairs nor the wait.
        reports = 'reports = [{ name = "top-pairs", limit = 1000000 }]\nrotate-wait = "200ms"\n'
        config = "".join(reports)
        with open(os.path.join(self.folder, "run.toml"), "w") as file:
            file.write('location = "logs/log*"\nfollow = true\nsince = "1970-01-01T00:00:00Z"\nalign = "epoch"\n')
            file.write('unit = "ns"\n' if self.form == "plain" else "")
            file.write('state = "state"\ncheckpoint = "60ms"\nidle = "10m"\noutputs = ["json:results"]\n')
            file.write('seconds = "%s"\nevery = "%s"\n' % (keys[6], keys[8]))
            file.write('lateness = "%s"\nlate-updates = "%s"\ntrigger = "%s"\n' % (keys[10], keys[12], self.trigger))
            file.write('grouping-seconds = "%s"\n' % seconds(self.pane))
            file.write(config)
        said = open(os.path.join(self.folder, "said"), "ab")
        command = [self.program, "run", "run.toml"]
        return subprocess.Popen(command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=said, stderr=said)

    def said(self):
        with open(os.path.join(self.folder, "said"), errors="replace") as file:
            return file.read()

    def state(self):
        command = [self.program, "state", "show", "--state", "state", "--output", "json", "--pairs"]
        shown = subprocess.run(command, cwd=self.folder, capture_output=True, text=True)
        if shown.returncode != 0 and not os.path.exists(os.path.join(self.folder, "state")):
            return None
        if shown.returncode != 0:
            raise Wrong("state show: " + shown.stderr)
        whole = json.loads(shown.stdout)
        if whole["problem"] is not None or whole["warning"] is not None:
            raise Wrong("state show: %s, %s" % (whole["problem"], whole["warning"]))
        return whole.get("contents")

    def results(self):
        """By window: all results that were ever issued, each with its line in the file and its revision."""
        every = collections.defaultdict(list)
        for at, line in enumerate(self.result_lines()):
            try:
                result = json.loads(line)
            except ValueError:
                # The power may be cut in the middle of one.
                continue
            window = result["window"]
            if not result["reports"]:
                continue
            start = instant(window["start"])
            pairs = collections.Counter({(row[0], row[1]): row[2] for row in result["reports"][0]["rows"]})
            every[start].append((at, window.get("revision", 0), pairs))
        return every

    def result_lines(self):
        try:
            with open(os.path.join(self.folder, "results")) as file:
                return file.readlines()
        except FileNotFoundError:
            return []

    def note_unsaved(self, windows):
        """Notes what a run that was killed has issued and not saved: it comes again, unless its lines are gone by then."""
        next_end = windows and windows["next_end"] and instant(windows["next_end"])
        revisions = {instant(issued["end"]): issued["revision"] for issued in windows["issued"]} if windows else {}
        for start, issued in self.results().items():
            end = start + self.length
            # What is closed and no longer noted is final.
            last = math.inf if next_end and end < next_end else -1
            last = revisions.get(end, last)
            self.unsaved |= {at for at, revision, _ in issued if at >= self.before and revision > last}

    # The oracle.

    def move(self, generation, position):
        """Counts a generation up to a byte, on or back."""
        before = self.positions.get(generation.number, 0)
        self.positions[generation.number] = position
        if position != 0 and generation.data[position - 1 : position] != b"\n":
            raise Wrong("byte %d of %s is in the middle of a line" % (position, generation.path))
        sign = 1 if position >= before else -1
        first, end = (bisect.bisect_right(generation.ends, at) for at in sorted((before, position)))
        for what in generation.lines[first:end]:
            self.lines += sign
            if what is None:
                self.other += sign
                continue
            stamp, pair, is_late = what
            if is_late:
                self.late += sign
            elif not self.covers(stamp):
                self.outside += sign
            else:
                self.panes[stamp // self.pane * self.pane][pair] += sign

    def count_history(self, read):
        """Counts the logs that were compressed before anything was known of them. They are read to their ends once, as
        history, and the first state has no more of them than their bytes: so many were read in all."""
        missing = read - sum(self.positions.values())
        packed = [one for one in self.generations if one.is_compressed and not self.positions.get(one.number)]
        for number in range(1, len(packed) + 1):
            for some in itertools.combinations(packed, number):
                if sum(len(one.data) for one in some) == missing:
                    for one in some:
                        self.move(one, len(one.data))
                    return

    def window(self, start):
        """What a window holds."""
        held = collections.Counter()
        for pane in range(start, start + self.length, self.pane):
            if pane in self.panes:
                held.update(self.panes[pane])
        return +held

    def check(self, is_whole):
        state = self.state()
        if not is_whole:
            self.note_unsaved(state and state["windows"])
        self.before = len(self.result_lines())
        if state is None:
            return False
        is_first = not self.positions
        for saved in state["inputs"]:
            # Of a file that was never read into, nothing is known but that.
            first = re.search(GENERATION, saved["start"])
            if first:
                self.move(self.generations[int(first[1])], saved["position"])
            elif saved["position"] != 0:
                raise Wrong("an input that nobody wrote: %s" % saved)
        balance = state["balance"]
        if is_first:
            self.count_history(balance["bytes_read"])
        read = sum(self.positions.values())
        self.same("bytes read", balance["bytes_read"], read)
        self.same("lines", balance["lines_read"], self.lines)
        self.same("lines that are no records", balance.get("other", 0), self.other)
        # A file that is found late may be behind what has closed: that is told, too.
        closed_before = balance["late"] - self.late
        if closed_before < 0:
            raise Wrong("%d lines late in place of %d" % (balance["late"], self.late))
        counted = sum(sum(pane.values()) for pane in self.panes.values())
        self.same("counted", balance["counted"] + closed_before, counted)
        verified = subprocess.run([self.program, "state", "verify", "--state", "state"], cwd=self.folder, capture_output=True, text=True)
        if verified.returncode != 0:
            raise Wrong("state verify: " + verified.stdout + verified.stderr)
        if closed_before == 0:
            self.check_windows(state, is_whole)
        return True

    def check_windows(self, state, is_whole):
        windows = state["windows"]
        next_end = windows["next_end"] and instant(windows["next_end"])
        stamps = [pane for pane in self.panes if +self.panes[pane]]
        if not stamps:
            return
        again = {instant(end) - self.length for end in windows["again"]}
        if not is_whole and self.grace:
            # What has changed since a window was issued is issued once a second.
            again |= {instant(issued["end"]) - self.length for issued in windows["issued"]}
        every = self.results()
        # A later one takes the place of an earlier one.
        last = {}
        for start, issued in every.items():
            saved = [pairs for at, _, pairs in issued if at not in self.unsaved]
            if saved:
                last[start] = saved[-1]
        # So does what comes late and is in a window before the first that was issued.
        begun = min(every, default=None)
        # The first window that ends after the lowest record, up to the one that ends after the highest.
        ends = lambda stamp: ((stamp - self.length) // self.period + 1) * self.period
        start, highest = ends(min(stamps)), ends(max(stamps))
        there = {nanos(pane["start"]) for pane in state["overflows"]}
        open_panes = collections.defaultdict(collections.Counter)
        for pane, source, server, count in state["pairs"]:
            open_panes[nanos(pane)][source, server] += count
        shown = {instant(window["end"]) - self.length: window["connections"] for window in windows["open"]}
        while start <= highest:
            held, is_closed = self.window(start), next_end is not None and start + self.length < next_end
            # A run that ends of its own accord leaves nothing behind that is in no result.
            is_issued = is_closed or is_whole
            if is_whole and start in again and not self.is_hurried:
                raise Wrong("window %d is to come again after a stop that was not hurried" % start)
            is_before = not is_whole and self.grace and (begun is None or start < begun)
            if is_issued and start not in again and not is_before:
                if is_whole:
                    found = [last[start]] if start in last else []
                else:
                    # What was issued since the state was saved comes again.
                    found = [pairs for _, _, pairs in every.get(start, [])]
                if held not in found and (held or found or (is_closed and self.trigger == "event")):
                    sums = [sum(pairs.values()) for pairs in found]
                    raise Wrong("window %d holds %d connections, issued are %s" % (start, sum(held.values()), sums))
            if not is_closed:
                self.same("window %d in the state" % start, shown.get(start, 0), sum(held.values()))
                for pane in range(start, start + self.length, self.pane):
                    if open_panes[pane] != +self.panes.get(pane, collections.Counter()):
                        raise Wrong("pane %d of an open window: %s in the state, %s written" % (pane, open_panes[pane], self.panes.get(pane)))
            start += self.period
        strange = [start for start in last if last[start] and not self.window(start) and start <= highest]
        if is_whole and strange:
            raise Wrong("windows that hold nothing were issued with something: %s" % strange)

    def same(self, what, found, right):
        if found != right:
            raise Wrong("%s: %s, right is %s" % (what, found, right))

    # The loop.

    def run(self, stops):
        states = 0
        for stop in range(stops):
            running = self.start()
            until = time.monotonic() + self.random.choice([0.05, 0.3, 0.7]) * self.random.random()
            while time.monotonic() < until:
                self.write(self.random.randrange(1, 30))
                if self.random.random() < 0.03:
                    self.rotate()
                if self.random.random() < 0.02:
                    running.send_signal(signal.SIGSTOP)
                    time.sleep(self.random.random() * 0.2)
                    running.send_signal(signal.SIGCONT)
                time.sleep(0.02 * self.random.random())
            how = self.random.choice([signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
            if running.poll() is not None:
                raise Wrong("it has ended by itself with %s" % running.returncode)
            is_ready = os.path.exists(os.path.join(self.folder, "results"))
            is_whole = self.end(running, how)
            states += self.check(is_whole and is_ready)
            if self.random.random() < 0.5:
                self.change_while_stopped()
        self.last_run()
        return states

    def end(self, running, how):
        """Whether it ended of its own accord."""
        asked = time.monotonic()
        running.send_signal(how)
        code = running.wait(timeout=60)
        # On a machine under load, results may not be written for so long: then they come once more.
        self.is_hurried = time.monotonic() - asked > PATIENCE
        if how == signal.SIGKILL:
            return False
        # Before it listens for signals, they end it.
        if code not in (0, -how):
            raise Wrong("exit code %s" % code)
        return code == 0

    def last_run(self):
        """All that can be read is counted in the end, and what cannot is told."""
        self.write(20)
        running = self.start()
        here = sum(len(generation.data) for generation in self.generations if not generation.is_gone)
        began = time.monotonic()
        # So long that what is gone is given up.
        gone = 4 if any(generation.is_gone for generation in self.generations) else 0
        while True:
            time.sleep(0.2)
            state = self.state()
            at = {}
            for saved in state["inputs"] if state else []:
                first = re.search(GENERATION, saved["start"])
                if first:
                    at[int(first[1])] = saved["position"]
            counted = sum(at.get(g.number, 0) for g in self.generations if not g.is_gone)
            if counted == here and time.monotonic() > began + gone:
                break
            if time.monotonic() > began + 60:
                raise Wrong("%d bytes are counted of %d that are there" % (counted, here))
        if not self.end(running, signal.SIGTERM):
            raise Wrong("the last run did not end of its own accord")
        self.check(True)
        said = self.said()
        for generation in self.generations:
            unread = len(generation.data) - self.positions.get(generation.number, 0)
            if unread and not generation.is_gone:
                raise Wrong("%d bytes of %s are not counted" % (unread, generation.path))
            # Of what no run ever saw, none can tell.
            if unread and generation.number in self.positions and not self.is_told(generation, said):
                raise Wrong("%d bytes of generation %d are lost without a word" % (unread, generation.number))
            # Of what is counted to the end that its copy shows, nothing is.
            if generation.is_compressed and not unread and self.is_told(generation, said):
                raise Wrong("generation %d is told to be lost behind its end" % generation.number)

    def is_told(self, generation, said):
        names = [re.escape("logs/log.%d" % generation.number) + ":", "logs/log:"]
        position = self.positions[generation.number]
        if any(re.search("%s .*bytes? %d\\b.*lost" % (name, position), said) for name in names):
            return True
        # A compressed copy has them, and what counts them is said.
        for name in names:
            for found in re.finditer("%s .*: bytes (\\d+) to (\\d+) were not counted; count them with: (.*) \\| logparser -$" % name, said, re.M):
                if (int(found[1]), int(found[2])) == (position, len(generation.data)):
                    rest = subprocess.run(found[3], shell=True, cwd=self.folder, capture_output=True).stdout
                    if self.form == "zeek":
                        rest = rest.removeprefix("\t".join(["#fields"] + generation.columns).encode() + b"\n")
                    if rest == generation.data[position:]:
                        return True
        return False


def one(arguments):
    program, kind, seed, stops, form = arguments
    folder = tempfile.mkdtemp(prefix="stops-")
    loop = Loop(program, kind, seed, folder, form)
    try:
        states = loop.run(stops)
    except (Wrong, subprocess.TimeoutExpired) as error:
        said = "\n".join(line for line in loop.said().splitlines() if not line.startswith("  "))
        return kind, "%s, seed %d: %s\n%s\nleft in %s" % (kind, seed, error, said[-2000:], folder)
    shutil.rmtree(folder)
    summary = "%d stops, %d states, %d files, %d lines" % (stops + 1, states, len(loop.generations), loop.lines)
    return kind, summary


def main():
    # A shell has what it starts in the background ignore interrupts, and that is handed on: a run that does not listen for
    # signals yet would miss one.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--stops", type=int, default=45, help="stops of all loops together")
    parser.add_argument("--loops", type=int, default=len(KINDS), help="loops, each of a kind in turn")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 10**6)
    parser.add_argument("--only", choices=KINDS, help="loops of this kind only")
    parser.add_argument("--lines", choices=["plain", "zeek"], default="plain", help="the form of the logs")
    parser.add_argument("--jobs", type=int, default=9, help="loops at the same time: they sleep most of the time")
    options = parser.parse_args()
    kinds = [options.only] if options.only else list(KINDS)
    print("stops.py --seed %d" % options.seed, flush=True)
    each = max(1, -(-options.stops // options.loops))
    program = os.path.abspath(options.program)
    tasks = [(program, kinds[at % len(kinds)], options.seed + at, each, options.lines) for at in range(options.loops)]
    failed = False
    with multiprocessing.Pool(min(options.jobs, len(tasks))) as pool:
        for task, (kind, text) in zip(tasks, pool.imap(one, tasks)):
            is_wrong = text is not None and "seed" in text
            failed |= is_wrong
            print("WRONG: " + text if is_wrong else "%s: %s: exact" % (kind, text), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
