//! The part of a saved state that stands before names and pairs, and how those are read.
//!
//! Invariant (`check`): the sums of what is saved are those of the balance sheet.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::codec::Decoder;
use crate::model::{Balance, Grid, Timestamp};
use crate::ops::close::{Closer, Windows};
use crate::ops::count::Buckets;
use crate::ops::progress;
use crate::source::follow::{FileRecord, PassedOver};
use crate::tally::names::foreign_byte;
use crate::tally::{HostId, Tally};

use super::windows::SavedWindows;

/// How late records and results may come in the run that saved a state, in nanoseconds.
#[derive(Debug, Clone, Copy)]
pub struct Delays {
    /// The declared disorder.
    pub lateness: i64,
    /// How long results may be issued again.
    pub grace: i64,
}

/// All of a state but names and pairs, which follow it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Header {
    /// Where the windows lie.
    pub grid: Grid,
    /// The first instant that is kept, and the first that counts.
    pub bounds: (Timestamp, Timestamp),
    /// The windows and what was issued of them.
    pub windows: SavedWindows,
    /// How far each input is counted.
    pub progress: progress::Saved,
    /// The files that the inputs are.
    pub files: Vec<FileRecord>,
    /// The clock of silences.
    pub clock: Duration,
    /// The number of the next input.
    pub next_input: u32,
    /// Length of a bucket in nanoseconds.
    pub grain: i64,
    /// Connections of all pairs, by bucket.
    pub buckets: Vec<(i64, u64)>,
    /// Connections that are counted without their pair.
    pub(super) overflowed: u64,
    /// By number: what is counted without its pair, and how many shards there are.
    pub(super) panes: Vec<(i64, u64, u64)>,
    /// How many host names there are by number; those of holes have no bytes.
    pub(super) numbers: u32,
    /// Compressed files that are passed over. They follow the pairs: a state that an earlier build
    /// has saved ends there.
    #[serde(skip)]
    pub passed_over: Vec<PassedOver>,
}

/// Open windows beyond those that are listed are counted up to so many: a state that was made up
/// may have any number.
const MOST_COUNTED: usize = 1_000_000;

impl Header {
    /// The sheet of all that is counted.
    pub fn balance(&self) -> Balance {
        Balance { overflowed: self.overflowed, ..self.progress.balance() }
    }

    /// Reads what follows it, the names and pairs into a tally that is empty.
    pub fn read_counts(&mut self, decoder: &mut Decoder<'_>, tally: &mut Tally) -> io::Result<()> {
        for _ in 0..self.numbers {
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
        let is_host = |id: u32| id < self.numbers && hosts.names().get(HostId(id)).is_some();
        for &(number, overflow, shards) in &self.panes {
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
                    pane.add_anyway(from, to, count);
                }
            }
        }
        drop(hosts);
        for &(bucket, connections) in &self.buckets {
            tally.add_to_bucket(bucket, connections);
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
        let mut hosts = 0;
        for _ in 0..self.numbers {
            hosts += usize::from(!read_name(decoder)?.is_empty());
        }
        for &(_, _, shards) in &self.panes {
            for _ in 0..shards {
                let pairs: u64 = decoder.get()?;
                (0..pairs).try_for_each(|_| decoder.get::<(u32, u32, u64)>().map(drop))?;
            }
        }
        self.read_rest(decoder)?;
        Ok(hosts)
    }

    /// The windows that are open and hold anything, up to that of the last records, each with its
    /// connections: at most so many, and how many more there are, as far as they were counted.
    pub fn open_windows(&self, most: usize) -> (Vec<(i64, u64)>, u64) {
        let (Some((lowest, _)), Some((highest, _))) = (self.buckets.first(), self.buckets.last()) else {
            return (Vec::new(), 0);
        };
        let (tally, closer) = self.in_buckets();
        let window = |bucket| self.grid.first_ending_after(self.grid.anchor.plus_times(bucket, self.grain));
        let first = closer.next().unwrap_or_else(|| window(*lowest));
        let connections = |k| {
            let layout = closer.layout(self.grid.window(k));
            tally.connections(layout.first_bucket, layout.end_bucket())
        };
        let mut open = closer.holding(first, window(*highest), &tally);
        let listed = open.by_ref().take(most).map(|k| (k, connections(k))).collect();
        (listed, open.take(MOST_COUNTED).count() as u64)
    }

    /// A tally of its buckets without pairs, and what closes its windows.
    fn in_buckets(&self) -> (Tally, Closer) {
        let mut tally = Tally::new(Windows::Every(self.grid).shape(&self.cut(), 0), Arc::default());
        self.buckets.iter().for_each(|&(bucket, connections)| tally.add_to_bucket(bucket, connections));
        (tally, self.closer())
    }

    /// How time is cut into its buckets.
    pub(super) fn cut(&self) -> Buckets {
        Buckets { anchor: self.grid.anchor, grain: self.grain, last: i64::MAX }
    }

    /// What closes its windows.
    pub(super) fn closer(&self) -> Closer {
        Closer::new(self.grid, self.cut(), false).resumed(self.windows.next())
    }

    /// Whether the counts add up, when these are the connections of each pane; errors with what
    /// does not. What is settled and what is there is what was counted, and a pane has as many
    /// connections as its buckets.
    pub fn check(&self, panes: &BTreeMap<i64, u64>) -> Result<(), String> {
        let (tally, closer) = self.in_buckets();
        self.windows.settled().check(&closer, &tally, self.balance().counted)?;
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
        self.check(&sums).map_err(|text| io::Error::new(io::ErrorKind::InvalidData, text))
    }

    /// Connections that are counted without their pair, by pane.
    pub fn overflows(&self) -> impl Iterator<Item = (i64, u64)> {
        self.panes.iter().map(|&(number, overflow, _)| (number, overflow))
    }
}

/// The name of a host; that of a hole has no bytes.
fn read_name(decoder: &mut Decoder<'_>) -> io::Result<Vec<u8>> {
    let name: Vec<u8> = decoder.get()?;
    match foreign_byte(&name) {
        Some(_) => Err(wrong("a host with a byte that no line can hold in one")),
        None => Ok(name),
    }
}

fn wrong(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
