//! The part of a balance sheet that tallies hold, in the order of their format, whatever else a
//! sheet may get.
//!
//! Not here: numbers that only a run that follows its inputs can have.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::model::{Balance, Cause};

/// Causes of malformed lines that the first two versions of the format know.
const FIRST_CAUSES: usize = 6;

#[derive(Serialize, Deserialize)]
struct CountedLines {
    lines_read: u64,
    counted: u64,
    overflowed: u64,
    out_of_window: u64,
    late: u64,
    future: u64,
    malformed: [u64; FIRST_CAUSES],
    blank: u64,
    bytes_read: u64,
    bytes_skipped: u64,
    bytes_total: u64,
    bytes_unread: u64,
    unterminated: u64,
    inputs: u64,
}

pub(super) fn serialize<S: Serializer>(balance: &Balance, to: S) -> Result<S::Ok, S::Error> {
    let lines = CountedLines {
        lines_read: balance.lines_read,
        counted: balance.counted,
        overflowed: balance.overflowed,
        out_of_window: balance.out_of_window,
        late: balance.late,
        future: balance.future,
        malformed: std::array::from_fn(|cause| balance.malformed[cause]),
        blank: balance.blank,
        bytes_read: balance.bytes_read,
        bytes_skipped: balance.bytes_skipped,
        bytes_total: balance.bytes_total,
        bytes_unread: balance.bytes_unread,
        unterminated: balance.unterminated,
        inputs: balance.inputs,
    };
    lines.serialize(to)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Balance, D::Error> {
    let lines = CountedLines::deserialize(from)?;
    let mut malformed = [0; Cause::ALL.len()];
    malformed[..FIRST_CAUSES].copy_from_slice(&lines.malformed);
    Ok(Balance {
        lines_read: lines.lines_read,
        counted: lines.counted,
        overflowed: lines.overflowed,
        out_of_window: lines.out_of_window,
        late: lines.late,
        future: lines.future,
        malformed,
        blank: lines.blank,
        bytes_read: lines.bytes_read,
        bytes_skipped: lines.bytes_skipped,
        bytes_total: lines.bytes_total,
        bytes_unread: lines.bytes_unread,
        unterminated: lines.unterminated,
        inputs: lines.inputs,
        ..Balance::default()
    })
}
