//! Flows, as sensors and clouds write them.

use super::preset::{Preset, SampleLine};
use SampleLine::{Filtered, Other, Record};

/// What no other log of Zeek has.
const CONN_ONLY: &str = "conn_state exists or history exists or orig_pkts exists";

pub(super) const PRESETS: &[Preset] = &[
    Preset {
        name: "zeek-conn",
        help: "Zeek's conn.log, in columns with #fields",
        is_general: false,
        keys: &[
            ("fields", &["columns"]),
            ("separator", &["tab"]),
            ("comment", &["#"]),
            ("fixed", &["#separator \\x09", "#unset_field\t-", "#empty_field\t(empty)"]),
            ("header", &["#fields"]),
            ("time-start", &["ts"]),
            ("time-end", &["ts + duration"]),
            ("from", &["id.orig_h"]),
            ("to", &["id.resp_h"]),
            ("unset", &["-", "(empty)"]),
            ("measures", &["bytes=orig_bytes+resp_bytes", "packets=orig_pkts+resp_pkts"]),
            ("only", &["_path missing or _path=conn"]),
            ("known-by", &["ts exists", "id.orig_h exists", "id.resp_h exists", CONN_ONLY]),
        ],
        samples: &[
            ("#separator \\x09", Other),
            ("#set_separator\t,", Other),
            ("#empty_field\t(empty)", Other),
            ("#unset_field\t-", Other),
            ("#path\tconn", Other),
            (
                "#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\tconn_state",
                Other,
            ),
            ("#types\ttime\tstring\taddr\tport\taddr\tport\tenum\tstring\tinterval\tstring", Other),
            (
                "1700000000.250000\tCx1\t10.0.0.5\t49152\t192.0.2.7\t443\ttcp\tssl\t1.500000\tSF",
                Record("2023-11-14T22:13:21.75Z", "10.0.0.5", "192.0.2.7"),
            ),
            (
                "1700000001.000000\tCx2\t2001:db8::5\t49153\t2001:db8::7\t53\tudp\tdns\t-\tS0",
                Record("2023-11-14T22:13:21Z", "2001:db8::5", "2001:db8::7"),
            ),
            ("#close\t2023-11-14-23-00-00", Other),
        ],
    },
    Preset {
        name: "zeek-conn-json",
        help: "Zeek's conn.log, in JSON",
        is_general: false,
        keys: &[
            ("fields", &["json"]),
            ("time-start", &["ts"]),
            ("time-end", &["ts + duration"]),
            ("from", &["id.orig_h"]),
            ("to", &["id.resp_h"]),
            ("measures", &["bytes=orig_bytes+resp_bytes", "packets=orig_pkts+resp_pkts"]),
            ("only", &["_path missing or _path=conn"]),
            ("known-by", &["ts exists", "id.orig_h exists", "id.resp_h exists", CONN_ONLY]),
        ],
        samples: &[
            (
                r#"{"ts":1700000000.25,"uid":"Cx1","id.orig_h":"10.0.0.5","id.orig_p":49152,"id.resp_h":"192.0.2.7","id.resp_p":443,"proto":"tcp","duration":1.5,"conn_state":"SF"}"#,
                Record("2023-11-14T22:13:21.75Z", "10.0.0.5", "192.0.2.7"),
            ),
            (
                r#"{"ts":"2023-11-14T22:13:20.250000Z","id.orig_h":"10.0.0.6","id.resp_h":"192.0.2.7","proto":"udp","conn_state":"S0"}"#,
                Record("2023-11-14T22:13:20.25Z", "10.0.0.6", "192.0.2.7"),
            ),
        ],
    },
    Preset {
        name: "vpc-flow",
        help: "flow logs of AWS VPC, versions 2 to 5, with a header or, version 2, without",
        is_general: false,
        keys: &[
            ("fields", &["columns"]),
            ("header", &["first"]),
            (
                "columns",
                &[
                    "version",
                    "account-id",
                    "interface-id",
                    "srcaddr",
                    "dstaddr",
                    "srcport",
                    "dstport",
                    "protocol",
                    "packets",
                    "bytes",
                    "start",
                    "end",
                    "action",
                    "log-status",
                ],
            ),
            ("time-start", &["start", "end"]),
            ("time-end", &["end", "start"]),
            ("time-form", &["number"]),
            ("from", &["srcaddr"]),
            ("to", &["dstaddr"]),
            ("unset", &["-"]),
            ("measures", &["bytes", "packets"]),
            ("only", &["srcaddr exists", "dstaddr exists"]),
            ("form", &[r"version missing or version~^\d{1,2}$"]),
            ("known-by", &["srcaddr exists", "dstaddr exists", r"version missing or version~^\d{1,2}$"]),
        ],
        samples: &[
            (
                "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status",
                Other,
            ),
            (
                "2 123456789012 eni-0a1b2c3d 10.0.0.5 192.0.2.7 49152 443 6 20 4249 1700000000 1700000060 ACCEPT OK",
                Record("2023-11-14T22:14:20Z", "10.0.0.5", "192.0.2.7"),
            ),
            ("2 123456789012 eni-0a1b2c3d - - - - - - - 1700000000 1700000060 - NODATA", Other),
        ],
    },
    Preset {
        name: "suricata-flow",
        help: "Suricata's eve.json: its flow events",
        is_general: false,
        keys: &[
            ("fields", &["json"]),
            ("time-start", &["flow.start"]),
            ("time-end", &["flow.end"]),
            ("time-form", &["rfc3339"]),
            ("from", &["src_ip"]),
            ("to", &["dest_ip"]),
            (
                "measures",
                &["bytes=flow.bytes_toserver+flow.bytes_toclient", "packets=flow.pkts_toserver+flow.pkts_toclient"],
            ),
            ("only", &["event_type=flow"]),
            ("known-by", &["event_type exists", "timestamp exists"]),
        ],
        samples: &[
            (
                r#"{"timestamp":"2023-11-14T22:14:00.000001+0000","flow_id":1,"event_type":"flow","src_ip":"10.0.0.5","src_port":49152,"dest_ip":"192.0.2.7","dest_port":443,"proto":"TCP","flow":{"pkts_toserver":4,"bytes_toserver":400,"start":"2023-11-14T22:13:20.000000+0000","end":"2023-11-14T22:13:25.500000+0000"}}"#,
                Record("2023-11-14T22:13:25.5Z", "10.0.0.5", "192.0.2.7"),
            ),
            (
                r#"{"timestamp":"2023-11-14T22:14:01.000001+0000","event_type":"alert","src_ip":"10.0.0.5","dest_ip":"192.0.2.7","alert":{"severity":1},"flow":{"src_ip":"10.0.0.9"}}"#,
                Other,
            ),
        ],
    },
    Preset {
        name: "gcp-vpc-flow",
        help: "flow logs of Google Cloud VPC, in JSON; of a flow that both ends report, that of the source",
        is_general: false,
        keys: &[
            ("fields", &["json"]),
            ("time-start", &["jsonPayload.start_time"]),
            ("time-end", &["jsonPayload.end_time"]),
            ("time-form", &["rfc3339"]),
            ("from", &["jsonPayload.connection.src_ip"]),
            ("to", &["jsonPayload.connection.dest_ip"]),
            ("measures", &["bytes=jsonPayload.bytes_sent", "packets=jsonPayload.packets_sent"]),
            ("only", &["jsonPayload.connection.src_ip exists", "jsonPayload.reporter exists"]),
            ("where", &["jsonPayload.reporter!=DEST or jsonPayload.src_instance.vm_name missing"]),
            ("known-by", &["jsonPayload.connection.src_ip exists", "jsonPayload.reporter exists"]),
        ],
        samples: &[
            (
                r#"{"insertId":"a","jsonPayload":{"bytes_sent":"1200","connection":{"dest_ip":"192.0.2.7","dest_port":443,"protocol":6,"src_ip":"10.0.0.5","src_port":49152},"end_time":"2023-11-14T22:13:25.500000000Z","packets_sent":"9","reporter":"SRC","start_time":"2023-11-14T22:13:20.000000000Z"},"logName":"projects/p/logs/compute.googleapis.com%2Fvpc_flows"}"#,
                Record("2023-11-14T22:13:25.5Z", "10.0.0.5", "192.0.2.7"),
            ),
            (
                r#"{"jsonPayload":{"connection":{"dest_ip":"10.0.0.7","src_ip":"10.0.0.5"},"src_instance":{"vm_name":"a"},"end_time":"2023-11-14T22:13:26Z","reporter":"DEST","start_time":"2023-11-14T22:13:20Z"}}"#,
                Filtered,
            ),
            (
                r#"{"jsonPayload":{"connection":{"dest_ip":"10.0.0.7","src_ip":"198.51.100.1"},"end_time":"2023-11-14T22:13:26Z","reporter":"DEST","start_time":"2023-11-14T22:13:20Z"}}"#,
                Record("2023-11-14T22:13:26Z", "198.51.100.1", "10.0.0.7"),
            ),
        ],
    },
    Preset {
        name: "hubble",
        help: "Cilium Hubble's flows, in JSON: the first packet of each TCP connection",
        is_general: false,
        keys: &[
            ("fields", &["json"]),
            ("time", &["flow.time", "time"]),
            ("time-form", &["rfc3339"]),
            ("from", &["flow.IP.source", "IP.source"]),
            ("to", &["flow.IP.destination", "IP.destination"]),
            (
                "where",
                &[
                    "flow.l4.TCP.flags.SYN=true or l4.TCP.flags.SYN=true",
                    "flow.is_reply!=true",
                    "is_reply!=true",
                    "flow.l4.TCP.flags.ACK!=true",
                    "l4.TCP.flags.ACK!=true",
                ],
            ),
            ("only", &["flow.IP.source exists or IP.source exists"]),
            ("known-by", &["flow.IP.source exists or IP.source exists", "flow.verdict exists or verdict exists"]),
        ],
        samples: &[
            (
                r#"{"flow":{"time":"2023-11-14T22:13:20.25Z","verdict":"FORWARDED","IP":{"source":"10.0.0.5","destination":"10.0.0.7","ipVersion":"IPv4"},"l4":{"TCP":{"source_port":49152,"destination_port":443,"flags":{"SYN":true}}},"is_reply":false},"node_name":"n1","time":"2023-11-14T22:13:20.25Z"}"#,
                Record("2023-11-14T22:13:20.25Z", "10.0.0.5", "10.0.0.7"),
            ),
            (
                r#"{"time":"2023-11-14T22:13:21Z","verdict":"FORWARDED","IP":{"source":"10.0.0.5","destination":"10.0.0.8"},"l4":{"TCP":{"flags":{"SYN":true}}},"is_reply":false}"#,
                Record("2023-11-14T22:13:21Z", "10.0.0.5", "10.0.0.8"),
            ),
            (
                r#"{"flow":{"time":"2023-11-14T22:13:20.26Z","verdict":"FORWARDED","IP":{"source":"10.0.0.7","destination":"10.0.0.5"},"l4":{"TCP":{"flags":{"SYN":true,"ACK":true}}},"is_reply":true}}"#,
                Filtered,
            ),
        ],
    },
    Preset {
        name: "nfdump-csv",
        help: "what nfdump -o csv prints",
        is_general: false,
        keys: &[
            ("fields", &["columns"]),
            ("separator", &["comma"]),
            ("header", &["first"]),
            ("time-start", &["ts", "firstSeen", "first"]),
            ("time-end", &["te", "lastSeen", "firstSeen + duration", "ts"]),
            ("from", &["sa", "srcAddr", "srcaddr"]),
            ("to", &["da", "dstAddr", "dstaddr"]),
            ("measures", &["bytes=ibyt", "bytes", "packets=ipkt", "packets"]),
            ("weight", &["flows"]),
            ("other", &["^Summary", "^flows,bytes,packets", r"^\d+(,\d+){5}$", "^No matching flows"]),
            ("known-by", &["sa exists or srcAddr exists", "da exists or dstAddr exists"]),
        ],
        samples: &[
            ("ts,te,td,sa,da,sp,dp,pr,flg,fwd,stos,ipkt,ibyt,opkt,obyt", Other),
            (
                "2023-11-14 22:13:20,2023-11-14 22:13:25,5.000,10.0.0.5,192.0.2.7,49152,443,TCP,...AP.SF,0,0,10,1200,0,0",
                Record("2023-11-14T22:13:25Z", "10.0.0.5", "192.0.2.7"),
            ),
            ("Summary", Other),
            ("flows,bytes,packets,avg_bps,avg_pps,avg_bpp", Other),
            ("1,1200,10,1920,2,120", Other),
        ],
    },
    Preset {
        name: "silk",
        help: "what SiLK's rwcut prints",
        is_general: false,
        keys: &[
            ("fields", &["columns"]),
            ("separator", &["pipe"]),
            ("trim", &["true"]),
            ("trailing-separator", &["true"]),
            ("header", &["first"]),
            ("time-start", &["sTime"]),
            ("time-end", &["eTime", "sTime + duration"]),
            ("from", &["sIP"]),
            ("to", &["dIP"]),
            ("measures", &["bytes", "packets"]),
            ("known-by", &["sIP exists", "dIP exists"]),
        ],
        samples: &[
            (
                "            sIP|            dIP|sPort|dPort|pro|   packets|     bytes|                  sTime| duration|",
                Other,
            ),
            (
                "       10.0.0.5|      192.0.2.7|49152|  443|  6|        10|      1200|2023/11/14T22:13:20.000|    5.500|",
                Record("2023-11-14T22:13:25.5Z", "10.0.0.5", "192.0.2.7"),
            ),
        ],
    },
];
