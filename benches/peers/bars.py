"""What the program is held to: a row for each bar, with what was seen.

A bar is met or not by the median; the lowest and the highest round stand beside it, since a machine that is shared with
others changes from round to round.
"""

import dataclasses
import math
from typing import Callable

from programs import A_TENTH, ALL_INSIDE, HOURS, LAST_HOUR, SERVERS, SLIDING
from rounds import Spread, ratio

# Bytes that are read at a time, unless something else is asked for.
CHUNK = 512 << 10


@dataclasses.dataclass(frozen=True)
class Bar:
    what: str
    bar: float
    stretch: float
    unit: str
    seen: Callable
    # Whether what is lower is better.
    is_cost: bool = True

    def word(self, value):
        reached = lambda bar: value <= bar if self.is_cost else value >= bar
        return "stretch" if reached(self.stretch) else "yes" if reached(self.bar) else "no"

    def row(self, measured):
        """The cells of its row; None where what it needs was not measured."""
        try:
            seen = self.seen(measured)
        except KeyError:
            return None
        show = lambda value: f"{value:.{0 if value >= 100 else 1 if value >= 20 else 2}f}"
        spread = "" if seen.low == seen.high else f" ({show(seen.low)} to {show(seen.high)})"
        bars = [f"{bar:g}{self.unit}" for bar in (self.bar, self.stretch)]
        return [self.what, show(seen.median) + self.unit + spread, *bars, self.word(seen.median)]


@dataclasses.dataclass
class Measured:
    """All that was measured: by name of the logs, and what has nothing to do with them."""

    # taken[logs][tool, question, how]
    taken: dict = dataclasses.field(default_factory=dict)
    # Bytes of each file of the logs.
    sizes: dict = dataclasses.field(default_factory=dict)
    # (shape, outside or inside) -> instructions a line
    instructions: dict = dataclasses.field(default_factory=dict)
    # window -> the graph's processor time against that of one loop
    price: dict = dataclasses.field(default_factory=dict)
    # What follows has one value: lines a second.
    following: dict = dataclasses.field(default_factory=dict)


def against(logs, one, other):
    """How many times the seconds of `other` did `one` take."""
    return lambda measured: ratio(measured.taken[logs][one], measured.taken[logs][other])


def own(question, how=""):
    return ("logparser", question, how)


def peer(tool, question):
    return (tool, question, "")


def instructions(shape, window):
    return lambda measured: Spread.of([measured.instructions[shape, window]])


def memory(measured):
    taken = measured.taken["many"]
    return Spread.of([100 * taken[own(ALL_INSIDE)].peak / taken[peer("DuckDB", ALL_INSIDE)].peak])


def switches(measured):
    """Of both kinds, those that other programs on the machine bring about among them."""
    chunks = sum(math.ceil(size / CHUNK) for size in measured.sizes["few"])
    return Spread.of([count / chunks for count in measured.taken["few"][own(LAST_HOUR, "--scan full")].switches])


def ten_times(measured):
    taken = measured.taken["few"]
    values = ratio(taken[own(ALL_INSIDE)], taken[own(A_TENTH)])
    return Spread(values.median / 10, values.low / 10, values.high / 10)


def ten_times_memory(measured):
    taken = measured.taken["few"]
    return Spread.of([taken[own(ALL_INSIDE)].peak / taken[own(A_TENTH)].peak])


def table():
    full = own(LAST_HOUR, "--scan full")
    cost = lambda what, bar, stretch, seen, unit=" x": Bar(what, bar, stretch, unit, seen)
    gain = lambda what, bar, stretch, seen, unit=" x": Bar(what, bar, stretch, unit, seen, is_cost=False)
    price = lambda window: lambda measured: measured.price[window]
    threads = [own(ALL_INSIDE, how) for how in ("1 thread", "2 threads")]
    return [
        cost("instructions a line, outside the window", 58, 50, instructions("plain", "outside"), ""),
        cost("instructions a line, inside", 260, 200, instructions("plain", "inside"), ""),
        cost("instructions a line, qualified names and many pairs", 800, 600, instructions("many", "inside"), ""),
        cost("`--scan full`, last hour: seconds against `wc -l`", 1.2, 1.1, against("few", full, peer("wc", LAST_HOUR))),
        gain("last hour: quicker than Polars", 65, 80, against("few", peer("Polars", LAST_HOUR), own(LAST_HOUR))),
        gain("all inside: quicker than Polars", 5, 7, against("few", peer("Polars", ALL_INSIDE), own(ALL_INSIDE))),
        gain("all inside: quicker than DuckDB", 9, 12, against("few", peer("DuckDB", ALL_INSIDE), own(ALL_INSIDE))),
        gain("many hosts: quicker than DuckDB", 2.5, 4, against("many", peer("DuckDB", ALL_INSIDE), own(ALL_INSIDE))),
        cost("many hosts: peak memory against DuckDB", 20, 12, memory, " %"),
        gain("names of 25 to 60 bytes: quicker than Polars", 4, 6,
             against("long", peer("Polars", ALL_INSIDE), own(ALL_INSIDE))),
        cost("`--every 1h`: seconds against one window over all", 1.15, 1.05, against("few", own(HOURS), own(SERVERS))),
        gain("`--every 1h`: quicker than Polars", 4, 6, against("few", peer("Polars", HOURS), own(HOURS))),
        gain("`--every 1h`: quicker than DuckDB", 6, 9, against("few", peer("DuckDB", HOURS), own(HOURS))),
        cost("`--every 5m --seconds 1h`: seconds against `--every 1h`", 1.1, 1.05, against("few", own(SLIDING), own(HOURS))),
        cost("the same with many hosts: seconds against `--every 1h`", 1.4, 1.2, against("many", own(SLIDING), own(HOURS))),
        cost("the graph against one loop, processor time, last hour", 1.1, 1.05,
             price("last hour of a day, everything read")),
        cost("the graph against one loop, processor time, all inside", 1.1, 1.05, price("all inside the window")),
        cost("context switches a chunk, `--scan full`", 1, 0.3, switches, ""),
        gain("following 20 files: million lines a second", 3, 5, lambda measured: measured.following["rate"], ""),
        gain("all inside: two threads against one", 1.85, 1.95, against("few", *threads)),
        cost("ten times the lines: time of a line", 1.05, 1, ten_times),
        cost("ten times the lines: peak memory", 1.05, 1, ten_times_memory),
    ]
