//! Counts on disk: what a tally held when there was no memory for more, as sorted runs in unnamed
//! temporary files.
//!
//! Pairs are written by their names, so that a run stands for itself: the tally that it came from
//! starts anew, hosts and all. Each run is there twice, by source and by server, and is only ever
//! read from start to end; runs of one pane are merged as they are read. Invariant: of every pair
//! of a pane, the counts in its runs add up to what was counted.

mod merge;
mod pairs;
mod run;

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::sync::Arc;

use crate::error::{ErrorKind, Result};
use crate::model::{Amount, Countable, MeasureSet};
use crate::tally::HostId;
use crate::tally::aggregates::{PairSource, PairVisitor, Side};
use crate::tally::names::Names;
use crate::tally::pane::Pane;
use run::{Run, RunWriter, side_of};

pub use merge::merge;
pub use pairs::{PairInput, PairReader};
pub use run::PairWriter;

/// The most files that are open at the same time: beyond that, their runs are merged into one.
const MAX_FILES: usize = 64;

/// The sides by which a run is sorted, in the order in which it is written.
const SIDES: [Side; 2] = [Side::From, Side::To];

/// The runs of all panes.
#[derive(Debug, Default)]
pub struct RunStore {
    runs: BTreeMap<i64, Vec<Run>>,
    files: usize,
    /// Of the panes that were written.
    measures: MeasureSet,
}

impl RunStore {
    /// Writes the pairs of some panes, whose hosts have these names.
    pub fn write(&mut self, names: &Names, panes: Vec<(i64, Arc<Pane>)>) -> Result<()> {
        self.write_file(names, panes).map_err(cannot_write)
    }

    fn write_file(&mut self, names: &Names, panes: Vec<(i64, Arc<Pane>)>) -> io::Result<()> {
        let ranking = Ranking::of(names);
        self.measures = panes.first().map_or(self.measures, |(_, pane)| pane.measures());
        let mut writer = RunWriter::new(self.measures)?;
        for (number, pane) in panes {
            let mut sides: [Range<u64>; 2] = Default::default();
            for (side, range) in SIDES.into_iter().zip(&mut sides) {
                *range = writer.section(|section| {
                    ranking.for_each_amount(&pane, side, |first, second, amount| section.push(first, second, amount))
                })?;
            }
            self.runs.entry(number).or_default().push(writer.run(sides));
        }
        writer.finish()?;
        self.files += 1;
        if self.files >= MAX_FILES { self.consolidate() } else { Ok(()) }
    }

    /// Merges the runs of each pane into one, all in one file.
    fn consolidate(&mut self) -> io::Result<()> {
        let mut writer = RunWriter::new(self.measures)?;
        for runs in self.runs.values_mut() {
            let mut sides: [Range<u64>; 2] = Default::default();
            for (side, range) in SIDES.into_iter().zip(&mut sides) {
                *range = writer.section(|section| {
                    let sources = runs.iter().map(|run| (0, side_of(run, side)));
                    merge(sources, |first, second, [amount, _]| section.push(first, second, amount)).map(drop)
                })?;
            }
            *runs = vec![writer.run(sides)];
        }
        writer.finish()?;
        self.files = 1;
        Ok(())
    }

    /// Whether there are runs of any of these panes.
    pub fn holds(&self, panes: Range<i64>) -> bool {
        panes.start < panes.end && self.runs.range(panes).next().is_some()
    }

    /// The pairs of a window and of the one before it, which may be empty.
    pub fn pairs(&self, window: Range<i64>, previous: Range<i64>) -> Stored {
        let runs = |panes: Range<i64>| match panes.is_empty() {
            true => Vec::new(),
            false => self.runs.range(panes).flat_map(|(_, runs)| runs.iter().cloned()).collect(),
        };
        Stored { runs: [runs(window), runs(previous)] }
    }

    /// Forgets the panes before this one.
    pub fn drop_before(&mut self, pane: i64) {
        self.runs = self.runs.split_off(&pane);
    }
}

/// The names of hosts in their order.
pub struct Ranking<'a> {
    names: &'a Names,
    by_name: Vec<HostId>,
    /// By number of the host.
    ranks: Vec<u32>,
}

impl<'a> Ranking<'a> {
    /// Of these names.
    pub fn of(names: &'a Names) -> Self {
        let by_name = names.by_name();
        let mut ranks = vec![0u32; names.end()];
        for (rank, id) in by_name.iter().enumerate() {
            ranks[id.0 as usize] = rank as u32;
        }
        Ranking { names, by_name, ranks }
    }

    /// Calls `f` with each pair of a pane and what is counted of it, in the order of the host on `side` and
    /// then of the other one: the two names in this order.
    pub fn for_each_amount(
        &self,
        pane: &Pane,
        side: Side,
        mut f: impl FnMut(&[u8], &[u8], Amount) -> io::Result<()>,
    ) -> io::Result<()> {
        let name = |rank: u64| self.names.name(self.by_name[rank as usize]);
        let mut give = |key, amount| f(name(key >> 32), name(key & u64::from(u32::MAX)), amount);
        match pane.measures().is_empty() {
            true => sorted(pane, side, &self.ranks, |key, count: u64| give(key, count.into())),
            false => sorted(pane, side, &self.ranks, give),
        }
    }
}

/// Calls `f` with each pair of a pane and its count, in the order of the rank of the host on `side`
/// and then of the other one: the two ranks as one number. So that there need not be two copies of
/// a pane, it is visited several times, and each time a range of it is put in order.
fn sorted<A: Countable>(
    pane: &Pane,
    side: Side,
    ranks: &[u32],
    mut f: impl FnMut(u64, A) -> io::Result<()>,
) -> io::Result<()> {
    let key = |from: HostId, to: HostId| {
        let (from, to) = (u64::from(ranks[from.0 as usize]), u64::from(ranks[to.0 as usize]));
        if side == Side::From { from << 32 | to } else { to << 32 | from }
    };
    let ends = range_ends(pane, key);
    // A little more than a range has on average, since a sample does not divide exactly.
    let (mut start, mut pairs) = (0, Vec::with_capacity(pane.len() / ends.len() / 8 * 9));
    for end in ends {
        pairs.clear();
        pane.each(|from, to, what: A| {
            let key = key(from, to);
            if (start..=end).contains(&key) {
                pairs.push((key, what));
            }
        });
        pairs.sort_unstable_by_key(|(key, _)| *key);
        pairs.iter().try_for_each(|(key, what)| f(*key, *what))?;
        start = end.saturating_add(1);
    }
    Ok(())
}

/// The last keys of ranges that hold about the same number of pairs each, found from a sample; as
/// few ranges as the size of a range allows.
fn range_ends(pane: &Pane, key: impl Fn(HostId, HostId) -> u64) -> Vec<u64> {
    let ranges = pane.len().div_ceil(SORTED_AT_ONCE.max(pane.len() / MAX_RANGES));
    let (mut sample, mut at) = (Vec::new(), 0);
    pane.for_each(|from, to, _| {
        if at % SAMPLED_ONE_IN == 0 {
            sample.push(key(from, to));
        }
        at += 1;
    });
    sample.sort_unstable();
    let inner = (1..ranges).filter_map(|range| sample.get(range * sample.len() / ranges).copied());
    inner.chain([u64::MAX]).collect()
}

/// Pairs that are put in order at a time, unless that would take too many passes: they take 4 MiB
/// then, beside the pane.
const SORTED_AT_ONCE: usize = 1 << 18;

/// The most passes over a pane to write it once.
const MAX_RANGES: usize = 16;

/// One pair in this many is in the sample that shows how the pairs are spread.
const SAMPLED_ONE_IN: usize = 256;

/// The pairs of a window in the runs of its panes.
#[derive(Debug)]
pub struct Stored {
    /// Of the window, and of the one before it.
    runs: [Vec<Run>; 2],
}

impl PairSource for Stored {
    fn for_each(&self, side: Side, f: &mut PairVisitor<'_>) -> io::Result<()> {
        let sources = self.runs.iter().enumerate();
        let sources = sources.flat_map(|(group, runs)| runs.iter().map(move |run| (group, side_of(run, side))));
        merge(sources, |first, second, counts| {
            f(first, second, counts);
            Ok(())
        })
        .map(drop)
    }

    fn for_each_both_ways(&self, f: &mut PairVisitor<'_>) -> io::Result<()> {
        let [window, _] = &self.runs;
        let ways = SIDES.into_iter().enumerate();
        let sources = ways.flat_map(|(way, side)| window.iter().map(move |run| (way, side_of(run, side))));
        merge(sources, |first, second, counts| {
            f(first, second, counts);
            Ok(())
        })
        .map(drop)
    }
}

fn cannot_write(source: io::Error) -> crate::error::Error {
    let action = format!(
        "cannot write counts to the temporary folder {}: free some space there, or name another in TMPDIR",
        crate::error::show_path(&std::env::temp_dir())
    );
    ErrorKind::System { action, source }.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tally::Shape;
    use crate::tally::{Budget, Tally};
    use proptest::prelude::*;

    /// (pane, from, to), one for each connection.
    type Connections = Vec<(i64, u8, u8)>;
    type Plain = Vec<((String, String), [u64; 2])>;

    fn connections() -> impl Strategy<Value = Connections> {
        proptest::collection::vec((0i64..4, 0u8..12, 0u8..5), 0..60)
    }

    fn name(side: &str, host: u8) -> String {
        // Of different lengths, and one of more than a byte can tell.
        format!("{side}{host}{}", if host == 3 { "x".repeat(300) } else { String::new() })
    }

    fn spill(store: &mut RunStore, connections: &Connections) {
        let budget = Arc::<Budget>::default();
        let mut tally = Tally::new(Shape { pane: 1, shards: 3 }, Arc::clone(&budget));
        for (pane, from, to) in connections {
            tally.add(*pane, name("s", *from).as_bytes(), name("d", *to).as_bytes(), 1);
        }
        let (names, panes) = tally.drain();
        store.write(&names, panes).unwrap();
        assert_eq!(budget.used(), 0);
    }

    fn plain(store: &RunStore, side: Side) -> Plain {
        let mut out = Plain::new();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        store
            .pairs(2..4, 0..2)
            .for_each(side, &mut |first, second, [window, before]| {
                out.push(((text(first), text(second)), [window.connections, before.connections]));
            })
            .unwrap();
        out
    }

    fn oracle(connections: &[Connections], side: Side) -> Plain {
        let mut out: BTreeMap<(String, String), [u64; 2]> = BTreeMap::new();
        for (pane, from, to) in connections.iter().flatten() {
            let (from, to) = (name("s", *from), name("d", *to));
            let key = if side == Side::From { (from, to) } else { (to, from) };
            out.entry(key).or_default()[usize::from(*pane < 2)] += 1;
        }
        out.into_iter().collect()
    }

    /// Hosts whose names are on both sides, either way, of the window alone.
    fn both_ways(store: &RunStore) -> Plain {
        let mut out = Plain::new();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let add = &mut |first: &[u8], second: &[u8], counts: [Amount; 2]| {
            out.push(((text(first), text(second)), counts.map(|amount| amount.connections)));
        };
        store.pairs(2..4, 0..2).for_each_both_ways(add).unwrap();
        out
    }

    #[test]
    fn two_hosts_come_together_whichever_of_them_connected() {
        let mut store = RunStore::default();
        // Those of pane 1 are of the window before.
        for (pane, from, to) in
            [(2, "a", "b"), (3, "b", "a"), (2, "b", "a"), (2, "a", "a"), (1, "a", "z"), (3, "c", "b")]
        {
            let mut tally = Tally::new(Shape { pane: 1, shards: 2 }, Default::default());
            tally.add(pane, from.as_bytes(), to.as_bytes(), 1);
            let (names, panes) = tally.drain();
            store.write(&names, panes).unwrap();
        }
        let plain = |first: &str, second: &str, counts| ((first.to_owned(), second.to_owned()), counts);
        let expected =
            [("a", "a", [1, 1]), ("a", "b", [1, 2]), ("b", "a", [2, 1]), ("b", "c", [0, 1]), ("c", "b", [1, 0])];
        assert_eq!(both_ways(&store), expected.map(|(first, second, counts)| plain(first, second, counts)));
    }

    proptest! {
        #[test]
        fn merged_runs_are_what_was_counted_in_order(parts in proptest::collection::vec(connections(), 0..6)) {
            let mut store = RunStore::default();
            parts.iter().for_each(|part| spill(&mut store, part));
            for _ in 0..2 {
                for side in SIDES {
                    prop_assert_eq!(plain(&store, side), oracle(&parts, side));
                }
                store.consolidate().unwrap();
                prop_assert!(store.runs.values().all(|runs| runs.len() == 1));
            }
        }

        #[test]
        fn the_order_of_runs_does_not_show(mut parts in proptest::collection::vec(connections(), 0..6)) {
            let mut stores = [RunStore::default(), RunStore::default()];
            parts.iter().for_each(|part| spill(&mut stores[0], part));
            parts.reverse();
            parts.iter().for_each(|part| spill(&mut stores[1], part));
            prop_assert_eq!(plain(&stores[0], Side::From), plain(&stores[1], Side::From));
        }
    }

    #[test]
    fn sums_come_back_with_their_pairs() {
        let amount = |connections, sum| Amount { connections, sums: crate::model::PerMeasure::of(&[sum, 2 * sum]) };
        let mut store = RunStore::default();
        let names = ["bytes".to_owned(), "packets".to_owned()];
        for part in 1..4u64 {
            let mut tally = Tally::new(Shape { pane: 1, shards: 2 }, Arc::default()).measuring(&names);
            tally.add_amount(0, b"a", b"x", amount(1, 1 << 40));
            tally.add_amount(1, b"a", b"x", amount(part, part));
            tally.add_amount(1, b"b", b"x", amount(1, 0));
            let (names, panes) = tally.drain();
            store.write(&names, panes).unwrap();
        }
        for _ in 0..2 {
            for side in SIDES {
                let mut found = Vec::new();
                store.pairs(1..2, 0..1).for_each(side, &mut |_, _, amounts| found.push(amounts)).unwrap();
                assert_eq!(found, [[amount(6, 6), amount(3, 3 << 40)], [amount(3, 0), Amount::default()]]);
            }
            store.consolidate().unwrap();
        }
    }

    #[test]
    fn few_files_are_open_however_often_is_spilled() {
        let mut store = RunStore::default();
        let part = vec![(2, 1, 1)];
        for _ in 0..3 * MAX_FILES {
            spill(&mut store, &part);
            assert!(store.files < MAX_FILES && store.runs[&2].len() <= MAX_FILES);
        }
        assert_eq!(plain(&store, Side::From)[0].1, [3 * MAX_FILES as u64, 0]);
        store.drop_before(3);
        assert!(!store.holds(0..9));
    }
}
