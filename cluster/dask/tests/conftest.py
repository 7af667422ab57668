"""What the tests share: a cluster in this process, logs, and the program or its stand-in."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from distributed import Client

FAKE = Path(__file__).with_name("fake_logparser.py")
REAL = os.environ.get("LOGPARSER_BIN")


@pytest.fixture(scope="session")
def client() -> Iterator[Client]:
    """Give two workers within this process, so that they see its environment as it changes."""
    with Client(processes=False, n_workers=2, threads_per_worker=1, dashboard_address=None) as client:
        yield client


@pytest.fixture(scope="session")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the path of the program's stand-in."""
    program = tmp_path_factory.mktemp("bin") / "logparser"
    # Without site packages Python starts several times as fast.
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -I -S "{FAKE}" "$@"\n')
    program.chmod(0o755)
    return str(program)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, stand_in: str) -> pytest.MonkeyPatch:
    """Put the stand-in in the program's place; returns what can set its faults."""
    monkeypatch.setenv("LOGPARSER_BIN", stand_in)
    monkeypatch.delenv("FAKE_FAULT", raising=False)
    monkeypatch.delenv("FAKE_VERSION", raising=False)
    return monkeypatch


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """Write three small logs, two of several ranges; returns their glob."""
    for name, lines in (("a", 90), ("b", 60), ("c", 1)):
        text = "".join(f"17000000{n:02} h{n % 7} s{n % 3}\n" for n in range(lines))
        (tmp_path / f"{name}.log").write_text(text)
    return tmp_path / "*.log"


@pytest.fixture(scope="session")
def real() -> str:
    """Give the real program, or skip."""
    if not REAL:
        pytest.skip("LOGPARSER_BIN does not name the program")
    return REAL
