//! Beside the time-filter: how far records lie behind others, if that is asked for.
//!
//! Not here: the measure itself (`ops/disorder`). Invariant: batches of an input are measured in
//! their order.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::batch::{Chunk, Lines};
use crate::model::{Peaks, Timestamp};
use crate::ops::disorder::Disorder;
use crate::ops::scan::{Block, extent};
use crate::ops::sequence::{BatchPlace, Sequencer};

/// A meter of disorder.
pub struct Stats {
    /// Stamps beyond this are in the future.
    pub future_after: Timestamp,
    /// Batches that wait for those before them.
    pub sequencer: Mutex<Sequencer<Arc<Lines>>>,
    /// What was measured so far.
    pub disorder: Mutex<Disorder>,
}

impl Stats {
    /// Nothing is measured yet.
    pub fn new(future_after: Timestamp) -> Self {
        Stats { future_after, sequencer: Mutex::default(), disorder: Mutex::default() }
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
        let ready = self.sequencer.lock().arrive(BatchPlace::of(chunk), peaks, Arc::clone(lines));
        for (before, lines) in ready {
            let mut measured = Disorder::default();
            measured.measure(self.block(&lines.chunk), self.future_after, before.highest());
            self.disorder.lock().merge(&measured);
        }
    }

    fn block<'a>(&self, chunk: &'a Chunk) -> Block<'a> {
        Block { bytes: &chunk.bytes, from: chunk.span.from, rules: &chunk.rules }
    }
}
