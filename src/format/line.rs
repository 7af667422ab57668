//! What a format says of a line, and how work is compiled for each format.
//!
//! Not here: any one format. Invariant: a quick answer about a line is that of parsing it part by
//! part.

use crate::model::lanes::NARROW;
use crate::model::{Cause, Timestamp, Units};
use crate::options::{OptionSpec, Options};

/// A format of lines, opened with its options. What a line means depends on these and on the line,
/// and on no line before it.
pub trait LineFormat: Clone + Send + Sync {
    /// The name by which it is asked for.
    const NAME: &'static str;
    /// One line for people.
    const HELP: &'static str;
    /// Its options.
    const OPTIONS: &'static [OptionSpec];
    /// A line of it, as its defaults have it.
    const EXAMPLE: &'static str;

    /// Opens it with its checked options, and with how stamps tell their unit.
    fn open(options: &Options, units: Units) -> Self;

    /// The stamp of the line `bytes[start..end]`, and where it ends. What follows is not looked at,
    /// so that lines outside the window cost no more than their stamp. `bytes` may go on after the
    /// line.
    fn stamp(&self, bytes: &[u8], start: usize, end: usize) -> Stamp;

    /// What `is_outside` compares with, for stamps to keep from `keep.0` to `keep.1` and none in
    /// the future up to `present`; `None` if this format has no quick way. Of `lines`, the first
    /// show which kind of stamp is worth it; whichever it is, no line is another's.
    fn fence(&self, _lines: &[u8], _keep: (Timestamp, Timestamp), _present: Timestamp) -> Option<Fence> {
        None
    }

    /// Whether the line that begins at `start` is, at a glance, one with a stamp outside the fence
    /// and not in the future. If in doubt, it is not, and its stamp is parsed.
    fn is_outside(&self, _bytes: &[u8], _start: usize, _fence: &Fence) -> bool {
        false
    }

    /// The stamp and the hosts of the line `bytes[start..end]`, if it is of the common kind and its
    /// stamp is one to keep. If in doubt, it is not, and is parsed part by part, with the same
    /// result.
    fn common(
        &self,
        _bytes: &[u8],
        _start: usize,
        _end: usize,
        _keep: (Timestamp, Timestamp),
    ) -> Option<(Timestamp, HostRanges)> {
        None
    }

    /// The hosts of a line whose stamp ended at `at`: where they begin and end in `bytes`.
    fn hosts(&self, bytes: &[u8], at: usize, end: usize) -> Result<HostRanges, Cause>;
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
    /// No stamp.
    Bad,
}

/// Bounds on stamps in a form that lines can be held against without parsing them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fence {
    /// Characters of a stamp that can be held against it.
    pub length: usize,
    /// The beginnings of the bounds: of the lowest stamp to keep, the highest, and the highest that
    /// is not in the future.
    pub bounds: [u64; 3],
    /// The lowest digit that may stand in each place.
    pub lowest: [u8; NARROW],
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
