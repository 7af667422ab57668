//! Merges sorted pairs as they are read: the counts of a pair add up, and the pairs come in order.
//!
//! Not here: where the pairs come from. Invariant: each pair comes once, in order, with the sum of
//! its counts.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::io;

use super::pairs::{PairInput, PairReader};
use crate::model::Amount;

/// A source that is being read. Sources are ordered by the pair at hand, in reverse, since the heap
/// gives the greatest.
struct RunHead<R> {
    reader: PairReader<R>,
    /// Which group of sources it belongs to.
    group: usize,
}

impl<R> RunHead<R> {
    fn key(&self) -> (&[u8], &[u8]) {
        (&self.reader.first, &self.reader.second)
    }
}

impl<R> Ord for RunHead<R> {
    fn cmp(&self, other: &Self) -> Ordering {
        other.key().cmp(&self.key())
    }
}

impl<R> PartialOrd for RunHead<R> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<R> PartialEq for RunHead<R> {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl<R> Eq for RunHead<R> {}

/// Calls `f` with each pair of two groups of sources, each of them sorted, in order: the two names,
/// and what is counted in each group. Gives the number of pairs of all sources. Errors when reading or
/// `f` does, and with `InvalidData` where a count has more than 64 bits.
pub fn merge<R: PairInput>(
    sources: impl IntoIterator<Item = (usize, PairReader<R>)>,
    mut f: impl FnMut(&[u8], &[u8], [Amount; 2]) -> io::Result<()>,
) -> io::Result<u64> {
    let mut read = 0;
    let mut heads = BinaryHeap::new();
    for (group, mut reader) in sources {
        if reader.advance()? {
            heads.push(RunHead { reader, group });
        }
    }
    let (mut first, mut second, mut counts, mut any) = (Vec::new(), Vec::new(), [Amount::default(); 2], false);
    while let Some(mut head) = heads.peek_mut() {
        if !any || head.key() != (&first, &second) {
            if any {
                f(&first, &second, counts)?;
            }
            first.clone_from(&head.reader.first);
            second.clone_from(&head.reader.second);
            (counts, any) = ([Amount::default(); 2], true);
        }
        counts[head.group] = counts[head.group].checked_plus(&head.reader.amount).ok_or_else(too_many)?;
        read += 1;
        // The heap is put in order again when `head` goes.
        if !head.reader.advance()? {
            PeekMut::pop(head);
        }
    }
    if any {
        f(&first, &second, counts)?;
    }
    Ok(read)
}

fn too_many() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "a pair has more connections than a number of 64 bits can say")
}
