//! How far each input is counted: the ledger, the watermark, and the balance sheet at any window's end.
//!
//! Batches may be applied in any order; what is said here speaks of the part of each input without a gap.
//! Invariant: a watermark covers only what has been applied, so a window below it holds all its records.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use crate::error::{ErrorKind, Result};
use crate::model::balance::{Rejected, SHOWN_REJECTED};
use crate::model::{Balance, Chunk, InputId, Ledger, Mark, Records, Timestamp};

/// The progress of one aggregator.
pub struct Progress {
    /// Whether batches of an input are put in order, since windows close on the way.
    in_order: bool,
    inputs: BTreeMap<InputId, InputProgress>,
    /// The watermarks of the inputs that have not ended, lowest first.
    live: BTreeSet<(Timestamp, InputId)>,
    ledger: Ledger,
    total: Balance,
    rejected: Vec<Rejected>,
    extent: Option<(Timestamp, Timestamp)>,
}

struct InputProgress {
    /// The byte up to which the input is applied without a gap.
    next: u64,
    ended: bool,
    watermark: Timestamp,
    /// What the input added to the sheet up to `next`.
    balance: Balance,
    /// Marks up to `next`, with the input's sheet at each, until their windows are closed.
    marks: VecDeque<Mark>,
    /// Batches applied beyond a gap.
    waiting: BTreeMap<u64, Step>,
}

struct Step {
    /// Held until all before it has been applied, so that no more than the permits allow can pile up behind a worker that
    /// is slow.
    _chunk: Arc<Chunk>,
    to: u64,
    last: bool,
    watermark: Timestamp,
    balance: Balance,
    marks: Vec<Mark>,
}

impl Progress {
    /// No progress yet on these inputs. Only with `in_order` are there watermarks, and sheets at the ends of windows.
    pub fn new(inputs: impl IntoIterator<Item = InputId>, in_order: bool) -> Self {
        let inputs: BTreeMap<_, _> = inputs.into_iter().map(|input| (input, InputProgress::default())).collect();
        let live = inputs.iter().map(|(&id, input)| (input.watermark, id)).collect();
        Progress {
            in_order,
            inputs,
            live,
            ledger: Ledger::default(),
            total: Balance::default(),
            rejected: Vec::new(),
            extent: None,
        }
    }

    /// Notes that a batch has been tallied. Errors if any of its bytes were before.
    pub fn applied(&mut self, batch: &Records) -> Result<()> {
        let span = batch.chunk.span;
        self.ledger.add(span).map_err(|span| {
            ErrorKind::Unbalanced(format!("bytes {} to {} of input {} came twice", span.from, span.to, span.input.0))
        })?;
        self.total += &batch.balance;
        self.show(&batch.rejected);
        if let Some((low, high)) = batch.extent {
            let (known_low, known_high) = self.extent.unwrap_or((low, high));
            self.extent = Some((known_low.min(low), known_high.max(high)));
        }
        if !self.in_order {
            return Ok(());
        }
        let step = Step {
            _chunk: Arc::clone(&batch.chunk),
            to: span.to,
            last: batch.chunk.last,
            watermark: batch.watermark,
            balance: batch.balance.clone(),
            marks: batch.marks.clone(),
        };
        let input = self.inputs.entry(span.input).or_default();
        let before = input.watermark;
        input.apply(span.from, step);
        if input.ended || input.watermark != before {
            self.live.remove(&(before, span.input));
        }
        if !input.ended {
            self.live.insert((input.watermark, span.input));
        }
        Ok(())
    }

    /// The watermark: the lowest over inputs that have not ended, the highest of all once all have.
    pub fn watermark(&self) -> Timestamp {
        self.live.first().map_or(Timestamp::MAX, |&(watermark, _)| watermark)
    }

    /// The sheet up to the lines at which each input's watermark reached `end`. Ends have to be asked for in order.
    pub fn balance_at(&mut self, end: Timestamp) -> Balance {
        let mut sheet = Balance::default();
        for input in self.inputs.values_mut() {
            sheet += input.balance_at(end);
        }
        sheet
    }

    /// The sheet of all that has been applied.
    pub fn balance(&self) -> &Balance {
        &self.total
    }

    /// The first malformed lines by input and position.
    pub fn rejected(&self) -> &[Rejected] {
        &self.rejected
    }

    /// The lowest and the highest stamp that count, of all that has been applied.
    pub fn extent(&self) -> Option<(Timestamp, Timestamp)> {
        self.extent
    }

    /// The spans that have been tallied.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
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

impl InputProgress {
    fn apply(&mut self, from: u64, step: Step) {
        self.waiting.insert(from, step);
        while let Some(step) = self.waiting.remove(&self.next) {
            for mark in step.marks {
                let mut balance = self.balance.clone();
                balance += &mark.balance;
                self.marks.push_back(Mark { watermark: mark.watermark, balance });
            }
            self.balance += &step.balance;
            self.watermark = self.watermark.max(step.watermark);
            self.ended |= step.last;
            self.next = step.to;
        }
    }

    fn balance_at(&mut self, end: Timestamp) -> &Balance {
        while self.marks.front().is_some_and(|mark| mark.watermark < end) {
            self.marks.pop_front();
        }
        // An input that ended before it got there has given all that it has.
        self.marks.front().map_or(&self.balance, |mark| &mark.balance)
    }
}

impl Default for InputProgress {
    fn default() -> Self {
        InputProgress {
            next: 0,
            ended: false,
            watermark: Timestamp::MIN,
            balance: Balance::default(),
            marks: VecDeque::new(),
            waiting: BTreeMap::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Span;

    #[test]
    fn bytes_that_come_twice_end_the_run() {
        let batch = |from, to| Records {
            chunk: Arc::new(Chunk {
                span: Span { input: InputId(0), from, to },
                bytes: Vec::new().into(),
                oversized: None,
                max_line: 100,
                balance: Balance::default(),
                streamed: false,
                order: None,
                unit: None,
                last: false,
                guard: None,
            }),
            records: Vec::new().into(),
            balance: Balance::default(),
            rejected: Vec::new(),
            marks: Vec::new(),
            watermark: Timestamp::MIN,
            extent: None,
        };
        let mut progress = Progress::new([InputId(0)], true);
        progress.applied(&batch(0, 10)).unwrap();
        let error = progress.applied(&batch(9, 20)).unwrap_err().to_string();
        assert!(error.contains("bytes 9 to 20 of input 0 came twice"), "{error}");
    }
}
