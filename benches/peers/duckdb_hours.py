"""Connections to each server in each hour, in DuckDB: FILE..."""

import sys

import duckdb

rows = duckdb.execute(
    """SELECT stamp // 3600, "to", count(*)
    FROM read_csv(?, delim=' ', header=false, quote='', escape='', auto_detect=false,
                  columns={'stamp': 'BIGINT', 'from': 'VARCHAR', 'to': 'VARCHAR'})
    GROUP BY ALL""",
    [sys.argv[1:]],
).fetchall()
for hour, server, connections in rows:
    print(hour, server, connections)
