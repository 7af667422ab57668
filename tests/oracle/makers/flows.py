"""Logs of flows and packets: Zeek, AWS, Suricata, Google Cloud, Hubble, nfdump, SiLK, tcpdump. By their descriptions."""

import json

from .world import Made, NANOS, decimals, iso, record, unix

ZEEK = (
    "ts:time uid:string id.orig_h:addr id.orig_p:port id.resp_h:addr id.resp_p:port proto:enum service:string "
    "duration:interval orig_bytes:count resp_bytes:count conn_state:string local_orig:bool local_resp:bool "
    "missed_bytes:count history:string orig_pkts:count orig_ip_bytes:count resp_pkts:count resp_ip_bytes:count "
    "tunnel_parents:set[string] ip_proto:count"
).split()


def zeek_values(world):
    """A connection: its instant, and a value for each field; some fields are not set."""
    at = world.tick(1000)
    source, target = world.pair()
    sizes = [None, None] if world.chance(0.1) else [world.size(), world.size()]
    values = {
        "uid": "C%016x" % world.draw.getrandbits(64),
        "id.orig_h": source,
        "id.orig_p": world.port(),
        "id.resp_h": target,
        "id.resp_p": world.service(),
        "proto": world.draw.choice(["tcp", "tcp", "udp", "icmp"]),
        "service": world.draw.choice([None, "http", "dns", "ssl", "ssl,http"]),
        "duration": None if sizes[0] is None else world.draw.randrange(10**8) / 10**6,
        "orig_bytes": sizes[0],
        "resp_bytes": sizes[1],
        "conn_state": world.draw.choice(["SF", "S0", "REJ", "OTH"]),
        "local_orig": None,
        "local_resp": None,
        "missed_bytes": 0,
        "history": "ShADadfF",
        "orig_pkts": world.draw.randrange(1, 99),
        "orig_ip_bytes": 52,
        "resp_pkts": world.draw.randrange(99),
        "resp_ip_bytes": 52,
        "tunnel_parents": [],
        "ip_proto": 6,
    }
    sums = {"bytes": sum(size or 0 for size in sizes), "packets": values["orig_pkts"] + values["resp_pkts"]}
    return at, values, sums


def zeek(world, lines, variant):
    yield from zeek_json(world, lines, variant) if variant.startswith("json") else zeek_tsv(world, lines, variant)


def zeek_tsv(world, lines, variant):
    """`rotated` has headers that come again, with other columns."""
    fields = ZEEK[:]
    yield from zeek_header(fields)
    for _ in range(lines - 9):
        if variant == "rotated" and world.chance(0.01):
            yield Made("#close\t2023-11-14-23-00-00", "other")
            world.draw.shuffle(fields)
            yield from zeek_header(fields)
        at, values, sums = zeek_values(world)
        values["ts"] = unix(at, 6)
        texts = [
            "(empty)" if value == [] else "-" if value is None else str(value)
            for value in (values[name.split(":")[0]] for name in fields)
        ]
        text = "\t".join(texts)
        if world.chance(0.01):
            bad = [
                text.rpartition("\t")[0],
                text + "\tmore",
                text.replace(values["ts"], "-"),
                text.replace(values["ts"], "now"),
            ]
            yield Made(world.draw.choice(bad), "malformed")
        else:
            yield record(text, at, values["id.orig_h"], values["id.resp_h"], **sums)
    yield Made("#close\t2023-11-15-00-00-00", "other")


def zeek_header(fields):
    names, types = zip(*(field.split(":") for field in fields))
    yield Made("#separator \\x09", "other")
    for name, value in ("set_separator", ","), ("empty_field", "(empty)"), ("unset_field", "-"), ("path", "conn"):
        yield Made("#%s\t%s" % (name, value), "other")
    yield Made("#open\t2023-11-14-22-00-00", "other")
    yield Made("#fields\t" + "\t".join(names), "other")
    yield Made("#types\t" + "\t".join(types), "other")


def zeek_json(world, lines, variant):
    """`json` with `ts` as a number, `json-iso` as text; fields that are not set are left out."""
    for _ in range(lines):
        at, values, sums = zeek_values(world)
        time = '"%s"' % iso(at, 6) if variant == "json-iso" else unix(at, 6)
        rest = json.dumps(
            {key: value for key, value in values.items() if value not in (None, [])}, separators=(",", ":")
        )
        text = '{"ts":%s,%s' % (time, rest[1:])
        if world.chance(0.01):
            yield Made(text[:-1], "malformed")
        elif world.chance(0.01):
            yield Made('{"_path":"dns",' + text[1:], "other")
        else:
            yield record(text, at, values["id.orig_h"], values["id.resp_h"], **sums)


AMAZON_2 = (
    "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status"
)
AMAZON_3 = " vpc-id subnet-id instance-id tcp-flags type pkt-srcaddr pkt-dstaddr"
AMAZON_5 = (
    " region az-id sublocation-type sublocation-id pkt-src-aws-service pkt-dst-aws-service flow-direction traffic-path"
)


def amazon(world, lines, variant):
    """`v2` without a header, `header`, `v3` and `v5` with columns in any order, `cloudwatch` with a column in front."""
    names = AMAZON_2.split() + (AMAZON_3.split() if variant in ("v3", "v5") else [])
    names += AMAZON_5.split() if variant == "v5" else []
    if variant in ("v3", "v5"):
        world.draw.shuffle(names)
    has_header = variant in ("header", "v3", "v5")
    if has_header:
        yield Made(" ".join(names), "other")
    for _ in range(lines - has_header):
        if has_header and world.chance(0.005):
            yield Made(" ".join(names), "other")
            continue
        at = world.tick(NANOS)
        source, target = world.pair()
        size, packets = world.size(), world.draw.randrange(1, 99)
        values = dict.fromkeys(names, "-")
        values.update(
            {
                "version": variant[1:] if variant[0] == "v" else "2",
                "account-id": "123456789010",
                "interface-id": "eni-1235b8ca",
            }
        )
        values.update({"start": str(at // NANOS - 60), "end": str(at // NANOS), "log-status": "OK"})
        front = iso(at + 90 * NANOS, 3) + " " if variant == "cloudwatch" else ""
        if world.chance(0.03):
            values["log-status"] = world.draw.choice(["NODATA", "SKIPDATA"])
            yield Made(front + " ".join(values[name] for name in names), "other")
            continue
        values.update(
            {"srcaddr": source, "dstaddr": target, "srcport": str(world.port()), "dstport": str(world.service())}
        )
        values.update(
            {
                "protocol": "6",
                "packets": str(packets),
                "bytes": str(size),
                "action": world.draw.choice(["ACCEPT", "REJECT"]),
            }
        )
        if "pkt-srcaddr" in values:
            values.update(
                {"pkt-srcaddr": world.client(), "pkt-dstaddr": target, "type": "IPv4", "flow-direction": "ingress"}
            )
        text = front + " ".join(values[name] for name in names)
        if world.chance(0.01):
            yield Made(text.rpartition(" ")[0], "malformed")
        else:
            yield record(text, at, source, target, bytes=size, packets=packets)


def suricata(world, lines, _variant):
    """Flow events among others, some of which have `src_ip` and `flow` too."""
    for _ in range(lines):
        at = world.tick(1000)
        source, target = world.pair()
        counts = [world.draw.randrange(1, 99), world.draw.randrange(99), world.size(), world.size()]
        flow = dict(zip(["pkts_toserver", "pkts_toclient", "bytes_toserver", "bytes_toclient"], counts))
        flow.update(
            start=iso(at - NANOS, 6, ""), end=iso(at, 6, ""), age=1, state="closed", reason="timeout", alerted=False
        )
        event = {"timestamp": iso(at + 30 * NANOS, 6, ""), "flow_id": world.draw.getrandbits(50), "in_iface": "eth0"}
        ends = {
            "src_ip": source,
            "src_port": world.port(),
            "dest_ip": target,
            "dest_port": world.service(),
            "proto": "TCP",
        }
        kind = world.draw.choice(["flow"] * 6 + ["alert", "dns", "http", "netflow", "stats", "fileinfo"])
        event["event_type"] = kind
        if kind == "stats":
            text = dumped(world, dict(event, stats={"uptime": 9, "flow": {"tcp": 3}}))
        elif kind == "alert":
            flow.update({"src_ip": target, "dest_ip": source})
            text = dumped(world, dict(event, **ends, alert={"signature": 'ET "x" \\ \u00fc', "gid": 1}, flow=flow))
        else:
            text = dumped(world, dict(event, **ends, flow=flow, app_proto="tls"))
        if world.chance(0.01):
            yield Made(text[:-1], "malformed")
        elif kind != "flow":
            yield Made(text, "other")
        else:
            yield record(text, at, source, target, bytes=counts[2] + counts[3], packets=counts[0] + counts[1])


def dumped(world, value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=world.chance(0.5))


def google(world, lines, _variant):
    """Both ends report some flows; entries of firewall rules have a connection and no reporter."""
    for _ in range(lines):
        at = world.tick(1)
        source, target = world.pair()
        size, packets = world.size(), world.draw.randrange(1, 99)
        ends = {
            "src_ip": source,
            "src_port": world.port(),
            "dest_ip": target,
            "dest_port": world.service(),
            "protocol": 6,
        }
        reporter = world.draw.choice(["SRC", "SRC", "DEST", "SRC_GATEWAY"])
        payload = {
            "connection": ends,
            "reporter": reporter,
            "start_time": iso(at - NANOS, 9),
            "end_time": iso(at, 9),
            "bytes_sent": str(size),
            "packets_sent": str(packets),
            "src_vpc": {"vpc_name": "default", "project_id": "p"},
        }
        if world.chance(0.05):
            payload = {"connection": ends, "disposition": "ALLOWED", "rule_details": {"priority": 1000}}
            reporter = None
        entry = {
            "insertId": "1a2b",
            "jsonPayload": payload,
            "logName": "projects/p/logs/compute.googleapis.com%2Fvpc_flows",
        }
        entry.update(receiveTimestamp=iso(at + 7 * NANOS, 9), timestamp=iso(at + 6 * NANOS, 9))
        text = dumped(world, entry)
        if world.chance(0.01):
            yield Made(text[:-2], "malformed")
        elif reporter is None:
            yield Made(text, "other")
        elif reporter != "SRC":
            yield Made(text, "filtered", at)
        else:
            yield record(text, at, source, target, bytes=size, packets=packets)


def hubble(world, lines, variant):
    """`wrapped` in `flow`, or `bare`. Packets of both directions, and events that are no flows."""
    for _ in range(lines):
        at = world.tick(1)
        if world.chance(0.03):
            text = {
                "lost_events": {"source": "PERF_EVENT_RING_BUFFER", "num_events_lost": "7"},
                "node_name": "n1",
                "time": iso(at, 9),
            }
            yield Made(dumped(world, text), "other")
            continue
        source, target = world.pair()
        flags, is_reply = world.draw.choice(
            [("SYN", False)] * 3 + [("SYN", None), ("SYN ACK", True), ("ACK PSH", False), ("ACK", True)]
        )
        l4 = {"TCP": {"source_port": world.port(), "destination_port": 80, "flags": dict.fromkeys(flags.split(), True)}}
        if world.chance(0.1):
            l4, flags = {"UDP": {"source_port": world.port(), "destination_port": 53}}, ""
        flow = {
            "time": iso(at, 9),
            "uuid": "u",
            "verdict": "FORWARDED",
            "IP": {"source": source, "destination": target, "ipVersion": "IPv4"},
        }
        flow.update(
            l4=l4, source={"ID": 9, "namespace": "a"}, destination={"identity": 2}, Type="L3_L4", node_name="n1"
        )
        flow.update(event_type={"type": 4}, Summary="TCP Flags: " + flags)
        if is_reply is not None:
            flow["is_reply"] = is_reply
        text = dumped(world, {"flow": flow, "node_name": "n1", "time": iso(at, 9)} if variant == "wrapped" else flow)
        if world.chance(0.01):
            yield Made(text[:-1], "malformed")
        elif flags != "SYN":
            yield Made(text, "filtered", at)
        else:
            yield record(text, at, source, target)


NFDUMP = (
    "ts,te,td,sa,da,sp,dp,pr,flg,fwd,stos,ipkt,ibyt,opkt,obyt,in,out,sas,das,smk,dmk,dtos,dir,nh,nhb,svln,dvln,ismc,odmc,idmc,"
    "osmc,mpls1,mpls2,mpls3,mpls4,mpls5,mpls6,mpls7,mpls8,mpls9,mpls10,cl,sl,al,ra,eng,exid,tr"
)
NFDUMP_LATER = "firstSeen,duration,proto,srcAddr,srcPort,dstAddr,dstPort,packets,bytes,flows"
NFDUMP_FAST = "cnt,af,firstSeen,lastSeen,proto,srcAddr,srcPort,dstAddr,dstPort,srcAS,dstAS,input,output,flags,srcTos,packets,bytes"


def nfdump(world, lines, variant):
    """`1.7.1` as Debian 12 has it with a summary at the end, `later` with `flows`, `fast` with milliseconds."""
    header = {"1.7.1": NFDUMP, "later": NFDUMP_LATER, "fast": NFDUMP_FAST}[variant]
    yield Made(header, "other")
    for _ in range(lines - 4):
        source, target = world.pair()
        size, packets, flows = world.size(), world.draw.randrange(1, 99), 1
        at = world.tick(NANOS if variant == "1.7.1" else 10**6)
        moment, read = world.local(at)
        second = "%Y-%m-%d %H:%M:%S"
        if variant == "1.7.1":
            begin = moment.replace(minute=0, second=0).strftime(second)
            values = [
                begin,
                moment.strftime(second),
                "1.250",
                source,
                target,
                world.port(),
                world.service(),
                "TCP",
                ".AP.SF",
                0,
                0,
            ]
            values += (
                [packets, size]
                + [0] * 33
                + ["    0.000", "    0.000", "    0.000", "127.0.0.1", "0/0", 1, "1970-01-01 01:00:00.000"]
            )
            values = values[: len(NFDUMP.split(","))]
        elif variant == "later":
            flows = world.draw.choice([1, 1, 1, 2, 7])
            time = moment.strftime(second) + ".%03d" % (at // 10**6 % 1000)
            values = [time, "1.250", "TCP", source, world.port(), target, world.service(), packets, size, flows]
        else:
            read = at
            values = [
                1,
                2,
                at // 10**6 - 5,
                at // 10**6,
                6,
                source,
                world.port(),
                target,
                world.service(),
                0,
                0,
                0,
                0,
                "...AP.SF",
                0,
            ]
            values += [packets, size]
        text = ",".join(map(str, values))
        if world.chance(0.01):
            yield Made(text.rpartition(",")[0], "malformed")
        else:
            yield record(text, read, source, target, flows, bytes=size, packets=packets)
    if variant == "1.7.1":
        yield Made("Summary", "other")
        yield Made("flows,bytes,packets,avg_bps,avg_pps,avg_bpp", "other")
        yield Made("5,1234,17,8,0,72", "other")


def silk(world, lines, variant):
    """`padded`, `epoch` (--epoch-time) and `narrow` (--no-columns), with titles that come again."""
    widths = {
        "sIP": 15,
        "dIP": 15,
        "sPort": 5,
        "dPort": 5,
        "pro": 3,
        "packets": 10,
        "bytes": 10,
        "flags": 8,
        "sTime": 23,
    }
    widths.update({"duration": 9, "eTime": 23, "sen": 3})
    put = lambda values: "".join(
        (text if variant == "narrow" else text.rjust(width)) + "|" for text, width in zip(values, widths.values())
    )
    yield Made(put(widths), "other")
    for _ in range(lines - 1):
        if world.chance(0.005):
            yield Made(put(widths), "other")
            continue
        at = world.tick(10**6)
        source, target = world.pair()
        size, packets = world.size(), world.draw.randrange(1, 99)
        moment, read = world.local(at)
        times = [unix(at - 5 * NANOS, 3), unix(at, 3)]
        if variant != "epoch":
            times = [moment.strftime("%Y/%m/%dT00:00:00.000"), moment.strftime("%Y/%m/%dT%H:%M:%S") + decimals(at, 3)]
            at = read
        values = [
            source,
            target,
            str(world.port()),
            str(world.service()),
            "6",
            str(packets),
            str(size),
            " S PA  ",
            times[0],
            "5.000",
            times[1],
            "S0",
        ]
        text = put(values)
        if world.chance(0.01):
            yield Made(put(values[:-1]), "malformed")
        else:
            yield record(text, at, source, target, bytes=size, packets=packets)


def tcpdump(world, lines, variant):
    """-tt -nn; `any` has the interface and the direction, as `-i any` writes them."""
    for _ in range(lines):
        at = world.tick(1000)
        family = 6 if world.chance(0.2) else 4
        source, target = world.client(family), world.server(family)
        front = unix(at, 6) + (" eth0  In " if variant == "any" else "")
        head = "%s %s %s.%d > %s.%d: " % (
            front,
            "IP6" if family == 6 else "IP",
            source,
            world.port(),
            target,
            world.service(),
        )
        kind = world.draw.random()
        if kind < 0.02:
            yield Made(front + " ARP, Request who-has 10.0.0.1 tell 10.0.0.2, length 28", "other")
        elif kind < 0.03:
            yield Made("\t0x0000:  4500 003c 1c46 4000 4006 b1e6 0a00 0001", "other")
        elif kind < 0.04:
            yield Made("listening on lo, link-type EN10MB (Ethernet), snapshot length 262144 bytes", "malformed")
        elif kind < 0.1:
            yield Made(head + "34812+ A? www.example.com. (33)", "filtered", at)
        elif kind < 0.12 and family == 4:
            yield Made(
                "%s IP %s > %s: ICMP echo request, id 1, seq 2, length 64" % (front, source, target), "filtered", at
            )
        elif kind < 0.5:
            flags = world.draw.choice(["S.", ".", "P.", "F.", "R", "R.", "FP.", "none", "S.E"])
            yield Made(head + "Flags [%s], ack 1, win 512, options [nop,nop], length 17" % flags, "filtered", at)
        else:
            size = world.draw.choice([0, 0, 0, 24])
            rest = "Flags [%s], seq 3794, win 65495, options [mss 65495,sackOK], length %d" % (
                world.draw.choice(["S", "S", "SEW"]),
                size,
            )
            yield record(head + rest, at, source, target, bytes=size)
