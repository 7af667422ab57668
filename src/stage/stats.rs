//! Beside the time-filter: how far records lie behind others, and which stamps are unclear, if that is
//! asked for.
//!
//! Not here: the measure itself (`ops/disorder`). Invariant: batches of an input are measured in
//! their order.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::batch::{Chunk, Lines};
use crate::format::UnclearStamps;
use crate::model::{Peaks, Timestamp};
use crate::ops::disorder::Disorder;
use crate::ops::scan::{Block, extent, unclear_stamps};
use crate::ops::sequence::{BatchPlace, Sequencer};

/// A meter of disorder.
pub struct Stats {
    /// Stamps beyond this are in the future.
    pub future_after: Timestamp,
    /// Batches that wait for those before them.
    pub sequencer: Mutex<Sequencer<Arc<Lines>>>,
    /// What was measured so far.
    pub measured: Mutex<MeasuredStamps>,
}

/// What is measured of stamps.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MeasuredStamps {
    /// How far records lie behind others.
    pub disorder: Disorder,
    /// Those that clocks which were set make unclear, of all lines.
    pub unclear: UnclearStamps,
}

impl Stats {
    /// Nothing is measured yet.
    pub fn new(future_after: Timestamp) -> Self {
        Stats { future_after, sequencer: Mutex::default(), measured: Mutex::default() }
    }

    /// Measures a batch, and those that have waited for it.
    pub(super) fn note(&self, lines: &Arc<Lines>) {
        let chunk = &lines.chunk;
        let highest = extent(self.block(chunk), self.future_after);
        // The measure is the highest stamp of all, trusted or not.
        let mut peaks = Peaks::default();
        highest.into_iter().for_each(|extent| {
            peaks.add(extent.highest);
        });
        if !chunk.rules.schema.is_plain() {
            self.measured.lock().unclear.add(unclear_stamps(self.block(chunk)));
        }
        let ready = self.sequencer.lock().arrive(BatchPlace::of(chunk), peaks, Arc::clone(lines));
        for (before, lines) in ready {
            let mut measured = Disorder::default();
            measured.measure(self.block(&lines.chunk), self.future_after, before.highest());
            self.measured.lock().disorder.merge(&measured);
        }
    }

    fn block<'a>(&self, chunk: &'a Chunk) -> Block<'a> {
        Block { bytes: &chunk.bytes, from: chunk.span.from, rules: &chunk.rules }
    }
}
