//! Whether progress that was read from a saved state is one that a run saves.
//!
//! Invariant: of what passes, all sums of sheets fit their numbers, at any instant, and no position lies beyond a file's end.

use std::collections::BTreeSet;

use super::{Position, Saved};
use crate::model::balance::{OVERSIZED_HEAD, SHOWN_REJECTED};
use crate::model::{Balance, InputId, Mark};

/// Bytes before a position that are kept in mind, at most.
const TAIL: u32 = 256;

/// How often bytes may have been lost without anybody knowing how many, and results that were not written.
const MAX_LOSSES: u64 = 1 << 48;

/// The last byte that a file can have.
pub const LAST_BYTE: u64 = i64::MAX as u64;

impl Saved {
    /// Whether it agrees with itself; errors with what does not.
    pub fn check(&self) -> Result<(), String> {
        let ids = |input: &(InputId, Position)| input.0;
        if !self.inputs.is_sorted_by(|a, b| ids(a) < ids(b)) {
            return Err("its inputs are not in order".to_owned());
        }
        // What the inputs add and what those have added that are forgotten is what was applied.
        let mut sum = self.past.clone();
        let sound = |sheet: &Balance| sheet.is_sound().then_some(()).ok_or("its balance sheet does not add up");
        sound(&self.past)?;
        sound(&self.total)?;
        for (id, position) in &self.inputs {
            sound(&position.balance)?;
            sum = sum.checked_add(&position.balance).ok_or("its balance sheet does not fit 64 bits")?;
            position.check().map_err(|problem| format!("input {}: {problem}", id.0))?;
        }
        if sum != self.total {
            return Err("the sheets of its inputs do not add up to that of all".to_owned());
        }
        let ahead = self.inputs.iter().try_fold(self.past_ahead, |sum, (_, input)| sum.checked_add(input.ahead));
        if ahead.is_none_or(|ahead| ahead > self.total.lines_read)
            || self.unknown_losses.max(self.results_dropped) > MAX_LOSSES
        {
            return Err("more has run ahead, or was lost, than was there".to_owned());
        }
        if self.extent.is_some_and(|(lowest, highest)| lowest > highest) {
            return Err("its highest stamp lies before its lowest".to_owned());
        }
        let places: BTreeSet<_> = self.rejected.iter().map(|line| (line.input, line.at)).collect();
        let is_long = self.rejected.iter().any(|line| line.head.len() > OVERSIZED_HEAD);
        if self.rejected.len() > SHOWN_REJECTED || places.len() < self.rejected.len() || is_long {
            return Err("its malformed lines are too many or too long, or come twice".to_owned());
        }
        Ok(())
    }
}

impl Position {
    fn check(&self) -> Result<(), String> {
        if self.next > LAST_BYTE || self.tail.bytes > TAIL || u64::from(self.tail.bytes) > self.next {
            return Err(format!("byte {} is no place in a file", self.next));
        }
        if !self.peaks.is_sound() {
            return Err("its highest stamps are not in order".to_owned());
        }
        if !self.marks.iter().is_sorted_by_key(|mark| mark.watermark) {
            return Err("its watermark falls".to_owned());
        }
        match self.marks.iter().all(|mark| self.is_within(mark)) {
            true => Ok(()),
            false => Err("a sheet on its way is beyond its own".to_owned()),
        }
    }

    /// Whether the sheet at a mark is part of that of the position, whatever became of single lines later.
    fn is_within(&self, Mark { balance, .. }: &Mark) -> bool {
        let Balance {
            lines_read,
            overflowed,
            unknown_losses: _,
            results_dropped: _,
            bytes_read,
            bytes_skipped,
            bytes_total,
            bytes_unread,
            unterminated,
            inputs,
            // These are claimed by a class each.
            counted: _,
            out_of_window: _,
            late: _,
            future: _,
            malformed: _,
            blank: _,
        } = balance;
        let lines = self.balance.lines_read;
        let bytes = [bytes_read, bytes_skipped, bytes_total, bytes_unread];
        balance.lines_claimed().is_some_and(|claimed| claimed <= lines)
            && [lines_read, overflowed, unterminated].iter().all(|number| **number <= lines)
            && bytes.iter().all(|number| **number <= self.balance.bytes_total)
            && *inputs <= self.balance.inputs
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::balance::{Cause, Rejected};
    use crate::model::{Guard, Timestamp};
    use crate::ops::progress::Progress;

    /// What two inputs have added, one of them with a mark on its way, and one that is forgotten.
    fn good() -> Saved {
        let sheet = |lines: u64| Balance {
            lines_read: lines,
            counted: lines,
            bytes_read: 10 * lines,
            bytes_total: 10 * lines,
            inputs: 1,
            ..Balance::default()
        };
        let mark = Mark { watermark: Timestamp::from_seconds(5), balance: sheet(2) };
        let position = |lines: u64| Position { next: 10 * lines, balance: sheet(lines), ..Position::default() };
        let marked = Position { marks: [mark.clone(), mark].into(), ..position(3) };
        let rejected = Rejected { input: InputId(1), at: 5, cause: Cause::Nul, head: b"x".to_vec() };
        Saved {
            inputs: vec![(InputId(1), marked), (InputId(4), position(2))],
            past: sheet(7),
            total: Balance { inputs: 3, ..sheet(12) },
            rejected: vec![rejected],
            extent: Some((Timestamp::from_seconds(1), Timestamp::from_seconds(2))),
            ..Progress::new([], true).saved()
        }
    }

    type Forgery = (fn(&mut Saved), &'static str);

    const FORGERIES: [Forgery; 19] = [
        (|it| it.inputs.reverse(), "its inputs are not in order"),
        (|it| it.inputs[1].0 = InputId(1), "its inputs are not in order"),
        (|it| it.past.lines_read += 1, "its balance sheet does not add up"),
        (|it| (it.total.late, it.total.future) = (u64::MAX, 1), "its balance sheet does not add up"),
        (|it| it.inputs[0].1.balance.bytes_unread += 1, "its balance sheet does not add up"),
        (|it| it.past = most(), "its balance sheet does not fit 64 bits"),
        (|it| it.total.inputs += 1, "the sheets of its inputs do not add up to that of all"),
        (|it| it.inputs[1].1.next = u64::MAX, "input 4: byte 18446744073709551615 is no place in a file"),
        (|it| it.inputs[1].1.tail = Guard { bytes: 21, hash: 0 }, "input 4: byte 20 is no place in a file"),
        (|it| it.inputs[0].1.marks[1].watermark = Timestamp::MIN, "input 1: its watermark falls"),
        (|it| it.inputs[0].1.marks[0].balance.late = 2, "input 1: a sheet on its way is beyond its own"),
        (|it| it.inputs[0].1.marks[0].balance.bytes_read = 31, "input 1: a sheet on its way is beyond its own"),
        (|it| it.past_ahead = 13, "more has run ahead, or was lost, than was there"),
        (|it| it.inputs[0].1.ahead = u64::MAX, "more has run ahead, or was lost, than was there"),
        (|it| it.unknown_losses = u64::MAX, "more has run ahead, or was lost, than was there"),
        (|it| it.extent = it.extent.map(|(low, high)| (high, low)), "its highest stamp lies before its lowest"),
        (|it| it.rejected.push(it.rejected[0].clone()), "its malformed lines are too many or too long"),
        (|it| it.rejected[0].head = vec![b'x'; 257], "its malformed lines are too many or too long"),
        (|it| it.rejected = many(), "its malformed lines are too many or too long"),
    ];

    fn most() -> Balance {
        Balance { lines_read: u64::MAX, blank: u64::MAX, ..Balance::default() }
    }

    fn many() -> Vec<Rejected> {
        (0..6).map(|at| Rejected { at, ..good().rejected[0].clone() }).collect()
    }

    #[test]
    fn g5_progress_that_no_run_saves_is_refused() {
        assert_eq!(good().check(), Ok(()));
        for (at, (change, reason)) in FORGERIES.into_iter().enumerate() {
            let mut saved = good();
            change(&mut saved);
            let problem = saved.check().expect_err("a forgery passed");
            assert!(problem.starts_with(reason), "{at}: {problem}");
        }
    }
}
