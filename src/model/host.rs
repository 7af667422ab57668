//! Host names, each stored once and known by a small number.
//!
//! Names are bytes, compared exactly: invalid UTF-8 is kept apart like anything else.
//! Invariant: `name(intern(x)) == x`, and numbers run from 0 without a gap.

use hashbrown::HashTable;

/// A host's number in its `Hosts`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostId(pub u32);

/// A set of host names, numbered in the order in which they came.
#[derive(Debug, Clone, Default)]
pub struct Hosts {
    /// All names, one after the other.
    bytes: Vec<u8>,
    /// Where each name ends in `bytes`.
    ends: Vec<usize>,
    /// Finds a number by the hash of its name. Keyed at random, so that names in a log cannot flood it.
    index: HashTable<u32>,
    hasher: ahash::RandomState,
}

impl Hosts {
    /// The number of `name`, which is added if it is new.
    #[inline]
    pub fn intern(&mut self, name: &[u8]) -> HostId {
        let hash = self.hasher.hash_one(name);
        let (bytes, ends) = (&self.bytes, &self.ends);
        if let Some(&id) = self.index.find(hash, |&id| slice(bytes, ends, id) == name) {
            return HostId(id);
        }
        self.add(hash, name)
    }

    /// The name of a host.
    pub fn name(&self, id: HostId) -> &[u8] {
        slice(&self.bytes, &self.ends, id.0)
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
    pub fn names(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.ends.len() as u32).map(|id| slice(&self.bytes, &self.ends, id))
    }

    #[cold]
    fn add(&mut self, hash: u64, name: &[u8]) -> HostId {
        let id = self.ends.len() as u32;
        self.bytes.extend_from_slice(name);
        self.ends.push(self.bytes.len());
        let (bytes, ends, hasher) = (&self.bytes, &self.ends, &self.hasher);
        self.index.insert_unique(hash, id, |&id| hasher.hash_one(slice(bytes, ends, id)));
        HostId(id)
    }
}

#[inline]
fn slice<'a>(bytes: &'a [u8], ends: &[usize], id: u32) -> &'a [u8] {
    let id = id as usize;
    let start = if id == 0 { 0 } else { ends[id - 1] };
    &bytes[start..ends[id]]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn interning_agrees_with_a_list(names in proptest::collection::vec(proptest::collection::vec(97u8..100, 0..4), 0..60)) {
            let mut hosts = Hosts::default();
            let mut oracle: Vec<Vec<u8>> = Vec::new();
            for name in &names {
                let expected = oracle.iter().position(|known| known == name).unwrap_or_else(|| {
                    oracle.push(name.clone());
                    oracle.len() - 1
                });
                prop_assert_eq!(hosts.intern(name), HostId(expected as u32));
            }
            prop_assert_eq!(hosts.len(), oracle.len());
            for (at, name) in hosts.names().enumerate() {
                prop_assert_eq!(name, &oracle[at][..]);
            }
        }
    }
}
