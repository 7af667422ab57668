//! Beside the time-filter: how far records lie behind others, if that is asked for.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::batch::{Chunk, Lines};
use crate::model::{Peaks, Timestamp, Units};
use crate::ops::disorder::Disorder;
use crate::ops::scan::{Block, extent};
use crate::ops::sequence::{Place, Sequencer};

/// A meter of disorder.
pub struct Stats {
    /// How stamps tell their unit.
    pub units: Units,
    /// Stamps beyond this are in the future.
    pub future_after: Timestamp,
    /// Batches that wait for those before them.
    pub sequencer: Mutex<Sequencer<Arc<Lines>>>,
    /// What was measured so far.
    pub disorder: Mutex<Disorder>,
}

impl Stats {
    /// Nothing is measured yet.
    pub fn new(units: Units, future_after: Timestamp) -> Self {
        Stats { units, future_after, sequencer: Mutex::default(), disorder: Mutex::default() }
    }

    /// Measures a batch, and those that have waited for it.
    pub(super) fn note(&self, format: &str, lines: &Arc<Lines>) {
        let chunk = &lines.chunk;
        let highest = extent(format, self.block(chunk), self.future_after);
        // The measure is the highest stamp of all, trusted or not.
        let mut peaks = Peaks::default();
        highest.into_iter().for_each(|extent| {
            peaks.add(extent.highest);
        });
        let ready = self.sequencer.lock().arrive(Place::of(chunk), peaks, Arc::clone(lines));
        for (before, lines) in ready {
            let mut measured = Disorder::default();
            measured.measure(format, self.block(&lines.chunk), self.future_after, before.highest());
            self.disorder.lock().merge(&measured);
        }
    }

    fn block<'a>(&self, chunk: &'a Chunk) -> Block<'a> {
        Block { bytes: &chunk.bytes, from: chunk.span.from, max_line: chunk.max_line, units: self.units }
    }
}
