"""Workers that do not see all files: each in a namespace with another folder over that of the logs."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cluster import Cluster, Node, wait_until
from conftest import REAL

HOSTS = ["h1", "s2"]
OVER = 'mount --bind "$0" "$1" && shift && exec "$@"'


@pytest.fixture
def stale(tmp_path: Path, logs: Path) -> Node:
    """Give a place where b.log is missing, or skip."""
    old = tmp_path / "old"
    old.mkdir()
    for name in ("a.log", "c.log"):
        shutil.copy(tmp_path / name, old)
    return place(old, tmp_path / "seen")


def place(content: Path, folder: Path) -> Node:
    """Give a place where a folder has this content, or skip."""
    prefix = ["unshare", "-m", "sh", "-c", OVER, str(content), str(folder)]
    folder.mkdir(exist_ok=True)
    tried = subprocess.run([*prefix, "true"], capture_output=True, text=True, check=False)
    if tried.returncode != 0:
        pytest.skip(f"this machine lets nobody mount: {tried.stderr.strip()}")
    return Node(prefix=prefix)


@pytest.fixture
def seen(tmp_path: Path, logs: Path) -> str:
    """Put the logs where some workers see others; returns their glob there."""
    folder = tmp_path / "seen"
    folder.mkdir(exist_ok=True)
    for path in logs.parent.glob(logs.name):
        shutil.copy(path, folder)
    return str(folder / "*.log")


@pytest.fixture
def cluster(tmp_path: Path, stand_in: str) -> Iterator[Cluster]:
    """Start a scheduler."""
    with Cluster(tmp_path, REAL or stand_in) as cluster:
        yield cluster


def question(location: str) -> list[str]:
    """Ask with several ranges a file."""
    window = ["--until", "1700000060"] if REAL else []
    return [*window, "--max-partition", "500", "--", location, *HOSTS]


def refused(process: subprocess.Popen[str], code: int = 1) -> str:
    """Wait for a command that must fail without a result; returns the last message."""
    out, err = process.communicate(timeout=120)
    assert process.returncode == code, err
    assert out == ""
    return err.splitlines()[-1]


def named(number: str) -> list[str]:
    """Name a worker."""
    return ["--no-nanny", "--name", number]


def test_one_worker_that_misses_a_file_is_refused_wherever_the_plan_is_made(
    cluster: Cluster, stale: Node, seen: str
) -> None:
    cluster.worker(words=named("whole"))
    cluster.worker(stale, words=named("stale"))
    for _ in range(4):
        message = refused(cluster.run("--workers", "2", *question(seen)))
        assert "worker stale at " in message
        assert "/b.log: is " in message


def test_the_same_workers_without_the_mount_answer(cluster: Cluster, seen: str) -> None:
    cluster.worker(words=named("1"))
    cluster.worker(words=named("2"))
    out, err = cluster.run("--workers", "2", *question(seen)).communicate(timeout=120)
    assert out, err


def test_one_that_joins_later_is_refused_too(cluster: Cluster, stale: Node, seen: str) -> None:
    cluster.environment = {"TEST_SLOW": "1"}
    cluster.worker(words=named("whole"))
    process = cluster.run(*question(seen))
    wait_until(cluster.working, "the work has begun")
    cluster.worker(stale, words=named("stale"))
    message = refused(process)
    assert "worker stale at " in message
    assert "/b.log: is in the plan, and not here" in message
    assert "(the plan was made on worker whole at " in message


@pytest.mark.parametrize("content", ["", "other text\n" * 200, "170000"])
def test_a_file_that_is_another_one_is_refused(
    cluster: Cluster, tmp_path: Path, seen: str, content: str
) -> None:
    other = tmp_path / "other"
    shutil.copytree(tmp_path / "seen", other)
    (other / "b.log").write_text(content)
    cluster.worker(words=named("whole"))
    cluster.worker(place(other, tmp_path / "seen"), words=named("other"))
    assert "/b.log: " in refused(cluster.run("--workers", "2", *question(seen)))


def test_a_folder_without_any_is_told_with_its_worker(cluster: Cluster, tmp_path: Path, seen: str) -> None:
    (tmp_path / "nothing").mkdir()
    cluster.worker(place(tmp_path / "nothing", tmp_path / "seen"), words=named("blind"))
    assert "worker blind at " in refused(cluster.run(*question(seen)), code=3)
