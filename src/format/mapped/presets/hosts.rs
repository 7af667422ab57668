//! What single machines say of their connections: packets, logins.

use super::preset::{Preset, SampleLine};
use SampleLine::{Filtered, Other, Record};

pub(super) const PRESETS: &[Preset] = &[
    Preset {
        name: "iptables",
        help: "packets that iptables, nftables or UFW log, in syslog; a line is a packet",
        is_general: false,
        keys: &[
            ("envelope", &["syslog"]),
            ("fields", &["keyval"]),
            // An error of ICMP quotes the packet that it answers.
            ("aside", &["[SRC="]),
            ("time", &["envelope.time"]),
            ("from", &["SRC"]),
            ("to", &["DST"]),
            ("measures", &["bytes=LEN"]),
            ("weight", &["envelope.repeats"]),
            ("only", &["SRC exists or DST exists"]),
            ("other", &["^"]),
            ("known-by", &["SRC exists", "DST exists", "PROTO exists"]),
        ],
        samples: &[
            (
                "2023-11-14T22:13:20.250000+00:00 fw kernel: [  203.842973] [UFW BLOCK] IN=eth0 OUT= MAC=00:00:00:00:00:00:00:00:00:00:00:00:08:00 SRC=10.0.0.5 DST=192.0.2.7 LEN=40 TOS=0x00 PREC=0x00 TTL=245 ID=37308 PROTO=TCP SPT=8080 DPT=8123 WINDOW=1024 RES=0x00 SYN URGP=0",
                Record("2023-11-14T22:13:20.25Z", "10.0.0.5", "192.0.2.7"),
            ),
            ("2023-11-14T22:13:21.000000+00:00 fw kernel: [  204.000000] eth0: link up", Other),
            (
                "2023-11-14T22:13:22+00:00 fw kernel: [  205.1] IN=eth0 OUT= SRC=192.0.2.7 DST=10.0.0.5 LEN=88 PROTO=ICMP TYPE=3 CODE=1 [SRC=10.0.0.5 DST=192.0.2.9 LEN=60 PROTO=UDP SPT=53124 DPT=53 LEN=40 ] MARK=0x1 ",
                Record("2023-11-14T22:13:22Z", "192.0.2.7", "10.0.0.5"),
            ),
            (
                "2023-11-14T22:13:23+00:00 fw kernel: message repeated 2 times: [ FW: IN=eth0 OUT= SRC=10.0.0.5 DST=192.0.2.7 LEN=40 PROTO=TCP SPT=8080 DPT=22]",
                Record("2023-11-14T22:13:23Z", "10.0.0.5", "192.0.2.7"),
            ),
        ],
    },
    Preset {
        name: "sshd",
        help: "logins that sshd accepted or refused, in syslog; to: the machine that says so",
        is_general: false,
        keys: &[
            ("envelope", &["syslog"]),
            ("fields", &["regex"]),
            (
                "pattern",
                &[
                    r"^(?<result>Accepted|Failed) (?<method>\S+) for (?:invalid user )?(?<user>.*) from (?<client>\S+) port (?<port>\d+) ssh2(?::.*)?$",
                ],
            ),
            ("time", &["envelope.time"]),
            ("from", &["client"]),
            ("to", &["envelope.host"]),
            ("weight", &["envelope.repeats"]),
            ("other", &["^"]),
            ("known-by", &["envelope.program~^sshd"]),
        ],
        samples: &[
            (
                "2023-11-14T22:13:20+00:00 web1 sshd[16378]: Accepted publickey for alice from 10.0.0.5 port 53502 ssh2: ED25519 SHA256:abc",
                Record("2023-11-14T22:13:20Z", "10.0.0.5", "web1"),
            ),
            (
                "2023-11-14T22:13:21+00:00 web1 sshd-session[16379]: Failed password for invalid user from from 10.0.0.6 port 53503 ssh2",
                Record("2023-11-14T22:13:21Z", "10.0.0.6", "web1"),
            ),
            ("2023-11-14T22:13:22+00:00 web1 sshd[16380]: Invalid user admin from 10.0.0.6 port 53504", Other),
            (
                "2023-11-14T22:13:23+00:00 web1 sshd[16380]: message repeated 5 times: [ Failed password for root from 10.0.0.6 port 53505 ssh2]",
                Record("2023-11-14T22:13:23Z", "10.0.0.6", "web1"),
            ),
            (
                "2023-11-14T22:13:24+00:00 web1 sshd[16380]: message repeated 2 times: [ Connection closed by 10.0.0.6]",
                Other,
            ),
        ],
    },
    Preset {
        name: "tcpdump",
        help: "what tcpdump -tt -nn prints: the first packet of each TCP connection",
        is_general: false,
        keys: &[
            ("fields", &["regex"]),
            (
                "pattern",
                &[
                    r"^(?<time>\d+\.\d+) (?:(?<interface>\S+) +(?:In|Out|P|B|M) +)?IP6? (?:\([^)]*\) )?(?<src>\S+) > (?<dst>\S+): (?:Flags \[(?<flags>[^\]]*)\])?",
                ],
            ),
            ("time", &["time"]),
            ("time-form", &["number"]),
            ("from", &["{src|before-last:.}"]),
            ("to", &["{dst|before-last:.}"]),
            ("where", &["flags~^S[EW]*$"]),
            ("other", &[r"^\d+\.\d+ \S", r"^\s"]),
            ("known-by", &["flags exists"]),
        ],
        samples: &[
            (
                "1700000000.250000 IP 10.0.0.5.49152 > 192.0.2.7.443: Flags [S], seq 1, win 64240, options [mss 1460], length 0",
                Record("2023-11-14T22:13:20.25Z", "10.0.0.5", "192.0.2.7"),
            ),
            (
                "1700000000.260000 IP 192.0.2.7.443 > 10.0.0.5.49152: Flags [S.], seq 9, ack 2, win 65160, length 0",
                Filtered,
            ),
            (
                "1700000001.000000 IP6 2001:db8::5.49153 > 2001:db8::7.53: Flags [SEW], seq 1, win 64800, length 0",
                Record("2023-11-14T22:13:21Z", "2001:db8::5", "2001:db8::7"),
            ),
            ("1700000001.100000 IP 10.0.0.5.5353 > 224.0.0.251.5353: UDP, length 40", Filtered),
            ("1700000001.200000 ARP, Request who-has 10.0.0.1 tell 10.0.0.5, length 28", Other),
        ],
    },
];
