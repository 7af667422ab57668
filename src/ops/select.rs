//! Lines to records: parses each line and keeps the records of the window.
//!
//! Every line falls into exactly one class, tested in this order: blank, bad timestamp, future, out of window,
//! otherwise malformed, counted. The hosts of a line in the future or outside the window are not looked at.
//! Not here: lateness, which depends on what came before (`history`).

use crate::format::{FormatVisitor, LineFormat, Stamp, dispatch};
use crate::model::balance::{Rejected, SHOWN_BYTES, SHOWN_REJECTED};
use crate::model::{Balance, Cause, Lines, Record, TimeUnit, Timestamp};

use super::split::first_line;

/// Which records to keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Records from here on are kept. Before `first` they only serve to compare with the window before.
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
    /// Where every malformed line is in the chunk and why; filled only if asked for.
    pub all_rejected: Vec<(Cause, usize, usize)>,
}

/// Parses the lines of a batch in `format` and appends the records within `bounds` to `records`. With
/// `list_rejected`, all malformed lines are listed. `None` if there is no such format.
pub fn select(
    format: &str,
    lines: &Lines,
    bounds: &Bounds,
    list_rejected: bool,
    records: &mut Vec<Record>,
) -> Option<Selected> {
    dispatch(format, Select { lines, bounds, list_rejected, records })
}

struct Select<'a> {
    lines: &'a Lines,
    bounds: &'a Bounds,
    list_rejected: bool,
    records: &'a mut Vec<Record>,
}

impl FormatVisitor for Select<'_> {
    type Output = Selected;

    fn visit<F: LineFormat>(self) -> Selected {
        let mut selected = Selected::of(self.lines, self.list_rejected);
        let unit = self.lines.chunk.unit.unwrap_or(TimeUnit::Seconds);
        let mut out_of_window = 0;
        each_line(self.lines, |bytes, start, end| match judge::<F>(bytes, start, end, unit, self.bounds) {
            Verdict::Outside(..) => out_of_window += 1,
            Verdict::Keep(record) => {
                out_of_window += u64::from(record.time < self.bounds.first);
                self.records.push(record);
            }
            other => selected.note(other, self.lines, (start, end), self.list_rejected),
        });
        selected.balance.out_of_window += out_of_window;
        // Each line is in one class only, so those left over are the counted ones: no counter in the hot loop.
        selected.balance.counted = selected.balance.lines_read - selected.balance.lines_classified();
        selected
    }
}

impl Selected {
    /// The sheet of a batch none of whose lines has been judged yet, its over-long line aside.
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
            Verdict::Future => self.balance.future += 1,
            Verdict::Malformed(cause) => self.reject(cause, lines, line, list_rejected),
            Verdict::Outside(..) | Verdict::Keep(_) => {}
        }
    }

    fn reject(&mut self, cause: Cause, lines: &Lines, (start, end): (usize, usize), list_rejected: bool) {
        self.balance.reject(cause);
        if self.rejected.len() < SHOWN_REJECTED {
            let span = lines.chunk.span;
            let head = lines.chunk.bytes[start..end.min(start + SHOWN_BYTES)].to_vec();
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
    let mut start = first_line(bytes, lines.chunk.span.from);
    for &end in lines.ends.iter() {
        f(bytes, start, end as usize);
        start = end as usize + 1;
    }
}

#[inline]
pub(super) fn judge<F: LineFormat>(bytes: &[u8], start: usize, end: usize, unit: TimeUnit, bounds: &Bounds) -> Verdict {
    let (stamp, at) = match F::stamp(bytes, start, end) {
        Stamp::At(stamp, at) => (stamp, at),
        Stamp::Blank => return Verdict::Blank,
        Stamp::Bad => return Verdict::Malformed(Cause::BadStamp),
    };
    let time = unit.timestamp(stamp);
    if time < bounds.keep_from || time > bounds.last {
        return if time > bounds.future_after { Verdict::Future } else { Verdict::Outside(time, at) };
    }
    if time > bounds.future_after {
        return Verdict::Future;
    }
    match F::hosts(bytes, at, end) {
        Ok(hosts) => {
            let range = |(from, to): (usize, usize)| (from as u32, to as u32);
            Verdict::Keep(Record { time, from: range(hosts.from), to: range(hosts.to) })
        }
        // Where a line only serves to compare with the window before, it is outside whatever its hosts are.
        Err(_) if time < bounds.first => Verdict::Outside(time, at),
        Err(cause) => Verdict::Malformed(cause),
    }
}

/// The unit of an input by its first well-formed line in `bytes`; `None` if there is none.
pub fn detect_unit(format: &str, bytes: &[u8], from: u64) -> Option<TimeUnit> {
    struct Detect<'a>(&'a [u8], u64);
    impl FormatVisitor for Detect<'_> {
        type Output = Option<TimeUnit>;
        fn visit<F: LineFormat>(self) -> Option<TimeUnit> {
            let mut start = first_line(self.0, self.1);
            while start < self.0.len() {
                let end = memchr::memchr(b'\n', &self.0[start..]).map_or(self.0.len(), |at| start + at);
                if let Stamp::At(stamp, at) = F::stamp(self.0, start, end)
                    && F::hosts(self.0, at, end).is_ok()
                {
                    return Some(TimeUnit::by_magnitude(stamp));
                }
                start = end + 1;
            }
            None
        }
    }
    dispatch(format, Detect(bytes, from)).flatten()
}
