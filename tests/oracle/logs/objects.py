"""Lines of JSON: Suricata, Google Cloud, Hubble, and any by well-known names.

A path `a.b` is looked for in any grouping: as a key `a.b`, and as a key `b` in the object at `a`. Where it is there more than
once, the last in the text counts. Texts and numbers are their text, `null` is as if it were not there.
"""

import json
import re

from . import stamps
from .fields import Fields, Malformed, Other
from .names import FROM, SUMS, TIME, TO


class Pairs(list):
    """The keys and values of an object, in the order of the text."""


def refuse(constant):
    raise ValueError("no JSON: %s" % constant)


def parsed(line):
    """The object that a line is, with keys and texts as text of one character a byte."""
    text = line.encode("latin-1").decode("utf-8", "surrogateescape")
    try:
        value = json.loads(text, object_pairs_hook=Pairs, parse_int=Number, parse_float=Number, parse_constant=refuse)
    except (ValueError, RecursionError):
        raise Malformed("no JSON") from None
    if not isinstance(value, Pairs):
        raise Malformed("no object")
    return value


class Number(str):
    """A number as it is written."""


def find(value, path):
    """The values at a path, in the order of the text."""
    if isinstance(value, Pairs):
        for key, inner in value:
            key = as_bytes(key)
            if key == path:
                yield inner
            elif path.startswith(key + "."):
                yield from find(inner, path[len(key) + 1 :])


def get(value, path):
    """The text at a path, or None."""
    found = None
    for found in find(value, path):
        pass
    if found is None:
        return None
    if isinstance(found, bool):
        return "true" if found else "false"
    if isinstance(found, str):
        return as_bytes(found)
    return "(not a text)"


def as_bytes(text):
    # Half a surrogate pair is no character, and has the three bytes that it would have; bytes that were not UTF-8 come back
    # as they were.
    def half(match):
        return match[0].encode("utf-8", "surrogatepass").decode("utf-8", "surrogateescape")

    text = re.sub("[\ud800-\udbff\udc00-\udc7f]", half, text)
    return text.encode("utf-8", "surrogateescape").decode("latin-1")


class Suricata:
    """Suricata's EVE: docs.suricata.io, "Eve JSON Format".

    time: `flow.end`. from, to: `src_ip`, `dest_ip` of the top level. Other: any `event_type` but `flow`.
    Malformed: no `event_type`. Sums: both directions together.
    """

    stamp = staticmethod(stamps.date)

    def __init__(self, _names):
        pass

    def read(self, line):
        event = parsed(line)
        kind = get(event, "event_type")
        if kind is None:
            raise Malformed("no event_type")
        if kind != "flow":
            raise Other("event_type %s" % kind)
        sums = {
            "bytes": [get(event, "flow.bytes_toserver"), get(event, "flow.bytes_toclient")],
            "packets": [get(event, "flow.pkts_toserver"), get(event, "flow.pkts_toclient")],
        }
        return Fields(get(event, "flow.end"), get(event, "src_ip"), get(event, "dest_ip"), sums)


class GoogleFlow:
    """Google Cloud's VPC flow logs as log entries: "About VPC Flow Logs records".

    time: `jsonPayload.end_time`. from, to: `jsonPayload.connection.src_ip`, `dest_ip`. Filtered: any `jsonPayload.reporter`
    but SRC, so that a flow that both ends report counts once. Other: entries without a reporter, such as those of firewall
    rules, which have a connection too. Sums are texts that hold numbers.
    """

    stamp = staticmethod(stamps.date)

    def __init__(self, _names):
        pass

    def read(self, line):
        entry = parsed(line)
        reporter = get(entry, "jsonPayload.reporter")
        if reporter is None:
            raise Other("no reporter")
        return Fields(
            get(entry, "jsonPayload.end_time"),
            get(entry, "jsonPayload.connection.src_ip"),
            get(entry, "jsonPayload.connection.dest_ip"),
            {"bytes": [get(entry, "jsonPayload.bytes_sent")], "packets": [get(entry, "jsonPayload.packets_sent")]},
            "" if reporter == "SRC" else "reporter %s" % reporter,
        )


class Hubble:
    """Flows of Cilium's Hubble, as `hubble observe -o json` and its exporter write them, and without the `flow` around.

    time: `time` of the flow. from, to: `IP.source`, `IP.destination`. Filtered: all but packets with SYN that are not
    known to be replies. Other: events without IP, such as `lost_events`, `node_status`, debug and agent events.
    """

    stamp = staticmethod(stamps.date)

    def __init__(self, _names):
        pass

    def read(self, line):
        event = parsed(line)
        flow = event
        for key, value in event:
            if key == "flow" and isinstance(value, Pairs):
                flow = value
        if get(flow, "IP") is None:
            raise Other("no flow of packets")
        is_start = get(flow, "l4.TCP.flags.SYN") == "true" and get(flow, "is_reply") != "true"
        unwanted = "" if is_start else "no start of a connection"
        return Fields(get(flow, "time"), get(flow, "IP.source"), get(flow, "IP.destination"), {}, unwanted)


class Lines:
    """JSON by well-known names (see `names.py`), or by those that are asked for. Nothing is other."""

    stamp = staticmethod(stamps.any_form)

    def __init__(self, names):
        self.names = names

    def read(self, line):
        value = parsed(line)
        time, source, target = (
            self.first(value, [self.names[which]] if self.names[which] else known)
            for which, known in (("time", TIME), ("from", FROM), ("to", TO))
        )
        return Fields(time, source, target, {name: [self.first(value, known)] for name, known in SUMS.items()})

    @staticmethod
    def first(value, names):
        return next((text for text in (get(value, name) for name in names) if text is not None), None)
