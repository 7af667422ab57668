//! What a saved state holds, as plain data: for people who look at it, and for tests that count for
//! themselves.
//!
//! Not here: how it is printed. Invariant: nothing is left of the snapshot when it has been read.

use std::io;
use std::sync::Arc;

use crate::codec::Decoder;
use crate::config::Lengths;
use crate::model::{Balance, InputId, Timestamp};
use crate::ops::close::Windows;
use crate::ops::count::Buckets;
use crate::stage::aggregator::following::header::{Delays, Header};
use crate::tally::{Budget, Tally};

/// The most open windows that are listed.
const MOST_OPEN: usize = 1000;

/// A saved state.
#[derive(Debug)]
pub struct Saved {
    /// The inputs of which anything is known, by number.
    pub inputs: Vec<SavedInput>,
    /// The sheet of all that is counted, of inputs that are forgotten too.
    pub balance: Balance,
    /// The highest watermark of any input.
    pub watermark: Timestamp,
    /// The end of the next window to close, once a record is known.
    pub next: Option<Timestamp>,
    /// The end of each window that is open and holds anything, and its connections: the first of
    /// them, if there are many.
    pub open: Vec<(Timestamp, u64)>,
    /// How many more there are; a million stands for that many or more.
    pub more_open: u64,
    /// What was issued of windows that may be issued again, in order.
    pub issued: Vec<SavedWindow>,
    /// The ends of windows, or runs of them that hold nothing, whose results come once more, since
    /// they may not have been written.
    pub again: Vec<Timestamp>,
    /// Length of a bucket in nanoseconds.
    pub grain: i64,
    /// Length of a pane in nanoseconds: of a run of buckets for which pairs are counted together.
    pub pane: i64,
    /// The start of each bucket and its connections, those of no known pair included.
    pub buckets: Vec<(Timestamp, u64)>,
    /// The start of each pane, and its connections that are counted without their pair.
    pub overflows: Vec<(Timestamp, u64)>,
    /// Hosts whose names are saved.
    pub hosts: usize,
    /// The pairs, by pane and then by name, if they were asked for.
    pub pairs: Option<Vec<SavedPair>>,
}

/// An input of a saved state: one generation of a file.
#[derive(Debug)]
pub struct SavedInput {
    /// Its number.
    pub id: InputId,
    /// The bytes of its last path.
    pub path: Vec<u8>,
    /// The device that it lies on.
    pub device: u64,
    /// Its inode there.
    pub inode: u64,
    /// Its first bytes, at most 64.
    pub start: Vec<u8>,
    /// Bytes of it that are counted, or passed over.
    pub position: u64,
    /// Bytes of it that were gone before they could be read: at least this many.
    pub lost: u64,
    /// Its watermark.
    pub watermark: Timestamp,
    /// No location leads to it any more.
    pub departed: bool,
    /// Nothing more comes of it.
    pub ended: bool,
}

/// What was issued of a window.
#[derive(Debug)]
pub struct SavedWindow {
    /// The end of the window.
    pub end: Timestamp,
    /// How often, from 0.
    pub revision: u32,
    /// With how many connections.
    pub connections: u64,
}

/// A pair of hosts.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SavedPair {
    /// The start of the pane.
    pub start: Timestamp,
    /// The host that connected.
    pub from: Vec<u8>,
    /// The host that it connected to.
    pub to: Vec<u8>,
    /// How often.
    pub connections: u64,
}

/// Reads a snapshot that was saved with a configuration of this fingerprint, and its pairs only if
/// they are asked for.
pub fn saved(fingerprint: &str, decoder: &mut Decoder<'_>, pairs: bool) -> io::Result<Saved> {
    let (mut header, mut tally) = opened(fingerprint, decoder, Arc::default())?;
    let buckets = Buckets { anchor: header.grid.anchor, grain: header.grain, last: i64::MAX };
    let shape = tally.shape();
    let start = |bucket: i64| buckets.anchor.plus_times(bucket, buckets.grain);
    let pane = shape.pane.saturating_mul(buckets.grain);
    let pane_start = |number: i64| buckets.anchor.plus_times(number, pane);
    let (hosts, pairs) = if pairs {
        header.read_counts(decoder, &mut tally)?;
        let hosts = tally.hosts().read().names().len();
        (hosts, Some(listed(&tally, pane_start)))
    } else {
        (header.skip_counts(decoder)?, None)
    };
    let end = |k: i64| header.grid.window(k).end;
    let issued = header.windows.issued().iter().map(|&(k, issued)| SavedWindow {
        end: end(k),
        revision: issued.revision,
        connections: issued.connections,
    });
    let (open, more_open) = header.open_windows(MOST_OPEN);
    Ok(Saved {
        inputs: inputs(&header),
        balance: header.balance(),
        watermark: header.progress.watermark(),
        next: header.windows.next().map(end),
        open: open.into_iter().map(|(k, count)| (end(k), count)).collect(),
        more_open,
        issued: issued.collect(),
        again: header.windows.again().iter().map(|&(_, last)| end(last)).collect(),
        grain: header.grain,
        pane,
        buckets: header.buckets.iter().map(|&(bucket, count)| (start(bucket), count)).collect(),
        overflows: header.overflows().map(|(number, count)| (pane_start(number), count)).collect(),
        hosts,
        pairs,
    })
}

/// Reads a snapshot as a run that goes on from it would, and errors where that run would refuse it.
pub fn verified(fingerprint: &str, decoder: &mut Decoder<'_>) -> io::Result<()> {
    restored(fingerprint, decoder, Arc::default()).map(drop)
}

/// A snapshot to go on from, its counts in a tally that takes their bytes from a budget.
pub(super) fn restored(
    fingerprint: &str,
    decoder: &mut Decoder<'_>,
    budget: Arc<Budget>,
) -> io::Result<(Header, Tally)> {
    let (mut header, mut tally) = opened(fingerprint, decoder, budget)?;
    header.read_counts(decoder, &mut tally)?;
    header.check_tally(&tally)?;
    Ok((header, tally))
}

/// The header, and a tally that its counts fit into: both as the configuration has it that the
/// snapshot was saved with.
fn opened(fingerprint: &str, decoder: &mut Decoder<'_>, budget: Arc<Budget>) -> io::Result<(Header, Tally)> {
    let wrong = |text: &str| io::Error::new(io::ErrorKind::InvalidData, text);
    let lengths =
        Lengths::of(fingerprint).ok_or_else(|| wrong("what it depends on does not say how long windows are"))?;
    let header = Header::read(decoder, &Delays { lateness: lengths.lateness, grace: lengths.grace })?;
    let windows = Windows::Every(header.grid);
    let buckets = windows.buckets(lengths.grouping);
    let starts_elsewhere = lengths.anchor.is_some_and(|anchor| anchor != header.grid.anchor);
    if (header.grid.length, header.grid.period, header.grain) != (lengths.window, lengths.period, buckets.grain)
        || starts_elsewhere
    {
        return Err(wrong("its windows are not those of the configuration that it was saved with"));
    }
    let tally = Tally::new(windows.shape(&buckets, lengths.kept()), budget);
    Ok((header, tally))
}

fn inputs(header: &Header) -> Vec<SavedInput> {
    let known = &header.progress.inputs;
    let inputs = header.files.iter().filter_map(|file| {
        let position = &known[known.binary_search_by_key(&file.id, |(id, _)| *id).ok()?].1;
        Some(SavedInput {
            id: file.id,
            path: file.name.clone(),
            device: file.device,
            inode: file.inode,
            start: file.start.clone(),
            position: file.position,
            lost: file.lost,
            watermark: position.watermark,
            departed: file.departed,
            ended: position.ended(),
        })
    });
    inputs.collect()
}

fn listed(tally: &Tally, start: impl Fn(i64) -> Timestamp) -> Vec<SavedPair> {
    let hosts = tally.hosts().read();
    let name = |host| hosts.names().name(host).to_vec();
    let mut pairs = Vec::new();
    for (number, pane) in tally.panes() {
        let start = start(number);
        pane.for_each(|from, to, connections| {
            pairs.push(SavedPair { start, from: name(from), to: name(to), connections });
        });
    }
    pairs.sort();
    pairs
}
