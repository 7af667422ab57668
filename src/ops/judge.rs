//! What one line is: the general step, which judges any line by itself.
//!
//! Every line falls into exactly one class, tested in this order: too long, blank, other, bad
//! timestamp, future, out of window, filtered, otherwise malformed, to keep. The hosts of a line in the future or outside
//! the window are not looked at. Not here: runs of lines that are alike (`runs`), which tell the
//! same in less time.

use crate::batch::{Lines, Record};
use crate::format::{HostRanges, LineFormat, NoRecord, Stamp};
use crate::model::{Cause, Timestamp};

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
    /// Known to be no record.
    Other,
    Malformed(Cause),
    Future,
    /// A record that is not asked for.
    Filtered,
    /// Out of the bounds, with where its hosts begin.
    Outside(Timestamp, usize),
    Keep(Record),
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
    pub keep: (Timestamp, Timestamp),
    first: Timestamp,
    /// The highest instant that is not in the future.
    pub present: Timestamp,
    /// Bytes that a line may have.
    pub max_line: usize,
    /// Where the first line's stamp may begin, if not at its start.
    skip: usize,
}

impl Judge {
    /// For the lines of a batch.
    pub fn of(lines: &Lines, bounds: &Bounds) -> Self {
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
    pub fn line<F: LineFormat>(
        &self,
        format: &F,
        scratch: &mut F::Scratch,
        bytes: &[u8],
        (start, end): (usize, usize),
    ) -> Verdict {
        if end - start > self.max_line {
            return Verdict::Malformed(Cause::TooLong);
        }
        let (time, at) = match format.stamp(scratch, bytes, start, end) {
            Stamp::At(time, at) => (time, at),
            _ => match self.odd_stamp(format, scratch, bytes, (start, end)) {
                Stamp::At(time, at) => (time, at),
                Stamp::Blank => return Verdict::Blank,
                // Whatever the bounds are.
                Stamp::TooLate(_) => return Verdict::Future,
                Stamp::TooEarly(at) => return Verdict::Outside(Timestamp::MIN, at),
                Stamp::Other => return Verdict::Other,
                Stamp::Bad(cause) => return Verdict::Malformed(cause),
            },
        };
        if time < self.keep.0 || time > self.keep.1 {
            return if time > self.present { Verdict::Future } else { Verdict::Outside(time, at) };
        }
        match format.hosts(scratch, bytes, at, end) {
            Ok(hosts) => Verdict::Keep(record(time, hosts)),
            // Where a line only serves to compare with the window before, it is outside whatever
            // its hosts are.
            Err(_) if time < self.first => Verdict::Outside(time, at),
            Err(NoRecord::Malformed(cause)) => Verdict::Malformed(cause),
            Err(NoRecord::Filtered) => Verdict::Filtered,
        }
    }

    /// The stamp of a line that does not begin with one: a byte order mark may stand before it.
    #[cold]
    fn odd_stamp<F: LineFormat>(
        &self,
        format: &F,
        scratch: &mut F::Scratch,
        bytes: &[u8],
        (start, end): (usize, usize),
    ) -> Stamp {
        let skip = if start == 0 { self.skip.min(end) } else { start };
        format.stamp(scratch, bytes, skip, end)
    }
}

/// The record of an instant and two hosts, which have offsets of 32 bits.
#[inline(always)]
pub(super) fn record(time: Timestamp, hosts: HostRanges) -> Record {
    let range = |(from, to): (usize, usize)| (from as u32, to as u32);
    Record { time, from: range(hosts.from), to: range(hosts.to) }
}
