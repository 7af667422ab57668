"""What notebooks call: the same job as the command line, on a Dask client of theirs."""

from __future__ import annotations

import pandas as pd
from distributed import Client

from logparser_dask import binary, options, reports
from logparser_dask.job import counted
from logparser_dask.options import Location, Value


def connections(
    client: Client, location: Location, window: Value = "1h", until: Value = "now", **question: Value | None
) -> pd.DataFrame:
    r"""Count the connections of a window: a frame with columns from, to, connections, sorted by from, to.

    `location` is a file, folder or glob that every worker sees. `window` and `until` are as on the command
    line ("90s", "1h30m", 3600; "now", "latest", Unix seconds, RFC 3339); the other options of the question
    are keywords too, with underscores: since, grouping_seconds, unit, lateness, future, scan, prune_above,
    threads, max_memory, memory_policy, max_partition. Hosts are str, with `\xNN` for bytes that cannot be
    shown. Raises LogparserError.
    """
    with counted(client, _question(location, window, until, question)) as result:
        return reports.frame(result)


def report(
    client: Client,
    location: Location,
    host_from: str,
    host_to: str,
    window: Value = "1h",
    until: Value = "now",
    output: str = "text",
    limit: int | None = None,
    **question: Value | None,
) -> str:
    """Return the report that `logparser LOCATION HOST_FROM HOST_TO` prints; `output` is text, json or csv.

    Location, window, until and the other keywords are those of `connections`. Raises LogparserError.
    """
    shape = options.words({"output": output, "limit": limit}, options.REPORT)
    with counted(client, _question(location, window, until, question)) as result:
        done = binary.run(["report", "--quiet", *shape, "--", str(result.path), host_from, host_to])
    return done.stdout.decode()


def _question(
    location: Location, window: Value, until: Value, question: dict[str, Value | None]
) -> list[str]:
    """Put a question together as `logparser plan` takes it."""
    span = {} if question.get("since") is not None else {"seconds": window}
    line = options.words({**span, "until": until, **question}, options.QUESTION)
    return [*line, "--", options.where(location)]
