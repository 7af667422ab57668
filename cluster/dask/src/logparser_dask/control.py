"""Control totals: a result is exactly that of its plan, every byte and every line once, or it is refused."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from logparser_dask.errors import ControlError
from logparser_dask.remote import Facts

LINES = ("counted", "out_of_window", "late", "future", "malformed", "blank")
SUMS = ("lines_read", *LINES, "bytes_read", "bytes_skipped")
BYTES = ("bytes_read", "bytes_skipped", "bytes_total")

Range = Sequence[int]


def check(plan: Facts, parts: Sequence[Facts], merged: Facts) -> None:
    """Raise ControlError unless the parts, and what they were merged into, are those of the plan."""
    _same("number of parts", len(plan["tasks"]), len(parts))
    for facts in (*parts, merged):
        _same("window", plan["window"], facts["window"])
        _same("version", plan["version"], facts["version"])
        _same("build", plan["build"], facts["build"])
        if facts["format"] > plan["tallies"]:
            found = f"the format of tallies is {facts['format']}, beyond that of the plan, {plan['tallies']}"
            raise ControlError(_refusal(found))
    more = _cover(plan, parts, "the parts")
    _same("bytes of last lines", more, _cover(plan, [merged], "the merged result"))
    balance = merged["balance"]
    for name in BYTES:
        _same(name, plan[name] + (0 if name == "bytes_skipped" else more), balance[name])
    for name in SUMS:
        _same(f"{name} of all parts", sum(part["balance"][name] for part in parts), balance[name])
    _same("connections of all parts", sum(part["connections"] for part in parts), merged["connections"])
    if merged.get("weighted"):
        # A line may stand for several connections.
        if merged["connections"] < balance["counted"]:
            _same("connections", balance["counted"], merged["connections"])
    else:
        _same("connections", balance["counted"], merged["connections"])
    _measures(parts, merged)
    _balance(balance)


def _measures(parts: Sequence[Facts], merged: Facts) -> None:
    """Check that sums of all parts are those of the merged result, and so are records without a number."""
    for facts in parts:
        names = [measure["name"] for measure in facts.get("measures", [])]
        _same("measures", [measure["name"] for measure in merged.get("measures", [])], names)
    for at, measure in enumerate(merged.get("measures", [])):
        for key in ("sum", "missing"):
            of_parts = sum(part["measures"][at][key] for part in parts)
            _same(f"{key} of {measure['name']} of all parts", of_parts, measure[key])


def _balance(balance: Facts) -> None:
    """Check that the balance sheet balances, with nothing left unread."""
    _same("lines read", sum(balance[name] for name in LINES), balance["lines_read"])
    _same("bytes", balance["bytes_read"] + balance["bytes_skipped"], balance["bytes_total"])
    _same("bytes unread", 0, balance.get("bytes_unread", 0))


def _cover(plan: Facts, files: Iterable[Facts], what: str) -> int:
    """Check that these tallies hold every byte of every input of the plan exactly once.

    A last line without a newline is there as a whole, if nothing had followed it when it was its turn, or not
    at all. Returns the bytes of such lines.
    """
    ranges: dict[str, list[Range]] = defaultdict(list)
    sizes: dict[str, int] = defaultdict(int)
    for facts in files:
        for given in facts["inputs"]:
            ranges[given["name"]] += [*given["read"], *given["skipped"]]
            sizes[given["name"]] = max(sizes[given["name"]], given["size"])
    planned = {given["path"]: given for given in plan["inputs"]}
    for name in ranges.keys() - planned.keys():
        raise ControlError(_refusal(f"{what} hold {name}, which is not in the plan"))
    more = 0
    for name, given in planned.items():
        has_last_line = given["unterminated"] > 0 and sizes[name] == given["size"] + given["unterminated"]
        size = sizes[name] if has_last_line else given["size"]
        problem = _gap(ranges[name], size)
        if problem:
            raise ControlError(_refusal(f"{what}: {name}: {problem}"))
        more += size - given["size"]
    return more


def _gap(ranges: Iterable[Range], size: int) -> str | None:
    """Say where these ranges fail to cover 0 to size exactly once, if they do."""
    position = 0
    for start, end in sorted((start, end) for start, end in ranges if start != end):
        if start > position:
            return f"bytes {position} to {start} are missing"
        if start < position:
            return f"bytes from {start} are counted twice"
        position = end
    return None if position == size else f"{position} bytes in place of {size}"


def _same(what: str, expected: object, found: object) -> None:
    """Raise ControlError if two values that must be the same are not."""
    if expected != found:
        raise ControlError(_refusal(f"{what}: {found} in place of {expected}"))


def _refusal(problem: str) -> str:
    return f"the control totals do not agree, so nothing is reported: {problem}"
