//! Windows of time and the grid on which periodic windows lie.
//!
//! A one-shot window includes both its ends; periodic windows are half-open, so that neighbours
//! share no record. Invariant: bucket edges fall on window edges, so every window is a whole number
//! of buckets and exact.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::time::Timestamp;

/// A range of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The first instant that is in.
    pub start: Timestamp,
    /// The end; in only if `end_inclusive`.
    pub end: Timestamp,
    /// Whether a stamp equal to `end` is in.
    pub end_inclusive: bool,
}

impl Window {
    /// Both ends in: the window of a one-shot run.
    pub const fn closed(start: Timestamp, end: Timestamp) -> Self {
        Window { start, end, end_inclusive: true }
    }

    /// The end out: a periodic window.
    pub const fn half_open(start: Timestamp, end: Timestamp) -> Self {
        Window { start, end, end_inclusive: false }
    }

    /// Length in nanoseconds.
    pub const fn length(&self) -> i64 {
        self.end.nanos().saturating_sub(self.start.nanos())
    }

    /// The last instant that is in.
    pub const fn last(&self) -> Timestamp {
        if self.end_inclusive { self.end } else { self.end.minus(1) }
    }

    /// Whether `time` is in.
    #[inline]
    pub fn contains(&self, time: Timestamp) -> bool {
        self.start <= time && time <= self.last()
    }
}

/// The periodic windows of a run: window `k` is `[anchor + k*period, anchor + k*period + length)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grid {
    /// A start of a window.
    pub anchor: Timestamp,
    /// Length of each window in nanoseconds, above 0.
    pub length: i64,
    /// From one window's end to the next, in nanoseconds, above 0.
    pub period: i64,
    /// The lowest `k`, if the first window starts at the anchor.
    pub first: Option<i64>,
}

impl Grid {
    /// Window `k`.
    pub fn window(&self, k: i64) -> Window {
        let start = self.anchor.plus_times(k, self.period);
        Window::half_open(start, start.plus(self.length))
    }

    /// The first window that ends after `time`, i.e. the first in which a report on `time` is due.
    pub fn first_ending_after(&self, time: Timestamp) -> i64 {
        // Smallest k with anchor + k*period + length > time; in 128 bits, as the edges may lie far
        // out.
        let distance = i128::from(time.nanos()) - i128::from(self.anchor.nanos()) - i128::from(self.length);
        let k = distance.div_euclid(i128::from(self.period)) + 1;
        let k = i64::try_from(k).unwrap_or(if k < 0 { i64::MIN } else { i64::MAX });
        self.first.map_or(k, |first| k.max(first))
    }

    /// Whether any window holds `time`; with `period > length` there are gaps between windows.
    #[inline]
    pub fn covers(&self, time: Timestamp) -> bool {
        !self.is_before_first(time) && self.would_cover(time)
    }

    /// As `covers`, if there were windows before the first, too.
    #[inline]
    pub fn would_cover(&self, time: Timestamp) -> bool {
        self.length >= self.period || {
            let all = Grid { first: None, ..*self };
            all.window(all.first_ending_after(time)).contains(time)
        }
    }

    /// The first instant from which on all are in a window; `None` if there are gaps between
    /// windows.
    pub fn covers_all_from(&self) -> Option<Timestamp> {
        (self.length >= self.period).then(|| self.first.map_or(Timestamp::MIN, |first| self.window(first).start))
    }

    fn is_before_first(&self, time: Timestamp) -> bool {
        self.first.is_some_and(|first| time < self.window(first).start)
    }
}

/// The ends of a range of time that was asked for, as far as they are given: what lies outside does
/// not count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ends {
    /// The first instant that is in.
    pub since: Option<Timestamp>,
    /// The first that is not in any more; of a range that ends with the highest stamp, that stamp.
    pub until: Option<Timestamp>,
}

impl Ends {
    /// The ends that cut a window, so that it holds only a part of its time.
    pub fn cut(&self, window: &Window) -> Self {
        Ends {
            since: self.since.filter(|since| window.start < *since),
            until: self.until.filter(|until| window.end > *until),
        }
    }

    /// Whether neither end is given.
    pub const fn is_open(&self) -> bool {
        self.since.is_none() && self.until.is_none()
    }
}

/// In words.
impl fmt::Display for Ends {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.since, self.until) {
            (Some(since), Some(until)) => write!(f, "from {since} to {until}"),
            (Some(since), None) => write!(f, "from {since} on"),
            (None, Some(until)) => write!(f, "up to {until}"),
            (None, None) => Ok(()),
        }
    }
}

/// A run of periodic windows that hold nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// From the start of the first of them to the end of the last.
    pub window: Window,
    /// How many they are.
    pub windows: u64,
}

impl Grid {
    /// The windows from `first` to `last`, both in.
    pub fn gap(&self, first: i64, last: i64) -> Gap {
        let window = Window::half_open(self.window(first).start, self.window(last).end);
        let windows = i128::from(last) - i128::from(first) + 1;
        Gap { window, windows: u64::try_from(windows.max(0)).unwrap_or(u64::MAX) }
    }
}

/// The most buckets that a window may be cut into.
pub const MAX_BUCKETS: i64 = 100_000;

/// The grain for windows of this length and period when buckets of `grouping` are asked for: their
/// greatest common divisor, so that bucket edges fall on window edges. All in nanoseconds, above 0.
pub fn grain(length: i64, period: Option<i64>, grouping: i64) -> i64 {
    let common = gcd(length, grouping);
    period.map_or(common, |period| gcd(common, period))
}

/// Up to so many buckets, those of a one-shot window are all alike: the common divisor of its
/// length and the grouping.
const FINE_BUCKETS: i64 = 4096;

/// The grain of a one-shot window for which buckets of `grouping` nanoseconds are asked, above 0,
/// and the number of its last bucket. It has no neighbour to share a bucket with: its last bucket
/// may be shorter than the others, so that any grain is exact.
pub fn once_buckets(window: &Window, grouping: i64) -> (i64, i64) {
    let length = window.length().max(1);
    let common = grain(length, None, grouping);
    let fine = if length / common <= FINE_BUCKETS { common } else { grouping };
    // Of a window of years as many buckets as ever: each then is as many groupings long as it
    // takes.
    let grain = fine.saturating_mul(length / fine / MAX_BUCKETS + 1);
    let last = (length.saturating_add(grain - 1) / grain).max(1) - 1;
    (grain, last)
}

fn gcd(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::SECOND;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    #[test]
    fn a_closed_window_holds_both_ends_and_a_half_open_one_only_its_start() {
        let closed = Window::closed(at(10), at(20));
        assert!(closed.contains(at(10)) && closed.contains(at(20)));
        let open = Window::half_open(at(10), at(20));
        assert!(open.contains(at(10)) && !open.contains(at(20)));
        assert!(open.contains(at(20).minus(1)));
    }

    #[test]
    fn ends_within_a_window_cut_it_and_those_on_its_edges_do_not() {
        let window = Window::half_open(at(10), at(20));
        let cut = |since: Option<i64>, until: Option<i64>| {
            let cut = Ends { since: since.map(at), until: until.map(at) }.cut(&window);
            (cut.since.is_some(), cut.until.is_some())
        };
        assert_eq!(cut(None, None), (false, false));
        assert_eq!(cut(Some(10), Some(20)), (false, false));
        assert_eq!(cut(Some(11), Some(20)), (true, false));
        assert_eq!(cut(Some(9), Some(19)), (false, true));
        assert_eq!(cut(Some(21), Some(9)), (true, true));
    }

    #[test]
    fn the_grain_divides_window_period_and_grouping() {
        assert_eq!(grain(3600, None, 1200), 1200);
        assert_eq!(grain(3600, None, 1000), 200);
        assert_eq!(grain(3600, Some(500), 1200), 100);
        assert_eq!(grain(60, None, 1200), 60);
    }

    #[test]
    fn windows_are_found_by_time_on_both_sides_of_the_anchor() {
        let grid = Grid { anchor: at(0), length: 30 * SECOND, period: 10 * SECOND, first: None };
        assert_eq!(grid.window(grid.first_ending_after(at(25))).end, at(30));
        assert_eq!(grid.window(grid.first_ending_after(at(30))).end, at(40));
        assert_eq!(grid.window(grid.first_ending_after(at(-1))).end, at(0));
        let from_anchor = Grid { first: Some(0), ..grid };
        assert_eq!(from_anchor.window(from_anchor.first_ending_after(at(5))).end, at(30));
    }

    #[test]
    fn a_period_longer_than_the_window_leaves_gaps() {
        let grid = Grid { anchor: at(0), length: 10 * SECOND, period: 60 * SECOND, first: None };
        assert!(grid.covers(at(0)) && grid.covers(at(9)) && grid.covers(at(-60)));
        assert!(!grid.covers(at(10)) && !grid.covers(at(59)) && !grid.covers(at(-1)));
        assert_eq!(grid.covers_all_from(), None);
        let from_anchor = Grid { first: Some(0), length: 90 * SECOND, ..grid };
        assert_eq!(from_anchor.covers_all_from(), Some(at(0)));
        assert_eq!(Grid { first: None, ..from_anchor }.covers_all_from(), Some(Timestamp::MIN));
        assert!(from_anchor.covers(at(0)) && from_anchor.covers(at(59)) && !from_anchor.covers(at(-1)));
    }

    #[test]
    fn extreme_instants_do_not_overflow() {
        let grid = Grid { anchor: at(0), length: 1, period: 1, first: None };
        assert!(grid.first_ending_after(Timestamp::MIN) <= grid.first_ending_after(Timestamp::MAX));
    }
}
