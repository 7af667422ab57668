//! Which input to read next.
//!
//! With windows that repeat, a reader has one thread, which always reads the input that is furthest
//! behind in time: windows then close as early as they can, and few of them are open at once.
//!
//! Invariant: an input is with one worker at a time, so its chunks are read in order.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use parking_lot::Mutex;

use super::cursor::Cursor;
use super::seek::Found;
use crate::model::{InputId, OrderMeter, Peaks, Timestamp};

/// Open files above which a file is closed after each chunk, when many are read in turns.
const KEEP_OPEN: usize = 16;

/// Bytes of the first chunk of each of many inputs: enough to learn where in time it begins.
const FIRST_LOOK: usize = 4096;

/// The inputs that no worker is reading.
pub struct Schedule {
    waiting: Mutex<BinaryHeap<Reverse<Turn>>>,
    order: Order,
    many_files: bool,
    chunk: usize,
}

/// In which order inputs are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// One after the other, each to its end.
    OneByOne,
    /// Always the one that is furthest behind in time, so that windows can close.
    ByTime,
}

/// An input's place in the order.
pub struct Turn {
    /// Where it has come to.
    frontier: Timestamp,
    /// The input.
    pub id: InputId,
    /// How far it is read.
    pub cursor: Cursor,
    /// The highest of the last stamps of its chunks.
    pub peaks: Peaks,
    /// What is skipped of it, until that has proved right.
    pub pruned: Option<Pruned>,
    /// Chunks of it that have been read.
    chunks: u64,
}

/// An input of which some bytes are skipped.
#[derive(Debug, Clone)]
pub struct Pruned {
    /// The bytes that are read, and why.
    pub found: Found,
    /// Bytes of the input.
    pub size: u64,
    /// The declared disorder, on which that rests, in nanoseconds.
    pub disorder: i64,
    /// Where the extents of the chunks are noted, if anybody wants to know.
    pub order: Option<Arc<OrderMeter>>,
    /// Bytes of them that have been sent on.
    pub sent: u64,
}

impl Schedule {
    /// All inputs, in chunks of `chunk` bytes. Those that are pruned begin where they are found to.
    pub fn new(inputs: Vec<(InputId, Cursor, Option<Pruned>)>, order: Order, chunk: usize) -> Self {
        let many_files = order == Order::ByTime && inputs.len() > KEEP_OPEN;
        let first_look = order == Order::ByTime && inputs.len() > 1;
        let turns = inputs.into_iter().map(|(id, mut cursor, pruned)| {
            if let Some(Pruned { found, size, .. }) = &pruned {
                cursor.restrict(found.from, found.stop(*size));
            }
            if first_look {
                cursor.set_chunk(FIRST_LOOK.min(chunk));
            }
            Reverse(Turn { frontier: Timestamp::MIN, id, cursor, peaks: Peaks::default(), pruned, chunks: 0 })
        });
        Schedule { waiting: Mutex::new(turns.collect()), order, many_files, chunk }
    }

    /// The input to read from next; `None` if other workers have the rest.
    pub fn next(&self) -> Option<Turn> {
        self.waiting.lock().pop().map(|Reverse(turn)| turn)
    }

    /// Whether it matters where in time an input has come to.
    pub fn is_by_time(&self) -> bool {
        self.order == Order::ByTime
    }

    /// Puts an input back that has not ended and has come to `frontier`, and gives the next one to
    /// read.
    pub fn swap(&self, mut turn: Turn, frontier: Timestamp) -> Option<Turn> {
        if self.order == Order::OneByOne {
            return Some(turn);
        }
        turn.cursor.set_chunk(self.chunk);
        if self.many_files {
            turn.cursor.rest();
        }
        turn.frontier = turn.frontier.max(frontier);
        let mut waiting = self.waiting.lock();
        waiting.push(Reverse(turn));
        waiting.pop().map(|Reverse(turn)| turn)
    }
}

impl Turn {
    /// The number of the next chunk of this input.
    pub fn take_number(&mut self) -> u64 {
        self.chunks += 1;
        self.chunks - 1
    }
}

impl Ord for Turn {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.frontier, self.id).cmp(&(other.frontier, other.id))
    }
}

impl PartialOrd for Turn {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Turn {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Turn {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Input;

    fn schedule(order: Order) -> Schedule {
        let inputs = (0..3).map(|id| (InputId(id), Cursor::new(Input::stdin(), 1, 1), None)).collect();
        Schedule::new(inputs, order, 1)
    }

    #[test]
    fn one_by_one_stays_with_an_input() {
        let schedule = schedule(Order::OneByOne);
        let first = schedule.next().unwrap();
        assert_eq!(first.id, InputId(0));
        assert_eq!(schedule.swap(first, Timestamp::from_seconds(5)).unwrap().id, InputId(0));
    }

    #[test]
    fn by_time_every_input_is_looked_at_and_then_the_one_behind_goes_on() {
        let schedule = schedule(Order::ByTime);
        let mut turn = schedule.next().unwrap();
        let mut order = vec![turn.id.0];
        for frontier in [30, 10, 20, 15, 40] {
            turn = schedule.swap(turn, Timestamp::from_seconds(frontier)).unwrap();
            order.push(turn.id.0);
        }
        assert_eq!(order, [0, 1, 2, 1, 1, 2]);
    }
}
