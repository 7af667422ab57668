//! The names and pairs that follow a snapshot: read into a tally, or passed over.
//!
//! Invariant (`check`): the sums of what is saved are those of the balance sheet.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use crate::codec::Decoder;
use crate::model::{Amount, Lengths, MeasureSet, PerMeasure};
use crate::ops::close::Windows;
use crate::tally::names::foreign_byte;
use crate::tally::{Budget, HostId, Tally};

use super::measures::SavedMeasures;
use super::value::{Delays, Snapshot};

impl Snapshot {
    /// Reads one to go on from, with the tally of what is counted, which takes its bytes from a
    /// budget. `lengths`: those of the configuration that it was saved with.
    pub fn restore(decoder: &mut Decoder<'_>, lengths: &Lengths, budget: Arc<Budget>) -> io::Result<(Self, Tally)> {
        let (mut snapshot, mut tally) = Snapshot::open(decoder, lengths, budget)?;
        snapshot.read_counts(decoder, &mut tally)?;
        snapshot.check_tally(&tally)?;
        Ok((snapshot, tally))
    }

    /// Reads what stands before names and pairs, with a tally that those fit into.
    pub(super) fn open(decoder: &mut Decoder<'_>, lengths: &Lengths, budget: Arc<Budget>) -> io::Result<(Self, Tally)> {
        let snapshot = Snapshot::read(decoder, &Delays { lateness: lengths.lateness, grace: lengths.grace })?;
        let windows = Windows::Every(snapshot.grid);
        let buckets = windows.buckets(lengths.grouping);
        let starts_elsewhere = lengths.anchor.is_some_and(|anchor| anchor != snapshot.grid.anchor);
        let found = (snapshot.grid.length, snapshot.grid.period, snapshot.counts.grain);
        if found != (lengths.window, lengths.period, buckets.grain) || starts_elsewhere {
            return Err(wrong("its windows are not those of the configuration that it was saved with"));
        }
        let names = snapshot.measures.as_ref().map_or(&[][..], |measures| &measures.names);
        let tally = Tally::new(windows.shape(&buckets, lengths.kept()), budget).measuring(names);
        Ok((snapshot, tally))
    }

    /// Reads what follows it, the names and pairs into a tally that is empty.
    pub fn read_counts(&mut self, decoder: &mut Decoder<'_>, tally: &mut Tally) -> io::Result<()> {
        for _ in 0..self.counts.numbers {
            let name = read_name(decoder)?;
            let mut hosts = tally.hosts().write();
            if !name.is_empty() && hosts.find(&name).is_some() {
                return Err(wrong("a host that has two numbers"));
            }
            let before = hosts.bytes();
            hosts.restore(&name);
            tally.budget().take_anyway(hosts.bytes() - before);
        }
        let hosts = tally.hosts().read();
        let is_host = |id: u32| id < self.counts.numbers && hosts.names().get(HostId(id)).is_some();
        for &(number, overflow, shards) in &self.counts.panes {
            if shards != tally.shape().shards as u64 {
                return Err(wrong("a pane that is not divided as its windows are"));
            }
            let pane = tally.pane(number);
            pane.overflow(overflow);
            for _ in 0..shards {
                let pairs: u64 = decoder.get()?;
                for _ in 0..pairs {
                    let (from, to, count): (u32, u32, u64) = decoder.get()?;
                    if !is_host(from) || !is_host(to) {
                        return Err(wrong("a pair of a host that has no name"));
                    }
                    let (from, to) = (HostId(from), HostId(to));
                    if count == 0 || pane.get(from, to) > 0 {
                        return Err(wrong("a pair that comes twice, or has no connections"));
                    }
                    match tally.measure_set() {
                        measures if measures.is_empty() => pane.add_anyway(from, to, count),
                        measures => {
                            pane.add_anyway(
                                from,
                                to,
                                Amount { connections: count, sums: read_sums(decoder, measures)? },
                            );
                        }
                    }
                }
            }
        }
        drop(hosts);
        for &(bucket, connections) in &self.counts.buckets {
            tally.add_to_bucket(bucket, connections);
        }
        for &(bucket, measured) in self.measures.iter().flat_map(|measures| &measures.buckets) {
            tally.measure(bucket, measured);
        }
        self.read_rest(decoder)
    }

    /// Reads what follows the pairs, and holds it against what a run saves.
    fn read_rest(&mut self, decoder: &mut Decoder<'_>) -> io::Result<()> {
        if decoder.left() > 0 {
            self.passed_over = decoder.get()?;
        }
        self.check_passed_over().map_err(|text| io::Error::new(io::ErrorKind::InvalidData, text))
    }

    /// As `read_counts`, where only the bytes matter. How many hosts there are.
    pub fn skip_counts(&mut self, decoder: &mut Decoder<'_>) -> io::Result<usize> {
        let (mut hosts, measures) = (0, self.measures.as_ref().map_or_else(MeasureSet::default, SavedMeasures::set));
        for _ in 0..self.counts.numbers {
            hosts += usize::from(!read_name(decoder)?.is_empty());
        }
        for &(_, _, shards) in &self.counts.panes {
            for _ in 0..shards {
                let pairs: u64 = decoder.get()?;
                for _ in 0..pairs {
                    decoder.get::<(u32, u32, u64)>()?;
                    read_sums(decoder, measures)?;
                }
            }
        }
        self.read_rest(decoder)?;
        Ok(hosts)
    }

    /// Whether the counts add up, when these are the connections of each pane; errors with what
    /// does not. What is settled and what is there is what was counted, and a pane has as many
    /// connections as its buckets.
    pub fn check(&self, panes: &BTreeMap<i64, u64>) -> Result<(), String> {
        let (tally, closer) = self.in_buckets();
        self.windows.settled.check(&closer, &tally, self.connections())?;
        let mut in_buckets = BTreeMap::new();
        for (&bucket, connections) in tally.buckets() {
            *in_buckets.entry(tally.pane_of(bucket)).or_default() += connections;
        }
        let numbers = panes.keys().chain(in_buckets.keys());
        let sum = |sums: &BTreeMap<i64, u64>, number| sums.get(number).copied().unwrap_or(0);
        for number in numbers {
            let (pairs, held) = (sum(panes, number), sum(&in_buckets, number));
            if pairs != held {
                return Err(format!("pane {number} holds {held} connections and the pairs of {pairs}"));
            }
        }
        Ok(())
    }

    /// As `check`, of a tally that the counts were read into.
    pub fn check_tally(&self, tally: &Tally) -> io::Result<()> {
        let sums = tally.panes().into_iter().map(|(number, pane)| {
            let mut sum = Some(pane.overflowed());
            pane.for_each(|_, _, count| sum = sum.and_then(|sum| sum.checked_add(count)));
            Ok((number, sum.ok_or_else(|| wrong("a pane of more connections than can be"))?))
        });
        let sums = sums.collect::<io::Result<_>>()?;
        self.check(&sums).map_err(|text| io::Error::new(io::ErrorKind::InvalidData, text))?;
        match &self.measures {
            Some(measures) => measures.check_pairs(tally).map_err(wrong),
            None => Ok(()),
        }
    }
}

/// The sums of a pair.
fn read_sums(decoder: &mut Decoder<'_>, measures: MeasureSet) -> io::Result<PerMeasure> {
    let mut sums = PerMeasure::default();
    for place in measures.places() {
        sums.0[place] = decoder.get()?;
    }
    if !sums.has_times_in_order(measures.has_times()) {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a pair that was first seen after it was last seen"));
    }
    Ok(sums)
}

/// The name of a host; that of a hole has no bytes.
fn read_name(decoder: &mut Decoder<'_>) -> io::Result<Vec<u8>> {
    let name: Vec<u8> = decoder.get()?;
    match foreign_byte(&name) {
        Some(_) => Err(wrong("a host with a byte that no line can hold in one")),
        None => Ok(name),
    }
}

fn wrong(what: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.into())
}
