"""Dask clients: of a cluster that is there, or of one that lives as long as this process."""

from __future__ import annotations

import logging
import os
import signal
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from multiprocessing import resource_tracker
from typing import NamedTuple

import dask
from distributed import Client, LocalCluster, Security
from distributed import TimeoutError as DaskTimeoutError

from logparser_dask.errors import LogparserError

TIMEOUT = "10s"
"""How long to try to reach a scheduler, unless Dask's configuration says otherwise."""


class Tls(NamedTuple):
    """Dask's TLS settings of a client, as paths."""

    ca_file: str | None = None
    cert: str | None = None
    key: str | None = None


class Cluster(NamedTuple):
    """Where to run: a scheduler's address, or none for a cluster on this machine."""

    scheduler: str | None = None
    workers: int | None = None
    threads_per_worker: int | None = None
    tls: Tls = Tls()


@contextmanager
def connected(cluster: Cluster) -> Iterator[Client]:
    """Give a client of this cluster. Raises LogparserError if it cannot be reached."""
    _hush()
    address = cluster.scheduler or dask.config.get("scheduler-address", None)
    if address is None:
        with _local(cluster) as local, Client(local) as client:
            yield client
    else:
        client = _reach(address, cluster)
        try:
            yield client
        finally:
            client.close(timeout=2)


def _local(cluster: Cluster) -> LocalCluster:
    """Start a cluster on this machine: one worker process with a thread for each core, unless told otherwise.

    Worker threads only wait for the program, so more processes would gain nothing.
    """
    workers = cluster.workers or 1
    threads = cluster.threads_per_worker or max(1, (os.cpu_count() or 1) // workers)
    with warnings.catch_warnings(), _interrupts_held():
        # A dashboard that finds its port taken moves to another one, and its address is printed.
        warnings.simplefilter("ignore")
        return LocalCluster(
            n_workers=workers,
            threads_per_worker=threads,
            processes=True,
            silence_logs=logging.CRITICAL,
            dashboard_address="127.0.0.1:8787",
        )


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Keep Ctrl-C from the threads and processes that start here: this process tells them when to stop."""
    # It would be started with the first process, and let the signal through again.
    resource_tracker.ensure_running()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def _reach(address: str, cluster: Cluster) -> Client:
    """Connect to a scheduler."""
    timeout = dask.config.get("distributed.comm.timeouts.connect", TIMEOUT)
    try:
        return Client(address, security=_security(cluster.tls), timeout=timeout)
    except (OSError, DaskTimeoutError, ValueError, TypeError, RuntimeError) as error:
        raise LogparserError(f"cannot reach the scheduler at {address}: {_innermost(error)}") from error


def _security(tls: Tls) -> Security | None:
    """Return the settings given, or none, for those of Dask's configuration."""
    if not any(tls):
        return None
    return Security(
        tls_ca_file=tls.ca_file, tls_client_cert=tls.cert, tls_client_key=tls.key, require_encryption=True
    )


def _innermost(error: BaseException) -> str:
    """Return the message of the first cause, which says more than those that wrap it."""
    while error.__cause__ is not None:
        error = error.__cause__
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


def dashboard(client: Client) -> str | None:
    """Return the address of the dashboard, if there is one: it needs bokeh where the scheduler runs."""
    if client.cluster is not None and find_spec("bokeh") is None:
        return None
    try:
        return str(client.dashboard_link) or None
    except (KeyError, ValueError):
        return None


def _hush() -> None:
    """Silence Dask's own log: what a user has to know is told in messages."""
    for name in ("distributed", "tornado", "asyncio", *logging.root.manager.loggerDict):
        if name.split(".")[0] in ("distributed", "tornado", "asyncio"):
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
