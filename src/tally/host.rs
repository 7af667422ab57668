//! Host names, each stored once and known by a small number.
//!
//! Short names are compared within their slot, as two numbers.
//!
//! Names are bytes, compared exactly: invalid UTF-8 is kept apart like anything else. Numbers stay
//! until a name is dropped, and are then given to another. Invariant: `names().name(intern(x)) ==
//! x`, and a number belongs to one host, or is free, or has not been given out yet.

use super::budget::Budget;
use super::hash::{folded, seeds, shard};
use super::names::{HostId, Names};
use crate::model::lanes;

/// A set of host names, numbered in the order in which they came, except that free numbers are
/// given out again.
///
/// A table with open addressing. A short name is compared within its slot, without a look at the
/// names; a long one by its hash first. Hashes are keyed at random, so that names in a log cannot
/// flood the table.
#[derive(Debug)]
pub struct Hosts {
    names: Names,
    /// Numbers whose names were dropped.
    free: Vec<HostId>,
    shards: [HostTable; SHARDS],
    hasher: ahash::RandomState,
    /// The keys of the hash of short names.
    seeds: [u64; 2],
}

/// Bytes of a name that fits its slot.
const SHORT: usize = lanes::NARROW;

/// The fewest slots of a table that is not empty.
const FIRST_SLOTS: usize = 32;

/// Tables of a set: each grows by itself, so that little is in memory twice, and only for a moment.
pub(super) const SHARDS: usize = 16;

/// Slots of a table that is larger than the first-level cache of any processor.
const LARGE: usize = 8192 / SHARDS;

/// What a name is compared by.
#[derive(Debug, Clone, Copy)]
struct HostKey {
    /// A short name, zeros behind it; the hash of a long one.
    word: [u64; 2],
    /// Bytes of the name; a long one counts as `LONG` whatever its length.
    length: u32,
}

/// A key and the number of its host.
#[derive(Debug, Clone, Copy)]
struct HostSlot {
    word: [u64; 2],
    length: u32,
    id: u32,
}

/// A table with open addressing.
#[derive(Debug, Default)]
struct HostTable {
    /// A power of two, and some of them always free.
    slots: Vec<HostSlot>,
    taken: usize,
}

impl HostTable {
    /// An empty table with room for this many names.
    fn with_room(names: usize) -> Self {
        let mut slots = FIRST_SLOTS;
        while is_crowded(names, slots) {
            slots *= 2;
        }
        HostTable { slots: vec![FREE_SLOT; slots], taken: 0 }
    }

    /// The slot at which the search for a key of this hash begins.
    #[inline(always)]
    fn place(&self, hash: u64) -> usize {
        hash as usize & self.slots.len().wrapping_sub(1)
    }

    /// The slot behind this one.
    fn behind(&self, at: usize) -> usize {
        (at + 1) & (self.slots.len() - 1)
    }

    /// Whether there is no room for one more.
    fn is_full(&self) -> bool {
        is_crowded(self.taken + 1, self.slots.len())
    }

    /// Slots of the next size.
    fn wider(&self) -> usize {
        (2 * self.slots.len()).max(FIRST_SLOTS)
    }

    /// Puts a slot that is not there yet into the first free place.
    fn put(&mut self, hash: u64, slot: HostSlot) {
        let mut at = self.place(hash);
        while !self.slots[at].is_free() {
            at = self.behind(at);
        }
        self.slots[at] = slot;
        self.taken += 1;
    }
}

/// Whether these are too few slots: small tables are kept half free, so that a search is short; for
/// large ones a quarter has to do, since half of one would be much memory.
fn is_crowded(names: usize, slots: usize) -> bool {
    if slots > LARGE { 4 * names > 3 * slots } else { 2 * names > slots }
}

impl HostSlot {
    fn new(key: HostKey, id: HostId) -> Self {
        HostSlot { word: key.word, length: key.length, id: id.0 }
    }

    fn key(&self) -> HostKey {
        HostKey { word: self.word, length: self.length }
    }

    /// Whether it has this key. All parts are compared, since a branch for each would cost more.
    #[inline(always)]
    fn has(&self, key: &HostKey) -> bool {
        let word = (self.word[0] ^ key.word[0]) | (self.word[1] ^ key.word[1]);
        word | u64::from(self.length ^ key.length) == 0
    }

    fn is_free(&self) -> bool {
        self.length == FREE
    }
}

/// Bytes that a number takes beside its name and its slot: where the name lies, and its totals and
/// its rank once they are asked for.
const EACH_NUMBER: usize = 49;

/// The length in the keys of all names that are not short.
const LONG: u32 = u32::MAX;

/// The length in slots that are free; no key has it.
const FREE: u32 = u32::MAX - 1;

const FREE_SLOT: HostSlot = HostSlot { word: [0; 2], length: FREE, id: 0 };

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

/// A block as two numbers, whatever the processor's order of bytes.
#[inline(always)]
fn halves(block: &[u8; SHORT]) -> (u64, u64) {
    let (&[low, high], _) = block.as_chunks::<8>() else { return (0, 0) };
    (u64::from_le_bytes(low), u64::from_le_bytes(high))
}

/// The key of a short name within `bytes` that go on behind it.
#[inline(always)]
fn short_key(bytes: &[u8], from: usize, to: usize) -> Option<HostKey> {
    let length = to - from;
    let block = lanes::block(bytes, from).filter(|_| length <= SHORT)?;
    let (low, high) = halves(block);
    Some(HostKey { word: [low & BITS[length][0], high & BITS[length][1]], length: length as u32 })
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
        let number = if self.free.is_empty() { EACH_NUMBER } else { 0 };
        // For a moment there are both tables.
        if !budget.take(wider * size_of::<HostSlot>() + number + 2 * name.len()) {
            return None;
        }
        let id = self.add(hash, key, name);
        budget.give_back(narrow * size_of::<HostSlot>());
        Some(id)
    }

    /// The number of the name `bytes[from..to]`, if it is there. Quickest if the name is short and
    /// `bytes` goes on.
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

    /// Reads where the name `bytes[from..to]` would be, so that it is in the cache when it is
    /// looked for. The value has no meaning.
    #[inline(always)]
    pub fn touch_at(&self, bytes: &[u8], from: usize, to: usize) -> u32 {
        let slot = short_key(bytes, from, to).and_then(|key| {
            let hash = self.hash(&key);
            let shard = &self.shards[shard_of(hash)];
            shard.slots.get(shard.place(hash))
        });
        slot.map_or(0, |slot| slot.id ^ slot.word[0] as u32)
    }

    /// Whether the set is larger than the cache, so that it pays to `touch_at` first.
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

    /// The names, for a caller that lends them and gives them back.
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
        slots * size_of::<HostSlot>() + self.names.end() * EACH_NUMBER + 2 * self.names.bytes()
    }

    /// Gives the next number to a name that is not there yet, whatever numbers are free; a name
    /// without bytes makes it a free number. So a set that was written out by number becomes the
    /// same again.
    pub fn restore(&mut self, name: &[u8]) {
        if name.is_empty() {
            let hole = self.names.push_hole();
            return self.free.push(hole);
        }
        let id = self.names.push(name);
        let key = self.key(name);
        self.enter(self.hash(&key), key, id);
    }

    /// Drops the names of one of the tables that are not kept. Their numbers are free at once,
    /// their bytes once they are cleared away.
    pub(super) fn drop_names(&mut self, table: usize, is_kept: impl Fn(HostId) -> bool) {
        let taken = self.shards[table].slots.iter().filter(|slot| !slot.is_free()).copied();
        let (kept, dropped): (Vec<HostSlot>, Vec<HostSlot>) = taken.partition(|slot| is_kept(HostId(slot.id)));
        if dropped.is_empty() {
            return;
        }
        self.shards[table] = HostTable::with_room(kept.len());
        for slot in kept {
            let hash = self.hash(&slot.key());
            self.shards[table].put(hash, slot);
        }
        for slot in dropped {
            self.names.drop_name(HostId(slot.id));
            self.free.push(HostId(slot.id));
        }
    }

    /// Clears away what dropped names have left in some blocks of the names. Gives the next block
    /// to do, or `None` once all are done.
    pub(super) fn clear_away(&mut self, first: usize, blocks: usize) -> Option<usize> {
        let next = self.names.clear_away(first, blocks);
        if next.is_none() {
            // The lowest number is given first, so that the highest numbers go unused when few
            // names are left.
            self.free = self.names.holes();
        }
        next
    }

    fn search(&self, hash: u64, key: &HostKey, name: &[u8]) -> Option<HostId> {
        let shard = &self.shards[shard_of(hash)];
        let mut at = shard.place(hash);
        // Ends at the key or at a free slot, of which there are always some; in a table without
        // slots, at once.
        while let Some(slot) = shard.slots.get(at).filter(|slot| !slot.is_free()) {
            if slot.has(key) && (key.length != LONG || self.names.name(HostId(slot.id)) == name) {
                return Some(HostId(slot.id));
            }
            at = shard.behind(at);
        }
        None
    }

    fn key(&self, name: &[u8]) -> HostKey {
        if name.len() > SHORT {
            return HostKey { word: [self.hasher.hash_one(name), 0], length: LONG };
        }
        let mut block = [0; SHORT];
        block[..name.len()].copy_from_slice(name);
        let (low, high) = halves(&block);
        HostKey { word: [low, high], length: name.len() as u32 }
    }

    /// The hash of a key.
    #[inline(always)]
    fn hash(&self, key: &HostKey) -> u64 {
        folded(key.word[0] ^ self.seeds[0], key.word[1] ^ self.seeds[1])
    }

    /// Adds a name that is not there yet.
    #[cold]
    fn add(&mut self, hash: u64, key: HostKey, name: &[u8]) -> HostId {
        let id = match self.free.pop() {
            Some(id) => {
                self.names.fill(id, name);
                id
            }
            None => self.names.push(name),
        };
        self.enter(hash, key, id);
        id
    }

    /// Enters a name into its table, so that it is found by its key.
    fn enter(&mut self, hash: u64, key: HostKey, id: HostId) {
        if self.shards[shard_of(hash)].is_full() {
            self.grow(shard_of(hash));
        }
        self.shards[shard_of(hash)].put(hash, HostSlot::new(key, id));
    }

    fn grow(&mut self, shard: usize) {
        let mut wider = HostTable { slots: vec![FREE_SLOT; self.shards[shard].wider()], taken: 0 };
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
        Hosts { names: Names::default(), free: Vec::new(), shards: Default::default(), hasher, seeds: seeds() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn name() -> impl Strategy<Value = Vec<u8>> {
        // Of every length around those at which names are treated in another way, and of few bytes,
        // so that some are alike.
        let byte = prop_oneof![Just(0u8), Just(b'a'), Just(b'b'), Just(0xff)];
        prop_oneof![1usize..4, 7usize..10, 15usize..19, Just(40)]
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
            prop_assert_eq!(hosts.names().iter().map(|(_, name)| name).collect::<Vec<_>>(), oracle.iter().collect::<Vec<_>>());
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
        hosts.shards[shard_of(hash)].put(hash, HostSlot::new(key, id));
        assert_eq!(hosts.intern(&other), HostId(1));
    }
}
