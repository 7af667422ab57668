//! Host names, each stored once and known by a small number.
//!
//! Names of up to 64 bytes are compared within their slot, as numbers, in one of three tables by
//! their length, so that short ones pay nothing for the others.
//!
//! Names are bytes, compared exactly: invalid UTF-8 is kept apart like anything else. Numbers stay
//! until a name is dropped, and are then given to another. Invariant: `names().name(intern(x)) ==
//! x`, and a number belongs to one host, or is free, or has not been given out yet.

use super::budget::Budget;
use super::hash::{TextHash, shard};
use super::host_table::{HASHED, HostSlot, HostTable, LARGE, SHARDS};
use super::names::{HostId, Names};
use super::words::{WORD, words_at, words_of};

/// A set of host names, numbered in the order in which they came, except that free numbers are
/// given out again.
///
/// Hashes are keyed at random, so that names in a log cannot flood a table.
#[derive(Debug)]
pub struct Hosts {
    names: Names,
    /// Numbers whose names were dropped.
    free: Vec<HostId>,
    shards: [HostShard; SHARDS],
    hash: TextHash,
    /// The hash of names that are longer than the words of a slot.
    long_hash: ahash::RandomState,
}

/// The names whose hashes are for one of `SHARDS` places.
#[derive(Debug, Default)]
struct HostShard {
    /// Short names; and those too long for any slot, which are compared by their hash first.
    narrow: HostTable<NARROW>,
    wide: HostTable<WIDE>,
    widest: HostTable<WIDEST>,
}

/// Words of a slot, by table.
const NARROW: usize = 2;
const WIDE: usize = 4;
const WIDEST: usize = 8;

/// How a name of some length is stored.
#[derive(Debug, Clone, Copy)]
enum NameKind {
    /// Within a narrow slot.
    Short,
    /// Within a wide one.
    Middle,
    /// Within one of the widest.
    Long,
    /// In a narrow slot there is its hash.
    Hashed,
}

/// Bytes that a number takes beside its name and its slot: where the name lies, and its totals and
/// its rank once they are asked for.
const EACH_NUMBER: usize = 49;

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

impl Hosts {
    /// The number of `name`, which is added if it is new.
    pub fn intern(&mut self, name: &[u8]) -> HostId {
        let hash = self.hash_at(name, 0, name.len());
        self.find_hashed(hash, name, 0, name.len()).unwrap_or_else(|| self.add(hash, name))
    }

    /// The number of `name`, which is added if it is new and there are bytes left for it.
    pub fn intern_within(&mut self, name: &[u8], budget: &Budget) -> Option<HostId> {
        self.intern_at(name, 0, name.len(), budget)
    }

    /// As `intern_within`, of the name `bytes[from..to]`. Quickest if `bytes` goes on.
    pub fn intern_at(&mut self, bytes: &[u8], from: usize, to: usize, budget: &Budget) -> Option<HostId> {
        let hash = self.hash_at(bytes, from, to);
        if let Some(id) = self.find_hashed(hash, bytes, from, to) {
            return Some(id);
        }
        let name = &bytes[from..to];
        let shard = &self.shards[shard_of(hash)];
        let (wider, before) = match NameKind::of(name.len()) {
            NameKind::Short | NameKind::Hashed => (shard.narrow.bytes_if_wider(), shard.narrow.bytes()),
            NameKind::Middle => (shard.wide.bytes_if_wider(), shard.wide.bytes()),
            NameKind::Long => (shard.widest.bytes_if_wider(), shard.widest.bytes()),
        };
        let number = if self.free.is_empty() { EACH_NUMBER } else { 0 };
        // For a moment there are both tables.
        if !budget.take(wider.unwrap_or(0) + number + 2 * name.len()) {
            return None;
        }
        let id = self.add(hash, name);
        budget.give_back(wider.map_or(0, |_| before));
        Some(id)
    }

    /// The hash of the name `bytes[from..to]`. Quickest if the name is not long and `bytes` goes
    /// on.
    #[inline(always)]
    pub fn hash_at(&self, bytes: &[u8], from: usize, to: usize) -> u64 {
        match NameKind::of(to - from) {
            NameKind::Short => self.hash.of(&words::<NARROW>(bytes, from, to)),
            NameKind::Middle => self.hash.of(&words::<WIDE>(bytes, from, to)),
            NameKind::Long => self.hash_of_long(bytes, from, to),
            NameKind::Hashed => self.long_hash.hash_one(&bytes[from..to]),
        }
    }

    /// The number of the name `bytes[from..to]`, which has this hash, if it is there.
    #[inline(always)]
    pub fn find_hashed(&self, hash: u64, bytes: &[u8], from: usize, to: usize) -> Option<HostId> {
        let shard = &self.shards[shard_of(hash)];
        let length = to - from;
        match NameKind::of(length) {
            NameKind::Short => shard.narrow.find(hash, &words(bytes, from, to), length as u32, |_| true),
            NameKind::Middle => shard.wide.find(hash, &words(bytes, from, to), length as u32, |_| true),
            NameKind::Long => self.find_long(hash, bytes, from, to),
            NameKind::Hashed => self.find_by_hash(hash, &bytes[from..to]),
        }
    }

    // Long names have functions of their own, so that the others, which are found where they are
    // looked up, keep their registers.
    #[inline(never)]
    fn hash_of_long(&self, bytes: &[u8], from: usize, to: usize) -> u64 {
        self.hash.of(&words::<WIDEST>(bytes, from, to))
    }

    #[inline(never)]
    fn find_long(&self, hash: u64, bytes: &[u8], from: usize, to: usize) -> Option<HostId> {
        let words = words::<WIDEST>(bytes, from, to);
        self.shards[shard_of(hash)].widest.find(hash, &words, (to - from) as u32, |_| true)
    }

    #[inline(never)]
    fn find_by_hash(&self, hash: u64, name: &[u8]) -> Option<HostId> {
        self.shards[shard_of(hash)].narrow.find(hash, &[hash, 0], HASHED, |id| self.names.name(id) == name)
    }

    /// Reads where a name of this hash and length would be, so that it is in the cache when it is
    /// looked for. The value has no meaning.
    #[inline(always)]
    pub fn touch(&self, hash: u64, length: usize) -> u32 {
        let shard = &self.shards[shard_of(hash)];
        match NameKind::of(length) {
            NameKind::Short | NameKind::Hashed => shard.narrow.touch(hash),
            NameKind::Middle => shard.wide.touch(hash),
            NameKind::Long => shard.widest.touch(hash),
        }
    }

    /// Whether the set is larger than the cache, so that it pays to `touch` first.
    pub fn is_large(&self) -> bool {
        let HostShard { narrow, wide, widest } = &self.shards[0];
        narrow.slots().max(wide.slots()).max(widest.slots()) > LARGE
    }

    /// The number of `name`, if it is there.
    pub fn find(&self, name: &[u8]) -> Option<HostId> {
        self.find_hashed(self.hash_at(name, 0, name.len()), name, 0, name.len())
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
        let bytes = |shard: &HostShard| shard.narrow.bytes() + shard.wide.bytes() + shard.widest.bytes();
        let slots: usize = self.shards.iter().map(bytes).sum();
        slots + self.names.end() * EACH_NUMBER + 2 * self.names.bytes()
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
        self.enter(self.hash_at(name, 0, name.len()), name, id);
    }

    /// Drops the names of one of the shards that are not kept. Their numbers are free at once,
    /// their bytes once they are cleared away.
    pub(super) fn drop_names(&mut self, shard: usize, is_kept: impl Fn(HostId) -> bool) {
        let HostShard { narrow, wide, widest } = &mut self.shards[shard];
        let dropped = [
            narrow.drop_names(&is_kept, &self.hash),
            wide.drop_names(&is_kept, &self.hash),
            widest.drop_names(&is_kept, &self.hash),
        ];
        for id in dropped.into_iter().flatten() {
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
        }
        next
    }

    /// Adds a name that is not there yet.
    #[cold]
    fn add(&mut self, hash: u64, name: &[u8]) -> HostId {
        let id = match self.free.pop() {
            Some(id) => {
                self.names.fill(id, name);
                id
            }
            None => self.names.push(name),
        };
        self.enter(hash, name, id);
        id
    }

    /// Enters a name into its table, so that it is found.
    fn enter(&mut self, hash: u64, name: &[u8], id: HostId) {
        let shard = &mut self.shards[shard_of(hash)];
        let length = name.len() as u32;
        match NameKind::of(name.len()) {
            NameKind::Short => shard.narrow.enter(HostSlot { words: words_of(name), length, id }, &self.hash),
            NameKind::Middle => shard.wide.enter(HostSlot { words: words_of(name), length, id }, &self.hash),
            NameKind::Long => shard.widest.enter(HostSlot { words: words_of(name), length, id }, &self.hash),
            NameKind::Hashed => shard.narrow.enter(HostSlot { words: [hash, 0], length: HASHED, id }, &self.hash),
        }
    }
}

impl NameKind {
    #[inline(always)]
    fn of(length: usize) -> Self {
        if length <= WORD * NARROW {
            NameKind::Short
        } else if length <= WORD * WIDE {
            NameKind::Middle
        } else if length <= WORD * WIDEST {
            NameKind::Long
        } else {
            NameKind::Hashed
        }
    }
}

/// The shard that names of this hash are in.
#[inline(always)]
fn shard_of(hash: u64) -> usize {
    shard(hash, SHARDS)
}

impl Default for Hosts {
    fn default() -> Self {
        Hosts {
            names: Names::default(),
            free: Vec::new(),
            shards: Default::default(),
            hash: TextHash::default(),
            long_hash: ahash::RandomState::new(),
        }
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
        prop_oneof![1usize..4, 7usize..10, 15usize..19, 31usize..35, 63usize..67]
            .prop_flat_map(move |length| proptest::collection::vec(byte.clone(), length))
    }

    proptest! {
        #[test]
        fn interning_agrees_with_a_list(names in proptest::collection::vec(name(), 0..80), behind in 0usize..80) {
            let (mut hosts, mut whole) = (Hosts::default(), Hosts::default());
            let mut oracle: Vec<Vec<u8>> = Vec::new();
            let budget = Budget::default();
            for name in &names {
                let expected = oracle.iter().position(|known| known == name).unwrap_or_else(|| {
                    oracle.push(name.clone());
                    oracle.len() - 1
                });
                let within = [&b"xyz"[..], name, &[b'a'; 80][..behind]].concat();
                let find = |hosts: &Hosts| {
                    let hash = hosts.hash_at(&within, 3, 3 + name.len());
                    hosts.touch(hash, name.len());
                    hosts.find_hashed(hash, &within, 3, 3 + name.len())
                };
                let known = find(&whole);
                prop_assert_eq!(known.is_some(), whole.names().find(name).is_some());
                prop_assert_eq!(hosts.intern_within(name, &budget), Some(HostId(expected as u32)));
                prop_assert_eq!(whole.intern(name), HostId(expected as u32));
                prop_assert_eq!(known.unwrap_or(HostId(expected as u32)), HostId(expected as u32));
                prop_assert_eq!(find(&whole), Some(HostId(expected as u32)));
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
        assert!(hosts.shards.iter().map(|shard| shard.narrow.slots().max(shard.wide.slots())).sum::<usize>() <= 65_536);
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
    fn names_that_differ_in_their_last_byte_only_are_told_apart_whatever_their_length() {
        let mut hosts = Hosts::default();
        let names: Vec<Vec<u8>> = (1usize..71)
            .flat_map(|length| [b'a', b'b', 0, 0xff].map(|last| [vec![b'a'; length - 1], vec![last]].concat()))
            .collect();
        // A block of the longest names fits behind some of them, and behind others it does not.
        for end in [0, 70] {
            for (at, name) in names.iter().enumerate() {
                let bytes = [&name[..], &vec![b'x'; end]].concat();
                assert_eq!(hosts.intern(name), HostId(at as u32));
                let hash = hosts.hash_at(&bytes, 0, name.len());
                assert_eq!(hosts.find_hashed(hash, &bytes, 0, name.len()), Some(HostId(at as u32)));
            }
        }
    }

    #[test]
    fn long_names_of_one_hash_are_told_apart() {
        let mut hosts = Hosts::default();
        let (one, other) = ([b'a'; 70], [b'b'; 70]);
        let id = hosts.intern(&one);
        // As if the first name had the hash of the second.
        let hash = hosts.hash_at(&other, 0, other.len());
        hosts.shards = Default::default();
        hosts.enter(hash, &other, id);
        assert_eq!(hosts.intern(&other), HostId(1));
    }
}
