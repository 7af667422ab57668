//! Records to tally: finds each record's bucket and counts its pair.
//!
//! Each worker has a counter of its own, through which it counts into the tally of all, as much as
//! it can by itself (`lane`). So workers meet at a lock a few times a batch and never for a line.
//! What is not at hand (`at_hand`) is looked up (`look_up`), a piece of the batch at a time; hosts
//! that are new are met at its end, so that the next piece knows them.

mod at_hand;
mod buckets;
mod lane;
mod look_up;

use std::collections::BTreeMap;
use std::ops::Range;

use crate::batch::Record;
use crate::format::{Mapped, RecordLayout, RecordNumbers};
use crate::model::{Amount, Measured};
use crate::tally::{HostId, Tally};

use at_hand::PairsAtHand;
pub use buckets::Buckets;
use buckets::{Division, MOST_PANES};
use lane::Lane;
use look_up::look_up;

/// What one worker counts with.
#[derive(Debug, Default)]
pub struct Counter {
    /// By number of pane.
    lanes: BTreeMap<i64, Lane>,
    /// Connections by bucket that the tally does not have yet.
    buckets: BTreeMap<i64, u64>,
    /// What measures come to by bucket, as far as the tally does not have it yet.
    measured: BTreeMap<i64, Measured>,
    /// Bytes of all indexed tables.
    dense_bytes: usize,
    at_hand: PairsAtHand,
    /// The buckets and panes of the piece.
    division: Division,
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
    /// What stands before the hosts of each.
    layout: RecordLayout,
    tally: &'a Tally,
}

/// Records of a batch one behind the other, with what it takes to find their pairs.
struct OpenPiece<'a> {
    batch: Batch<'a>,
    start: u32,
    end: u32,
    at_hand: &'a mut PairsAtHand,
    unknown: &'a mut Vec<u32>,
    strangers: &'a mut Vec<u32>,
    left: &'a mut Vec<u32>,
}

/// Records that are counted before the new hosts among theirs are met; fewer where they are in many
/// buckets.
const PIECE: usize = 1024;

/// Counts the records, which point into `bytes`, with their buckets. Those left over, by their
/// place in `records`, are in their buckets, but there was no memory left in the tally's budget for
/// their pair.
pub fn count(records: &[Record], bytes: &[u8], buckets: &Buckets, tally: &Tally, counter: &mut Counter) -> Vec<u32> {
    count_numbers(records, (bytes, RecordLayout::default()), buckets, tally, counter)
}

/// As `count`, of records that have numbers before their hosts.
pub fn count_numbers(
    records: &[Record],
    (bytes, layout): (&[u8], RecordLayout),
    buckets: &Buckets,
    tally: &Tally,
    counter: &mut Counter,
) -> Vec<u32> {
    counter.count_batch(Batch { records, bytes, layout, tally }, buckets, true)
}

/// As `count_numbers`, for records that are in their buckets already.
pub fn count_pairs(
    records: &[Record],
    (bytes, layout): (&[u8], RecordLayout),
    buckets: &Buckets,
    tally: &Tally,
    counter: &mut Counter,
) -> Vec<u32> {
    counter.count_batch(Batch { records, bytes, layout, tally }, buckets, false)
}

impl Batch<'_> {
    /// What is counted of a record.
    fn numbers(&self, record: &Record) -> RecordNumbers {
        Mapped::numbers(self.layout, self.bytes, record.from.0 as usize, record.time)
    }

    fn amount(&self, at: u32) -> Amount {
        self.numbers(&self.records[at as usize]).amount
    }
}

impl Counter {
    /// Counts the pairs of a batch, and its buckets if need be. Gives the records that are left
    /// over.
    fn count_batch(&mut self, batch: Batch<'_>, buckets: &Buckets, with_buckets: bool) -> Vec<u32> {
        self.at_hand.keep_to(batch.tally.numbering());
        let (mut start, mut left, mut size) = (0, Vec::new(), PIECE);
        let has_numbers = !batch.layout.is_empty();
        if with_buckets && has_numbers {
            self.measure(batch, buckets);
        }
        while start < batch.records.len() {
            let end = batch.records.len().min(start + size);
            if !buckets.divide(&batch.records[start..end], batch.tally, &mut self.division) {
                // One record is in one bucket.
                size = (end - start) / 2;
                continue;
            }
            if with_buckets && !has_numbers {
                self.division.buckets().for_each(|(bucket, count)| *self.buckets.entry(bucket).or_default() += count);
            }
            match has_numbers {
                true => self.count_piece_of_numbers(batch, start..end, &mut left),
                false => self.count_piece(batch, start..end, &mut left),
            }
            self.at_hand.pass(end - start);
            (start, size) = (end, PIECE.min(2 * size));
        }
        match has_numbers {
            true => self.lanes.values_mut().for_each(|lane| lane.flush(batch.tally, &mut left, |at| batch.amount(at))),
            false => self.lanes.values_mut().for_each(|lane| lane.flush(batch.tally, &mut left, |_| 1u64)),
        }
        left
    }

    /// Counts the pairs of some records that are divided.
    fn count_piece(&mut self, batch: Batch<'_>, piece: Range<usize>, left: &mut Vec<u32>) {
        let Batch { tally, .. } = batch;
        let Counter { lanes, division, dense_bytes, at_hand, unknown, strangers, .. } = self;
        let (first, budget) = (division.first_pane, tally.budget());
        let mut piece =
            OpenPiece { batch, start: piece.start as u32, end: piece.end as u32, at_hand, unknown, strangers, left };
        if division.panes == 1 {
            let lane = lanes.entry(first).or_insert_with(|| Lane::new(tally.pane(first)));
            return piece.count(
                #[inline(always)]
                |(from, to), at| lane.add(from, to, at, dense_bytes, budget),
            );
        }
        for (bucket, _) in division.buckets() {
            let pane = tally.pane_of(bucket);
            lanes.entry(pane).or_insert_with(|| Lane::new(tally.pane(pane)));
        }
        // There may be none of a pane between two others.
        let mut of_pane = [const { None }; MOST_PANES];
        for (pane, lane) in lanes.range_mut(first..=first + (division.panes as i64 - 1)) {
            of_pane[(pane - first) as usize] = Some(lane);
        }
        let (pane_of, start) = (&division.pane_of[..], piece.start);
        piece.count(
            #[inline(always)]
            |(from, to), at| {
                if let Some(lane) = &mut of_pane[pane_of[(at - start) as usize] as usize] {
                    lane.add(from, to, at, dense_bytes, budget);
                }
            },
        );
    }

    /// As `count_piece`, where records have numbers: they all wait for the end of the batch.
    #[inline(never)]
    fn count_piece_of_numbers(&mut self, batch: Batch<'_>, piece: Range<usize>, left: &mut Vec<u32>) {
        let Batch { tally, .. } = batch;
        let Counter { lanes, division, at_hand, unknown, strangers, .. } = self;
        let first = division.first_pane;
        for (bucket, _) in division.buckets() {
            let pane = tally.pane_of(bucket);
            lanes.entry(pane).or_insert_with(|| Lane::new(tally.pane(pane)));
        }
        let mut piece =
            OpenPiece { batch, start: piece.start as u32, end: piece.end as u32, at_hand, unknown, strangers, left };
        let start = piece.start;
        piece.count(|(from, to), at| {
            let pane = division.pane_of.get((at - start) as usize).copied().unwrap_or(0);
            if let Some(lane) = lanes.get_mut(&(first + i64::from(pane))) {
                lane.wait(from, to, at);
            }
        });
    }

    /// Counts what records are into their buckets.
    #[inline(never)]
    fn measure(&mut self, batch: Batch<'_>, buckets: &Buckets) {
        let mut last: Option<(i64, u64, Measured)> = None;
        for record in batch.records {
            let (bucket, numbers) = (buckets.of(record.time), batch.numbers(record));
            let (_, connections, measured) = match &mut last {
                Some(last) if last.0 == bucket => last,
                other => {
                    self.add_measured(other.take());
                    other.insert((bucket, 0, Measured::default()))
                }
            };
            *connections += numbers.amount.connections;
            *measured += Measured { sums: numbers.amount.sums, missing: numbers.missing };
        }
        self.add_measured(last);
    }

    fn add_measured(&mut self, of_bucket: Option<(i64, u64, Measured)>) {
        if let Some((bucket, connections, measured)) = of_bucket {
            *self.buckets.entry(bucket).or_default() += connections;
            *self.measured.entry(bucket).or_default() += measured;
        }
    }

    /// Hands what it holds of the panes before `pane`, and its buckets, to the tally.
    pub fn hand_over(&mut self, pane: i64, tally: &mut Tally) {
        for (bucket, connections) in std::mem::take(&mut self.buckets) {
            tally.add_to_bucket(bucket, connections);
        }
        for (bucket, measured) in std::mem::take(&mut self.measured) {
            tally.measure(bucket, measured);
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

impl OpenPiece<'_> {
    /// Finds the pair of each record, and calls `add` with it and the record's place in the batch.
    #[inline(always)]
    fn count(&mut self, mut add: impl FnMut((HostId, HostId), u32)) {
        let OpenPiece { batch: Batch { records, bytes, tally, .. }, start, end, .. } = *self;
        let OpenPiece { at_hand, unknown, strangers, left, .. } = self;
        unknown.clear();
        if at_hand.is_awake() {
            at_hand.find_each(
                bytes,
                &records[start as usize..end as usize],
                #[inline(always)]
                |pair, place| add(pair, start + place as u32),
                |place| unknown.push(start + place as u32),
            );
        } else {
            unknown.extend(start..end);
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
                        at_hand.put(bytes, &records[at as usize], (from, to), tally.budget());
                    }
                    add((from, to), at);
                }
                _ => strangers.push(at),
            },
        );
        if !strangers.is_empty() {
            meet(self.batch, strangers, add, left);
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
