//! Lines to records: parses each line and keeps the records of the window.
//!
//! Not here: what one line is (`judge`), how runs of lines are told (`runs`), and lateness, which
//! depends on what came before (`history`). Invariant: each line is in one class of the sheet.

use crate::batch::{Lines, Record};
use crate::format::{FormatVisitor, LineFormat, Remains};
use crate::model::balance::{Rejected, SHOWN_BYTES, SHOWN_REJECTED};
use crate::model::{Balance, Cause, Extent, Loss, Timestamp, Traces};

pub use super::judge::Bounds;
use super::judge::{Judge, Verdict};
use super::runs::{RunSink, each_run};

/// What became of the lines of one batch, aside from the records.
#[derive(Debug, Default)]
pub struct Selected {
    /// What the batch adds to the sheet, the chunk's own part included.
    pub balance: Balance,
    /// The first malformed lines.
    pub rejected: Vec<Rejected>,
    /// What is left of the lines.
    pub remains: Remains,
    /// How the lines are sorted; only where bytes of the input are skipped.
    pub extent: Option<Extent>,
    /// Where every malformed line is in the chunk and why; filled only if asked for.
    pub all_rejected: Vec<(Cause, usize, usize)>,
    /// What is known of other losses.
    pub traces: Traces,
}

/// Parses the lines of a batch and appends the records within `bounds` to `records`. With
/// `list_rejected`, all malformed lines are listed.
pub fn select(lines: &Lines, bounds: &Bounds, list_rejected: bool, records: &mut Vec<Record>) -> Selected {
    lines.chunk.rules.schema.visit(Select { lines, bounds, list_rejected, records })
}

struct Select<'a> {
    lines: &'a Lines,
    bounds: &'a Bounds,
    list_rejected: bool,
    records: &'a mut Vec<Record>,
}

impl FormatVisitor for Select<'_> {
    type Output = Selected;

    fn visit<F: LineFormat>(self, format: &F) -> Selected {
        let Select { lines, bounds, list_rejected, records } = self;
        let selected = Selected::of(lines, list_rejected);
        let mut selecting = Selecting {
            lines,
            list_rejected,
            first: bounds.first,
            compares: bounds.keep_from < bounds.first,
            measures: lines.chunk.order.is_some(),
            selected,
            records,
        };
        let remains = each_run(format, lines, &Judge::of(lines, bounds), &mut selecting);
        let mut selected = Selected { remains, ..selecting.selected };
        // Each line is in one class only, so those left over are the counted ones.
        selected.balance.counted = selected.balance.lines_read - selected.balance.lines_classified();
        selected
    }
}

/// What a batch has come to so far.
struct Selecting<'a> {
    lines: &'a Lines,
    list_rejected: bool,
    /// The first instant that counts, and whether records before it are kept too.
    first: Timestamp,
    compares: bool,
    /// Whether to tell how the lines are sorted.
    measures: bool,
    selected: Selected,
    records: &'a mut Vec<Record>,
}

impl RunSink for Selecting<'_> {
    fn nothing_new(&self) -> Option<(Timestamp, Timestamp)> {
        self.measures.then(|| Extent::nothing_new(self.selected.extent))
    }

    fn pass(&mut self, lines: usize) {
        self.selected.balance.out_of_window += lines as u64;
    }

    fn outside(&mut self, time: Timestamp, is_well_formed: impl FnOnce() -> bool) {
        self.selected.balance.out_of_window += 1;
        if self.measures {
            Extent::add(&mut self.selected.extent, time, is_well_formed);
        }
    }

    fn keep(&mut self, run: &[Record]) {
        if self.compares {
            self.selected.balance.out_of_window += run.iter().filter(|record| record.time < self.first).count() as u64;
        }
        if self.measures {
            Extent::add_all(&mut self.selected.extent, run.iter().map(|record| record.time));
        }
        self.records.extend_from_slice(run);
    }

    fn note(&mut self, verdict: Verdict, line: (usize, usize)) {
        self.selected.note(verdict, self.lines, line, self.list_rejected);
    }
}

impl Selected {
    /// The sheet of a batch before any of its lines is judged, except its over-long line.
    pub(super) fn of(lines: &Lines, list_rejected: bool) -> Self {
        let chunk = &lines.chunk;
        let balance = Balance { lines_read: lines.count(), ..chunk.balance.clone() };
        let mut selected = Selected { balance, ..Selected::default() };
        if let Some(head) = &chunk.oversized {
            selected.balance.reject(Cause::TooLong);
            let head = head[..head.len().min(SHOWN_BYTES)].to_vec();
            selected.rejected.push(Rejected {
                input: chunk.span.input,
                at: chunk.span.from,
                cause: Cause::TooLong,
                head,
            });
            if list_rejected {
                selected.all_rejected.push((Cause::TooLong, 0, 0));
            }
        }
        selected
    }

    /// Counts a line that is neither kept nor outside.
    pub(super) fn note(&mut self, verdict: Verdict, lines: &Lines, line: (usize, usize), list_rejected: bool) {
        match verdict {
            Verdict::Blank => self.balance.blank += 1,
            Verdict::Other => self.balance.other += 1,
            Verdict::Filtered => self.balance.filtered += 1,
            Verdict::Future => {
                if self.balance.future == 0 {
                    self.traces.note(Loss::Future, lines.chunk.place_of(line.0, line.1));
                }
                self.balance.future += 1;
            }
            Verdict::Malformed(cause) => self.reject(cause, lines, line, list_rejected),
            Verdict::Outside(..) | Verdict::Keep(_) => {}
        }
    }

    fn reject(&mut self, cause: Cause, lines: &Lines, (start, end): (usize, usize), list_rejected: bool) {
        self.balance.reject(cause);
        if self.rejected.len() < SHOWN_REJECTED {
            let span = lines.chunk.span;
            let shown = if cause == Cause::TooLong { SHOWN_BYTES.min(lines.chunk.rules.max_line) } else { SHOWN_BYTES };
            let head = lines.chunk.bytes[start..end.min(start + shown)].to_vec();
            self.rejected.push(Rejected { input: span.input, at: span.from + start as u64, cause, head });
        }
        if list_rejected {
            self.all_rejected.push((cause, start, end));
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::runs::tests::{OneByOne, log};
    use super::*;
    use crate::batch::Chunk;
    use crate::format::{LineRules, Plain};
    use crate::model::{InputId, OrderMeter, Span, Units};
    use proptest::prelude::*;
    use std::sync::Arc;

    pub fn lines(text: &[u8], max_line: usize) -> Lines {
        let span = Span { input: InputId(0), from: 0, to: text.len() as u64 };
        let mut ends = Vec::new();
        super::super::split::split(text, &mut ends);
        let chunk = Chunk {
            span,
            number: 0,
            bytes: text.to_vec().into(),
            oversized: None,
            rules: LineRules::plain(max_line),
            balance: Balance { bytes_read: span.len(), ..Balance::default() },
            streamed: false,
            order: None,
            last: true,
            unseen: false,
            live: None,
            guard: None,
        };
        Lines { chunk: Arc::new(chunk), ends: ends.into() }
    }

    fn bounds(keep_from: i64, first: i64, last: i64, future_after: i64) -> Bounds {
        let at = Timestamp::from_seconds;
        Bounds { keep_from: at(keep_from), first: at(first), last: at(last), future_after: at(future_after) }
    }

    #[test]
    fn every_line_is_in_one_class_and_both_ends_of_the_window_are_in() {
        let text =
            b"99 a b\n100 a b\n150 a b\n200 c d\n201 a b\n900 a b\n\nx\n150 a\n99 a\n901\n150 aaaaaaaaaaaaaa b\n";
        let mut records = Vec::new();
        let selected = select(&lines(text, 15), &bounds(100, 100, 200, 500), true, &mut records);
        let times: Vec<_> = records.iter().map(|record| record.time).collect();
        assert_eq!(times, [100, 150, 200].map(Timestamp::from_seconds));
        let sheet = &selected.balance;
        assert_eq!((sheet.lines_read, sheet.counted, sheet.out_of_window, sheet.future, sheet.blank), (12, 3, 3, 2, 1));
        assert_eq!(sheet.malformed, [1, 1, 0, 0, 0, 1, 0, 0, 0]);
        assert_eq!(selected.all_rejected.len(), 3);
        assert_eq!(selected.rejected[0].at, 48);
        assert_eq!(sheet.lines_classified(), 12);
    }

    #[test]
    fn records_before_the_window_are_kept_for_comparison_but_do_not_count() {
        let mut records = Vec::new();
        let lines = lines(b"40 a b\n60 a b\n60 bad\n100 a b\n", 100);
        let selected = select(&lines, &bounds(50, 100, 200, 500), false, &mut records);
        assert_eq!(records.len(), 2);
        assert_eq!((selected.balance.counted, selected.balance.out_of_window), (1, 3));
        assert_eq!(selected.balance.malformed_total(), 0);
    }

    proptest! {
        #[test]
        fn lines_told_in_runs_are_those_judged_by_themselves(
            text in log(),
            bounds in proptest::array::uniform4(-100i64..1_300),
            max_line in prop_oneof![Just(20usize), Just(26), Just(90), Just(4_000), Just(64 << 10)],
            measures: bool,
        ) {
            let [keep_from, first, last, future_after] = bounds.map(|at| 1_700_000_000 + at);
            let bounds = self::bounds(keep_from.min(first), first, last, future_after);
            let mut lines = lines(text.as_bytes(), max_line);
            if let Some(chunk) = Arc::get_mut(&mut lines.chunk) {
                chunk.order = measures.then(|| Arc::new(OrderMeter::default()));
            }
            let (mut records, mut simple_records) = (Vec::new(), Vec::new());
            let selected = select(&lines, &bounds, true, &mut records);
            let select = Select { lines: &lines, bounds: &bounds, list_rejected: true, records: &mut simple_records };
            let simple = select.visit(&OneByOne(Plain { units: Units::AUTO }));
            prop_assert_eq!(records, simple_records);
            prop_assert!(measures || selected.extent.is_none());
            prop_assert_eq!(format!("{selected:?}"), format!("{simple:?}"));
        }
    }

    #[test]
    fn b5_a_byte_order_mark_belongs_to_no_field() {
        let mut records = Vec::new();
        select(&lines(b"\xef\xbb\xbf150 a b\n", 100), &bounds(0, 0, 200, 500), false, &mut records);
        assert_eq!(records.len(), 1);
    }
}
