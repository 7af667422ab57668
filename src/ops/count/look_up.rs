//! The hosts of records, looked up in the set of all.
//!
//! In a large set nearly each name goes to memory, once for its slot and once for what it is compared
//! with. Then names are looked up in three loops: their hashes, which hosts they may be, and whether
//! they are these; so that the processor waits for many at a time, since none of them depends on
//! another.

use std::array::from_fn;
use std::hint::black_box;

use crate::batch::Record;
use crate::model::lanes::{Lanes as _, on_widest_lanes};
use crate::tally::HostId;
use crate::tally::host::{Hosts, SoughtName};

/// Records whose hosts are fetched before the first of them is looked up: their places are more than
/// a processor waits for at a time.
const BLOCK: usize = 64;

/// Calls `f` with some of the records, each by its place, and the numbers of its hosts; of those
/// that are known.
#[inline(never)]
pub(super) fn look_up(
    hosts: &Hosts,
    bytes: &[u8],
    records: &[Record],
    which: &[u32],
    mut f: impl FnMut(u32, Option<HostId>, Option<HostId>),
) {
    on_widest_lanes!(lanes => lanes.within(
        #[inline(always)]
        || if hosts.is_large() {
            look_up_in_blocks(hosts, bytes, records, which, &mut f);
        } else {
            for &at in which {
                let Record { from, to, .. } = records[at as usize];
                f(at, find(hosts, bytes, from), find(hosts, bytes, to));
            }
        }
    ));
}

#[inline(always)]
fn look_up_in_blocks(
    hosts: &Hosts,
    bytes: &[u8],
    records: &[Record],
    which: &[u32],
    mut f: impl FnMut(u32, Option<HostId>, Option<HostId>),
) {
    let mut names: [_; BLOCK] = from_fn(|_| [SoughtName::NONE; 2]);
    let mut candidates: [_; BLOCK] = from_fn(|_| [None; 2]);
    for block in which.chunks(BLOCK) {
        let mut places = 0;
        for (names, &at) in names.iter_mut().zip(block) {
            let Record { from, to, .. } = records[at as usize];
            *names = [sought(hosts, bytes, from), sought(hosts, bytes, to)];
            places ^= hosts.touch(&names[0]) ^ hosts.touch(&names[1]);
        }
        for (candidates, [from, to]) in candidates.iter_mut().zip(&names).take(block.len()) {
            *candidates = [hosts.candidate(from), hosts.candidate(to)];
            places ^= touch_candidate(hosts, candidates[0], from) ^ touch_candidate(hosts, candidates[1], to);
        }
        black_box(places);
        for ((candidates, [from, to]), &at) in candidates.iter().zip(&names).zip(block) {
            let record = &records[at as usize];
            let from = confirm(hosts, candidates[0], from, || Record::slice(bytes, record.from));
            f(at, from, confirm(hosts, candidates[1], to, || Record::slice(bytes, record.to)));
        }
    }
}

/// The host of this name, which is nearly always the first that it may be.
#[inline(always)]
fn confirm<'a>(
    hosts: &Hosts,
    candidate: Option<HostId>,
    sought: &SoughtName,
    name: impl Fn() -> &'a [u8],
) -> Option<HostId> {
    if hosts.is(candidate?, sought, &name) {
        return candidate;
    }
    find_another(hosts, sought, name())
}

#[cold]
#[inline(never)]
fn find_another(hosts: &Hosts, sought: &SoughtName, name: &[u8]) -> Option<HostId> {
    hosts.find_sought(sought, || name)
}

#[inline(always)]
fn sought(hosts: &Hosts, bytes: &[u8], (from, to): (u32, u32)) -> SoughtName {
    hosts.sought(bytes, from as usize, to as usize)
}

#[inline(always)]
fn touch_candidate(hosts: &Hosts, candidate: Option<HostId>, sought: &SoughtName) -> u32 {
    candidate.map_or(0, |id| hosts.touch_candidate(id, sought))
}

#[inline(always)]
fn find(hosts: &Hosts, bytes: &[u8], (from, to): (u32, u32)) -> Option<HostId> {
    hosts.find_at(bytes, from as usize, to as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;

    /// A name of one of the lengths that are looked up in another way. Many have one key in a set
    /// that has none drawn.
    fn name(at: u32) -> String {
        let (block, other) = ("a".repeat(16), "b".repeat(16));
        match at % 4 {
            0 => format!("h{at}"),
            1 => format!("{block}{at}"),
            2 => format!("{block}middle-{at:09}{other}"),
            _ => format!("{block}{other}{block}{other}{at}"),
        }
    }

    #[test]
    fn hosts_are_found_as_if_looked_up_one_by_one() {
        for (known, is_large) in [(40, false), (6_000, true)] {
            for mut hosts in [Hosts::unkeyed(), Hosts::default()] {
                (0..known).for_each(|at| _ = hosts.intern(name(at).as_bytes()));
                assert_eq!(hosts.is_large(), is_large);
                let (mut bytes, mut records) = (Vec::new(), Vec::new());
                let mut put = |at: u32| {
                    let from = bytes.len() as u32;
                    bytes.extend_from_slice(name(at).as_bytes());
                    (from, bytes.len() as u32)
                };
                for at in 0..3 * known {
                    let time = Timestamp::from_nanos(0);
                    records.push(Record { time, from: put(at * 7 % (2 * known)), to: put(at * 11 % (2 * known)) });
                }
                let which: Vec<u32> = (0..3 * known).filter(|at| at % 5 != 0).collect();
                let one_by_one = |range| hosts.find(Record::slice(&bytes, range));
                let expected: Vec<_> = which
                    .iter()
                    .map(|&at| (at, one_by_one(records[at as usize].from), one_by_one(records[at as usize].to)))
                    .collect();
                let mut found = Vec::new();
                look_up(&hosts, &bytes, &records, &which, |at, from, to| found.push((at, from, to)));
                assert_eq!(found, expected);
                assert!(found.iter().filter(|(_, from, to)| from.is_some() && to.is_some()).count() > which.len() / 8);
            }
        }
    }
}
