//! Closes windows: decides which are due, which have a result in common, and how each lies on the
//! tally.
//!
//! A run of windows that hold nothing is found by the tally's next bucket, so neither time nor
//! memory grows with their number. It is issued once all of it is due, since until then a record
//! may still come into it.
//!
//! Invariant: windows close in order, each once; no record that counts is missing from its window.
//! Which of them have a result in common depends on what they hold in the end, and not on when they
//! were found to be due.

use crate::model::window::{grain, once_buckets};
use crate::model::{Gap, Grid, Timestamp, Window};
use crate::tally::Shape;
use crate::tally::Tally;
use crate::tally::aggregates::Layout;

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
    /// Whether an instant that is counted is in one of them, rather than kept to compare with.
    pub fn cover(&self, time: Timestamp) -> bool {
        match self {
            // What it is compared with lies before it.
            Windows::Once(window) => time >= window.start,
            Windows::Every(grid) => grid.covers(time),
        }
    }

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

/// Shards of a pane where there are few panes: enough that none is much to copy when it grows, and
/// that workers seldom meet at one.
pub const SHARDS: i64 = 64;

impl Windows {
    /// How a tally of these buckets is divided, if records of `lateness` nanoseconds of disorder
    /// are counted.
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

/// The windows of a periodic run, from the first that ends after the lowest record that counts to
/// the first that ends after the highest.
#[derive(Debug)]
pub struct Closer {
    grid: Grid,
    buckets: Buckets,
    needs_previous: bool,
    /// Up to this many windows in a row that hold nothing have a result each; 0 for any number.
    max_gap: u64,
    /// The next window to close, once the first record is known.
    next: Option<i64>,
    closed: u64,
}

/// What is to be done about windows that are due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// The next one has a result of its own.
    Window(Window),
    /// The next ones hold nothing, nor does the one result that they have.
    Gap(Gap),
    /// The next ones hold nothing and may be too many for a result each: that is known only once
    /// the run of them is due as a whole. If it is too long already, these are sure to be in it.
    Wait(Option<Gap>),
}

impl Closer {
    /// For windows on `grid`, cut into `buckets`.
    pub fn new(grid: Grid, buckets: Buckets, needs_previous: bool) -> Self {
        Closer { grid, buckets, needs_previous, max_gap: 0, next: None, closed: 0 }
    }

    /// One result for each run of more than `max_gap` windows that hold nothing; 0 for a result
    /// each.
    pub fn with_max_gap(self, max_gap: u64) -> Self {
        Closer { max_gap, ..self }
    }

    /// The next window that is due at this watermark, when `extent` is the lowest and the highest
    /// record so far.
    pub fn due(&self, watermark: Timestamp, extent: Option<(Timestamp, Timestamp)>) -> Option<Window> {
        let (lowest, highest) = extent?;
        let k = self.next.unwrap_or_else(|| self.grid.first_ending_after(lowest));
        let last = self.grid.first_ending_after(highest);
        let window = self.grid.window(k);
        // The window behind the last record may be due once more records come; it is not before.
        (window.end <= watermark && k <= last).then_some(window)
    }

    /// The window that closes next, if it is known: before the first record that counts, only where
    /// windows are to begin somewhere.
    pub fn first_open(&self, extent: Option<(Timestamp, Timestamp)>) -> Option<Window> {
        let of_records = || extent.map(|(lowest, _)| self.grid.first_ending_after(lowest));
        self.next.or_else(of_records).or(self.grid.first).map(|k| self.grid.window(k))
    }

    /// What is to be done, as `window` is the next that is due at this watermark. The tally has all
    /// that is counted.
    ///
    /// Where windows are compared with those before them, one that holds nothing has a result all the
    /// same if the one before holds something: that is gone then.
    ///
    /// A record may still come for a window that is not due, and never for one that is. So a run
    /// can only turn out to be shorter than it seemed: windows in a run that seems short enough
    /// have their results at once.
    pub fn decide(
        &self,
        window: Window,
        watermark: Timestamp,
        extent: Option<(Timestamp, Timestamp)>,
        tally: &Tally,
    ) -> Due {
        let (first, Some((_, highest))) = (self.number(window), extent) else { return Due::Window(window) };
        if self.max_gap == 0 || self.follows_something(window, tally) {
            return Due::Window(window);
        }
        let highest = self.grid.first_ending_after(highest);
        let last = self.first_holding(window, tally).map_or(highest, |holding| holding.saturating_sub(1));
        if last < first || self.grid.gap(first, last).windows <= self.max_gap {
            return Due::Window(window);
        }
        if self.grid.window(last).end <= watermark {
            return Due::Gap(self.grid.gap(first, last));
        }
        // The watermark is below the end of `last`, so this lies before it.
        let due = self.grid.gap(first, self.grid.first_ending_after(watermark).saturating_sub(1));
        Due::Wait((due.windows > self.max_gap).then_some(due))
    }

    /// Whether there is something to say of a window though it may hold nothing: what it is compared
    /// with holds something.
    fn follows_something(&self, window: Window, tally: &Tally) -> bool {
        let Layout { first_bucket, buckets, .. } = self.layout(window);
        let before = || tally.first_from(first_bucket - buckets);
        self.needs_previous && before().is_some_and(|bucket| bucket < first_bucket)
    }

    /// The windows from `first` to `last`, both in, that hold anything.
    pub fn holding<'a>(&'a self, first: i64, last: i64, tally: &'a Tally) -> impl Iterator<Item = i64> + 'a {
        let next = move |k: i64| self.first_holding(self.grid.window(k), tally).filter(|next| *next <= last);
        std::iter::successors(next(first), move |k| next(k.checked_add(1)?))
    }

    /// The first window that holds anything, from `window` on.
    fn first_holding(&self, window: Window, tally: &Tally) -> Option<i64> {
        let (lowest, mut from) = (self.number(window), self.buckets.of(window.start));
        loop {
            let bucket = tally.first_from(from)?;
            let k = self.grid.first_ending_after(self.buckets.anchor.plus_times(bucket, self.buckets.grain));
            // Where windows overlap, one before it may hold that, too.
            let k = k.max(lowest);
            let start = self.buckets.of(self.grid.window(k).start);
            if start <= bucket {
                return Some(k);
            }
            // What lies between windows only serves to compare with the one before.
            from = start;
        }
    }

    /// Leaves this window out if it holds nothing, and those behind it up to the next that holds
    /// something. Gives whether it did. The tally has all that is counted.
    pub fn skip_empty(&mut self, window: Window, tally: &Tally) -> bool {
        let first = tally.first_from(self.buckets.of(window.start));
        if first.is_some_and(|bucket| bucket < self.buckets.of(window.end)) {
            return false;
        }
        let start = |bucket| self.buckets.anchor.plus_times(bucket, self.buckets.grain);
        self.next = Some(first.map_or(i64::MAX, |bucket| self.grid.first_ending_after(start(bucket))));
        true
    }

    /// Counts the window as closed, or several that end with it: the number of the first from 0,
    /// and the first bucket that windows behind them need.
    pub fn close(&mut self, window: Window, windows: u64) -> (u64, i64) {
        let next = self.number(window).saturating_add(1);
        self.next = Some(next);
        self.closed += windows;
        (self.closed - windows, self.first_needed(next))
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

    /// Whether any window holds a bucket.
    pub fn covers(&self, bucket: i64) -> bool {
        self.grid.covers(self.buckets.anchor.plus_times(bucket, self.buckets.grain))
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
        let (_, needed) = closer.close(first, 1);
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
    const AT: fn(i64) -> Timestamp = Timestamp::from_seconds;

    /// Decides with records at these seconds, in windows of `length` every `period` seconds.
    fn decide(windows: (i64, i64), max_gap: u64, next: i64, watermark: i64, records: &[i64]) -> Option<Due> {
        decide_for(false, windows, max_gap, next, watermark, records)
    }

    /// The same for reports that compare with the window before, or not.
    fn decide_for(
        compare: bool,
        (length, period): (i64, i64),
        max_gap: u64,
        next: i64,
        watermark: i64,
        records: &[i64],
    ) -> Option<Due> {
        let grid = Grid { anchor: AT(0), length: length * SECOND, period: period * SECOND, first: None };
        let windows = Windows::Every(grid);
        let buckets = windows.buckets(SECOND);
        let mut tally = Tally::new(windows.shape(&buckets, 0), Default::default());
        records.iter().for_each(|&at| tally.add(buckets.of(AT(at)), b"a", b"b", 1));
        let covered = || records.iter().map(|&at| AT(at)).filter(|&at| grid.covers(at));
        let extent = covered().min().zip(covered().max());
        let closer = Closer::new(grid, buckets, compare).with_max_gap(max_gap).resumed(Some(next));
        let due = closer.due(AT(watermark), extent)?;
        Some(closer.decide(due, AT(watermark), extent, &tally))
    }

    fn gap(from: i64, to: i64, windows: u64) -> Gap {
        Gap { window: Window::half_open(AT(from), AT(to)), windows }
    }

    #[test]
    fn a_long_run_of_windows_that_hold_nothing_is_one_once_all_of_it_is_due() {
        let tumbling = (10, 10);
        // Four windows, from 10 to 50, hold nothing.
        let records = [5, 55];
        let one = |start| Some(Due::Window(Window::half_open(AT(start), AT(start + 10))));
        assert_eq!(decide(tumbling, 3, 0, 10, &records), one(0));
        assert_eq!(decide(tumbling, 3, 1, 19, &records), None);
        assert_eq!(decide(tumbling, 3, 1, 20, &records), Some(Due::Wait(None)));
        assert_eq!(decide(tumbling, 3, 1, 49, &records), Some(Due::Wait(None)));
        assert_eq!(decide(tumbling, 3, 1, 50, &records), Some(Due::Gap(gap(10, 50, 4))));
        assert_eq!(decide(tumbling, 1, 1, 39, &records), Some(Due::Wait(Some(gap(10, 30, 2)))));
        // A record that comes late makes it short enough for a result each.
        assert_eq!(decide(tumbling, 3, 1, 20, &[5, 45, 55]), one(10));
        assert_eq!(decide(tumbling, 4, 1, 20, &records), one(10));
        assert_eq!(decide(tumbling, 0, 1, 20, &records), one(10));
        assert_eq!(decide(tumbling, 3, 5, 60, &records), one(50));
    }

    #[test]
    fn windows_that_overlap_and_windows_with_gaps_between_them_are_told_by_what_they_hold() {
        // Of windows of 30 s every 10 s, those that start from 10 to 20 hold nothing of 5 and 55.
        assert_eq!(decide((30, 10), 1, 1, 49, &[5, 55]), Some(Due::Wait(None)));
        assert_eq!(decide((30, 10), 1, 1, 50, &[5, 55]), Some(Due::Gap(gap(10, 50, 2))));
        // Of windows of 10 s every 60 s. What lies between them is not in them.
        assert_eq!(decide((10, 60), 1, 1, 190, &[5, 75, 130, 305]), Some(Due::Wait(Some(gap(60, 190, 3)))));
        assert_eq!(decide((10, 60), 1, 1, 250, &[5, 75, 130, 305]), Some(Due::Gap(gap(60, 250, 4))));
    }

    #[test]
    fn a_window_that_is_compared_with_one_that_holds_something_is_in_no_gap() {
        let one = |start, length| Some(Due::Window(Window::half_open(AT(start), AT(start + length))));
        // Windows from 10 to 80 hold nothing, and the first of them has lost what the one before had.
        assert_eq!(decide_for(true, (10, 10), 3, 1, 80, &[5, 85]), one(10, 10));
        assert_eq!(decide_for(true, (10, 10), 3, 2, 80, &[5, 85]), Some(Due::Gap(gap(20, 80, 6))));
        assert_eq!(decide_for(false, (10, 10), 3, 1, 80, &[5, 85]), Some(Due::Gap(gap(10, 80, 7))));
        // Where they overlap, several of them are compared with what holds it.
        assert_eq!(decide_for(true, (20, 10), 1, 1, 99, &[5, 95]), one(10, 20));
        assert_eq!(decide_for(true, (20, 10), 1, 2, 99, &[5, 95]), one(20, 20));
        assert_eq!(decide_for(true, (20, 10), 1, 3, 90, &[5, 95]), Some(Due::Gap(gap(30, 90, 5))));
    }

    #[test]
    fn a_gap_of_all_of_time_takes_no_time() {
        let (from, to) = (-9_000_000_000, 9_000_000_000);
        let Some(Due::Gap(gap)) = decide((1, 1), 1, from + 1, to, &[from, to]) else { panic!("no gap") };
        assert_eq!((gap.window.start, gap.window.end, gap.windows), (AT(from + 1), AT(to), 17_999_999_999));
    }
}
