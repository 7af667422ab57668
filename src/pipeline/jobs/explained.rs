//! What a run would read of one input, and why, as plain data.
//!
//! Not here: finding it (`explain`, `followed`). Invariant: the bytes that would be read lie within the
//! input.

use crate::model::{Extent, Timestamp};
use crate::source::seek::{Found, Reason};

/// What a run would read of one input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// The input's name, escaped.
    pub name: String,
    /// Its bytes, as they lie there; `None` if only reading it tells.
    pub size: Option<u64>,
    /// What it is compressed with, if it is.
    pub packing: Option<&'static str>,
    /// How its lines are read, if that is known and is not as `plain`.
    pub format: Option<String>,
    /// The bytes that would be read: first, and one past the last.
    pub range: (u64, u64),
    /// The lowest and the highest stamp that the probes have seen.
    pub stamps: Option<(Timestamp, Timestamp)>,
    /// Small reads that it took.
    pub probes: u32,
    /// Why these bytes.
    pub reason: String,
}

impl Explained {
    /// Of an input of so many bytes, what was found that has to be read, and why; `disorder` is what
    /// is declared, in nanoseconds, and `written` when it was last written, if that is known.
    pub(super) fn found(name: String, size: u64, found: &Found, disorder: i64, written: Option<Timestamp>) -> Self {
        let reason = match (found.reason, found.from == found.to) {
            (Reason::Pruned, true) => "it lies outside the window".to_owned(),
            (Reason::Pruned, false) => "the rest lies outside the window".to_owned(),
            (Reason::Old, _) => {
                let written = written.map_or(String::new(), |at| format!(" at {at}"));
                format!("it was last written{written}, before the window; --scan full would read it")
            }
            (Reason::NothingToSkip, _) => "nothing is worth skipping".to_owned(),
            (Reason::NotSorted, _) => {
                let seconds = |nanos| Timestamp::from_nanos(nanos).unix_decimal();
                let seen = found.extent.map_or(0, |extent| extent.disorder);
                format!("its stamps lie up to {} s back, {} s are declared", seconds(seen), seconds(disorder))
            }
        };
        let stamps = found.extent.map(|extent: Extent| (extent.lowest, extent.highest));
        let range = (found.from, found.to);
        Explained { name, size: Some(size), packing: None, format: None, range, stamps, probes: found.probes, reason }
    }

    /// All of an input of so many bytes, and why.
    pub(super) fn whole(name: String, size: u64, reason: &str) -> Self {
        let reason = reason.to_owned();
        Explained {
            name,
            size: Some(size),
            packing: None,
            format: None,
            range: (0, size),
            stamps: None,
            probes: 0,
            reason,
        }
    }

    /// Bytes that would be read.
    pub fn bytes(&self) -> u64 {
        self.range.1 - self.range.0
    }

    /// The share that would be skipped, from 0 to 1.
    pub fn skipped(&self) -> f64 {
        match self.size {
            Some(size) if size > 0 => 1.0 - self.bytes() as f64 / size as f64,
            _ => 0.0,
        }
    }
}
