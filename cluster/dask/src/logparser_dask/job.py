"""One question as a job on a cluster: plan, count each range, merge in a tree, check the control totals."""

from __future__ import annotations

import tempfile
import time
import warnings as python_warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

from distributed import Client, Future, as_completed
from distributed import TimeoutError as DaskTimeoutError

from logparser_dask import control, remote
from logparser_dask.errors import LogparserError, explain
from logparser_dask.listing import Listing, Seen, listing, raised
from logparser_dask.remote import Facts, Versions

FAN_IN = 8
"""How many parts one merge takes: what one worker must hold of parts at a time."""

PATIENCE = 10.0
"""Seconds after which a user is told that no worker is there."""

FULL = ("--scan", "full")


class Progress:
    """Is told how far a job is; this one keeps it to itself."""

    def warn(self, message: str) -> None:
        """Take a warning."""
        python_warnings.warn(message, stacklevel=2)

    def step(self, done: int, total: int) -> None:
        """Take the number of bytes that are done, of all."""

    def end(self) -> None:
        """Hear that the job has ended, well or not."""


class Result(NamedTuple):
    """The checked tallies of a whole question."""

    path: Path
    plan: Facts
    facts: Facts


@contextmanager
def counted(client: Client, question: Sequence[str], progress: Progress | None = None) -> Iterator[Result]:
    """Count on the cluster; gives a tallies file that is there within the `with`.

    `question` is what `logparser plan` takes. Raises LogparserError.
    """
    if client.asynchronous:
        raise TypeError("an asynchronous client cannot be waited for; make one without asynchronous=True")
    progress = progress or Progress()
    with tempfile.TemporaryDirectory(prefix="logparser-") as folder:
        path = Path(folder) / "tallies"
        result = _count(client, question, path, progress)
        if not result.facts["sorted"]:
            progress.warn("an input is not in the order that was declared, so all of it is read: --scan full")
            result = _count(client, [*FULL, *_without_scan(question)], path, progress)
        yield result


def _without_scan(question: Sequence[str]) -> list[str]:
    """Drop the question's own --scan, which cannot be given twice."""
    kept: list[str] = []
    words = iter(question)
    for word in words:
        if word == "--":
            return [*kept, word, *words]
        if word == "--scan":
            next(words, None)
        else:
            kept.append(word)
    return kept


def _count(client: Client, question: Sequence[str], path: Path, progress: Progress) -> Result:
    """Run one plan to its end, and write its tallies to `path`."""
    job = _Job(client, progress)
    try:
        plan, parts, tallies = job.run(question)
        path.write_bytes(tallies)
        facts = remote.inspect(path)
        control.check(plan, parts, facts)
        return Result(path, plan, facts)
    except LogparserError:
        raise
    except Exception as error:
        raise explain(error) from error
    finally:
        progress.end()
        job.cancel()


class _Job:
    """The futures of one plan, so that all can be cancelled together."""

    def __init__(self, client: Client, progress: Progress) -> None:
        self.client = client
        self.progress = progress
        self.versions: Versions = remote.versions()
        self.name = uuid4().hex
        self.futures: list[Future[Any]] = []
        self.looked: set[str] = set()
        """The workers that see the files of the plan."""

    def run(self, question: Sequence[str]) -> tuple[Facts, list[Facts], bytes]:
        """Return the plan, the facts of each part, and the merged tallies."""
        plan, files = self._plan(question)
        self._look(files)
        held = self._submit(remote.hold, files, name="list-0")
        parts = [
            self._submit(
                remote.count, _with_threads(task["args"]), held, self.versions, name=f"count-{number}"
            )
            for number, task in enumerate(plan["tasks"])
        ]
        if not parts:
            raise LogparserError("the plan has no tasks")
        facts = [
            self._submit(remote.facts_of, part, name=f"facts-{number}", priority=1)
            for number, part in enumerate(parts)
        ]
        whole = self._tree(parts)
        # From here only the facts and the whole are held: Dask drops each part once it is merged.
        self.futures = [*facts, whole]
        del parts, held
        gathered, merged = self._gather(facts, plan), whole.result()
        # Those that have joined meanwhile may know of more files, though they have had no task.
        self._look(files)
        return plan, gathered, merged.tallies

    def cancel(self) -> None:
        """Let go of everything, and stop what has not begun."""
        futures, self.futures = self.futures, []
        # A scheduler that is gone has nothing left to cancel.
        if futures and self.client.status == "running":
            self.client.cancel(futures, force=True)

    def _plan(self, question: Sequence[str]) -> tuple[Facts, Listing]:
        """Plan on some worker, as the logs are there; also says which files every worker must see."""
        self._find_package()
        future = self._submit(remote.plan, list(question), self.versions, name="plan-0")
        self.futures = [future]
        plan, warnings, planner = future.result()
        for warning in warnings:
            self.progress.warn(warning)
        return dict(plan), listing(self.name, planner, plan)

    def _look(self, files: Listing) -> None:
        """Ask all workers that were not asked before whether they see the plan's files, and no others."""
        while asked := sorted(addresses(self.client) - self.looked):
            seen = self._ask(files, asked)
            self.looked |= seen.keys()
            longer = {worker: found for worker, found in seen.items() if found.longer}
            longer.pop(files.planner.address, None)
            # What has grown has done so for the planner too, which is asked after the others.
            if longer and not self._ask(raised(files, list(longer.values())), [files.planner.address]):
                raise LogparserError("the worker that planned is gone, and files have grown: ask again")

    def _ask(self, files: Listing, workers: Sequence[str]) -> dict[str, Seen]:
        """Ask workers whether they see these files; returns what those say that are there."""
        end = time.monotonic() + PATIENCE
        while asked := [worker for worker in workers if worker in addresses(self.client)]:
            found = self.client.run(remote.sees, files, self.versions, workers=asked, on_error="return")
            lost = [error for error in found.values() if isinstance(error, BaseException)]
            for error in lost:
                # One that is gone does not matter any more; that it is may take a while to be known.
                if not isinstance(error, OSError) or time.monotonic() > end:
                    raise error
            if not lost:
                return dict(found)
            time.sleep(0.2)
        return {}

    def _find_package(self) -> None:
        """Look for this package on some worker: one that gets a task that it cannot load would die of it.

        Also says so if there is no worker.
        """
        future = self._submit(import_module, remote.__name__, name="import-0")
        self.futures = [future]
        try:
            error = future.exception(timeout=PATIENCE)
        except DaskTimeoutError:
            if not self.client.nthreads():
                self.progress.warn("the scheduler has no workers yet; waiting for one")
            error = future.exception()
        if error is not None:
            raise error

    def _tree(self, parts: Sequence[Future[Any]]) -> Future[Any]:
        """Merge neighbours, FAN_IN at a time, until one is left."""
        level = list(parts)
        height = 0
        while len(level) > 1:
            groups = [level[start : start + FAN_IN] for start in range(0, len(level), FAN_IN)]
            level = [
                self._submit(remote.merge, group, self.versions, name=f"merge-{height}-{number}", priority=1)
                if len(group) > 1
                else group[0]
                for number, group in enumerate(groups)
            ]
            height += 1
        return level[0]

    def _gather(self, futures: Sequence[Future[Any]], plan: Facts) -> list[Facts]:
        """Return the results in the order of the tasks; the first failure ends the wait."""
        numbers = {future.key: number for number, future in enumerate(futures)}
        sizes = [task["to"] - task["from"] for task in plan["tasks"]]
        facts: list[Facts] = [{}] * len(futures)
        done = 0
        for future in as_completed(futures):
            number = numbers[future.key]
            facts[number] = future.result()
            done += sizes[number]
            self.progress.step(done, sum(sizes))
        return facts

    def _submit(
        self, function: Callable[..., Any], *args: object, name: str, priority: int = 0
    ) -> Future[Any]:
        """Submit under a key that no other job has, and that the dashboard groups by its first word.

        What frees memory has a higher priority than what takes it: merging goes before counting.
        """
        action, _, number = name.partition("-")
        key = f"logparser-{action}-{self.name}-{number}"
        return self.client.submit(function, *args, key=key, pure=False, priority=priority)


def addresses(client: Client) -> set[str]:
    """Return the workers that are there."""
    return set(client.nthreads())


def _with_threads(args: Sequence[str]) -> list[str]:
    """Give the program one thread a stage, unless the plan says otherwise: a task takes one Dask thread."""
    if "--threads" in args:
        return list(args)
    return [args[0], "--threads", "1", *args[1:]]
