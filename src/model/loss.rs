//! What a run has lost, by class: lines and bytes that are in no result though they may belong in
//! one, and results that nobody got.
//!
//! Not here: how it is said (`cli/loss`), and what became of lines by their own nature, such as
//! blank ones. Invariant: every number of the balance sheet is the count of a class here, or is
//! named as no loss (`Loss::count`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::balance::Balance;
use super::span::InputId;

/// A class of losses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Loss {
    /// Lines that are not records.
    Malformed,
    /// Records later than the declared disorder.
    Late,
    /// Lines with a stamp too far beyond now.
    Future,
    /// Records whose pair is not known, for want of memory.
    Overflow,
    /// Bytes that were there and were not read.
    Unread,
    /// Times when something may have been lost, and nobody can know how much.
    Unknown,
    /// Results that were not written.
    Dropped,
}

impl Loss {
    /// All classes, in the order in which they are told.
    pub const ALL: [Loss; 7] =
        [Loss::Malformed, Loss::Late, Loss::Future, Loss::Overflow, Loss::Unread, Loss::Unknown, Loss::Dropped];

    /// Its name in outputs for programs: the key of its number in the balance sheet.
    pub const fn key(self) -> &'static str {
        match self {
            Loss::Malformed => "malformed",
            Loss::Late => "late",
            Loss::Future => "future",
            Loss::Overflow => "overflowed",
            Loss::Unread => "bytes_unread",
            Loss::Unknown => "unknown_losses",
            Loss::Dropped => "results_dropped",
        }
    }

    /// Puts this many of them into a balance sheet.
    #[cfg(test)]
    pub(crate) fn put(self, balance: &mut Balance, count: u64) {
        let number = match self {
            Loss::Malformed => &mut balance.malformed[0],
            Loss::Late => &mut balance.late,
            Loss::Future => &mut balance.future,
            Loss::Overflow => &mut balance.overflowed,
            Loss::Unread => &mut balance.bytes_unread,
            Loss::Unknown => &mut balance.unknown_losses,
            Loss::Dropped => &mut balance.results_dropped,
        };
        *number = count;
    }

    /// How many of them a balance sheet has.
    pub fn count(self, balance: &Balance) -> u64 {
        // Taken apart in full, so that who adds a number has to say here whether it is a loss.
        let Balance {
            lines_read: _,
            counted: _,
            overflowed,
            out_of_window: _,
            late,
            future,
            malformed: _,
            blank: _,
            filtered: _,
            other: _,
            bytes_read: _,
            bytes_skipped: _,
            bytes_total: _,
            bytes_unread,
            bytes_compressed: _,
            unterminated: _,
            inputs: _,
            unknown_losses,
            results_dropped,
        } = balance;
        match self {
            Loss::Malformed => balance.malformed_total(),
            Loss::Late => *late,
            Loss::Future => *future,
            Loss::Overflow => *overflowed,
            Loss::Unread => *bytes_unread,
            Loss::Unknown => *unknown_losses,
            Loss::Dropped => *results_dropped,
        }
    }
}

/// The classes that lost something, each with how many of them, in the order of `Loss::ALL`.
pub fn losses(balance: &Balance) -> Vec<(Loss, u64)> {
    Loss::ALL.into_iter().map(|loss| (loss, loss.count(balance))).filter(|(_, count)| *count > 0).collect()
}

/// A place at which a class lost something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LossSite {
    /// The input.
    pub input: InputId,
    /// The byte of it: of a line, where it begins.
    pub at: u64,
    /// The start of the line, if it is one.
    pub head: Vec<u8>,
}

/// What is known of losses beside their numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Traces {
    /// The first of each class by input and position, as far as it is known; of malformed lines the
    /// sheet has more.
    first: BTreeMap<Loss, LossSite>,
    /// How far a late record lies behind the highest stamp before it in its input, at most; in
    /// nanoseconds.
    pub furthest_behind: i64,
    /// Of the late records, those that were in time by their own input, which was silent and not
    /// waited for.
    pub after_idle: u64,
}

impl Traces {
    /// Notes a place, if it is the first of its class.
    pub fn note(&mut self, loss: Loss, place: LossSite) {
        if self.first.get(&loss).is_none_or(|first| (place.input, place.at) < (first.input, first.at)) {
            self.first.insert(loss, place);
        }
    }

    /// The first of a class, if it is known.
    pub fn first(&self, loss: Loss) -> Option<&LossSite> {
        self.first.get(&loss)
    }

    /// The inputs in which there are places.
    pub fn inputs(&self) -> impl Iterator<Item = InputId> {
        self.first.values().map(|place| place.input)
    }

    /// Adds what was found elsewhere.
    pub fn merge(&mut self, other: &Traces) {
        for (loss, place) in &other.first {
            self.note(*loss, place.clone());
        }
        self.furthest_behind = self.furthest_behind.max(other.furthest_behind);
        self.after_idle += other.after_idle;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_those_that_are_not_0_in_their_order() {
        assert_eq!(losses(&Balance { lines_read: 9, counted: 9, bytes_read: 1, ..Balance::default() }), []);
        let mut balance = Balance { late: 2, results_dropped: 1, ..Balance::default() };
        balance.reject(super::super::Cause::Nul);
        assert_eq!(losses(&balance), [(Loss::Malformed, 1), (Loss::Late, 2), (Loss::Dropped, 1)]);
    }

    #[test]
    fn the_first_by_input_and_position_stays_whatever_comes_first() {
        let place = |input, at| LossSite { input: InputId(input), at, head: Vec::new() };
        let of = |places: &[(u32, u64)]| {
            let mut traces = Traces::default();
            for &(input, at) in places {
                traces.note(Loss::Late, place(input, at));
            }
            traces
        };
        let (one, other) = (of(&[(1, 5), (0, 9)]), of(&[(0, 7), (0, 8)]));
        for (mut mine, theirs) in [(one.clone(), other.clone()), (other, one)] {
            mine.merge(&theirs);
            assert_eq!(mine.first(Loss::Late), Some(&place(0, 7)));
        }
    }
}
