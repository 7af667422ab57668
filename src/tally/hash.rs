//! What tables of hosts and of pairs are hashed with: keyed at random, so that no log can flood one
//! slot.
//!
//! Not here: the tables (`host`, `pairs`). Invariant: nothing that anybody sees depends on a hash.

/// Two numbers mixed into one, all of whose bits are usable. (Folded multiplication, as in wyhash,
/// by Wang Yi.)
#[inline(always)]
pub fn folded(low: u64, high: u64) -> u64 {
    let product = u128::from(low) * u128::from(high);
    product as u64 ^ (product >> 64) as u64
}

/// Two numbers that differ from run to run, and from table to table.
pub fn seeds() -> [u64; 2] {
    let hasher = ahash::RandomState::new();
    [hasher.hash_one(1), hasher.hash_one(2)]
}

/// Which of `count` places the upper half of a hash is for. Any number of places will do, not only
/// powers of two.
#[inline(always)]
pub fn shard(hash: u64, count: usize) -> usize {
    (((hash >> 32) * count as u64) >> 32) as usize
}
