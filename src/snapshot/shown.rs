//! What is shown of a snapshot: one value, written out as lines for people (`Display`) and as JSON
//! for programs (`Serialize`).
//!
//! Not here: how its values are found (`contents`). Invariant: both are of the same values; and
//! strings of logs in them cannot act on a terminal.

use std::fmt::{self, Display, Formatter};
use std::path::Path;

use serde::ser::{SerializeMap, SerializeStruct, SerializeTuple};
use serde::{Serialize, Serializer};

use crate::error::show_path;
use crate::model::escape::{exact, printable};
use crate::model::{Balance, Timestamp};
use crate::ops::progress::Position;
use crate::source::follow::FileRecord;

/// What a snapshot holds: the main figures for people, all of them for programs.
#[derive(Debug, Serialize)]
pub struct ShownSnapshot<'a> {
    pub inputs: Vec<ShownInput<'a>>,
    pub balance: ShownBalance,
    pub windows: ShownWindows,
    #[serde(serialize_with = "if_known")]
    pub watermark: Timestamp,
    /// Length of a bucket.
    #[serde(rename = "bucket_seconds", serialize_with = "unix")]
    pub grain: Timestamp,
    /// Length of a run of buckets for which pairs are counted together.
    #[serde(rename = "pane_seconds", serialize_with = "unix")]
    pub pane: Timestamp,
    pub buckets: Vec<ShownCount>,
    /// What is summed, if anything is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub measures: Vec<ShownMeasure>,
    pub overflows: Vec<ShownCount>,
    /// Hosts whose names are saved.
    pub hosts: usize,
    /// By pane and then by name, if they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pairs: Option<Vec<ShownPair>>,
}

/// A file, and how far it is counted.
#[derive(Debug)]
pub struct ShownInput<'a> {
    pub file: &'a FileRecord,
    pub position: &'a Position,
}

/// The sheet.
#[derive(Debug)]
pub struct ShownBalance(pub Balance);

/// The windows, by their ends.
#[derive(Debug, Serialize)]
pub struct ShownWindows {
    #[serde(serialize_with = "if_any")]
    pub next_end: Option<Timestamp>,
    pub open: Vec<OpenWindow>,
    /// Open windows that are not listed.
    pub open_more: u64,
    pub issued: Vec<IssuedWindow>,
    /// The last of each run of windows that hold nothing and may be issued by themselves.
    #[serde(serialize_with = "all")]
    pub again: Vec<Timestamp>,
}

/// A window that was not issued, and its connections so far.
#[derive(Debug, Serialize)]
pub struct OpenWindow {
    #[serde(serialize_with = "text")]
    pub end: Timestamp,
    pub connections: u64,
}

/// A window that may be issued again.
#[derive(Debug, Serialize)]
pub struct IssuedWindow {
    #[serde(serialize_with = "text")]
    pub end: Timestamp,
    pub revision: u32,
    pub connections: u64,
}

/// The connections of a bucket or a pane.
#[derive(Debug, Serialize)]
pub struct ShownCount {
    #[serde(serialize_with = "unix")]
    pub start: Timestamp,
    pub connections: u64,
}

/// What a measure comes to, of all that counts.
#[derive(Debug, Serialize)]
pub struct ShownMeasure {
    pub name: String,
    pub sum: u64,
    /// Records of which it is not known.
    pub missing: u64,
}

/// A pair in a pane, and how often it connected.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ShownPair {
    /// The start of the pane.
    pub start: Timestamp,
    pub from: Vec<u8>,
    pub to: Vec<u8>,
    pub connections: u64,
    /// What each measure comes to that is summed.
    pub sums: Vec<u64>,
    /// When it was first and last seen, if that is kept.
    pub seen: Option<[Timestamp; 2]>,
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

/// Those that lines of `plain` do not have; shown only where they are not 0.
const LATER: [Figure; 2] =
    [("filtered", Some("filtered"), |sheet| sheet.filtered), ("other", Some("other"), |sheet| sheet.other)];

impl ShownBalance {
    fn figures(&self) -> impl Iterator<Item = (&'static str, Option<&'static str>, u64)> {
        let later = LATER.iter().filter(|(.., value)| value(&self.0) > 0);
        FIGURES.iter().chain(later).map(|(key, label, value)| (*key, *label, value(&self.0)))
    }
}

impl From<(Timestamp, u64)> for ShownCount {
    fn from((start, connections): (Timestamp, u64)) -> Self {
        ShownCount { start, connections }
    }
}

impl Display for ShownSnapshot<'_> {
    fn fmt(&self, to: &mut Formatter<'_>) -> fmt::Result {
        writeln!(to, "Inputs: {}", self.inputs.len())?;
        self.inputs.iter().try_for_each(|input| writeln!(to, "    {input}"))?;
        writeln!(to, "Counted: {}; {} hosts", self.balance, self.hosts)?;
        for ShownMeasure { name, sum, missing } in &self.measures {
            writeln!(to, "Sum of {name}: {sum}, not known of {missing} records")?;
        }
        self.windows.fmt(to)?;
        self.pairs.iter().flatten().try_for_each(|pair| writeln!(to, "    {pair}"))
    }
}

impl Display for ShownInput<'_> {
    fn fmt(&self, to: &mut Formatter<'_>) -> fmt::Result {
        let FileRecord { name, position, device, inode, lost, .. } = self.file;
        write!(to, "{}: byte {position}, device {device}, inode {inode}", path(name))?;
        if *lost > 0 {
            write!(to, ", {lost} bytes lost")?;
        }
        to.write_str(if self.position.ended() { ", ended" } else { "" })
    }
}

impl Serialize for ShownInput<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let ShownInput { file, position } = self;
        let mut fields = serializer.serialize_struct("input", 10)?;
        fields.serialize_field("id", &file.id.0)?;
        fields.serialize_field("path", &exact(&file.name))?;
        fields.serialize_field("device", &file.device)?;
        fields.serialize_field("inode", &file.inode)?;
        fields.serialize_field("start", &exact(&file.start))?;
        fields.serialize_field("position", &file.position)?;
        fields.serialize_field("lost", &file.lost)?;
        fields.serialize_field("watermark", &known(position.watermark))?;
        fields.serialize_field("departed", &file.departed)?;
        fields.serialize_field("ended", &position.ended())?;
        fields.end()
    }
}

impl Display for ShownBalance {
    fn fmt(&self, to: &mut Formatter<'_>) -> fmt::Result {
        let figures = self.figures().filter_map(|(_, label, value)| Some((label?, value)));
        for (at, (label, value)) in figures.enumerate().filter(|(at, (_, value))| *at == 0 || *value > 0) {
            write!(to, "{}{value} {label}", if at == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

impl Serialize for ShownBalance {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut figures = serializer.serialize_map(Some(self.figures().count()))?;
        for (key, _, value) in self.figures() {
            figures.serialize_entry(key, &value)?;
        }
        figures.end()
    }
}

impl Display for ShownWindows {
    fn fmt(&self, to: &mut Formatter<'_>) -> fmt::Result {
        if let Some(next) = self.next_end {
            writeln!(to, "Next window: ends {next}")?;
        }
        for OpenWindow { end, connections } in &self.open {
            writeln!(to, "    open: ends {end}, {connections} connections so far")?;
        }
        if self.open_more > 0 {
            writeln!(to, "    open: and {} more", self.open_more)?;
        }
        for IssuedWindow { end, revision, connections } in &self.issued {
            writeln!(to, "    issued: ends {end}, {connections} connections, revision {revision}")?;
        }
        Ok(())
    }
}

impl Display for ShownPair {
    fn fmt(&self, to: &mut Formatter<'_>) -> fmt::Result {
        let ShownPair { start, from, to: server, connections, sums, seen } = self;
        write!(to, "{start} {} {} {connections}", printable(from), printable(server))?;
        sums.iter().try_for_each(|sum| write!(to, " {sum}"))?;
        seen.iter().flatten().try_for_each(|time| write!(to, " {time}"))
    }
}

impl Serialize for ShownPair {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut pair = serializer.serialize_tuple(4 + self.sums.len() + self.seen.iter().flatten().count())?;
        pair.serialize_element(&self.start.unix_decimal())?;
        pair.serialize_element(&exact(&self.from))?;
        pair.serialize_element(&exact(&self.to))?;
        pair.serialize_element(&self.connections)?;
        self.sums.iter().try_for_each(|sum| pair.serialize_element(sum))?;
        self.seen.iter().flatten().try_for_each(|time| pair.serialize_element(&time.unix_decimal()))?;
        pair.end()
    }
}

fn path(bytes: &[u8]) -> String {
    use std::os::unix::ffi::OsStrExt;
    show_path(Path::new(std::ffi::OsStr::from_bytes(bytes)))
}

/// An instant; the lowest one stands for none.
fn known(time: Timestamp) -> Option<String> {
    (time != Timestamp::MIN).then(|| time.to_string())
}

fn if_known<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    known(*time).serialize(serializer)
}

fn if_any<S: Serializer>(time: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    time.map(|time| time.to_string()).serialize(serializer)
}

fn all<S: Serializer>(times: &[Timestamp], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(times.iter().map(Timestamp::to_string))
}

fn text<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(time)
}

/// Seconds since 1970, with decimals.
fn unix<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    time.unix_decimal().serialize(serializer)
}
