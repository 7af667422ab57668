"""Whether a worker sees the files of a plan: asked once a worker and job, however many tasks it gets."""

from __future__ import annotations

import json
import zlib
from collections import OrderedDict
from threading import Lock
from typing import Any, NamedTuple

from logparser_dask import binary
from logparser_dask.errors import LogparserError

KEPT = 64
"""Jobs and workers of which a process remembers that they agree."""

NEEDED = ("schema", "version", "build", "locations")


class Listing(NamedTuple):
    """The files of a plan."""

    job: str
    planner: str
    """The worker that has planned."""
    plan: bytes
    """What `logparser list --plan` needs of the plan, compressed."""


def listing(job: str, planner: str, plan: dict[str, Any]) -> Listing:
    """Take the files out of a plan."""
    inputs = [{name: given[name] for name in ("path", "size", "head")} for given in plan["inputs"]]
    kept = {name: plan[name] for name in NEEDED} | {"inputs": inputs}
    return Listing(job, planner, zlib.compress(json.dumps(kept).encode()))


class _Agreed:
    """Who has been found to see the files of which job."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.turns: OrderedDict[tuple[str, str], Lock] = OrderedDict()
        self.known: set[tuple[str, str]] = set()

    def turn(self, key: tuple[str, str]) -> Lock:
        """Return what threads that ask the same wait for."""
        with self.lock:
            while len(self.turns) >= KEPT:
                self.known.discard(self.turns.popitem(last=False)[0])
            return self.turns.setdefault(key, Lock())


_agreed = _Agreed()


def check(listing: Listing, worker: str) -> None:
    """Raise LogparserError unless the worker at this address, which runs here, sees just those files."""
    key = (listing.job, worker)
    with _agreed.turn(key):
        if key in _agreed.known:
            return
        try:
            binary.run(["list", "--plan", "-"], zlib.decompress(listing.plan))
        except LogparserError as error:
            told = f"{error.message} (the plan was made on {listing.planner})"
            raise LogparserError(told, error.exit_code) from None
        _agreed.known.add(key)
