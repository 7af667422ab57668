//! Puts the batches of each input back in order, and tells each the highest stamps before it.
//!
//! Invariant: a batch is released once, after all batches before it in its input have arrived. What
//! waits here is bounded by the permits to hold chunks, and a batch that is waited for holds its
//! permit already.

use std::collections::{BTreeMap, HashMap};

use crate::batch::Chunk;
use crate::model::{InputId, Peaks};

/// The batches of all inputs that wait for one before them.
#[derive(Debug)]
pub struct Sequencer<T> {
    inputs: HashMap<InputId, Slot<T>>,
}

/// Where a batch stands among those of all inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The input.
    pub input: InputId,
    /// The number of the batch in it, from 0.
    pub number: u64,
    /// Whether none comes behind it.
    pub last: bool,
}

#[derive(Debug)]
struct Slot<T> {
    /// The number of the batch that is released next.
    next: u64,
    peaks: Peaks,
    waiting: BTreeMap<u64, Waiting<T>>,
}

#[derive(Debug)]
struct Waiting<T> {
    last: bool,
    peaks: Peaks,
    batch: T,
}

impl Place {
    /// Of the batch that is made of a chunk.
    pub fn of(chunk: &Chunk) -> Self {
        Place { input: chunk.span.input, number: chunk.number, last: chunk.last }
    }
}

impl<T> Sequencer<T> {
    /// A sequencer of inputs of which a part was read before this run, with the highest stamps in
    /// that part.
    pub fn resumed(inputs: impl IntoIterator<Item = (InputId, Peaks)>) -> Self {
        let slot = |peaks| Slot { peaks, ..Slot::default() };
        Sequencer { inputs: inputs.into_iter().map(|(input, peaks)| (input, slot(peaks))).collect() }
    }

    /// Takes a batch whose own highest stamps are `peaks`, and releases the batches that now are in
    /// order, each with the highest stamps before it.
    pub fn arrive(&mut self, place: Place, peaks: Peaks, batch: T) -> Vec<(Peaks, T)> {
        let slot = self.inputs.entry(place.input).or_default();
        slot.waiting.insert(place.number, Waiting { last: place.last, peaks, batch });
        let mut released = Vec::new();
        let mut ended = false;
        while let Some(ready) = slot.waiting.remove(&slot.next) {
            released.push((slot.peaks, ready.batch));
            slot.peaks.join(&ready.peaks);
            slot.next += 1;
            ended |= ready.last;
        }
        if ended {
            self.inputs.remove(&place.input);
        }
        released
    }
}

impl<T> Default for Sequencer<T> {
    fn default() -> Self {
        Sequencer { inputs: HashMap::new() }
    }
}

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Slot { next: 0, peaks: Peaks::default(), waiting: BTreeMap::new() }
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
                let place = Place { input: InputId(0), number: k, last: k == 11 };
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
        let released = sequencer.arrive(Place { input, number: 0, last: false }, Peaks::default(), ());
        assert_eq!(released, [(seven, ())]);
    }
}
