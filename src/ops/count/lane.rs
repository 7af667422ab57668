//! What one worker counts of one pane.
//!
//! Pairs of the first few hosts are counted in a small table, which is indexed by the numbers of
//! the hosts and reaches the pane when it closes; all others wait for the end of the batch, and
//! then go to the pane shard by shard. Invariant: between batches no pair waits.

use std::hint::black_box;
use std::sync::Arc;

use crate::model::Countable;
use crate::tally::hash::shard;
use crate::tally::pane::Pane;
use crate::tally::sweep;
use crate::tally::{Budget, HostId, Tally};

/// What a worker counts of one pane.
#[derive(Debug)]
pub(super) struct Lane {
    pane: Arc<Pane>,
    dense: Dense,
    /// By shard: pairs that wait for the end of the batch.
    waiting: Vec<Vec<Waiting>>,
    any_waiting: bool,
}

/// Connections per pair of the first hosts, in a table that is indexed rather than hashed: row
/// `from`, column `to`.
#[derive(Debug, Default)]
struct Dense {
    stride: usize,
    counts: Vec<u64>,
}

/// A pair that waits to be counted, once.
#[derive(Debug, Clone, Copy)]
struct Waiting {
    /// The lower half of its hash, which tells the place in a shard.
    hash: u32,
    from: HostId,
    to: HostId,
    /// Its record in the batch.
    record: u32,
}

/// The hosts up to which pairs are counted in an indexed table: 512 KiB at most. Their names are
/// never dropped.
const DENSE_HOSTS: usize = sweep::ALWAYS_KEPT;

/// The hosts by which an indexed table grows: in few steps, as each copies the table.
const STRIDE_STEP: usize = 32;

/// Pairs whose places are fetched before the first of them is counted: as many as stay in the
/// first-level cache.
const BLOCK: usize = 128;

/// The bytes that all indexed tables of a counter may take: beyond, tables that are mostly zeros
/// would cost more than they save.
pub(super) const DENSE_BYTES: usize = 8 << 20;

impl Lane {
    /// Nothing yet of a pane.
    pub fn new(pane: Arc<Pane>) -> Self {
        let waiting = vec![Vec::new(); pane.shards().len()];
        Lane { pane, dense: Dense::default(), waiting, any_waiting: false }
    }

    /// Counts a pair, of a record of the batch.
    #[inline(always)]
    pub fn add(&mut self, from: HostId, to: HostId, record: u32, dense_bytes: &mut usize, budget: &Budget) {
        if let Some(count) = self.dense.count_of(from, to) {
            *count += 1;
            return;
        }
        self.add_sparse(from, to, record, dense_bytes, budget);
    }

    /// Makes room in the indexed table for a pair of the first hosts; the others wait.
    fn add_sparse(&mut self, from: HostId, to: HostId, record: u32, dense_bytes: &mut usize, budget: &Budget) {
        let hosts = from.0.max(to.0) as usize + 1;
        if hosts <= DENSE_HOSTS && self.dense.grow(hosts, dense_bytes, budget) {
            self.dense.counts[from.0 as usize * self.dense.stride + to.0 as usize] += 1;
            return;
        }
        self.wait(from, to, record);
    }

    /// Has a pair counted at the end of the batch.
    pub fn wait(&mut self, from: HostId, to: HostId, record: u32) {
        let hash = self.pane.hash().of(from, to);
        self.waiting[shard(hash, self.pane.shards().len())].push(Waiting { hash: hash as u32, from, to, record });
        self.any_waiting = true;
    }

    /// Counts the pairs that wait, if there are any, each as `what` says of its record. Those for
    /// which there are no bytes are left.
    pub fn flush<A: Countable>(&mut self, tally: &Tally, left: &mut Vec<u32>, what: impl Fn(u32) -> A) {
        if !std::mem::take(&mut self.any_waiting) {
            return;
        }
        if let Some(marks) = tally.marks() {
            self.waiting.iter().flatten().for_each(|pair| marks.set_pair(pair.from, pair.to));
        }
        for (waiting, shard) in
            self.waiting.iter_mut().zip(self.pane.shards()).filter(|(waiting, _)| !waiting.is_empty())
        {
            let mut table = shard.write();
            for block in waiting.chunks(BLOCK) {
                // The places of some pairs are fetched first, since none of them depends on
                // another: in a large table nearly each fetch goes to memory, and counting pair by
                // pair would wait for each in turn.
                black_box(block.iter().fold(0, |sum, pair| sum ^ table.touch(u64::from(pair.hash))));
                for pair in block {
                    if !table.add(u64::from(pair.hash), pair.from, pair.to, what(pair.record), tally.budget()) {
                        left.push(pair.record);
                    }
                }
            }
            waiting.clear();
        }
    }

    /// Bytes of its indexed table.
    pub fn dense_bytes(&self) -> usize {
        self.dense.bytes()
    }

    /// Hands what it holds to the pane.
    pub fn hand_over(self) {
        if self.dense.stride > 0 {
            self.pane.add_all_anyway(|add| self.dense.for_each(add));
        }
    }
}

impl Dense {
    /// The count of a pair, if there is room for it. What is in a row without room lies behind the
    /// end.
    #[inline(always)]
    fn count_of(&mut self, from: HostId, to: HostId) -> Option<&mut u64> {
        let at = u64::from(from.0) * self.stride as u64 + u64::from(to.0);
        let count = self.counts.get_mut(usize::try_from(at).ok()?)?;
        ((to.0 as usize) < self.stride).then_some(count)
    }

    /// Makes room for this many hosts, if that is worth the memory and it is left. Gives whether
    /// there is room.
    #[cold]
    fn grow(&mut self, hosts: usize, all_bytes: &mut usize, budget: &Budget) -> bool {
        let stride = hosts.next_multiple_of(STRIDE_STEP);
        let more = (stride * stride - self.counts.len()) * size_of::<u64>();
        if *all_bytes + more > DENSE_BYTES || !budget.take(more) {
            return false;
        }
        *all_bytes += more;
        let mut wider = Dense { stride, counts: vec![0; stride * stride] };
        self.for_each(|from, to, count| wider.counts[from.0 as usize * stride + to.0 as usize] = count);
        *self = wider;
        true
    }

    fn bytes(&self) -> usize {
        self.counts.len() * size_of::<u64>()
    }

    fn for_each(&self, mut f: impl FnMut(HostId, HostId, u64)) {
        for (from, row) in (0..).zip(self.counts.chunks_exact(self.stride.max(1))) {
            for (to, &count) in (0..).zip(row).filter(|(_, count)| **count > 0) {
                f(HostId(from), HostId(to), count);
            }
        }
    }
}
