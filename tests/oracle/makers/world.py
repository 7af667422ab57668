"""What the makers of logs share: a small world of hosts, a clock, and how instants are written.

A maker yields `Made` lines. What it says of each is what was meant when the line was written, so that a count of them needs no
reader of the format.
"""

import collections
import datetime
import random

NANOS = 10**9
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
EPOCH = datetime.datetime(1970, 1, 1)

# text: the line without its end. kind: the class that it belongs to, if its time is in the window or it has none. time: the
# instant that it says, or None. source, target, sums, weight: of records.
Made = collections.namedtuple("Made", "text kind time source target sums weight", defaults=(None, "", "", {}, 1))


def record(text, time, source, target, weight=1, **sums):
    return Made(text, "counted", time, source, target, sums, weight)


class World:
    """Draws hosts and instants. `zone` is that of programs which write local time."""

    def __init__(self, seed, start, span, lines, zone):
        self.draw = random.Random(seed)
        self.zone = zone
        self.time = start * NANOS
        self.highest = self.time
        self.pace = max(1, 2 * span * NANOS // max(1, lines))
        self.clients = [
            "10.%d.%d.%d" % (self.draw.randrange(4), self.draw.randrange(256), self.draw.randrange(1, 255))
            for _ in range(60)
        ]
        self.clients += ["2001:db8:%x::%x" % (self.draw.randrange(9), self.draw.randrange(1, 99)) for _ in range(12)]
        self.clients += ["fe80::1:2ff:fe03:%x" % self.draw.randrange(1, 999) for _ in range(3)] + [
            "::1",
            "::ffff:192.0.2.7",
        ]
        self.servers = ["192.168.%d.%d" % (self.draw.randrange(3), self.draw.randrange(1, 20)) for _ in range(15)]
        self.servers += ["2001:db8:ffff::%x" % number for number in range(1, 5)]
        self.names = ["shop.example.com", "api.example.com", "www.example.org", "xn--bcher-kva.example", "intranet"]

    def chance(self, share):
        return self.draw.random() < share

    def tick(self, unit=1):
        """The next instant, in nanoseconds, a multiple of `unit`: mostly later than the one before, sometimes a little earlier."""
        self.time += self.draw.randrange(self.pace)
        at = self.time - (self.draw.randrange(120 * NANOS) if self.chance(0.03) else 0)
        at -= at % unit
        self.highest = max(self.highest, at)
        return at

    def often(self, values):
        """One of the values, the first ones more often."""
        return values[min(int(self.draw.expovariate(4 / len(values))), len(values) - 1)]

    def client(self, family=None):
        return self.host(self.clients, family)

    def server(self, family=None):
        return self.host(self.servers, family)

    def host(self, hosts, family):
        return self.often([host for host in hosts if family is None or (":" in host) == (family == 6)])

    def pair(self):
        """A client and a server of one family of addresses."""
        family = 6 if self.chance(0.2) else 4
        return self.client(family), self.server(family)

    def port(self):
        return self.draw.randrange(1024, 65536)

    def service(self):
        return self.often([443, 80, 22, 53, 3306, 8080, 5432, 25])

    def size(self):
        return int(self.draw.paretovariate(0.6) * 40) % 10**12

    def local(self, at):
        """The local time of an instant, and the instant that a reader makes of it: of an hour that comes twice, the first."""
        whole, part = divmod(at, NANOS)
        aware = (EPOCH + datetime.timedelta(seconds=whole)).replace(tzinfo=datetime.timezone.utc).astimezone(self.zone)
        first = aware.replace(fold=0)
        read = whole + int((aware.utcoffset() - first.utcoffset()).total_seconds())
        return aware.replace(tzinfo=None), read * NANOS + part


def utc(at, minutes=0):
    return EPOCH + datetime.timedelta(seconds=at // NANOS + 60 * minutes)


def offset_text(minutes, colon):
    sign = "-" if minutes < 0 else "+"
    return "%s%02d%s%02d" % (sign, abs(minutes) // 60, ":" if colon else "", abs(minutes) % 60)


def decimals(at, digits):
    return "." + str(at % NANOS).rjust(9, "0")[:digits] if digits else ""


def iso(at, digits=0, zone="Z", minutes=0, middle="T"):
    """`zone` is a text, or `:` or `` for an offset of so many minutes with or without a colon."""
    tail = offset_text(minutes, zone == ":") if zone in (":", "") else zone
    return utc(at, minutes).strftime("%Y-%m-%d" + middle + "%H:%M:%S") + decimals(at, digits) + tail


def web(at, minutes=0):
    moment = utc(at, minutes)
    return "%02d/%s/%s %s" % (
        moment.day,
        MONTHS[moment.month - 1],
        moment.strftime("%Y:%H:%M:%S"),
        offset_text(minutes, False),
    )


def unix(at, digits):
    return str(at // NANOS) + decimals(at, digits)


def syslog(moment):
    """RFC 3164's, of a local time: the day is padded with a blank."""
    return "%s %2d %s" % (MONTHS[moment.month - 1], moment.day, moment.strftime("%H:%M:%S"))
