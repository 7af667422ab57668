"""Connections to each server in each hour, in Polars, streaming engine: FILE..."""

import sys

import polars as pl

hours = (
    pl.scan_csv(
        sys.argv[1:],
        separator=" ",
        has_header=False,
        schema={"stamp": pl.Int64, "from": pl.String, "to": pl.String},
        quote_char=None,
    )
    .group_by((pl.col("stamp") // 3600).alias("hour"), "to")
    .len()
    .collect(engine="streaming")
)
for hour, server, connections in hours.iter_rows():
    print(hour, server, connections)
