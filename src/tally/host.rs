//! Host names, each stored once and known by a small number.
//!
//! A name is found by its key (`host_table`) and compared with that of its number: its first 32 bytes
//! as words, which lie by number, and what is behind them in the names themselves.
//!
//! Names are bytes, compared exactly: invalid UTF-8 is kept apart like anything else. Numbers stay
//! until a name is dropped, and are then given to another. Invariant: `names().name(intern(x)) ==
//! x`, and a number belongs to one host, or is free, or has not been given out yet.

use super::budget::Budget;
use super::hash::{TextHash, shard};
use super::host_table::{HostTable, LARGE, LONGEST, NameKey, SHARDS};
use super::names::{HostId, Names};
use super::words::{WORD, are_equal, words_at, words_of};

/// A set of host names, numbered in the order in which they came, except that free numbers are
/// given out again.
///
/// Hashes are keyed at random, so that names in a log cannot flood a table.
#[derive(Debug)]
pub struct Hosts {
    names: Names,
    /// Numbers whose names were dropped.
    free: Vec<HostId>,
    /// The first words of each name, by number.
    words: Vec<[u64; WIDE]>,
    /// The names whose hashes are for one of `SHARDS` places.
    shards: [HostTable; SHARDS],
    hash: TextHash,
    /// The hash of names beyond `LONGEST_OF_WORDS`.
    longest_hash: ahash::RandomState,
}

/// Words of a short name, and those that are kept of each.
const NARROW: usize = 2;
const WIDE: usize = 4;

// Names that have the same key and words, and no more than these, are the same.
const _: () = assert!(WORD * WIDE <= LONGEST);

/// How a name of some length is hashed and compared.
#[derive(Debug, Clone, Copy)]
enum NameKind {
    /// It has `NARROW` words at most.
    Short,
    /// It has `WIDE` words at most, all of which are kept.
    Middle,
    /// It is longer than the words that are kept.
    Long,
}

/// Bytes of the longest name that its first `WIDE` words and its last hold between them.
const LONGEST_OF_WORDS: usize = 2 * WORD * WIDE;

/// A name that is looked for, with all that is compared worked out once.
#[derive(Debug, Clone, Copy)]
pub struct SoughtName {
    /// Its first words.
    words: [u64; WIDE],
    key: NameKey,
    shard: u32,
}

/// Bytes that a number takes beside its name and its slot: the words of the name, where it lies, and
/// its totals and its rank once they are asked for.
const EACH_NUMBER: usize = size_of::<[u64; WIDE]>() + 49;

/// The words of the name `bytes[from..to]`, which they can hold.
#[inline(always)]
fn words<const WORDS: usize>(bytes: &[u8], from: usize, to: usize) -> [u64; WORDS] {
    words_at(bytes, from, to - from).unwrap_or_else(|| words_at_end(&bytes[from..to]))
}

/// The words of a name near the end of the bytes.
#[cold]
#[inline(never)]
fn words_at_end<const WORDS: usize>(name: &[u8]) -> [u64; WORDS] {
    words_of(name)
}

/// The first words of a name that is longer than they are.
#[inline(always)]
fn first_words(bytes: &[u8], from: usize) -> [u64; WIDE] {
    words(bytes, from, from + WORD * WIDE)
}

impl Hosts {
    /// The number of `name`, which is added if it is new.
    pub fn intern(&mut self, name: &[u8]) -> HostId {
        let sought = self.sought(name, 0, name.len());
        self.find_sought(&sought, || name).unwrap_or_else(|| self.add(&sought, name))
    }

    /// The number of `name`, which is added if it is new and there are bytes left for it.
    pub fn intern_within(&mut self, name: &[u8], budget: &Budget) -> Option<HostId> {
        self.intern_at(name, 0, name.len(), budget)
    }

    /// As `intern_within`, of the name `bytes[from..to]`. Quickest if `bytes` goes on.
    pub fn intern_at(&mut self, bytes: &[u8], from: usize, to: usize, budget: &Budget) -> Option<HostId> {
        let sought = self.sought(bytes, from, to);
        let name = &bytes[from..to];
        if let Some(id) = self.find_sought(&sought, || name) {
            return Some(id);
        }
        let table = &self.shards[sought.shard as usize];
        let (wider, before) = (table.bytes_if_wider(), table.bytes());
        let number = if self.free.is_empty() { EACH_NUMBER } else { 0 };
        // For a moment there are both tables.
        if !budget.take(wider.unwrap_or(0) + number + 2 * name.len()) {
            return None;
        }
        let id = self.add(&sought, name);
        budget.give_back(wider.map_or(0, |_| before));
        Some(id)
    }

    /// The name `bytes[from..to]`, to be looked for. Quickest if it is not long and `bytes` goes on.
    #[inline(always)]
    pub fn sought(&self, bytes: &[u8], from: usize, to: usize) -> SoughtName {
        match NameKind::of(to - from) {
            NameKind::Short => self.short(bytes, from, to),
            NameKind::Middle => self.middle(bytes, from, to),
            NameKind::Long => self.long(bytes, from, to),
        }
    }

    #[inline(always)]
    fn short(&self, bytes: &[u8], from: usize, to: usize) -> SoughtName {
        let words @ [low, high] = words::<NARROW>(bytes, from, to);
        SoughtName::of(self.hash.of(&words), [low, high, 0, 0], to - from)
    }

    #[inline(always)]
    fn middle(&self, bytes: &[u8], from: usize, to: usize) -> SoughtName {
        let words = words(bytes, from, to);
        SoughtName::of(self.hash.of(&words), words, to - from)
    }

    // What long names need are functions of their own, so that the others, which are found where they
    // are looked up, keep their registers.
    #[inline(never)]
    fn long(&self, bytes: &[u8], from: usize, to: usize) -> SoughtName {
        SoughtName::of(self.hash_of_long(bytes, from, to), first_words(bytes, from), to - from)
    }

    #[inline(always)]
    fn hash_of_long(&self, bytes: &[u8], from: usize, to: usize) -> u64 {
        if to - from > LONGEST_OF_WORDS {
            return self.longest_hash.hash_one(&bytes[from..to]);
        }
        let ([a, b, c, d], [e, f, g, h]) = (first_words(bytes, from), first_words(bytes, to - WORD * WIDE));
        // Names that repeat themselves may differ in nothing but their length.
        self.hash.of(&[a, b, c, d, e, f, g, h ^ (to - from) as u64])
    }

    /// The number of the name `bytes[from..to]`, if it is there. Quickest if it is not long and
    /// `bytes` goes on.
    #[inline(always)]
    pub fn find_at(&self, bytes: &[u8], from: usize, to: usize) -> Option<HostId> {
        match NameKind::of(to - from) {
            NameKind::Short => self.find_kept(&self.short(bytes, from, to)),
            NameKind::Middle => self.find_kept(&self.middle(bytes, from, to)),
            NameKind::Long => self.find_long(bytes, from, to),
        }
    }

    /// The number of a name of which all words are kept.
    #[inline(always)]
    fn find_kept(&self, sought: &SoughtName) -> Option<HostId> {
        self.table(sought).find(sought.key, |id| self.has_words(id, sought))
    }

    #[inline(never)]
    fn find_long(&self, bytes: &[u8], from: usize, to: usize) -> Option<HostId> {
        let sought = SoughtName::of(self.hash_of_long(bytes, from, to), first_words(bytes, from), to - from);
        self.find_sought(&sought, || &bytes[from..to])
    }

    /// The number of a name that is looked for, if it is there. `name` gives its bytes.
    #[inline(always)]
    pub fn find_sought<'a>(&self, sought: &SoughtName, name: impl Fn() -> &'a [u8]) -> Option<HostId> {
        self.table(sought).find(sought.key, |id| self.is(id, sought, &name))
    }

    /// The first host that may have a name that is looked for: nearly always the only one. If there
    /// is none, no host has it.
    #[inline(always)]
    pub fn candidate(&self, sought: &SoughtName) -> Option<HostId> {
        self.table(sought).find(sought.key, |_| true)
    }

    /// Whether a candidate for a name has it. `name` gives its bytes.
    #[inline(always)]
    pub fn is<'a>(&self, candidate: HostId, sought: &SoughtName, name: impl Fn() -> &'a [u8]) -> bool {
        let is_kept = sought.key.length() <= WORD * WIDE;
        self.has_words(candidate, sought) && (is_kept || self.has_long_name(candidate, name()))
    }

    #[inline(always)]
    fn has_words(&self, id: HostId, sought: &SoughtName) -> bool {
        self.words.get(id.0 as usize).is_some_and(|words| are_equal(words, &sought.words))
    }

    /// Whether a host has a long name whose first words it has.
    #[inline(never)]
    fn has_long_name(&self, id: HostId, name: &[u8]) -> bool {
        let known = self.names.name(id);
        if name.len() > LONGEST_OF_WORDS {
            return known == name;
        }
        known.len() == name.len() && known.last_chunk::<{ WORD * WIDE }>() == name.last_chunk()
    }

    #[inline(always)]
    fn table(&self, sought: &SoughtName) -> &HostTable {
        &self.shards[sought.shard as usize % SHARDS]
    }

    /// Reads where a name would be found, so that it is in the cache when it is looked for. The value
    /// has no meaning.
    #[inline(always)]
    pub fn touch(&self, sought: &SoughtName) -> u32 {
        self.table(sought).touch(sought.key)
    }

    /// As `touch`, of what is compared to tell whether a candidate for a name has it.
    #[inline(always)]
    pub fn touch_candidate(&self, candidate: HostId, sought: &SoughtName) -> u32 {
        if sought.key.length() > WORD * WIDE {
            return self.touch_long_name(candidate);
        }
        self.words.get(candidate.0 as usize).map_or(0, |words| words[0] as u32)
    }

    #[inline(never)]
    fn touch_long_name(&self, id: HostId) -> u32 {
        let words = self.words.get(id.0 as usize).map_or(0, |words| words[0] as u32);
        words ^ self.names.name(id).last().map_or(0, |last| u32::from(*last))
    }

    /// Whether the set is larger than the cache, so that it pays to `touch` first.
    pub fn is_large(&self) -> bool {
        self.shards[0].slots() > LARGE
    }

    /// The number of `name`, if it is there.
    pub fn find(&self, name: &[u8]) -> Option<HostId> {
        self.find_at(name, 0, name.len())
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
        let slots: usize = self.shards.iter().map(HostTable::bytes).sum();
        slots + self.names.end() * EACH_NUMBER + 2 * self.names.bytes()
    }

    /// Gives the next number to a name that is not there yet, whatever numbers are free; a name
    /// without bytes makes it a free number. So a set that was written out by number becomes the
    /// same again.
    pub fn restore(&mut self, name: &[u8]) {
        if name.is_empty() {
            let hole = self.names.push_hole();
            self.words.push([0; WIDE]);
            return self.free.push(hole);
        }
        let id = self.names.push(name);
        self.enter(&self.sought(name, 0, name.len()), id);
    }

    /// Drops the names of one of the shards that are not kept. Their numbers are free at once,
    /// their bytes once they are cleared away.
    pub(super) fn drop_names(&mut self, shard: usize, is_kept: impl Fn(HostId) -> bool) {
        for id in self.shards[shard].drop_hosts(is_kept) {
            self.names.drop_name(id);
            self.free.push(id);
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
            self.words.truncate(self.names.end());
        }
        next
    }

    /// Adds a name that is not there yet.
    #[cold]
    fn add(&mut self, sought: &SoughtName, name: &[u8]) -> HostId {
        let id = match self.free.pop() {
            Some(id) => {
                self.names.fill(id, name);
                id
            }
            None => self.names.push(name),
        };
        self.enter(sought, id);
        id
    }

    /// Enters a name, so that it is found.
    fn enter(&mut self, sought: &SoughtName, id: HostId) {
        match self.words.get_mut(id.0 as usize) {
            Some(free) => *free = sought.words,
            None => self.words.push(sought.words),
        }
        self.shards[sought.shard as usize].enter(sought.key, id);
    }
}

impl SoughtName {
    /// What is no name, and never found.
    pub const NONE: Self = SoughtName { words: [0; WIDE], key: NameKey::NONE, shard: 0 };

    #[inline(always)]
    fn of(hash: u64, words: [u64; WIDE], length: usize) -> Self {
        SoughtName { words, key: NameKey::of(hash, length), shard: shard(hash, SHARDS) as u32 }
    }
}

impl NameKind {
    #[inline(always)]
    fn of(length: usize) -> Self {
        if length <= WORD * NARROW {
            NameKind::Short
        } else if length <= WORD * WIDE {
            NameKind::Middle
        } else {
            NameKind::Long
        }
    }
}

impl Default for Hosts {
    fn default() -> Self {
        Hosts {
            names: Names::default(),
            free: Vec::new(),
            words: Vec::new(),
            shards: Default::default(),
            hash: TextHash::default(),
            longest_hash: ahash::RandomState::new(),
        }
    }
}

#[cfg(test)]
impl Hosts {
    /// No names yet, of which some can be made to have one key.
    pub fn unkeyed() -> Self {
        Hosts { hash: TextHash::unkeyed(), ..Hosts::default() }
    }
}

#[cfg(test)]
mod tests;
