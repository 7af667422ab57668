//! The windows of a run as plain values, as a saved state has them.
//!
//! Not here: closing and issuing them (`stage/aggregator/following/windows`). Invariant: the order
//! of fields is that of their bytes in format 2.

use serde::{Deserialize, Serialize};

use crate::ops::settled::Settled;

/// What was issued of a window.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issued {
    /// How often, from 0.
    pub revision: u32,
    /// With how many connections.
    pub connections: u64,
}

/// The windows as they are saved.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedWindows {
    /// The number of the first window, once it is known.
    pub first: Option<i64>,
    /// The next window to close, once a record is known.
    pub next: Option<i64>,
    /// What was issued of windows that may be issued again, by window.
    pub issued: Vec<(i64, Issued)>,
    /// Runs of windows that hold nothing and may be issued by themselves: the first and the last of
    /// each.
    pub gaps: Vec<(i64, i64)>,
    /// The first and the last window of each result that comes once more, since it may not have
    /// been written.
    pub again: Vec<(i64, i64)>,
    /// What is done with.
    pub settled: Settled,
}
