//! Lines to records: parses each line and keeps the records of the window.
//!
//! Every line falls into exactly one class, tested in this order: too long, blank, bad timestamp,
//! future, out of window, otherwise malformed, counted. The hosts of a line in the future or
//! outside the window are not looked at. Not here: lateness, which depends on what came before
//! (`history`).

use crate::batch::{Lines, Record};
use crate::format::{Fence, FormatVisitor, HostRanges, LineFormat, Stamp};
use crate::model::balance::{Rejected, SHOWN_BYTES, SHOWN_REJECTED};
use crate::model::lanes::NARROW;
use crate::model::{Balance, Cause, Extent, Loss, Timestamp, Traces};

use super::split::first_line;

/// Which records to keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Records from here on are kept. Before `first` they only serve to compare with the window
    /// before.
    pub keep_from: Timestamp,
    /// The first instant that counts.
    pub first: Timestamp,
    /// The last instant that counts.
    pub last: Timestamp,
    /// Stamps beyond this are in the future.
    pub future_after: Timestamp,
}

/// What one line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Blank,
    Malformed(Cause),
    Future,
    /// Out of the bounds, with where its hosts begin.
    Outside(Timestamp, usize),
    Keep(Record),
}

/// What became of the lines of one batch, aside from the records.
#[derive(Debug, Default)]
pub struct Selected {
    /// What the batch adds to the sheet, the chunk's own part included.
    pub balance: Balance,
    /// The first malformed lines.
    pub rejected: Vec<Rejected>,
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
        match self.lines.chunk.order {
            Some(_) => self.pass::<F, true>(format),
            None => self.pass::<F, false>(format),
        }
    }
}

impl Select<'_> {
    /// One pass over the lines. With `MEASURE` it also tells how they are sorted.
    fn pass<F: LineFormat, const MEASURE: bool>(self, format: &F) -> Selected {
        let mut selected = Selected::of(self.lines, self.list_rejected);
        let judge = Judge::of(self.lines, self.bounds);
        // Where no stamp can lie outside, no line is outside at a glance.
        let nothing = Fence { length: 0, bounds: [0, u64::MAX, 0], lowest: [b'0'; NARROW] };
        let fence = format.fence(&self.lines.chunk.bytes, judge.keep, judge.present).unwrap_or(nothing);
        // Lines outside come in long runs, and so do those inside: each kind is looked for where
        // the last one was.
        let (mut out_of_window, mut inside) = (0, false);
        let mut extent: Option<Extent> = None;
        let mut keep = |record: Record, extent: &mut Option<Extent>, out_of_window: &mut u64| {
            if MEASURE {
                Extent::add(extent, record.time, || true);
            }
            *out_of_window += u64::from(record.time < self.bounds.first);
            self.records.push(record);
        };
        each_line(self.lines, |bytes, start, end| {
            let fits = || end - start <= judge.max_line;
            if !inside && !MEASURE && format.is_outside(bytes, start, &fence) && fits() {
                out_of_window += 1;
                return;
            }
            if inside
                && let Some((time, hosts)) = format.common(bytes, start, end, judge.keep)
                && fits()
            {
                return keep(record(time, hosts), &mut extent, &mut out_of_window);
            }
            let verdict = judge.line(format, bytes, start, end);
            inside = !matches!(verdict, Verdict::Outside(..));
            match verdict {
                Verdict::Outside(time, at) => {
                    if MEASURE {
                        Extent::add(&mut extent, time, || format.hosts(bytes, at, end).is_ok());
                    }
                    out_of_window += 1;
                }
                Verdict::Keep(record) => keep(record, &mut extent, &mut out_of_window),
                other => selected.note(other, self.lines, (start, end), self.list_rejected),
            }
        });
        selected.extent = extent;
        selected.balance.out_of_window += out_of_window;
        // Each line is in one class only, so those left over are the counted ones: no counter in
        // the hot loop.
        selected.balance.counted = selected.balance.lines_read - selected.balance.lines_classified();
        selected
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

/// Calls `f` with the chunk's bytes and each line's start and end in them.
#[inline]
pub(super) fn each_line(lines: &Lines, mut f: impl FnMut(&[u8], usize, usize)) {
    let bytes = &lines.chunk.bytes[..];
    let mut start = 0;
    for &end in lines.ends.iter() {
        f(bytes, start, end as usize);
        start = end as usize + 1;
    }
}

/// Tells what lines are.
#[derive(Clone, Copy)]
pub(super) struct Judge {
    /// The lowest and the highest instant to keep, and the lowest that counts.
    keep: (Timestamp, Timestamp),
    first: Timestamp,
    /// The highest instant that is not in the future.
    present: Timestamp,
    max_line: usize,
    /// Where the first line's stamp may begin, if not at its start.
    skip: usize,
}

impl Judge {
    /// For the lines of a batch.
    pub(super) fn of(lines: &Lines, bounds: &Bounds) -> Self {
        let chunk = &lines.chunk;
        Judge {
            keep: (bounds.keep_from, bounds.last.min(bounds.future_after)),
            first: bounds.first,
            present: bounds.future_after,
            max_line: chunk.rules.max_line,
            skip: first_line(&chunk.bytes, chunk.span.from),
        }
    }

    /// What the line `bytes[start..end]` is.
    #[inline(always)]
    pub(super) fn line<F: LineFormat>(&self, format: &F, bytes: &[u8], start: usize, end: usize) -> Verdict {
        if end - start > self.max_line {
            return Verdict::Malformed(Cause::TooLong);
        }
        let (time, at) = match format.stamp(bytes, start, end) {
            Stamp::At(time, at) => (time, at),
            _ => match self.odd_stamp(format, bytes, start, end) {
                Stamp::At(time, at) => (time, at),
                Stamp::Blank => return Verdict::Blank,
                // Whatever the bounds are.
                Stamp::TooLate(_) => return Verdict::Future,
                Stamp::TooEarly(at) => return Verdict::Outside(Timestamp::MIN, at),
                Stamp::Bad => return Verdict::Malformed(Cause::BadStamp),
            },
        };
        if time < self.keep.0 || time > self.keep.1 {
            return if time > self.present { Verdict::Future } else { Verdict::Outside(time, at) };
        }
        match format.hosts(bytes, at, end) {
            Ok(hosts) => Verdict::Keep(record(time, hosts)),
            // Where a line only serves to compare with the window before, it is outside whatever
            // its hosts are.
            Err(_) if time < self.first => Verdict::Outside(time, at),
            Err(cause) => Verdict::Malformed(cause),
        }
    }

    /// The stamp of a line that does not begin with one: a byte order mark may stand before it.
    #[cold]
    fn odd_stamp<F: LineFormat>(&self, format: &F, bytes: &[u8], start: usize, end: usize) -> Stamp {
        let skip = if start == 0 { self.skip.min(end) } else { start };
        format.stamp(bytes, skip, end)
    }
}

/// The record of an instant and two hosts.
#[inline(always)]
fn record(time: Timestamp, hosts: HostRanges) -> Record {
    let range = |(from, to): (usize, usize)| (from as u32, to as u32);
    Record { time, from: range(hosts.from), to: range(hosts.to) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::Chunk;
    use crate::format::LineRules;
    use crate::model::{InputId, Span};
    use std::sync::Arc;

    pub(crate) fn lines(text: &[u8], max_line: usize) -> Lines {
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
        assert_eq!(sheet.malformed, [1, 1, 0, 0, 0, 1]);
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

    #[test]
    fn b5_a_byte_order_mark_belongs_to_no_field() {
        let mut records = Vec::new();
        select(&lines(b"\xef\xbb\xbf150 a b\n", 100), &bounds(0, 0, 200, 500), false, &mut records);
        assert_eq!(records.len(), 1);
    }
}
