"""What a reader finds in a line, and how it says that a line is no record.

All text is latin-1: one character for each byte of the log, so that nothing is lost and blanks are blanks of ASCII only.
"""

import collections
import re

# A whole number that fits 64 bits is a measure; anything else is as if it were missing.
HIGHEST = 2**64 - 1


class Other(Exception):
    """The line is recognised and no record: a header, a comment, an event of another kind."""


class Malformed(Exception):
    """The line is not one of the format."""


# time, source, target: text, or None where the line has none. sums: by name a list of texts that are added up. unwanted: why
# the preset leaves out this record, or an empty text. weight: how many connections the line stands for.
Fields = collections.namedtuple("Fields", "time source target sums unwanted weight", defaults=({}, "", 1))


def whole_number(text):
    """The number that a field holds, or None."""
    if text is None or not re.fullmatch(r"\d+", text, re.ASCII) or int(text) > HIGHEST:
        return None
    return int(text)


def without_port(address):
    """`1.2.3.4:80`, `[::1]:80`, `tcp://host:80` without what is not the host. An IPv6 address without brackets has no port."""
    address = re.sub(r"^[a-z][a-z0-9+.-]*://", "", address)
    bracketed = re.fullmatch(r"\[([^\]]*)\](:\d+)?", address, re.ASCII)
    if bracketed:
        return bracketed[1]
    return re.sub(r":\d+$", "", address, flags=re.ASCII) if address.count(":") == 1 else address


# How fields are quoted: what a field that begins with this ends with, and whether runs of separators are one.
CSV = ({'"': re.compile(r'"((?:[^"]|"")*)"', re.DOTALL)}, False)
WEB = ({'"': re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL), "[": re.compile(r"\[([^\]]*)\]", re.DOTALL)}, True)
UNESCAPED = ({'"': re.compile(r'"([^"]*)"', re.DOTALL)}, True)


def split_quoted(line, separators, quoting):
    """The fields of a line in which a field that begins with a quote ends with one.

    In CSV two quotes stand for one. In web logs brackets quote too, and a backslash takes the character after it with it; both
    stay in the text. Text between a closing quote and the separator, or a quote that stays open, is no line of the format.
    """
    quotes, runs = quoting
    fields, at = [], 0
    while True:
        if runs and at >= len(line):
            return fields
        if runs and line[at] in separators:
            at += 1
            continue
        quote = quotes.get(line[at : at + 1])
        if quote:
            match = quote.match(line, at)
            if not match:
                raise Malformed("a quote that is not closed")
            at = match.end()
            if at < len(line) and line[at] not in separators:
                raise Malformed("text behind a quote")
            fields.append(match[1].replace('""', '"') if quoting is CSV else match[1])
        else:
            end = min(
                [found for found in (line.find(separator, at) for separator in separators) if found >= 0] or [len(line)]
            )
            fields.append(line[at:end])
            at = end
        if at >= len(line):
            return fields
        at += 1


def shown(name):
    """A name as the program's JSON shows it: see docs/results.md."""
    text = name.encode("latin-1").decode("utf-8", "surrogateescape")
    text = re.sub(r"\\(?=x)", r"\\x5c", text)
    return re.sub("[\udc80-\udcff]", lambda byte: "\\x%02x" % (ord(byte[0]) - 0xDC00), text)
