"""What stands around a line: syslog, and what container runtimes put in front. By RFC 3164, RFC 5424 and Kubernetes' CRI."""

import collections
import json
import re

from .fields import Malformed

# Texts, or None: the message, and of syslog also when, where, and which program. repeats: how many messages it stands for.
Opened = collections.namedtuple("Opened", "message time host program repeats", defaults=(None, None, None, 1))

MONTHS = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
STAMP = r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:[Zz]|[+-]\d\d:?\d\d)?"
PRIORITY = r"(?:<(?:\d|[1-9]\d|1[0-8]\d|19[01])>)?"
TRADITIONAL = re.compile(
    PRIORITY + r"((?:" + MONTHS + r") {1,2}\d{1,2} \d\d:\d\d:\d\d(?:\.\d+)?|" + STAMP + r") (\S+) (.*)",
    re.ASCII | re.DOTALL,
)
# A tag is a program, perhaps with its process number, and a colon.
TAG = re.compile(r"([^\s:\[]+)(?:\[[^\]]*\])?:(?: (.*))?", re.ASCII | re.DOTALL)
STRUCTURED = re.compile(
    PRIORITY
    + r"1 (-|"
    + STAMP
    + r') (\S+) (\S+) \S+ \S+ (?:-|(?:\[[^ =\]"]+(?: [^ =\]"]+="(?:[^"\\\]]|\\.)*")*\])+)(?: (?:\xef\xbb\xbf)?(.*))?',
    re.ASCII | re.DOTALL,
)
REPEATED = re.compile(r"message repeated ([1-9]\d{0,8}) times: \[ ?(.*)\]", re.ASCII | re.DOTALL)
CRI = re.compile(r"(" + STAMP + r") (stdout|stderr) ([PF])(?::\S*)? (.*)", re.ASCII | re.DOTALL)


def syslog(line):
    """As `one_syslog`; where rsyslog wrote one line for several messages alike, their message and how many there were."""
    opened = one_syslog(line)
    several = opened and REPEATED.fullmatch(opened.message)
    return opened._replace(message=several[2], repeats=int(several[1])) if several else opened


def one_syslog(line):
    """The message within syslog of either RFC, or None if there is no syslog in front."""
    match = STRUCTURED.fullmatch(line)
    if match:
        time, host, program, message = (None if part == "-" else part for part in match.groups())
        # rsyslog's template for this RFC writes a blank more, as old syslog has one behind the colon.
        return Opened((message or "").removeprefix(" "), time, host, program)
    match = TRADITIONAL.fullmatch(line)
    if not match:
        return None
    time, host, rest = match.groups()
    tag = TAG.fullmatch(rest)
    return Opened(tag[2] or "", time, host, tag[1]) if tag else Opened(rest, time, host)


def container(line):
    """The line that a container wrote, by CRI or by Docker's json-file, or None if neither is in front."""
    match = CRI.fullmatch(line)
    if match:
        if match[3] == "P":
            raise Malformed("a part of a line")
        return Opened(match[4], match[1])
    if not re.match(r'\{\s*"(log|stream|time|attrs)"', line):
        return None
    try:
        wrapped = json.loads(line.encode("latin-1").decode("utf-8", "surrogateescape"))
    except ValueError:
        return None
    if not isinstance(wrapped.get("log"), str) or wrapped.get("stream") not in ("stdout", "stderr"):
        return None
    if not wrapped["log"].endswith("\n"):
        raise Malformed("a part of a line")
    message = wrapped["log"].removesuffix("\n").removesuffix("\r")
    return Opened(message.encode("utf-8", "surrogateescape").decode("latin-1"), wrapped.get("time"))
