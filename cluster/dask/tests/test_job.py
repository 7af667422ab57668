"""Jobs with the stand-in: what comes out, and that each control total refuses what it is there for."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pandas as pd
import pytest
from distributed import Client

import logparser_dask
from logparser_dask import job, remote
from logparser_dask.errors import ControlError, LogparserError, WorkerError
from logparser_dask.listing import Listing
from logparser_dask.remote import Versions


def count(client: Client, logs: Path, **question: str | int) -> pd.DataFrame:
    """Count with small ranges, and without the stand-in's warning."""
    with pytest.warns(UserWarning, match="this is the fake"):
        return logparser_dask.connections(client, logs, max_partition=500, **question)


def expected(logs: Path) -> dict[tuple[str, str], int]:
    """Count one line after the other."""
    pairs: dict[tuple[str, str], int] = {}
    for path in logs.parent.glob(logs.name):
        for line in path.read_text().splitlines():
            _, start, end = line.split()
            pairs[start, end] = pairs.get((start, end), 0) + 1
    return pairs


def test_a_frame_has_every_connection_once_in_order(
    client: Client, fake: pytest.MonkeyPatch, logs: Path
) -> None:
    df = count(client, logs)
    assert list(df.columns) == ["from", "to", "connections"]
    rows = [(str(a), str(b), int(n)) for a, b, n in df.itertuples(index=False)]
    assert rows == [(*pair, number) for pair, number in sorted(expected(logs).items())]


@pytest.mark.parametrize("fan_in", [2, 3, 8])
def test_any_shape_of_the_tree_gives_the_same(
    client: Client, fake: pytest.MonkeyPatch, logs: Path, fan_in: int
) -> None:
    fake.setattr(job, "FAN_IN", fan_in)
    assert int(count(client, logs)["connections"].sum()) == 151


def test_one_range_needs_no_merge(client: Client, fake: pytest.MonkeyPatch, logs: Path) -> None:
    assert int(count(client, logs.parent / "c.log")["connections"].sum()) == 1


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("lines-twice", "lines_read of all parts"),
        ("bytes-twice", "merged result: .* are counted twice"),
        ("bytes-lost", "merged result: .* 0 bytes in place of 17"),
        ("wrong-range", "the parts: .* are counted twice"),
        ("connections", "connections of all parts"),
        ("no-balance", "lines read"),
        ("other-window", "window"),
        ("pairs", "do not add up"),
    ],
)
def test_a_result_that_is_not_the_plans_is_refused(
    client: Client, fake: pytest.MonkeyPatch, logs: Path, fault: str, message: str
) -> None:
    fake.setenv("FAKE_FAULT", fault)
    with pytest.raises(ControlError, match=message):
        count(client, logs)


def test_a_task_that_an_engine_runs_twice_over_is_refused(
    client: Client, fake: pytest.MonkeyPatch, logs: Path
) -> None:
    doubled = job._Job._tree
    fake.setattr(job._Job, "_tree", lambda self, parts: doubled(self, [*parts, parts[0]]))
    with pytest.raises(ControlError, match="merged result: .* counted twice"):
        count(client, logs)


def test_a_task_that_an_engine_loses_is_refused(client: Client, fake: pytest.MonkeyPatch, logs: Path) -> None:
    whole = job._Job._tree
    fake.setattr(job._Job, "_tree", lambda self, parts: whole(self, parts[1:]))
    with pytest.raises(ControlError, match="merged result: .* missing"):
        count(client, logs)


def test_what_is_not_sorted_is_planned_again_and_read_whole(
    client: Client, fake: pytest.MonkeyPatch, logs: Path
) -> None:
    fake.setenv("FAKE_FAULT", "unsorted")
    with pytest.warns(UserWarning, match="--scan full|fake"):
        df = logparser_dask.connections(client, logs, max_partition=500, scan="auto")
    assert int(df["connections"].sum()) == 151


def test_a_missing_file_is_named_with_the_worker(
    client: Client, fake: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(WorkerError, match=r"worker .* on .*: no such file .*nothing.log'") as info:
        logparser_dask.connections(client, tmp_path / "nothing.log")
    assert info.value.exit_code == 3


def test_a_file_that_goes_away_after_the_plan_is_named(
    client: Client, fake: pytest.MonkeyPatch, logs: Path
) -> None:
    def vanish(self: job._Job, files: Listing) -> None:
        found(self, files)
        (logs.parent / "b.log").unlink(missing_ok=True)

    found = job._Job._look
    fake.setattr(job._Job, "_look", vanish)
    with pytest.raises(WorkerError, match=r"no such file or folder: '.*b.log'"):
        count(client, logs)


def test_a_wrong_option_is_told_without_a_worker(
    client: Client, fake: pytest.MonkeyPatch, logs: Path
) -> None:
    with pytest.raises(LogparserError, match="^invalid value 'nonsense'") as info:
        logparser_dask.connections(client, logs, window="nonsense")
    assert info.value.exit_code == 2


def test_a_program_that_is_killed_is_told(client: Client, fake: pytest.MonkeyPatch, logs: Path) -> None:
    fake.setenv("FAKE_FAULT", "crash")
    with pytest.raises(WorkerError, match="ended by signal 9"):
        count(client, logs)


def test_a_worker_with_another_version_is_refused(
    client: Client, fake: pytest.MonkeyPatch, logs: Path
) -> None:
    fake.setattr(remote, "versions", lambda: Versions("0.1.0 (build f)", logparser_dask.__version__))
    fake.setattr(job._Job, "_submit", _with_real_versions(job._Job._submit))
    with pytest.raises(
        WorkerError, match=r"worker .* has version 0.1.0 \(build f\) here, but 0.1.0 \(build 0"
    ):
        logparser_dask.connections(client, logs)


def _with_real_versions(submit: object) -> object:
    """Let the client say that it has another build, as the workers of these tests are in its own process."""
    expected = Versions("0.1.0 (build 0)", logparser_dask.__version__)

    def changed(self: job._Job, function: object, *args: object, name: str, priority: int = 0) -> object:
        swapped = [expected if isinstance(arg, Versions) else arg for arg in args]
        return submit(self, function, *swapped, name=name, priority=priority)  # type: ignore[operator]

    return changed


def test_no_program_is_told(client: Client, fake: pytest.MonkeyPatch, logs: Path) -> None:
    fake.setenv("LOGPARSER_BIN", "/nowhere/logparser")
    with pytest.raises(LogparserError, match="the program logparser was not found"):
        logparser_dask.connections(client, logs)


def test_a_program_of_another_machine_is_told(
    client: Client, fake: pytest.MonkeyPatch, logs: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "logparser"
    broken.write_bytes(b"\x7fELF of something else")
    broken.chmod(broken.stat().st_mode | stat.S_IXUSR)
    fake.setenv("LOGPARSER_BIN", str(broken))
    with pytest.raises(LogparserError, match="cannot run"):
        logparser_dask.connections(client, logs)


def test_nothing_is_held_once_the_job_has_ended(client: Client, fake: pytest.MonkeyPatch, logs: Path) -> None:
    before = len(client.futures)
    count(client, logs)
    assert len(client.futures) <= before


def test_a_report_is_what_the_program_prints(client: Client, fake: pytest.MonkeyPatch, logs: Path) -> None:
    with pytest.warns(UserWarning, match="fake"):
        text = logparser_dask.report(client, logs, "h1", "s2", output="csv", max_partition=500)
    assert text.startswith("csv h1 s2\nh0 s0 ")


def test_a_failed_plan_is_not_planned_again(client: Client, fake: pytest.MonkeyPatch, tmp_path: Path) -> None:
    starts = []
    submit = job._Job._submit

    def counted(self: job._Job, function: object, *args: object, name: str, priority: int = 0) -> object:
        starts.append(name)
        return submit(self, function, *args, name=name, priority=priority)  # type: ignore[arg-type]

    fake.setattr(job._Job, "_submit", counted)
    with pytest.raises(WorkerError):
        logparser_dask.connections(client, tmp_path / "nothing.log")
    assert starts == ["import-0", "plan-0"]


def test_an_option_that_is_there_twice_is_planned_once() -> None:
    question = ["--scan", "auto", "--limit", "3", "--", "--scan", "x"]
    assert job._without_scan(question) == ["--limit", "3", "--", "--scan", "x"]


def test_an_unknown_keyword_is_refused(client: Client, fake: pytest.MonkeyPatch, logs: Path) -> None:
    with pytest.raises(TypeError, match="no option every"):
        logparser_dask.connections(client, logs, every=5)


def test_locations_are_made_absolute(client: Client, fake: pytest.MonkeyPatch, logs: Path) -> None:
    fake.chdir(logs.parent)
    assert int(count(client, Path("*.log"))["connections"].sum()) == 151
    assert os.getcwd() == str(logs.parent)
