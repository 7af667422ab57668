"""The question in Polars, streaming engine: FIRST LAST HOST_FROM HOST_TO FILE..."""

import sys

import polars as pl

first, last, host_from, host_to, *files = sys.argv[1:]
pairs = (
    pl.scan_csv(
        files,
        separator=" ",
        has_header=False,
        schema={"stamp": pl.Int64, "from": pl.String, "to": pl.String},
        quote_char=None,
    )
    .filter(pl.col("stamp").is_between(int(first), int(last)))
    .group_by("from", "to")
    .len()
    .collect(engine="streaming")
)
servers = pairs.group_by("to").agg(pl.col("len").sum()).sort(["len", "to"], descending=[True, False])
print("top", *servers.row(0))
print("to", *pairs.filter(pl.col("to") == host_to)["from"].sort())
print("from", *pairs.filter(pl.col("from") == host_from)["to"].sort())
