"""Lines of text: web servers, proxies, firewalls, sshd, tcpdump and logfmt."""

import re

from . import envelopes, stamps
from .fields import UNESCAPED, WEB, Fields, Malformed, Other, split_quoted, without_port
from .names import FROM, SUMS, TIME, TO
from .objects import get, parsed

HTTP_DATE = r"\[(\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d\.\d+)\]"


class Web:
    """The common and combined log formats: httpd's "Log Files", nginx's ngx_http_log_module. A virtual host may be in front.

    `[host] client ident user [time] "request" status bytes ["referrer" "agent" ...]`. time: when the request came
    (Apache) or was answered (nginx). from: client. to: the virtual host as it is written, perhaps with a port; without one
    the first segment of the path, with its slash; for a request to a proxy the host that it names; `-` for all others.
    bytes: a dash stands for 0. Nothing is other.
    """

    stamp = staticmethod(stamps.web_zoned)
    DATE = re.compile(r"\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}", re.ASCII)

    def __init__(self, _names):
        pass

    def read(self, line):
        columns = split_quoted(line, " \t", WEB)
        brackets = [at for at in (3, 4) if at < len(columns) and self.DATE.fullmatch(columns[at])]
        if not brackets or len(columns) < brackets[0] + 4:
            raise Malformed("not a line of a web log")
        at = brackets[0]
        client, time, request = columns[at - 3], columns[at], columns[at + 1]
        target = columns[0] if at == 4 else first_segment(request)
        size = columns[at + 3]
        sums = {"bytes": ["0" if size == "-" else size]}
        return Fields(time, None if client == "-" else client, target, sums)


def first_segment(request):
    """`GET /api/x?q HTTP/1.1` -> `/api`."""
    match = re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+ (/.*) HTTP/\S+", request, re.DOTALL)
    return "/" + re.split("[/?#]", match[1][1:])[0] if match else proxied_host(request)


def proxied_host(request):
    """`GET http://user@host:80/x HTTP/1.1` and `CONNECT host:443 HTTP/1.1` -> `host`."""
    match = re.match(r"\S+ (?:[A-Za-z][A-Za-z0-9+.-]*://([^/?#]*)|(\S*:\d+)(?: HTTP/\S*)?$)", request, re.ASCII)
    if not match:
        return "-"
    host = re.match(r"\[([^\]]*)\]|([^:]*)", (match[1] or match[2] or "").rsplit("@", 1)[-1])
    return host[1] or host[2] or "-"


class HaProxy:
    """HAProxy's httplog, httpslog and tcplog: configuration manual, "Log formats". Within syslog or without.

    `client:port [accept time] frontend backend/server timers ...`. time: when the connection was accepted, local time.
    from: client. to: `backend/server`. Other: messages of the process (`Proxy x started.`), `Connect from`, errors before
    there is a request (`SSL handshake failure`), and within syslog whatever does not begin as a record does.
    """

    stamp = staticmethod(stamps.web)
    BEGIN = re.compile(r"(\S+):\d+ " + HTTP_DATE + " (.*)", re.ASCII | re.DOTALL)
    RECORD = re.compile(r"\S+ ([^\s/]+/\S+) (-?\d+(?:/-?\d+)+) (\S+) (\S+)( .*)?", re.ASCII | re.DOTALL)
    ERROR = re.compile(r"\S+/\S+: .*", re.DOTALL)
    PROCESS = re.compile(
        r"(Proxy|Server|Backend|backend|Health check|Connect from|Stopping|Stopped|Pausing|Resuming|New worker|Loading"
        r"|Exiting|Former worker|Current worker) |\[(NOTICE|WARNING|ALERT)\] "
    )

    def __init__(self, _names):
        pass

    def read(self, line):
        opened = envelopes.syslog(line)
        message = opened.message if opened else line
        begin = self.BEGIN.fullmatch(message)
        if not begin:
            if opened or self.PROCESS.match(message):
                raise Other("no connection")
            raise Malformed("not a line of HAProxy")
        client, time, rest = begin.groups()
        record = self.RECORD.fullmatch(rest)
        if not record:
            if self.ERROR.fullmatch(rest):
                raise Other("an error before a request")
            raise Malformed("not a line of HAProxy")
        target, timers, first, second = record.groups()[:4]
        return Fields(time, client, target, {"bytes": [first if timers.count("/") == 2 else second]})


class Iptables:
    """What the kernel writes for LOG targets of iptables, nftables and UFW, behind syslog: `IN=.. SRC=.. DST=.. ...`.

    time: syslog's. from, to: the first `SRC=` and `DST=`; within brackets an ICMP error repeats those of another packet.
    bytes: the first `LEN=`. Other: messages without either. Malformed: lines without syslog, or with one of the two only.
    A line that stands for several counts as these.
    """

    stamp = staticmethod(stamps.syslog)

    def __init__(self, _names):
        pass

    def read(self, line):
        opened = envelopes.syslog(line)
        if not opened:
            raise Malformed("no syslog")
        values = {}
        for word in opened.message.split(" "):
            key, equals, value = word.partition("=")
            if equals:
                values.setdefault(key, value)
        if "SRC" not in values and "DST" not in values:
            raise Other("no packet")
        size = values.get("LEN")
        if size is not None and opened.repeats > 1:
            size = str(int(size) * opened.repeats)
        return Fields(opened.time, values.get("SRC"), values.get("DST"), {"bytes": [size]}, "", opened.repeats)


class Sshd:
    """OpenSSH's server behind syslog. One line for each attempt to authenticate.

    time, to: syslog's time and host. from: the address of the last `from ADDRESS port N`, since whatever is before it may
    be the name of a user. Records: `Accepted` and `Failed`, also where one line stands for several. All else within syslog is
    other.
    """

    stamp = staticmethod(stamps.syslog)
    ATTEMPT = re.compile(r"(?:Accepted|Failed) \S+ for .* from (\S+) port \d+(?: ssh2)?(?:: .*)?", re.ASCII | re.DOTALL)

    def __init__(self, _names):
        pass

    def read(self, line):
        opened = envelopes.syslog(line)
        if not opened:
            raise Malformed("no syslog")
        attempt = self.ATTEMPT.fullmatch(opened.message)
        if not attempt:
            raise Other("no attempt")
        return Fields(opened.time, attempt[1], opened.host, weight=opened.repeats)


class Squid:
    """Squid's native access.log: "Features/LogFormat" of its wiki. Ten fields, padded with blanks; with blanks in a URL there are more.

    time: field 1, when the request ended. from: field 3. to: behind the slash of field 9; where that is `-`, the host of
    the URL, and `-` if it has none. bytes: field 5, to the client. Nothing is other.
    """

    stamp = staticmethod(stamps.number)

    def __init__(self, _names):
        pass

    def read(self, line):
        columns = re.split("[ \t]+", line.strip(" \t"))
        if len(columns) != 10 or "/" not in columns[3] or "/" not in columns[8]:
            raise Malformed("not a line of Squid")
        target = columns[8].split("/", 1)[1]
        if target == "-":
            target = self.host_of(columns[5], columns[6])
        return Fields(columns[0], columns[2], target, {"bytes": [columns[4]]})

    @staticmethod
    def host_of(method, url):
        match = re.match(r"[A-Za-z][A-Za-z0-9+.-]*://([^/?#]*)", url)
        if not match and method != "CONNECT":
            return "-"
        authority = match[1] if match else url
        # A bracket that is not closed makes no host.
        host = re.match(r"\[([^\]]*)\]|(?!\[)([^:]*)", authority.rsplit("@", 1)[-1])
        return (host and (host[1] or host[2])) or "-"


class Envoy:
    """Envoy's access log: JSON by Istio's names, Envoy's default text, Istio's default text. Behind CRI or Docker, or bare.

    time: start of the request. from: `downstream_remote_address` without its port; Envoy's default text has none, so there
    it is the last address of x-forwarded-for, which is the one that Envoy adds, and `-` if there is none. to: upstream host
    without its port, else the upstream cluster, else `-`. Other: what Envoy and Istio's agent say of themselves. Text of a
    format of one's own is malformed.
    """

    stamp = staticmethod(stamps.date)
    ITSELF = re.compile(r"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+\]\[|\d{4}-\d\d-\d\dT\S+\t[a-z]+\t", re.ASCII)

    def __init__(self, _names):
        pass

    def read(self, line):
        opened = envelopes.container(line)
        message = opened.message if opened else line
        if message.startswith("{"):
            entry = parsed(message)
            return self.fields(
                get(entry, "start_time"),
                get(entry, "downstream_remote_address"),
                [get(entry, "upstream_host"), get(entry, "upstream_cluster")],
                [get(entry, "bytes_received"), get(entry, "bytes_sent")],
            )
        if self.ITSELF.match(message) or not message.strip(" \t"):
            raise Other("not of a request")
        # Addresses of IPv6 have brackets of their own, and nothing is escaped within quotes.
        begin = re.fullmatch(r"\[([^\]]*)\] (.*)", message, re.DOTALL)
        if not begin:
            raise Malformed("not a line of Envoy")
        columns = [begin[1]] + split_quoted(begin[2], " \t", UNESCAPED)
        if len(columns) == 13:
            forwarded = columns[8].rsplit(",", 1)[-1].strip(" ")
            return self.fields(columns[0], forwarded, [columns[12]], columns[4:6])
        if len(columns) >= 20:
            # Versions differ in the middle; from the end they are alike.
            return self.fields(columns[0], columns[-3], [columns[-7], columns[-6]], columns[-15:-13])
        raise Malformed("not a line of Envoy")

    @staticmethod
    def fields(time, source, targets, parts):
        target = next((text for text in targets if text not in (None, "-", "")), "-")
        if target == targets[0]:
            target = without_port(target)
        return Fields(time, source and without_port(source), target, {"bytes": parts})


class Tcpdump:
    """tcpdump -tt -nn: one line a packet, `time [interface direction] IP from.port > to.port: ...`.

    time: Unix seconds. from, to: addresses without the port. Filtered: packets of IP without SYN, or with SYN and ACK.
    bytes: the length of what TCP carries. Other: packets that are not IP, and lines that begin with a blank, or that have no
    addresses, which `-v`, `-x` and `-A` make.
    """

    stamp = staticmethod(stamps.number)
    PACKET = re.compile(r"(\d+\.\d+) (?:\S+ +(?:In|Out|B|M|P) +)?(IP6?) (\S+) > (\S+): (.*)", re.ASCII | re.DOTALL)

    def __init__(self, _names):
        pass

    def read(self, line):
        if line.startswith((" ", "\t")):
            raise Other("of the packet above")
        packet = self.PACKET.fullmatch(line)
        if not packet:
            if re.match(r"\d+\.\d+ \S", line, re.ASCII):
                raise Other("not IP, or without addresses")
            raise Malformed("not a line of tcpdump -tt")
        time, _, source, target, rest = packet.groups()
        flags = re.match(r"Flags \[([^\]]*)\]", rest)
        if not flags or "S" not in flags[1] or "." in flags[1]:
            return Fields(time, source, target, {}, "no start of a connection")
        length = re.search(r", length (\d+)(?::|$)", rest, re.ASCII)
        source, target = (address.rpartition(".")[0] for address in (source, target))
        return Fields(time, source, target, {"bytes": [length and length[1]]})


class Logfmt:
    """`key=value key="a value"`, by well-known names (`names.py`) or those asked for. Words without `=` are passed over.

    The first of a repeated key counts. Malformed: no `=` at all, or a quote that is not closed. Nothing is other.
    """

    stamp = staticmethod(stamps.any_form)
    PART = re.compile(r'[ \t]*(?:([^ \t="]+)=(?:"((?:[^"\\]|\\.)*)"|([^ \t"][^ \t]*)?)|[^ \t=]+)(?=[ \t]|$)', re.DOTALL)
    ESCAPES = {"n": "\n", "t": "\t", '"': '"', "\\": "\\"}

    def __init__(self, names):
        self.names = names

    def read(self, line):
        values, at, line = {}, 0, line.rstrip(" \t")
        while at < len(line):
            part = self.PART.match(line, at)
            if not part:
                raise Malformed("not key=value")
            at = part.end()
            key, quoted, bare = part[1], part[2], part[3]
            if key is not None:
                values.setdefault(key, self.unescaped(quoted) if quoted is not None else bare or "")
        if not values:
            raise Malformed("no key=value")
        chosen = lambda which, known: self.first(values, [self.names[which]] if self.names[which] else known)
        sums = {name: [self.first(values, known)] for name, known in SUMS.items()}
        return Fields(chosen("time", TIME), chosen("from", FROM), chosen("to", TO), sums)

    @staticmethod
    def first(values, names):
        return next((values[name] for name in names if name in values), None)

    @classmethod
    def unescaped(cls, text):
        def meant(match):
            if match[1]:
                return chr(int(match[1], 16)).encode("utf-8", "replace").decode("latin-1")
            return cls.ESCAPES.get(match[2], match[0])

        return re.sub(r"\\(?:u([0-9A-Fa-f]{4})|(.))", meant, text, flags=re.DOTALL)
