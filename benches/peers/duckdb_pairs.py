"""The question in DuckDB: FIRST LAST HOST_FROM HOST_TO FILE..."""

import sys

import duckdb

first, last, host_from, host_to, *files = sys.argv[1:]
db = duckdb.connect()
db.execute(
    """CREATE TEMP TABLE pairs AS
    SELECT "from", "to", count(*) AS n
    FROM read_csv(?, delim=' ', header=false, quote='', escape='', auto_detect=false,
                  columns={'stamp': 'BIGINT', 'from': 'VARCHAR', 'to': 'VARCHAR'})
    WHERE stamp BETWEEN ? AND ? GROUP BY ALL""",
    [files, int(first), int(last)],
)
top = db.execute('SELECT "to", sum(n) AS n FROM pairs GROUP BY 1 ORDER BY n DESC, 1 LIMIT 1').fetchone()
peers = lambda column, key, host: [row[0] for row in db.execute(
    f'SELECT "{column}" FROM pairs WHERE "{key}" = ? ORDER BY 1', [host]).fetchall()]
print("top", *top)
print("to", *peers("from", "to", host_to))
print("from", *peers("to", "from", host_from))
