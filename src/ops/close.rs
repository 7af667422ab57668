//! Closes windows: decides which are due, and how each lies on the tally.
//!
//! Invariant: windows close in order, each once; no record that counts is missing from its window.

use crate::model::aggregates::Layout;
use crate::model::tally::Shape;
use crate::model::window::{grain, once_buckets};
use crate::model::{Grid, Tally, Timestamp, Window};

use super::count::Buckets;

/// The windows of an aggregator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Windows {
    /// One, both ends in.
    Once(Window),
    /// One every period.
    Every(Grid),
}

impl Windows {
    /// How time is cut into buckets, if buckets of `grouping` nanoseconds are asked for.
    pub fn buckets(&self, grouping: i64) -> Buckets {
        match self {
            Windows::Once(window) => {
                let (grain, last) = once_buckets(window, grouping);
                Buckets { anchor: window.start, grain, last }
            }
            Windows::Every(grid) => {
                let grain = grain(grid.length, Some(grid.period), grouping);
                Buckets { anchor: grid.anchor, grain, last: i64::MAX }
            }
        }
    }
}

/// Shards of a pane where there are few panes: so many that none is much to copy when it grows, and that workers seldom
/// meet at one.
const SHARDS: i64 = 64;

impl Windows {
    /// How a tally of these buckets is divided, if records of `lateness` nanoseconds of disorder are counted.
    pub fn shape(&self, buckets: &Buckets, lateness: i64) -> Shape {
        match self {
            Windows::Once(_) => Shape { pane: buckets.last + 1, shards: SHARDS as usize },
            Windows::Every(grid) => {
                let pane = grain(grid.length, Some(grid.period), grid.length);
                // Where there are many panes, each is as small as a shard.
                let open = grid.length.saturating_add(lateness) / pane + 1;
                Shape { pane: pane / buckets.grain, shards: (SHARDS / open).max(1) as usize }
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
    /// The next window to close, once the first record is known.
    next: Option<i64>,
    closed: u64,
}

impl Closer {
    /// For windows on `grid`, cut into `buckets`.
    pub fn new(grid: Grid, buckets: Buckets, needs_previous: bool) -> Self {
        Closer { grid, buckets, needs_previous, next: None, closed: 0 }
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

    /// Leaves this window out if it holds nothing, and those behind it up to the next that holds something. Whether it
    /// did. The tally has all that is counted.
    pub fn skip_empty(&mut self, window: Window, tally: &Tally) -> bool {
        let first = tally.first_from(self.buckets.of(window.start));
        if first.is_some_and(|bucket| bucket < self.buckets.of(window.end)) {
            return false;
        }
        let start = |bucket| self.buckets.anchor.plus_times(bucket, self.buckets.grain);
        self.next = Some(first.map_or(i64::MAX, |bucket| self.grid.first_ending_after(start(bucket))));
        true
    }

    /// Counts the window as closed: its number from 0, and the first bucket that windows behind it need.
    pub fn close(&mut self, window: Window) -> (u64, i64) {
        let next = self.number(window) + 1;
        self.next = Some(next);
        self.closed += 1;
        (self.closed - 1, self.first_needed(next))
    }

    /// A closer that has closed the windows before `next` already.
    pub fn resumed(self, next: Option<i64>) -> Self {
        Closer { next, ..self }
    }

    /// The next window to close, once the first record is known.
    pub fn next(&self) -> Option<i64> {
        self.next
    }

    /// The windows.
    pub fn grid(&self) -> &Grid {
        &self.grid
    }

    /// The number of a window.
    pub fn number(&self, window: Window) -> i64 {
        self.grid.first_ending_after(window.end.minus(1))
    }

    /// The first bucket that is needed for the result of window `k`.
    pub fn first_needed(&self, k: i64) -> i64 {
        let layout = self.layout(self.grid.window(k));
        if self.needs_previous { layout.first_bucket - layout.buckets } else { layout.first_bucket }
    }

    /// How a window lies on the tally.
    pub fn layout(&self, window: Window) -> Layout {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::SECOND;
    use crate::model::window::MAX_BUCKETS;

    fn once(seconds: i64, grouping: i64) -> (i64, i64) {
        let window = Window::closed(Timestamp::from_seconds(0), Timestamp::from_seconds(seconds));
        let buckets = Windows::Once(window).buckets(grouping * SECOND);
        assert!(buckets.last < MAX_BUCKETS);
        (buckets.grain / SECOND, buckets.last + 1)
    }

    #[test]
    fn a_window_of_any_length_has_few_buckets() {
        assert_eq!(once(3_600, 1_200), (1_200, 3));
        assert_eq!(once(3_600, 1_000), (200, 18));
        assert_eq!(once(3_601, 1_200), (1, 3_601));
        assert_eq!(once(100_001, 1_200), (1_200, 84));
        // All of time since 1970, second by second.
        assert_eq!(once(1_700_000_000, 1), (17_001, 99_995));
        assert_eq!(once(9_000_000_000, 1_200), (76 * 1_200, 98_685));
    }

    #[test]
    fn windows_without_a_record_can_be_left_out() {
        let grid = Grid { anchor: Timestamp::from_seconds(0), length: 10 * SECOND, period: 10 * SECOND, first: None };
        let buckets = Windows::Every(grid).buckets(5 * SECOND);
        let mut closer = Closer::new(grid, buckets, false);
        let extent = Some((Timestamp::from_seconds(0), Timestamp::from_seconds(1_000_000)));
        let shape = Windows::Every(grid).shape(&buckets, 0);
        assert_eq!(shape.pane, 2);
        let mut tally = Tally::new(shape, Default::default());
        tally.add(buckets.of(Timestamp::from_seconds(0)), b"a", b"b", 1);
        let first = closer.due(Timestamp::MAX, extent).unwrap();
        assert!(!closer.skip_empty(first, &tally));
        let (_, needed) = closer.close(first);
        assert_eq!(needed, 2);
        tally.drop_before(needed);
        let second = closer.due(Timestamp::MAX, extent).unwrap();
        tally.add(buckets.of(Timestamp::from_seconds(999_999)), b"a", b"b", 1);
        assert!(closer.skip_empty(second, &tally));
        let next = closer.due(Timestamp::MAX, extent).unwrap();
        assert_eq!(next.start, Timestamp::from_seconds(999_990));
        tally.drop_before(i64::MAX / 4 * 2);
        assert!(closer.skip_empty(next, &tally));
        assert_eq!(closer.due(Timestamp::MAX, extent), None);
    }
}
