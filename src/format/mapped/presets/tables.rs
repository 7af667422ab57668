//! Tables and lines of any program, by the names that fields mostly have.

use super::preset::{Preset, SampleLine};
use SampleLine::{Other, Record};

/// Names of the field of the stamp; the first that is there counts.
const TIME: &[&str] = &[
    "timestamp",
    "@timestamp",
    "time",
    "ts",
    "datetime",
    "date_time",
    "event_time",
    "end_time",
    "endtime",
    "end",
    "last_seen",
    "start_time",
    "starttime",
    "start",
    "first_seen",
    "date",
    "_time",
];

/// Names of the field of who connected.
const FROM: &[&str] = &[
    "from",
    "src_ip",
    "srcip",
    "source_ip",
    "source.ip",
    "src_addr",
    "srcaddr",
    "saddr",
    "source_address",
    "source.address",
    "client_ip",
    "clientip",
    "client.ip",
    "client_addr",
    "remote_ip",
    "remote_addr",
    "id.orig_h",
    "src",
    "client",
    "src_host",
    "source_host",
    // Many name so what wrote the line, so it comes last.
    "source",
];

/// Names of the field of to whom.
const TO: &[&str] = &[
    "to",
    "dst_ip",
    "dstip",
    "dest_ip",
    "destip",
    "destination_ip",
    "destination.ip",
    "dst_addr",
    "dstaddr",
    "daddr",
    "dest_addr",
    "destination_address",
    "destination.address",
    "server_ip",
    "serverip",
    "server.ip",
    "server_addr",
    "id.resp_h",
    "dst",
    "dest",
    "destination",
    "server",
    "dst_host",
    "dest_host",
    "destination_host",
];

/// Names of fields of bytes and packets, in one direction or both.
const MEASURES: &[&str] = &[
    "bytes",
    "bytes=total_bytes",
    "bytes=bytes_total",
    "bytes=network.bytes",
    "bytes=orig_bytes+resp_bytes",
    "bytes=source.bytes+destination.bytes",
    "bytes=bytes_sent+bytes_received",
    "bytes=bytes_in+bytes_out",
    "bytes=bytes_sent",
    "packets",
    "packets=pkts",
    "packets=total_packets",
    "packets=network.packets",
    "packets=orig_pkts+resp_pkts",
    "packets=source.packets+destination.packets",
    "packets=packets_sent+packets_received",
];

pub(super) const PRESETS: &[Preset] = &[
    Preset {
        name: "csv",
        help: "a table with commas and a header, by well-known names of columns",
        is_general: true,
        keys: &[
            ("fields", &["columns"]),
            ("separator", &["comma"]),
            ("quotes", &["csv"]),
            ("trim", &["true"]),
            ("header", &["first"]),
            ("time", TIME),
            ("from", FROM),
            ("to", TO),
            ("measures", MEASURES),
        ],
        samples: &[
            ("ts,src_ip,dst_ip,bytes", Other),
            ("1700000000,10.0.0.5,192.0.2.7,1200", Record("2023-11-14T22:13:20Z", "10.0.0.5", "192.0.2.7")),
            (
                r#""2023-11-14 22:13:21","host ""a"", first",192.0.2.7,"#,
                Record("2023-11-14T22:13:21Z", r#"host "a", first"#, "192.0.2.7"),
            ),
            ("1700000000, 10.0.0.5 ,\t192.0.2.7, 1200", Record("2023-11-14T22:13:20Z", "10.0.0.5", "192.0.2.7")),
            (
                r#""2023-11-14 22:13:21", " a, b" , 192.0.2.7, "12""#,
                Record("2023-11-14T22:13:21Z", " a, b", "192.0.2.7"),
            ),
        ],
    },
    Preset {
        name: "tsv",
        help: "a table with tabs and a header, by well-known names of columns",
        is_general: true,
        keys: &[
            ("fields", &["columns"]),
            ("separator", &["tab"]),
            ("quotes", &["csv"]),
            ("header", &["first"]),
            ("time", TIME),
            ("from", FROM),
            ("to", TO),
            ("measures", MEASURES),
        ],
        samples: &[
            ("time\tclient\tserver", Other),
            ("1700000000\tweb 1\tdb 1", Record("2023-11-14T22:13:20Z", "web 1", "db 1")),
        ],
    },
    Preset {
        name: "jsonl",
        help: "lines of JSON, by well-known names of fields",
        is_general: true,
        keys: &[("fields", &["json"]), ("time", TIME), ("from", FROM), ("to", TO), ("measures", MEASURES)],
        samples: &[
            (
                r#"{"@timestamp":"2023-11-14T22:13:20.250Z","source":{"ip":"10.0.0.5"},"destination":{"ip":"192.0.2.7"}}"#,
                Record("2023-11-14T22:13:20.25Z", "10.0.0.5", "192.0.2.7"),
            ),
            (
                r#"{"ts":1700000000250,"client":"caf\u00e9","server":"db/1"}"#,
                Record("2023-11-14T22:13:20.25Z", "café", "db/1"),
            ),
            (
                r#"{"ts":1700000000,"source":"app.py:7","client":"10.0.0.5","server":"db/1"}"#,
                Record("2023-11-14T22:13:20Z", "10.0.0.5", "db/1"),
            ),
        ],
    },
    Preset {
        name: "logfmt",
        help: "key=value with blanks between them, by well-known names of keys",
        is_general: true,
        keys: &[("fields", &["keyval"]), ("time", TIME), ("from", FROM), ("to", TO), ("measures", MEASURES)],
        samples: &[(
            r#"time=2023-11-14T22:13:20Z level=info msg="a \"b\"" src=10.0.0.5 dst=192.0.2.7"#,
            Record("2023-11-14T22:13:20Z", "10.0.0.5", "192.0.2.7"),
        )],
    },
];
