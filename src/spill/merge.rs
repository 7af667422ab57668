//! Merges runs as they are read: the counts of a pair add up, and the pairs come in order.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::io;

use super::run::{Reader, Run};
use crate::model::Side;

/// A run that is being read, ordered by the pair at hand, lowest highest: the heap gives the highest.
struct Head {
    reader: Reader,
    /// Which group of runs it belongs to.
    group: usize,
}

impl Head {
    fn key(&self) -> (&[u8], &[u8]) {
        (&self.reader.first, &self.reader.second)
    }
}

impl Ord for Head {
    fn cmp(&self, other: &Self) -> Ordering {
        other.key().cmp(&self.key())
    }
}

impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Head {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Head {}

/// Calls `f` with each pair of two groups of runs, in the order of the host on `side`: the names in that order, and the
/// count in each group.
pub(super) fn merge(
    groups: [&[Run]; 2],
    side: Side,
    mut f: impl FnMut(&[u8], &[u8], [u64; 2]) -> io::Result<()>,
) -> io::Result<()> {
    let mut heads = BinaryHeap::new();
    for (group, runs) in groups.into_iter().enumerate() {
        for run in runs {
            let mut reader = Reader::new(run, side);
            if reader.advance()? {
                heads.push(Head { reader, group });
            }
        }
    }
    let (mut first, mut second, mut counts, mut any) = (Vec::new(), Vec::new(), [0; 2], false);
    while let Some(mut head) = heads.peek_mut() {
        if !any || head.key() != (&first, &second) {
            if any {
                f(&first, &second, counts)?;
            }
            first.clone_from(&head.reader.first);
            second.clone_from(&head.reader.second);
            (counts, any) = ([0; 2], true);
        }
        counts[head.group] += head.reader.count;
        // The heap is put in order again when `head` goes.
        if !head.reader.advance()? {
            PeekMut::pop(head);
        }
    }
    if any { f(&first, &second, counts) } else { Ok(()) }
}
