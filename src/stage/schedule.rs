//! Which input to read next, and who reads it.
//!
//! A worker takes an input, reads a chunk of it and puts it back before it sends the chunk on, so
//! that another may read meanwhile. With windows that repeat, the input that is furthest behind in
//! time is always read, and nobody reads beside: windows then close as early as they can, and few of
//! them are open at once.
//!
//! Invariant: an input is with one worker at a time, so its chunks are read in order. Nobody waits
//! for an input that will not come back.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::num::NonZeroUsize;
use std::sync::Arc;

use parking_lot::Mutex;

use super::bind::{Binder, BoundInput};
use crate::actor::{Exit, Inbox, Port, Stop, edge};
use crate::error::Error;
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
    waiting: Mutex<BinaryHeap<Reverse<Turn>>>,
    /// One for each of them that may be taken. It closes once the last input has ended.
    free: Inbox<()>,
    order: ReadOrder,
    inputs: usize,
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
    /// Whether nothing is read of it before all others have been: what is left may have to be
    /// skipped.
    pub unproved: bool,
    /// Where it has come to.
    frontier: Timestamp,
    /// The input.
    pub id: InputId,
    /// How far it is read.
    pub cursor: Cursor,
    /// How its lines are read now.
    pub rules: LineRules,
    /// How they are read at its beginning.
    bound: LineRules,
    /// What tells that of a stream, until it begins.
    late: Option<Arc<Binder>>,
    /// The highest of the last stamps of its chunks.
    pub peaks: Peaks,
    /// What is skipped of it, until that has proved right or wrong.
    pub pruned: Option<Pruned>,
    /// What is read of it behind the part that is read now, the next one last: from and to.
    pub parts: Vec<(u64, u64)>,
    /// Chunks of it that have been read.
    chunks: u64,
}

/// An input in the hands of one worker, or waiting for one. It has ended when this is dropped.
pub struct Turn {
    /// The input.
    pub input: OpenInput,
    /// Keeps others waiting for it.
    free: Port<()>,
}

impl Schedule {
    /// All inputs, in chunks of `chunk` bytes. Those that are pruned begin where they are found to.
    pub fn new(inputs: Vec<OpenInput>, order: ReadOrder, chunk: usize, stop: &Stop) -> Self {
        let many_files = order == ReadOrder::ByTime && inputs.len() > KEEP_OPEN;
        let first_look = order == ReadOrder::ByTime && inputs.len() > 1;
        let (port, free) = edge(NonZeroUsize::new(inputs.len()).unwrap_or(NonZeroUsize::MIN), stop);
        let at_once = if order == ReadOrder::ByTime { inputs.len().min(1) } else { inputs.len() };
        (0..at_once).for_each(|_| _ = port.try_send(()));
        let count = inputs.len();
        let waiting = inputs.into_iter().map(|mut input| {
            if let Some(Pruned { found, size, .. }) = &input.pruned {
                input.cursor.restrict(found.from, found.stop(*size));
            }
            if first_look {
                input.cursor.set_chunk(FIRST_LOOK.min(chunk));
            }
            Reverse(Turn { input, free: port.clone() })
        });
        Schedule { waiting: Mutex::new(waiting.collect()), free, order, inputs: count, many_files, chunk }
    }

    /// The input to read from next, waiting while others have all there are; `None` once the last
    /// has ended.
    pub fn next(&self) -> Result<Option<Turn>, Exit> {
        Ok(self.free.receive()?.and_then(|()| self.waiting.lock().pop()).map(|Reverse(turn)| turn))
    }

    /// Whether there was one input at the start.
    pub fn is_of_one(&self) -> bool {
        self.inputs == 1
    }

    /// Whether it matters where in time an input has come to.
    pub fn is_by_time(&self) -> bool {
        self.order == ReadOrder::ByTime
    }

    /// Puts an input back that has not ended and has come to `frontier`.
    pub fn put_back(&self, mut turn: Turn, frontier: Timestamp) {
        if self.is_by_time() {
            turn.input.cursor.set_chunk(self.chunk);
            if self.many_files {
                turn.input.cursor.rest();
            }
            turn.input.frontier = turn.input.frontier.max(frontier);
        }
        let free = turn.free.clone();
        self.waiting.lock().push(Reverse(turn));
        // There is room for as many as there are inputs.
        free.try_send(());
    }

    /// Lets go of an input that has ended.
    pub fn end(&self, turn: Turn) {
        // Nobody could read beside, so nothing else has said that others wait.
        if self.is_by_time() && !self.waiting.lock().is_empty() {
            turn.free.try_send(());
        }
    }
}

impl OpenInput {
    /// An input of which nothing has been read.
    pub fn new(id: InputId, cursor: Cursor, rules: LineRules, pruned: Option<Pruned>) -> Self {
        OpenInput {
            unproved: false,
            frontier: Timestamp::MIN,
            id,
            cursor,
            bound: rules.clone(),
            rules,
            late: None,
            peaks: Peaks::default(),
            pruned,
            parts: Vec::new(),
            chunks: 0,
        }
    }

    /// The same, of which `binder` tells how its lines are read, once it begins.
    pub fn bound_by(self, binder: Option<Arc<Binder>>) -> Self {
        OpenInput { late: binder, ..self }
    }

    /// Waits for its beginning if that is to tell how its lines are read. Gives the name of the format
    /// if people should know it; errors if the lines cannot be read.
    pub fn begin(&mut self, interrupted: &dyn Fn() -> bool) -> Result<Option<String>, Error> {
        let Some(binder) = self.late.take() else { return Ok(None) };
        let BoundInput { rules, again } = binder.bind(self.cursor.input(), interrupted)??;
        again.into_iter().for_each(|input| self.cursor.read_instead(input));
        let told = binder.told(&rules);
        (self.rules, self.bound) = (rules.clone(), rules);
        Ok(told)
    }

    /// Where in the order it stands.
    fn place(&self) -> (bool, Timestamp, InputId) {
        (self.unproved, self.frontier, self.id)
    }

    /// Goes on with the next part, if there is one.
    pub fn next_part(&mut self) -> bool {
        let Some((from, to)) = self.parts.pop() else { return false };
        self.unproved = false;
        self.rules = self.bound.clone();
        self.cursor.restrict(from, to);
        true
    }

    /// Goes on behind the part that has been read, if there is anything: with the proof that what is
    /// left may be skipped, or with the next part.
    pub fn go_on(&mut self) -> bool {
        self.unproved = self.pruned.is_some();
        self.unproved || self.next_part()
    }

    /// The number of the next chunk of this input.
    pub fn take_number(&mut self) -> u64 {
        self.chunks += 1;
        self.chunks - 1
    }
}

impl Ord for Turn {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.input.place().cmp(&other.input.place())
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
    use std::thread;
    use std::time::Duration;

    use super::*;
    use crate::source::stdin;

    fn schedule(order: ReadOrder, stop: &Stop) -> Schedule {
        let cursor = || Cursor::new(stdin(), 1, 1);
        let inputs = (0..3).map(|id| OpenInput::new(InputId(id), cursor(), LineRules::plain(1), None)).collect();
        Schedule::new(inputs, order, 1, stop)
    }

    fn id(turn: &Turn) -> u32 {
        turn.input.id.0
    }

    #[test]
    fn one_by_one_the_first_that_nobody_has_is_read() {
        let schedule = schedule(ReadOrder::OneByOne, &Stop::default());
        let (first, second) = (schedule.next().unwrap().unwrap(), schedule.next().unwrap().unwrap());
        assert_eq!((id(&first), id(&second)), (0, 1));
        schedule.put_back(first, Timestamp::from_seconds(5));
        let first = schedule.next().unwrap().unwrap();
        assert_eq!(id(&first), 0);
        schedule.end(first);
        assert_eq!(id(&schedule.next().unwrap().unwrap()), 2);
        schedule.end(second);
        assert!(schedule.next().unwrap().is_none());
    }

    #[test]
    fn what_is_not_proved_comes_behind_all_others() {
        let schedule = schedule(ReadOrder::OneByOne, &Stop::default());
        let mut first = schedule.next().unwrap().unwrap();
        first.input.unproved = true;
        schedule.put_back(first, Timestamp::MIN);
        let order: Vec<u32> = std::iter::from_fn(|| schedule.next().unwrap()).map(|turn| id(&turn)).collect();
        assert_eq!(order, [1, 2, 0]);
    }

    #[test]
    fn by_time_every_input_is_looked_at_and_then_the_one_behind_goes_on() {
        let schedule = schedule(ReadOrder::ByTime, &Stop::default());
        let mut order = Vec::new();
        for frontier in [30, 10, 20, 15, 40] {
            let turn = schedule.next().unwrap().unwrap();
            order.push(id(&turn));
            schedule.put_back(turn, Timestamp::from_seconds(frontier));
        }
        // One that has ended holds nobody back.
        while let Some(turn) = schedule.next().unwrap() {
            order.push(id(&turn));
            schedule.end(turn);
        }
        assert_eq!(order, [0, 1, 2, 1, 1, 2, 0, 1]);
    }

    #[test]
    fn whoever_finds_nothing_waits_until_an_input_is_free_or_all_have_ended_or_the_run_is_aborted() {
        for order in [ReadOrder::OneByOne, ReadOrder::ByTime] {
            let stop = Stop::default();
            let schedule = schedule(order, &stop);
            let held = match order {
                ReadOrder::OneByOne => vec![schedule.next(), schedule.next(), schedule.next()],
                // Nobody reads beside the one who reads.
                ReadOrder::ByTime => vec![schedule.next()],
            };
            let mut held: Vec<Turn> = held.into_iter().map(|turn| turn.unwrap().unwrap()).collect();
            thread::scope(|scope| {
                let waiting = scope.spawn(|| schedule.next().map(|turn| turn.map(|turn| id(&turn))));
                thread::sleep(Duration::from_millis(20));
                assert!(!waiting.is_finished());
                schedule.put_back(held.remove(0), Timestamp::MIN);
                assert_eq!(waiting.join().unwrap().unwrap(), Some(0));
                let waiting = scope.spawn(|| schedule.next().map(|turn| turn.is_none()));
                held.drain(..).for_each(|turn| schedule.end(turn));
                if order == ReadOrder::ByTime {
                    thread::sleep(Duration::from_millis(20));
                    stop.abort();
                    assert!(matches!(waiting.join().unwrap(), Err(Exit::Stopped)));
                } else {
                    assert!(waiting.join().unwrap().unwrap());
                }
            });
        }
    }
}
