//! Whether progress that was read from a saved state is one that a run saves.
//!
//! Invariant: of what passes, all sums of sheets fit their numbers, at any instant, and no position
//! lies beyond a file's end.

use super::position::Position;
use super::record::ProgressRecord;
use crate::batch::Mark;
use crate::model::balance::{Rejected, SHOWN_BYTES, SHOWN_REJECTED};
use crate::model::peaks::ENOUGH;
use crate::model::{Balance, Cause, InputId, Loss, Timestamp, Traces};

/// Bytes before a position that are kept in mind, at most.
const TAIL: u32 = 256;

/// How often bytes may have been lost without anybody knowing how many, and results that were not
/// written.
const MAX_LOSSES: u64 = 1 << 48;

/// The last byte that a file can have.
pub const LAST_BYTE: u64 = i64::MAX as u64;

impl ProgressRecord {
    /// Whether it agrees with itself, for this declared disorder in nanoseconds; errors with what
    /// does not.
    pub fn check(&self, lateness: i64) -> Result<(), String> {
        let ids = |input: &(InputId, Position)| input.0;
        if !self.inputs.is_sorted_by(|a, b| ids(a) < ids(b)) {
            return Err("its inputs are not in order".to_owned());
        }
        // What was applied is what the inputs add and what forgotten inputs have added.
        let mut sum = self.past.clone();
        let sound = |sheet: &Balance| sheet.is_sound().then_some(()).ok_or("its balance sheet does not add up");
        sound(&self.past)?;
        sound(&self.total)?;
        for (id, position) in &self.inputs {
            sound(&position.balance)?;
            sum = sum.checked_add(&position.balance).ok_or("its balance sheet does not fit 64 bits")?;
            position.check(lateness).map_err(|problem| format!("input {}: {problem}", id.0))?;
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
        self.check_watermark()?;
        self.check_rejected()?;
        self.check_traces()
    }

    /// Time moves with the stamps of the inputs.
    fn check_watermark(&self) -> Result<(), String> {
        let positions = || self.inputs.iter().map(|(_, position)| position);
        let is_behind = positions().any(|position| position.watermark > self.highest);
        // Of inputs that are forgotten, stamps may have been higher.
        let known = positions().map(|position| position.at_rest).fold(Timestamp::MIN, Timestamp::max);
        let stamp = positions().filter_map(|position| position.peaks.highest()).max();
        let is_beyond = self.highest > known || self.extent.map(|(_, highest)| highest) > stamp;
        match is_behind || (self.past.inputs == 0 && is_beyond) {
            true => Err("its watermark or its highest stamp is not one of its inputs".to_owned()),
            false => Ok(()),
        }
    }

    /// The malformed lines that are shown are the first of those that the sheet knows.
    fn check_rejected(&self) -> Result<(), String> {
        let of = |cause| self.rejected.iter().filter(|line| line.cause == cause).count() as u64;
        let are_known = Cause::ALL.into_iter().all(|cause| of(cause) <= self.total.malformed[cause as usize]);
        let are_in_order = self.rejected.is_sorted_by(|a, b| (a.input, a.at) < (b.input, b.at));
        let is_good = |line: &Rejected| line.head.len() <= SHOWN_BYTES && line.at <= LAST_BYTE;
        match self.rejected.len() <= SHOWN_REJECTED && are_known && are_in_order && self.rejected.iter().all(is_good) {
            true => Ok(()),
            false => Err("its malformed lines are too many or too long, or come twice".to_owned()),
        }
    }

    /// What is known of losses belongs to losses that there were.
    fn check_traces(&self) -> Result<(), String> {
        let Balance { late, .. } = self.total;
        let Traces { furthest_behind, after_idle, .. } = &self.traces;
        let is_good = |loss: Loss| {
            // Those without a pair stand in no sheet of an input.
            let is_known = loss == Loss::Overflow || loss.count(&self.balance()) > 0;
            let place = self.traces.first(loss);
            place.is_none_or(|place| is_known && place.head.len() <= SHOWN_BYTES && place.at <= LAST_BYTE)
        };
        match Loss::ALL.into_iter().all(is_good)
            && *after_idle <= late
            && *furthest_behind >= 0
            && (*furthest_behind == 0 || late > 0)
        {
            true => Ok(()),
            false => Err("it knows of losses that there were not".to_owned()),
        }
    }
}

impl Position {
    fn check(&self, lateness: i64) -> Result<(), String> {
        let Balance { bytes_read, bytes_skipped, .. } = self.balance;
        if self.next > LAST_BYTE || self.tail.bytes > TAIL || u64::from(self.tail.bytes) > self.next {
            return Err(format!("byte {} is no place in a file", self.next));
        }
        if self.next != bytes_read + bytes_skipped {
            return Err(format!("its sheet does not end at byte {}", self.next));
        }
        if !self.peaks.is_sound() || self.ahead >= ENOUGH as u64 {
            return Err("its highest stamps are not in order".to_owned());
        }
        let at_rest = self.peaks.highest().map_or(Timestamp::MIN, |highest| highest.minus(lateness));
        if self.at_rest != at_rest || self.watermark > at_rest {
            return Err("its watermark is not that of its stamps".to_owned());
        }
        let watermarks = self.marks.iter().map(|mark| mark.watermark).chain([self.watermark]);
        if !watermarks.is_sorted() {
            return Err("its watermark falls".to_owned());
        }
        let grow = self.marks.iter().is_sorted_by_key(|mark| (mark.balance.lines_read, mark.balance.bytes_total));
        match grow && self.marks.iter().all(|mark| mark.balance.is_sound() && self.is_within(mark)) {
            true => Ok(()),
            false => Err("a sheet on its way is beyond its own".to_owned()),
        }
    }

    /// Whether the sheet at a mark is part of that of the position, whatever became of single lines
    /// later.
    fn is_within(&self, Mark { balance, .. }: &Mark) -> bool {
        let Balance {
            lines_read,
            overflowed,
            unknown_losses: _,
            results_dropped: _,
            bytes_compressed: _,
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
            filtered: _,
            other: _,
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
    use crate::model::loss::LossSite;
    use crate::model::time::SECOND;
    use crate::model::{Guard, Peaks};
    use crate::ops::progress::CountProgress;

    /// What two inputs have added, one of them with a mark on its way, and one that is forgotten.
    fn good() -> ProgressRecord {
        let sheet = |lines: u64| Balance {
            lines_read: lines,
            counted: lines - 1,
            malformed: [0, 0, 0, 0, 1, 0, 0, 0, 0],
            bytes_read: 10 * lines,
            bytes_total: 10 * lines,
            inputs: 1,
            ..Balance::default()
        };
        let mark = Mark { watermark: Timestamp::from_seconds(5), balance: sheet(2) };
        let at = Timestamp::from_seconds;
        let position = |lines: u64| {
            let mut peaks = Peaks::default();
            peaks.add(at(lines as i64 + 3));
            let watermark = at(lines as i64 + 2);
            let at_rest = watermark;
            Position { next: 10 * lines, balance: sheet(lines), peaks, watermark, at_rest, ..Position::default() }
        };
        let marked = Position { marks: [mark.clone(), mark].into(), ..position(3) };
        let rejected = Rejected { input: InputId(1), at: 5, cause: Cause::Nul, head: b"x".to_vec() };
        ProgressRecord {
            inputs: vec![(InputId(1), marked), (InputId(4), position(2))],
            past: sheet(7),
            total: Balance { inputs: 3, counted: 9, malformed: [0, 0, 0, 0, 3, 0, 0, 0, 0], ..sheet(12) },
            highest: at(5),
            rejected: vec![rejected],
            extent: Some((at(1), at(2))),
            ..CountProgress::new([], true).saved()
        }
    }

    type Forgery = (fn(&mut ProgressRecord), &'static str);

    const FORGERIES: [Forgery; 35] = [
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
        (|it| it.inputs[0].1.marks[1].watermark = Timestamp::from_seconds(6), "input 1: its watermark falls"),
        (|it| it.inputs[1].1.at_rest = Timestamp::from_seconds(5), "input 4: its watermark is not that of its stamps"),
        (
            |it| it.inputs[1].1.watermark = Timestamp::from_seconds(5),
            "input 4: its watermark is not that of its stamps",
        ),
        (|it| it.inputs[1].1.peaks = Peaks::default(), "input 4: its watermark is not that of its stamps"),
        (|it| it.inputs[1].1.ahead = 8, "input 4: its highest stamps are not in order"),
        (|it| it.inputs[1].1.next = 19, "input 4: its sheet does not end at byte 19"),
        (|it| it.highest = Timestamp::from_seconds(4), "its watermark or its highest stamp is not one"),
        (|it| none_forgotten(it, 6), "its watermark or its highest stamp is not one"),
        (
            |it| (none_forgotten(it, 5), it.extent = it.extent.map(|(low, _)| (low, Timestamp::MAX))).0,
            "its watermark or",
        ),
        (|it| it.inputs[0].1.marks[0].balance.blank = 1, "input 1: a sheet on its way is beyond its own"),
        (|it| it.rejected[0].cause = Cause::BadStamp, "its malformed lines are too many or too long"),
        (|it| it.rejected[0].at = u64::MAX, "its malformed lines are too many or too long"),
        (|it| it.traces.note(Loss::Future, place()), "it knows of losses that there were not"),
        (|it| it.traces.note(Loss::Malformed, LossSite { head: vec![b'x'; 81], ..place() }), "it knows of losses"),
        (|it| it.traces.after_idle = 1, "it knows of losses that there were not"),
        (|it| it.traces.furthest_behind = 1, "it knows of losses that there were not"),
        (|it| it.inputs[0].1.marks[0].balance.late = 3, "input 1: a sheet on its way is beyond its own"),
        (|it| it.inputs[0].1.marks[0].balance.bytes_read = 31, "input 1: a sheet on its way is beyond its own"),
        (|it| it.past_ahead = 13, "more has run ahead, or was lost, than was there"),
        (|it| it.inputs[0].1.ahead = u64::MAX, "input 1: its highest stamps are not in order"),
        (|it| it.unknown_losses = u64::MAX, "more has run ahead, or was lost, than was there"),
        (|it| it.extent = it.extent.map(|(low, high)| (high, low)), "its highest stamp lies before its lowest"),
        (|it| it.rejected.push(it.rejected[0].clone()), "its malformed lines are too many or too long"),
        (|it| it.rejected[0].head = vec![b'x'; 81], "its malformed lines are too many or too long"),
        (|it| it.rejected = many(), "its malformed lines are too many or too long"),
    ];

    fn most() -> Balance {
        Balance { lines_read: u64::MAX, blank: u64::MAX, ..Balance::default() }
    }

    fn place() -> LossSite {
        LossSite { input: InputId(1), at: 5, head: b"x".to_vec() }
    }

    /// What is known of all inputs that there were, and a watermark.
    fn none_forgotten(saved: &mut ProgressRecord, highest: i64) {
        let [one, other] = [&saved.inputs[0].1.balance, &saved.inputs[1].1.balance];
        saved.total = one.checked_add(other).unwrap();
        (saved.past, saved.past_ahead, saved.highest) = (Balance::default(), 0, Timestamp::from_seconds(highest));
    }

    fn many() -> Vec<Rejected> {
        (0..6).map(|at| Rejected { at, ..good().rejected[0].clone() }).collect()
    }

    #[test]
    fn g5_progress_that_no_run_saves_is_refused() {
        const LATENESS: i64 = SECOND;
        assert_eq!(good().check(LATENESS), Ok(()));
        let mut other = good();
        none_forgotten(&mut other, 5);
        assert_eq!(other.check(LATENESS), Ok(()));
        other = good();
        other.traces.note(Loss::Malformed, place());
        assert_eq!(other.check(LATENESS), Ok(()));
        for (at, (change, reason)) in FORGERIES.into_iter().enumerate() {
            let mut saved = good();
            change(&mut saved);
            let problem = saved.check(LATENESS).expect_err(reason);
            assert!(problem.starts_with(reason), "{at}: {problem}");
        }
    }
}
