//! What a format says of a line, and how work is compiled for each format.
//!
//! Not here: any one format. Invariant: a quick answer about a line is that of parsing it part by
//! part.

use crate::model::lanes::Lanes;
use crate::model::{Cause, Timestamp};

/// A format of lines, opened with its options. What a line means depends on these and on the line,
/// and on no line before it.
pub trait LineFormat: Clone + Send + Sync {
    /// What it knows of the line that it looked at last, and the hosts that do not stand in lines.
    type Scratch: Default;

    /// The stamp of the line `bytes[start..end]`, and where it ends. What follows is not looked at,
    /// so that lines outside the window cost no more than their stamp. `bytes` may go on after the
    /// line.
    fn stamp(&self, scratch: &mut Self::Scratch, bytes: &[u8], start: usize, end: usize) -> Stamp;

    /// Does work on lines with what tells more of them at a glance: how most of `lines` are written,
    /// for stamps to keep from `keep.0` to `keep.1` and none in the future up to `present`. The
    /// first of `lines` show what is worth it; whichever it is, no line is another's. Here nothing
    /// is told at a glance.
    fn alike<V: LikenessVisitor>(
        &self,
        _lines: &[u8],
        _keep: (Timestamp, Timestamp),
        _present: Timestamp,
        visitor: V,
    ) -> V::Output {
        visitor.visit(Unlike)
    }

    /// The hosts of the line of which the stamp was asked for last, and ended at `at`: where they
    /// begin and end in `bytes` or, if the format has a text of its own, there.
    fn hosts(&self, scratch: &mut Self::Scratch, bytes: &[u8], at: usize, end: usize) -> Result<HostRanges, NoRecord>;

    /// Whether that line is a record, but for its instant. It may be one that nobody would look at who knew
    /// more of its input, so that nothing is left of it.
    fn is_well_formed(&self, scratch: &mut Self::Scratch, bytes: &[u8], at: usize, end: usize) -> bool {
        self.hosts(scratch, bytes, at, end).is_ok()
    }

    /// What is left of the lines so far.
    fn take(_scratch: &mut Self::Scratch) -> Remains {
        Remains::default()
    }
}

/// What is left of lines when all of them have been looked at.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Remains {
    /// The text that the hosts of all records are in; empty if they stand in the lines.
    pub text: Vec<u8>,
    /// Where the first line begins that says that from there on lines have other fields.
    pub rebound: Option<usize>,
    /// Stamps that clocks which were set make unclear.
    pub unclear: UnclearStamps,
    /// What lines have shown of the fields that are watched.
    pub seen: u64,
}

/// Stamps without an offset of times at which clocks were set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UnclearStamps {
    /// How many meant two instants, as clocks were set back: the first was taken.
    pub ambiguous: u64,
    /// How many meant no instant, as clocks were set forward past them: they were taken as if clocks
    /// had not been set yet.
    pub missing: u64,
}

impl UnclearStamps {
    /// Adds others.
    pub fn add(&mut self, others: UnclearStamps) {
        self.ambiguous += others.ambiguous;
        self.missing += others.missing;
    }
}

/// What the beginning of a line says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stamp {
    /// An instant, and where its stamp ends.
    At(Timestamp, usize),
    /// Nothing but white space in the line.
    Blank,
    /// Before the first instant there is, and where the stamp ends.
    TooEarly(usize),
    /// After the last instant there is, and where the stamp ends.
    TooLate(usize),
    /// What the format knows to be no record: a header, a comment, another kind of event.
    Other,
    /// No stamp, and why.
    Bad(Cause),
}

/// Why a line with a stamp is no record to count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoRecord {
    /// It is malformed.
    Malformed(Cause),
    /// It does not meet the conditions that were asked for.
    Filtered,
}

impl NoRecord {
    /// What is wrong with the line, if anything is.
    pub fn cause(self) -> Option<Cause> {
        match self {
            NoRecord::Malformed(cause) => Some(cause),
            NoRecord::Filtered => None,
        }
    }
}

impl From<Cause> for NoRecord {
    fn from(cause: Cause) -> Self {
        NoRecord::Malformed(cause)
    }
}

/// What tells lines at a glance that are written like those before. If in doubt it tells nothing,
/// and the line is parsed part by part, with the same result.
pub trait Likeness: Copy {
    /// Takes in the line that begins at `start`, which is outside the window and not in the future:
    /// from now on `is_outside` knows those like it. Whether there is anything to know.
    fn learn_outside(&mut self, bytes: &[u8], start: usize) -> bool;

    /// Takes in the line that begins at `start`, whatever its instant: from now on `stamp` and
    /// `record` know those like it. Whether there is anything to know.
    fn learn_front(&mut self, bytes: &[u8], start: usize) -> bool;

    /// Whether the line that begins at `start` is like the last one that was learned as outside, so
    /// that it is outside and not in the future.
    fn is_outside(&self, bytes: &[u8], start: usize) -> bool;

    /// The stamp of the line that begins at `start`.
    fn stamp(&self, bytes: &[u8], start: usize) -> Option<Timestamp>;

    /// The stamp and the hosts of the line `bytes[start..end]`.
    fn record(&self, lanes: impl Lanes, bytes: &[u8], start: usize, end: usize) -> Option<(Timestamp, HostRanges)>;

    /// The same where blanks line fields up. It is worth asking where `record` tells nothing.
    fn spread_record(&self, bytes: &[u8], start: usize, end: usize) -> Option<(Timestamp, HostRanges)>;
}

/// Work that is written once and compiled for each way to tell lines at a glance.
pub trait LikenessVisitor {
    /// What the work gives.
    type Output;
    /// Does the work.
    fn visit(self, alike: impl Likeness) -> Self::Output;
}

/// No line is like another.
#[derive(Debug, Clone, Copy)]
pub struct Unlike;

impl Likeness for Unlike {
    fn learn_outside(&mut self, _: &[u8], _: usize) -> bool {
        false
    }

    fn learn_front(&mut self, _: &[u8], _: usize) -> bool {
        false
    }

    fn is_outside(&self, _: &[u8], _: usize) -> bool {
        false
    }

    fn stamp(&self, _: &[u8], _: usize) -> Option<Timestamp> {
        None
    }

    fn record(&self, _: impl Lanes, _: &[u8], _: usize, _: usize) -> Option<(Timestamp, HostRanges)> {
        None
    }

    fn spread_record(&self, _: &[u8], _: usize, _: usize) -> Option<(Timestamp, HostRanges)> {
        None
    }
}

/// Where the two hosts of a line stand: first byte and one past the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostRanges {
    /// Who connected.
    pub from: (usize, usize),
    /// To whom.
    pub to: (usize, usize),
}

/// Work that is written once and compiled for each format, so that choosing a format costs once a
/// batch.
pub trait FormatVisitor {
    /// What the work gives.
    type Output;
    /// Does the work for one format.
    fn visit<F: LineFormat>(self, format: &F) -> Self::Output;
}
