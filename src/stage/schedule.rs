//! Which input to read next.
//!
//! With windows that repeat, a reader has one thread, which always reads the input that is furthest
//! behind in time: windows then close as early as they can, and few of them are open at once.
//!
//! Invariant: an input is with one worker at a time, so its chunks are read in order.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use parking_lot::Mutex;

use crate::format::LineRules;
use crate::model::{InputId, Peaks, Timestamp};
use crate::source::{Cursor, Pruned};

/// The most files that stay open when many are read in turns; beyond that, each is closed after
/// each chunk.
const KEEP_OPEN: usize = 16;

/// Bytes of the first chunk of each of many inputs: enough to learn where in time it begins.
const FIRST_LOOK: usize = 4096;

/// The inputs that no worker is reading.
pub struct Schedule {
    waiting: Mutex<BinaryHeap<Reverse<OpenInput>>>,
    order: ReadOrder,
    many_files: bool,
    chunk: usize,
}

/// In which order inputs are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadOrder {
    /// One after the other, each to its end.
    OneByOne,
    /// Always the one that is furthest behind in time, so that windows can close.
    ByTime,
}

/// An input that is being read, and its place in the order.
pub struct OpenInput {
    /// Where it has come to.
    frontier: Timestamp,
    /// The input.
    pub id: InputId,
    /// How far it is read.
    pub cursor: Cursor,
    /// How its lines are read.
    pub rules: LineRules,
    /// The highest of the last stamps of its chunks.
    pub peaks: Peaks,
    /// What is skipped of it, until that has proved right.
    pub pruned: Option<Pruned>,
    /// Chunks of it that have been read.
    chunks: u64,
}

impl Schedule {
    /// All inputs, in chunks of `chunk` bytes. Those that are pruned begin where they are found to.
    pub fn new(inputs: Vec<OpenInput>, order: ReadOrder, chunk: usize) -> Self {
        let many_files = order == ReadOrder::ByTime && inputs.len() > KEEP_OPEN;
        let first_look = order == ReadOrder::ByTime && inputs.len() > 1;
        let waiting = inputs.into_iter().map(|mut input| {
            if let Some(Pruned { found, size, .. }) = &input.pruned {
                input.cursor.restrict(found.from, found.stop(*size));
            }
            if first_look {
                input.cursor.set_chunk(FIRST_LOOK.min(chunk));
            }
            Reverse(input)
        });
        Schedule { waiting: Mutex::new(waiting.collect()), order, many_files, chunk }
    }

    /// The input to read from next; `None` if other workers have the rest.
    pub fn next(&self) -> Option<OpenInput> {
        self.waiting.lock().pop().map(|Reverse(input)| input)
    }

    /// Whether it matters where in time an input has come to.
    pub fn is_by_time(&self) -> bool {
        self.order == ReadOrder::ByTime
    }

    /// Puts an input back that has not ended and has come to `frontier`, and gives the next one to
    /// read.
    pub fn swap(&self, mut input: OpenInput, frontier: Timestamp) -> Option<OpenInput> {
        if self.order == ReadOrder::OneByOne {
            return Some(input);
        }
        input.cursor.set_chunk(self.chunk);
        if self.many_files {
            input.cursor.rest();
        }
        input.frontier = input.frontier.max(frontier);
        let mut waiting = self.waiting.lock();
        waiting.push(Reverse(input));
        waiting.pop().map(|Reverse(input)| input)
    }
}

impl OpenInput {
    /// An input of which nothing has been read.
    pub fn new(id: InputId, cursor: Cursor, rules: LineRules, pruned: Option<Pruned>) -> Self {
        let (frontier, peaks) = (Timestamp::MIN, Peaks::default());
        OpenInput { frontier, id, cursor, rules, peaks, pruned, chunks: 0 }
    }

    /// The number of the next chunk of this input.
    pub fn take_number(&mut self) -> u64 {
        self.chunks += 1;
        self.chunks - 1
    }
}

impl Ord for OpenInput {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.frontier, self.id).cmp(&(other.frontier, other.id))
    }
}

impl PartialOrd for OpenInput {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for OpenInput {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for OpenInput {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::stdin;

    fn schedule(order: ReadOrder) -> Schedule {
        let cursor = || Cursor::new(stdin(), 1, 1);
        let inputs = (0..3).map(|id| OpenInput::new(InputId(id), cursor(), LineRules::plain(1), None)).collect();
        Schedule::new(inputs, order, 1)
    }

    #[test]
    fn one_by_one_stays_with_an_input() {
        let schedule = schedule(ReadOrder::OneByOne);
        let first = schedule.next().unwrap();
        assert_eq!(first.id, InputId(0));
        assert_eq!(schedule.swap(first, Timestamp::from_seconds(5)).unwrap().id, InputId(0));
    }

    #[test]
    fn by_time_every_input_is_looked_at_and_then_the_one_behind_goes_on() {
        let schedule = schedule(ReadOrder::ByTime);
        let mut input = schedule.next().unwrap();
        let mut order = vec![input.id.0];
        for frontier in [30, 10, 20, 15, 40] {
            input = schedule.swap(input, Timestamp::from_seconds(frontier)).unwrap();
            order.push(input.id.0);
        }
        assert_eq!(order, [0, 1, 2, 1, 1, 2]);
    }
}
