"""Logs of hosts behind syslog: what the kernel's firewall and sshd write. By the kernel's log format and OpenSSH's messages."""

from .world import Made, NANOS, iso, record, syslog


def stamped(world, host, tag, form):
    """The start of a line of syslog, and the instant that it says: RFC 3164, rsyslog's own form, or RFC 5424."""
    at = world.tick(1000)
    if form == "iso":
        return at, "%s %s %s: " % (iso(at, 6, ":", 120), host, tag)
    if form == "5424":
        program, _, process = tag.rstrip("]").partition("[")
        # rsyslog writes a blank more.
        data = world.draw.choice(['[meta x="a\\]b"]', "-", "- "])
        return at, "<86>1 %s %s %s %s - %s " % (iso(at, 6), host, program, process or "-", data)
    moment, read = world.local(at - at % NANOS)
    priority = "<86>" if form == "priority" else ""
    return read, "%s%s %s %s: " % (priority, syslog(moment), host, tag)


def iptables(world, lines, variant):
    """`ufw`, `nftables` and `iptables` differ in their prefix; `ufw` has rsyslog's stamp."""
    prefixes = {
        "iptables": ["", "IPTABLES-DROP: ", "FW:"],
        "ufw": ["[UFW BLOCK] ", "[UFW AUDIT] ", "[UFW ALLOW] "],
        "nftables": ["nft drop ", ""],
    }
    for _ in range(lines):
        form = "iso" if variant == "ufw" else "plain"
        at, front = stamped(world, "gate", "kernel", form)
        if world.chance(0.05):
            yield Made(front + "[  12.345678] usb 1-1: new high-speed USB device number 2", "other")
            continue
        if world.chance(0.02):
            yield Made(front.replace("kernel", "cron[77]") + "(root) CMD (true)", "other")
            continue
        source, target = world.pair()
        size = world.draw.randrange(40, 1500)
        front += "[%12.6f] " % (world.time % 10**15 / NANOS) + world.draw.choice(prefixes[variant])
        front += "IN=eth0 OUT= MAC=00:08:a2:0c:1f:12:00:c8:8b:e2:d6:87:08:00 "
        if world.chance(0.02):
            yield Made(front + "ARP HTYPE=1 PTYPE=0x0800 OPCODE=1", "other")
            continue
        text = front + "SRC=%s DST=%s LEN=%d " % (source, target, size)
        ports = "SPT=%d DPT=%d" % (world.port(), world.service())
        if ":" in source:
            text += "TC=0 HOPLIMIT=64 FLOWLBL=0 PROTO=TCP %s WINDOW=64800 RES=0x00 SYN URGP=0 " % ports
        elif world.chance(0.2):
            text += "TOS=0x00 PREC=0x00 TTL=64 ID=25029 DF PROTO=UDP %s LEN=%d " % (ports, size - 20)
        elif world.chance(0.1):
            text += (
                "TOS=0x00 PREC=0xC0 TTL=64 ID=1 PROTO=ICMP TYPE=3 CODE=3 [SRC=%s DST=%s LEN=60 TOS=0x00 PROTO=UDP %s LEN=40 ] "
                % (target, source, ports)
            )
        else:
            text += (
                "TOS=0x00 PREC=0x00 TTL=245 ID=37308 DF PROTO=TCP %s WINDOW=1024 RES=0x00 SYN URGP=0 MARK=0x1" % ports
            )
        if world.chance(0.01):
            yield Made(
                text.replace("DST=%s " % target, "", 1) if "[SRC=" not in text else front + "SRC=%s" % source,
                "malformed",
                at,
            )
        else:
            times = 2 if world.chance(0.03) else 1
            if times > 1:
                text = "%s: message repeated 2 times: [ %s]" % tuple(text.split(": ", 1))
            yield record(text, at, source, target, times, bytes=size * times)


def sshd(world, lines, variant):
    """`plain` and `iso` stamps, `priority` in front, RFC 5424 as `5424`. Names of users that hold what looks like an address."""
    hosts = ["web-1", "web-2", "bastion.example.com"]
    for _ in range(lines):
        host, source = world.often(hosts), world.client()
        program = world.draw.choice(["sshd", "sshd", "sshd-session"])
        at, front = stamped(world, host, "%s[%d]" % (program, world.draw.randrange(300, 99999)), variant)
        kind = world.draw.random()
        user = world.draw.choice(
            ["root", "git", "invalid user admin", "invalid user x from 9.9.9.9 port 1", "invalid user "]
        )
        if kind < 0.3:
            text = world.draw.choice(
                [
                    "Invalid user admin from %s port 40022",
                    'Connection from %s port 40022 on 10.0.0.1 port 22 rdomain ""',
                    "Connection closed by authenticating user root %s port 40022 [preauth]",
                    "Received disconnect from %s port 40022:11: Bye Bye [preauth]",
                    "message repeated 2 times: [ Connection closed by %s port 40022 [preauth]]",
                    "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=%s",
                    "error: maximum authentication attempts exceeded for root from %s port 40022 ssh2 [preauth]",
                ]
            )
            yield Made(front + text % source, "other")
        elif kind < 0.34:
            times = world.draw.choice([2, 3, 17])
            text = "message repeated %d times: [ Failed password for %s from %s port 40022 ssh2]" % (times, user, source)
            yield record(front + text, at, source, host, times)
        elif kind < 0.36:
            yield Made("no syslog in front of this: Failed password", "malformed")
        elif kind < 0.8:
            method = world.draw.choice(["password", "none", "publickey", "keyboard-interactive/pam"])
            yield record(
                front + "Failed %s for %s from %s port %d ssh2" % (method, user, source, world.port()), at, source, host
            )
        else:
            text = "Accepted publickey for git from %s port %d ssh2: ED25519 SHA256:abc+/=" % (source, world.port())
            yield record(front + text, at, source, host)
