//! Which bytes of which input: spans, and the ledger of the spans already counted.
//!
//! Invariant: a ledger's spans never overlap; adding bytes a second time is refused, not ignored.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// An input's number in the run, from 0 in the order of the locations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct InputId(pub u32);

/// Bytes `[from, to)` of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The input.
    pub input: InputId,
    /// First byte.
    pub from: u64,
    /// One past the last byte.
    pub to: u64,
}

impl Span {
    /// Bytes in the span.
    pub const fn len(&self) -> u64 {
        self.to - self.from
    }

    /// Whether the span holds no byte.
    pub const fn is_empty(&self) -> bool {
        self.from == self.to
    }
}

/// The set of spans already counted: per input, disjoint ranges, adjacent ones joined.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger {
    inputs: BTreeMap<InputId, BTreeMap<u64, u64>>,
}

impl Ledger {
    /// Adds a span. Errors with the span if any byte of it is in the ledger already.
    pub fn add(&mut self, span: Span) -> Result<(), Span> {
        let ranges = self.inputs.entry(span.input).or_default();
        if span.is_empty() {
            return Ok(());
        }
        let before = ranges.range(..=span.from).next_back().map(|(&from, &to)| (from, to));
        let after = ranges.range(span.from..).next().map(|(&from, &to)| (from, to));
        if before.is_some_and(|(_, to)| to > span.from) || after.is_some_and(|(from, _)| from < span.to) {
            return Err(span);
        }
        let from = match before {
            Some((from, to)) if to == span.from => from,
            _ => span.from,
        };
        let to = match after {
            Some((next, to)) if next == span.to => {
                ranges.remove(&next);
                to
            }
            _ => span.to,
        };
        ranges.insert(from, to);
        Ok(())
    }

    /// How far the input is counted without a gap, from byte 0.
    pub fn frontier(&self, input: InputId) -> u64 {
        let first = self.inputs.get(&input).and_then(|ranges| ranges.first_key_value());
        match first {
            Some((0, &to)) => to,
            _ => 0,
        }
    }

    /// The spans of an input, in order: first byte, and one past the last.
    pub fn spans(&self, input: InputId) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.inputs.get(&input).into_iter().flatten().map(|(&from, &to)| (from, to))
    }

    /// Drops the spans of an input that has ended.
    pub fn forget(&mut self, input: InputId) {
        self.inputs.remove(&input);
    }

    /// Bytes counted of all inputs.
    pub fn bytes(&self) -> u64 {
        self.inputs.values().flatten().map(|(from, to)| to - from).sum()
    }

    /// Adds every span of `other`. Errors with the first span that both hold.
    pub fn merge(&mut self, other: &Ledger) -> Result<(), Span> {
        for (&input, ranges) in &other.inputs {
            for (&from, &to) in ranges {
                self.add(Span { input, from, to })?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn span(from: u64, to: u64) -> Span {
        Span { input: InputId(0), from, to }
    }

    #[test]
    fn bytes_cannot_be_counted_twice() {
        let mut ledger = Ledger::default();
        ledger.add(span(0, 10)).unwrap();
        ledger.add(span(20, 30)).unwrap();
        for twice in [span(5, 12), span(9, 10), span(15, 21), span(0, 40), span(25, 26)] {
            assert_eq!(ledger.add(twice), Err(twice));
        }
        assert_eq!(ledger.bytes(), 20);
        assert_eq!(ledger.frontier(InputId(0)), 10);
        ledger.add(span(10, 20)).unwrap();
        assert_eq!(ledger.frontier(InputId(0)), 30);
    }

    proptest! {
        #[test]
        fn any_order_of_disjoint_spans_gives_one_range(order in Just((0..20u64).collect::<Vec<_>>()).prop_shuffle()) {
            let mut ledger = Ledger::default();
            for k in order {
                ledger.add(span(k * 7, k * 7 + 7)).unwrap();
            }
            prop_assert_eq!(ledger.frontier(InputId(0)), 140);
            prop_assert_eq!(ledger.inputs[&InputId(0)].len(), 1);
        }
    }
}
