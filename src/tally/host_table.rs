//! A hash table from names to the numbers of their hosts, with open addressing: names are compared
//! within their slots, so that finding one reads nothing but its slot.
//!
//! Not here: the names by number, and which names are in which table (`host`). Invariant: a name is
//! in the table once, and between its place and its slot there is no free one.

use super::hash::TextHash;
use super::names::HostId;
use super::words::are_equal;

/// Names of so many words, and the numbers of their hosts.
#[derive(Debug, Default)]
pub(super) struct HostTable<const WORDS: usize> {
    /// A power of two, and some of them always free.
    slots: Vec<HostSlot<WORDS>>,
    taken: usize,
}

/// A name and the number of its host.
#[derive(Debug, Clone, Copy)]
pub(super) struct HostSlot<const WORDS: usize> {
    /// Of a name that is longer than they are, the first is its hash.
    pub words: [u64; WORDS],
    /// Bytes of the name; `HASHED` for one that is longer than the words.
    pub length: u32,
    pub id: HostId,
}

/// The length of all names that are longer than the words of their slot.
pub(super) const HASHED: u32 = u32::MAX;

/// The length in slots that are free; no name has it.
const FREE: u32 = u32::MAX - 1;

/// The fewest slots of a table that is not empty.
const FIRST_SLOTS: usize = 32;

impl<const WORDS: usize> HostSlot<WORDS> {
    const FREE: Self = HostSlot { words: [0; WORDS], length: FREE, id: HostId(0) };

    fn is_free(&self) -> bool {
        self.length == FREE
    }

    fn hash(&self, by: &TextHash) -> u64 {
        if self.length == HASHED { self.words[0] } else { by.of(&self.words) }
    }
}

impl<const WORDS: usize> HostTable<WORDS> {
    /// The number of a name of this hash. Of those that are longer than their words, `is_same`
    /// tells whether the host that was found has the name that is looked for.
    #[inline(always)]
    pub fn find(
        &self,
        hash: u64,
        words: &[u64; WORDS],
        length: u32,
        is_same: impl Fn(HostId) -> bool,
    ) -> Option<HostId> {
        let mut at = self.place(hash);
        // Ends at the name or at a free slot, of which there are always some; in a table without
        // slots, at once.
        while let Some(slot) = self.slots.get(at) {
            if are_equal(&slot.words, words) & (slot.length == length) && is_same(slot.id) {
                return Some(slot.id);
            }
            if slot.is_free() {
                break;
            }
            at = self.behind(at);
        }
        None
    }

    /// Reads where a name of this hash would be, so that it is in the cache when it is looked for.
    /// The value has no meaning.
    #[inline(always)]
    pub fn touch(&self, hash: u64) -> u32 {
        self.slots.get(self.place(hash)).map_or(0, |slot| slot.length)
    }

    /// Enters a name that is not there yet.
    pub fn enter(&mut self, slot: HostSlot<WORDS>, by: &TextHash) {
        if self.is_full() {
            let wider = HostTable { slots: vec![HostSlot::FREE; self.wider()], taken: 0 };
            let narrow = std::mem::replace(self, wider);
            narrow.slots.iter().filter(|slot| !slot.is_free()).for_each(|slot| self.put(*slot, by));
        }
        self.put(slot, by);
    }

    /// Drops the names of hosts that are not kept, and gives these hosts.
    pub fn drop_names(&mut self, is_kept: impl Fn(HostId) -> bool, by: &TextHash) -> Vec<HostId> {
        let taken = self.slots.iter().filter(|slot| !slot.is_free()).copied();
        let (kept, dropped): (Vec<HostSlot<WORDS>>, Vec<_>) = taken.partition(|slot| is_kept(slot.id));
        if !dropped.is_empty() {
            *self = HostTable::with_room(kept.len());
            kept.into_iter().for_each(|slot| self.put(slot, by));
        }
        dropped.into_iter().map(|slot| slot.id).collect()
    }

    /// Bytes that the table takes.
    pub fn bytes(&self) -> usize {
        self.slots.len() * size_of::<HostSlot<WORDS>>()
    }

    /// Bytes that it will take once another name has come, if these are more.
    pub fn bytes_if_wider(&self) -> Option<usize> {
        self.is_full().then(|| self.wider() * size_of::<HostSlot<WORDS>>())
    }

    /// Slots, free ones among them.
    pub fn slots(&self) -> usize {
        self.slots.len()
    }

    /// An empty table with room for this many names.
    fn with_room(names: usize) -> Self {
        let mut slots = FIRST_SLOTS;
        while is_crowded(names, slots) {
            slots *= 2;
        }
        HostTable { slots: vec![HostSlot::FREE; slots], taken: 0 }
    }

    /// The slot at which the search for a name of this hash begins.
    #[inline(always)]
    fn place(&self, hash: u64) -> usize {
        hash as usize & self.slots.len().wrapping_sub(1)
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

    /// Puts a name into the first free slot from its place on.
    fn put(&mut self, slot: HostSlot<WORDS>, by: &TextHash) {
        let mut at = self.place(slot.hash(by));
        while !self.slots[at].is_free() {
            at = self.behind(at);
        }
        self.slots[at] = slot;
        self.taken += 1;
    }
}

/// Slots of a table that is one of `SHARDS` larger together than the first-level cache of any
/// processor.
pub(super) const LARGE: usize = 8192 / SHARDS;

/// Tables of a set: each grows by itself, so that little is in memory twice, and only for a moment.
pub(super) const SHARDS: usize = 16;

/// Whether these are too few slots: small tables are kept half free, so that a search is short; for
/// large ones a quarter has to do, since half of one would be much memory.
fn is_crowded(names: usize, slots: usize) -> bool {
    if slots > LARGE { 4 * names > 3 * slots } else { 2 * names > slots }
}
