#!/usr/bin/env python3
"""Measures following: latency, lines a second, the processor when idle, and what saving a state of ten million pairs costs.

    cargo build --release && benches/live.py [--pairs N] [--seconds N] [PROGRAM]

Python's standard library is all that it needs. Latency is that of results: windows of 100 ms close when each of 20 files
has a line behind them, so it is the time from the write that let a window close until its result is read from the
program's output. That is more than the time until a record is counted: looking whether windows are due, the report
and the pipe are in it.
"""
import argparse
import json
import os
import shutil
import subprocess
import tempfile
import threading
import time

FILES = 20
RATE = 50_000
WINDOW = 0.1
# Time between two writes to each file.
BEAT = 0.01


def config(folder, **more):
    keys = {
        "location": "logs/*.log", "seconds": "100ms", "every": "100ms", "grouping-seconds": "100ms", "align": "epoch",
        "since": "1970-01-01T00:00:00Z", "lateness": "0", "state": "state", "checkpoint": "1h", "unit": "ns", **more,
    }
    lines = [f"{key} = {json.dumps(value)}" for key, value in keys.items()]
    lines += ["follow = true", 'outputs = ["json"]', 'reports = [{ name = "top-servers", limit = 1 }]']
    with open(os.path.join(folder, "pipeline.toml"), "w") as file:
        file.write("\n".join(lines) + "\n")


class Program:
    """The program at work, with the time at which each result was read."""

    def __init__(self, program, folder, window=WINDOW):
        self.results, self.window, self.counted = {}, window, 0
        self.process = subprocess.Popen([program, "run", "pipeline.toml", "--quiet"], cwd=folder,
                                        stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            came = time.time()
            result = json.loads(line)
            window, self.counted = result["window"], result["balance"]["counted"]
            if not window.get("provisional"):
                self.results.setdefault(round(float(window["end_unix"]) / self.window), came)

    def cpu(self):
        with open(f"/proc/{self.process.pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def rss(self):
        with open(f"/proc/{self.process.pid}/status") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmRSS:")) / 1024

    def end(self):
        self.process.terminate()
        code = self.process.wait(30)
        self.reader.join()
        assert code == 0, f"exit code {code}"


def write(folder, seconds, watch=None):
    """Writes at full rate; the time at which each window could close."""
    files = [open(f"{folder}/logs/{number:02}.log", "ab", buffering=0) for number in range(FILES)]
    each = int(RATE * BEAT / FILES)
    closed, window, start, beat = {}, None, time.time(), 0
    while time.time() - start < seconds:
        stamp = time.time_ns()
        for number, file in enumerate(files):
            file.write(b"".join(b"%d src%d dst%d\n" % (stamp, number, k % 7) for k in range(each)))
        done, now = time.time(), int(stamp / 1e9 / WINDOW)
        # The window that ends at the number n ends at n * WINDOW.
        if window is not None and now > window:
            closed[now] = done
        window = now
        if watch:
            watch()
        beat += 1
        time.sleep(max(0.0, start + beat * BEAT - time.time()))
    return closed


def quantiles(values):
    values = sorted(values)
    at = lambda share: values[min(len(values) - 1, int(len(values) * share))] * 1000
    return f"p50 {at(.5):.0f} ms, p99 {at(.99):.0f} ms, highest {values[-1] * 1000:.0f} ms, of {len(values)}"


def row(name, value, aim):
    print(f"{name:<44} {value:<52} {aim}", flush=True)


def folder():
    path = tempfile.mkdtemp(prefix="live-")
    os.mkdir(f"{path}/logs")
    return path


def latency(program, seconds):
    path = folder()
    config(path, checkpoint="1s")
    running = Program(program, path)
    cpu = running.cpu()
    closed = write(path, seconds)
    cpu = (running.cpu() - cpu) / seconds
    time.sleep(0.5)
    running.end()
    # While it starts, files come one by one.
    late = sorted(closed)[10:]
    missing = [end for end in late if end not in running.results]
    values = [running.results[end] - closed[end] for end in late if end in running.results]
    row(f"latency of results, {RATE} lines/s, {FILES} files", quantiles(values), "p99 <= 100 ms")
    if len(missing) > 1:
        row("  windows without a result", str(len(missing)), "0")
    row("  processor under that load", f"{cpu * 100:.0f} % of a core", "")
    shutil.rmtree(path)


def sustained(program, seconds=60, ahead=4):
    """Lines a second that are counted while all files grow, by 4 KiB at a time, as fast as they are counted.

    So many seconds of the stamps are written, half a million lines each; the writer is ahead by so many of them at most.
    The time is that from the first write until the result of the last second was read.
    """
    path, lines = folder(), 25_000
    config(path, seconds="1s", every="1s", unit="s", checkpoint="5s", **{"grouping-seconds": "1s"})
    files = [open(f"{path}/logs/{number:02}.log", "ab", buffering=0) for number in range(FILES)]
    # Files with the same lines would be one file under two names.
    text_from = lambda first: b"".join(b"@ src%d dst%d\n" % (k * k % 56, k % 26) for k in range(first, first + lines))
    texts = [text_from(number) for number in range(FILES)]
    first = int(time.time()) - 2 * seconds
    for number, file in enumerate(files):
        file.write(b"%d a file%d\n" % (first, number))
    running = Program(program, path, window=1)

    def wait(end):
        while end not in running.results:
            assert running.process.poll() is None, "it has ended"
            time.sleep(0.001)

    # It has found all files.
    time.sleep(2)
    started = time.time()
    for second in range(first, first + seconds):
        if second - first >= ahead:
            wait(second - ahead + 1)
        stamped = [text.replace(b"@", b"%d" % second) for text in texts]
        for at in range(0, max(map(len, stamped)), 4096):
            for file, text in zip(files, stamped):
                file.write(text[at:at + 4096])
    # What closes the last window.
    for file in files:
        file.write(b"%d a b\n" % (first + seconds))
    wait(first + seconds)
    running.end()
    written = seconds * lines * FILES
    assert running.counted >= written, f"{running.counted} lines counted, {written} written"
    shutil.rmtree(path)
    return written / (running.results[first + seconds] - started)


def throughput(program):
    rates = sorted(sustained(program) / 1e6 for _ in range(3))
    seen = f"{rates[1]:.1f} million ({rates[0]:.1f} to {rates[2]:.1f})"
    row(f"lines a second, {FILES} files that grow", seen, "3 million")


def idle(program, files, seconds=10):
    path = folder()
    config(path)
    for number in range(files):
        with open(f"{path}/logs/{number:04}.log", "w") as file:
            file.write(f"{time.time_ns()} a b\n")
    running = Program(program, path)
    time.sleep(3)
    before = running.cpu()
    time.sleep(seconds)
    share = (running.cpu() - before) / seconds * 100
    running.end()
    row(f"idle, {files} silent files", f"{share:.2f} % of a core", "< 1 %")
    shutil.rmtree(path)


def checkpoint(program, pairs, seconds):
    path = folder()
    # Late updates keep the window with all the pairs.
    config(path, checkpoint="2s", **{"late-updates": "1h"})
    stamp = int((time.time() - 60) // WINDOW * WINDOW * 1e9) + 1
    with open(f"{path}/logs/many.log", "w") as file:
        for first in range(0, pairs, 1000):
            file.write("".join(f"{stamp} src{first // 1000} dst{k}\n" for k in range(1000)))
    running = Program(program, path)
    state = f"{path}/state"
    started = time.time()
    # The first state that holds all pairs.
    while not any(os.path.exists(f"{state}/state.{k}") and os.path.getsize(f"{state}/state.{k}") > 5 * pairs
                  for k in (0, 1)):
        assert running.process.poll() is None and time.time() - started < 300
        time.sleep(0.1)
    # It holds windows back until it is drained.
    os.remove(f"{path}/logs/many.log")
    time.sleep(8)
    rss, saving = {True: [], False: []}, []

    def watch():
        now = any(name.startswith("state.tmp") for name in os.listdir(state))
        rss[now].append(running.rss())
        if now:
            saving.append(time.time())

    closed = write(path, seconds, watch)
    time.sleep(2)
    running.end()
    ends = [end for end in sorted(closed)[10:] if end in running.results]
    # When the first windows close, hosts are numbered anew: that is a stall of its own.
    first = [running.results[end] - closed[end] for end in ends[:30]]
    late = ends[30:]
    during = lambda end: any(closed[end] - 0.2 <= at <= running.results[end] + 0.2 for at in saving)
    parts = {True: [], False: []}
    for end in late:
        parts[during(end)].append(running.results[end] - closed[end])
    size = max(os.path.getsize(f"{state}/state.{k}") for k in (0, 1)) / 1e6
    row(f"a state of {pairs / 1e6:.0f} M pairs", f"{size:.0f} MB, saving {len(saving) * BEAT / seconds * 100:.0f} % of the time", "")
    row("  latency of results at first", quantiles(first), "")
    for now, name in ((False, "  latency of results between savings"), (True, "  latency while a state is saved")):
        row(name, quantiles(parts[now]) if parts[now] else "none seen", "stall <= 100 ms" if now else "")
    if rss[True] and rss[False]:
        before, peak = sorted(rss[False])[len(rss[False]) // 2], max(rss[True])
        row("  memory while a state is saved", f"{before:.0f} MB, at most {peak:.0f} MB: {(peak / before - 1) * 100:+.0f} %", "< +10 %")
    shutil.rmtree(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("program", nargs="?", default="target/release/logparser")
    parser.add_argument("--pairs", type=int, default=10_000_000)
    parser.add_argument("--seconds", type=float, default=20)
    args = parser.parse_args()
    program = os.path.abspath(args.program)
    row("measured", "value", "aim")
    latency(program, args.seconds)
    throughput(program)
    idle(program, 20)
    idle(program, 1000)
    checkpoint(program, args.pairs, 3 * args.seconds)


if __name__ == "__main__":
    main()
