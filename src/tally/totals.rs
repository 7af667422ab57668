//! Connections and distinct peers of all hosts over some pairs, on either side; or the connections
//! alone.
//!
//! They are made of pairs at once, or kept running as pairs come and go (`sliding`). Not here: names.
//! Invariant: a host's peers are the pairs that it is in on that side.

use super::names::HostId;
use crate::model::{Amount, PerMeasure};

/// Connections and distinct peers of hosts, by their number, once for each side.
#[derive(Debug, Default, Clone)]
pub struct Totals {
    counts: [Vec<(u64, u64)>; 2],
    /// What their measures come to; empty if there are none.
    sums: [Vec<PerMeasure>; 2],
}

impl Totals {
    /// Of no pairs yet, for hosts with numbers below `end`.
    pub(super) fn new(end: usize) -> Self {
        Totals { counts: [vec![(0, 0); end], vec![(0, 0); end]], sums: Default::default() }
    }

    /// Makes room for hosts with numbers below `end`.
    pub(super) fn reach(&mut self, end: usize) {
        self.counts.iter_mut().filter(|side| side.len() < end).for_each(|side| side.resize(end, (0, 0)));
    }

    /// Makes room for sums of hosts with numbers below `end`.
    pub(super) fn reach_sums(&mut self, end: usize) {
        let zero = PerMeasure::default();
        self.sums.iter_mut().filter(|side| side.len() < end).for_each(|side| side.resize(end, zero));
    }

    /// Adds the sums of a pair.
    pub(super) fn add_sums(&mut self, from: HostId, to: HostId, sums: PerMeasure) {
        let [sources, servers] = &mut self.sums;
        sources[from.0 as usize] += sums;
        servers[to.0 as usize] += sums;
    }

    /// Takes the sums of a pair off that were added.
    pub(super) fn take_off_sums(&mut self, from: HostId, to: HostId, sums: PerMeasure) {
        let [sources, servers] = &mut self.sums;
        sources[from.0 as usize] -= sums;
        servers[to.0 as usize] -= sums;
    }

    /// Adds connections of a pair, which is new to them or not.
    #[inline(always)]
    pub(super) fn add(&mut self, from: HostId, to: HostId, count: u64, is_new: bool) {
        let [sources, servers] = &mut self.counts;
        for total in [&mut sources[from.0 as usize], &mut servers[to.0 as usize]] {
            *total = (total.0 + count, total.1 + u64::from(is_new));
        }
    }

    /// Takes connections of a pair off that were added; with them the pair is gone or not.
    #[inline(always)]
    pub(super) fn take_off(&mut self, from: HostId, to: HostId, count: u64, is_gone: bool) {
        let [sources, servers] = &mut self.counts;
        for total in [&mut sources[from.0 as usize], &mut servers[to.0 as usize]] {
            *total = (total.0 - count, total.1 - u64::from(is_gone));
        }
    }

    /// The totals of two sets of pairs that have none in common.
    pub fn join(mut self, other: Self) -> Self {
        for (mine, theirs) in self.counts.iter_mut().flatten().zip(other.counts.iter().flatten()) {
            *mine = (mine.0 + theirs.0, mine.1 + theirs.1);
        }
        for (mine, theirs) in self.sums.iter_mut().flatten().zip(other.sums.iter().flatten()) {
            *mine += *theirs;
        }
        self
    }

    /// What is counted of a host: of what it made, and of what it received.
    pub(super) fn amounts(&self, host: HostId) -> [Amount; 2] {
        [0, 1].map(|side| Amount {
            connections: self.counts[side].get(host.0 as usize).map_or(0, |total| total.0),
            sums: self.sums_of(side, host),
        })
    }

    /// The hosts that have any, with their connections and peers: on side 0 those that connected, on
    /// side 1 those that were connected to.
    pub(super) fn of_side(&self, side: usize) -> impl Iterator<Item = (HostId, u64, u64)> {
        let totals = self.counts[side].iter().enumerate().filter(|(_, total)| total.0 > 0);
        totals.map(|(id, &(connections, peers))| (HostId(id as u32), connections, peers))
    }

    /// What the measures of a host come to on a side.
    pub(super) fn sums_of(&self, side: usize, host: HostId) -> PerMeasure {
        self.sums[side].get(host.0 as usize).copied().unwrap_or_default()
    }
}

/// Connections of hosts, by their number, once for each side.
#[derive(Debug, Default, Clone)]
pub(super) struct Connections([Vec<u64>; 2]);

impl Connections {
    /// Makes room for hosts with numbers below `end`.
    pub fn reach(&mut self, end: usize) {
        self.0.iter_mut().filter(|side| side.len() < end).for_each(|side| side.resize(end, 0));
    }

    /// Adds connections of a pair.
    #[inline(always)]
    pub fn add(&mut self, from: HostId, to: HostId, count: u64) {
        let [sources, servers] = &mut self.0;
        sources[from.0 as usize] += count;
        servers[to.0 as usize] += count;
    }

    /// Takes connections of a pair off. Gives whether both hosts have as many; if not, nothing is
    /// taken off.
    #[inline(always)]
    pub fn take_off(&mut self, from: HostId, to: HostId, count: u64) -> bool {
        let [sources, servers] = &mut self.0;
        let (Some(source), Some(server)) = (sources.get_mut(from.0 as usize), servers.get_mut(to.0 as usize)) else {
            return false;
        };
        let have_as_many = *source >= count && *server >= count;
        if have_as_many {
            (*source, *server) = (*source - count, *server - count);
        }
        have_as_many
    }

    /// The hosts that have any, with their connections, on a side as that of `Totals`.
    pub fn of_side(&self, side: usize) -> impl Iterator<Item = (HostId, u64)> {
        let connections = self.0[side].iter().enumerate().filter(|(_, connections)| **connections > 0);
        connections.map(|(id, &connections)| (HostId(id as u32), connections))
    }
}
