//! What tables of hosts and of pairs are hashed with: keyed at random, so that no log can flood one
//! slot.
//!
//! Not here: the tables (`host_table`, `pairs`). Invariant: nothing that anybody sees depends on a
//! hash.

/// Two numbers mixed into one, all of whose bits are usable. (Folded multiplication, as in wyhash,
/// by Wang Yi.)
#[inline(always)]
pub fn folded(low: u64, high: u64) -> u64 {
    let product = u128::from(low) * u128::from(high);
    product as u64 ^ (product >> 64) as u64
}

/// Numbers that differ from run to run, and from table to table.
pub fn seeds<const COUNT: usize>() -> [u64; COUNT] {
    let hasher = ahash::RandomState::new();
    std::array::from_fn(|at| hasher.hash_one(at))
}

/// How short texts are hashed, of which there are an even number of words, eight at most.
#[derive(Debug, Clone, Copy)]
pub struct TextHash {
    seeds: [u64; 8],
}

impl Default for TextHash {
    fn default() -> Self {
        TextHash { seeds: seeds() }
    }
}

impl TextHash {
    /// The hash of a text.
    #[inline(always)]
    pub fn of<const WORDS: usize>(&self, words: &[u64; WORDS]) -> u64 {
        let (mut hash, mut at) = (0, 0);
        while at < WORDS {
            hash ^= folded(words[at] ^ self.seeds[at], words[at + 1] ^ self.seeds[at + 1]);
            at += 2;
        }
        hash
    }
}

/// Which of `count` places the upper half of a hash is for. Any number of places will do, not only
/// powers of two.
#[inline(always)]
pub fn shard(hash: u64, count: usize) -> usize {
    (((hash >> 32) * count as u64) >> 32) as usize
}

#[cfg(test)]
impl TextHash {
    /// Without a key, so that texts can be made that have one hash: a word of zeros, or two blocks of
    /// two words that change places.
    pub fn unkeyed() -> Self {
        TextHash { seeds: [0; 8] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn s11_each_hash_is_keyed_by_itself_and_minds_each_word() {
        let hashes: Vec<TextHash> = (0..8).map(|_| TextHash::default()).collect();
        assert_eq!(hashes.iter().map(|hash| hash.seeds).collect::<BTreeSet<_>>().len(), 8);
        let texts = (0..8 * 64).map(|bit| std::array::from_fn(|word| u64::from(word == bit / 64) << (bit % 64)));
        assert_eq!(texts.map(|words: [u64; 8]| hashes[0].of(&words)).collect::<BTreeSet<_>>().len(), 8 * 64);
    }
}
