"""Lets `python -m logparser_dask` stand for `logparser-dask`."""

from logparser_dask.cli import main

if __name__ == "__main__":
    main()
