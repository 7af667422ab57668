//! Drops the names that no pane holds, a little at a time, while counting goes on.
//!
//! First the hosts of all pairs are marked, shard by shard; whoever counts a pair meanwhile marks its hosts too. Then the
//! names without a mark are dropped, one table of hosts after the other. Numbers stay, so that no pair is touched, and
//! those of dropped names are given out again.
//! Invariant: while nobody counts, every host of a pair has a mark, or the shard of the pair is still to be looked through.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use super::host::{HostId, Hosts, SHARDS};
use super::names::BLOCK;
use super::pane::Pane;

/// Hosts with lower numbers are never dropped: their pairs are counted apart, in tables that nobody looks through.
pub const ALWAYS_KEPT: usize = 256;

/// Blocks of names that are cleared at a time.
const BLOCKS: usize = (1 << 16) / BLOCK;

/// By number of a host: whether its name is in use. Hosts behind the last are too.
#[derive(Debug)]
pub struct Marks(Box<[AtomicU64]>);

impl Marks {
    /// None, for hosts of numbers below `end`.
    fn new(end: usize) -> Self {
        let marks = Marks((0..end.div_ceil(64)).map(|_| AtomicU64::new(0)).collect());
        (0..ALWAYS_KEPT as u32).for_each(|id| marks.set(HostId(id)));
        marks
    }

    /// Marks both hosts of a pair.
    #[inline]
    pub fn set_pair(&self, from: HostId, to: HostId) {
        self.set(from);
        self.set(to);
    }

    fn set(&self, id: HostId) {
        let bit = 1 << (id.0 % 64);
        // Most hosts are marked many times, by all who count.
        if let Some(word) = self.0.get(id.0 as usize / 64)
            && word.load(Ordering::Relaxed) & bit == 0
        {
            word.fetch_or(bit, Ordering::Relaxed);
        }
    }

    fn has(&self, id: HostId) -> bool {
        self.0.get(id.0 as usize / 64).is_none_or(|word| word.load(Ordering::Relaxed) & (1 << (id.0 % 64)) != 0)
    }
}

/// A sweep that is under way. One that is given up leaves the tally as good as before.
#[derive(Debug)]
pub struct Sweep {
    pub(super) marks: Arc<Marks>,
    /// What is to be looked through: panes, each with its next shard. Those that the tally drops meanwhile are gone.
    panes: Vec<(Weak<Pane>, usize)>,
    next: Next,
}

/// What is dropped next.
#[derive(Debug, Clone, Copy)]
enum Next {
    /// The names of a table.
    Table(usize),
    /// What they have left in the blocks from this one on.
    Block(usize),
}

impl Sweep {
    /// Of hosts with numbers below `end`, whose pairs are in these panes.
    pub(super) fn new(end: usize, panes: impl Iterator<Item = Weak<Pane>>) -> Self {
        Sweep { marks: Arc::new(Marks::new(end)), panes: panes.map(|pane| (pane, 0)).collect(), next: Next::Table(0) }
    }

    /// Marks the hosts of the next shard's pairs, which nobody changes meanwhile. Whether there was one.
    pub fn mark_some(&mut self) -> bool {
        while let Some((pane, next)) = self.panes.last_mut() {
            if let Some(pane) = pane.upgrade()
                && let Some(shard) = pane.shards().get(*next)
            {
                shard.read().for_each_place(|from, to| self.marks.set_pair(from, to));
                *next += 1;
                return true;
            }
            self.panes.pop();
        }
        false
    }

    /// Once all is marked: drops the names of a table without a mark, or clears away some of what they have left. Whether
    /// there is more to do.
    pub(super) fn drop_some(&mut self, hosts: &mut Hosts) -> bool {
        let next = match self.next {
            Next::Table(table) => {
                hosts.drop_names(table, |id| self.marks.has(id));
                Some(if table + 1 < SHARDS { Next::Table(table + 1) } else { Next::Block(0) })
            }
            Next::Block(first) => hosts.clear_away(first, BLOCKS).map(Next::Block),
        };
        self.next = next.unwrap_or(self.next);
        next.is_some()
    }
}
