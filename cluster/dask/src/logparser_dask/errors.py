"""The one exception of this package, and what Dask's own exceptions mean to a user."""

from __future__ import annotations

from concurrent.futures import CancelledError

from distributed import KilledWorker

FAILED = 1
USAGE = 2
NO_INPUT = 3
UNSORTED = 5
INTERRUPTED = 130


class LogparserError(Exception):
    """What went wrong, in one line, with the exit code that goes with it."""

    def __init__(self, message: str, exit_code: int = FAILED) -> None:
        super().__init__(message, exit_code)
        self.message = message
        self.exit_code = exit_code

    def __str__(self) -> str:
        """Say what went wrong."""
        return self.message


class WorkerError(LogparserError):
    """What went wrong on a worker; the message names the worker."""


class ControlError(LogparserError):
    """A result that is not exactly that of the plan."""


def explain(error: BaseException) -> LogparserError:
    """Turn an exception that came out of Dask into one clear message."""
    if isinstance(error, LogparserError):
        return error
    if isinstance(error, KilledWorker):
        last = getattr(error.last_worker, "address", error.last_worker)
        return LogparserError(
            f"workers died again and again on the same part of the work, the last one at {last}: "
            "see its log; memory is the usual cause"
        )
    if isinstance(error, CancelledError):
        return LogparserError("the work was cancelled, or the scheduler was lost")
    text = str(error)
    if isinstance(error, ModuleNotFoundError) or "deserialization of the task graph" in text:
        return LogparserError(
            "the scheduler or a worker lacks the Python package logparser-dask: "
            "install the same version of it there as here"
        )
    first_line = text.strip().splitlines()[0] if text.strip() else "no message"
    return LogparserError(f"{type(error).__name__}: {first_line}")
