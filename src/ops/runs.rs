//! Lines in runs: lines outside the window come in long runs, and so do those inside.
//!
//! Each kind of run has a tight loop of its own, which knows lines that are like those before at a
//! glance and does nothing else. A line that a loop does not know is judged by itself, and says
//! which loop goes on. Not here: what becomes of the lines (a `RunSink`). Invariant: the sink is told
//! what it would be told if each line were judged by itself, and in the order of the lines.

use crate::batch::{Lines, Record};
use crate::format::{Likeness, LikenessVisitor, LineFormat, Remains};
use crate::model::Timestamp;
use crate::model::lanes::{Lanes, on_widest_lanes};

use super::judge::{Judge, Verdict, record};

/// What is made of lines.
pub(super) trait RunSink {
    /// The stamps that say nothing new where they stand in a line outside, from the first to the
    /// last of them; `None` if such lines are only counted.
    fn nothing_new(&self) -> Option<(Timestamp, Timestamp)>;

    /// So many lines outside, with stamps that say nothing new.
    fn pass(&mut self, lines: usize);

    /// A line outside, with whether it is well-formed.
    fn outside(&mut self, time: Timestamp, is_well_formed: impl FnOnce() -> bool);

    /// Records within the bounds, one behind the other.
    fn keep(&mut self, run: &[Record]);

    /// A line of any other class, from its first byte to its end.
    fn note(&mut self, verdict: Verdict, line: (usize, usize));
}

/// The loop that goes on.
#[derive(Clone, Copy)]
enum NextLoop {
    /// None: the next line is judged by itself.
    None,
    /// Of lines outside that are only counted.
    Counted,
    /// Of lines outside with stamps in a range.
    Passed(Timestamp, Timestamp),
    /// Of records.
    Kept,
}

/// The most lines of a run: their records are collected before the sink gets them.
const RUN: usize = 128;

/// A record that stands for none.
const NO_RECORD: Record = Record { time: Timestamp::MIN, from: (0, 0), to: (0, 0) };

/// Tells a sink what each line is. Gives what is left of them.
pub(super) fn each_run<F: LineFormat>(format: &F, lines: &Lines, judge: &Judge, sink: &mut impl RunSink) -> Remains {
    on_widest_lanes!(lanes => each_run_on(lanes, format, lines, judge, sink))
}

/// As `each_run`, on the given lanes.
pub(super) fn each_run_on<F: LineFormat>(
    lanes: impl Lanes,
    format: &F,
    lines: &Lines,
    judge: &Judge,
    sink: &mut impl RunSink,
) -> Remains {
    let bytes = &lines.chunk.bytes[..];
    let mut scratch = F::Scratch::default();
    let walk = RunWalk { lanes, format, scratch: &mut scratch, bytes, ends: &lines.ends, judge, sink };
    format.alike(bytes, judge.keep, judge.present, walk);
    F::take(&mut scratch)
}

/// A walk over the lines of a batch.
struct RunWalk<'a, L, F: LineFormat, S> {
    lanes: L,
    format: &'a F,
    scratch: &'a mut F::Scratch,
    bytes: &'a [u8],
    ends: &'a [u32],
    judge: &'a Judge,
    sink: &'a mut S,
}

impl<L: Lanes, F: LineFormat, S: RunSink> LikenessVisitor for RunWalk<'_, L, F, S> {
    type Output = ();

    fn visit(mut self, mut alike: impl Likeness) {
        let mut ends = self.ends;
        let mut records = [NO_RECORD; RUN];
        // Offsets have 32 bits, which tells the loops that no sum of them overflows.
        let (mut start, mut run) = (0u32, NextLoop::None);
        loop {
            let next = self.next(ends, start);
            let told = match run {
                NextLoop::None => 0,
                NextLoop::Counted => self.counted(next, start, &alike),
                NextLoop::Passed(from, to) => self.passed(next, start, &alike, (from, to)),
                NextLoop::Kept => self.kept(next, start, &alike, &mut records),
            };
            if told > 0 {
                start = next[told - 1].wrapping_add(1);
                ends = &ends[told..];
                if told == next.len() {
                    continue;
                }
            }
            let Some((&end, rest)) = ends.split_first() else { return };
            let at = start as usize;
            run = match self.judge(at, end as usize) {
                Verdict::Outside(time, _) => self.run_outside(at, time, &mut alike),
                Verdict::Keep(_) if alike.learn_front(self.bytes, at) => NextLoop::Kept,
                Verdict::Keep(_) => NextLoop::None,
                _ => run,
            };
            (start, ends) = (end.wrapping_add(1), rest);
        }
    }
}

impl<L: Lanes, F: LineFormat, S: RunSink> RunWalk<'_, L, F, S> {
    /// The next lines, so many that together they are no longer than one line may be: as a rule a
    /// whole run.
    fn next<'e>(&self, ends: &'e [u32], start: u32) -> &'e [u32] {
        let run = &ends[..ends.len().min(RUN)];
        let fits = |end: &u32| (end - start) as usize <= self.judge.max_line;
        if run.last().is_none_or(fits) { run } else { &run[..run.partition_point(fits)] }
    }

    /// The run that a line outside begins.
    fn run_outside(&self, start: usize, time: Timestamp, alike: &mut impl Likeness) -> NextLoop {
        let (lowest, highest) = self.judge.keep;
        match self.sink.nothing_new() {
            None if alike.learn_outside(self.bytes, start) => NextLoop::Counted,
            Some((from, to)) if alike.learn_front(self.bytes, start) => {
                let side =
                    if time < lowest { (Timestamp::MIN, lowest.minus(1)) } else { (highest.plus(1), Timestamp::MAX) };
                NextLoop::Passed(from.max(side.0), to.min(side.1).min(self.judge.present))
            }
            _ => NextLoop::None,
        }
    }

    /// How many of the next lines are outside at a glance.
    #[inline(never)]
    fn counted(&mut self, ends: &[u32], start: u32, alike: &impl Likeness) -> usize {
        let (bytes, alike) = (self.bytes, *alike);
        let told = self.lanes.within(
            #[inline(always)]
            move || count_while(ends, start, |start| alike.is_outside(bytes, start)),
        );
        self.sink.pass(told);
        told
    }

    /// How many of the next lines are outside and say nothing new at a glance: their stamps lie
    /// within a range.
    #[inline(never)]
    fn passed(&mut self, ends: &[u32], start: u32, alike: &impl Likeness, range: (Timestamp, Timestamp)) -> usize {
        let (bytes, alike, (from, to)) = (self.bytes, *alike, range);
        let is_passed = move |start| alike.stamp(bytes, start).is_some_and(|time| from <= time && time <= to);
        let told = self.lanes.within(
            #[inline(always)]
            move || count_while(ends, start, is_passed),
        );
        self.sink.pass(told);
        told
    }

    /// How many of the next lines are records at a glance.
    #[inline(never)]
    fn kept(&mut self, ends: &[u32], start: u32, alike: &impl Likeness, records: &mut [Record; RUN]) -> usize {
        let (lanes, bytes, alike, keep) = (self.lanes, self.bytes, *alike, self.judge.keep);
        let places = &mut records[..];
        let told = lanes.within(
            #[inline(always)]
            move || keep_while(lanes, &alike, (bytes, ends, start), keep, places),
        );
        self.sink.keep(&records[..told]);
        told
    }

    /// Judges a line by itself.
    #[inline]
    fn judge(&mut self, start: usize, end: usize) -> Verdict {
        let verdict = self.judge.line(self.format, self.scratch, self.bytes, (start, end));
        match verdict {
            Verdict::Outside(time, at) => {
                self.sink.outside(time, || self.format.is_well_formed(self.scratch, self.bytes, at, end));
            }
            Verdict::Keep(record) => self.sink.keep(&[record]),
            other => self.sink.note(other, (start, end)),
        }
        verdict
    }
}

/// How many lines, the first of which begins at `start`, come before one that is not as asked for.
///
/// Plain loops, here and below: iterators may be calls, which are not compiled for the lanes of the
/// work around them.
#[inline(always)]
fn count_while(ends: &[u32], mut start: u32, is_so: impl Fn(usize) -> bool) -> usize {
    let mut told = 0;
    while told < ends.len() && is_so(start as usize) {
        start = ends[told].wrapping_add(1);
        told += 1;
    }
    told
}

/// How many lines, the first of which begins at `start`, are records of the instants to keep. They
/// are put in their places.
#[inline(always)]
fn keep_while(
    lanes: impl Lanes,
    alike: &impl Likeness,
    (bytes, ends, mut start): (&[u8], &[u32], u32),
    (lowest, highest): (Timestamp, Timestamp),
    places: &mut [Record],
) -> usize {
    let mut told = 0;
    while told < ends.len().min(places.len()) {
        let (end, place) = (ends[told], &mut places[told]);
        match alike.record(lanes, bytes, start as usize, end as usize) {
            Some((time, hosts)) if lowest <= time && time <= highest => *place = record(time, hosts),
            None if keep_spread(alike, bytes, (start, end), (lowest, highest), place) => {}
            _ => break,
        }
        start = end.wrapping_add(1);
        told += 1;
    }
    told
}

/// Puts a line whose fields are spread in its place, if it is a record of the instants to keep.
#[inline(never)]
fn keep_spread(
    alike: &impl Likeness,
    bytes: &[u8],
    (start, end): (u32, u32),
    (lowest, highest): (Timestamp, Timestamp),
    place: &mut Record,
) -> bool {
    let found = alike.spread_record(bytes, start as usize, end as usize);
    let kept = found.filter(|(time, _)| lowest <= *time && *time <= highest);
    kept.is_some_and(|(time, hosts)| {
        *place = record(time, hosts);
        true
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::judge::Bounds;
    use super::super::select::tests::lines;
    use super::*;
    use crate::format::{HostRanges, NoRecord, Plain, Stamp};
    use crate::model::Units;
    use crate::model::lanes::Baseline;
    use proptest::prelude::*;

    /// A format without a quick way, so that each line is judged by itself.
    #[derive(Clone)]
    pub struct OneByOne<F>(pub F);

    impl<F: LineFormat> LineFormat for OneByOne<F> {
        type Scratch = F::Scratch;

        fn stamp(&self, scratch: &mut F::Scratch, bytes: &[u8], start: usize, end: usize) -> Stamp {
            self.0.stamp(scratch, bytes, start, end)
        }

        fn hosts(&self, scratch: &mut F::Scratch, bytes: &[u8], at: usize, end: usize) -> Result<HostRanges, NoRecord> {
            self.0.hosts(scratch, bytes, at, end)
        }
    }

    /// What a sink was told.
    #[derive(Debug, Default, PartialEq)]
    struct Told {
        nothing_new: Option<(Timestamp, Timestamp)>,
        passed: usize,
        outside: Vec<(Timestamp, bool)>,
        kept: Vec<Record>,
        noted: Vec<(Verdict, (usize, usize))>,
    }

    impl RunSink for Told {
        fn nothing_new(&self) -> Option<(Timestamp, Timestamp)> {
            self.nothing_new
        }

        fn pass(&mut self, lines: usize) {
            self.passed += lines;
        }

        fn outside(&mut self, time: Timestamp, is_well_formed: impl FnOnce() -> bool) {
            self.outside.push((time, is_well_formed()));
        }

        fn keep(&mut self, run: &[Record]) {
            self.kept.extend_from_slice(run);
        }

        fn note(&mut self, verdict: Verdict, line: (usize, usize)) {
            self.noted.push((verdict, line));
        }
    }

    proptest! {
        #[test]
        fn a_sink_is_told_the_same_on_all_lanes(
            text in log(),
            bounds in proptest::array::uniform3(-100i64..1_300),
            nothing_new in proptest::option::of((-100i64..600, 600i64..1_300)),
            max_line in prop_oneof![Just(20usize), Just(40), Just(64 << 10)],
        ) {
            let at = |seconds: i64| Timestamp::from_seconds(1_700_000_000 + seconds);
            let [first, last, future_after] = bounds.map(at);
            let bounds = Bounds { keep_from: first, first, last, future_after };
            let (lines, format) = (lines(text.as_bytes(), max_line), Plain { units: Units::AUTO });
            let judge = Judge::of(&lines, &bounds);
            let new = || Told { nothing_new: nothing_new.map(|(from, to)| (at(from), at(to))), ..Told::default() };
            let (mut on_baseline, mut on_widest) = (new(), new());
            each_run_on(Baseline, &format, &lines, &judge, &mut on_baseline);
            each_run(&format, &lines, &judge, &mut on_widest);
            prop_assert_eq!(on_baseline, on_widest);
        }
    }

    /// A log of runs of lines that are written alike, with stamps around 1,700,000,500, and of odd
    /// ones between them.
    pub fn log() -> impl Strategy<Value = String> {
        const ODD: [&str; 8] = [
            "",
            "x a b",
            "1700000500 a",
            "1700000500.25 a b",
            "1700000500 the-name-of-a-host the-name-of-a-server",
            "1800000000 a b",
            "99999999999999 a b",
            "-99999999999 a b",
        ];
        let line = prop_oneof![40 => Just(None), 1 => proptest::sample::select(&ODD[..]).prop_map(Some)];
        let lines = proptest::collection::vec((line, 0i64..40), 0..180);
        let unit = prop_oneof![
            4 => Just(""),
            1 => Just("000"),
            1 => Just(".25"),
            1 => Just("500000"),
            1 => Just(".123456789"),
        ];
        let blank = prop_oneof![3 => Just(" "), 1 => Just("\t"), 1 => Just("  ")];
        let end = prop_oneof![3 => Just("\n"), 1 => Just("\r\n")];
        let run = (unit, blank, end, 0i64..1_000, 1i64..40, lines).prop_map(|(unit, blank, end, at, jitter, lines)| {
            let line = |(place, (odd, ahead)): (usize, (Option<&str>, i64))| {
                let stamp = 1_700_000_000 + at + place as i64 + ahead % jitter;
                let host = ["a", "a-host", "b.example.org"][place % 3];
                odd.map_or_else(|| format!("{stamp}{unit}{blank}{host}{blank}b{end}"), |odd| format!("{odd}\n"))
            };
            lines.into_iter().enumerate().map(line).collect::<String>()
        });
        proptest::collection::vec(run, 0..8).prop_map(|runs| runs.concat())
    }
}
