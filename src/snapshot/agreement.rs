//! Whether what the header of a saved state says in one place agrees with what it says in others:
//! of windows that have closed, of what was issued, of stamps, and of what is counted.
//!
//! Not here: whether each value is one that there is (`sound`), and whether the pairs add up to the
//! buckets (`counts`). Invariant: what every run keeps to holds here, and nothing else; so a run
//! that goes on from what passes meets no contradiction in it.

use super::value::{Delays, Snapshot};
use super::windows::{Issued, SavedWindows};
use crate::ops::close::Closer;

impl Snapshot {
    /// Errors with what contradicts something else.
    pub(super) fn agrees(&self, delays: &Delays) -> Result<(), String> {
        let closer = self.closer();
        self.check_closed(delays)?;
        self.check_issued(&closer)?;
        self.check_bounds()?;
        self.check_stamps(&closer)
    }

    /// What is said of windows that have closed.
    fn check_closed(&self, delays: &Delays) -> Result<(), String> {
        let SavedWindows { first, next, issued, gaps, again, settled } = &self.windows;
        let (first, next, before) = match (*first, *next, settled.before()) {
            (Some(first), Some(next), Some(before)) => (first, next, before),
            (None, None, None)
                if settled.connections() == 0 && gaps.is_empty() && again.iter().all(|run| run.0 == run.1) =>
            {
                return Ok(());
            }
            _ => return Err("it says in one place only that a window has closed".to_owned()),
        };
        // Where results are not issued again, what has closed is done with.
        if first >= next || before > next || (delays.grace == 0 && (before < next || !gaps.is_empty())) {
            return Err(format!("its windows are from {first} on, those before {before} done with, {next} the next"));
        }
        // What is not done with is kept for a result that may come again.
        let runs = gaps.iter().chain(again).map(|run| run.0);
        if issued.iter().map(|(k, _)| *k).chain(runs).fold(next, i64::min) > before {
            return Err(format!("its windows from {before} on are not done with, and none of them is issued again"));
        }
        let are_apart = gaps.windows(2).all(|two| two[0].1 < two[1].0);
        let are_open = gaps.iter().all(|gap| before <= gap.0 && gap.1 < next);
        let have_closed = again.iter().all(|run| run.0 == run.1 || run.1 < next);
        match are_apart && are_open && have_closed {
            true => Ok(()),
            false => Err("windows that hold nothing overlap in it, or have not closed".to_owned()),
        }
    }

    /// What was issued is still there, since late records only add to it; for windows that are done
    /// with, it is kept only where it comes again.
    fn check_issued(&self, closer: &Closer) -> Result<(), String> {
        let SavedWindows { issued, again, settled, .. } = &self.windows;
        let sums = Sums::of(&self.counts.buckets);
        for &(k, Issued { revision: _, connections }) in issued {
            let layout = closer.layout(self.grid.window(k));
            let held = sums.between(layout.first_bucket, layout.end_bucket());
            if connections > held {
                return Err(format!("window {k} was issued with {connections} connections and holds {held}"));
            }
            if settled.before().is_some_and(|before| k < before) && again.binary_search(&(k, k)).is_err() {
                return Err(format!("window {k} is done with, and may be issued again"));
            }
        }
        Ok(())
    }

    /// Windows begin where stamps begin to count.
    fn check_bounds(&self) -> Result<(), String> {
        let (keep_from, first) = self.bounds;
        let is_start = self.grid.first.is_none_or(|k| self.grid.window(k).start == first);
        match is_start && (keep_from == first || keep_from == first.minus(self.grid.length)) {
            true => Ok(()),
            false => Err("its windows do not begin where its stamps count".to_owned()),
        }
    }

    /// All that is counted lies between the lowest and the highest stamp, windows have closed
    /// between those only, and not before the watermark.
    fn check_stamps(&self, closer: &Closer) -> Result<(), String> {
        let mut counted =
            self.counts.buckets.iter().filter(|(bucket, _)| closer.covers(*bucket)).map(|(bucket, _)| *bucket);
        let held = counted.next().map(|lowest| (lowest, counted.next_back().unwrap_or(lowest)));
        let SavedWindows { first, next, .. } = self.windows;
        let Some((lowest, highest)) = self.progress.extent() else {
            return match held.is_none() && next.is_none() && self.balance().counted == 0 {
                true => Ok(()),
                false => Err("it has counted, and knows no stamps".to_owned()),
            };
        };
        let cut = self.cut();
        let is_within = |(low, high)| cut.of(lowest) <= low && high <= cut.of(highest);
        if lowest < self.bounds.0 || !held.is_none_or(is_within) {
            return Err("it has counted stamps that lie beyond the lowest or the highest".to_owned());
        }
        let Some((first, last)) = first.zip(next.map(|next| next.saturating_sub(1))) else { return Ok(()) };
        let of_stamps = [lowest, highest].map(|time| self.grid.first_ending_after(time));
        let is_due = self.grid.window(last).end <= self.progress.watermark();
        match of_stamps[0] <= first && last <= of_stamps[1] && is_due {
            true => Ok(()),
            false => Err(format!("its windows from {first} to {last} cannot have closed by its stamps")),
        }
    }
}

/// Connections up to each bucket: so sums over windows take no time, however many there are.
struct Sums(Vec<(i64, u64)>);

impl Sums {
    /// Of buckets in order, the sum of which fits.
    fn of(buckets: &[(i64, u64)]) -> Self {
        let mut sum = 0u64;
        let up_to = buckets.iter().map(|&(bucket, connections)| {
            sum = sum.saturating_add(connections);
            (bucket, sum)
        });
        Sums(up_to.collect())
    }

    /// Those from one bucket to before another.
    fn between(&self, from: i64, end: i64) -> u64 {
        let before = |bucket| {
            let at = self.0.partition_point(|(other, _)| *other < bucket);
            at.checked_sub(1).map_or(0, |at| self.0[at].1)
        };
        before(end).saturating_sub(before(from))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::batch::{Chunk, Live, Records};
    use crate::model::time::SECOND;
    use crate::model::{Balance, Grid, InputId, Peaks, Span, Timestamp};
    use crate::ops::progress::CountProgress;
    use crate::snapshot::value::SavedCounts;
    use crate::stage::aggregator::following::windows::closed;
    use crate::tally::Shape;
    use crate::tally::Tally;

    const GRID: Grid =
        Grid { anchor: Timestamp::from_seconds(0), length: 20 * SECOND, period: 10 * SECOND, first: None };
    const UPDATES: Delays = Delays { lateness: 0, grace: 1_000 * SECOND };
    const NO_UPDATES: Delays = Delays { lateness: 0, grace: 0 };

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    /// What is known of an input with a record at each of these seconds.
    fn progress(stamps: &[i64]) -> CountProgress {
        let mut peaks = Peaks::default();
        for &stamp in stamps {
            peaks.add(at(stamp));
        }
        let (watermark, lines) = (peaks.highest().unwrap(), stamps.len() as u64);
        let live = Live { tail: Default::default(), idle: false, future_after: Timestamp::MAX };
        let span = Span { input: InputId(1), from: 0, to: 10 * lines };
        let chunk = Chunk {
            span,
            number: 0,
            bytes: Vec::new().into(),
            oversized: None,
            rules: crate::format::LineRules::plain(100),
            balance: Balance::default(),
            streamed: false,
            order: None,
            last: false,
            unseen: false,
            live: Some(live),
            guard: None,
        };
        let bytes = 10 * lines;
        let balance =
            Balance { lines_read: lines, counted: lines, bytes_read: bytes, bytes_total: bytes, ..Balance::default() };
        let mut progress = CountProgress::following(None).unwrap();
        let batch = Records {
            chunk: Arc::new(chunk),
            text: Vec::new(),
            records: Vec::new().into(),
            balance,
            rejected: Vec::new(),
            marks: Vec::new(),
            watermark,
            at_rest: watermark,
            peaks,
            ahead: 0,
            extent: Some((at(*stamps.iter().min().unwrap()), watermark)),
            traces: Default::default(),
        };
        progress.applied(&batch).unwrap();
        progress
    }

    /// A state of windows of 20 s every 10 s: of stamps from 0 to 95, of which those are done with
    /// whose results are not issued again.
    fn good(delays: &Delays) -> Snapshot {
        let stamps: Vec<i64> = (0..100).step_by(5).collect();
        let cut = crate::ops::count::Buckets { anchor: GRID.anchor, grain: 10 * SECOND, last: i64::MAX };
        let mut tally = Tally::new(Shape { pane: 1, shards: 1 }, Arc::default());
        stamps.iter().for_each(|&stamp| tally.add(cut.of(at(stamp)), b"a", b"b", 1));
        let closer = Closer::new(GRID, cut, false);
        Snapshot {
            grid: GRID,
            bounds: (Timestamp::MIN, Timestamp::MIN),
            windows: closed(closer, delays.grace, &tally),
            progress: progress(&stamps).saved(),
            files: Vec::new(),
            clock: Duration::ZERO,
            next_input: 2,
            counts: SavedCounts {
                grain: 10 * SECOND,
                buckets: tally.buckets().iter().map(|(&bucket, &count)| (bucket, count)).collect(),
                overflowed: 0,
                panes: Vec::new(),
                numbers: 0,
            },
            passed_over: Vec::new(),
            schemas: Vec::new(),
            measures: None,
        }
    }

    type Forgery = (fn(&mut Snapshot), &'static str);

    /// What cannot be, whether results are issued again or not.
    const ALWAYS: [Forgery; 14] = [
        (|it| it.windows.first = None, "in one place only that a window has closed"),
        (|it| it.windows.next = None, "in one place only that a window has closed"),
        (|it| it.windows.first = Some(8), "the next"),
        (|it| it.windows.next = Some(-1), "the next"),
        (|it| it.windows.first = Some(-2), "cannot have closed by its stamps"),
        (|it| it.windows.gaps = vec![(7, 8)], ""),
        (|it| it.windows.again = vec![(7, 8)], "or have not closed"),
        (
            |it| it.windows.issued.last_mut().unwrap().1.connections = 5,
            "window 8 was issued with 5 connections and holds 4",
        ),
        (|it| it.windows.issued.last_mut().unwrap().0 = 10, "window 10 was issued with 2 connections and holds 0"),
        (|it| it.windows.issued.insert(0, (-93, Issued::default())), "window -93 is done with"),
        (|it| it.bounds.1 = at(3), "do not begin where its stamps count"),
        (|it| it.grid.first = Some(-1), "do not begin where its stamps count"),
        (|it| it.bounds = (at(1), at(1)), "beyond the lowest or the highest"),
        (|it| it.counts.buckets.last_mut().unwrap().0 = 10, ""),
    ];

    #[test]
    fn g5_windows_and_stamps_that_cannot_be_together_are_refused() {
        for delays in [UPDATES, NO_UPDATES] {
            assert_eq!(good(&delays).agrees(&delays), Ok(()));
            for (at, (change, reason)) in ALWAYS.into_iter().enumerate() {
                let mut header = good(&delays);
                change(&mut header);
                let problem = header.agrees(&delays).expect_err(reason);
                assert!(problem.contains(reason), "{at}: {problem}");
            }
        }
        // Of windows that have closed for good, nothing is kept to be issued again.
        assert!(good(&UPDATES).agrees(&NO_UPDATES).unwrap_err().contains("8 the next"));
        let mut header = good(&NO_UPDATES);
        header.windows.again.clear();
        assert_eq!(header.agrees(&NO_UPDATES), Ok(()));
        header.windows.gaps = vec![(3, 4)];
        assert!(header.agrees(&NO_UPDATES).is_err());
        let mut header = good(&UPDATES);
        header.windows.gaps.extend([(3, 5), (6, 7)]);
        assert_eq!(header.agrees(&UPDATES), Ok(()));
        header.windows.gaps[1].1 = 6;
        assert_eq!(header.agrees(&UPDATES).unwrap_err(), "windows that hold nothing overlap in it, or have not closed");
        header.windows.gaps.clear();
        assert!(header.agrees(&UPDATES).unwrap_err().ends_with("are not done with, and none of them is issued again"));
    }

    #[test]
    fn g5_a_state_of_no_window_and_no_stamp_says_nothing_of_them() {
        let mut header = good(&NO_UPDATES);
        header.windows = SavedWindows::default();
        assert_eq!(header.agrees(&NO_UPDATES), Ok(()));
        header.progress = CountProgress::following(None).unwrap().saved();
        assert_eq!(header.agrees(&NO_UPDATES).unwrap_err(), "it has counted, and knows no stamps");
        header.counts.buckets.clear();
        assert_eq!(header.agrees(&NO_UPDATES), Ok(()));
        header.windows.gaps = vec![(1, 2)];
        assert!(header.agrees(&UPDATES).is_err());
    }
}
