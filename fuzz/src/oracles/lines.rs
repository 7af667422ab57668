//! Whole runs against a simple program: what each line of a log is, which window it falls into, and
//! who connects to whom, whatever the chunks and threads.

use std::collections::BTreeMap;
use std::path::Path;

use logparser::Pipeline;
use logparser::internals::model::escape::bytes;
use logparser::{Balance, Cause, Timestamp};

use super::{Draw, Sink};

/// What is taken for now, in seconds, and how far beyond it a stamp may lie.
const NOW: i64 = 1_700_010_000;
const FUTURE: i64 = 3_600;

type Pairs = BTreeMap<(Vec<u8>, Vec<u8>), u64>;

/// What a field that should be a stamp is.
enum Stamp {
    At(i128),
    Bad,
}

/// Nanoseconds: the digits before the point say how many of those behind it there may be.
fn stamp(field: &[u8]) -> Stamp {
    let Ok(text) = std::str::from_utf8(field) else { return Stamp::Bad };
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (whole, part) = text.split_once('.').map_or((text, None), |(whole, part)| (whole, Some(part)));
    let are_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !are_digits(whole) || !part.is_none_or(are_digits) {
        return Stamp::Bad;
    }
    let digits = whole.trim_start_matches('0').len();
    let places = if digits <= 11 {
        9
    } else if digits <= 14 {
        6
    } else if digits <= 17 {
        3
    } else {
        0
    };
    let part = format!("{:0<places$}", part.unwrap_or_default());
    if part[places..].bytes().any(|digit| digit != b'0') {
        return Stamp::Bad;
    }
    let (Ok(whole), Ok(part)) = (whole.parse::<i128>(), format!("0{}", &part[..places]).parse::<i128>()) else {
        return Stamp::Bad;
    };
    // A whole number has 64 bits, whatever its unit.
    if whole > i128::from(i64::MAX) + i128::from(negative) {
        return Stamp::Bad;
    }
    let nanos = whole * 10i128.pow(places as u32) + part;
    Stamp::At(if negative { -nanos } else { nanos })
}

fn simple(log: &[u8], (start, end): (i64, i64), max_line: usize) -> (Balance, Pairs) {
    let (mut sheet, mut pairs) = (Balance::default(), Pairs::new());
    sheet.inputs = 1;
    sheet.bytes_total = log.len() as u64;
    // Zeros at the start are what a truncation beneath a writer leaves; a mark behind them begins
    // no file.
    let log = &log[log.iter().take_while(|byte| **byte == 0).count()..];
    sheet.bytes_read = log.len() as u64;
    sheet.bytes_skipped = sheet.bytes_total - sheet.bytes_read;
    sheet.unterminated = u64::from(log.last().is_some_and(|last| *last != b'\n'));
    for (number, line) in log.split_inclusive(|byte| *byte == b'\n').enumerate() {
        sheet.lines_read += 1;
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        if line.len() > max_line {
            sheet.reject(Cause::TooLong);
            continue;
        }
        let line =
            line.strip_prefix(b"\xef\xbb\xbf").filter(|_| number == 0 && sheet.bytes_skipped == 0).unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let fields: Vec<&[u8]> =
            line.split(|byte| matches!(byte, b' ' | b'\t')).filter(|field| !field.is_empty()).collect();
        let Some((first, hosts)) = fields.split_first() else {
            sheet.blank += 1;
            continue;
        };
        let time = match stamp(first) {
            Stamp::At(nanos) => nanos,
            Stamp::Bad => {
                sheet.reject(Cause::BadStamp);
                continue;
            }
        };
        let seconds = |seconds: i64| i128::from(seconds) * 1_000_000_000;
        if time > seconds(NOW + FUTURE) {
            sheet.future += 1;
        } else if !(seconds(start)..=seconds(end)).contains(&time) {
            sheet.out_of_window += 1;
        } else {
            match hosts {
                [from, ..] if from.contains(&0) => sheet.reject(Cause::Nul),
                [_, to, ..] if to.contains(&0) => sheet.reject(Cause::Nul),
                [from, to] => {
                    sheet.counted += 1;
                    *pairs.entry((from.to_vec(), to.to_vec())).or_default() += 1;
                }
                [_, _, ..] => sheet.reject(Cause::TooManyFields),
                // Whether a separator announces a host or not is told apart, and not here.
                _ => sheet.reject(Cause::TooFewFields),
            }
        }
    }
    (sheet, pairs)
}

pub fn run(data: &[u8]) {
    let mut draw = Draw::new(data);
    let end = NOW - draw.below(8_000) as i64;
    let start = end - 1 - draw.below(8_000) as i64;
    let (max_line, chunk, threads) = (16 + draw.below(120), 16 + draw.below(300), 1 + draw.below(3));
    let mut log = Vec::new();
    while !draw.is_done() {
        // Lines of the common kind, and others as they are.
        match draw.byte() {
            kind @ 0xf0.. => {
                let unit = [1, 1_000, 1_000_000, 1_000_000_000][draw.below(4)];
                let time = (start - 500 + draw.below(16_000) as i64) * unit;
                let fraction = if kind & 1 > 0 { format!(".{}", draw.below(1_000)) } else { String::new() };
                let (from, to) = (draw.byte() % 8, draw.byte() % 4);
                log.extend(format!("{time}{fraction} h{from} d{to}\n").bytes());
            }
            byte => log.push(byte),
        }
    }
    let folder = tempfile::tempdir_in(if Path::new("/dev/shm").is_dir() { "/dev/shm" } else { "." });
    let folder = folder.expect("there is room");
    let path = folder.path().join("log");
    std::fs::write(&path, &log).expect("there is room");
    let sink = Sink::default();
    let mut builder = Pipeline::builder()
        .config_text("p.toml", "reports = [{ name = \"top-pairs\", limit = 1000000 }]\noutputs = [\"json\"]\n")
        .output("json", Box::new(sink.clone()))
        .clock(|| Timestamp::from_seconds(NOW))
        .on_failure(|_| {})
        .on_warning(|_| {});
    let future = format!("{FUTURE}s");
    let settings = [
        ("location", format!("\"{}\"", path.display())),
        ("since", start.to_string()),
        ("until", end.to_string()),
        ("future", format!("\"{future}\"")),
        ("max-line", max_line.to_string()),
        ("chunk", chunk.to_string()),
        ("threads", threads.to_string()),
        ("grouping-seconds", "7".to_owned()),
        ("format", "\"plain\"".to_owned()),
    ];
    for (key, value) in &settings {
        builder = builder.set(key, value);
    }
    let summary = builder.build().expect("it is right").run().expect("it runs");
    let (mut expected, pairs) = simple(&log, (start, end), max_line);
    let mut found = summary.sheets[0].balance.clone();
    // Both say that there are too few fields.
    for sheet in [&mut expected, &mut found] {
        sheet.malformed[Cause::TooFewFields as usize] +=
            std::mem::take(&mut sheet.malformed[Cause::EmptyHost as usize]);
    }
    assert_eq!(found, expected, "{:?}", String::from_utf8_lossy(&log));
    let written = sink.0.lock().expect("nobody panics").clone();
    let json: serde_json::Value = serde_json::from_slice(&written).expect("it is JSON");
    let rows = json["reports"][0]["rows"].as_array().expect("rows").clone();
    let rows: Pairs = rows
        .iter()
        .map(|row| {
            let name = |at: usize| bytes(row[at].as_str().expect("a name"));
            ((name(0), name(1)), row[2].as_u64().expect("a count"))
        })
        .collect();
    assert_eq!(rows, pairs);
}
