"""The real program through this package: its answers, to the byte. Skipped without LOGPARSER_BIN."""

from __future__ import annotations

import json
import re
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from distributed import Client

import logparser_dask
from logparser_dask.errors import LogparserError

END = "1700000000"


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory, real: str) -> Path:
    """Make three logs of 4 MB, and one odd small one; returns their glob."""
    folder = tmp_path_factory.mktemp("real")
    for seed in ("1", "2", "3"):
        line = ["make", str(folder / f"conn{seed}.log"), "--size", "4MB", "--end", END, "--seed", seed]
        subprocess.run([real, *line, "--malformed", "0.001", "--quiet"], check=True)
    odd = b"\n1699999990 tab\there\n1699999991 caf\xe9 Delta\r\nnonsense\n1699999992 sierra x\\y"
    (folder / "conn4.log").write_bytes(odd)
    return folder / "conn*.log"


def printed(program: str, *words: str | Path) -> str:
    """Return what the program prints by itself."""
    line = [program, *map(str, words)]
    return subprocess.run(line, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(
    "question",
    [
        {"window": "1h", "until": END},
        {"window": "1h", "until": "latest", "prune_above": "1KiB"},
        {"window": "10m", "until": "latest", "prune_above": "1KiB", "lateness": "10m"},
        {"window": "1d", "until": END, "grouping_seconds": 60},
        {"window": "1d", "until": END, "scan": "full", "max_partition": "100KiB"},
        {"since": "1699990000", "until": END, "max_partition": "77777"},
        {"window": "1d", "until": END, "seen": True},
        {"window": "1h", "until": "now"},
    ],
)
@pytest.mark.parametrize("output", ["text", "json", "csv"])
def test_reports_are_identical(
    client: Client, real: str, log: Path, question: dict[str, Any], output: str
) -> None:
    if question["until"] == "now" and output == "json":
        pytest.skip("JSON says the window, which differs between two runs that end now")
    small = {"max_partition": "500KB", **question}
    text = logparser_dask.report(client, log, "sierra", "Delta", output=output, **small)
    names = {"window": "--seconds", "max_partition": ""}
    options = [(names.get(key, "--" + key.replace("_", "-")), value) for key, value in question.items()]
    words = [
        word
        for option, value in options
        if option
        for word in ([option] if value is True else [option, str(value)])
    ]
    alone = printed(real, "--quiet", "--output", output, *words, log, "sierra", "Delta")
    if question["until"] == "now":
        # Two runs that end now have two windows, and tallies do not know the stamps beside them.
        text, alone = (re.sub(r"Nothing between .* UTC.*", "Nothing", said) for said in (text, alone))
        assert output != "text" or "Nothing" in text
    assert text == alone


def test_a_frame_is_what_all_pairs_are(client: Client, real: str, log: Path) -> None:
    df = logparser_dask.connections(client, log, window="1d", until=END, max_partition="1MB")
    answer = json.loads(printed(real, "top", log, "--seconds", "1d", "--until", END, "--output", "json"))
    busiest = df.groupby("to")["connections"].sum().sort_values(ascending=False).head(1)
    assert [[busiest.index[0], int(busiest.iloc[0])]] == answer["reports"][0]["rows"][:1]
    assert int(df["connections"].sum()) == answer["balance"]["counted"]
    assert df.equals(df.sort_values(["from", "to"], ignore_index=True))
    assert r"caf\xe9" in set(df["from"])


def test_a_frame_has_times_where_they_are_asked_for(client: Client, real: str, tmp_path: Path) -> None:
    path = tmp_path / "conn.log"
    lines = [(1699999000 + n * 7919 % 900, f"host{n % 7}", f"server{n % 3}") for n in range(20000)]
    path.write_text("".join(f"{stamp} {source} {server}\n" for stamp, source, server in lines))
    df = logparser_dask.connections(client, path, until=END, max_partition="50KB", lateness="15m", seen=True)
    assert list(df.columns) == ["from", "to", "connections", "first_seen", "last_seen"]
    plain = pd.DataFrame(lines, columns=["stamp", "from", "to"]).groupby(["from", "to"])["stamp"]
    for column, expected in (("first_seen", plain.min()), ("last_seen", plain.max())):
        found = df.set_index(["from", "to"])[column]
        assert found.equals(pd.to_datetime(expected, unit="s", utc=True).rename(column).astype(found.dtype))
    with pytest.raises(TypeError, match="seen is either True or False"):
        logparser_dask.connections(client, path, until=END, seen="yes")


def test_an_empty_window_is_an_empty_frame(client: Client, real: str, log: Path) -> None:
    df = logparser_dask.connections(client, log, window="1h", until=0)
    assert list(df.columns) == ["from", "to", "connections"]
    assert len(df) == 0
    assert df["connections"].dtype == pd.Series([1]).dtype


def test_a_log_that_is_not_sorted_is_read_whole(client: Client, real: str, tmp_path: Path) -> None:
    path = tmp_path / "reversed.log"
    path.write_text("".join(f"{1700000000 - n * 10} host{n % 5} Delta\n" for n in range(50000)))
    question: dict[str, Any] = {"until": "1699900000", "prune_above": "1KiB", "max_partition": "100KB"}
    text = logparser_dask.report(client, path, "host1", "Delta", **question)
    assert text == printed(
        real, "--quiet", "--until", "1699900000", "--prune-above", "1KiB", path, "host1", "Delta"
    )


@pytest.mark.parametrize(
    ("question", "code"), [({"until": "soon"}, 2), ({"max_partition": "much"}, 2), ({"scan": "half"}, 2)]
)
def test_wrong_values_are_told_by_the_program(
    client: Client, real: str, log: Path, question: dict[str, Any], code: int
) -> None:
    with pytest.raises(LogparserError) as info:
        logparser_dask.connections(client, log, **question)
    assert info.value.exit_code == code
    assert next(iter(question.values())) in info.value.message


def test_a_compressed_log_is_refused(client: Client, real: str, tmp_path: Path) -> None:
    path = tmp_path / "conn.log"
    path.write_bytes(b"\x1f\x8b\x08\x00" + bytes(100))
    with pytest.raises(LogparserError, match="conn.log"):
        logparser_dask.connections(client, path)


def test_a_log_that_is_being_written_is_counted_to_a_line_end(
    client: Client, real: str, tmp_path: Path
) -> None:
    path = tmp_path / "conn.log"
    path.write_text(f"{END} a b\n" * 20000)
    done = threading.Event()

    def write() -> None:
        with path.open("a", buffering=1) as log:
            while not done.is_set():
                # In two writes, so that the log ends inside a line half of the time.
                log.write(f"{END} a")
                log.flush()
                time.sleep(0.0005)
                log.write("bc b\n")
                time.sleep(0.0005)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        counts = []
        for _ in range(8):
            df = logparser_dask.connections(client, path, until=END, max_partition="100KB")
            # Half a line would have a host of its own, or none.
            assert set(df["from"]) <= {"a", "abc"}
            counts.append(int(df["connections"].sum()))
    finally:
        done.set()
        writer.join()
    assert counts == sorted(counts)
    assert counts[0] >= 20000
    assert counts[-1] > counts[0]


def test_a_last_line_without_a_newline_counts_in_a_log_that_is_final(
    client: Client, real: str, tmp_path: Path
) -> None:
    path = tmp_path / "conn.log"
    path.write_text(f"{END} a b\n" * 100 + f"{END} a last")
    df = logparser_dask.connections(client, path, until=END, max_partition="100B")
    assert df.to_numpy().tolist() == [["a", "b", 100], ["a", "last", 1]]


@pytest.mark.parametrize("location", ["s3://bucket/conn*.log", "hdfs://x/y", "gs://x", "http://x/y.log"])
def test_a_scheme_is_refused_by_its_name(client: Client, real: str, location: str) -> None:
    with pytest.raises(LogparserError, match=f"{location.split(':')[0]}:// is no place that is read") as info:
        logparser_dask.connections(client, location)
    assert info.value.exit_code == 2
