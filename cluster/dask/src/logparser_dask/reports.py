"""Report functions in Python, and the frame that they get.

A report function has the signature `(client, df, timestamp)`: the Dask client, the connections of the window
as a pandas frame (see `frame`), and the end of the window as a pandas Timestamp in UTC. What it returns is
printed under its name.
"""

from __future__ import annotations

import importlib
import json
import sys
import traceback
from collections.abc import Callable
from typing import Any, NamedTuple

import pandas as pd
from distributed import Client

from logparser_dask import binary
from logparser_dask.errors import USAGE, ControlError, LogparserError
from logparser_dask.job import Result

Function = Callable[[Client, pd.DataFrame, pd.Timestamp], Any]

ALL_PAIRS = 'reports=[{name="top-pairs",limit=9223372036854775807}]'


class Report(NamedTuple):
    """A report function under the name that it was asked for by."""

    name: str
    function: Function


def load(name: str) -> Report:
    """Import `module:function`. The folder that the command runs in counts as a place of modules."""
    module_name, _, function_name = name.partition(":")
    if not module_name or not function_name:
        raise LogparserError(f"--report {name}: expected module:function", USAGE)
    if "" not in sys.path:
        sys.path.insert(0, "")
    try:
        function = getattr(importlib.import_module(module_name), function_name)
    except Exception as error:
        raise LogparserError(f"--report {name}: {_told(error)}", USAGE) from error
    if not callable(function):
        raise LogparserError(f"--report {name}: {function_name} is no function", USAGE)
    return Report(name, function)


def render(report: Report, client: Client, df: pd.DataFrame, timestamp: pd.Timestamp) -> str:
    """Run a report function on a copy of the frame; returns its text, with its name above."""
    try:
        result = report.function(client, df.copy(), timestamp)
        return f"\n* {report.name}\n{_text(result)}\n"
    except Exception as error:
        raise LogparserError(f"report {report.name} failed: {_told(error)}") from error


def _text(result: Any) -> str:
    """Print frames and series whole, and anything else as Python does."""
    if isinstance(result, (pd.DataFrame, pd.Series)) and result.empty:
        return "none"
    if isinstance(result, pd.DataFrame):
        return result.to_string(index=not isinstance(result.index, pd.RangeIndex))
    if isinstance(result, pd.Series):
        return result.to_string()
    return str(result).rstrip("\n")


def _told(error: Exception) -> str:
    """Say what an exception says, and where it was raised."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} ({last.filename}, line {last.lineno})"


def frame(result: Result) -> pd.DataFrame:
    r"""Return all pairs of the window: columns from, to (str), connections and sums, sorted by from, then to.

    With seen=True also first_seen and last_seen, as instants in UTC.

    Hosts are as the program prints them: bytes that cannot be shown are `\xNN`.
    """
    output = binary.run(["report", "--set", ALL_PAIRS, "--output", "json", "--", str(result.path)])
    report = json.loads(output.stdout)["reports"][0]
    if report.get("overflow"):
        raise LogparserError(
            "pairs were counted together for want of memory: a frame cannot say which; "
            "ask with a memory policy of spill"
        )
    measures = result.facts.get("measures", [])
    types = {"connections": "int64"} | {measure["name"]: "uint64" for measure in measures}
    columns = [column["name"] for column in report["columns"]]
    df = pd.DataFrame(report["rows"], columns=columns).astype(types)
    for column in report["columns"]:
        if column["type"] == "time":
            df[column["name"]] = pd.to_datetime(df[column["name"]], format="ISO8601", utc=True)
    if int(df["connections"].sum()) != result.facts["connections"]:
        raise ControlError(
            "the pairs do not add up to the connections that were counted: nothing is reported"
        )
    for measure in measures:
        if sum(int(number) for number in df[measure["name"]]) != measure["sum"]:
            raise ControlError(
                f"the pairs do not add up to the sum of {measure['name']}: nothing is reported"
            )
    return df.sort_values(["from", "to"], ignore_index=True)


def end_of(result: Result) -> pd.Timestamp:
    """Return the end of the window."""
    return pd.Timestamp(result.plan["window"]["end"])
