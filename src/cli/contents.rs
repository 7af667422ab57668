//! What a saved state holds, said: for people the main figures, for programs all of them.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::error::show_path;
use crate::model::escape::{exact, printable};
use crate::model::{Balance, Timestamp};
use crate::pipeline::Saved;

/// The contents as lines, and as JSON.
pub fn render(saved: &Saved) -> (String, Value) {
    (text(saved), json(saved))
}

fn path(bytes: &[u8]) -> String {
    use std::os::unix::ffi::OsStrExt;
    show_path(std::path::Path::new(std::ffi::OsStr::from_bytes(bytes)))
}

/// An instant; the lowest one stands for none.
fn instant(time: Timestamp) -> Option<String> {
    (time != Timestamp::MIN).then(|| time.to_string())
}

fn text(saved: &Saved) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(text, "Inputs: {}", saved.inputs.len());
    for input in &saved.inputs {
        let _ = write!(text, "    {}: byte {}", path(&input.path), input.position);
        let _ = write!(text, ", device {}, inode {}", input.device, input.inode);
        if input.lost > 0 {
            let _ = write!(text, ", {} bytes lost", input.lost);
        }
        text.push_str(if input.ended { ", ended\n" } else { "\n" });
    }
    let balance = &saved.balance;
    let rows = [
        ("lines read", balance.lines_read),
        ("counted", balance.counted),
        ("out of window", balance.out_of_window),
        ("late", balance.late),
        ("future", balance.future),
        ("malformed", balance.malformed_total()),
        ("blank", balance.blank),
        ("bytes read", balance.bytes_read),
        ("bytes skipped", balance.bytes_skipped),
        ("bytes unread", balance.bytes_unread),
        ("losses of unknown size", balance.unknown_losses),
    ];
    let rows = rows.iter().filter(|(label, value)| *value > 0 || *label == "lines read");
    let rows: Vec<String> = rows.map(|(label, value)| format!("{value} {label}")).collect();
    let _ = writeln!(text, "Counted: {}; {} hosts", rows.join(", "), saved.hosts);
    if let Some(next) = saved.next {
        let _ = writeln!(text, "Next window: ends {next}");
    }
    for (end, connections) in &saved.open {
        let _ = writeln!(text, "    open: ends {end}, {connections} connections so far");
    }
    if saved.more_open > 0 {
        let _ = writeln!(text, "    open: and {} more", saved.more_open);
    }
    for issued in &saved.issued {
        let (end, connections, revision) = (issued.end, issued.connections, issued.revision);
        let _ = writeln!(text, "    issued: ends {end}, {connections} connections, revision {revision}");
    }
    for pair in saved.pairs.iter().flatten() {
        let (from, to) = (printable(&pair.from), printable(&pair.to));
        let _ = writeln!(text, "    {} {from} {to} {}", pair.start, pair.connections);
    }
    text
}

fn json(saved: &Saved) -> Value {
    let inputs = saved.inputs.iter().map(|input| {
        json!({
            "id": input.id.0,
            "path": exact(&input.path),
            "device": input.device,
            "inode": input.inode,
            "start": exact(&input.start),
            "position": input.position,
            "lost": input.lost,
            "watermark": instant(input.watermark),
            "departed": input.departed,
            "ended": input.ended,
        })
    });
    let issued = saved.issued.iter().map(|issued| {
        json!({ "end": issued.end.to_string(), "revision": issued.revision, "connections": issued.connections })
    });
    let open = saved.open.iter().map(|(end, count)| json!({ "end": end.to_string(), "connections": count }));
    let counts = |counts: &[(Timestamp, u64)]| -> Vec<Value> {
        let counts = counts.iter();
        counts.map(|(start, count)| json!({ "start": start.unix_decimal(), "connections": count })).collect()
    };
    let mut whole = json!({
        "inputs": inputs.collect::<Vec<_>>(),
        "balance": balance(&saved.balance),
        "windows": {
            "next_end": saved.next.map(|end| end.to_string()),
            "open": open.collect::<Vec<_>>(),
            "open_more": saved.more_open,
            "issued": issued.collect::<Vec<_>>(),
            "again": saved.again.iter().map(Timestamp::to_string).collect::<Vec<_>>(),
        },
        "watermark": instant(saved.watermark),
        "bucket_seconds": Timestamp::from_nanos(saved.grain).unix_decimal(),
        "pane_seconds": Timestamp::from_nanos(saved.pane).unix_decimal(),
        "buckets": counts(&saved.buckets),
        "overflows": counts(&saved.overflows),
        "hosts": saved.hosts,
    });
    if let Some(pairs) = &saved.pairs {
        let pairs = pairs
            .iter()
            .map(|pair| json!([pair.start.unix_decimal(), exact(&pair.from), exact(&pair.to), pair.connections]));
        whole["pairs"] = pairs.collect();
    }
    whole
}

fn balance(balance: &Balance) -> Value {
    json!({
        "lines_read": balance.lines_read,
        "counted": balance.counted,
        "overflowed": balance.overflowed,
        "out_of_window": balance.out_of_window,
        "late": balance.late,
        "future": balance.future,
        "malformed": balance.malformed_total(),
        "blank": balance.blank,
        "bytes_read": balance.bytes_read,
        "bytes_skipped": balance.bytes_skipped,
        "bytes_unread": balance.bytes_unread,
        "unknown_losses": balance.unknown_losses,
        "bytes_total": balance.bytes_total,
        "unterminated": balance.unterminated,
        "inputs": balance.inputs,
    })
}
