//! The fields of a line: where they stand between separators.
//!
//! Not here: what the first of them means (`plain`). Invariant: the quick way through a line finds
//! what the slow one does, or nothing.

use std::num::NonZero;

use crate::format::line::HostRanges;
use crate::model::Cause;
use crate::model::lanes::{Baseline, Lanes, MIDDLE, WIDE, block};

/// Bytes of the block that most pairs of long names fit.
const LONG: usize = 2 * WIDE;

/// Whether a byte stands between fields.
#[inline(always)]
pub fn is_separator(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

/// The hosts of a line that go from `start` to `end`, where a newline or a carriage return stands,
/// if they are of the common kind: two names of ordinary bytes with one separator between them, and
/// nothing behind.
#[inline(always)]
pub fn common_hosts(bytes: &[u8], start: usize, end: usize) -> Option<HostRanges> {
    let length = end.checked_sub(start)?;
    let gap = match block::<WIDE>(bytes, start) {
        Some(_) if length >= WIDE => gap_of_long_pair(Baseline, bytes, start, length),
        Some(block) => gap_of_pair(block, length, odd_bytes(Baseline, block, length)),
        // Of the last lines of a chunk.
        None => {
            let block = block::<MIDDLE>(bytes, start)?;
            gap_of_pair(block, length, Baseline.at_most(block, b' ').into())
        }
    };
    Some(host_ranges(start, gap?, end))
}

/// Which bytes are white space or odd, up to and with the one at `length`. Most pairs of names are
/// short, and half a block tells.
#[inline(always)]
pub fn odd_bytes(lanes: impl Lanes, block: &[u8; WIDE], length: usize) -> u64 {
    match block.first_chunk::<MIDDLE>() {
        Some(half) if length < MIDDLE => lanes.at_most(half, b' ').into(),
        _ => lanes.at_most_wide(block, b' '),
    }
}

/// Where the separator between two names stands that a block begins with and that end at `length`,
/// if `odd` says that they are of the common kind: the one odd byte before their end is a separator
/// between them.
#[inline(always)]
pub fn gap_of_pair<const SIZE: usize>(block: &[u8; SIZE], length: usize, odd: u64) -> Option<usize> {
    let before_end = odd & !(u64::MAX << (length % WIDE));
    let gap = NonZero::new(before_end)?.trailing_zeros() as usize;
    let is_common = length < SIZE && before_end & (before_end - 1) == 0 && gap > 0 && gap + 1 < length;
    (is_common && is_separator(block[gap % SIZE])).then_some(gap)
}

/// As `gap_of_pair`, of two names that are too long for a wide block and begin at `start`.
#[inline(never)]
pub fn gap_of_long_pair(lanes: impl Lanes, bytes: &[u8], start: usize, length: usize) -> Option<usize> {
    let (&[first, second], _) = block::<LONG>(bytes, start)?.as_chunks::<WIDE>() else { return None };
    let odd = lanes.within(
        #[inline(always)]
        || u128::from(lanes.at_most_wide(&first, b' ')) | u128::from(lanes.at_most_wide(&second, b' ')) << WIDE,
    );
    let gap = odd.trailing_zeros() as usize;
    let end = (odd & odd.saturating_sub(1)).trailing_zeros() as usize;
    (end == length && gap > 0 && gap + 1 < end && is_separator(bytes[start + gap])).then_some(gap)
}

/// The hosts that begin at `start`, with a separator `gap` bytes behind, and end at `end`.
#[inline(always)]
pub fn host_ranges(start: usize, gap: usize, end: usize) -> HostRanges {
    HostRanges { from: (start, start + gap), to: (start + gap + 1, end) }
}

/// Where a line that begins at `start` ends without the carriage return that it may have.
#[inline(always)]
pub fn before_carriage(bytes: &[u8], start: usize, end: usize) -> usize {
    if end > start && bytes[end - 1] == b'\r' { end - 1 } else { end }
}

/// The hosts of a line that is not the common kind: long names, runs of separators, odd bytes, or
/// malformed. `end` is before a carriage return.
#[inline(never)]
pub fn slow_hosts(bytes: &[u8], at: usize, end: usize) -> Result<HostRanges, Cause> {
    let from = field(bytes, at, end)?;
    let to = field(bytes, from.1, end)?;
    if to.1 < end && skip_separators(bytes, to.1, end) < end {
        return Err(Cause::TooManyFields);
    }
    Ok(HostRanges { from, to })
}

/// The next field after the separators at `at`. Where no separator stands the line has ended too
/// early; where one does and nothing follows, a host was announced and is empty.
#[inline]
fn field(bytes: &[u8], at: usize, end: usize) -> Result<(usize, usize), Cause> {
    if at == end {
        return Err(Cause::TooFewFields);
    }
    let start = skip_separators(bytes, at, end);
    if start == end {
        return Err(Cause::EmptyHost);
    }
    let stop = field_end(bytes, start, end);
    if stop < end && bytes[stop] == 0 {
        return Err(Cause::Nul);
    }
    Ok((start, stop))
}

/// The first byte from `at` on that is no separator, or `end`.
#[inline]
pub fn skip_separators(bytes: &[u8], mut at: usize, end: usize) -> usize {
    while at < end && is_separator(bytes[at]) {
        at += 1;
    }
    at
}

/// The first separator or zero byte from `at` on, or `end`.
#[inline]
pub fn field_end(bytes: &[u8], mut at: usize, end: usize) -> usize {
    // Eight bytes at a time, past the line's end where the chunk goes on: the newline there stops
    // the search too.
    while let Some(eight) = bytes.get(at..at + 8) {
        let Ok(eight) = <[u8; 8]>::try_from(eight) else { break };
        let word = u64::from_le_bytes(eight);
        // The high bit of each byte below 0x21. A borrow can only spoil bytes above a true hit; the
        // lowest is exact.
        let low = word.wrapping_sub(0x2121_2121_2121_2121) & !word & 0x8080_8080_8080_8080;
        if low == 0 {
            at += 8;
            continue;
        }
        at += low.trailing_zeros() as usize / 8;
        if at >= end || matches!(bytes[at], b' ' | b'\t' | 0) {
            return at.min(end);
        }
        at += 1;
    }
    while at < end && !matches!(bytes[at], b' ' | b'\t' | 0) {
        at += 1;
    }
    at.min(end)
}
