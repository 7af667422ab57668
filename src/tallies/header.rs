//! What a tallies file says of its counts: the question that they answer, and which bytes of which
//! inputs they are from.
//!
//! Invariant: inputs are there once, in the order of their names; the pieces of an input are in
//! order, without overlap, and two that touch differ in whether they were read. So the same bytes
//! give the same header, however they were divided. Whether a header that was read holds to that:
//! `check`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::numbers::HeaderNumbers;
use crate::model::balance::{Cause, Rejected, SHOWN_REJECTED};
use crate::model::escape::printable;
use crate::model::loss::LossSite;
use crate::model::{Balance, Extent, InputId, LaterNumbers, Loss, Timestamp, Traces, Window};

/// What is counted. Only counts of the same question add up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// The first instant that counts.
    pub start: Timestamp,
    /// The last one.
    pub end: Timestamp,
    /// The grain of the aggregation that was asked for, in nanoseconds.
    pub grouping: i64,
    /// Whether the window before is counted, too.
    pub previous: bool,
    /// The log format.
    pub format: String,
    /// Bytes that a line may have.
    pub max_line: u64,
    /// The declared disorder, in nanoseconds.
    pub lateness: i64,
}

impl Question {
    /// The window.
    pub fn window(&self) -> Window {
        Window::closed(self.start, self.end)
    }

    /// What another question asks differently.
    pub fn difference(&self, other: &Question) -> Option<String> {
        // Taken apart in full, so that a new field cannot be forgotten here.
        let Question { start, end, grouping, previous, format, max_line, lateness } = self;
        let seconds = |nanos: i64| format!("{} s", Timestamp::from_nanos(nanos).unix_decimal());
        let name = |what: &str, mine: &str, theirs: &str| Some(format!("{what} {mine} and {theirs}"));
        if (start, end) != (&other.start, &other.end) {
            let window = |from: &Timestamp, to: &Timestamp| format!("from {from} to {to}");
            return name("their windows are", &window(start, end), &window(&other.start, &other.end));
        }
        if *grouping != other.grouping {
            return name("their grains are", &seconds(*grouping), &seconds(other.grouping));
        }
        if *previous != other.previous {
            return Some("one counts the window before too, and the other does not (--previous)".to_owned());
        }
        if *format != other.format {
            return name("their log formats are", &printable(format.as_bytes()), &printable(other.format.as_bytes()));
        }
        if *max_line != other.max_line {
            return name("their limits of a line are", &max_line.to_string(), &other.max_line.to_string());
        }
        if *lateness != other.lateness {
            return name("their declared disorders are", &seconds(*lateness), &seconds(other.lateness));
        }
        None
    }
}

/// What is known of how the lines of a piece are sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum LineOrder {
    /// Nobody looked.
    Unknown,
    /// All lines that were looked at, if any: the lowest and the highest stamp, and the disorder in
    /// nanoseconds.
    Seen(Option<(Timestamp, Timestamp, i64)>),
}

impl LineOrder {
    /// Of the lines that have this extent.
    pub fn of(extent: Option<Extent>) -> Self {
        LineOrder::Seen(extent.map(|extent| (extent.lowest, extent.highest, extent.disorder)))
    }

    /// The largest disorder, in nanoseconds.
    pub fn disorder(self) -> Option<i64> {
        match self {
            LineOrder::Unknown => None,
            LineOrder::Seen(seen) => Some(seen.map_or(0, |(_, _, disorder)| disorder)),
        }
    }

    /// Of these lines and later ones.
    pub fn then(self, later: LineOrder) -> LineOrder {
        let (LineOrder::Seen(mine), LineOrder::Seen(theirs)) = (self, later) else { return LineOrder::Unknown };
        let extent = |(lowest, highest, disorder)| Extent { lowest, highest, disorder };
        match (mine.map(extent), theirs.map(extent)) {
            (Some(mine), Some(theirs)) => LineOrder::of(Some(mine.then(theirs))),
            (one, other) => LineOrder::of(one.or(other)),
        }
    }
}

/// Bytes of an input that were read, or need not be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    /// First byte.
    pub from: u64,
    /// One past the last byte.
    pub to: u64,
    /// Whether they were not read, since they cannot hold the window.
    pub skipped: bool,
    /// How their lines are sorted.
    pub order: LineOrder,
}

/// The bytes of an input that counts are from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// The input's label and path.
    pub name: Vec<u8>,
    /// Bytes of the whole input.
    pub size: u64,
    /// The pieces, none of them empty.
    pub pieces: Vec<Piece>,
}

impl Share {
    /// The name, made harmless for a terminal.
    pub fn printable(&self) -> String {
        printable(&self.name).into_owned()
    }

    /// Bytes that were read, or skipped.
    pub fn bytes(&self, skipped: bool) -> u64 {
        self.pieces.iter().filter(|piece| piece.skipped == skipped).map(|piece| piece.to - piece.from).sum()
    }

    /// The first bytes that no piece has.
    pub fn gap(&self) -> Option<(u64, u64)> {
        let mut end = 0;
        for piece in &self.pieces {
            if piece.from > end {
                return Some((end, piece.from));
            }
            end = piece.to;
        }
        (end < self.size).then_some((end, self.size))
    }

    /// The disorder that what was skipped does not allow, in nanoseconds; `None` within that if
    /// nobody looked.
    pub fn unsorted(&self, lateness: i64) -> Option<Option<i64>> {
        // What holds no line, as zeros at the start of a file do, rests on nothing.
        if !self.pieces.iter().any(|piece| piece.skipped && piece.order != LineOrder::of(None)) {
            return None;
        }
        let all = self.pieces.iter().map(|piece| piece.order).reduce(LineOrder::then)?;
        all.disorder().is_none_or(|disorder| disorder > lateness).then_some(all.disorder())
    }

    /// Puts the pieces in order, and makes one of those that touch and are alike.
    fn normalize(&mut self) {
        self.pieces.retain(|piece| piece.from < piece.to);
        self.pieces.sort_by_key(|piece| piece.from);
        self.pieces.dedup_by(|later, first| {
            let joins = first.to == later.from && first.skipped == later.skipped;
            if joins {
                (first.to, first.order) = (later.to, first.order.then(later.order));
            }
            joins
        });
    }
}

/// A malformed line, for showing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MalformedSample {
    /// The input it stands in.
    pub input: Vec<u8>,
    /// The byte at which it begins.
    pub at: u64,
    /// What is wrong with it.
    pub cause: Cause,
    /// The start of the line.
    pub head: Vec<u8>,
}

/// The first line of a class of losses.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct First {
    /// The class.
    pub loss: Loss,
    /// The input it stands in.
    pub input: Vec<u8>,
    /// The byte at which it begins.
    pub at: u64,
    /// The start of the line.
    pub head: Vec<u8>,
}

/// What files of format 2 say beside. It stands behind the rest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// The build that counted: another one may count otherwise.
    pub build: String,
    /// The first lines of classes that lost something, one each, in their order, as far as they are
    /// known.
    pub(super) firsts: Vec<First>,
}

/// All that a tallies file says but its pairs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TalliesHeader {
    /// What is counted.
    pub question: Question,
    /// Where it was counted, by name.
    pub inputs: Vec<Share>,
    /// By number of the bucket, from 0: connections of all pairs. None is 0.
    pub buckets: BTreeMap<u64, u64>,
    /// Connections that are counted without their pair, for want of memory; of the window before,
    /// too.
    pub overflow: u64,
    /// What became of the lines. Its bytes are those of `inputs`, and not here.
    #[serde(with = "super::lines")]
    pub(super) lines: Balance,
    /// The first malformed lines.
    pub(super) samples: Vec<MalformedSample>,
    /// What a file of format 1 does not say.
    #[serde(skip)]
    pub made: Option<Provenance>,
    /// What only a file of format 4 says.
    #[serde(skip)]
    pub numbers: Option<HeaderNumbers>,
}

impl TalliesHeader {
    /// The header of one run. `names` are those of the inputs by their number, for `rejected`.
    pub fn new(
        question: Question,
        mut inputs: Vec<Share>,
        buckets: BTreeMap<u64, u64>,
        overflow: u64,
        balance: &Balance,
        mut samples: Vec<MalformedSample>,
    ) -> Self {
        inputs.iter_mut().for_each(Share::normalize);
        inputs.sort_by(|a, b| a.name.cmp(&b.name));
        let lines =
            Balance { bytes_read: 0, bytes_skipped: 0, bytes_total: 0, bytes_unread: 0, inputs: 0, ..balance.clone() };
        let lines = Balance { bytes_compressed: 0, ..lines };
        first_of(&mut samples);
        let made = Some(Provenance { build: crate::version::BUILD.to_owned(), firsts: Vec::new() });
        TalliesHeader { question, inputs, buckets, overflow, lines, samples, made, numbers: None }
    }

    /// With the first lines of its losses.
    pub fn with_firsts(mut self, firsts: impl Iterator<Item = First>) -> Self {
        let firsts = firsts.filter(|first| first.loss.count(&self.lines) > 0).collect();
        if let Some(made) = &mut self.made {
            made.firsts = firsts;
            made.keep_firsts();
        }
        self
    }

    /// The version of the format that says all of it.
    pub fn format(&self) -> u32 {
        match LaterNumbers::of(&self.lines) {
            _ if self.numbers.is_some() => 4,
            Some(_) => 3,
            None => 1 + u32::from(self.made.is_some()),
        }
    }

    /// What is known of its losses, and the names of the inputs in which they are, by number.
    pub fn traces(&self) -> (Traces, BTreeMap<InputId, String>) {
        let (mut traces, mut names) = (Traces::default(), BTreeMap::new());
        let firsts = self.made.iter().flat_map(|made| &made.firsts);
        for (number, First { loss, input, at, head }) in (0..).map(InputId).zip(firsts) {
            traces.note(*loss, LossSite { input: number, at: *at, head: head.clone() });
            names.insert(number, printable(input).into_owned());
        }
        (traces, names)
    }

    /// The balance sheet: lines as they were counted, bytes as the pieces say.
    pub fn balance(&self) -> Balance {
        let sum = |of: &dyn Fn(&Share) -> u64| self.inputs.iter().map(of).sum();
        let (read, skipped, total): (u64, u64, u64) =
            (sum(&|share| share.bytes(false)), sum(&|share| share.bytes(true)), sum(&|share| share.size));
        Balance {
            bytes_read: read,
            bytes_skipped: skipped,
            bytes_total: total,
            bytes_unread: total - read - skipped,
            inputs: self.inputs.len() as u64,
            ..self.lines.clone()
        }
    }

    /// The first malformed lines, each with the name of its input.
    pub fn rejected(&self) -> Vec<(String, Rejected)> {
        let line = |sample: &MalformedSample| {
            let MalformedSample { input, at, cause, head } = sample.clone();
            (printable(&input).into_owned(), Rejected { input: InputId(0), at, cause, head })
        };
        self.samples.iter().map(line).collect()
    }

    /// Connections in the window.
    pub fn connections(&self) -> u64 {
        self.buckets.values().sum()
    }

    /// Why what another build has counted is not to be added to this, if it is another.
    pub fn other_build(&self, other: &TalliesHeader) -> Option<String> {
        let build = |header: &TalliesHeader| match &header.made {
            Some(made) => format!("build {}", made.build),
            None => "an earlier build, which left no id (format 1)".to_owned(),
        };
        let (mine, theirs) = (build(self), build(other));
        (mine != theirs).then(|| format!("one is from {mine}, the other from {theirs}, which may count otherwise"))
    }

    /// Adds what another file holds of the same question, of other bytes. Both agree with
    /// themselves (`check`); errors where a sum has more than 64 bits.
    pub fn join(&mut self, other: TalliesHeader) -> Result<(), String> {
        let TalliesHeader { question: _, inputs, buckets, overflow, lines, samples, made, numbers } = other;
        let too_many = || "together they count more than a number of 64 bits can say".to_owned();
        // The lines first: no other number is above theirs.
        self.lines = self.lines.checked_add(&lines).ok_or_else(too_many)?;
        self.overflow = self.overflow.checked_add(overflow).ok_or_else(too_many)?;
        HeaderNumbers::join(&mut self.numbers, numbers).ok_or_else(too_many)?;
        // Of lines that stand for several connections, there may be more of these.
        let mut all = self.buckets.values().chain(buckets.values());
        all.try_fold(0u64, |sum, connections| sum.checked_add(*connections)).ok_or_else(too_many)?;
        self.inputs.extend(inputs);
        self.inputs.sort_by(|a, b| a.name.cmp(&b.name));
        self.inputs.dedup_by(|later, first| {
            let is_same = later.name == first.name;
            if is_same {
                first.size = first.size.max(later.size);
                first.pieces.append(&mut later.pieces);
                first.normalize();
            }
            is_same
        });
        self.total_size().ok_or_else(too_many)?;
        for (bucket, connections) in buckets {
            *self.buckets.entry(bucket).or_default() += connections;
        }
        self.samples.extend(samples);
        first_of(&mut self.samples);
        if let (Some(mine), Some(theirs)) = (&mut self.made, made) {
            mine.firsts.extend(theirs.firsts);
            mine.keep_firsts();
        }
        Ok(())
    }

    /// Bytes of all inputs, if their sum fits 64 bits.
    pub(super) fn total_size(&self) -> Option<u64> {
        self.inputs.iter().try_fold(0u64, |sum, share| sum.checked_add(share.size))
    }
}

impl Provenance {
    fn keep_firsts(&mut self) {
        self.firsts.sort();
        self.firsts.dedup_by_key(|first| first.loss);
    }
}

/// Leaves the first malformed lines, by input and position.
fn first_of(samples: &mut Vec<MalformedSample>) {
    samples.sort();
    samples.truncate(SHOWN_REJECTED);
}
