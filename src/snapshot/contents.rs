//! A snapshot that was read to be looked at, and what is shown of it.
//!
//! Not here: the slots that it lies in, and how it is written out (`shown`). Invariant: it is read
//! whole, so that one that is shown is one that could be read.

use std::io;
use std::sync::Arc;

use crate::codec::Decoder;
use crate::model::{Amount, Lengths, MeasureTotal, Timestamp};
use crate::source::follow::FileRecord;
use crate::tally::Tally;

use super::shown::{
    IssuedWindow, OpenWindow, ShownBalance, ShownCount, ShownInput, ShownMeasure, ShownPair, ShownSnapshot,
    ShownWindows,
};
use super::value::Snapshot;

/// The most open windows that are listed.
const MOST_OPEN: usize = 1000;

/// What a snapshot holds.
#[derive(Debug)]
pub struct SavedContents {
    snapshot: Snapshot,
    /// Length of a pane in nanoseconds: of a run of buckets for which pairs are counted together.
    pane: i64,
    /// Hosts whose names are saved.
    hosts: usize,
    /// The pairs, if they were asked for.
    tally: Option<Tally>,
}

impl SavedContents {
    /// Reads a snapshot that was saved with a configuration of these lengths, and its pairs only if
    /// they are asked for.
    pub fn read(decoder: &mut Decoder<'_>, lengths: &Lengths, pairs: bool) -> io::Result<Self> {
        let (mut snapshot, mut tally) = Snapshot::open(decoder, lengths, Arc::default())?;
        let pane = tally.shape().pane.saturating_mul(snapshot.counts.grain);
        if !pairs {
            let hosts = snapshot.skip_counts(decoder)?;
            return Ok(SavedContents { snapshot, pane, hosts, tally: None });
        }
        snapshot.read_counts(decoder, &mut tally)?;
        let hosts = tally.hosts().read().names().len();
        Ok(SavedContents { snapshot, pane, hosts, tally: Some(tally) })
    }

    /// What is said of it.
    pub fn shown(&self) -> ShownSnapshot<'_> {
        let Snapshot { grid, counts, progress, .. } = &self.snapshot;
        let bucket = |&(bucket, connections): &(i64, u64)| (grid.anchor.plus_times(bucket, counts.grain), connections);
        ShownSnapshot {
            inputs: self.inputs(),
            balance: ShownBalance(self.snapshot.balance()),
            windows: self.windows(),
            watermark: progress.watermark(),
            grain: Timestamp::from_nanos(counts.grain),
            pane: Timestamp::from_nanos(self.pane),
            buckets: counts.buckets.iter().map(bucket).map(ShownCount::from).collect(),
            measures: self.measures(),
            overflows: self
                .snapshot
                .overflows()
                .map(|(number, count)| (self.pane_start(number), count))
                .map(ShownCount::from)
                .collect(),
            hosts: self.hosts,
            pairs: self.pairs(),
        }
    }

    fn windows(&self) -> ShownWindows {
        let windows = &self.snapshot.windows;
        let (open, open_more) = self.snapshot.open_windows(MOST_OPEN);
        let open = open.into_iter().map(|(k, connections)| OpenWindow { end: self.end(k), connections });
        let issued = windows.issued.iter().map(|(k, issued)| IssuedWindow {
            end: self.end(*k),
            revision: issued.revision,
            connections: issued.connections,
        });
        ShownWindows {
            next_end: windows.next.map(|k| self.end(k)),
            open: open.collect(),
            open_more,
            issued: issued.collect(),
            again: windows.again.iter().map(|(_, last)| self.end(*last)).collect(),
        }
    }

    /// The inputs of which anything is known, by number.
    fn inputs(&self) -> Vec<ShownInput<'_>> {
        let known = &self.snapshot.progress.inputs;
        let at = |file: &FileRecord| known.binary_search_by_key(&file.id, |(id, _)| *id).ok();
        let files = self.snapshot.files.iter();
        files.filter_map(|file| Some(ShownInput { file, position: &known[at(file)?].1 })).collect()
    }

    fn measures(&self) -> Vec<ShownMeasure> {
        let measures = self.snapshot.measures.iter();
        let all = measures.flat_map(|measures| MeasureTotal::all(&measures.names, &measures.total.measured));
        all.map(|MeasureTotal { name, sum, missing }| ShownMeasure { name, sum, missing }).collect()
    }

    /// The pairs by pane and then by name, if they were asked for.
    fn pairs(&self) -> Option<Vec<ShownPair>> {
        let tally = self.tally.as_ref()?;
        let hosts = tally.hosts().read();
        let name = |host| hosts.names().name(host).to_vec();
        let mut pairs = Vec::new();
        for (number, pane) in tally.panes() {
            let start = self.pane_start(number);
            let measures = tally.measure_set();
            pane.for_each_amount(|from, to, Amount { connections, sums }| {
                let seen = sums.seen().filter(|_| measures.has_times());
                let sums = (0..measures.sums()).map(|place| sums.get(place)).collect();
                pairs.push(ShownPair { start, from: name(from), to: name(to), connections, sums, seen });
            });
        }
        pairs.sort();
        Some(pairs)
    }

    fn end(&self, k: i64) -> Timestamp {
        self.snapshot.grid.window(k).end
    }

    fn pane_start(&self, number: i64) -> Timestamp {
        self.snapshot.grid.anchor.plus_times(number, self.pane)
    }
}
