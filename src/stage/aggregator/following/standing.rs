//! Where a run that follows stands once it has counted what was there when it began, and no result
//! has come of it.
//!
//! Not here: how that is said (`cli/standing`). Invariant: it is noted once, and only while no
//! result was issued.

use crate::model::{Balance, Timestamp};
use crate::ops::close::Closer;
use crate::ops::progress::CountProgress;

/// What there is to say then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Lines that this run has read.
    pub lines: u64,
    /// Bytes that it has not, as they lie before the first window.
    pub skipped: u64,
    /// Inputs that there are.
    pub inputs: u64,
    /// Records that count.
    pub counted: u64,
    /// The highest stamp of any record.
    pub highest: Option<Timestamp>,
    /// The first instant that counts.
    pub first: Timestamp,
    /// The end of the window that closes next, if it is known.
    pub end: Option<Timestamp>,
}

impl Standing {
    /// Of a run that began with this sheet, and counts from `first` on.
    pub fn of(progress: &CountProgress, closer: &Closer, before: &Balance, first: Timestamp) -> Self {
        let balance = progress.balance();
        let window = closer.first_open(progress.extent());
        Standing {
            lines: balance.lines_read.saturating_sub(before.lines_read),
            skipped: balance.bytes_skipped.saturating_sub(before.bytes_skipped),
            inputs: progress.inputs() as u64,
            counted: balance.counted,
            highest: progress.highest_stamp(),
            first,
            end: window.map(|window| window.end),
        }
    }
}
