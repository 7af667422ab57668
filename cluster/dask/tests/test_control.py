"""The control totals one by one, on results that are right but for one thing."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy

import pytest

from logparser_dask import control
from logparser_dask.errors import ControlError
from logparser_dask.remote import Facts

WINDOW = {"start": "2023-11-14T21:00:00Z", "end": "2023-11-14T22:00:00Z"}
Change = Callable[[Facts, list[Facts], Facts], object]


def facts(lines: int, read: list[list[int]], skipped: list[list[int]]) -> Facts:
    """Describe tallies of one input of 100 bytes, one line of each kind but those that were counted."""
    balance: Facts = dict.fromkeys(control.LINES, 1)
    balance |= {"lines_read": lines, "counted": lines - 5, "bytes_unread": 0, "bytes_total": 100}
    balance |= {"bytes_read": size(read), "bytes_skipped": size(skipped)}
    given = {"name": "a", "size": 100, "read": read, "skipped": skipped}
    return {
        "version": "1",
        "build": "b",
        "format": 1,
        "window": dict(WINDOW),
        "inputs": [given],
        "connections": lines - 5,
        "balance": balance,
    }


def size(ranges: list[list[int]]) -> int:
    """Add up ranges."""
    return sum(end - start for start, end in ranges)


def right() -> tuple[Facts, list[Facts], Facts]:
    """Give a plan, two parts, and what they are together."""
    plan = {
        "version": "1",
        "build": "b",
        "tallies": 1,
        "window": dict(WINDOW),
        "inputs": [{"path": "a", "size": 100, "unterminated": 5}],
        "tasks": [{}, {}],
        "bytes_read": 80,
        "bytes_skipped": 20,
        "bytes_total": 100,
    }
    parts = [facts(10, [[20, 53]], [[0, 20]]), facts(20, [[53, 100]], [])]
    merged = facts(30, [[20, 100]], [[0, 20]])
    for name in control.LINES:
        merged["balance"][name] = sum(part["balance"][name] for part in parts)
    merged["connections"] = merged["balance"]["counted"]
    return plan, parts, merged


def test_what_is_right_passes() -> None:
    control.check(*right())


def last_line(facts: Facts, length: int) -> Facts:
    """Add a last line without a newline, of so many bytes, that nobody could connect by."""
    (given,) = facts["inputs"]
    given["size"] += length
    given["read"][-1][1] += length
    for name in ("lines_read", "malformed"):
        facts["balance"][name] += 1
    for name in ("bytes_read", "bytes_total"):
        facts["balance"][name] += length
    return facts


def test_a_last_line_without_a_newline_is_there_or_not() -> None:
    plan, parts, merged = right()
    last_line(parts[1], 5)
    last_line(merged, 5)
    control.check(plan, parts, merged)


def add(name: str, *places: Callable[[Facts, list[Facts], Facts], Facts]) -> Change:
    """Make a change that adds one to a number in each of these places."""

    def change(plan: Facts, parts: list[Facts], merged: Facts) -> None:
        for place in places:
            place(plan, parts, merged)[name] += 1

    return change


def of_part(plan: Facts, parts: list[Facts], merged: Facts) -> Facts:
    """Choose the balance of a part."""
    balance: Facts = parts[1]["balance"]
    return balance


def of_whole(plan: Facts, parts: list[Facts], merged: Facts) -> Facts:
    """Choose the balance of the whole."""
    balance: Facts = merged["balance"]
    return balance


def of_plan(plan: Facts, parts: list[Facts], merged: Facts) -> Facts:
    """Choose the plan."""
    return plan


def empty_part(plan: Facts, parts: list[Facts], merged: Facts) -> None:
    """Add a part that holds no bytes, and what it claims to have read to the whole."""
    parts.append(facts(5, [], []))
    for name in ("lines_read", *control.LINES):
        merged["balance"][name] += parts[-1]["balance"][name]


CHANGES: dict[str, Change] = {
    "a part is missing": lambda plan, parts, merged: parts.pop(),
    "a part is there twice": lambda plan, parts, merged: parts.append(deepcopy(parts[0])),
    "an empty part too many": empty_part,
    "a part of another window": lambda plan, parts, merged: parts[0]["window"].update(start="x"),
    "a whole of another window": lambda plan, parts, merged: merged["window"].update(end="x"),
    "a part of another version": lambda plan, parts, merged: parts[0].update(version="2"),
    "a whole of another version": lambda plan, parts, merged: merged.update(version="2"),
    "a part of another build": lambda plan, parts, merged: parts[0].update(build="c"),
    "a whole of another build": lambda plan, parts, merged: merged.update(build="c"),
    "a part of another format": lambda plan, parts, merged: parts[0].update(format=2),
    "a last line of the whole only": lambda plan, parts, merged: last_line(merged, 5),
    "a last line of a part only": lambda plan, parts, merged: last_line(parts[1], 5),
    "half a last line": lambda plan, parts, merged: (last_line(parts[1], 2), last_line(merged, 2)),
    "a last line that is not read": lambda plan, parts, merged: (
        parts[1]["inputs"][0].update(size=105),
        merged["inputs"][0].update(size=105),
    ),
    "a gap between parts": lambda plan, parts, merged: parts[1]["inputs"][0].update(read=[[54, 100]]),
    "parts that overlap": lambda plan, parts, merged: parts[1]["inputs"][0].update(read=[[52, 100]]),
    "a gap in the whole": lambda plan, parts, merged: merged["inputs"][0].update(read=[[21, 100]]),
    "a byte twice in the whole": lambda plan, parts, merged: merged["inputs"][0].update(read=[[19, 100]]),
    "an end that is missing": lambda plan, parts, merged: merged["inputs"][0].update(read=[[20, 99]]),
    "bytes beyond the end": lambda plan, parts, merged: merged["inputs"][0].update(read=[[20, 101]]),
    "no input": lambda plan, parts, merged: merged["inputs"].clear(),
    "another input": lambda plan, parts, merged: merged["inputs"].append(
        {"name": "b", "size": 0, "read": [], "skipped": []}
    ),
    "connections": lambda plan, parts, merged: merged.update(connections=40),
    "connections of a part": lambda plan, parts, merged: parts[0].update(connections=99),
    "bytes unread": lambda plan, parts, merged: merged["balance"].update(bytes_unread=1),
    "lines and counted of the whole": lambda plan, parts, merged: merged["balance"].update(
        lines_read=31, counted=merged["balance"]["counted"] + 1
    ),
    "lines that no cause accounts for": add("lines_read", of_part, of_whole),
    "lines of a part": add("lines_read", of_part),
    "connections of the parts and the whole, but not counted": lambda plan, parts, merged: (
        parts[0].update(connections=parts[0]["connections"] + 1),
        merged.update(connections=merged["connections"] + 1),
    ),
    "bytes read of all": add("bytes_read", of_part, of_whole),
    "bytes skipped of all": add("bytes_skipped", of_part, of_whole),
    "bytes read of parts": add("bytes_read", of_part),
    "bytes skipped of parts": add("bytes_skipped", of_part),
    "bytes in total": add("bytes_total", of_whole),
    "bytes in total of the plan": add("bytes_total", of_plan),
    "a sum of bytes that is no sum": add("bytes_total", of_plan, of_whole),
    **{f"{name} of a part": add(name, of_part) for name in control.LINES},
}


@pytest.mark.parametrize("name", CHANGES)
def test_one_thing_that_is_wrong_is_refused(name: str) -> None:
    result = right()
    CHANGES[name](*result)
    with pytest.raises(ControlError, match="nothing is reported"):
        control.check(*result)
