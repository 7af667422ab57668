//! A hash table from names to the numbers of their hosts, with open addressing.
//!
//! A slot holds a number and a key of the name, which tells nearly all other names apart, and where
//! the name belongs in a table of any size. So a table is small, and growing needs no name.
//!
//! Not here: the names, by which a host is told in the end (`host`). Invariant: a host is in the
//! table once, and between its place and its slot there is no free one.

use super::names::HostId;

/// The numbers of names, by their keys.
#[derive(Debug, Default)]
pub(super) struct HostTable {
    /// A power of two, and half of them free.
    slots: Vec<HostSlot>,
    taken: usize,
}

/// The key of a name, in the lower half, and the number of its host; 0 if the slot is free.
#[derive(Debug, Clone, Copy)]
struct HostSlot(u64);

/// Some bits of the hash of a name, and its length. It is never 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NameKey(u32);

/// Bits of a key for the length.
const LENGTH: u32 = 6;

/// The longest length that is told apart from all others.
pub(super) const LONGEST: usize = (1 << LENGTH) - 3;

/// The fewest slots of a table that is not empty.
const FIRST_SLOTS: usize = 32;

impl NameKey {
    /// That of no name.
    pub const NONE: Self = NameKey(1);

    /// The key of a name of this hash and length.
    #[inline(always)]
    pub fn of(hash: u64, length: usize) -> Self {
        NameKey((hash as u32) << LENGTH | (length.min(LONGEST + 1) as u32 + 1))
    }

    /// The length of the name, if it is at most `LONGEST`; else more than that.
    #[inline(always)]
    pub fn length(self) -> usize {
        (self.0 as usize & ((1 << LENGTH) - 1)) - 1
    }
}

impl HostSlot {
    const FREE: Self = HostSlot(0);

    #[inline(always)]
    fn key(self) -> NameKey {
        NameKey(self.0 as u32)
    }

    #[inline(always)]
    fn id(self) -> HostId {
        HostId((self.0 >> 32) as u32)
    }

    #[inline(always)]
    fn is_free(self) -> bool {
        self.0 == 0
    }
}

impl HostTable {
    /// The number of a name of this key. `is_same` tells whether the host that was found has the
    /// name that is looked for.
    #[inline(always)]
    pub fn find(&self, key: NameKey, is_same: impl Fn(HostId) -> bool) -> Option<HostId> {
        let mut at = self.place(key);
        // Ends at the name or at a free slot, of which there are always some; in a table without
        // slots, at once.
        while let Some(slot) = self.slots.get(at) {
            if slot.key() == key && is_same(slot.id()) {
                return Some(slot.id());
            }
            if slot.is_free() {
                break;
            }
            at = self.behind(at);
        }
        None
    }

    /// Reads where a name of this key would be, so that it is in the cache when it is looked for.
    /// The value has no meaning.
    #[inline(always)]
    pub fn touch(&self, key: NameKey) -> u32 {
        self.slots.get(self.place(key)).map_or(0, |slot| slot.0 as u32)
    }

    /// Enters a host that is not there yet.
    pub fn enter(&mut self, key: NameKey, id: HostId) {
        if self.is_full() {
            let narrow = std::mem::replace(self, HostTable::of(self.wider()));
            narrow.slots.iter().filter(|slot| !slot.is_free()).for_each(|slot| self.put(*slot));
        }
        self.put(HostSlot(u64::from(id.0) << 32 | u64::from(key.0)));
    }

    /// Drops the hosts that are not kept, and gives them.
    pub fn drop_hosts(&mut self, is_kept: impl Fn(HostId) -> bool) -> Vec<HostId> {
        let taken = self.slots.iter().filter(|slot| !slot.is_free()).copied();
        let (kept, dropped): (Vec<HostSlot>, Vec<_>) = taken.partition(|slot| is_kept(slot.id()));
        if !dropped.is_empty() {
            let mut slots = FIRST_SLOTS;
            while is_crowded(kept.len(), slots) {
                slots *= 2;
            }
            *self = HostTable::of(slots);
            kept.into_iter().for_each(|slot| self.put(slot));
        }
        dropped.into_iter().map(HostSlot::id).collect()
    }

    /// Bytes that the table takes.
    pub fn bytes(&self) -> usize {
        self.slots.len() * size_of::<HostSlot>()
    }

    /// Bytes that it will take once another host has come, if these are more.
    pub fn bytes_if_wider(&self) -> Option<usize> {
        self.is_full().then(|| self.wider() * size_of::<HostSlot>())
    }

    /// Slots, free ones among them.
    pub fn slots(&self) -> usize {
        self.slots.len()
    }

    /// An empty table of so many slots.
    fn of(slots: usize) -> Self {
        HostTable { slots: vec![HostSlot::FREE; slots], taken: 0 }
    }

    /// The slot at which the search for a name of this key begins.
    #[inline(always)]
    fn place(&self, key: NameKey) -> usize {
        (key.0 >> LENGTH) as usize & self.slots.len().wrapping_sub(1)
    }

    /// The slot behind this one.
    #[inline(always)]
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

    /// Puts a host into the first free slot from its place on.
    fn put(&mut self, slot: HostSlot) {
        let mut at = self.place(slot.key());
        while !self.slots[at].is_free() {
            at = self.behind(at);
        }
        self.slots[at] = slot;
        self.taken += 1;
    }
}

/// Slots of a table that is one of `SHARDS` beyond which they and their names are larger together
/// than the first-level cache of any processor.
pub(super) const LARGE: usize = 8192 / SHARDS;

/// Tables of a set: each grows by itself, so that little is in memory twice, and only for a moment.
pub(super) const SHARDS: usize = 16;

/// Whether these are too few slots: half of them are free, so that a search is short.
fn is_crowded(hosts: usize, slots: usize) -> bool {
    2 * hosts > slots
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Hashes of which many have the bits of a key in common.
    fn hash() -> impl Strategy<Value = u64> {
        let bits = 1u64 << (u32::BITS - LENGTH);
        prop_oneof![0u64..4, bits - 2..bits + 2, Just(u64::from(u32::MAX)), Just(u64::MAX), any::<u64>()]
    }

    fn length() -> impl Strategy<Value = usize> {
        prop_oneof![1usize..4, 31usize..34, LONGEST - 2..LONGEST + 4, Just(1 << 20)]
    }

    /// The hosts that a search for a key comes to, in their order.
    fn visited(table: &HostTable, key: NameKey) -> Vec<u32> {
        let visited = std::cell::RefCell::new(Vec::new());
        assert_eq!(table.find(key, |id| (visited.borrow_mut().push(id.0), false).1), None);
        let mut visited = visited.into_inner();
        visited.sort_unstable();
        visited
    }

    proptest! {
        #[test]
        fn a_key_is_some_bits_of_the_hash_and_the_length(one in (hash(), length()), other in (hash(), length())) {
            let simple = |(hash, length): (u64, usize)| (hash % (1 << 26), length.min(62));
            let key = |(hash, length)| NameKey::of(hash, length);
            prop_assert_eq!(key(one) == key(other), simple(one) == simple(other));
            prop_assert_eq!(key(one).length(), one.1.min(62));
            prop_assert_ne!(key(one), NameKey::NONE);
        }

        #[test]
        fn a_search_comes_to_all_hosts_of_a_key_and_to_no_other(
            names in proptest::collection::vec((hash(), length()), 0..300), drops in 1u32..4,
        ) {
            let mut table = HostTable::default();
            // The highest numbers, and then the lowest.
            let keys: Vec<(u32, NameKey)> =
                (u32::MAX - 99..=u32::MAX).chain(0..).zip(names.iter().map(|(hash, length)| NameKey::of(*hash, *length))).collect();
            let agrees = |table: &HostTable, is_there: &dyn Fn(u32) -> bool| {
                for (_, key) in &keys {
                    let mut same: Vec<u32> = keys.iter().filter(|(id, of)| of == key && is_there(*id)).map(|(id, _)| *id).collect();
                    same.sort_unstable();
                    assert_eq!(visited(table, *key), same);
                }
            };
            keys.iter().for_each(|(id, key)| table.enter(*key, HostId(*id)));
            agrees(&table, &|_| true);
            let dropped = table.drop_hosts(|id| !id.0.is_multiple_of(drops));
            prop_assert_eq!(dropped.len(), keys.iter().filter(|(id, _)| id.is_multiple_of(drops)).count());
            agrees(&table, &|id| !id.is_multiple_of(drops));
            prop_assert_eq!(visited(&table, NameKey::NONE), Vec::<u32>::new());
        }
    }
}
