//! Host names, each stored once and known by a small number.
//!
//! Names are bytes, compared exactly: invalid UTF-8 is kept apart like anything else.
//! Invariant: `names().name(intern(x)) == x`, and numbers run from 0 without a gap.

use super::budget::Budget;
use super::hash::{folded, seeds, shard};
use super::lanes;

/// A host's number in its `Hosts`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostId(pub u32);

/// Host names by number.
#[derive(Debug, Clone, Default)]
pub struct Names {
    /// All names, one after the other.
    bytes: Vec<u8>,
    /// Where each name ends in `bytes`.
    ends: Vec<usize>,
}

/// A set of host names, numbered in the order in which they came.
///
/// A table with open addressing. A short name is compared within its slot, without a look at the names; a long one by
/// its hash first. Hashes are keyed at random, so that names in a log cannot flood the table.
#[derive(Debug)]
pub struct Hosts {
    names: Names,
    shards: [Shard; SHARDS],
    hasher: ahash::RandomState,
    /// What short names are hashed with.
    seeds: [u64; 2],
}

/// Bytes of a name that fits its slot.
const SHORT: usize = lanes::NARROW;

/// Slots of a table that is not empty, at least.
const FIRST_SLOTS: usize = 32;

/// Tables of a set: each is grown by itself, so that little is there twice, and for a moment only.
const SHARDS: usize = 16;

/// Slots of a table of a set that is larger than the first cache, on every processor that there is.
const LARGE: usize = 8192 / SHARDS;

/// What a name is compared by.
#[derive(Debug, Clone, Copy)]
struct Key {
    /// A short name, zeros behind it; the hash of a long one.
    word: [u64; 2],
    /// Bytes of the name; a long one counts as `LONG` whatever its length.
    length: u32,
}

/// A key and the number of its host.
#[derive(Debug, Clone, Copy)]
struct Slot {
    word: [u64; 2],
    length: u32,
    id: u32,
}

/// A table with open addressing.
#[derive(Debug, Default)]
struct Shard {
    /// As many as a power of two, some of them always free.
    slots: Vec<Slot>,
    taken: usize,
}

impl Shard {
    /// The slot at which the search for a key of this hash begins.
    #[inline(always)]
    fn place(&self, hash: u64) -> usize {
        hash as usize & self.slots.len().wrapping_sub(1)
    }

    /// The slot behind this one.
    fn behind(&self, at: usize) -> usize {
        (at + 1) & (self.slots.len() - 1)
    }

    /// Whether there is no room for one more: small tables are kept half free, so that a search is short; of large ones a
    /// quarter has to do, as half of them would be much memory.
    fn is_full(&self) -> bool {
        let (names, slots) = (self.taken + 1, self.slots.len());
        if slots > LARGE { 4 * names > 3 * slots } else { 2 * names > slots }
    }

    /// Slots of the next size.
    fn wider(&self) -> usize {
        (2 * self.slots.len()).max(FIRST_SLOTS)
    }

    /// Puts a slot that is not there yet into the first free place.
    fn put(&mut self, hash: u64, slot: Slot) {
        let mut at = self.place(hash);
        while !self.slots[at].is_free() {
            at = self.behind(at);
        }
        self.slots[at] = slot;
        self.taken += 1;
    }
}

impl Slot {
    fn new(key: Key, id: HostId) -> Self {
        Slot { word: key.word, length: key.length, id: id.0 }
    }

    fn key(&self) -> Key {
        Key { word: self.word, length: self.length }
    }

    /// Whether it has this key. All parts are compared, as a branch for each would cost more.
    #[inline(always)]
    fn has(&self, key: &Key) -> bool {
        let word = (self.word[0] ^ key.word[0]) | (self.word[1] ^ key.word[1]);
        word | u64::from(self.length ^ key.length) == 0
    }

    fn is_free(&self) -> bool {
        self.length == FREE
    }
}

/// Bytes that a name takes beside its own and its slot: where it ends, and its totals and its rank once they are asked
/// for.
const EACH_NAME: usize = 48;

/// The length in the keys of all names that are not short.
const LONG: u32 = u32::MAX;

/// The length in slots that are free; no key has it.
const FREE: u32 = u32::MAX - 1;

const FREE_SLOT: Slot = Slot { word: [0; 2], length: FREE, id: 0 };

/// By the length of a short name: the bits of its words.
const BITS: [[u64; 2]; SHORT + 1] = {
    let mut bits = [[u64::MAX; 2]; SHORT + 1];
    let mut length = 0;
    while length < SHORT {
        let all = (1u128 << (8 * length)) - 1;
        bits[length] = [all as u64, (all >> 64) as u64];
        length += 1;
    }
    bits
};

impl Names {
    /// The name of a host.
    #[inline]
    pub fn name(&self, id: HostId) -> &[u8] {
        let id = id.0 as usize;
        let start = if id == 0 { 0 } else { self.ends[id - 1] };
        &self.bytes[start..self.ends[id]]
    }

    /// The number of a name, looked for one by one.
    pub fn find(&self, name: &[u8]) -> Option<HostId> {
        self.iter().position(|known| known == name).map(|id| HostId(id as u32))
    }

    /// How many hosts there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are no hosts.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// All names, in the order of their numbers.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.ends.len() as u32).map(|id| self.name(HostId(id)))
    }

    /// All numbers, in the order of their names.
    pub fn by_name(&self) -> Vec<HostId> {
        let mut ids: Vec<HostId> = (0..self.ends.len() as u32).map(HostId).collect();
        ids.sort_unstable_by_key(|id| self.name(*id));
        ids
    }

    fn push(&mut self, name: &[u8]) -> HostId {
        self.bytes.extend_from_slice(name);
        self.ends.push(self.bytes.len());
        HostId(self.ends.len() as u32 - 1)
    }
}

/// A block as two numbers, whatever the processor's order of bytes.
#[inline(always)]
fn halves(block: &[u8; SHORT]) -> (u64, u64) {
    let (&[low, high], _) = block.as_chunks::<8>() else { return (0, 0) };
    (u64::from_le_bytes(low), u64::from_le_bytes(high))
}

/// The key of a short name within `bytes` that go on behind it.
#[inline(always)]
fn short_key(bytes: &[u8], from: usize, to: usize) -> Option<Key> {
    let length = to - from;
    let block = lanes::block(bytes, from).filter(|_| length <= SHORT)?;
    let (low, high) = halves(block);
    Some(Key { word: [low & BITS[length][0], high & BITS[length][1]], length: length as u32 })
}

impl Hosts {
    /// The number of `name`, which is added if it is new.
    pub fn intern(&mut self, name: &[u8]) -> HostId {
        let key = self.key(name);
        let hash = self.hash(&key);
        self.search(hash, &key, name).unwrap_or_else(|| self.add(hash, key, name))
    }

    /// The number of `name`, which is added if it is new and there are bytes left for it.
    pub fn intern_within(&mut self, name: &[u8], budget: &Budget) -> Option<HostId> {
        let key = self.key(name);
        let hash = self.hash(&key);
        if let Some(id) = self.search(hash, &key, name) {
            return Some(id);
        }
        let shard = &self.shards[shard_of(hash)];
        let (wider, narrow) = if shard.is_full() { (shard.wider(), shard.slots.len()) } else { (0, 0) };
        // Both tables are there for a moment.
        if !budget.take(wider * size_of::<Slot>() + EACH_NAME + 2 * name.len()) {
            return None;
        }
        let id = self.add(hash, key, name);
        budget.give_back(narrow * size_of::<Slot>());
        Some(id)
    }

    /// The number of the name `bytes[from..to]`, if it is there. Quickest if the name is short and `bytes` goes on.
    #[inline(always)]
    pub fn find_at(&self, bytes: &[u8], from: usize, to: usize) -> Option<HostId> {
        if let Some(key) = short_key(bytes, from, to) {
            // Most names are where they are looked for first, and most of the others right behind.
            let hash = self.hash(&key);
            let shard = &self.shards[shard_of(hash)];
            let at = shard.place(hash);
            if let Some(slot) = shard.slots.get(at)
                && slot.has(&key)
            {
                return Some(HostId(slot.id));
            }
            if let Some(slot) = shard.slots.get(at + 1)
                && slot.has(&key)
            {
                return Some(HostId(slot.id));
            }
        }
        self.find(&bytes[from..to])
    }

    /// Reads where the name `bytes[from..to]` would be, so that it is near when it is looked for. What it gives has no
    /// meaning.
    #[inline(always)]
    pub fn touch_at(&self, bytes: &[u8], from: usize, to: usize) -> u32 {
        let slot = short_key(bytes, from, to).and_then(|key| {
            let hash = self.hash(&key);
            let shard = &self.shards[shard_of(hash)];
            shard.slots.get(shard.place(hash))
        });
        slot.map_or(0, |slot| slot.id ^ slot.word[0] as u32)
    }

    /// Whether the set is larger than what is near the processor in any case, so that it pays to `touch_at` first.
    pub fn is_large(&self) -> bool {
        self.shards[0].slots.len() > LARGE
    }

    /// The number of `name`, if it is there.
    #[inline(never)]
    pub fn find(&self, name: &[u8]) -> Option<HostId> {
        let key = self.key(name);
        self.search(self.hash(&key), &key, name)
    }

    /// The names, by number.
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// The names, for who lends them and gives them back.
    pub(super) fn names_mut(&mut self) -> &mut Names {
        &mut self.names
    }

    /// The names, by number, without the means to look others up.
    pub fn into_names(self) -> Names {
        self.names
    }

    /// Bytes that the set takes, as far as they are counted.
    pub fn bytes(&self) -> usize {
        let slots: usize = self.shards.iter().map(|shard| shard.slots.len()).sum();
        slots * size_of::<Slot>() + self.names.len() * EACH_NAME + 2 * self.names.bytes.len()
    }

    fn search(&self, hash: u64, key: &Key, name: &[u8]) -> Option<HostId> {
        let shard = &self.shards[shard_of(hash)];
        let mut at = shard.place(hash);
        // Ends at the key or at a free slot, of which there always are some; in a table without slots, at once.
        while let Some(slot) = shard.slots.get(at).filter(|slot| !slot.is_free()) {
            if slot.has(key) && (key.length != LONG || self.names.name(HostId(slot.id)) == name) {
                return Some(HostId(slot.id));
            }
            at = shard.behind(at);
        }
        None
    }

    fn key(&self, name: &[u8]) -> Key {
        if name.len() > SHORT {
            return Key { word: [self.hasher.hash_one(name), 0], length: LONG };
        }
        let mut block = [0; SHORT];
        block[..name.len()].copy_from_slice(name);
        let (low, high) = halves(&block);
        Key { word: [low, high], length: name.len() as u32 }
    }

    /// The hash of a key.
    #[inline(always)]
    fn hash(&self, key: &Key) -> u64 {
        folded(key.word[0] ^ self.seeds[0], key.word[1] ^ self.seeds[1])
    }

    /// Adds a name that is not there yet.
    #[cold]
    fn add(&mut self, hash: u64, key: Key, name: &[u8]) -> HostId {
        let id = self.names.push(name);
        if self.shards[shard_of(hash)].is_full() {
            self.grow(shard_of(hash));
        }
        self.shards[shard_of(hash)].put(hash, Slot::new(key, id));
        id
    }

    fn grow(&mut self, shard: usize) {
        let mut wider = Shard { slots: vec![FREE_SLOT; self.shards[shard].wider()], taken: 0 };
        for slot in self.shards[shard].slots.iter().filter(|slot| !slot.is_free()) {
            wider.put(self.hash(&slot.key()), *slot);
        }
        self.shards[shard] = wider;
    }
}

/// The table that keys of this hash are in.
#[inline(always)]
fn shard_of(hash: u64) -> usize {
    shard(hash, SHARDS)
}

impl Default for Hosts {
    fn default() -> Self {
        let hasher = ahash::RandomState::new();
        Hosts { names: Names::default(), shards: Default::default(), hasher, seeds: seeds() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn name() -> impl Strategy<Value = Vec<u8>> {
        // Of every length around those at which names are treated in another way, and of few bytes, so that some are alike.
        let byte = prop_oneof![Just(0u8), Just(b'a'), Just(b'b'), Just(0xff)];
        prop_oneof![0usize..4, 7usize..10, 15usize..19, Just(40)]
            .prop_flat_map(move |length| proptest::collection::vec(byte.clone(), length))
    }

    proptest! {
        #[test]
        fn interning_agrees_with_a_list(names in proptest::collection::vec(name(), 0..80), behind in 0usize..20) {
            let (mut hosts, mut whole) = (Hosts::default(), Hosts::default());
            let mut oracle: Vec<Vec<u8>> = Vec::new();
            let budget = Budget::default();
            for name in &names {
                let expected = oracle.iter().position(|known| known == name).unwrap_or_else(|| {
                    oracle.push(name.clone());
                    oracle.len() - 1
                });
                let within = [&b"xyz"[..], name, &[b'a'; 20][..behind]].concat();
                whole.touch_at(&within, 3, 3 + name.len());
                let known = whole.find_at(&within, 3, 3 + name.len());
                prop_assert_eq!(known.is_some(), whole.names().find(name).is_some());
                prop_assert_eq!(hosts.intern_within(name, &budget), Some(HostId(expected as u32)));
                prop_assert_eq!(whole.intern(name), HostId(expected as u32));
                prop_assert_eq!(known.unwrap_or(HostId(expected as u32)), HostId(expected as u32));
                prop_assert_eq!(whole.find_at(&within, 3, 3 + name.len()), Some(HostId(expected as u32)));
            }
            prop_assert_eq!(budget.used(), hosts.bytes());
            prop_assert_eq!(hosts.names().iter().collect::<Vec<_>>(), oracle.iter().collect::<Vec<_>>());
            let mut sorted = oracle.clone();
            sorted.sort();
            let by_name: Vec<_> = hosts.names().by_name().into_iter().map(|id| hosts.names().name(id)).collect();
            prop_assert_eq!(by_name, sorted);
        }
    }

    #[test]
    fn many_names_are_told_apart() {
        let name = |at: u32| format!("{}{at}", if at.is_multiple_of(3) { "a-long-name-of-a-host-" } else { "h" });
        let mut hosts = Hosts::default();
        for _ in 0..2 {
            for at in 0..20_000 {
                assert_eq!(hosts.intern(name(at).as_bytes()), HostId(at));
            }
        }
        assert_eq!(hosts.names().len(), 20_000);
        assert!(hosts.shards.iter().map(|shard| shard.slots.len()).sum::<usize>() <= 65_536);
    }

    #[test]
    fn e10_without_bytes_left_known_names_are_found_and_new_ones_are_not_added() {
        let (mut hosts, budget) = (Hosts::default(), Budget::new(Some(100_000)));
        let name = |at: u32| at.to_string().into_bytes();
        let known: Vec<_> = (0..10_000).map_while(|at| hosts.intern_within(&name(at), &budget)).collect();
        assert!((500..2_000).contains(&known.len()), "{} names in 100,000 bytes", known.len());
        assert_eq!(hosts.intern_within(&name(7), &budget), Some(HostId(7)));
        // Tables that still have room take a few more; no name is known in part.
        let more = (10_000..20_000).filter(|&at| hosts.intern_within(&name(at), &budget).is_some()).count();
        assert_eq!(hosts.names().len(), known.len() + more);
        assert!(known.len() + more < 2_000, "{more} names more");
        assert!(budget.used() <= 100_000);
    }

    #[test]
    fn s11_a_set_is_keyed_by_itself() {
        let seeds: std::collections::BTreeSet<_> = (0..8).map(|_| Hosts::default().seeds).collect();
        assert_eq!(seeds.len(), 8);
    }

    #[test]
    fn long_names_of_one_hash_are_told_apart() {
        let mut hosts = Hosts::default();
        let (one, other) = ([b'a'; 40], [b'b'; 40]);
        let id = hosts.intern(&one);
        // As if the first name had the hash of the second.
        let key = hosts.key(&other);
        let hash = hosts.hash(&key);
        hosts.shards = Default::default();
        hosts.grow(shard_of(hash));
        hosts.shards[shard_of(hash)].put(hash, Slot::new(key, id));
        assert_eq!(hosts.intern(&other), HostId(1));
    }
}
