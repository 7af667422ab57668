"""Logs without a program behind them: plain, CSV, JSON and logfmt with well-known names."""

import json

from .world import Made, NANOS, iso, record, unix


def plain(world, lines, _variant):
    """Stamps in every unit, blanks of every kind, and lines that are none."""
    for _ in range(lines):
        if world.chance(0.03):
            bad = ["17000.0.1 a b", "1700000000 alone", "1700000000 a b c", "# comment of three", "yesterday a b"]
            yield Made(world.draw.choice(bad), "malformed")
            continue
        if world.chance(0.01):
            yield Made(world.draw.choice(["", "  ", "\t"]), "blank")
            continue
        unit = world.draw.choice([NANOS, NANOS, 10**6, 10**3, 1])
        at = world.tick(unit)
        time = str(at // unit)
        if unit == NANOS and world.chance(0.3):
            time, part = unix(at, 9), world.draw.randrange(NANOS)
            time, at = time[:-9] + str(part).rjust(9, "0"), at + part
        source, target = world.pair()
        gaps = [world.draw.choice([" ", " ", "\t", "  "]) for _ in range(2)]
        lead, tail = (world.draw.choice(["", "", "", " "]) for _ in range(2))
        yield record(lead + time + gaps[0] + source + gaps[1] + target + tail, at, source, target)


def stamp(world):
    """An instant in one of the forms that programs use, and the text."""
    at = world.tick(10**6)
    choices = [
        unix(at, 3),
        str(at // 10**6),
        iso(at, 3),
        iso(at, 3, ":", 120),
        iso(at, 3, "", -330),
        iso(at, 3, "Z", 0, " "),
    ]
    return at, world.draw.choice(choices + [iso(at, 3, "").replace(".", ",")])


def csv(world, lines, variant):
    """Columns in an order of their own, quotes with separators and quotes within, a header that comes again."""
    separator = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}[variant]
    names = world.draw.choice(
        [("timestamp", "src_ip", "dst_ip"), ("Time", "Client", "Server"), ("ts", "source", "destination")]
    )
    columns = list(names) + ["bytes", "packets", "note"]
    world.draw.shuffle(columns)
    header = separator.join(columns)
    yield Made(header, "other")
    for _ in range(lines - 1):
        if world.chance(0.01):
            yield Made(header, "other")
            continue
        at, time = stamp(world)
        source, target = world.pair()
        if world.chance(0.02):
            target = 'a "b"%s c' % separator
        size, packets = world.size(), world.draw.randrange(1, 99)
        values = dict(zip(names, (time, source, target)), bytes=str(size), packets=str(packets))
        values["note"] = world.draw.choice(["", "ok", 'say "hi"', "a%sb" % separator, "caf\u00e9"])
        texts = [cell(world, values[name], separator) for name in columns]
        if world.chance(0.02):
            yield Made(separator.join(texts[:-1] if world.chance(0.5) else texts + ["more"]), "malformed")
        elif world.chance(0.01):
            yield Made(separator.join(texts[:-1]) + separator + '"open', "malformed")
        else:
            yield record(separator.join(texts), at, source, target, bytes=size, packets=packets)


def cell(world, text, separator):
    if separator in text or '"' in text or world.chance(0.1):
        return '"%s"' % text.replace('"', '""')
    return text


def jsonl(world, lines, variant):
    """Flat and nested names, escapes, repeated keys, numbers and texts alike."""
    for _ in range(lines):
        at, time = stamp(world)
        source, target = world.pair()
        if world.chance(0.05):
            target = world.draw.choice(
                ["b\u00fccher.example", 'q"uote', "\U0001f310.example", "back\\slash", "tab\there"]
            )
        size = world.size()
        entry = {"timestamp": time, "level": "info", "msg": world.draw.choice(["", 'a "b" \\ c', "{", "}\u00e9"])}
        if variant == "nested":
            entry["source"] = {"ip": source, "port": world.port()}
            entry["destination"] = {"ip": target, "port": world.service(), "more": [{"ip": "0.0.0.0"}, None, True]}
        else:
            entry.update(src_ip=source, dst_ip=target)
        entry["bytes"] = world.draw.choice([size, str(size)])
        keys = list(entry)
        world.draw.shuffle(keys)
        text = json.dumps({key: entry[key] for key in keys}, ensure_ascii=world.chance(0.5))
        if world.chance(0.02) and variant == "flat":
            text = text[:-1] + ', "src_ip": "10.9.9.9"}'
            source = "10.9.9.9"
        if world.chance(0.02):
            bad = [text[:-1], text + "}", text.replace(":", ";", 1), "[%s]" % text, "plain text", text[:-1] + ",}"]
            yield Made(world.draw.choice(bad), "malformed")
        elif world.chance(0.01):
            yield Made(json.dumps({"timestamp": time, "msg": "no hosts"}), "malformed", at)
        else:
            yield record(text, at, source, target, bytes=size, packets=0)


def logfmt(world, lines, _variant):
    """Quotes, escapes, empty values, bare words, repeated keys."""
    for _ in range(lines):
        at, time = stamp(world)
        source, target = world.pair()
        size = world.size()
        if world.chance(0.02):
            yield Made(world.draw.choice(["just words", 'ts="2020-01-01', "level"]), "malformed")
            continue
        fields = ["ts=%s" % quoted(world, time), "level=info", "src=%s" % quoted(world, source)]
        fields += ["dst=%s" % quoted(world, target), "bytes=%d" % size]
        if world.chance(0.3):
            fields += [
                world.draw.choice(['msg="a \\"b\\" src=x"', "reason=", "flag", "src=10.9.9.9", 'msg="caf\u00e9"'])
            ]
        if world.chance(0.01):
            del fields[3]
            yield Made(" ".join(fields), "malformed", at)
        else:
            yield record(" ".join(fields), at, source, target, bytes=size, packets=0)


def quoted(world, text):
    return '"%s"' % text if " " in text or world.chance(0.2) else text
