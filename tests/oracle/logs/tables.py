"""Columns: plain, Zeek, AWS flow logs, nfdump, rwcut, and CSV by well-known names.

A line with more or fewer columns than its header, or than the layout without one, is malformed. A header that comes again is
other, and binds the columns of what follows.
"""

import re

from . import stamps
from .fields import CSV, Fields, Malformed, Other, split_quoted, whole_number
from .names import FROM, SUMS, TIME, TO
from .objects import get, parsed


class Plain:
    """`<Unix time> <from> <to>` with runs of blanks between. Nothing is other."""

    stamp = staticmethod(stamps.number)

    def __init__(self, _names):
        pass

    def read(self, line):
        columns = re.split("[ \t]+", line.strip(" \t"))
        if len(columns) != 3:
            raise Malformed("%d fields" % len(columns))
        return Fields(*columns)


class Header:
    """Columns by the names of a header."""

    def __init__(self, names):
        self.columns = {name: number for number, name in reversed(list(enumerate(names)))}
        self.count = len(names)

    def bind(self, values):
        if len(values) != self.count:
            raise Malformed("%d columns of %d" % (len(values), self.count))
        return lambda name: values[self.columns[name]] if name in self.columns else None


class Zeek:
    """Zeek's conn log: docs.zeek.org, "conn.log" and "Zeek Log Formats". Lines may be TSV or JSON.

    time: `ts`, the start. from, to: `id.orig_h`, `id.resp_h`. Other: lines that begin with `#`; in JSON, records whose
    `_path` is of another log. Malformed: a line of TSV before any `#fields`. A value that is unset is not there.
    """

    stamp = staticmethod(stamps.any_form)

    def __init__(self, _names):
        self.separator, self.unset, self.header = "\t", "-", None

    def read(self, line):
        if line.startswith("{"):
            entry = parsed(line)
            if get(entry, "_path") not in (None, "conn"):
                raise Other("of another log")
            return self.fields(lambda name: get(entry, name))
        if line.startswith("#"):
            self.directive(line)
            raise Other("a line of the header")
        if not self.header:
            raise Malformed("no header before it")
        value = self.header.bind(line.split(self.separator))
        return self.fields(lambda name: None if value(name) == self.unset else value(name))

    def directive(self, line):
        if line.startswith("#separator "):
            escaped = line.removeprefix("#separator ")
            self.separator = re.sub(r"\\x([0-9A-Fa-f]{2})", lambda code: chr(int(code[1], 16)), escaped)
            return
        name, *values = line.split(self.separator)
        if name == "#fields":
            self.header = Header(values)
        elif name == "#unset_field" and values:
            self.unset = values[0]

    @staticmethod
    def fields(value):
        sums = {
            "bytes": [value("orig_bytes"), value("resp_bytes")],
            "packets": [value("orig_pkts"), value("resp_pkts")],
        }
        return Fields(value("ts"), value("id.orig_h"), value("id.resp_h"), sums)


class AmazonFlow:
    """AWS VPC flow logs: "Flow log records", with a header that names the columns, or without one as version 2 has them.

    time: `end`, else `start`. from, to: `srcaddr`, `dstaddr`; in a layout that has none, `pkt-srcaddr`, `pkt-dstaddr`.
    Other: the header; `log-status` NODATA and SKIPDATA; where both addresses are `-`. Without a header one more column may
    stand in front, which CloudWatch writes: when the event was taken in.
    """

    stamp = staticmethod(stamps.number)
    VERSION_2 = (
        "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status"
    ).split()

    def __init__(self, _names):
        self.header = None

    def read(self, line):
        columns = re.split("[ \t]+", line.strip(" \t"))
        if {"srcaddr", "dstaddr"} <= set(columns) or {"pkt-srcaddr", "pkt-dstaddr"} <= set(columns):
            self.header = Header(columns)
            raise Other("a header")
        header = self.header
        if not header:
            header = Header(self.VERSION_2)
            if stamps.DATE.fullmatch(columns[0]):
                columns = columns[1:]
        value = header.bind(columns)
        if value("log-status") in ("NODATA", "SKIPDATA"):
            raise Other(value("log-status"))
        source = value("srcaddr") or value("pkt-srcaddr")
        target = value("dstaddr") or value("pkt-dstaddr")
        if source == target == "-":
            raise Other("no addresses")
        known = lambda name: None if value(name) == "-" else value(name)
        source, target = (None if address == "-" else address for address in (source, target))
        return Fields(
            known("end") or known("start"), source, target, {name: [known(name)] for name in ("bytes", "packets")}
        )


class Nfdump:
    """nfdump -o csv: that of 1.6 and 1.7.1 (`ts,te,td,sa,da,...`), that of later ones (`firstSeen,...`) and csv-fast.

    time: `te` or `lastSeen`, else `ts` or `firstSeen`. from, to: `sa`, `da`, or `srcAddr`, `dstAddr`. A line counts as
    often as its column `flows` says. Other: headers; `Summary` and the two lines after it; `No matching flows`.
    """

    stamp = staticmethod(stamps.any_form)

    def __init__(self, _names):
        self.header, self.summary = None, 0

    def read(self, line):
        columns = [column.strip(" ") for column in line.split(",")]
        if self.summary or columns == ["Summary"]:
            self.summary = 2 if columns == ["Summary"] else self.summary - 1
            raise Other("the summary")
        if {"sa", "da"} <= set(columns) or {"srcAddr", "dstAddr"} <= set(columns):
            self.header = Header(columns)
            raise Other("a header")
        if line.startswith("No matching flows"):
            raise Other("no flows")
        if not self.header:
            raise Malformed("no header before it")
        value = self.header.bind(columns)
        first = lambda *names: next((text for text in map(value, names) if text is not None), None)
        weight = 1
        if value("flows") is not None:
            weight = whole_number(value("flows"))
            if weight is None:
                raise Malformed("flows is no number")
        sums = {"bytes": [first("ibyt", "bytes")], "packets": [first("ipkt", "packets")]}
        time = first("te", "lastSeen", "ts", "firstSeen")
        return Fields(time, first("sa", "srcAddr"), first("da", "dstAddr"), sums, "", weight)


class Silk:
    """rwcut of SiLK: tools.netsa.cert.org/silk/rwcut.html. Padded columns with `|` between and one at the end.

    time: `eTime`, else `sTime`. from, to: `sIP`, `dIP`. Other: a line of titles.
    """

    stamp = staticmethod(stamps.any_form)

    def __init__(self, _names):
        self.header = None

    def read(self, line):
        columns = [column.strip(" ") for column in line.removesuffix("|").split("|")]
        if {"sIP", "dIP"} <= set(columns):
            self.header = Header(columns)
            raise Other("titles")
        if not self.header:
            raise Malformed("no titles before it")
        value = self.header.bind(columns)
        sums = {name: [value(name)] for name in ("bytes", "packets")}
        time = value("sTime") if value("eTime") is None else value("eTime")
        return Fields(time, value("sIP"), value("dIP"), sums)


class Csv:
    """Tables with a header, quoted as RFC 4180 has it but with no newline in a field, by well-known names (`names.py`).

    The separator is that of comma, semicolon, tab and `|` which the header has most of. Other: the header, also where the
    same comes again. Malformed: everything, if the header lacks a time, from or to.
    """

    stamp = staticmethod(stamps.any_form)

    def __init__(self, names):
        self.names, self.header, self.titles = names, None, None

    def read(self, line):
        if not self.header:
            self.separator = max(",;\t|", key=line.count)
            self.titles = line
            self.header = Header([column.lower() for column in split_quoted(line, self.separator, CSV)])
            raise Other("the header")
        if line == self.titles:
            raise Other("the header")
        value = self.header.bind(split_quoted(line, self.separator, CSV))
        column = lambda which, known: self.first([self.names[which]] if self.names[which] else known)
        time, source, target = column("time", TIME), column("from", FROM), column("to", TO)
        if None in (time, source, target):
            raise Malformed("no column for it")
        sums = {name: [value(self.first(known))] for name, known in SUMS.items() if self.first(known)}
        return Fields(value(time), value(source), value(target), sums)

    def first(self, names):
        return next((name.lower() for name in names if name.lower() in self.header.columns), None)
