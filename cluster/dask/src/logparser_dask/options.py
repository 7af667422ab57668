"""The options of the program `logparser`: which are part of the question, and which of the report."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from logparser_dask import keys
from logparser_dask.errors import USAGE, LogparserError

QUESTION = (*keys.COUNTED, *keys.COUNTED_FLAGS, "--max-partition")
"""Handed to `logparser plan`, each with its value, if it has one."""

REPORT = (*keys.REPORTED, *keys.REPORTED_FLAGS, "--color")
"""Handed to `logparser report`, each with its value, if it has one."""

FLAGS = (*keys.COUNTED_FLAGS, *keys.REPORTED_FLAGS)
"""Of those, the ones without a value."""

REFUSED = (*keys.ALONE, "--live")
"""Options of the program that need all lines in one place, or a run that goes on."""

Location = str | os.PathLike[str]
Value = str | int

SCHEME = re.compile("[a-z][a-z0-9+.-]*://", re.IGNORECASE)

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def where(location: Location) -> str:
    """Make a location mean the same on every worker, whatever folder it runs in."""
    text = os.fspath(location)
    if text == "-":
        raise LogparserError("standard input cannot be read by a cluster: name files that workers see", USAGE)
    # The program refuses a scheme by its name; a file that is called so is ./s3://x.
    return text if SCHEME.match(text) else str(Path(text).absolute())


def words(options: Mapping[str, Value | None], known: Sequence[str]) -> list[str]:
    """Turn keyword arguments into options: grouping_seconds=60 is --grouping-seconds 60, seen=True is --seen.

    None is left out.
    """
    line: list[str] = []
    for name, value in options.items():
        option = "--" + name.replace("_", "-")
        if option not in known:
            raise TypeError(f"there is no option {name}; there are {', '.join(_names(known))}")
        if option in FLAGS:
            if value not in (None, True, False):
                raise TypeError(f"{name} is either True or False, not {value!r}")
            line += [option] if value else []
        elif value is not None:
            line += [option, str(value)]
    return line


def _names(known: Sequence[str]) -> list[str]:
    return [option.removeprefix("--").replace("-", "_") for option in known]


def seconds(text: str) -> int:
    """Read a length of time as the program does: 90, 90s, 5m, 1h30m, 2d. Raises ValueError."""
    if text.isdigit():
        return int(text)
    total, digits = 0, ""
    for letter in text:
        if letter.isdigit():
            digits += letter
        elif digits and letter in UNITS:
            total += int(digits) * UNITS[letter]
            digits = ""
        else:
            raise ValueError(f"{text!r} is no length of time")
    if digits or not text:
        raise ValueError(f"{text!r} is no length of time")
    return total
