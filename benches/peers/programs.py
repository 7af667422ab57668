"""The programs, what each is asked, and its answer in a form in which all of them are compared."""

import collections
import dataclasses
import importlib
import importlib.util
import json
import pathlib
import shutil
import subprocess
import sys
from typing import Any, Callable, Optional

from logs import DAY, END

HERE = pathlib.Path(__file__).resolve().parent
HOUR = 3_600

# The questions. Programs that are asked the same on the same logs have to give the same answer.
LAST_HOUR, ALL_INSIDE, A_TENTH = "last hour", "all inside", "all inside, a tenth of the lines"
SERVERS, HOURS, SLIDING = "servers", "servers by hour", "servers, an hour every five minutes"


@dataclasses.dataclass(frozen=True)
class Program:
    """A command line, and what makes an answer of what it prints: None where there is nothing to compare."""

    tool: str
    question: str
    command: list
    answer: Optional[Callable[[str], Any]] = None
    # What else sets it apart from others of its tool and question.
    how: str = ""


def is_there(tool):
    if tool in ("Polars", "DuckDB"):
        return importlib.util.find_spec(tool.lower()) is not None
    return shutil.which(tool) is not None


def versions(logparser):
    """What is measured, with its version, and what is not because it is not there."""
    line = lambda *command: subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\n")[0]
    told = {
        "Polars": lambda: "Polars " + importlib.import_module("polars").__version__,
        "DuckDB": lambda: "DuckDB " + importlib.import_module("duckdb").__version__,
        "mawk": lambda: " ".join(line("mawk", "-W", "version").split()[:2]),
        "wc": lambda: line("wc", "--version"),
    }
    found = [line(str(logparser), "--version")] + [version() for tool, version in told.items() if is_there(tool)]
    return found, [tool for tool in told if not is_there(tool)]


class Asked:
    """The programs for some logs."""

    def __init__(self, logparser, logs, files, folder):
        self.logparser, self.logs, self.files, self.folder = logparser, logs, files, folder

    def own(self, question, how, reports, answer, **keys):
        """logparser, from a configuration."""
        table = lambda report: "{ " + ", ".join(f"{key} = {json.dumps(value)}" for key, value in report.items()) + " }"
        keys = {"location": self.files, "outputs": ["json"], "now": END, **keys}
        lines = [f"{key} = {json.dumps(value)}" for key, value in keys.items()]
        lines.append(f"reports = [{', '.join(map(table, reports))}]")
        config = self.folder / f"{len(list(self.folder.glob('*.toml')))}.toml"
        config.write_text("\n".join(lines) + "\n")
        return Program("logparser", question, [self.logparser, "run", config, "--quiet"], answer, how)

    def pairs(self, question, seconds, how="", **keys):
        """logparser, asked for the busiest server and the peers of two hosts."""
        host_from, host_to = self.logs.hosts
        reports = [{"name": "top-servers", "limit": 1}, {"name": "connected-to", "host": host_to},
                   {"name": "connected-from", "host": host_from}]
        return self.own(question, how, reports, own_pairs, until=END, seconds=seconds, **keys)

    def servers(self, question, limit, **keys):
        """logparser, asked for the busiest servers of a window, or of many."""
        answer = own_hours if "every" in keys else own_servers
        return self.own(question, "", [{"name": "top-servers", "limit": limit}], answer, **keys)

    def peers(self, question, seconds, tools):
        """The others, asked what `pairs` asks."""
        first, last, host_from, host_to = window = [END - seconds, END, *self.logs.hosts]
        values = {"first": first, "last": last, "host_from": host_from, "host_to": host_to}
        variables = [word for name, value in values.items() for word in ("-v", f"{name}={value}")]
        commands = {
            "Polars": [sys.executable, HERE / "polars_pairs.py", *window],
            "DuckDB": [sys.executable, HERE / "duckdb_pairs.py", *window],
            "mawk": ["mawk", *variables, "-f", HERE / "pairs.awk"],
        }
        return self.those_there(question, tools, commands, peers_pairs) + self.wc(question)

    def peers_hours(self):
        """The others, asked for all servers of each hour."""
        commands = {tool: [sys.executable, HERE / f"{tool.lower()}_hours.py"] for tool in ("Polars", "DuckDB")}
        return self.those_there(HOURS, commands, commands, peers_hours)

    def wc(self, question):
        return self.those_there(question, ["wc"], {"wc": ["wc", "-l"]}, None)

    def those_there(self, question, tools, commands, answer):
        return [Program(tool, question, [*commands[tool], *self.files], answer) for tool in tools if is_there(tool)]


def own_pairs(output):
    top, to, from_ = [report["rows"] for report in json.loads(output)["reports"]]
    return [["top", top[0][0], str(top[0][1])], ["to"] + sorted(row[0] for row in to),
            ["from"] + sorted(row[0] for row in from_)]


def peers_pairs(output):
    lines = [line.split() for line in output.splitlines()]
    return [lines[0]] + [[line[0]] + sorted(line[1:]) for line in lines[1:]]


def own_servers(output):
    return {server: count for server, count in json.loads(output)["reports"][0]["rows"]}


def own_hours(output):
    """By hour since 1970, of windows that are whole hours. None of them may have lost a line."""
    hours = {}
    for line in output.splitlines():
        result = json.loads(line)
        hour, rest = divmod(result["window"]["start_unix"], HOUR)
        if not rest:
            hours[hour] = {server: count for server, count in result["reports"][0]["rows"]}
    return hours


def peers_hours(output):
    hours = collections.defaultdict(dict)
    for line in output.splitlines():
        hour, server, count = line.split()
        hours[int(hour)][server] = int(count)
    return dict(hours)


def few(asked, tenth):
    """On logs of few hosts: all that is measured, and in which order within a round."""
    day = {"until": END, "seconds": DAY}
    return [
        asked.pairs(LAST_HOUR, HOUR),
        asked.pairs(LAST_HOUR, HOUR, "--scan full", scan="full"),
        *asked.peers(LAST_HOUR, HOUR, ["Polars", "DuckDB", "mawk"]),
        asked.pairs(ALL_INSIDE, DAY),
        asked.pairs(ALL_INSIDE, DAY, "1 thread", threads=1),
        asked.pairs(ALL_INSIDE, DAY, "2 threads", threads=2),
        *asked.peers(ALL_INSIDE, DAY, ["Polars", "DuckDB", "mawk"]),
        tenth.pairs(A_TENTH, DAY),
        asked.servers(SERVERS, 1000, **day),
        asked.servers(HOURS, 1000, every="1h", seconds="1h"),
        asked.servers(SLIDING, 1000, every="5m", seconds="1h"),
        *asked.peers_hours(),
    ]


def many(asked):
    """On logs of many hosts, most of whose lines are a pair of their own."""
    return [
        asked.pairs(ALL_INSIDE, DAY),
        *asked.peers(ALL_INSIDE, DAY, ["Polars", "DuckDB"]),
        asked.servers(HOURS, 10, every="1h", seconds="1h"),
        asked.servers(SLIDING, 10, every="5m", seconds="1h"),
    ]


def long_names(asked):
    return [asked.pairs(ALL_INSIDE, DAY), *asked.peers(ALL_INSIDE, DAY, ["Polars", "DuckDB"])]


def disagreements(programs, answers):
    """Whoever has another answer to a question than the first that was asked, and windows that slide than those that do not."""
    wrong, first = [], {}
    for program, answer in zip(programs, answers):
        if answer is not None:
            one, right = first.setdefault(program.question, (program, answer))
            if answer != right:
                names = f"{program.tool} {program.how} and {one.tool}"
                wrong.append(f"{program.question}: {names} disagree:\n{answer}\n{right}")
    if HOURS in first and SLIDING in first:
        hours, sliding = first[HOURS][1], first[SLIDING][1]
        # The last hour has not ended where the lines do, so no window that slides ends with it.
        if sliding != {hour: rows for hour, rows in hours.items() if hour != max(hours)}:
            wrong.append(f"windows that slide and those that do not disagree:\n{sliding}\n{hours}")
    if HOURS in first and SERVERS in first:
        total = sum((collections.Counter(rows) for rows in first[HOURS][1].values()), collections.Counter())
        if total != first[SERVERS][1]:
            wrong.append(f"hours do not add up to the day:\n{total}\n{first[SERVERS][1]}")
    return wrong
