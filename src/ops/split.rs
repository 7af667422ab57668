//! Chunk to lines: finds the newlines.
//!
//! Not here: which lines are too long (`select`). Invariant: the lines and their newlines are all
//! of the chunk's bytes.

use crate::model::lanes::{WIDE, equal};

/// A byte order mark, which some editors put before the first line.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Line ends that are collected before they are appended: more than a block can hold.
const FOUND: usize = 512;

/// Appends to `ends` where each line of `bytes` ends: at its newline, or at the end of the bytes.
/// Offsets are 32 bits wide, as a chunk is far below 4 GiB.
pub fn split(bytes: &[u8], ends: &mut Vec<u32>) {
    let (blocks, rest) = bytes.as_chunks::<WIDE>();
    // A line end is written to a small array first, which needs no check for room or bounds.
    let (mut found, mut count) = ([0u32; FOUND], 0);
    for (at, block) in blocks.iter().enumerate() {
        let mut newlines = equal(block, b'\n');
        while newlines != 0 {
            found[count % FOUND] = (at * WIDE) as u32 + newlines.trailing_zeros();
            count += 1;
            newlines &= newlines - 1;
        }
        if count > FOUND - WIDE {
            ends.extend_from_slice(&found[..count]);
            count = 0;
        }
    }
    ends.extend_from_slice(&found[..count]);
    let start = bytes.len() - rest.len();
    ends.extend(memchr::memchr_iter(b'\n', rest).map(|at| (start + at) as u32));
    if bytes.last().is_some_and(|&last| last != b'\n') {
        ends.push(bytes.len() as u32);
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
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn lines_are_those_of_splitting_at_newlines(bytes in proptest::collection::vec(prop_oneof![1 => Just(b'\n'), 3 => Just(b'a')], 0..3_000)) {
            let mut ends = Vec::new();
            split(&bytes, &mut ends);
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
