//! The merged view of one window that report functions read.
//!
//! Hosts are numbered here in the order of their names, so that ordering by number is ordering by name.
//! Invariant: pairs are sorted by (from, to), each occurs once, and each count is above 0.

use std::sync::OnceLock;

use super::host::{HostId, Hosts};
use super::tally::Tally;
use super::time::Timestamp;
use super::window::Window;

/// What a window holds, merged over all workers. Read-only.
#[derive(Debug)]
pub struct Aggregates {
    window: Window,
    hosts: Hosts,
    pairs: Vec<PairCount>,
    buckets: Vec<BucketTotal>,
    previous: Option<Vec<(HostId, HostId)>>,
    sources: OnceLock<Vec<HostTotal>>,
    servers: OnceLock<Vec<HostTotal>>,
}

/// Connections from one host to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PairCount {
    /// Who connected.
    pub from: HostId,
    /// To whom.
    pub to: HostId,
    /// How often; above 0.
    pub connections: u64,
}

/// Connections in one bucket of the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BucketTotal {
    /// Where the bucket starts.
    pub start: Timestamp,
    /// Connections of all pairs.
    pub connections: u64,
}

/// Connections of one host on one side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostTotal {
    /// The host.
    pub host: HostId,
    /// Its connections; above 0.
    pub connections: u64,
    /// Distinct hosts on the other side.
    pub peers: u64,
}

/// How a window lies on the buckets of a tally.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// The window.
    pub window: Window,
    /// The number of its first bucket.
    pub first_bucket: i64,
    /// How many buckets it has, above 0; so few that a list of them is no burden.
    pub buckets: i64,
    /// Length of a bucket in nanoseconds; the last one of a window may be shorter.
    pub grain: i64,
    /// Whether the window of the same number of buckets before it is kept for comparison.
    pub previous: bool,
}

impl Aggregates {
    /// The view of a window on tallies that together hold it. Nothing is merged first: pairs of several tallies meet here.
    pub fn new(layout: &Layout, tallies: &[&Tally]) -> Self {
        let (first, end) = (layout.first_bucket, layout.first_bucket + layout.buckets);
        let before = if layout.previous { first - layout.buckets } else { first };
        let ranks = Ranks::new(tallies, before, end);
        let start = |bucket: i64| layout.window.start.plus_times(bucket, layout.grain);
        let mut buckets: Vec<BucketTotal> =
            (0..layout.buckets).map(|bucket| BucketTotal { start: start(bucket), connections: 0 }).collect();
        let (mut pairs, mut seen) = (Vec::new(), Vec::new());
        for (tally, rank) in tallies.iter().zip(&ranks.of) {
            let rank = |host: HostId| HostId(rank[host.0 as usize]);
            tally.for_each(first, end, |bucket, from, to, connections| {
                buckets[(bucket - first) as usize].connections += connections;
                pairs.push(PairCount { from: rank(from), to: rank(to), connections });
            });
            tally.for_each(before, first, |_, from, to, _| seen.push((rank(from), rank(to))));
        }
        let previous = layout.previous.then(|| {
            seen.sort_unstable();
            seen.dedup();
            seen
        });
        Aggregates {
            window: layout.window,
            pairs: summed(pairs),
            hosts: ranks.hosts,
            buckets,
            previous,
            sources: OnceLock::new(),
            servers: OnceLock::new(),
        }
    }

    /// The window.
    pub fn window(&self) -> Window {
        self.window
    }

    /// The name of a host.
    pub fn name(&self, host: HostId) -> &[u8] {
        self.hosts.name(host)
    }

    /// The host of this name, if it is in the window (or in the one before it, where that is kept).
    pub fn host(&self, name: &[u8]) -> Option<HostId> {
        let (mut low, mut high) = (0, self.hosts.len() as u32);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.hosts.name(HostId(middle)).cmp(name) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return Some(HostId(middle)),
            }
        }
        None
    }

    /// Every pair with its connections, by from, then to.
    pub fn pairs(&self) -> &[PairCount] {
        &self.pairs
    }

    /// The pairs of one source, by to.
    pub fn pairs_from(&self, from: HostId) -> &[PairCount] {
        let start = self.pairs.partition_point(|pair| pair.from < from);
        let end = self.pairs.partition_point(|pair| pair.from <= from);
        &self.pairs[start..end]
    }

    /// Connections of all pairs.
    pub fn total(&self) -> u64 {
        self.buckets.iter().map(|bucket| bucket.connections).sum()
    }

    /// All buckets of the window, in order of time.
    pub fn buckets(&self) -> &[BucketTotal] {
        &self.buckets
    }

    /// The pairs of the window before, sorted; `None` if it was not kept.
    pub fn previous(&self) -> Option<&[(HostId, HostId)]> {
        self.previous.as_deref()
    }

    /// Every host that connected to another, by name.
    pub fn sources(&self) -> &[HostTotal] {
        self.sources.get_or_init(|| self.totals(|pair| pair.from))
    }

    /// Every host that was connected to, by name.
    pub fn servers(&self) -> &[HostTotal] {
        self.servers.get_or_init(|| self.totals(|pair| pair.to))
    }

    fn totals(&self, side: impl Fn(&PairCount) -> HostId) -> Vec<HostTotal> {
        let mut totals: Vec<HostTotal> =
            (0..self.hosts.len() as u32).map(|id| HostTotal { host: HostId(id), connections: 0, peers: 0 }).collect();
        for pair in &self.pairs {
            let total = &mut totals[side(pair).0 as usize];
            total.connections += pair.connections;
            // Each pair occurs once, so each of a host's pairs is another peer.
            total.peers += 1;
        }
        totals.retain(|total| total.connections > 0);
        totals
    }
}

/// The hosts of some buckets, numbered by name.
struct Ranks {
    hosts: Hosts,
    /// For each tally, by number in it; `u32::MAX` for hosts that the buckets do not hold.
    of: Vec<Vec<u32>>,
}

impl Ranks {
    fn new(tallies: &[&Tally], first: i64, end: i64) -> Self {
        let mut named: Vec<(&[u8], usize, HostId)> = Vec::new();
        for (at, tally) in tallies.iter().enumerate() {
            let mut used = vec![false; tally.hosts().len()];
            tally.for_each(first, end, |_, from, to, _| {
                used[from.0 as usize] = true;
                used[to.0 as usize] = true;
            });
            let ids = (0..used.len() as u32).map(HostId).filter(|id| used[id.0 as usize]);
            named.extend(ids.map(|id| (tally.hosts().name(id), at, id)));
        }
        named.sort_unstable();
        let mut of: Vec<Vec<u32>> = tallies.iter().map(|tally| vec![u32::MAX; tally.hosts().len()]).collect();
        let mut hosts = Hosts::default();
        for (name, tally, id) in named {
            // The same name in two tallies is one host.
            of[tally][id.0 as usize] = hosts.intern(name).0;
        }
        Ranks { hosts, of }
    }
}

/// Sorts by (from, to) and adds up the pairs that occur in several buckets or tallies.
fn summed(mut pairs: Vec<PairCount>) -> Vec<PairCount> {
    pairs.sort_unstable_by_key(key);
    pairs.dedup_by(|next, kept| {
        let same = key(next) == key(kept);
        if same {
            kept.connections += next.connections;
        }
        same
    });
    pairs
}

/// What pairs are sorted by, as one number.
fn key(pair: &PairCount) -> u64 {
    u64::from(pair.from.0) << 32 | u64::from(pair.to.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn example() -> Aggregates {
        let mut tally = Tally::default();
        tally.add(-1, b"old", b"x", 9);
        tally.add(0, b"b", b"x", 1);
        tally.add(1, b"a", b"y", 2);
        tally.add(1, b"b", b"x", 4);
        tally.add(2, b"later", b"x", 9);
        let window = Window::closed(Timestamp::from_seconds(100), Timestamp::from_seconds(120));
        let grain = 10 * crate::model::time::SECOND;
        Aggregates::new(&Layout { window, first_bucket: 0, buckets: 2, grain, previous: false }, &[&tally])
    }

    #[test]
    fn hosts_are_numbered_by_name_and_pairs_summed_over_buckets() {
        let view = example();
        let named: Vec<_> = view.pairs().iter().map(|p| (view.name(p.from), view.name(p.to), p.connections)).collect();
        assert_eq!(named, [(&b"a"[..], &b"y"[..], 2), (b"b", b"x", 5)]);
        assert_eq!(view.host(b"b"), Some(HostId(1)));
        assert_eq!(view.host(b"later"), None);
        assert_eq!(view.host(b"old"), None);
        assert_eq!(view.total(), 7);
        assert_eq!(view.buckets()[1].start, Timestamp::from_seconds(110));
    }

    proptest! {
        #[test]
        fn a_view_on_parts_is_the_view_on_the_whole(
            records in proptest::collection::vec((-3i64..4, 0u8..5, 3u8..8), 0..80),
            parts in 1usize..4,
        ) {
            let layout = Layout {
                window: Window::half_open(Timestamp::from_seconds(0), Timestamp::from_seconds(30)),
                first_bucket: 0,
                buckets: 3,
                grain: 10 * crate::model::time::SECOND,
                previous: true,
            };
            let (mut whole, mut split) = (Tally::default(), vec![Tally::default(); parts]);
            for (at, (bucket, from, to)) in records.iter().enumerate() {
                whole.add(*bucket, &[b'a' + from], &[b'a' + to], 1);
                split[at % parts].add(*bucket, &[b'a' + from], &[b'a' + to], 1);
            }
            let view = |tallies: &[&Tally]| {
                let view = Aggregates::new(&layout, tallies);
                let name = |host| view.name(host).to_vec();
                let pairs: Vec<_> = view.pairs().iter().map(|p| (name(p.from), name(p.to), p.connections)).collect();
                let previous: Vec<_> = view.previous().unwrap().iter().map(|p| (name(p.0), name(p.1))).collect();
                (pairs, previous, view.buckets().to_vec())
            };
            prop_assert_eq!(view(&split.iter().collect::<Vec<_>>()), view(&[&whole]));
        }
    }

    #[test]
    fn totals_count_connections_and_distinct_peers() {
        let view = example();
        let x = view.host(b"x").unwrap();
        assert_eq!(view.servers()[0], HostTotal { host: x, connections: 5, peers: 1 });
        assert_eq!(view.sources().len(), 2);
        assert_eq!(view.pairs_from(view.host(b"a").unwrap()).len(), 1);
    }
}
