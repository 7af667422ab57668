"""The functions that run on workers. Each is one run of the program, and raises WorkerError."""

from __future__ import annotations

import asyncio
import json
import socket
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from distributed import Worker, get_worker

from logparser_dask import binary
from logparser_dask.errors import USAGE, LogparserError, WorkerError
from logparser_dask.listing import Listing, Planner, Seen, check
from logparser_dask.version import __version__

Facts = dict[str, Any]


class Part(NamedTuple):
    """The tallies of some part of the input, and what `logparser inspect` says of them."""

    tallies: bytes
    facts: Facts


class Versions(NamedTuple):
    """What a worker must have: that of the client."""

    program: str
    package: str


def versions() -> Versions:
    """Return the versions of this machine."""
    return Versions(binary.version(), __version__)


def plan(args: Sequence[str], expected: Versions) -> tuple[Facts, list[str], Planner]:
    """Plan a question where the logs are; returns the plan, warnings and the worker."""
    worker = get_worker()
    with _named(expected, worker):
        output = binary.run(["plan", *args])
        return json.loads(output.stdout), output.warnings, Planner(worker.address, _place(worker))


async def sees(listing: Listing, expected: Versions, dask_worker: Worker) -> Seen:
    """Refuse a worker that does not see the files of the plan. It goes on answering meanwhile."""

    def look() -> Seen:
        with _named(expected, dask_worker):
            return Seen(_place(dask_worker), check(listing, dask_worker.address))

    return await asyncio.to_thread(look)


def hold(listing: Listing) -> Listing:
    """Return it: as a task, so that each worker fetches it once, and Dask makes it again if it is lost."""
    return listing


def count(args: Sequence[str], listing: Listing, expected: Versions) -> Part:
    """Count one range of one input; `args` are those that the plan gives."""
    with _named(expected, get_worker()), _scratch() as folder:
        # A worker that has joined late was not asked before.
        check(listing, get_worker().address)
        path = folder / "part"
        # The options go before the locations, which may follow a `--`.
        binary.run([args[0], "--output", str(path), *args[1:]])
        return Part(path.read_bytes(), inspect(path))


def merge(parts: Sequence[Part], expected: Versions) -> Part:
    """Merge some parts into one."""
    with _named(expected, get_worker()), _scratch() as folder:
        paths = [folder / str(number) for number in range(len(parts))]
        for path, part in zip(paths, parts, strict=True):
            path.write_bytes(part.tallies)
        merged = folder / "merged"
        binary.run(["merge", "--output", str(merged), *map(str, paths)])
        return Part(merged.read_bytes(), {})


def facts_of(part: Part) -> Facts:
    """Return the facts alone, so that a client can have them without the tallies."""
    return part.facts


def inspect(path: Path) -> Facts:
    """Verify a tallies file, and return what it says of itself."""
    facts: Facts = json.loads(binary.run(["inspect", str(path)]).stdout)
    return facts


@contextmanager
def _named(expected: Versions, worker: Worker) -> Iterator[None]:
    """Refuse other versions, and put the worker's name before errors."""
    try:
        here = versions()
        if here != expected:
            raise LogparserError(_difference(here, expected))
        yield
    except LogparserError as error:
        # Wrong options are no matter of this worker.
        where = "" if error.exit_code == USAGE else f"{_place(worker)}: "
        raise WorkerError(where + error.message, error.exit_code) from None
    except OSError as error:
        raise WorkerError(f"{_place(worker)}: {error.strerror}: {error.filename}") from None


def _difference(here: Versions, expected: Versions) -> str:
    """Say which version differs, and name both."""
    if here.program != expected.program:
        return f"logparser has version {here.program} here, but {expected.program} at the client"
    return f"logparser-dask has version {here.package} here, but {expected.package} at the client"


def _place(worker: Worker) -> str:
    """Name a worker that runs here, and its machine."""
    name = "" if str(worker.name) == worker.address else f" {worker.name}"
    return f"worker{name} at {worker.address} on {socket.gethostname()}"


@contextmanager
def _scratch() -> Iterator[Path]:
    """Give a folder that Dask clears away even if this worker is killed."""
    with tempfile.TemporaryDirectory(prefix="logparser-", dir=get_worker().local_directory) as folder:
        yield Path(folder)
