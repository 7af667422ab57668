//! The hosts of records, looked up in the set of all.
//!
//! In a large set nearly each name goes to memory. Then names are looked up in three loops: their
//! hashes, where they lie, and whether they are there; so that the processor waits for many at a
//! time, since none of them depends on another.

use std::hint::black_box;

use crate::batch::Record;
use crate::tally::HostId;
use crate::tally::host::Hosts;

/// Records whose hosts are fetched before the first of them is looked up.
const BLOCK: usize = 128;

/// Calls `f` with some of the records, each by its place, and the numbers of its hosts; of those
/// that are known.
#[inline(always)]
pub(super) fn look_up(
    hosts: &Hosts,
    bytes: &[u8],
    records: &[Record],
    which: &[u32],
    mut f: impl FnMut(u32, Option<HostId>, Option<HostId>),
) {
    if !hosts.is_large() {
        for &at in which {
            let Record { from, to, .. } = records[at as usize];
            f(at, find(hosts, hash(hosts, bytes, from), bytes, from), find(hosts, hash(hosts, bytes, to), bytes, to));
        }
        return;
    }
    for block in which.chunks(BLOCK) {
        let mut hashes = [[0; 2]; BLOCK];
        for (hashes, &at) in hashes.iter_mut().zip(block) {
            let Record { from, to, .. } = records[at as usize];
            *hashes = [hash(hosts, bytes, from), hash(hosts, bytes, to)];
        }
        let places = hashes.iter().zip(block).fold(0, |sum, (hashes, &at)| {
            let Record { from, to, .. } = records[at as usize];
            sum ^ touch(hosts, hashes[0], from) ^ touch(hosts, hashes[1], to)
        });
        black_box(places);
        for (hashes, &at) in hashes.iter().zip(block) {
            let Record { from, to, .. } = records[at as usize];
            f(at, find(hosts, hashes[0], bytes, from), find(hosts, hashes[1], bytes, to));
        }
    }
}

#[inline(always)]
fn hash(hosts: &Hosts, bytes: &[u8], (from, to): (u32, u32)) -> u64 {
    hosts.hash_at(bytes, from as usize, to as usize)
}

#[inline(always)]
fn touch(hosts: &Hosts, hash: u64, (from, to): (u32, u32)) -> u32 {
    hosts.touch(hash, (to - from) as usize)
}

#[inline(always)]
fn find(hosts: &Hosts, hash: u64, bytes: &[u8], (from, to): (u32, u32)) -> Option<HostId> {
    hosts.find_hashed(hash, bytes, from as usize, to as usize)
}
