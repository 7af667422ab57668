"""The bars of a cluster: TLS over loopback, workers that die, stop and join, and what is told when it fails.

With LOGPARSER_BIN the real program counts LOGPARSER_CLUSTER_MB (40) megabytes in 20 files; without it the
stand-in counts little.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import certificates
import pytest
from cluster import Cluster, wait_until
from conftest import REAL

MEGABYTES = int(os.environ.get("LOGPARSER_CLUSTER_MB", "40"))
STOPPED_FOR = float(os.environ.get("LOGPARSER_CLUSTER_STOP", "20"))
FILES = 20
PARTS_A_FILE = 2
SLOW = "0.2"
"""Seconds that each part takes longer, so that there is time to do something to its worker."""

WINDOW = ["--until", "1700000000", "--seconds", "12h"]
HOSTS = ["sierra", "Delta"]


BESIDE = ("warning: ", "dashboard at ", "waiting for ")
"""What may be told besides an error."""


class Case:
    """A question and its answer, by the program itself on this machine."""

    def __init__(self, program: str, folder: Path, real: bool) -> None:
        self.program = program
        size = MEGABYTES * 1_000_000 // FILES if real else 2000
        for number in range(FILES):
            path = folder / f"conn{number:02}.log"
            if real:
                line = ["make", str(path), "--size", str(size), "--seed", str(number), "--quiet"]
                subprocess.run([program, *line, "--end", "1700000000"], check=True)
            else:
                path.write_text("".join(f"1700000000 h{n % 17} s{(n + number) % 5}\n" for n in range(110)))
        self.logs = str(folder / "conn*.log")
        # Reading all of it is what takes time.
        self.question = [*WINDOW, "--scan", "full"] if real else []
        largest = max(path.stat().st_size for path in folder.iterdir())
        self.parts = ["--max-partition", str(largest // PARTS_A_FILE + 1)]

    def answer(self, *words: str) -> str:
        """Return what the program prints."""
        line = [self.program, *self.question, *words, "--", self.logs, *HOSTS]
        return subprocess.run(line, capture_output=True, text=True, check=True).stdout

    def ask(self, cluster: Cluster, *words: str, **environment: str) -> subprocess.Popen[str]:
        """Start the same on the cluster."""
        line = [*self.question, *self.parts, *words, "--", self.logs, *HOSTS]
        return cluster.run(*line, node=None, **environment)


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory, stand_in: str) -> Case:
    """Make the logs once."""
    return Case(REAL or stand_in, tmp_path_factory.mktemp("logs"), real=bool(REAL))


@pytest.fixture
def cluster(case: Case, tmp_path: Path) -> Iterator[Cluster]:
    """Start a scheduler with TLS; its workers take their time."""
    with Cluster(tmp_path, case.program, certificates.make(tmp_path)) as cluster:
        cluster.environment = {"TEST_SLOW": SLOW}
        yield cluster


def succeeds(process: subprocess.Popen[str], expected: str) -> str:
    """Wait for a command that must print just this; returns its stderr."""
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    assert out == expected
    return err


def fails(process: subprocess.Popen[str], code: int = 1) -> str:
    """Wait for a command that must fail, with one message and no result; returns the message."""
    out, err = process.communicate(timeout=120)
    told = [line for line in err.splitlines() if not any(word in line for word in BESIDE)]
    assert process.returncode == code, err
    assert out == ""
    assert len(told) == 1, err
    return told[0]


def test_three_workers_print_the_same_as_one_machine(case: Case, cluster: Cluster) -> None:
    cluster.environment = {"TEST_SLOW": "0.05"}
    workers = [cluster.worker() for _ in range(3)]
    for words in ([], ["--output", "json"], ["--output", "csv", "--limit", "3", "--quiet"]):
        succeeds(case.ask(cluster, "--workers", "3", *words), case.answer(*words))
    assert set(cluster.working()) == {worker.pid for worker in workers}
    assert cluster.address.startswith("tls://")


def test_a_worker_that_is_killed_costs_time_only(case: Case, cluster: Cluster) -> None:
    victim, *_ = [cluster.worker() for _ in range(3)]
    process = case.ask(cluster, "--workers", "3")
    wait_until(lambda: cluster.working().count(victim.pid) == 2, "the worker is at its second part")
    victim.send_signal(signal.SIGKILL)
    succeeds(process, case.answer())
    assert len(cluster.working()) > FILES * PARTS_A_FILE, "what it had was counted again by others"


def test_a_worker_that_stands_still_for_a_while_is_waited_for(case: Case, cluster: Cluster) -> None:
    sleeper, *_ = [cluster.worker() for _ in range(3)]
    process = case.ask(cluster, "--workers", "3")
    wait_until(lambda: cluster.working().count(sleeper.pid) == 2, "the worker is at its second part")
    sleeper.send_signal(signal.SIGSTOP)
    time.sleep(STOPPED_FOR)
    assert process.poll() is None, "what it has counted is missing"
    sleeper.send_signal(signal.SIGCONT)
    succeeds(process, case.answer())


def test_a_worker_that_joins_midway_works_too(case: Case, cluster: Cluster) -> None:
    cluster.environment = {"TEST_SLOW": "1"}
    cluster.worker()
    cluster.worker()
    process = case.ask(cluster, "--workers", "2")
    wait_until(cluster.working, "the work has begun")
    late = cluster.worker()
    succeeds(process, case.answer())
    assert late.pid in cluster.working()


def test_a_worker_without_the_program_is_named(case: Case, cluster: Cluster) -> None:
    cluster.worker(words=["--no-nanny", "--name", "bare"], LOGPARSER_BIN="/nowhere/logparser")
    message = fails(case.ask(cluster))
    assert "worker bare at tls://" in message
    assert "the program logparser was not found: LOGPARSER_BIN is '/nowhere/logparser'" in message


def test_a_worker_with_another_version_is_named(case: Case, cluster: Cluster, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("#!/bin/sh\necho logparser 0.0.9\n")
    other.chmod(0o755)
    cluster.worker(words=["--no-nanny", "--name", "old"], LOGPARSER_BIN=str(other))
    message = fails(case.ask(cluster))
    assert "worker old at tls://" in message
    assert "has version 0.0.9 here, but " in message


@pytest.mark.parametrize("where", ["scheduler", "worker"])
def test_who_lacks_this_package_is_told(case: Case, tmp_path: Path, where: str) -> None:
    lacking = tmp_path / "lacking" / "logparser_dask"
    lacking.mkdir(parents=True)
    (lacking / "__init__.py").write_text("raise ModuleNotFoundError(\"No module named 'logparser_dask'\")\n")
    environment = {"PYTHONPATH": str(lacking.parent)}
    cluster = Cluster(tmp_path, case.program)
    cluster.environment = environment if where == "scheduler" else {}
    with cluster:
        cluster.environment = {}
        cluster.worker(None, **(environment if where == "worker" else {}))
        message = fails(case.ask(cluster))
    assert "lacks the Python package logparser-dask" in message


def test_a_missing_file_is_told_with_the_programs_code(case: Case, cluster: Cluster) -> None:
    cluster.worker()
    message = fails(cluster.run("/nowhere/conn.log", *HOSTS), code=3)
    assert "worker at tls://" in message
    assert "/nowhere/conn.log" in message


def test_work_that_kills_its_workers_is_given_up(case: Case, tmp_path: Path) -> None:
    cluster = Cluster(tmp_path, case.program)
    cluster.environment = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1"}
    with cluster:
        for _ in range(2):
            # Their nannies start them again.
            cluster.worker(words=["--nanny"], TEST_FATAL="yes")
        message = fails(case.ask(cluster))
    assert "workers died again and again" in message


def test_a_scheduler_that_dies_is_told(case: Case, cluster: Cluster) -> None:
    cluster.worker()
    process = case.ask(cluster, DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT="2s")
    wait_until(cluster.working, "the work has begun")
    cluster.processes[0].kill()
    assert "scheduler" in fails(process)


def test_who_has_no_certificate_is_not_let_in(case: Case, cluster: Cluster) -> None:
    cluster.tls = []
    message = fails(case.ask(cluster, DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT="2s"))
    assert "cannot reach the scheduler at tls://" in message
