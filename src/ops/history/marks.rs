//! Where windows may close in a batch of records none of which is late.
//!
//! Stamps are those of the records, and where every line counts, what the sheet says up to a line
//! follows from its number: so lines need not be parsed once more. Invariant: the marks are those
//! that a walk through the lines gives.

use super::{History, Walk};
use crate::batch::{Lines, Mark, Record};
use crate::model::{Balance, Peaks, Timestamp};

impl History {
    /// Whether no record of a batch that was surveyed can be late, where `highest` is the highest stamp
    /// before it: none lies too far behind the highest before it. If lines outside the windows may
    /// have moved that, it is not told.
    pub(super) fn none_is_late(&self, survey: &Walk, mut highest: Option<Timestamp>, records: &[Record]) -> bool {
        let mut rest = records;
        survey.selected.balance.out_of_window == 0
            && survey.runs.iter().all(|run| {
                let Some((records, behind)) = rest.split_at_checked(run.records) else { return false };
                rest = behind;
                let before = highest;
                highest = highest.max(Some(run.high));
                // Most runs are short of the lateness from end to end.
                run.low >= self.late_below(highest) || self.each_in_time(records, before)
            })
    }

    /// Whether none of the records lies too far behind the highest stamp before it.
    fn each_in_time(&self, records: &[Record], mut highest: Option<Timestamp>) -> bool {
        let mut in_time = self.late_below(highest);
        records.iter().all(|record| {
            let is_in_time = record.time >= in_time;
            if Some(record.time) > highest {
                highest = Some(record.time);
                in_time = self.late_below(highest);
            }
            is_in_time
        })
    }

    /// The marks of a batch that was surveyed, after lines whose highest stamps are `before`.
    /// `None` if the records do not tell: if one of them is late, lines outside the windows may have
    /// moved the watermark, or the sheet at a mark depends on lines that are no records.
    pub(super) fn marks(&self, lines: &Lines, survey: &Walk, before: Peaks, records: &[Record]) -> Option<Vec<Mark>> {
        let sheet = &survey.selected.balance;
        if sheet.out_of_window > 0 || sheet.counted != records.len() as u64 {
            return None;
        }
        let all_count = sheet.counted == sheet.lines_read;
        let (mut peaks, mut marks) = (before, Vec::new());
        let mut next_close = self.next_close(self.trusted(&before));
        // Nothing at or above it is late, as long as the highest stamps stay the same.
        let mut in_time = self.late_below(before.highest());
        for (line, record) in records.iter().enumerate() {
            if record.time < in_time && self.is_late(record.time, &peaks) {
                return None;
            }
            if !peaks.add(record.time) {
                continue;
            }
            in_time = self.late_below(peaks.highest());
            if let Some(watermark) = self.passed(&peaks, &mut next_close) {
                marks.push(Mark { watermark, balance: all_count.then(|| up_to(lines, line, sheet))? });
            }
        }
        Some(marks)
    }
}

/// The sheet up to and with a line, of a batch of which every line counts; `whole` is that of all
/// its lines.
fn up_to(lines: &Lines, line: usize, whole: &Balance) -> Balance {
    let behind = (lines.ends.len() - line - 1) as u64;
    let bytes = lines.chunk.bytes.len().saturating_sub(lines.ends[line] as usize + 1) as u64;
    Balance {
        lines_read: whole.lines_read - behind,
        counted: whole.counted - behind,
        bytes_read: whole.bytes_read - bytes,
        bytes_total: whole.bytes_total - if lines.chunk.streamed { bytes } else { 0 },
        // Only the last line may have no end.
        unterminated: if behind == 0 { whole.unterminated } else { 0 },
        ..whole.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::super::Pass;
    use super::*;
    use crate::model::time::SECOND;
    use crate::model::{Grid, Timestamp};
    use crate::ops::select::{self, Bounds};

    const AT: fn(i64) -> Timestamp = Timestamp::from_seconds;

    fn history(lateness: i64, max_jump: i64, period: i64) -> History {
        let grid = Grid { anchor: AT(0), length: 20 * SECOND, period: period * SECOND, first: None };
        let bounds = Bounds { keep_from: AT(0), first: AT(0), last: AT(1_000), future_after: AT(900) };
        let (lateness, max_jump) = (lateness * SECOND, max_jump * SECOND);
        History { bounds, grid, lateness, max_jump, grace: 3 * SECOND, keep_gaps: false, list: false }
    }

    fn lines(text: &[u8], streamed: bool) -> Lines {
        let mut lines = select::tests::lines(text, 100);
        let chunk = Arc::get_mut(&mut lines.chunk).unwrap();
        chunk.streamed = streamed;
        chunk.balance.bytes_total = if streamed { chunk.span.len() } else { 7 };
        chunk.balance.unterminated = u64::from(!text.is_empty() && !text.ends_with(b"\n"));
        chunk.balance.inputs = 1;
        lines
    }

    proptest! {
        #[test]
        fn marks_of_records_are_those_of_a_walk_through_the_lines(
            (stamps, pace) in prop_oneof![
                3 => (proptest::collection::vec((0i64..6, 0i64..12), 1..60), Just(1)),
                1 => (proptest::collection::vec((0i64..4, 0i64..12), 100..500), Just(20)),
            ],
            before in proptest::collection::vec(0i64..60, 0..12),
            odd in proptest::option::weighted(0.3, prop_oneof![Just("x"), Just(""), Just("5"), Just("950 a b")]),
            (lateness, max_jump, period) in (0i64..60, prop_oneof![Just(0i64), 1i64..40], prop_oneof![Just(5i64), Just(20), Just(50)]),
            (streamed, ends) in any::<(bool, bool)>(),
        ) {
            let mut text: Vec<String> = stamps.iter().enumerate().map(|(at, (jump, by))| {
                format!("{} host-{at} b", at as i64 / pace * by / 2 + jump * jump * jump)
            }).collect();
            text.extend(odd.map(str::to_owned));
            let text = text.join("\n") + if ends { "\n" } else { "" };
            let (history, lines) = (history(lateness, max_jump, period), lines(text.as_bytes(), streamed));
            let mut before_all = Peaks::default();
            before.iter().for_each(|&stamp| _ = before_all.add(AT(stamp)));
            let mut records = Vec::new();
            let survey = history.survey(&lines, &mut records);
            let mut again = Vec::new();
            let pass = Pass { history: &history, lines: &lines, records: &mut again, before: before_all };
            let walk = lines.chunk.rules.schema.visit(pass);
            let (sheet, marks) = (&walk.selected.balance, history.marks(&lines, &survey.0, before_all, &records));
            let all_count = sheet.counted == sheet.lines_read;
            let is_told = sheet.late == 0 && sheet.out_of_window == 0 && (all_count || walk.marks.is_empty());
            prop_assert_eq!(marks.as_deref(), is_told.then_some(&walk.marks[..]));
            let mut highest = before_all.highest();
            let none_is_late = survey.0.selected.balance.out_of_window == 0 && records.iter().all(|record| {
                let is_in_time = record.time >= history.late_below(highest);
                highest = highest.max(Some(record.time));
                is_in_time
            });
            prop_assert_eq!(history.none_is_late(&survey.0, before_all.highest(), &records), none_is_late);
            prop_assert!(sheet.late == 0 || !none_is_late);
            if is_told {
                prop_assert_eq!((survey.0.selected.balance, survey.0.extent), (walk.selected.balance, walk.extent));
                prop_assert_eq!(records, again);
            }
        }
    }
}
