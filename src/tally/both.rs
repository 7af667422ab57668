//! A view from two sides: hosts as those that connect and are connected to, and the window against
//! the one before it.
//!
//! Not here: one side of one window (`aggregates`). Invariant: each host, and each pair, is visited
//! once, and pairs that are elsewhere are read without being listed in memory.

use std::ops::Range;

use super::aggregates::{Aggregates, Counted, Name, Pairs, ReadBack, Side};
use super::names::HostId;
use super::totals::Totals;
use crate::model::Amount;

/// What is counted of one host, on either side. What it has with itself is on both.
#[derive(Debug, Clone, Copy)]
pub struct EitherSide<'a> {
    /// The host.
    pub host: Name<'a>,
    /// Of the connections that it made.
    pub as_source: Amount,
    /// Of those that it received.
    pub as_server: Amount,
    /// Of those that it made to itself.
    pub with_itself: Amount,
}

impl EitherSide<'_> {
    /// What is counted of connections that the host is part of: those with itself count once.
    pub fn amount(&self) -> Amount {
        // In this order nothing is larger than all that is counted.
        let mut amount = self.as_source;
        amount -= self.with_itself;
        amount += self.as_server;
        amount
    }
}

/// A host of pairs that come sorted, as far as they have come.
struct Grouped {
    name: Vec<u8>,
    counts: [Amount; 2],
    with_itself: Amount,
}

/// Puts together pairs that come in the order of their first host: its counts, and how much of the
/// first of them is with itself.
#[derive(Default)]
struct HostsInTurn(Option<Grouped>);

impl HostsInTurn {
    fn add(&mut self, first: &[u8], second: &[u8], counts: [Amount; 2], f: &mut impl FnMut(&Grouped)) {
        let with_itself = if first == second { counts[0] } else { Amount::default() };
        match &mut self.0 {
            Some(group) if group.name == first => {
                group.counts.iter_mut().zip(counts).for_each(|(mine, more)| *mine += more);
                group.with_itself += with_itself;
            }
            other => {
                other.iter().for_each(&mut *f);
                *other = Some(Grouped { name: first.to_vec(), counts, with_itself });
            }
        }
    }

    fn end(self, f: &mut impl FnMut(&Grouped)) {
        self.0.iter().for_each(f);
    }
}

impl Aggregates {
    /// Calls `f` with each pair of one part that is in the window before and not in this one, in no
    /// order: who connected, to whom, and what was counted of it. Each pair is in one part.
    pub fn for_each_gone_pair_in(
        &self,
        part: usize,
        mut f: impl FnMut(Name<'_>, Name<'_>, Amount),
    ) -> Result<(), ReadBack> {
        match self.pairs() {
            Pairs::Counted(counted) => {
                let (names, window) = (&counted.names, counted.window());
                let Some(shard) = counted.previous().and_then(|previous| previous.shards().get(part)) else {
                    return Ok(());
                };
                let give = |from, to, before| {
                    if window.get(from, to) == 0 {
                        f(Name::Number(names, from), Name::Number(names, to), before);
                    }
                };
                shard.read_recursive().for_each_amount(give);
            }
            Pairs::Stored(stored) => stored.for_each(Side::From, &mut |from, to, [amount, before]| {
                if amount.connections == 0 && before.connections > 0 {
                    f(Name::Bytes(from), Name::Bytes(to), before);
                }
            })?,
        }
        Ok(())
    }

    /// Calls `f` with each host on either side of a connection, in no order.
    pub fn for_each_host_on_either_side(&self, mut f: impl FnMut(EitherSide<'_>)) -> Result<(), ReadBack> {
        match self.pairs() {
            Pairs::Counted(counted) => {
                let totals = self.totals_or(counted, || counted.totals(0..self.parts()));
                for id in counted.ids() {
                    let [as_source, as_server] = totals.amounts(id);
                    let is = [as_source, as_server].map(|amount| amount.connections > 0);
                    let with_itself =
                        if is == [true, true] { counted.window().get_amount(id, id) } else { Amount::default() };
                    if is != [false, false] {
                        f(EitherSide { host: Name::Number(&counted.names, id), as_source, as_server, with_itself });
                    }
                }
            }
            Pairs::Stored(stored) => {
                let mut give = |group: &Grouped| {
                    let ([as_source, as_server], with_itself) = (group.counts, group.with_itself);
                    if as_source.connections > 0 || as_server.connections > 0 {
                        f(EitherSide { host: Name::Bytes(&group.name), as_source, as_server, with_itself });
                    }
                };
                let mut groups = HostsInTurn::default();
                stored.for_each_both_ways(&mut |host, other, counts| groups.add(host, other, counts, &mut give))?;
                groups.end(&mut give);
            }
        }
        Ok(())
    }

    /// Calls `f` with each host on `side` of a connection of the window or of the one before it, in
    /// no order: what is counted of it in the window, and its connections in the one before. `before`
    /// are the totals of the latter, over all parts.
    pub fn for_each_host_compared(
        &self,
        side: Side,
        before: &Totals,
        mut f: impl FnMut(Name<'_>, Amount, u64),
    ) -> Result<(), ReadBack> {
        match self.pairs() {
            Pairs::Counted(counted) => {
                let totals = self.totals_or(counted, || counted.totals(0..self.parts()));
                for id in counted.ids() {
                    let of_side = |totals: &Totals| totals.amounts(id)[side as usize];
                    let (amount, before) = (of_side(totals), of_side(before).connections);
                    if amount.connections > 0 || before > 0 {
                        f(Name::Number(&counted.names, id), amount, before);
                    }
                }
            }
            Pairs::Stored(stored) => {
                let mut give = |group: &Grouped| {
                    let [amount, before] = group.counts;
                    f(Name::Bytes(&group.name), amount, before.connections);
                };
                let mut groups = HostsInTurn::default();
                stored.for_each(side, &mut |host, other, counts| groups.add(host, other, counts, &mut give))?;
                groups.end(&mut give);
            }
        }
        Ok(())
    }

    /// The totals of all hosts in the window before, over some parts. Empty where pairs are not in
    /// memory.
    pub fn totals_before_in(&self, parts: Range<usize>) -> Totals {
        let Pairs::Counted(counted) = self.pairs() else { return Totals::default() };
        let mut totals = Totals::new(counted.names.end());
        if let Some(previous) = counted.previous() {
            previous.for_each_in(parts, |from, to, connections| totals.add(from, to, connections, true));
        }
        totals
    }
}

impl Counted {
    /// The numbers that hosts may have.
    fn ids(&self) -> impl Iterator<Item = HostId> + use<> {
        (0..u32::try_from(self.names.end()).unwrap_or(u32::MAX)).map(HostId)
    }
}
