//! The merged view of one window that report functions read.
//!
//! Pairs are visited, not listed: they lie in the tables in which they were counted, or on disk
//! where memory is limited, and are not copied for a view. They come in no order: a report puts in
//! order what it keeps. Not here: counting (`counts`), and what reports make of it. Invariant: each
//! pair is visited once, and the connections of all pairs and the overflow add up to the total.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use super::names::{HostId, Names};
use super::pane::Pane;
use super::sliding::Joined;
use super::totals::Totals;
use crate::error::{Error, ErrorKind};
use crate::model::time::Timestamp;
use crate::model::window::Window;
use crate::model::{Amount, Measured, PerMeasure};

/// What a window holds, of all workers together. Read-only.
#[derive(Debug)]
pub struct Aggregates {
    window: Window,
    buckets: Vec<BucketTotal>,
    overflow: Overflow,
    pairs: Pairs,
    totals: OnceLock<Arc<Totals>>,
    measures: Measures,
}

/// The measures of a window: their names, and what they come to by bucket.
#[derive(Debug, Clone, Default)]
struct Measures {
    names: Arc<[String]>,
    /// By place of the bucket in the window; empty if there are no measures.
    buckets: Vec<Measured>,
}

/// Connections that are counted without their pair: there was no memory for more pairs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Overflow {
    /// In the window.
    pub window: u64,
    /// In the window before it, where that is kept.
    pub before: u64,
    /// Those of both that have a pair in a pane, but none where the panes of the window are one.
    pub unjoined: u64,
}

impl Overflow {
    /// In the window and in the one before it.
    pub fn of_both(&self) -> u64 {
        self.window + self.before
    }
}

/// Where the pairs are.
#[derive(Debug)]
pub enum Pairs {
    /// In memory.
    Counted(Counted),
    /// Elsewhere.
    Stored(Box<dyn PairSource>),
}

/// Pairs in the panes in which they were counted.
#[derive(Debug)]
pub struct Counted {
    /// The names of the hosts.
    pub names: Names,
    window: Joined,
    previous: Option<Joined>,
}

/// What visits pairs: two names, and what is counted in the window and in the one before it.
pub type PairVisitor<'a> = dyn FnMut(&[u8], &[u8], [Amount; 2]) + 'a;

/// Pairs that are not in memory.
pub trait PairSource: Send + Sync + fmt::Debug {
    /// Calls `f` with each pair once, in the order of the host on `side` and then of the other one:
    /// the two names, in this order, what is counted in the window, and in the window before it.
    fn for_each(&self, side: Side, f: &mut PairVisitor<'_>) -> io::Result<()>;

    /// Calls `f` with each two hosts between which there are connections in the window, in the order
    /// of the one and then of the other: the two names, what is counted from the first to the
    /// second, and from the second to the first. So each pair comes twice, once by either of its
    /// hosts; that of a host with itself comes once, with the same twice.
    fn for_each_both_ways(&self, f: &mut PairVisitor<'_>) -> io::Result<()>;
}

/// The pairs of a view cannot be read back from where they are stored.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct ReadBack(#[from] pub io::Error);

impl From<ReadBack> for Error {
    fn from(error: ReadBack) -> Self {
        let action = "cannot read back counts from the temporary folder".into();
        ErrorKind::System { action, source: error.0 }.into()
    }
}

/// One of the two hosts of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The one that connected.
    From,
    /// The one that was connected to.
    To,
}

/// The name of a host, looked up when it is asked for.
#[derive(Debug, Clone, Copy)]
pub enum Name<'a> {
    /// By its number.
    Number(&'a Names, HostId),
    /// As it is.
    Bytes(&'a [u8]),
}

impl<'a> Name<'a> {
    /// The bytes of the name, as they stand in the log.
    pub fn bytes(&self) -> &'a [u8] {
        match *self {
            Name::Number(names, id) => names.name(id),
            Name::Bytes(bytes) => bytes,
        }
    }
}

/// Connections from one host to another.
#[derive(Debug, Clone, Copy)]
pub struct Pair<'a> {
    /// Who connected.
    pub from: Name<'a>,
    /// To whom.
    pub to: Name<'a>,
    /// How often; above 0.
    pub connections: u64,
    /// How often in the window before; 0 if that is not kept.
    pub before: u64,
    /// What the measures of the window come to.
    pub sums: PerMeasure,
}

impl Pair<'_> {
    /// What is counted of it in the window.
    pub fn amount(&self) -> Amount {
        Amount { connections: self.connections, sums: self.sums }
    }
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
#[derive(Debug, Clone, Copy)]
pub struct HostTotal<'a> {
    /// The host.
    pub host: Name<'a>,
    /// Its connections; above 0.
    pub connections: u64,
    /// Distinct hosts on the other side.
    pub peers: u64,
    /// What its measures come to.
    pub sums: PerMeasure,
}

impl HostTotal<'_> {
    /// What is counted of it.
    pub fn amount(&self) -> Amount {
        Amount { connections: self.connections, sums: self.sums }
    }
}

/// A host that is connected with another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// Its name.
    pub host: Vec<u8>,
    /// Connections between the two; above 0.
    pub connections: u64,
    /// What their measures come to.
    pub sums: PerMeasure,
}

impl Peer {
    /// What is counted between the two.
    pub fn amount(&self) -> Amount {
        Amount { connections: self.connections, sums: self.sums }
    }
}

/// Which buckets of a tally a window covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// The window.
    pub window: Window,
    /// The number of its first bucket, which is the first of a pane.
    pub first_bucket: i64,
    /// How many buckets it has, above 0, whole panes of them; few enough to list.
    pub buckets: i64,
    /// Length of a bucket in nanoseconds; the last one of a window may be shorter.
    pub grain: i64,
    /// Whether the window of the same number of buckets before it is kept for comparison.
    pub previous: bool,
}

impl Layout {
    /// The first bucket behind the window.
    pub fn end_bucket(&self) -> i64 {
        self.first_bucket + self.buckets
    }
}

impl Aggregates {
    /// The view of a window: connections by bucket, those that are counted without their pair, and
    /// the pairs.
    pub fn new(layout: &Layout, counts: &BTreeMap<i64, u64>, overflow: Overflow, pairs: Pairs) -> Self {
        let start = |bucket: i64| layout.window.start.plus_times(bucket, layout.grain);
        let mut buckets: Vec<BucketTotal> =
            (0..layout.buckets).map(|bucket| BucketTotal { start: start(bucket), connections: 0 }).collect();
        for (bucket, connections) in counts.range(layout.first_bucket..layout.end_bucket()) {
            buckets[(bucket - layout.first_bucket) as usize].connections = *connections;
        }
        let (totals, measures) = (OnceLock::new(), Measures::default());
        Aggregates { window: layout.window, buckets, overflow, pairs, totals, measures }
    }

    /// The same view with measures of these names, by the numbers of buckets.
    pub fn measuring(mut self, layout: &Layout, names: Arc<[String]>, counts: &BTreeMap<i64, Measured>) -> Self {
        if !names.is_empty() {
            self.measures = Measures { names, buckets: vec![Measured::default(); self.buckets.len()] };
            for (bucket, measured) in counts.range(layout.first_bucket..layout.end_bucket()) {
                self.measures.buckets[(bucket - layout.first_bucket) as usize] = *measured;
            }
        }
        self
    }

    /// The names of the measures, in the order of their sums.
    pub fn measures(&self) -> &[String] {
        &self.measures.names
    }

    /// What the measures of all pairs come to, whether they are known by their pair or not.
    pub fn measured(&self) -> Measured {
        let mut sum = Measured::default();
        self.measures.buckets.iter().for_each(|bucket| sum += *bucket);
        sum
    }

    /// What they come to in a bucket of the window, by its place.
    pub fn measured_in(&self, bucket: usize) -> Measured {
        self.measures.buckets.get(bucket).copied().unwrap_or_default()
    }

    /// The same view with the names that its numbers stand for.
    pub(super) fn named(mut self, names: Names) -> Self {
        if let Pairs::Counted(counted) = &mut self.pairs {
            counted.names = names;
        }
        self
    }

    /// Takes the names out again.
    pub(super) fn take_names(&mut self) -> Names {
        match &mut self.pairs {
            Pairs::Counted(counted) => std::mem::take(&mut counted.names),
            Pairs::Stored(_) => Names::default(),
        }
    }

    /// The window.
    pub fn window(&self) -> Window {
        self.window
    }

    /// Connections of all pairs, whether they are known by their pair or not.
    pub fn total(&self) -> u64 {
        self.buckets.iter().map(|bucket| bucket.connections).sum()
    }

    /// All buckets of the window, in order of time.
    pub fn buckets(&self) -> &[BucketTotal] {
        &self.buckets
    }

    /// From where to where there are buckets that hold anything; where the last of them starts.
    pub fn extent(&self) -> Option<(Timestamp, Timestamp)> {
        let mut filled = self.buckets.iter().filter(|bucket| bucket.connections > 0).map(|bucket| bucket.start);
        let first = filled.next()?;
        Some((first, filled.next_back().unwrap_or(first)))
    }

    /// Connections that are counted without their pair.
    pub fn overflow(&self) -> Overflow {
        self.overflow
    }

    /// Where the pairs are.
    pub fn pairs(&self) -> &Pairs {
        &self.pairs
    }

    /// In how many parts the pairs can be visited, at the same time if need be.
    pub fn parts(&self) -> usize {
        match &self.pairs {
            Pairs::Counted(counted) => counted.window().shards().len(),
            Pairs::Stored(_) => 1,
        }
    }

    /// How many pairs lie in memory, where visiting them in parallel may pay.
    pub fn pairs_in_memory(&self) -> usize {
        match &self.pairs {
            Pairs::Counted(counted) => counted.window().len(),
            Pairs::Stored(_) => 0,
        }
    }

    /// Calls `f` with each pair, in no order.
    pub fn for_each_pair(&self, mut f: impl FnMut(Pair<'_>)) -> Result<(), ReadBack> {
        (0..self.parts()).try_for_each(|part| self.for_each_pair_in(part, &mut f))
    }

    /// Calls `f` with each pair of one part, in no order. Each pair is in one part.
    pub fn for_each_pair_in(&self, part: usize, mut f: impl FnMut(Pair<'_>)) -> Result<(), ReadBack> {
        match &self.pairs {
            Pairs::Counted(counted) => {
                let (names, previous) = (&counted.names, counted.previous());
                let before = |from, to| previous.map_or(0, |pane| pane.get(from, to));
                let mut give = |from, to, Amount { connections, sums }: Amount| {
                    let (from_name, to_name) = (Name::Number(names, from), Name::Number(names, to));
                    f(Pair { from: from_name, to: to_name, connections, before: before(from, to), sums });
                };
                let shard = counted.window().shards()[part].read_recursive();
                match self.measures.names.is_empty() {
                    true => shard.for_each(|from, to, connections| give(from, to, connections.into())),
                    false => shard.for_each_amount(give),
                }
            }
            Pairs::Stored(stored) => stored.for_each(Side::From, &mut |from, to, [amount, before]| {
                let (Amount { connections, sums }, before) = (amount, before.connections);
                if connections > 0 {
                    f(Pair { from: Name::Bytes(from), to: Name::Bytes(to), connections, before, sums });
                }
            })?,
        }
        Ok(())
    }

    /// Calls `f` with each host on `side` of a connection, in no order.
    pub fn for_each_host(&self, side: Side, mut f: impl FnMut(HostTotal<'_>)) -> Result<(), ReadBack> {
        match &self.pairs {
            Pairs::Counted(counted) => {
                let totals = self.totals_or(counted, || counted.totals(0..self.parts()));
                for (id, connections, peers) in totals.of_side(side as usize) {
                    let sums = totals.sums_of(side as usize, id);
                    f(HostTotal { host: Name::Number(&counted.names, id), connections, peers, sums });
                }
            }
            Pairs::Stored(stored) => {
                // In the order of the host, so that all its pairs come one after the other.
                let mut current: Option<(Vec<u8>, Amount, u64)> = None;
                let mut give = |(name, amount, peers): &(Vec<u8>, Amount, u64)| {
                    let Amount { connections, sums } = *amount;
                    f(HostTotal { host: Name::Bytes(name), connections, peers: *peers, sums });
                };
                stored.for_each(side, &mut |host, _, [amount, _]| match &mut current {
                    _ if amount.connections == 0 => {}
                    Some((name, total, peers)) if name == host => {
                        *total += amount;
                        *peers += 1;
                    }
                    other => {
                        other.iter().for_each(&mut give);
                        *other = Some((host.to_vec(), amount, 1));
                    }
                })?;
                current.iter().for_each(give);
            }
        }
        Ok(())
    }

    /// Makes the totals of all hosts with `make`, unless they are known: it may be quicker than
    /// `for_each_host`.
    pub fn with_totals(&self, make: impl FnOnce() -> Totals) {
        if let Pairs::Counted(counted) = &self.pairs {
            self.totals_or(counted, make);
        }
    }

    pub(super) fn totals_or(&self, counted: &Counted, make: impl FnOnce() -> Totals) -> &Totals {
        self.totals.get_or_init(|| counted.window.totals().unwrap_or_else(|| Arc::new(make())))
    }

    /// Calls `f` with each host on `side` of a connection and its connections, in no order, if they
    /// are known with less effort than the pairs. Gives whether they are.
    pub fn for_each_host_at_hand(&self, side: Side, mut f: impl FnMut(Name<'_>, u64)) -> bool {
        let Pairs::Counted(counted) = &self.pairs else { return false };
        let Some(connections) = counted.window.connections() else { return false };
        connections.of_side(side as usize).for_each(|(id, count)| f(Name::Number(&counted.names, id), count));
        true
    }

    /// The totals of all hosts over some parts. Empty where pairs are not in memory.
    pub fn totals_in(&self, parts: Range<usize>) -> Totals {
        match &self.pairs {
            Pairs::Counted(counted) => counted.totals(parts),
            Pairs::Stored(_) => Totals::default(),
        }
    }

    /// For each of some hosts, all different, on `side` of a connection: the hosts on the other
    /// side, over some parts, in no order.
    pub fn peers_in(&self, parts: Range<usize>, side: Side, hosts: &[&[u8]]) -> Result<Vec<Vec<Peer>>, ReadBack> {
        let mut found: Vec<Vec<Peer>> = vec![Vec::new(); hosts.len()];
        let mut add = |asked: usize, host: &[u8], Amount { connections, sums }: Amount| {
            found[asked].push(Peer { host: host.to_vec(), connections, sums });
        };
        match &self.pairs {
            Pairs::Counted(counted) => {
                let names = &counted.names;
                let mut asked = vec![u32::MAX; names.end()];
                for (at, id) in hosts.iter().enumerate().filter_map(|(at, host)| Some((at, names.find(host)?))) {
                    asked[id.0 as usize] = at as u32;
                }
                let mut look = |from: HostId, to: HostId, amount: Amount| {
                    let (host, peer) = if side == Side::From { (from, to) } else { (to, from) };
                    if asked[host.0 as usize] != u32::MAX {
                        add(asked[host.0 as usize] as usize, names.name(peer), amount);
                    }
                };
                match self.measures.names.is_empty() {
                    true => {
                        counted.window().for_each_in(parts, |from, to, connections| look(from, to, connections.into()))
                    }
                    false => counted.window().for_each_amount_in(parts, look),
                }
            }
            Pairs::Stored(stored) => stored.for_each(side, &mut |host, peer, [amount, _]| {
                if let Some(at) = hosts.iter().position(|asked| *asked == host).filter(|_| amount.connections > 0) {
                    add(at, peer, amount);
                }
            })?,
        }
        Ok(found)
    }
}

impl Counted {
    pub(super) fn new(names: Names, window: Joined, previous: Option<Joined>) -> Self {
        Counted { names, window, previous }
    }

    /// The window.
    pub fn window(&self) -> &Arc<Pane> {
        self.window.pane()
    }

    /// The window before it, if it is kept.
    pub fn previous(&self) -> Option<&Arc<Pane>> {
        self.previous.as_ref().map(Joined::pane)
    }

    pub(super) fn totals(&self, parts: Range<usize>) -> Totals {
        let mut totals = Totals::new(self.names.end());
        // Each pair occurs once, so each is new.
        if self.window().measures().is_empty() {
            self.window().for_each_in(parts, |from, to, connections| totals.add(from, to, connections, true));
            return totals;
        }
        totals.reach_sums(self.names.end());
        self.window().for_each_amount_in(parts, |from, to, amount| {
            totals.add(from, to, amount.connections, true);
            totals.add_sums(from, to, amount.sums);
        });
        totals
    }
}

impl From<Counted> for Pairs {
    fn from(counted: Counted) -> Self {
        Pairs::Counted(counted)
    }
}
