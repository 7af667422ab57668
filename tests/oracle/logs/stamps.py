"""Instants as logs write them, in nanoseconds since 1970.

A text without a zone is local time of the zone that is asked for. A local time that comes twice is the first of the two, and
one that never comes is told with the offset from before the gap, as RFC 5545 (3.3.5) has it. Nothing is rounded: digits finer
than nanoseconds that are not zero make a bad stamp.
"""

import collections
import datetime
import re

from .fields import Malformed

NANOS = 10**9
EPOCH = datetime.datetime(1970, 1, 1)
MONTHS = {name: number for number, name in enumerate("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), 1)}
# Of whole numbers: the most digits, and how many nanoseconds one stands for.
UNITS = [(11, NANOS), (14, 10**6), (17, 10**3), (99, 1)]

NUMBER = re.compile(r"(-?)(\d+)(?:\.(\d*))?", re.ASCII)
DATE = re.compile(
    r"(\d{4})([-/])(\d\d)\2(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:[.,](\d+))? ?([Zz]|[+-]\d\d(?::?\d\d)?)?", re.ASCII
)
WEB = re.compile(
    r"(\d\d)/([A-Z][a-z]{2})/(\d{4}):(\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?: ([+-]\d\d(?::?\d\d)?))?", re.ASCII
)
SYSLOG = re.compile(r"([A-Z][a-z]{2}) {1,2}(\d{1,2}) (\d\d):(\d\d):(\d\d)(?:\.(\d+))?", re.ASCII)

# zone: for texts without one. latest: no text without a year means a later instant.
Rules = collections.namedtuple("Rules", "zone latest")


def number(text, _rules=None):
    """A Unix time: up to 11 digits are seconds, up to 14 milliseconds, up to 17 microseconds, more are nanoseconds."""
    match = NUMBER.fullmatch(text)
    if not match:
        raise Malformed("bad timestamp %r" % text)
    whole = match[2].lstrip("0")
    unit = next(unit for digits, unit in UNITS if len(whole) <= digits)
    value = int(whole or "0") * unit + fraction(match[3], unit)
    return in_range(-value if match[1] else value)


def date(text, rules):
    """RFC 3339 and what is written alike: a blank for the T, `+0000`, no zone, a comma, slashes in the date."""
    match = DATE.fullmatch(text)
    if not match:
        raise Malformed("bad timestamp %r" % text)
    year, _, month, day, hour, minute, second, part, zone = match.groups()
    return instant(rules, (year, month, day, hour, minute, second), part, zone)


def web(text, rules):
    """`10/Oct/2000:13:55:36 -0700`, and HAProxy's `06/Feb/2009:12:14:14.655`."""
    match = WEB.fullmatch(text)
    if not match or match[2] not in MONTHS:
        raise Malformed("bad timestamp %r" % text)
    day, month, year, hour, minute, second, part, zone = match.groups()
    return instant(rules, (year, MONTHS[month], day, hour, minute, second), part, zone)


def web_zoned(text, rules):
    """As web logs have it: with a zone and without decimals, which tells it from HAProxy's."""
    if not re.fullmatch(r"[^. ]+ [+-]\d{4}", text, re.ASCII):
        raise Malformed("bad timestamp %r" % text)
    return web(text, rules)


def syslog(text, rules):
    """RFC 3164, which has no year: the latest year that makes it no later than `latest`. Or RFC 3339 in its place."""
    match = SYSLOG.fullmatch(text)
    if not match:
        return date(text, rules)
    if match[1] not in MONTHS:
        raise Malformed("bad timestamp %r" % text)
    month, day, hour, minute, second, part = MONTHS[match[1]], *match.groups()[1:]
    highest = min(9999, (EPOCH + datetime.timedelta(seconds=rules.latest // NANOS)).year + 1)
    for year in range(highest, highest - 12, -1):
        try:
            time = instant(rules, (year, month, day, hour, minute, second), part, None)
        except Malformed:
            continue
        if time <= rules.latest:
            return time
    raise Malformed("bad timestamp %r" % text)


def any_form(text, rules):
    for form in (number, date, web, syslog):
        try:
            return form(text, rules)
        except Malformed:
            continue
    raise Malformed("bad timestamp %r" % text)


def instant(rules, parts, part, zone):
    try:
        local = datetime.datetime(*[int(number) for number in parts])
    except ValueError:
        raise Malformed("no such date") from None
    if zone is None:
        offset = rules.zone.utcoffset(local.replace(tzinfo=rules.zone, fold=0))
    elif zone in "Zz":
        offset = datetime.timedelta()
    else:
        digits = zone[1:].replace(":", "").ljust(4, "0")
        if int(digits[:2]) > 23 or int(digits[2:]) > 59:
            raise Malformed("no such zone")
        offset = datetime.timedelta(hours=int(digits[:2]), minutes=int(digits[2:])) * (-1 if zone[0] == "-" else 1)
    whole = local - EPOCH - offset
    return in_range((whole.days * 86_400 + whole.seconds) * NANOS + fraction(part, NANOS))


def fraction(digits, unit):
    """The nanoseconds of the decimals of a number of this unit."""
    value, rest = divmod(int((digits or "0").ljust(30, "0")[:30]) * unit, 10**30)
    if rest or (digits or "")[30:].strip("0"):
        raise Malformed("finer than nanoseconds")
    return value


def in_range(value):
    if not -(2**63) <= value < 2**63:
        raise Malformed("an instant out of range")
    return value
