//! Puts the batches of each input back in order: for whoever closes windows on the way, tells time
//! by what came before, or counts no further than a position says.
//!
//! Invariant: a batch is released once, after all batches before it in its input have arrived. What
//! waits here is bounded by the permits to hold chunks, and a batch that is waited for holds its
//! permit already.

use std::collections::{BTreeMap, HashMap};

use crate::batch::Chunk;
use crate::model::{InputId, Peaks};

/// The batches of one input that wait for one before them.
#[derive(Debug)]
pub struct InOrder<T> {
    /// The number of the batch that is released next.
    next: u64,
    waiting: BTreeMap<u64, T>,
}

/// The same of all inputs, with the highest stamps that were released of each.
#[derive(Debug)]
pub struct Sequencer<T> {
    inputs: HashMap<InputId, Sequence<T>>,
}

/// Where a batch stands among those of all inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchPlace {
    /// The input.
    pub input: InputId,
    /// The number of the batch in it, from 0.
    pub number: u64,
    /// Whether none comes behind it.
    pub last: bool,
}

/// The batches of one input, and what is known of those before them.
#[derive(Debug)]
struct Sequence<T> {
    peaks: Peaks,
    batches: InOrder<(Peaks, bool, T)>,
}

impl BatchPlace {
    /// Of the batch that is made of a chunk.
    pub fn of(chunk: &Chunk) -> Self {
        BatchPlace { input: chunk.span.input, number: chunk.number, last: chunk.last }
    }
}

impl<T> InOrder<T> {
    /// Takes the batch of this number.
    pub fn arrive(&mut self, number: u64, batch: T) {
        self.waiting.insert(number, batch);
    }

    /// Releases the next batch, if it has arrived.
    pub fn release(&mut self) -> Option<T> {
        let ready = self.waiting.remove(&self.next)?;
        self.next += 1;
        Some(ready)
    }

    /// Whether none waits for one before it.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

impl<T> Sequencer<T> {
    /// A sequencer of inputs of which a part was read before this run, with the highest stamps in
    /// that part.
    pub fn resumed(inputs: impl IntoIterator<Item = (InputId, Peaks)>) -> Self {
        let sequence = |peaks| Sequence { peaks, ..Sequence::default() };
        Sequencer { inputs: inputs.into_iter().map(|(input, peaks)| (input, sequence(peaks))).collect() }
    }

    /// Takes a batch whose own highest stamps are `peaks`, and releases the batches that now are in
    /// order, each with the highest stamps before it.
    pub fn arrive(&mut self, place: BatchPlace, peaks: Peaks, batch: T) -> Vec<(Peaks, T)> {
        let sequence = self.inputs.entry(place.input).or_default();
        sequence.batches.arrive(place.number, (peaks, place.last, batch));
        let mut released = Vec::new();
        let mut ended = false;
        while let Some((peaks, last, batch)) = sequence.batches.release() {
            released.push((sequence.peaks, batch));
            sequence.peaks.join(&peaks);
            ended |= last;
        }
        if ended {
            self.inputs.remove(&place.input);
        }
        released
    }
}

impl<T> Default for InOrder<T> {
    fn default() -> Self {
        InOrder { next: 0, waiting: BTreeMap::new() }
    }
}

impl<T> Default for Sequencer<T> {
    fn default() -> Self {
        Sequencer { inputs: HashMap::new() }
    }
}

impl<T> Default for Sequence<T> {
    fn default() -> Self {
        Sequence { peaks: Peaks::default(), batches: InOrder::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;
    use proptest::prelude::*;

    fn peaks(stamps: impl IntoIterator<Item = Timestamp>) -> Peaks {
        let mut peaks = Peaks::default();
        stamps.into_iter().for_each(|stamp| {
            peaks.add(stamp);
        });
        peaks
    }

    proptest! {
        #[test]
        fn any_order_of_arrival_is_released_in_order(order in Just((0..12u64).collect::<Vec<_>>()).prop_shuffle()) {
            let mut sequencer = Sequencer::default();
            let stamp = |k: u64| Timestamp::from_seconds([3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8][k as usize]);
            let mut released = Vec::new();
            for k in order {
                let place = BatchPlace { input: InputId(0), number: k, last: k == 11 };
                released.extend(sequencer.arrive(place, peaks([stamp(k)]), k));
            }
            prop_assert_eq!(released.len(), 12);
            for (at, (before, k)) in released.into_iter().enumerate() {
                prop_assert_eq!(k, at as u64);
                prop_assert_eq!(before, peaks((0..k).map(stamp)));
            }
            prop_assert!(sequencer.inputs.is_empty(), "an input that has ended is forgotten");
        }
    }

    #[test]
    fn an_input_that_is_read_on_remembers_its_highest_stamps() {
        let (input, seven) = (InputId(4), peaks([Timestamp::from_seconds(7)]));
        let mut sequencer = Sequencer::resumed([(input, seven)]);
        let released = sequencer.arrive(BatchPlace { input, number: 0, last: false }, Peaks::default(), ());
        assert_eq!(released, [(seven, ())]);
    }
}
