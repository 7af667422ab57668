//! Closes windows: decides which are due, and gives the merged view of each.
//!
//! Invariant: windows close in order, each once; no record that counts is missing from its window.

use crate::model::aggregates::Layout;
use crate::model::window::grain;
use crate::model::{Aggregates, Grid, Tally, Timestamp, Window};

use super::count::Buckets;

/// The windows of an aggregator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Windows {
    /// One, both ends in.
    Once(Window),
    /// One every period.
    Every(Grid),
}

/// The most buckets a one-shot window is cut into when its length and the grouping have a small common divisor.
const MAX_ONCE_BUCKETS: i64 = 4096;

impl Windows {
    /// How time is cut into buckets, if buckets of `grouping` nanoseconds are asked for.
    pub fn buckets(&self, grouping: i64) -> Buckets {
        match self {
            Windows::Once(window) => {
                let length = window.length().max(1);
                let common = grain(length, None, grouping);
                // A one-shot window has no neighbour to share a bucket with: it stays exact if its last bucket is
                // shorter than the others.
                let grain = if length / common <= MAX_ONCE_BUCKETS { common } else { grouping };
                let last = (length.saturating_add(grain - 1) / grain).max(1) - 1;
                Buckets { anchor: window.start, grain, last }
            }
            Windows::Every(grid) => {
                let grain = grain(grid.length, Some(grid.period), grouping);
                Buckets { anchor: grid.anchor, grain, last: i64::MAX }
            }
        }
    }
}

/// The windows of a periodic run, from the first that ends after the lowest record that counts to the first that ends
/// after the highest.
#[derive(Debug)]
pub struct Closer {
    grid: Grid,
    buckets: Buckets,
    needs_previous: bool,
    /// Merged buckets that open windows may still need.
    merged: Tally,
    /// The next window to close, once the first record is known.
    next: Option<i64>,
    closed: u64,
}

impl Closer {
    /// For windows on `grid`, cut into `buckets`.
    pub fn new(grid: Grid, buckets: Buckets, needs_previous: bool) -> Self {
        Closer { grid, buckets, needs_previous, merged: Tally::default(), next: None, closed: 0 }
    }

    /// The next window that is due at this watermark, when `extent` is the lowest and the highest record so far.
    pub fn due(&self, watermark: Timestamp, extent: Option<(Timestamp, Timestamp)>) -> Option<Window> {
        let (lowest, highest) = extent?;
        let k = self.next.unwrap_or_else(|| self.grid.first_ending_after(lowest));
        let last = self.grid.first_ending_after(highest);
        let window = self.grid.window(k);
        // The window behind the last record may be due once more records come; it is not before.
        (window.end <= watermark && k <= last).then_some(window)
    }

    /// The first bucket that `close` of this window does not need.
    pub fn end_bucket(&self, window: Window) -> i64 {
        self.buckets.of(window.end)
    }

    /// Adds buckets before `end_bucket` that a worker has counted.
    pub fn add(&mut self, part: &Tally) {
        self.merged.merge(part);
    }

    /// Closes the window that is due: its number from 0, and its view.
    pub fn close(&mut self, window: Window) -> (u64, Aggregates) {
        let layout = self.layout(window);
        let view = Aggregates::new(&layout, &self.merged);
        let k = self.grid.first_ending_after(window.end.minus(1));
        let next = self.layout(self.grid.window(k + 1));
        self.merged.drop_before(if self.needs_previous { next.first_bucket - next.buckets } else { next.first_bucket });
        self.next = Some(k + 1);
        self.closed += 1;
        (self.closed - 1, view)
    }

    fn layout(&self, window: Window) -> Layout {
        Layout {
            window,
            first_bucket: self.buckets.of(window.start),
            buckets: self.grid.length / self.buckets.grain,
            grain: self.buckets.grain,
            previous: self.needs_previous,
        }
    }
}

/// The layout of a one-shot window on its buckets.
pub fn once_layout(window: Window, buckets: &Buckets, previous: bool) -> Layout {
    Layout { window, first_bucket: 0, buckets: buckets.last + 1, grain: buckets.grain, previous }
}
