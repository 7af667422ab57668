"""The command `logparser-dask`."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any, NoReturn

from distributed import Client

from logparser_dask import binary, options, reports
from logparser_dask.connect import Cluster, Tls, connected, dashboard
from logparser_dask.errors import FAILED, INTERRUPTED, USAGE, LogparserError, WorkerError, explain
from logparser_dask.job import Result, counted
from logparser_dask.terminal import Bar, say
from logparser_dask.version import __version__

DESCRIPTION = "Who connects to whom, counted on a Dask cluster. The options are those of logparser."


class Hand(argparse.Action):
    """Hands an option and its value on to the program as they were written."""

    def __call__(self, parser: Any, space: Any, value: Any, option: str | None = None) -> None:
        """Append to the list of the option's group."""
        setattr(space, self.dest, [*getattr(space, self.dest), str(option), value])


class HandFlag(argparse.Action):
    """Hands an option without a value on."""

    def __init__(self, option_strings: Sequence[str], dest: str, **more: Any) -> None:
        """Take no value."""
        super().__init__(option_strings, dest, nargs=0, **more)

    def __call__(self, parser: Any, space: Any, value: Any, option: str | None = None) -> None:
        """Note it."""
        setattr(space, self.dest, [*getattr(space, self.dest), str(option)])


class Refuse(argparse.Action):
    """Refuses an option of the program that a cluster has not."""

    def __call__(self, parser: Any, space: Any, value: Any, option: str | None = None) -> None:
        """Say so."""
        parser.error(f"{option} is not there on a cluster; run logparser itself")


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parse = argparse.ArgumentParser("logparser-dask", description=DESCRIPTION, allow_abbrev=False)
    parse.set_defaults(question=[], shape=[])
    parse.add_argument("location", metavar="LOCATION", help="a file, folder or quoted glob that workers see")
    parse.add_argument("host_from", metavar="HOST_FROM", help="list the hosts that this one connects to")
    parse.add_argument("host_to", metavar="HOST_TO", help="list the hosts that connect to this one")
    parse.add_argument("--version", "-V", action="version", version=f"logparser-dask {__version__}")
    parse.add_argument("--quiet", "-q", action="store_true", help="no progress and no balance sheet")
    _add_repetition(parse)
    _add_cluster(parse.add_argument_group("cluster"))
    parse.add_argument(
        "--report",
        action="append",
        default=[],
        metavar="MODULE:FUNCTION",
        help="print what this function (client, df, timestamp) returns, too; may be given several times",
    )
    handed = parse.add_argument_group("options of logparser (see logparser --help)")
    for dest, known in (("question", options.QUESTION), ("shape", options.REPORT)):
        for option in known:
            if option in options.FLAGS:
                handed.add_argument(option, dest=dest, action=HandFlag, default=argparse.SUPPRESS)
            else:
                handed.add_argument(
                    option, dest=dest, action=Hand, metavar="VALUE", default=argparse.SUPPRESS
                )
    for option in options.REFUSED:
        parse.add_argument(option, action=Refuse, nargs="?", help=argparse.SUPPRESS)
    return parse


def _add_repetition(parse: argparse.ArgumentParser) -> None:
    """Add what says whether to report once or again and again."""
    how = parse.add_mutually_exclusive_group()
    how.add_argument("--folder", action="store_true", help="report once (the default)")
    how.add_argument("--tail", action="store_true", help="report every --sleep-seconds, until interrupted")
    parse.add_argument("--sleep-seconds", type=options.seconds, default=3600, metavar="TIME")


def _add_cluster(group: Any) -> None:
    """Add what says where to run."""
    group.add_argument("--scheduler", metavar="ADDRESS", help="of a cluster; without it, one is started here")
    group.add_argument("--workers", type=_positive, metavar="N", help="workers to start, or to wait for")
    group.add_argument("--threads-per-worker", type=_positive, metavar="N", help="of a cluster started here")
    group.add_argument("--tls-ca-file", metavar="PATH", help="authority that has signed the certificates")
    group.add_argument("--tls-cert", metavar="PATH", help="certificate of this client")
    group.add_argument("--tls-key", metavar="PATH", help="private key of this client")


def _positive(text: str) -> int:
    """Read a number above zero."""
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run the command, and exit with its code."""
    parse = parser()
    args = parse.parse_args(argv)
    try:
        code = _run(parse, args)
        sys.stdout.flush()
    except LogparserError as error:
        say(error.message)
        code = error.exit_code
    except KeyboardInterrupt:
        code = INTERRUPTED
    except BrokenPipeError:
        # Whoever read the results has seen enough. What is still buffered has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except Exception as error:
        say(explain(error).message)
        code = FAILED
    sys.exit(code)


def _run(parse: argparse.ArgumentParser, args: argparse.Namespace) -> int:
    """Check everything that can be checked first, then connect and report."""
    functions = [reports.load(name) for name in args.report]
    if functions and {"json", "csv"} & set(args.shape):
        parse.error(
            "--report prints text, which --output json and csv have no place for; name a file, json:PATH"
        )
    if args.tail and "--since" in args.question:
        parse.error("--tail moves the window, so it takes no --since")
    cluster = _cluster(parse, args)
    question = [*args.question, "--", options.where(args.location)]
    binary.version()
    with connected(cluster) as client:
        if not args.quiet and (address := dashboard(client)):
            say(f"dashboard at {address}")
        _wait(client, args.workers or 0)
        if args.tail:
            return _repeat(client, question, functions, args)
        return _once(client, question, functions, args)


def _cluster(parse: argparse.ArgumentParser, args: argparse.Namespace) -> Cluster:
    """Put together where to run."""
    tls = Tls(args.tls_ca_file, args.tls_cert, args.tls_key)
    if args.scheduler and args.threads_per_worker:
        parse.error("--threads-per-worker is for a cluster started here, not for one at --scheduler")
    if any(tls) and not args.scheduler:
        parse.error("--tls-ca-file, --tls-cert and --tls-key go with --scheduler")
    for option, path in zip(("--tls-ca-file", "--tls-cert", "--tls-key"), tls, strict=True):
        if path and not os.path.isfile(path):
            parse.error(f"{option}: there is no file {path}")
    return Cluster(args.scheduler, args.workers, args.threads_per_worker, tls)


def _wait(client: Client, workers: int) -> None:
    """Wait until so many workers are there."""
    there = len(client.nthreads())
    if there < workers:
        say(f"waiting for {workers} workers, {there} are there")
        client.wait_for_workers(workers)


def _repeat(
    client: Client, question: list[str], functions: list[reports.Report], args: argparse.Namespace
) -> int:
    """Report every so often, each time of the window that ends then. A failed round is not the end."""
    following = time.monotonic()
    while True:
        try:
            _once(client, question, functions, args)
            sys.stdout.flush()
        except WorkerError as error:
            if error.exit_code == USAGE:
                raise
            say(error.message)
        following = max(following + args.sleep_seconds, time.monotonic())
        time.sleep(max(0.0, following - time.monotonic()))


def _once(
    client: Client, question: list[str], functions: list[reports.Report], args: argparse.Namespace
) -> int:
    """Count, then print: first whatever can still fail is done, then the reports come."""
    with counted(client, question, Bar(args.quiet)) as result:
        texts = _texts(client, functions, result)
        code = _print_report(result, args)
        if code == 0:
            sys.stdout.write("".join(texts))
        return code


def _texts(client: Client, functions: list[reports.Report], result: Result) -> list[str]:
    """Run the report functions in Python."""
    if not functions:
        return []
    df, end = reports.frame(result), reports.end_of(result)
    return [reports.render(report, client, df, end) for report in functions]


def _print_report(result: Result, args: argparse.Namespace) -> int:
    """Let the program print to this command's own stdout and stderr; returns its exit code."""
    quiet = ["--quiet"] if args.quiet else []
    line = ["report", *quiet, *args.shape, "--", str(result.path), args.host_from, args.host_to]
    sys.stdout.flush()
    return subprocess.run([binary.find(), *line], stdin=subprocess.DEVNULL, check=False).returncode
