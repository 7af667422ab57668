//! A saved state as one plain value: all of it but names and pairs, which follow it.
//!
//! Not here: whether a value that was read is one that a run saves (`sound`, `agreement`).
//! Invariant: its fields stand in the order of format 2, which is that of their bytes.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::format::SavedSchema;
use crate::model::{Balance, Grid, InputId, Timestamp};
use crate::ops::close::{Closer, Windows};
use crate::ops::count::Buckets;
use crate::ops::progress::ProgressRecord;
use crate::source::follow::{FileRecord, PassedOver};
use crate::tally::Tally;

use super::measures::SavedMeasures;
use super::windows::SavedWindows;

/// How late records and results may come in the run that saved a state, in nanoseconds.
#[derive(Debug, Clone, Copy)]
pub struct Delays {
    /// The declared disorder.
    pub lateness: i64,
    /// How long results may be issued again.
    pub grace: i64,
}

/// All of a state but names and pairs, which follow it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Snapshot {
    /// Where the windows lie.
    pub grid: Grid,
    /// The first instant that is kept, and the first that counts.
    pub bounds: (Timestamp, Timestamp),
    /// The windows and what was issued of them.
    pub windows: SavedWindows,
    /// How far each input is counted.
    pub progress: ProgressRecord,
    /// The files that the inputs are.
    pub files: Vec<FileRecord>,
    /// The clock of silences.
    pub clock: Duration,
    /// The number of the next input.
    pub next_input: u32,
    /// What is counted.
    pub counts: SavedCounts,
    /// Compressed files that are passed over. They follow the pairs: a state that an earlier build
    /// has saved ends there.
    #[serde(skip)]
    pub passed_over: Vec<PassedOver>,
    /// How the lines of inputs are read, by input, where their beginning told it. Format 3 has them
    /// before everything else.
    #[serde(skip)]
    pub schemas: Vec<(InputId, SavedSchema)>,
    /// What is summed, and how many connections lines stand for, where any of that is asked for.
    /// Format 3 has it before everything else.
    #[serde(skip)]
    pub measures: Option<SavedMeasures>,
}

/// What is counted, but for names and pairs.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SavedCounts {
    /// Length of a bucket in nanoseconds.
    pub grain: i64,
    /// Connections of all pairs, by bucket.
    pub buckets: Vec<(i64, u64)>,
    /// Connections that are counted without their pair.
    pub overflowed: u64,
    /// By number: what is counted without its pair, and how many shards there are.
    pub panes: Vec<(i64, u64, u64)>,
    /// How many host names there are by number; those of holes have no bytes.
    pub numbers: u32,
}

/// Open windows beyond those that are listed are counted up to so many: a state that was made up
/// may have any number.
const MOST_COUNTED: usize = 1_000_000;

impl Snapshot {
    /// The sheet of all that is counted.
    pub fn balance(&self) -> Balance {
        Balance { overflowed: self.counts.overflowed, ..self.progress.balance() }
    }

    /// Connections of all that is counted: a line may stand for several.
    pub fn connections(&self) -> u64 {
        self.balance().counted.saturating_add(self.more())
    }

    /// Connections of all that is counted, beyond one for each line.
    pub(super) fn more(&self) -> u64 {
        self.measures.as_ref().map_or(0, |measures| measures.total.more)
    }

    /// The windows that are open and hold anything, up to that of the last records, each with its
    /// connections: at most so many, and how many more there are, as far as they were counted.
    pub fn open_windows(&self, most: usize) -> (Vec<(i64, u64)>, u64) {
        let (Some((lowest, _)), Some((highest, _))) = (self.counts.buckets.first(), self.counts.buckets.last()) else {
            return (Vec::new(), 0);
        };
        let (tally, closer) = self.in_buckets();
        let window = |bucket| self.grid.first_ending_after(self.grid.anchor.plus_times(bucket, self.counts.grain));
        let first = closer.next().unwrap_or_else(|| window(*lowest));
        let connections = |k| {
            let layout = closer.layout(self.grid.window(k));
            tally.connections(layout.first_bucket, layout.end_bucket())
        };
        let mut open = closer.holding(first, window(*highest), &tally);
        let listed = open.by_ref().take(most).map(|k| (k, connections(k))).collect();
        (listed, open.take(MOST_COUNTED).count() as u64)
    }

    /// A tally of its buckets without pairs, and what closes its windows.
    pub(super) fn in_buckets(&self) -> (Tally, Closer) {
        let mut tally = Tally::new(Windows::Every(self.grid).shape(&self.cut(), 0), Arc::default());
        self.counts.buckets.iter().for_each(|&(bucket, connections)| tally.add_to_bucket(bucket, connections));
        (tally, self.closer())
    }

    /// How time is cut into its buckets.
    pub(super) fn cut(&self) -> Buckets {
        Buckets { anchor: self.grid.anchor, grain: self.counts.grain, last: i64::MAX }
    }

    /// What closes its windows.
    pub(super) fn closer(&self) -> Closer {
        Closer::new(self.grid, self.cut(), false).resumed(self.windows.next)
    }

    /// Connections that are counted without their pair, by pane.
    pub fn overflows(&self) -> impl Iterator<Item = (i64, u64)> {
        self.counts.panes.iter().map(|&(number, overflow, _)| (number, overflow))
    }
}
