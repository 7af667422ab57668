//! Where the bytes of a kind are in a line, told block by block as they are asked for.
//!
//! Not here: what these bytes mean. Invariant: a block is looked at once for a run of questions that
//! go forward, and the answer is that of looking at each byte.

use crate::model::lanes::{Lanes, WIDE, block};

/// A kind of bytes.
pub trait ByteMark: Copy {
    /// Which bytes of a block are of the kind.
    fn mask(self, lanes: impl Lanes, block: &[u8; WIDE]) -> u64;
}

/// A byte.
#[derive(Debug, Clone, Copy)]
pub struct Byte(pub u8);

impl ByteMark for Byte {
    #[inline(always)]
    fn mask(self, lanes: impl Lanes, block: &[u8; WIDE]) -> u64 {
        lanes.equal(block, self.0)
    }
}

/// Any of some bytes.
#[derive(Debug, Clone, Copy)]
pub struct AnyOf<const N: usize>(pub [u8; N]);

impl<const N: usize> ByteMark for AnyOf<N> {
    #[inline(always)]
    fn mask(self, lanes: impl Lanes, block: &[u8; WIDE]) -> u64 {
        let mut mask = 0;
        for byte in self.0 {
            mask |= lanes.equal(block, byte);
        }
        mask
    }
}

/// Marked bytes of a line.
#[derive(Debug, Clone, Copy)]
pub struct MarkScan<'a, L, M> {
    line: &'a [u8],
    lanes: L,
    mark: M,
    /// Where the block begins that was looked at last.
    base: usize,
    /// What is marked in it.
    mask: u64,
}

impl<'a, L: Lanes, M: ByteMark> MarkScan<'a, L, M> {
    /// Of this line.
    #[inline(always)]
    pub fn new(line: &'a [u8], lanes: L, mark: M) -> Self {
        MarkScan { line, lanes, mark, base: usize::MAX, mask: 0 }
    }

    /// The first marked byte at or behind `from`; the line's length if there is none.
    #[inline(always)]
    pub fn next(&mut self, from: usize) -> usize {
        let base = from - from % WIDE;
        if base != self.base {
            self.look(base);
        }
        let mut mask = self.mask & (u64::MAX << (from % WIDE));
        while mask == 0 {
            let next = self.base + WIDE;
            if next >= self.line.len() {
                return self.line.len();
            }
            self.look(next);
            mask = self.mask;
        }
        self.base + mask.trailing_zeros() as usize
    }

    /// Looks at the block that begins at `base`, a multiple of its size; behind the line nothing is
    /// marked.
    #[inline(always)]
    fn look(&mut self, base: usize) {
        self.base = base;
        self.mask = mask_at(self.line, self.lanes, self.mark, base);
    }
}

/// What is marked in the block that begins at `base`; behind the line nothing is.
#[inline(always)]
pub fn mask_at<L: Lanes>(line: &[u8], lanes: L, mark: impl ByteMark, base: usize) -> u64 {
    match block(line, base) {
        Some(whole) => mark.mask(lanes, whole),
        None => last_mask(line, lanes, mark, base),
    }
}

/// The same where the line ends within the block.
#[inline(always)]
fn last_mask<L: Lanes>(line: &[u8], lanes: L, mark: impl ByteMark, base: usize) -> u64 {
    let left = line.len().saturating_sub(base);
    if left == 0 {
        return 0;
    }
    // The last bytes of a long line are a block, too.
    if let Some(last) = line.last_chunk() {
        return mark.mask(lanes, last) >> (WIDE - left);
    }
    let mut padded = [0; WIDE];
    for (to, from) in padded.iter_mut().zip(line.iter().skip(base)) {
        *to = *from;
    }
    mark.mask(lanes, &padded) & (u64::MAX >> (WIDE - left))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::lanes::Baseline;
    use proptest::prelude::*;

    #[test]
    fn nothing_is_behind_the_line() {
        for length in [0, 64, 1024, 2048] {
            let line = vec![b','; length];
            assert_eq!(MarkScan::new(&line, Baseline, Byte(b',')).next(length), length);
        }
    }

    proptest! {
        #[test]
        fn marks_are_those_of_a_loop(
            line in proptest::collection::vec(prop_oneof![90 => Just(b'x'), 1 => Just(0u8), 1 => Just(b',')], 0..3000),
            from in proptest::collection::vec(0usize..3000, 1..20),
        ) {
            let mut commas = MarkScan::new(&line, Baseline, Byte(b','));
            let mut both = MarkScan::new(&line, Baseline, AnyOf([b',', 0]));
            for from in from.into_iter().filter(|from| *from <= line.len()) {
                let first = |is: fn(u8) -> bool| (from..line.len()).find(|at| is(line[*at])).unwrap_or(line.len());
                prop_assert_eq!(commas.next(from), first(|byte| byte == b','));
                prop_assert_eq!(both.next(from), first(|byte| byte == b',' || byte == 0));
            }
        }
    }
}
