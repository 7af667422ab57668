//! How far each input is counted: the ledger, the watermark, and the balance sheet at any window's
//! end.
//!
//! Batches may be applied in any order; what is said here speaks of the part of each input without
//! a gap. Invariant: a watermark covers only what has been applied, so a window below it holds all
//! its records.

mod position;
mod record;
mod sound;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub use position::Position;
pub use record::ProgressRecord;
pub use sound::LAST_BYTE;

use super::sequence::InOrder;
use crate::batch::{Chunk, Mark, Records};
use crate::error::{ErrorKind, Result};
use crate::model::balance::{Rejected, SHOWN_REJECTED};
use crate::model::{Balance, InputId, Ledger, Peaks, Span, Timestamp, Traces};

/// The progress of one aggregator.
pub struct CountProgress {
    /// Whether batches of an input are put in order, since windows close on the way.
    in_order: bool,
    /// Whether more may always come, even when every input that is known has ended.
    goes_on: bool,
    inputs: BTreeMap<InputId, InputProgress>,
    /// The watermarks of the inputs that have not ended and are not idle, lowest first.
    live: BTreeSet<(Timestamp, InputId)>,
    ledger: Ledger,
    /// Of those in the ledger, the spans that were not read.
    skipped: Ledger,
    /// What inputs have added that have ended and are forgotten.
    past: Balance,
    /// Records of them that had run ahead of all others.
    past_ahead: u64,
    total: Balance,
    rejected: Vec<Rejected>,
    traces: Traces,
    extent: Option<(Timestamp, Timestamp)>,
    /// The highest watermark of any input.
    highest: Timestamp,
    /// Inputs that were forgotten and have not been asked for.
    forgotten: Vec<InputId>,
}

#[derive(Default)]
struct InputProgress {
    position: Position,
    /// Batches applied beyond a gap wait here.
    batches: InOrder<AppliedBatch>,
}

/// What of a batch that is applied is not to be seen before those before it are.
struct AppliedBatch {
    /// Held until all before it has been applied, so that no more than the permits allow can pile
    /// up behind a worker that is slow.
    chunk: Arc<Chunk>,
    watermark: Timestamp,
    at_rest: Timestamp,
    peaks: Peaks,
    ahead: u64,
    balance: Balance,
    marks: Vec<Mark>,
}

impl CountProgress {
    /// No progress yet on these inputs. Only with `in_order` are there watermarks, and sheets at
    /// the ends of windows.
    pub fn new(inputs: impl IntoIterator<Item = InputId>, in_order: bool) -> Self {
        let mut progress = CountProgress {
            in_order,
            goes_on: false,
            inputs: BTreeMap::new(),
            live: BTreeSet::new(),
            ledger: Ledger::default(),
            skipped: Ledger::default(),
            past: Balance::default(),
            past_ahead: 0,
            total: Balance::default(),
            rejected: Vec::new(),
            traces: Traces::default(),
            extent: None,
            highest: Timestamp::MIN,
            forgotten: Vec::new(),
        };
        inputs.into_iter().for_each(|input| progress.register(input));
        progress
    }

    /// CountProgress on inputs that are followed: others may always come, and those that have ended
    /// are forgotten.
    pub fn following(saved: Option<ProgressRecord>) -> Result<Self> {
        let mut progress = CountProgress { goes_on: true, ..CountProgress::new([], true) };
        let Some(saved) = saved else { return Ok(progress) };
        for (input, mut position) in saved.inputs.clone() {
            progress.ledger.add(Span { input, from: 0, to: position.next }).map_err(twice)?;
            // It may have been written to since: it is idle once that has been looked up.
            position.idle = false;
            if !position.rests() {
                progress.live.insert((position.watermark, input));
            }
            progress.inputs.insert(input, InputProgress { position, ..InputProgress::default() });
        }
        // Which losses came first is told of each run by itself.
        (progress.total, progress.past) = (saved.balance(), saved.past);
        (progress.extent, progress.highest, progress.past_ahead) = (saved.extent, saved.highest, saved.past_ahead);
        Ok(progress)
    }

    /// What there is to save. Only while no batch has been applied beyond a gap.
    pub fn saved(&self) -> ProgressRecord {
        debug_assert!(self.inputs.values().all(|input| input.batches.is_empty()));
        ProgressRecord {
            inputs: self.inputs.iter().map(|(&id, input)| (id, input.position.clone())).collect(),
            past: self.past.clone(),
            past_ahead: self.past_ahead,
            total: self.total.clone(),
            rejected: self.rejected.clone(),
            traces: self.traces.clone(),
            extent: self.extent,
            highest: self.highest,
            unknown_losses: self.total.unknown_losses,
            results_dropped: self.total.results_dropped,
        }
    }

    /// Notes an input of which nothing has been read yet, so that it holds back all windows.
    pub fn register(&mut self, input: InputId) {
        if let std::collections::btree_map::Entry::Vacant(new) = self.inputs.entry(input) {
            self.live.insert((new.insert(InputProgress::default()).position.watermark, input));
        }
    }

    /// Notes that nothing more will come except what is on its way.
    pub fn ends(&mut self) {
        self.goes_on = false;
    }

    /// Notes that a batch has been tallied. Errors if any of its bytes were before.
    pub fn applied(&mut self, batch: &Records) -> Result<()> {
        let span = batch.chunk.span;
        self.ledger.add(span).map_err(twice)?;
        if batch.balance.bytes_skipped > 0 {
            self.skipped.add(span).map_err(twice)?;
        }
        self.total += &batch.balance;
        self.show(&batch.rejected);
        self.traces.merge(&batch.traces);
        batch.chunk.note_losses(&mut self.traces);
        if let Some((low, high)) = batch.extent {
            let (known_low, known_high) = self.extent.unwrap_or((low, high));
            self.extent = Some((known_low.min(low), known_high.max(high)));
        }
        if !self.in_order {
            return Ok(());
        }
        let applied = AppliedBatch {
            chunk: Arc::clone(&batch.chunk),
            watermark: batch.watermark,
            at_rest: batch.at_rest,
            peaks: batch.peaks,
            ahead: batch.ahead,
            balance: batch.balance.clone(),
            marks: batch.marks.clone(),
        };
        self.register(span.input);
        if let Some(input) = self.inputs.get_mut(&span.input) {
            let before = input.position.watermark;
            input.apply(batch.chunk.number, applied);
            let after = &input.position;
            self.highest = self.highest.max(if after.rests() { after.at_rest } else { after.watermark });
            self.live.remove(&(before, span.input));
            if !after.rests() {
                self.live.insert((after.watermark, span.input));
            }
        }
        Ok(())
    }

    /// Moves this many records of an applied batch from those that count to those that are late,
    /// since all their windows had closed.
    pub fn came_late(&mut self, input: InputId, records: u64) {
        let mine = self.inputs.get_mut(&input).map(|input| &mut input.position.balance);
        for balance in mine.into_iter().chain([&mut self.total]) {
            balance.counted -= records;
            balance.late += records;
        }
    }

    /// The watermark: the lowest over inputs that have not ended and are not idle. Once all inputs
    /// have ended, none holds back a window; where more may come, the highest watermark of all
    /// stands.
    pub fn watermark(&self) -> Timestamp {
        let none = if self.goes_on || self.inputs.values().any(|input| !input.position.ended) {
            self.highest
        } else {
            Timestamp::MAX
        };
        self.live.first().map_or(none, |&(watermark, _)| watermark)
    }

    /// The sheet up to the lines at which each input's watermark reached `end`. Ends have to be
    /// asked for in order.
    pub fn balance_at(&mut self, end: Timestamp) -> Balance {
        let mut sheet = self.past.clone();
        let mut done = Vec::new();
        for (&id, input) in &mut self.inputs {
            sheet += input.position.balance_at(end);
            if self.goes_on && input.position.ended && input.position.marks.is_empty() {
                done.push(id);
            }
        }
        for id in done {
            if let Some(input) = self.inputs.remove(&id) {
                self.past += &input.position.balance;
                self.past_ahead += input.position.ahead;
                self.ledger.forget(id);
                self.forgotten.push(id);
            }
        }
        // These losses have no place in time.
        sheet.unknown_losses = self.total.unknown_losses;
        sheet.results_dropped = self.total.results_dropped;
        sheet
    }

    /// The inputs that have ended and of which nothing is needed any more, each once.
    pub fn forgotten(&mut self) -> Vec<InputId> {
        std::mem::take(&mut self.forgotten)
    }

    /// The sheet of all that has been applied.
    pub fn balance(&self) -> &Balance {
        &self.total
    }

    /// The first malformed lines by input and position.
    pub fn rejected(&self) -> &[Rejected] {
        &self.rejected
    }

    /// The lowest and the highest stamp that count, of everything applied so far.
    pub fn extent(&self) -> Option<(Timestamp, Timestamp)> {
        self.extent
    }

    /// How many inputs are known, except those that have ended and are done with.
    pub fn inputs(&self) -> usize {
        self.inputs.len()
    }

    /// The highest stamp of any record that is not in the future, in the windows or before them.
    pub fn highest_stamp(&self) -> Option<Timestamp> {
        self.inputs.values().filter_map(|input| input.position.peaks.highest()).max()
    }

    /// Records that lie further ahead of all others of their input than is believed of a few.
    pub fn ahead(&self) -> u64 {
        self.past_ahead + self.inputs.values().map(|input| input.position.ahead).sum::<u64>()
    }

    /// What is known of losses other than malformed lines.
    pub fn traces(&self) -> &Traces {
        &self.traces
    }

    /// Notes what is known of a loss that no batch tells of.
    pub fn note(&mut self, traces: &Traces) {
        self.traces.merge(traces);
    }

    /// Notes results that were dropped.
    pub fn results_dropped(&mut self, results: u64) {
        self.past.results_dropped += results;
        self.total.results_dropped += results;
    }

    /// The spans that have been tallied.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Of those, the spans that were not read, as they cannot hold the window.
    pub fn skipped(&self) -> &Ledger {
        &self.skipped
    }

    fn show(&mut self, rejected: &[Rejected]) {
        if rejected.is_empty() {
            return;
        }
        self.rejected.extend_from_slice(rejected);
        self.rejected.sort_by_key(|line| (line.input, line.at));
        self.rejected.truncate(SHOWN_REJECTED);
    }
}

fn twice(span: Span) -> ErrorKind {
    ErrorKind::Unbalanced(format!("bytes {} to {} of input {} came twice", span.from, span.to, span.input.0))
}

impl InputProgress {
    fn apply(&mut self, number: u64, applied: AppliedBatch) {
        self.batches.arrive(number, applied);
        while let Some(applied) = self.batches.release() {
            let position = &mut self.position;
            for mark in applied.marks {
                let mut balance = position.balance.clone();
                balance += &mark.balance;
                position.marks.push_back(Mark { watermark: mark.watermark, balance });
            }
            position.balance += &applied.balance;
            position.watermark = position.watermark.max(applied.watermark);
            position.at_rest = position.at_rest.max(applied.at_rest);
            (position.peaks, position.ahead) = (applied.peaks, applied.ahead);
            position.ended |= applied.chunk.last;
            position.next = applied.chunk.span.to;
            position.idle = applied.chunk.live.is_some_and(|live| live.idle);
            if let Some(live) = &applied.chunk.live {
                position.tail = live.tail;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::Live;
    use crate::format::LineRules;
    use crate::model::Guard;

    fn batch(input: u32, number: u64, (from, to): (u64, u64), watermark: i64, idle: bool, last: bool) -> Records {
        let live = Live { tail: Guard { bytes: 1, hash: to }, idle, future_after: Timestamp::MAX };
        Records {
            chunk: Arc::new(Chunk {
                span: Span { input: InputId(input), from, to },
                number,
                bytes: Vec::new().into(),
                oversized: None,
                rules: LineRules::plain(100),
                balance: Balance::default(),
                streamed: false,
                order: None,
                last,
                unseen: false,
                live: Some(live),
                guard: None,
            }),
            text: Vec::new(),
            records: Vec::new().into(),
            balance: Balance { lines_read: to - from, ..Balance::default() },
            traces: Traces::default(),
            rejected: Vec::new(),
            marks: Vec::new(),
            watermark: Timestamp::from_seconds(watermark),
            at_rest: Timestamp::from_seconds(watermark),
            peaks: Peaks::default(),
            ahead: 0,
            extent: None,
        }
    }

    #[test]
    fn bytes_that_come_twice_end_the_run() {
        let mut progress = CountProgress::new([InputId(0)], true);
        progress.applied(&batch(0, 0, (0, 10), 0, false, false)).unwrap();
        let error = progress.applied(&batch(0, 1, (9, 20), 0, false, false)).unwrap_err().to_string();
        assert!(error.contains("bytes 9 to 20 of input 0 came twice"), "{error}");
    }

    #[test]
    fn c6_an_idle_input_holds_nothing_back_until_it_goes_on() {
        let mut progress = CountProgress::following(None).unwrap();
        progress.register(InputId(0));
        progress.applied(&batch(1, 0, (0, 10), 50, false, false)).unwrap();
        assert_eq!(progress.watermark(), Timestamp::MIN);
        progress.applied(&batch(0, 0, (0, 10), 20, false, false)).unwrap();
        assert_eq!(progress.watermark(), Timestamp::from_seconds(20));
        progress.applied(&batch(0, 1, (10, 10), 20, true, false)).unwrap();
        assert_eq!(progress.watermark(), Timestamp::from_seconds(50));
        // When all are idle, the one that has come furthest stands: time goes on only with what is
        // written.
        progress.applied(&batch(1, 1, (10, 10), 50, true, false)).unwrap();
        assert_eq!(progress.watermark(), Timestamp::from_seconds(50));
        progress.applied(&batch(0, 2, (10, 20), 30, false, false)).unwrap();
        assert_eq!(progress.watermark(), Timestamp::from_seconds(30));
    }

    #[test]
    fn stamps_that_have_run_ahead_count_once_their_input_is_idle_or_has_ended() {
        for (idle, last) in [(true, false), (false, true)] {
            let mut progress = CountProgress::following(None).unwrap();
            let at_rest = Timestamp::from_seconds(900);
            progress.applied(&Records { at_rest, ..batch(0, 0, (0, 10), 50, false, false) }).unwrap();
            assert_eq!(progress.watermark(), Timestamp::from_seconds(50));
            progress.applied(&Records { at_rest, ..batch(0, 1, (10, 10), 50, idle, last) }).unwrap();
            assert_eq!(progress.watermark(), at_rest);
        }
    }

    #[test]
    fn d21_inputs_that_have_ended_are_forgotten_and_their_lines_are_not() {
        let mut progress = CountProgress::following(None).unwrap();
        for input in 0..1000 {
            progress.applied(&batch(input, 0, (0, 10), 50, false, true)).unwrap();
            let sheet = progress.balance_at(Timestamp::from_seconds(40));
            assert_eq!(sheet.lines_read, 10 * (u64::from(input) + 1));
            assert_eq!(progress.forgotten(), [InputId(input)]);
        }
        assert_eq!((progress.inputs.len(), progress.ledger.bytes()), (0, 0));
        assert_eq!(progress.watermark(), Timestamp::from_seconds(50));
        progress.ends();
        assert_eq!(progress.watermark(), Timestamp::MAX);
    }

    #[test]
    fn what_is_saved_is_what_goes_on() {
        let mut progress = CountProgress::following(None).unwrap();
        progress.applied(&batch(3, 0, (0, 10), 50, false, false)).unwrap();
        progress.applied(&batch(4, 0, (0, 7), 70, true, false)).unwrap();
        let saved = progress.saved();
        let mut again = CountProgress::following(Some(saved.clone())).unwrap();
        assert_eq!(again.saved().inputs[0], saved.inputs[0]);
        assert_eq!(again.saved().balance(), saved.balance());
        assert_eq!(again.watermark(), Timestamp::from_seconds(50));
        assert_eq!(again.ledger().frontier(InputId(4)), 7);
        assert!(again.applied(&batch(4, 0, (6, 9), 70, false, false)).is_err(), "bytes that were saved come twice");
    }
}
