//! A snapshot that was read to be looked at, and its one rendering: the main figures for people,
//! all of them for programs.
//!
//! Not here: the slots that it lies in. Invariant: both say the same numbers, and strings of logs
//! in them cannot act on a terminal.

use std::fmt::Write as _;
use std::io;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::codec::Decoder;
use crate::error::show_path;
use crate::model::escape::{exact, printable};
use crate::model::{Balance, Lengths, Timestamp};
use crate::ops::progress::Position;
use crate::source::follow::FileRecord;
use crate::tally::Tally;

use super::value::Snapshot;

/// The most open windows that are listed.
const MOST_OPEN: usize = 1000;

/// What a snapshot holds.
#[derive(Debug)]
pub struct SavedContents {
    snapshot: Snapshot,
    /// Length of a pane in nanoseconds: of a run of buckets for which pairs are counted together.
    pane: i64,
    /// Hosts whose names are saved.
    hosts: usize,
    /// The pairs, if they were asked for.
    tally: Option<Tally>,
}

/// A number of the sheet: its name for programs, and that for people, if it is told to them.
type Figure = (&'static str, Option<&'static str>, fn(&Balance) -> u64);

/// Those of the sheet, in the order in which people read them.
const FIGURES: [Figure; 15] = [
    ("lines_read", Some("lines read"), |sheet| sheet.lines_read),
    ("counted", Some("counted"), |sheet| sheet.counted),
    ("overflowed", None, |sheet| sheet.overflowed),
    ("out_of_window", Some("out of window"), |sheet| sheet.out_of_window),
    ("late", Some("late"), |sheet| sheet.late),
    ("future", Some("future"), |sheet| sheet.future),
    ("malformed", Some("malformed"), Balance::malformed_total),
    ("blank", Some("blank"), |sheet| sheet.blank),
    ("bytes_read", Some("bytes read"), |sheet| sheet.bytes_read),
    ("bytes_skipped", Some("bytes skipped"), |sheet| sheet.bytes_skipped),
    ("bytes_unread", Some("bytes unread"), |sheet| sheet.bytes_unread),
    ("unknown_losses", Some("losses of unknown size"), |sheet| sheet.unknown_losses),
    ("bytes_total", None, |sheet| sheet.bytes_total),
    ("unterminated", None, |sheet| sheet.unterminated),
    ("inputs", None, |sheet| sheet.inputs),
];

impl SavedContents {
    /// Reads a snapshot that was saved with a configuration of these lengths, and its pairs only if
    /// they are asked for.
    pub fn read(decoder: &mut Decoder<'_>, lengths: &Lengths, pairs: bool) -> io::Result<Self> {
        let (mut snapshot, mut tally) = Snapshot::open(decoder, lengths, Arc::default())?;
        let pane = tally.shape().pane.saturating_mul(snapshot.counts.grain);
        if !pairs {
            let hosts = snapshot.skip_counts(decoder)?;
            return Ok(SavedContents { snapshot, pane, hosts, tally: None });
        }
        snapshot.read_counts(decoder, &mut tally)?;
        let hosts = tally.hosts().read().names().len();
        Ok(SavedContents { snapshot, pane, hosts, tally: Some(tally) })
    }

    /// As lines for people.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let inputs = self.inputs();
        // Writing to a string cannot fail.
        let _ = writeln!(text, "Inputs: {}", inputs.len());
        for (file, position) in inputs {
            let _ = write!(text, "    {}: byte {}", path(&file.name), file.position);
            let _ = write!(text, ", device {}, inode {}", file.device, file.inode);
            if file.lost > 0 {
                let _ = write!(text, ", {} bytes lost", file.lost);
            }
            text.push_str(if position.ended() { ", ended\n" } else { "\n" });
        }
        let sheet = self.snapshot.balance();
        let figures = FIGURES.iter().filter_map(|(_, label, value)| Some((label.as_ref()?, value(&sheet))));
        let figures = figures.enumerate().filter(|(at, (_, value))| *at == 0 || *value > 0);
        let figures: Vec<String> = figures.map(|(_, (label, value))| format!("{value} {label}")).collect();
        let _ = writeln!(text, "Counted: {}; {} hosts", figures.join(", "), self.hosts);
        self.write_windows(&mut text);
        for (start, from, to, connections) in self.pairs().iter().flatten() {
            let _ = writeln!(text, "    {start} {} {} {connections}", printable(from), printable(to));
        }
        text
    }

    fn write_windows(&self, text: &mut String) {
        if let Some(next) = self.snapshot.windows.next {
            let _ = writeln!(text, "Next window: ends {}", self.end(next));
        }
        let (open, more) = self.snapshot.open_windows(MOST_OPEN);
        for (k, connections) in open {
            let _ = writeln!(text, "    open: ends {}, {connections} connections so far", self.end(k));
        }
        if more > 0 {
            let _ = writeln!(text, "    open: and {more} more");
        }
        for (k, issued) in &self.snapshot.windows.issued {
            let (end, connections, revision) = (self.end(*k), issued.connections, issued.revision);
            let _ = writeln!(text, "    issued: ends {end}, {connections} connections, revision {revision}");
        }
    }

    /// As a value for programs.
    pub fn json(&self) -> Value {
        let snapshot = &self.snapshot;
        let sheet = snapshot.balance();
        let sheet: Map<_, _> =
            FIGURES.iter().map(|(key, _, value)| ((*key).to_owned(), value(&sheet).into())).collect();
        let starts = |counts: &mut dyn Iterator<Item = (Timestamp, u64)>| -> Vec<Value> {
            let counts = counts.map(|(start, count)| json!({ "start": start.unix_decimal(), "connections": count }));
            counts.collect()
        };
        let bucket_start = |bucket| snapshot.grid.anchor.plus_times(bucket, snapshot.counts.grain);
        let buckets = &mut snapshot.counts.buckets.iter().map(|&(bucket, count)| (bucket_start(bucket), count));
        let overflows = &mut snapshot.overflows().map(|(number, count)| (self.pane_start(number), count));
        let mut whole = json!({
            "inputs": self.inputs().into_iter().map(input).collect::<Vec<_>>(),
            "balance": sheet,
            "windows": self.windows(),
            "watermark": instant(snapshot.progress.watermark()),
            "bucket_seconds": Timestamp::from_nanos(snapshot.counts.grain).unix_decimal(),
            "pane_seconds": Timestamp::from_nanos(self.pane).unix_decimal(),
            "buckets": starts(buckets),
            "overflows": starts(overflows),
            "hosts": self.hosts,
        });
        if let Some(pairs) = self.pairs() {
            let pairs = pairs.into_iter();
            let pair = |(start, from, to, connections): SavedPair| {
                json!([start.unix_decimal(), exact(&from), exact(&to), connections])
            };
            whole["pairs"] = pairs.map(pair).collect();
        }
        whole
    }

    fn windows(&self) -> Value {
        let windows = &self.snapshot.windows;
        let end = |k: i64| self.end(k).to_string();
        let (open, more) = self.snapshot.open_windows(MOST_OPEN);
        let open = open.into_iter().map(|(k, count)| json!({ "end": end(k), "connections": count }));
        let issued = windows.issued.iter().map(
            |(k, issued)| json!({ "end": end(*k), "revision": issued.revision, "connections": issued.connections }),
        );
        json!({
            "next_end": windows.next.map(end),
            "open": open.collect::<Vec<_>>(),
            "open_more": more,
            "issued": issued.collect::<Vec<_>>(),
            "again": windows.again.iter().map(|(_, last)| end(*last)).collect::<Vec<_>>(),
        })
    }

    /// The inputs of which anything is known, by number.
    fn inputs(&self) -> Vec<(&FileRecord, &Position)> {
        let known = &self.snapshot.progress.inputs;
        let at = |file: &FileRecord| known.binary_search_by_key(&file.id, |(id, _)| *id).ok();
        self.snapshot.files.iter().filter_map(|file| Some((file, &known[at(file)?].1))).collect()
    }

    /// The pairs by pane and then by name, if they were asked for.
    fn pairs(&self) -> Option<Vec<SavedPair>> {
        let tally = self.tally.as_ref()?;
        let hosts = tally.hosts().read();
        let name = |host| hosts.names().name(host).to_vec();
        let mut pairs = Vec::new();
        for (number, pane) in tally.panes() {
            let start = self.pane_start(number);
            pane.for_each(|from, to, connections| pairs.push((start, name(from), name(to), connections)));
        }
        pairs.sort();
        Some(pairs)
    }

    fn end(&self, k: i64) -> Timestamp {
        self.snapshot.grid.window(k).end
    }

    fn pane_start(&self, number: i64) -> Timestamp {
        self.snapshot.grid.anchor.plus_times(number, self.pane)
    }
}

/// The start of a pane, the host that connected, the one that it connected to, and how often.
type SavedPair = (Timestamp, Vec<u8>, Vec<u8>, u64);

fn input((file, position): (&FileRecord, &Position)) -> Value {
    json!({
        "id": file.id.0,
        "path": exact(&file.name),
        "device": file.device,
        "inode": file.inode,
        "start": exact(&file.start),
        "position": file.position,
        "lost": file.lost,
        "watermark": instant(position.watermark),
        "departed": file.departed,
        "ended": position.ended(),
    })
}

fn path(bytes: &[u8]) -> String {
    use std::os::unix::ffi::OsStrExt;
    show_path(Path::new(std::ffi::OsStr::from_bytes(bytes)))
}

/// An instant; the lowest one stands for none.
fn instant(time: Timestamp) -> Option<String> {
    (time != Timestamp::MIN).then(|| time.to_string())
}
