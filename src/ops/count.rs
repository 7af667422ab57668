//! Records to tally: finds each record's bucket and counts its pair.
//!
//! Each worker has a counter of its own, through which it counts into the tally of all, as much as
//! it can by itself (`lane`). So workers meet at a lock a few times a batch and never for a line.
//! What is not at hand (`at_hand`) is looked up (`look_up`), a piece of the batch at a time; hosts
//! that are new are met at its end, so that the next piece knows them.

mod at_hand;
mod buckets;
mod by_pane;
mod lane;
mod look_up;

use std::collections::BTreeMap;
use std::ops::Range;

use crate::batch::Record;
use crate::tally::{HostId, Tally};

use at_hand::PairsAtHand;
pub use buckets::Buckets;
use buckets::PaneRun;
use by_pane::{ByPane, PaneRecords, in_batch};
use lane::Lane;
use look_up::look_up;

/// What one worker counts with.
#[derive(Debug, Default)]
pub struct Counter {
    /// By number of pane.
    lanes: BTreeMap<i64, Lane>,
    /// Connections by bucket that the tally does not have yet.
    buckets: BTreeMap<i64, u64>,
    /// Bytes of all indexed tables.
    dense_bytes: usize,
    at_hand: PairsAtHand,
    /// The runs of the batch.
    runs: Vec<PaneRun>,
    /// Its records, where runs are short.
    by_pane: ByPane,
    /// Records of the piece whose hosts are to be looked up.
    unknown: Vec<u32>,
    /// Records of the piece with a host that is new.
    strangers: Vec<u32>,
}

/// The records of a batch, and what they are counted into.
#[derive(Clone, Copy)]
struct Batch<'a> {
    records: &'a [Record],
    bytes: &'a [u8],
    tally: &'a Tally,
}

/// Records that are counted before the new hosts among theirs are met.
const PIECE: usize = 1024;

/// Counts the records, which point into `bytes`, with their buckets. Those left over, by their
/// place in `records`, are in their buckets, but there was no memory left in the tally's budget for
/// their pair.
pub fn count(records: &[Record], bytes: &[u8], buckets: &Buckets, tally: &Tally, counter: &mut Counter) -> Vec<u32> {
    let Counter { buckets: counts, runs, .. } = counter;
    buckets.divide(records, tally, runs, |bucket, count| *counts.entry(bucket).or_default() += count);
    counter.count_divided(Batch { records, bytes, tally })
}

/// As `count`, for records that are in their buckets already.
pub fn count_pairs(
    records: &[Record],
    bytes: &[u8],
    buckets: &Buckets,
    tally: &Tally,
    counter: &mut Counter,
) -> Vec<u32> {
    buckets.divide(records, tally, &mut counter.runs, |_, _| {});
    counter.count_divided(Batch { records, bytes, tally })
}

impl Counter {
    /// Counts the pairs of a batch whose runs are known, and gives the records that are left over.
    fn count_divided(&mut self, batch: Batch<'_>) -> Vec<u32> {
        let (runs, mut by_pane) = (std::mem::take(&mut self.runs), std::mem::take(&mut self.by_pane));
        let mut left = Vec::new();
        if by_pane.gather(batch.records, &runs) {
            for PaneRecords { pane, records } in by_pane.panes() {
                let run = PaneRun { pane: *pane, end: records.len() };
                let left_of_pane = self.count_runs(Batch { records, ..batch }, &[run]);
                left.extend(in_batch(left_of_pane, *pane, &runs));
            }
        } else {
            left = self.count_runs(batch, &runs);
        }
        (self.runs, self.by_pane) = (runs, by_pane);
        left
    }

    /// Counts the pairs of all runs, and gives the records that are left over.
    fn count_runs(&mut self, batch: Batch<'_>, runs: &[PaneRun]) -> Vec<u32> {
        self.at_hand.keep_to(batch.tally.numbering());
        let (mut start, mut left) = (0, Vec::new());
        for &PaneRun { pane, end } in runs {
            while start < end {
                let next = end.min(start + PIECE);
                self.count_piece(batch, start..next, pane, &mut left);
                self.at_hand.pass(next - start);
                start = next;
            }
        }
        self.lanes.values_mut().for_each(|lane| lane.flush(batch.tally, &mut left));
        left
    }

    /// Counts the pairs of some records of one pane.
    fn count_piece(&mut self, batch: Batch<'_>, piece: Range<usize>, pane: i64, left: &mut Vec<u32>) {
        let Batch { records, bytes, tally } = batch;
        let Counter { lanes, unknown, strangers, dense_bytes, at_hand, .. } = self;
        let lane = lanes.entry(pane).or_insert_with(|| Lane::new(tally.pane(pane)));
        let budget = tally.budget();
        unknown.clear();
        let first = piece.start as u32;
        if at_hand.is_awake() {
            let at = |place: usize| first + place as u32;
            at_hand.find_each(
                bytes,
                &records[piece],
                #[inline(always)]
                |(from, to), place| lane.add(from, to, at(place), dense_bytes, budget),
                |place| unknown.push(at(place)),
            );
        } else {
            unknown.extend(first..piece.end as u32);
        }
        if unknown.is_empty() {
            return;
        }
        look_up(
            &tally.hosts().read(),
            bytes,
            records,
            unknown,
            #[inline(always)]
            |at, from, to| match (from, to) {
                (Some(from), Some(to)) => {
                    if at_hand.is_awake() {
                        at_hand.put(bytes, &records[at as usize], (from, to), budget);
                    }
                    lane.add(from, to, at, dense_bytes, budget);
                }
                _ => strangers.push(at),
            },
        );
        if !strangers.is_empty() {
            meet(batch, strangers, |(from, to), at| lane.add(from, to, at, dense_bytes, budget), left);
        }
    }

    /// Hands what it holds of the panes before `pane`, and its buckets, to the tally.
    pub fn hand_over(&mut self, pane: i64, tally: &mut Tally) {
        for (bucket, connections) in std::mem::take(&mut self.buckets) {
            tally.add_to_bucket(bucket, connections);
        }
        let later = self.lanes.split_off(&pane);
        for lane in std::mem::replace(&mut self.lanes, later).into_values() {
            let bytes = lane.dense_bytes();
            lane.hand_over();
            self.dense_bytes -= bytes;
            tally.budget().give_back(bytes);
        }
    }
}

/// Adds the hosts of records that the tally does not know to it, and calls `f` with these records
/// and the numbers of their hosts. Those for which there is no memory are left.
#[cold]
fn meet(batch: Batch<'_>, strangers: &mut Vec<u32>, mut f: impl FnMut((HostId, HostId), u32), left: &mut Vec<u32>) {
    let mut hosts = batch.tally.hosts().write();
    for at in strangers.drain(..) {
        let Record { from, to, .. } = batch.records[at as usize];
        let budget = batch.tally.budget();
        let mut id = |(from, to): (u32, u32)| hosts.intern_at(batch.bytes, from as usize, to as usize, budget);
        match (id(from), id(to)) {
            (Some(from), Some(to)) => f((from, to), at),
            _ => left.push(at),
        }
    }
}

#[cfg(test)]
mod tests;
