//! Puts the batches of each input back in order, and tells each the highest stamp before it.
//!
//! Invariant: a batch is released once, after all batches before it in its input have arrived. What waits here is
//! bounded by the permits to hold chunks, and a batch that is waited for holds its permit already.

use std::collections::{BTreeMap, HashMap};

use crate::model::{InputId, Span, Timestamp};

/// The batches of all inputs that wait for one before them.
#[derive(Debug)]
pub struct Sequencer<T> {
    inputs: HashMap<InputId, Slot<T>>,
}

#[derive(Debug)]
struct Slot<T> {
    /// The byte at which the next batch begins.
    next: u64,
    highest: Option<Timestamp>,
    waiting: BTreeMap<u64, Waiting<T>>,
}

#[derive(Debug)]
struct Waiting<T> {
    to: u64,
    highest: Option<Timestamp>,
    batch: T,
}

impl<T> Sequencer<T> {
    /// Takes a batch whose own highest stamp is `highest`, and releases the batches that now are in order, each with
    /// the highest stamp before it.
    pub fn arrive(&mut self, span: Span, highest: Option<Timestamp>, batch: T) -> Vec<(Option<Timestamp>, T)> {
        let slot = self.inputs.entry(span.input).or_default();
        slot.waiting.insert(span.from, Waiting { to: span.to, highest, batch });
        let mut released = Vec::new();
        while let Some(ready) = slot.waiting.remove(&slot.next) {
            released.push((slot.highest, ready.batch));
            slot.highest = slot.highest.max(ready.highest);
            slot.next = ready.to;
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
        Slot { next: 0, highest: None, waiting: BTreeMap::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_order_of_arrival_is_released_in_order(order in Just((0..12u64).collect::<Vec<_>>()).prop_shuffle()) {
            let mut sequencer = Sequencer::default();
            let stamp = |k: u64| Timestamp::from_seconds([3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8][k as usize]);
            let mut released = Vec::new();
            for k in order {
                let span = Span { input: InputId(0), from: k * 10, to: k * 10 + 10 };
                released.extend(sequencer.arrive(span, Some(stamp(k)), k));
            }
            prop_assert_eq!(released.len(), 12);
            for (at, (before, k)) in released.into_iter().enumerate() {
                prop_assert_eq!(k, at as u64);
                prop_assert_eq!(before, (0..k).map(stamp).max());
            }
        }
    }
}
