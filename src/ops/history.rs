//! Lines to records in a periodic run: like `select`, with lateness and the points at which windows
//! may close.
//!
//! Both depend on what came before in the input. So a batch is first surveyed, in any order and in
//! parallel; then, in the order of the input, it gets the highest stamps before it. Most batches
//! hold nothing late: for them the survey stands, and their records tell where windows may close
//! (`marks`). The others are gone through once more, line by line. Invariant: a record is late if
//! and only if its stamp is below the trusted highest one (`model/peaks.rs`) of the well-formed
//! lines before it in its input that are not in the future, less the declared disorder and the
//! grace. Threads and chunk size have no say in it.

mod marks;

use crate::batch::Mark;
use crate::batch::{Lines, Record};
use crate::format::{FormatVisitor, LineFormat};
use crate::model::{Grid, Loss, Peaks, Timestamp};

use super::judge::{Judge, Verdict, each_line};
use super::runs::{RunSink, each_run};
use super::select::{Bounds, Selected};

/// The rules of a periodic run.
#[derive(Debug, Clone)]
pub struct History {
    /// The bounds of the history.
    pub bounds: Bounds,
    /// Where its windows lie.
    pub grid: Grid,
    /// The declared disorder in nanoseconds.
    pub lateness: i64,
    /// How far a few stamps may lie ahead of all others and still move the watermark, in
    /// nanoseconds.
    pub max_jump: i64,
    /// How much later than that a record may be and still count, since results are issued again; in
    /// nanoseconds.
    pub grace: i64,
    /// Whether records between windows are kept, to compare with the window before.
    pub keep_gaps: bool,
    /// Whether all malformed and late lines are listed.
    pub list: bool,
}

/// What can be said of a batch without knowing what came before it.
#[derive(Debug)]
pub struct Survey(Walk);

/// A batch with everything that its place in the input decides.
#[derive(Debug)]
pub struct Placed {
    /// The sheet and the malformed lines.
    pub selected: Selected,
    /// Where late lines are in the chunk; filled only if asked for.
    pub late: Vec<(usize, usize)>,
    /// Where windows may close.
    pub marks: Vec<Mark>,
    /// The lowest and the highest stamp that count.
    pub extent: Option<(Timestamp, Timestamp)>,
    /// The watermark after the batch.
    pub watermark: Timestamp,
    /// The same if nothing comes behind the batch.
    pub at_rest: Timestamp,
    /// The highest stamps up to the end of the batch.
    pub peaks: Peaks,
    /// How many of them have run ahead.
    pub ahead: u64,
}

impl Survey {
    /// The highest stamps of well-formed lines; what later batches need to know of this one.
    pub fn peaks(&self) -> &Peaks {
        &self.0.peaks
    }
}

impl History {
    /// Surveys a batch and appends the records to keep if nothing is late.
    pub fn survey(&self, lines: &Lines, records: &mut Vec<Record>) -> Survey {
        Survey(lines.chunk.rules.schema.visit(Look { history: self, lines, records }))
    }

    /// Places a surveyed batch after lines whose highest stamps are `before`. `records` are those
    /// of the survey, and are replaced if the survey does not stand.
    pub fn place(&self, lines: &Lines, survey: Survey, before: Peaks, records: &mut Vec<Record>) -> Placed {
        let mut peaks = before;
        peaks.join(survey.peaks());
        let trusted = self.trusted(&peaks);
        let watermark = self.watermark(trusted);
        let may_be_late = survey.0.lowest.is_some_and(|lowest| lowest < watermark.minus(self.grace));
        let closes = trusted.is_some_and(|trusted| trusted >= self.next_close(self.trusted(&before)));
        let marks = if closes || (may_be_late && !self.none_is_late(&survey.0, before.highest(), records)) {
            self.marks(lines, &survey.0, before, records)
        } else {
            Some(Vec::new())
        };
        let walk = match marks {
            Some(marks) => Walk { marks, ..survey.0 },
            None => {
                records.clear();
                lines.chunk.rules.schema.visit(Pass { history: self, lines, records, before })
            }
        };
        let Walk { selected, late, marks, extent, .. } = walk;
        let (at_rest, ahead) = (self.watermark(peaks.highest()), peaks.ahead(self.max_jump));
        Placed { selected, late, marks, extent, watermark, at_rest, peaks, ahead }
    }

    fn judge(&self, lines: &Lines) -> Judge {
        // Of an input that goes on, the present is when its bytes were read.
        let future_after = lines.chunk.live.map_or(self.bounds.future_after, |live| live.future_after);
        Judge::of(lines, &Bounds { future_after, ..self.bounds })
    }

    /// The stamp by which time is told.
    fn trusted(&self, peaks: &Peaks) -> Option<Timestamp> {
        peaks.trusted(self.max_jump)
    }

    fn watermark(&self, trusted: Option<Timestamp>) -> Timestamp {
        trusted.map_or(Timestamp::MIN, |time| time.minus(self.lateness))
    }

    /// The stamp at which the watermark passes another window's end, when `trusted` is the trusted
    /// highest so far. Only windows within the bounds are of interest: marks are kept until their
    /// windows close, and others never do.
    fn next_close(&self, trusted: Option<Timestamp>) -> Timestamp {
        if trusted.is_none() {
            // The first stamp that is trusted passes every window's end before it.
            return Timestamp::MIN;
        }
        let ending_after = |time| self.grid.first_ending_after(time);
        let open = ending_after(self.watermark(trusted)).max(ending_after(self.bounds.first));
        if open > ending_after(self.bounds.last) {
            return Timestamp::MAX;
        }
        self.grid.window(open).end.plus(self.lateness)
    }

    /// Whether a record of this instant is late behind lines with these highest stamps.
    #[inline]
    fn is_late(&self, time: Timestamp, peaks: &Peaks) -> bool {
        // The trusted stamp is no higher than the highest, which is at hand.
        time < self.late_below(peaks.highest()) && time < self.late_below(self.trusted(peaks))
    }

    /// Below which records are late, when this is the stamp by which time is told.
    fn late_below(&self, stamp: Option<Timestamp>) -> Timestamp {
        self.watermark(stamp).minus(self.grace)
    }

    /// The watermark, if these highest stamps move it past a window's end; `next_close` then moves
    /// on.
    fn passed(&self, peaks: &Peaks, next_close: &mut Timestamp) -> Option<Timestamp> {
        if peaks.highest() < Some(*next_close) {
            return None;
        }
        let trusted = self.trusted(peaks).filter(|trusted| trusted >= next_close);
        *next_close = self.next_close(Some(trusted?));
        Some(self.watermark(trusted))
    }
}

/// What the lines of a batch come to.
#[derive(Debug, Default)]
struct Walk {
    selected: Selected,
    peaks: Peaks,
    extent: Option<(Timestamp, Timestamp)>,
    /// The lowest stamp of a record that is kept or may be late, whether it counts or not.
    lowest: Option<Timestamp>,
    late: Vec<(usize, usize)>,
    marks: Vec<Mark>,
    /// The records in runs.
    runs: Vec<KeptRun>,
}

/// Records of a batch one behind the other, and the range of their stamps.
#[derive(Debug, Clone, Copy)]
struct KeptRun {
    records: usize,
    low: Timestamp,
    high: Timestamp,
}

/// The most records of a run that is put together of others.
const SHORT_RUN: usize = 128;

/// Records that are looked at one by one if the highest stamp of them is among the highest of all.
const PEAK_BLOCK: usize = 32;

impl Walk {
    /// Takes in the stamps of a run of well-formed lines. Gives the lowest and the highest.
    fn take_in(&mut self, run: &[Record]) -> (Timestamp, Timestamp) {
        let (mut low, mut high) = (Timestamp::MAX, Timestamp::MIN);
        for block in run.chunks(PEAK_BLOCK) {
            let (lowest, highest) = Record::extent(block);
            (low, high) = (low.min(lowest), high.max(highest));
            if self.peaks.takes(highest) {
                block.iter().for_each(|record| _ = self.peaks.add(record.time));
            }
        }
        (low, high)
    }

    /// Notes that so many records of a run are kept.
    fn keep_run(&mut self, records: usize, (low, high): (Timestamp, Timestamp)) {
        match self.runs.last_mut() {
            Some(last) if last.records + records <= SHORT_RUN => {
                *last = KeptRun { records: last.records + records, low: last.low.min(low), high: last.high.max(high) };
            }
            _ => self.runs.push(KeptRun { records, low, high }),
        }
    }

    /// Puts a record within the bounds in its class, if it is not late for a window. Gives whether
    /// it is to be kept.
    fn admit(&mut self, history: &History, time: Timestamp, is_late: bool) -> bool {
        let counts = history.grid.covers(time);
        if counts {
            self.selected.balance.counted += 1;
            self.count_from((time, time));
        } else {
            self.selected.balance.out_of_window += 1;
        }
        // A late record between windows would reach the comparison with its window or not, as it
        // happens.
        let is_kept = counts || (history.keep_gaps && !is_late);
        if is_kept || history.grid.would_cover(time) {
            self.hold(time);
        }
        is_kept
    }

    /// Takes in the lowest and the highest stamp of records that count.
    fn count_from(&mut self, (low, high): (Timestamp, Timestamp)) {
        let known = self.extent.unwrap_or((low, high));
        self.extent = Some((known.0.min(low), known.1.max(high)));
    }

    /// Takes in the stamp of a record that is kept or may be late.
    fn hold(&mut self, time: Timestamp) {
        self.lowest = Some(self.lowest.map_or(time, |lowest| lowest.min(time)));
    }
}

/// A look at the lines of a batch in runs, without knowing what came before it.
struct Look<'a> {
    history: &'a History,
    lines: &'a Lines,
    records: &'a mut Vec<Record>,
}

impl FormatVisitor for Look<'_> {
    type Output = Walk;

    fn visit<F: LineFormat>(self, format: &F) -> Walk {
        let Look { history, lines, records } = self;
        let walk = Walk { selected: Selected::of(lines, history.list), ..Walk::default() };
        let all_count_from = history.grid.covers_all_from();
        let mut surveying = Surveying { history, lines, records, walk, all_count_from };
        let remains = each_run(format, lines, &history.judge(lines), &mut surveying);
        Walk { selected: Selected { remains, ..surveying.walk.selected }, ..surveying.walk }
    }
}

/// What a look has come to so far.
struct Surveying<'a> {
    history: &'a History,
    lines: &'a Lines,
    records: &'a mut Vec<Record>,
    walk: Walk,
    /// From here on all records count, if windows leave no gaps.
    all_count_from: Option<Timestamp>,
}

impl RunSink for Surveying<'_> {
    fn nothing_new(&self) -> Option<(Timestamp, Timestamp)> {
        // While there are few stamps, each is new.
        let none = (Timestamp::MAX, Timestamp::MIN);
        Some(self.walk.peaks.nothing_new().map_or(none, |highest| (Timestamp::MIN, highest)))
    }

    fn pass(&mut self, lines: usize) {
        self.walk.selected.balance.out_of_window += lines as u64;
    }

    fn outside(&mut self, time: Timestamp, is_well_formed: impl FnOnce() -> bool) {
        self.walk.selected.balance.out_of_window += 1;
        // Only a well-formed line moves the watermark; hosts are looked at only if this one would.
        if self.walk.peaks.takes(time) && is_well_formed() {
            self.walk.peaks.add(time);
        }
    }

    fn keep(&mut self, run: &[Record]) {
        if run.is_empty() {
            return;
        }
        let (low, high) = self.walk.take_in(run);
        if self.all_count_from.is_some_and(|from| from <= low) {
            self.walk.selected.balance.counted += run.len() as u64;
            self.walk.count_from((low, high));
            self.walk.hold(low);
            self.walk.keep_run(run.len(), (low, high));
            self.records.extend_from_slice(run);
            return;
        }
        let before = self.records.len();
        let kept = run.iter().filter(|record| self.walk.admit(self.history, record.time, false));
        self.records.extend(kept);
        self.walk.keep_run(self.records.len() - before, (low, high));
    }

    fn note(&mut self, verdict: Verdict, line: (usize, usize)) {
        self.walk.selected.note(verdict, self.lines, line, self.history.list);
    }
}

/// One pass over the lines of a batch, in the order of the input and line by line.
struct Pass<'a> {
    history: &'a History,
    lines: &'a Lines,
    records: &'a mut Vec<Record>,
    /// The highest stamps before the batch.
    before: Peaks,
}

impl FormatVisitor for Pass<'_> {
    type Output = Walk;

    fn visit<F: LineFormat>(mut self, format: &F) -> Walk {
        let (history, lines) = (self.history, self.lines);
        let judge = history.judge(lines);
        let selected = Selected::of(lines, history.list);
        let mut walk = Walk { selected, peaks: self.before, ..Walk::default() };
        // Up to each mark the sheet holds only the lines walked so far; they are added one by one.
        walk.selected.balance.lines_read -= lines.ends.len() as u64;
        let by_line = lines.chunk.bytes.len() as u64;
        walk.selected.balance.bytes_read -= by_line;
        walk.selected.balance.bytes_total -= if lines.chunk.streamed { by_line } else { 0 };
        // A chunk without lines is an over-long one, which may itself be the line without an end.
        let unterminated = if lines.ends.is_empty() { 0 } else { walk.selected.balance.unterminated };
        walk.selected.balance.unterminated -= unterminated;
        let mut next_close = history.next_close(history.trusted(&walk.peaks));
        let (mut walked, mut scratch) = (0, F::Scratch::default());
        each_line(lines, |text, start, end| {
            let after = (end + 1).min(text.len());
            walk.selected.balance.lines_read += 1;
            let bytes = (after - walked) as u64;
            walk.selected.balance.bytes_read += bytes;
            walk.selected.balance.bytes_total += if lines.chunk.streamed { bytes } else { 0 };
            walked = after;
            if end == text.len() {
                walk.selected.balance.unterminated += unterminated;
            }
            let moved_to = match judge.line(format, &mut scratch, text, (start, end)) {
                Verdict::Keep(record) => {
                    self.keep(&mut walk, record, (start, end));
                    record.time
                }
                Verdict::Outside(time, at) => {
                    walk.selected.balance.out_of_window += 1;
                    // Only a well-formed line moves the watermark; hosts are looked at only if this
                    // one would.
                    if !walk.peaks.takes(time) || !format.is_well_formed(&mut scratch, text, at, end) {
                        return;
                    }
                    time
                }
                other => return walk.selected.note(other, lines, (start, end), history.list),
            };
            if walk.peaks.add(moved_to)
                && let Some(watermark) = history.passed(&walk.peaks, &mut next_close)
            {
                walk.marks.push(Mark { watermark, balance: walk.selected.balance.clone() });
            }
        });
        walk.selected.remains = F::take(&mut scratch);
        walk
    }
}

impl Pass<'_> {
    /// Puts a record within the bounds in its class, and keeps it if it is of use.
    #[inline]
    fn keep(&mut self, walk: &mut Walk, record: Record, (start, end): (usize, usize)) {
        let history = self.history;
        let is_late = history.is_late(record.time, &walk.peaks);
        // A record before the first window is late: it came too late to move that window.
        if is_late && history.grid.would_cover(record.time) {
            if walk.selected.balance.late == 0 {
                walk.selected.traces.note(Loss::Late, self.lines.chunk.place_of(start, end));
            }
            walk.selected.balance.late += 1;
            let trusted = history.watermark(history.trusted(&walk.peaks)).plus(history.lateness);
            let behind = trusted.nanos().saturating_sub(record.time.nanos());
            walk.selected.traces.furthest_behind = walk.selected.traces.furthest_behind.max(behind);
            if history.list {
                walk.late.push((start, end));
            }
        } else if walk.admit(history, record.time, is_late) {
            self.records.push(record);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::runs::tests::{OneByOne, log};
    use super::super::select::tests::lines;
    use super::*;
    use crate::format::Plain;
    use crate::model::Units;
    use crate::model::time::SECOND;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_look_in_runs_finds_what_judging_line_by_line_does(
            text in log(),
            bounds in proptest::array::uniform3(-100i64..1_300),
            (length, period, first) in (1i64..300, 1i64..300, 0i64..5),
            keep_gaps: bool,
        ) {
            let [first_instant, last, future_after] = bounds.map(|at| Timestamp::from_seconds(1_700_000_000 + at));
            let grid = Grid {
                anchor: Timestamp::from_seconds(1_700_000_000),
                length: length * SECOND,
                period: period * SECOND,
                first: (first > 0).then_some(first),
            };
            let bounds = Bounds { keep_from: first_instant, first: first_instant, last, future_after };
            let history = History { bounds, grid, lateness: 9 * SECOND, max_jump: 60 * SECOND, grace: SECOND, keep_gaps, list: true };
            let lines = lines(text.as_bytes(), 40);
            let (mut records, mut simple_records) = (Vec::new(), Vec::new());
            let mut survey = history.survey(&lines, &mut records);
            let look = Look { history: &history, lines: &lines, records: &mut simple_records };
            let mut simple = look.visit(&OneByOne(Plain { units: Units::AUTO }));
            prop_assert_eq!(&records, &simple_records);
            for walk in [&mut survey.0, &mut simple] {
                let runs = std::mem::take(&mut walk.runs);
                prop_assert_eq!(runs.iter().map(|run| run.records).sum::<usize>(), records.len());
                let mut rest = &records[..];
                for run in runs {
                    let (records, behind) = rest.split_at(run.records);
                    prop_assert!(records.iter().all(|record| (run.low..=run.high).contains(&record.time)));
                    rest = behind;
                }
            }
            prop_assert_eq!(format!("{:?}", survey.0), format!("{simple:?}"));
            // Nothing came before, and nothing is late: a pass in the order of the input says the
            // same, marks aside.
            let patient = History { lateness: 10_000 * SECOND, max_jump: 0, ..history };
            let mut passed = Vec::new();
            let pass = Pass { history: &patient, lines: &lines, records: &mut passed, before: Peaks::default() };
            let walk = Walk { marks: Vec::new(), ..pass.visit(&Plain { units: Units::AUTO }) };
            prop_assert_eq!(records, passed);
            prop_assert_eq!(format!("{:?}", survey.0), format!("{walk:?}"));
        }
    }
}
