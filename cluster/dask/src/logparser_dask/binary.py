"""Finding and running the program `logparser`."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from logparser_dask.errors import LogparserError

VARIABLE = "LOGPARSER_BIN"
PREFIX = "logparser: "
WARNING = PREFIX + "warning: "


class Output(NamedTuple):
    """What a run of the program wrote: its result, and its warnings without their prefix."""

    stdout: bytes
    warnings: list[str]


def find() -> str:
    """Return the path of the program: that of LOGPARSER_BIN, or the first on PATH."""
    named = os.environ.get(VARIABLE)
    found = shutil.which(named or "logparser")
    if found is None:
        why = f"{VARIABLE} is {named!r}" if named else f"it is not on PATH, and {VARIABLE} is not set"
        raise LogparserError(f"the program logparser was not found: {why}")
    return found


def run(args: Sequence[str], given: bytes = b"") -> Output:
    """Run the program to its end, with this on its standard input.

    Any exit code but 0 becomes a LogparserError with the program's message.
    """
    program = find()
    try:
        done = subprocess.run([program, *args], input=given, capture_output=True, check=False)
    except OSError as error:
        raise LogparserError(f"cannot run {program}: {error.strerror}") from None
    stderr = done.stderr.decode(errors="replace").splitlines()
    if done.returncode != 0:
        # A death by signal has a negative code.
        raise LogparserError(_message(stderr, done.returncode), max(done.returncode, 1))
    return Output(done.stdout, [line.removeprefix(WARNING) for line in stderr if line.startswith(WARNING)])


def _message(stderr: Sequence[str], code: int) -> str:
    """Return the error among the lines of stderr, without its prefix."""
    lines = [line for line in stderr if line.strip() and not line.startswith(WARNING)]
    own = [line.removeprefix(PREFIX) for line in lines if line.startswith(PREFIX)]
    if own:
        return "; ".join(own)
    if code < 0:
        return f"logparser was ended by signal {-code}"
    # Wrong options are told in several lines, the first of which names the option.
    return lines[0].removeprefix("error: ") if lines else f"logparser ended with exit code {code}"


def version() -> str:
    """Return the version of the program that `run` would run."""
    program = find()
    try:
        status = os.stat(program)
    except OSError as error:
        raise LogparserError(f"cannot run {program}: {error.strerror}") from None
    return _version(program, status.st_mtime_ns, status.st_ino)


@lru_cache(maxsize=8)
def _version(program: str, changed: int, inode: int) -> str:
    """Ask once; a program that was replaced is asked again."""
    return run(["--version"]).stdout.decode().strip().removeprefix("logparser ")
