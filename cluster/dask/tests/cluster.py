"""A cluster of processes, started as a user would, with a program that notes which worker runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

DASK = [sys.executable, "-m", "dask"]
COMMAND = [sys.executable, "-m", "logparser_dask"]
PATIENCE = 60.0


def wait_until(condition: Callable[[], object], what: str) -> None:
    """Wait for a condition, for a minute at most."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"waited in vain until {what}"
        time.sleep(0.02)


class Node:
    """Where a process runs: its address, and the words before its command line, e.g. of a namespace."""

    def __init__(self, address: str = "127.0.0.1", prefix: Sequence[str] = ()) -> None:
        self.address = address
        self.prefix = list(prefix)


class Cluster:
    """A scheduler, and workers that come and go. All of it ends with the `with`."""

    def __init__(self, folder: Path, program: str, tls: Sequence[str] = (), node: Node | None = None) -> None:
        self.folder = folder
        self.tls = list(tls)
        self.started = folder / "started"
        self.program = self._noting(program)
        self.node = node or Node()
        self.processes: list[subprocess.Popen[bytes]] = []
        self.environment: dict[str, str] = {}

    def _noting(self, program: str) -> str:
        """Wrap the program: each `partial` notes its worker's process, and takes TEST_SLOW seconds longer."""
        self.started.touch()
        wrapper = self.folder / "logparser"
        wrapper.write_text(
            "#!/bin/sh\n"
            f'if [ "$1" = partial ]; then echo "$PPID" >>"{self.started}"; sleep "${{TEST_SLOW:-0}}"; fi\n'
            'if [ "$1" = partial ] && [ -n "$TEST_FATAL" ]; then kill -9 "$PPID"; fi\n'
            f'exec "{program}" "$@"\n'
        )
        wrapper.chmod(0o755)
        return str(wrapper)

    def __enter__(self) -> Cluster:
        """Start the scheduler."""
        file = self.folder / "scheduler.json"
        protocol = ["--protocol", "tls"] if self.tls else []
        line = ["scheduler", "--host", self.node.address, "--port", "0", "--scheduler-file", str(file)]
        self._start(self.node, [*line, "--no-dashboard", *protocol, *self.tls], {})
        wait_until(lambda: file.exists() and file.read_text().strip(), "the scheduler runs")
        self.address = str(json.loads(file.read_text())["address"])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Kill whatever still runs."""
        for process in self.processes:
            process.kill()
        for process in self.processes:
            process.wait()

    def worker(
        self, node: Node | None = None, words: Sequence[str] = ("--no-nanny",), **environment: str
    ) -> subprocess.Popen[bytes]:
        """Start a worker of one thread."""
        node = node or Node()
        line = ["worker", self.address, "--host", node.address, "--nthreads", "1", "--no-dashboard"]
        scratch = ["--local-directory", str(self.folder / "scratch")]
        return self._start(node, [*line, *scratch, *self.tls, *words], environment)

    def run(self, *words: str | Path, node: Node | None = None, **environment: str) -> subprocess.Popen[str]:
        """Start the command against this cluster; what it prints is left to `communicate`."""
        node = node or self.node
        line = [*node.prefix, *COMMAND, "--scheduler", self.address, *self.tls, *map(str, words)]
        return subprocess.Popen(
            line,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self._variables(environment),
        )

    def working(self) -> list[int]:
        """Return the process of the worker of each part that was begun so far."""
        return [int(line) for line in self.started.read_text().split()]

    def _start(self, node: Node, words: list[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
        """Start one of Dask's own commands, and keep its log."""
        with (self.folder / f"log-{len(self.processes)}").open("wb") as log:
            line: list[Any] = [*node.prefix, *DASK, *words]
            process = subprocess.Popen(line, stdout=log, stderr=log, env=self._variables(environment))
        self.processes.append(process)
        return process

    def _variables(self, changed: Mapping[str, str]) -> dict[str, str]:
        """Return the environment of a process of this cluster."""
        return {**os.environ, "LOGPARSER_BIN": self.program, **self.environment, **changed}
