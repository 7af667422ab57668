"""What a user sees on stderr: messages, warnings and a progress bar."""

from __future__ import annotations

import sys

from logparser_dask.job import Progress

WIDTH = 40


def say(message: str) -> None:
    """Print one line to stderr."""
    print(f"logparser-dask: {message}", file=sys.stderr, flush=True)


class Bar(Progress):
    """A bar on a terminal, and nothing in a pipe; warnings in any case."""

    def __init__(self, quiet: bool) -> None:
        self.drawn = False
        self.shown = not quiet and sys.stderr.isatty()

    def warn(self, message: str) -> None:
        """Print a warning, in place of the bar."""
        self.end()
        say(f"warning: {message}")

    def step(self, done: int, total: int) -> None:
        """Draw the bar anew."""
        if self.shown:
            share = done / total if total else 1.0
            full = int(WIDTH * share)
            sys.stderr.write(f"\r[{'#' * full}{' ' * (WIDTH - full)}] {share:4.0%}")
            sys.stderr.flush()
            self.drawn = True

    def end(self) -> None:
        """Wipe the bar away."""
        if self.drawn:
            sys.stderr.write("\r" + " " * (WIDTH + 8) + "\r")
            sys.stderr.flush()
            self.drawn = False
