"""The command line, with the stand-in for the program."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest
from distributed import Client

from logparser_dask import cli, options
from logparser_dask.connect import Cluster

COMMAND = [sys.executable, "-m", "logparser_dask"]


@pytest.fixture
def here(client: Client, fake: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Let the command use the tests' own cluster."""

    @contextmanager
    def connected(cluster: Cluster) -> Iterator[Client]:
        yield client

    fake.setattr(cli, "connected", connected)
    fake.setattr(cli, "dashboard", lambda client: None)
    return fake


def run(*words: str | Path) -> int:
    """Run the command within this process; returns its exit code."""
    with pytest.raises(SystemExit) as info:
        cli.main([str(word) for word in words])
    return int(info.value.code or 0)


def test_results_go_to_stdout_and_the_rest_to_stderr(
    here: pytest.MonkeyPatch, logs: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(logs, "h1", "s2", "--max-partition", "500", "--last=1h") == 0
    out, err = capfd.readouterr()
    assert out.startswith("text h1 s2\nh0 s0 ")
    assert err.splitlines() == ["logparser-dask: warning: this is the fake", "Balance sheet"]


def test_options_reach_the_report(
    here: pytest.MonkeyPatch, logs: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run("-q", "--output", "csv", logs, "h1", "s2") == 0
    out, err = capfd.readouterr()
    assert out.startswith("csv h1 s2\n")
    assert "Balance" not in err


@pytest.mark.parametrize(
    ("fault", "code", "message"),
    [("bytes-lost", 1, "control totals"), ("crash", 1, "worker"), ("pairs", 1, "do not add up")],
)
def test_what_is_refused_prints_nothing(
    here: pytest.MonkeyPatch,
    logs: Path,
    capfd: pytest.CaptureFixture[str],
    fault: str,
    code: int,
    message: str,
) -> None:
    here.setenv("FAKE_FAULT", fault)
    assert run(logs, "h1", "s2", "--report", "test_cli:total", "--max-partition", "500") == code
    out, err = capfd.readouterr()
    assert out == ""
    assert message in err
    assert "Traceback" not in err
    assert len(err.splitlines()) == 2, "the stand-in's warning and one message"


def total(client: Client, df: pd.DataFrame, timestamp: pd.Timestamp) -> str:
    """Stand for a user's report function."""
    assert timestamp == pd.Timestamp("2023-11-14T22:00:00Z")
    assert isinstance(client, Client)
    return f"{df['connections'].sum()} connections"


def busiest(client: Client, df: pd.DataFrame, timestamp: pd.Timestamp) -> pd.DataFrame:
    """Stand for one that returns a frame."""
    return df[["to", "connections"]].groupby("to", as_index=False).sum().head(1)


def broken(client: Client, df: pd.DataFrame, timestamp: pd.Timestamp) -> str:
    """Stand for one with a mistake in it."""
    return str(df["no such column"])


def test_functions_in_python_print_under_their_names(
    here: pytest.MonkeyPatch, logs: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(logs, "h1", "s2", "--report", "test_cli:total", "--report", "test_cli:busiest") == 0
    out = capfd.readouterr().out
    assert "\n\n* test_cli:total\n151 connections\n" in out
    assert out.endswith("\n* test_cli:busiest\nto  connections\ns0           51\n")


def test_a_mistake_in_a_function_is_told_with_its_place(
    here: pytest.MonkeyPatch, logs: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(logs, "h1", "s2", "--report", "test_cli:broken") == 1
    out, err = capfd.readouterr()
    assert out == ""
    assert "report test_cli:broken failed: KeyError: 'no such column' (" in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--every", "1h"], "--every is not there on a cluster"),
        (["--live"], "--live is not there on a cluster"),
        (["--report", "nonsense"], "expected module:function"),
        (["--report", "no_such_module:f"], "No module named 'no_such_module'"),
        (["--report", "test_cli:nothing"], "no attribute 'nothing'"),
        (["--report", "test_cli:total", "--output", "json"], "--report prints text"),
        (["--workers", "0"], "--workers"),
        (["--scheduler", "tcp://127.0.0.1:1", "--threads-per-worker", "1"], "for a cluster started here"),
        (["--tls-cert", "x"], "go with --scheduler"),
        (["--scheduler", "tls://h:1", "--tls-cert", "x.pem"], "--tls-cert: there is no file x.pem"),
        (["--tail", "--since", "0"], "takes no --since"),
        (["--tail", "--folder"], "not allowed with"),
        (["--sleep-seconds", "soon"], "--sleep-seconds"),
        (["--seconds", "nonsense"], "invalid value 'nonsense'"),
    ],
)
def test_wrong_usage_is_told_with_exit_code_2(
    here: pytest.MonkeyPatch,
    logs: Path,
    capfd: pytest.CaptureFixture[str],
    words: list[str],
    message: str,
) -> None:
    assert run(logs, "h1", "s2", *words) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert message in err


def test_standard_input_is_refused(here: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    assert run("-", "h1", "s2") == 2
    assert "standard input" in capfd.readouterr().err


@pytest.mark.parametrize(("text", "expected"), [("90", 90), ("90s", 90), ("1h30m", 5400), ("2d", 172800)])
def test_lengths_of_time_are_read(text: str, expected: int) -> None:
    assert options.seconds(text) == expected


@pytest.mark.parametrize("text", ["", "h", "5x", "1h3", "-5", "1.5"])
def test_other_lengths_of_time_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="length of time"):
        options.seconds(text)


def test_a_dead_scheduler_is_told_at_once(fake: pytest.MonkeyPatch, logs: Path) -> None:
    fake.setenv("DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT", "1s")
    line = [*COMMAND, "--scheduler", "tcp://127.0.0.1:9", str(logs), "h1", "s2"]
    done = subprocess.run(line, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("logparser-dask: cannot reach the scheduler at tcp://127.0.0.1:9: ")
    assert len(done.stderr.splitlines()) == 1


def test_a_cluster_of_its_own_reports_and_leaves(fake: pytest.MonkeyPatch, logs: Path) -> None:
    line = [*COMMAND, "--workers", "2", "--max-partition", "500", str(logs), "h1", "s2"]
    done = subprocess.run(line, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("text h1 s2\n")
    told = [line for line in done.stderr.splitlines() if "dashboard at http://127.0.0.1:" not in line]
    assert told == ["logparser-dask: warning: this is the fake", "Balance sheet"]


@pytest.mark.parametrize("words", [[], ["--tail", "--sleep-seconds", "1"]])
def test_an_interrupt_ends_it_without_a_traceback(
    fake: pytest.MonkeyPatch, logs: Path, tmp_path: Path, words: list[str]
) -> None:
    fake.setenv("FAKE_FAULT", "slow")
    fake.setenv("FAKE_SECONDS", "0.1" if words else "5")
    line = [*COMMAND, "-q", *words, "--max-partition", "500", str(logs), "h1", "s2"]
    # A group of its own, all of which gets the signal, as from a terminal; and who runs the tests in the
    # background, where that signal is ignored, hands that on.
    reports = tmp_path / "reports"
    with reports.open("w") as file:
        process = subprocess.Popen(
            line,
            stdout=file,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )
    try:
        assert process.stderr is not None
        process.stderr.readline()
        # A report of --tail comes, however busy the machine is; the other run is amid its tasks by then.
        until = time.monotonic() + (60 if words else 3)
        while time.monotonic() < until and not reports.read_text():
            time.sleep(0.1)
        os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=30)
    finally:
        process.kill()
    out = reports.read_text()
    assert process.returncode == 130, err
    assert "Traceback" not in err
    # Each report of --tail is whole.
    assert out.count("text h1 s2") == out.count("h0 s0")
    assert bool(out) == bool(words)
