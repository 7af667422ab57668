//! The year in which a file ends whose stamps have none: that of its last line, whenever it was copied.
//!
//! Not here: how a year is found that is not after another time (`format::stamps`). Invariant: a file
//! of less than eleven months has the same years however late it was last written to, but for the
//! whole years in between.

use std::os::unix::fs::FileExt;

use super::local::open;
use crate::format::LineRules;
use crate::model::time::SECOND;
use crate::ops::scan::{Block, last_stamp};
use crate::source::Input;

/// Bytes at the end of a file that are looked at.
const TAIL: usize = 64 << 10;

/// By how much a line may be later than the last one, in nanoseconds.
const BACK: i64 = 31 * DAY;

const DAY: i64 = 24 * 3_600 * SECOND;

/// How the lines of a file are read, where no stamp without a year is much later than its last one.
/// What ends otherwise, or is compressed, is read as it was to be.
pub(super) fn up_to_its_end(input: &Input, rules: LineRules) -> LineRules {
    let Some(latest) = rules.schema.latest() else { return rules };
    let Some(tail) = tail(input) else { return rules };
    let last = |rules: &LineRules| last_stamp(Block { bytes: &tail, from: 0, rules });
    // Only stamps without a year change with the time at which the file was written to.
    let long_before = latest.minus(800 * DAY);
    match (last(&rules), last(&rules.up_to(long_before))) {
        (Some(end), Some(before)) if before < end => rules.up_to(latest.min(end.plus(BACK))),
        _ => rules,
    }
}

/// The lines at the end of a file that is not compressed.
fn tail(input: &Input) -> Option<Vec<u8>> {
    let (file, size) = open(input)?;
    let from = size.saturating_sub(TAIL as u64);
    let mut bytes = vec![0; usize::try_from(size - from).ok()?];
    file.read_exact_at(&mut bytes, from).ok()?;
    let lines = if from == 0 { 0 } else { memchr::memchr(b'\n', &bytes)? + 1 };
    Some(bytes.split_off(lines))
}
