"""logparser on a Dask cluster: who connects to whom, for logs that have outgrown one machine.

Dask schedules, retries, encrypts and moves the results; the program `logparser` reads and counts. Only
tallies travel between machines, never log lines.
"""

from logparser_dask.api import connections, report
from logparser_dask.errors import LogparserError
from logparser_dask.version import __version__

__all__ = ["LogparserError", "__version__", "connections", "report"]
