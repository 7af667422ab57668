"""Whether workers see the files of the plan, with the stand-in: who is asked, when, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from distributed import Client

import logparser_dask
from logparser_dask import job
from logparser_dask.errors import LogparserError, WorkerError
from logparser_dask.listing import Listing

Change = Callable[[Path], object]

CHANGES: dict[str, Change] = {
    "b.log: is in the plan, and not here": lambda folder: (folder / "b.log").unlink(),
    "d.log: is here, and not in the plan": lambda folder: (folder / "d.log").write_text("1700000000 a b\n"),
    "a.log: is not as it was planned": lambda folder: (folder / "a.log").write_text("x" * 5000),
    "c.log: is not as it was planned": lambda folder: (folder / "c.log").write_text(""),
}


def change_before(fake: pytest.MonkeyPatch, number: int, change: Change, folder: Path) -> None:
    """Change the files just before all workers are asked for this time, from 1."""
    asked = [0]
    look = job._Job._look

    def changed(self: job._Job, files: Listing) -> None:
        asked[0] += 1
        if asked[0] == number:
            change(folder)
        look(self, files)

    fake.setattr(job._Job, "_look", changed)


def count(client: Client, logs: Path) -> int:
    """Count in small ranges."""
    with pytest.warns(UserWarning, match="this is the fake"):
        df = logparser_dask.connections(client, logs, max_partition=100)
    return int(df["connections"].sum())


@pytest.mark.parametrize("message", CHANGES)
def test_a_set_that_is_not_the_plans_is_refused_with_worker_and_file(
    client: Client, fake: pytest.MonkeyPatch, logs: Path, message: str
) -> None:
    change_before(fake, 1, CHANGES[message], logs.parent)
    with pytest.raises(WorkerError, match=f"^worker .* on .*/{message}.* \\(the plan was made on worker "):
        count(client, logs)


@pytest.mark.parametrize("message", CHANGES)
def test_one_that_was_not_asked_before_is_asked_with_its_first_task(
    client: Client, fake: pytest.MonkeyPatch, logs: Path, message: str
) -> None:
    fake.setattr(job._Job, "_look", lambda self, files: CHANGES[message](logs.parent))
    with pytest.raises(WorkerError, match=f"^worker .* on .*/{message}.* \\(the plan was made on worker "):
        count(client, logs)


def test_files_that_grow_are_as_they_were_planned(
    client: Client, fake: pytest.MonkeyPatch, logs: Path
) -> None:
    def grow(folder: Path) -> None:
        for path in folder.glob("*.log"):
            path.write_text(path.read_text() + "1700000000 late late\n" * 100)

    change_before(fake, 1, grow, logs.parent)
    assert count(client, logs) == 151


def test_each_worker_is_asked_once_however_many_tasks_there_are(
    client: Client, fake: pytest.MonkeyPatch, logs: Path, tmp_path: Path
) -> None:
    fake.setenv("FAKE_LISTED", str(tmp_path / "listed"))
    assert count(client, logs) == 151
    assert (tmp_path / "listed").read_text().split() == ["listed"] * 2


def test_those_that_have_joined_meanwhile_are_asked_in_the_end(
    client: Client, fake: pytest.MonkeyPatch, logs: Path
) -> None:
    one, two = sorted(client.nthreads())
    there = iter([{one}, {one}, {one, two}])
    asked = []
    run = client.run

    def noted(function: Any, *args: Any, workers: list[str], on_error: Any) -> object:
        asked.append(workers)
        return run(function, *args, workers=workers, on_error=on_error)

    fake.setattr(client, "run", noted)
    fake.setattr(job, "addresses", lambda client: next(there, {one, two}))
    assert count(client, logs) == 151
    assert asked == [[one], [two]]


def test_who_plans_by_an_old_state_of_a_file_is_refused(
    client: Client, fake: pytest.MonkeyPatch, logs: Path
) -> None:
    plan = job._Job._plan

    def stale(self: job._Job, question: list[str]) -> object:
        result = plan(self, question)
        path = logs.parent / "b.log"
        text = path.read_text()
        # The others see what the planner, which comes last, does not.
        ask = self._ask

        def one_by_one(files: Listing, workers: list[str]) -> object:
            others = [worker for worker in workers if worker != files.planner.address]
            path.write_text(text + "1700000000 late late\n" if others else text)
            return ask(files, others or workers)

        fake.setattr(self, "_ask", one_by_one)
        return result

    fake.setattr(job._Job, "_plan", stale)
    with pytest.raises(WorkerError, match="b.log: is not as it was planned .*, and worker .* sees more"):
        count(client, logs)


def test_files_that_grow_when_the_planner_is_gone_are_not_answered(
    client: Client, fake: pytest.MonkeyPatch, logs: Path
) -> None:
    plan = job._Job._plan

    def gone(self: job._Job, question: list[str]) -> object:
        result, files = plan(self, question)
        (logs.parent / "b.log").write_text((logs.parent / "b.log").read_text() + "1700000000 a b\n")
        return result, files._replace(planner=files.planner._replace(address="tcp://127.0.0.1:1"))

    fake.setattr(job._Job, "_plan", gone)
    with pytest.raises(LogparserError, match="files have grown: ask again"):
        count(client, logs)
