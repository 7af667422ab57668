//! Requests, as web servers, proxies and load balancers write them.
//!
//! A server's log does not say to whom a client connects, other than to that server: where there is
//! no virtual host in it, the first part of the path stands for that. Requests that proxies get name a
//! host in place of a path, `GET http://host/path` and `CONNECT host:443`, which counts then. Where
//! there is neither, it is `-`.

use super::preset::{Preset, SampleLine};
use SampleLine::{Other, Record};

const PATH: &[&str] = &["{request|request-path|segment}", "{request|after: |before-last: HTTP/|url-host}", "{\"-\"}"];

/// Apache writes a dash where it sent no bytes.
const NO_BYTES: &[&str] = &["-"];

/// Lines that Envoy and Istio's agent write of themselves.
const OF_ENVOY_ITSELF: &[&str] =
    &[r"^\[[^\]]+\]\[\d+\]\[\w+\]", r"^\d{4}-\d\d-\d\dT\S+\t(debug|info|warn|error|fatal)\t"];

/// What the dates of web servers have, and those of HAProxy have not.
const WITH_ZONE: &[&str] = &[r"time~ [-+]\d{4}$"];

pub(super) const PRESETS: &[Preset] = &[
    Preset {
        name: "combined",
        help: "the combined log format of Apache and nginx; to: the first part of the path",
        is_general: false,
        keys: &[
            ("fields", &["columns"]),
            ("quotes", &["web"]),
            ("columns", &["client", "ident", "user", "time", "request", "status", "bytes", "referrer", "agent"]),
            ("more-columns", &["true"]),
            ("time", &["time"]),
            ("time-form", &["clf"]),
            ("from", &["client"]),
            ("to", PATH),
            ("measures", &["bytes"]),
            ("unset", &["-"]),
            ("zero", NO_BYTES),
            ("form", WITH_ZONE),
            ("known-by", WITH_ZONE),
        ],
        samples: &[
            (
                r#"10.0.0.5 - - [14/Nov/2023:22:13:20 +0000] "GET /api/items?id=1 HTTP/1.1" 200 1234 "-" "curl/8.4.0""#,
                Record("2023-11-14T22:13:20Z", "10.0.0.5", "/api"),
            ),
            (
                r#"2001:db8::5 - alice [14/Nov/2023:23:13:21 +0100] "GET / HTTP/2.0" 304 0 "https://example.com/" "Mozilla/5.0 (X11; \"odd\") Gecko""#,
                Record("2023-11-14T22:13:21Z", "2001:db8::5", "/"),
            ),
            (
                r#"10.0.0.6 - - [14/Nov/2023:22:13:22 +0000] "\x16\x03\x01" 400 226 "-" "-""#,
                Record("2023-11-14T22:13:22Z", "10.0.0.6", "-"),
            ),
            (
                r#"10.0.0.6 - - [14/Nov/2023:22:13:23 +0000] "GET http://www.example.com:8080/a/b HTTP/1.1" 304 - "-" "-""#,
                Record("2023-11-14T22:13:23Z", "10.0.0.6", "www.example.com"),
            ),
            (
                r#"10.0.0.6 - - [14/Nov/2023:22:13:24 +0000] "CONNECT www.example.com:443 HTTP/1.1" 200 - "-" "-""#,
                Record("2023-11-14T22:13:24Z", "10.0.0.6", "www.example.com"),
            ),
        ],
    },
    Preset {
        name: "common",
        help: "the common log format; to: the first part of the path",
        is_general: false,
        keys: &[
            ("fields", &["columns"]),
            ("quotes", &["web"]),
            ("columns", &["client", "ident", "user", "time", "request", "status", "bytes"]),
            ("time", &["time"]),
            ("time-form", &["clf"]),
            ("from", &["client"]),
            ("to", PATH),
            ("measures", &["bytes"]),
            ("unset", &["-"]),
            ("zero", NO_BYTES),
            ("form", WITH_ZONE),
            ("known-by", WITH_ZONE),
        ],
        samples: &[(
            r#"10.0.0.5 - frank [14/Nov/2023:15:13:20 -0700] "GET /apache_pb.gif HTTP/1.0" 200 2326"#,
            Record("2023-11-14T22:13:20Z", "10.0.0.5", "/apache_pb.gif"),
        )],
    },
    Preset {
        name: "vhost-combined",
        help: "the combined log format behind the virtual host",
        is_general: false,
        keys: &[
            ("fields", &["columns"]),
            ("quotes", &["web"]),
            (
                "columns",
                &["vhost", "client", "ident", "user", "time", "request", "status", "bytes", "referrer", "agent"],
            ),
            ("more-columns", &["true"]),
            ("time", &["time"]),
            ("time-form", &["clf"]),
            ("from", &["client"]),
            ("to", &["vhost"]),
            ("measures", &["bytes"]),
            ("unset", &["-"]),
            ("zero", NO_BYTES),
            ("form", WITH_ZONE),
            ("known-by", WITH_ZONE),
        ],
        samples: &[(
            r#"www.example.com:443 10.0.0.5 - - [14/Nov/2023:22:13:20 +0000] "GET / HTTP/1.1" 200 12 "-" "curl/8.4.0""#,
            Record("2023-11-14T22:13:20Z", "10.0.0.5", "www.example.com:443"),
        )],
    },
    Preset {
        name: "vhost-common",
        help: "the common log format behind the virtual host",
        is_general: false,
        keys: &[
            ("fields", &["columns"]),
            ("quotes", &["web"]),
            ("columns", &["vhost", "client", "ident", "user", "time", "request", "status", "bytes"]),
            ("time", &["time"]),
            ("time-form", &["clf"]),
            ("from", &["client"]),
            ("to", &["vhost"]),
            ("measures", &["bytes"]),
            ("unset", &["-"]),
            ("zero", NO_BYTES),
            ("form", WITH_ZONE),
            ("known-by", WITH_ZONE),
        ],
        samples: &[(
            r#"www.example.com 10.0.0.5 - - [14/Nov/2023:22:13:20 +0000] "GET / HTTP/1.1" 200 12"#,
            Record("2023-11-14T22:13:20Z", "10.0.0.5", "www.example.com"),
        )],
    },
    Preset {
        name: "haproxy",
        help: "HAProxy's log of HTTP and of TCP; to: backend/server",
        is_general: false,
        keys: &[
            ("fields", &["regex"]),
            (
                "pattern",
                &[concat!(
                    r"^(?<client>\S+):(?<client_port>\d+) \[(?<time>[^\]]+)\] (?<frontend>\S+) ",
                    r"(?<backend>[^/ ]+)/(?<server>\S+) (?<timers>[-+\d]+/[-+\d/]+) ",
                    r"(?:(?<status>-1|\d{3}) )?(?<bytes>\+?\d+) "
                )],
            ),
            ("time", &["time"]),
            ("time-form", &["clf"]),
            ("from", &["client"]),
            ("to", &["{backend}/{server}"]),
            ("measures", &["bytes"]),
            (
                "other",
                &[
                    r"^(Proxy|Server|Health|Backup|Backend|backend|Loading|New|Former|Exiting|Stopping|Pausing|Listener|Using|Connect) ",
                    r"^\S+:\d+ \[[^\]]+\] \S+: ",
                    r"^\[?(NOTICE|WARNING|ALERT)",
                ],
            ),
            ("known-by", &["timers exists"]),
        ],
        samples: &[
            (
                r#"10.0.0.5:49152 [14/Nov/2023:22:13:20.250] web~ api/node1 0/0/1/12/13 200 1234 - - ---- 2/1/0/0/0 0/0 {Mozilla/5.0 (X11)} {} "GET /x HTTP/1.1""#,
                Record("2023-11-14T22:13:20.25Z", "10.0.0.5", "api/node1"),
            ),
            (
                "10.0.0.6:49153 [14/Nov/2023:22:13:21.000] mysql db/db1 1/0/5007 212 -- 0/0/0/0/3 0/0",
                Record("2023-11-14T22:13:21Z", "10.0.0.6", "db/db1"),
            ),
            ("Proxy web started.", Other),
            ("10.0.0.7:49154 [14/Nov/2023:22:13:22.000] web/1: SSL handshake failure", Other),
        ],
    },
    Preset {
        name: "squid",
        help: "Squid's own log; to: where it was fetched from, else the host of the URL",
        is_general: false,
        keys: &[
            ("fields", &["columns"]),
            ("columns", &["time", "elapsed", "client", "code", "bytes", "method", "url", "user", "hierarchy", "type"]),
            ("time", &["time"]),
            ("time-form", &["number"]),
            ("from", &["client"]),
            ("to", &["{hierarchy|after:/}", "{url|url-host}", "{\"-\"}"]),
            ("measures", &["bytes"]),
            ("unset", &["-"]),
            ("form", &[r"code~^[A-Z_]+/\d"]),
            ("known-by", &[r"code~^[A-Z_]+/\d", r"hierarchy~^[A-Z_]+/"]),
        ],
        samples: &[
            (
                "1700000000.250     12 10.0.0.5 TCP_MISS/200 1234 GET http://www.example.com/a - HIER_DIRECT/192.0.2.7 text/html",
                Record("2023-11-14T22:13:20.25Z", "10.0.0.5", "192.0.2.7"),
            ),
            (
                "1700000001.000      0 10.0.0.5 TCP_DENIED/403 3892 CONNECT www.example.com:443 - HIER_NONE/- text/html",
                Record("2023-11-14T22:13:21Z", "10.0.0.5", "www.example.com"),
            ),
        ],
    },
    Preset {
        name: "envoy",
        help: "Envoy's access log in JSON; to: the upstream host, else its cluster",
        is_general: false,
        keys: &[
            ("fields", &["json"]),
            ("time", &["start_time"]),
            ("time-form", &["rfc3339"]),
            ("from", &["{downstream_remote_address|host}"]),
            ("to", &["{upstream_host|host}", "{upstream_cluster}", "{\"-\"}"]),
            ("measures", &["bytes=bytes_received+bytes_sent"]),
            ("unset", &["-", ""]),
            ("other", OF_ENVOY_ITSELF),
            ("known-by", &["start_time exists", "downstream_remote_address exists"]),
        ],
        samples: &[
            (
                r#"{":authority":"www.example.com","bytes_received":0,"bytes_sent":1234,"downstream_remote_address":"10.0.0.5:49152","duration":11,"response_code":200,"start_time":"2023-11-14T22:13:20.250Z","upstream_cluster":"api","upstream_host":"10.1.0.7:8080"}"#,
                Record("2023-11-14T22:13:20.25Z", "10.0.0.5", "10.1.0.7"),
            ),
            (
                r#"{"downstream_remote_address":"10.0.0.5:49153","response_code":503,"start_time":"2023-11-14T22:13:21.000Z","upstream_cluster":"api","upstream_host":null}"#,
                Record("2023-11-14T22:13:21Z", "10.0.0.5", "api"),
            ),
        ],
    },
    Preset {
        name: "istio",
        help: "the access log of Istio's proxies as text; to: the upstream host, else its cluster",
        is_general: false,
        keys: &[
            ("fields", &["regex"]),
            (
                "pattern",
                &[concat!(
                    r#"^\[(?<time>[^\]]+)\] "(?<request>[^"]*)" (?<status>\d+) (?<flags>\S+) (?:\S+ ){0,2}"[^"]*" "#,
                    r#"(?<bytes_received>\d+) (?<bytes_sent>\d+) (?<duration>\S+) \S+ "(?<forwarded_for>[^"]*)" "(?<agent>.*)" "#,
                    r#""(?<request_id>[^"]*)" "(?<authority>[^"]*)" "(?<upstream_host>[^"]*)" (?<upstream_cluster>\S+) "#,
                    r#"\S+ (?<downstream_local>\S+) (?<downstream_remote>\S+) "#
                )],
            ),
            ("time", &["time"]),
            ("time-form", &["rfc3339"]),
            ("from", &["{downstream_remote|host}"]),
            ("to", &["{upstream_host|host}", "{upstream_cluster}", "{\"-\"}"]),
            ("measures", &["bytes=bytes_received+bytes_sent"]),
            ("unset", &["-", ""]),
            ("other", OF_ENVOY_ITSELF),
        ],
        samples: &[(
            r#"[2023-11-14T22:13:20.250Z] "GET /status/418 HTTP/1.1" 418 - via_upstream - "-" 0 135 4 4 "-" "curl/8.4.0" "84961386" "httpbin:8000" "[2001:db8::7]:80" outbound|8000||httpbin.default.svc.cluster.local 10.44.1.23:37652 10.0.45.184:8000 10.0.0.5:46520 - default"#,
            Record("2023-11-14T22:13:20.25Z", "10.0.0.5", "2001:db8::7"),
        )],
    },
];
