//! Chunk to lines: finds the newlines.
//!
//! Not here: which lines are too long (`select`). Invariant: the lines and their newlines are all
//! of the chunk's bytes.

use crate::model::lanes::{Lanes, WIDE, on_widest_lanes};

/// A byte order mark, which some editors put before the first line.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Blocks whose line ends are collected before they are appended.
const FOUND: usize = 32;

/// Appends to `ends` where each line of `bytes` ends: at its newline, or at the end of the bytes.
/// Offsets are 32 bits wide, as a chunk is far below 4 GiB.
pub fn split(bytes: &[u8], ends: &mut Vec<u32>) {
    on_widest_lanes!(lanes => split_on(lanes, bytes, ends));
}

fn split_on(lanes: impl Lanes, bytes: &[u8], ends: &mut Vec<u32>) {
    let (blocks, rest) = bytes.as_chunks::<WIDE>();
    lanes.within(
        #[inline(always)]
        || newlines(lanes, blocks, ends),
    );
    let start = bytes.len() - rest.len();
    ends.extend(memchr::memchr_iter(b'\n', rest).map(|at| (start + at) as u32));
    if bytes.last().is_some_and(|&last| last != b'\n') {
        ends.push(bytes.len() as u32);
    }
}

/// Appends where the newlines of the blocks are.
#[inline(always)]
fn newlines(lanes: impl Lanes, blocks: &[[u8; WIDE]], ends: &mut Vec<u32>) {
    // A line end is written to an array first, which has room for those of many blocks.
    let (mut found, mut start) = ([0u32; FOUND * WIDE], 0u32);
    for blocks in blocks.chunks(FOUND) {
        let mut places = found.iter_mut();
        for block in blocks {
            let mut newlines = lanes.equal(block, b'\n');
            while newlines != 0 {
                let Some(place) = places.next() else { break };
                *place = start + newlines.trailing_zeros();
                newlines &= newlines - 1;
            }
            start = start.wrapping_add(WIDE as u32);
        }
        let room = places.len();
        ends.extend_from_slice(&found[..FOUND * WIDE - room]);
    }
}

/// Where the first line of a chunk begins: after a byte order mark, if the chunk is the first of
/// its input.
pub fn first_line(bytes: &[u8], from: u64) -> usize {
    if from == 0 && bytes.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::lanes::Baseline;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn lines_are_those_of_splitting_at_newlines(bytes in proptest::collection::vec(prop_oneof![1 => Just(b'\n'), 3 => Just(b'a')], 0..3_000)) {
            let (mut ends, mut on_baseline) = (Vec::new(), Vec::new());
            split(&bytes, &mut ends);
            split_on(Baseline, &bytes, &mut on_baseline);
            prop_assert_eq!(&ends, &on_baseline);
            let mut oracle: Vec<&[u8]> = bytes.split(|b| *b == b'\n').collect();
            if oracle.last().is_some_and(|last| last.is_empty()) {
                oracle.pop();
            }
            let mut start = 0;
            let lines: Vec<&[u8]> = ends.iter().map(|&end| {
                let line = &bytes[start..end as usize];
                start = end as usize + 1;
                line
            }).collect();
            prop_assert_eq!(lines, oracle);
        }
    }

    #[test]
    fn b5_a_byte_order_mark_is_skipped_at_the_start_of_an_input_only() {
        assert_eq!(first_line(b"\xef\xbb\xbf17 a b\n", 0), 3);
        assert_eq!(first_line(b"\xef\xbb\xbf17 a b\n", 10), 0);
    }
}
