"""Whether a worker sees the files of a plan: asked once a worker and job, however many tasks it gets."""

from __future__ import annotations

import json
import zlib
from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock
from typing import Any, NamedTuple
from uuid import uuid4

from logparser_dask import binary
from logparser_dask.errors import LogparserError

KEPT = 64
"""Jobs and workers of which a process remembers that they agree."""

NEEDED = ("schema", "version", "build", "locations")


Sizes = dict[str, int]
"""Files by their path, in bytes."""


class Planner(NamedTuple):
    """The worker that has planned."""

    address: str
    place: str
    """Its name for people."""


class Listing(NamedTuple):
    """The files of a plan."""

    job: str
    planner: Planner
    plan: bytes
    """What `logparser list --plan` needs of the plan, compressed."""


def listing(job: str, planner: Planner, plan: dict[str, Any]) -> Listing:
    """Take the files out of a plan."""
    inputs = [{name: given[name] for name in ("path", "size", "head")} for given in plan["inputs"]]
    kept = {name: plan[name] for name in NEEDED} | {"inputs": inputs}
    return Listing(job, planner, zlib.compress(json.dumps(kept).encode()))


class Seen(NamedTuple):
    """What a worker sees of the files of a plan."""

    place: str
    longer: Sizes
    """Those that are longer than planned."""


def raised(files: Listing, seen: Sequence[Seen]) -> Listing:
    """Return what the planner must see, if others have seen files that are longer than planned.

    They have grown, and then it sees that too, or it has planned by an old state of them.
    """
    plan = json.loads(zlib.decompress(files.plan))
    for given in plan["inputs"]:
        given["size"] = max([given["size"], *(found.longer.get(given["path"], 0) for found in seen)])
    most = max(seen, key=lambda found: sum(found.longer.values()))
    planner = files.planner._replace(place=f"{files.planner.place}, and {most.place} sees more")
    return Listing(uuid4().hex, planner, zlib.compress(json.dumps(plan).encode()))


class _Agreed:
    """Who has been found to see the files of which job."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.turns: OrderedDict[tuple[str, str], Lock] = OrderedDict()
        self.known: dict[tuple[str, str], Sizes] = {}

    def turn(self, key: tuple[str, str]) -> Lock:
        """Return what threads that ask the same wait for."""
        with self.lock:
            while len(self.turns) >= KEPT:
                self.known.pop(self.turns.popitem(last=False)[0], None)
            return self.turns.setdefault(key, Lock())


_agreed = _Agreed()


def check(listing: Listing, worker: str) -> Sizes:
    """Raise LogparserError unless the worker at this address, which runs here, sees just those files.

    Returns those that were longer there than planned when it was asked first.
    """
    key = (listing.job, worker)
    with _agreed.turn(key):
        if key in _agreed.known:
            return _agreed.known[key]
        try:
            output = binary.run(["list", "--plan", "-"], zlib.decompress(listing.plan))
        except LogparserError as error:
            told = f"{error.message} (the plan was made on {listing.planner.place})"
            raise LogparserError(told, error.exit_code) from None
        longer = {given["path"]: given["size"] for given in json.loads(output.stdout)["inputs"]}
        _agreed.known[key] = longer
        return longer
