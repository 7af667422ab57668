//! Host names by number.
//!
//! Names lie in blocks, each for a range of numbers and with bytes of its own: so no name is ever
//! moved with all the others, and a copy shares its blocks with the original until either changes.
//! A name that is dropped leaves a hole, whose number is given to another name later. `Hosts` gives
//! the numbers out. Invariant: the name of a host has at least one byte, and a hole is not a host.

use std::sync::Arc;

/// A host's number in its `Hosts`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostId(pub u32);

/// The first byte of a name that no host has, if there is one: the line would end there, or be
/// malformed.
pub fn foreign_byte(name: &[u8]) -> Option<u8> {
    name.iter().copied().find(|byte| matches!(byte, 0 | b'\n'))
}

/// Host names by number, with holes where names were dropped.
#[derive(Debug, Clone, Default)]
pub struct Names {
    /// Blocks of `BLOCK` numbers each; the last one may have fewer.
    blocks: Vec<Arc<NameBlock>>,
    /// By number: whether it is a hole.
    holes: Vec<bool>,
    /// How many hosts there are.
    hosts: usize,
    /// Bytes in all blocks.
    bytes: usize,
}

/// The names of some numbers.
#[derive(Debug, Clone, Default)]
struct NameBlock {
    places: Vec<NameSpan>,
    bytes: Vec<u8>,
    /// Bytes of names that were dropped.
    dead: usize,
}

/// Where a name lies among the bytes of its block.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C, packed(4))]
struct NameSpan {
    start: u64,
    length: u32,
}

/// Numbers of a block: few enough that copying one takes no time.
pub const BLOCK: usize = 4096;

impl Names {
    /// The name of a host; the name of a hole is empty or has no meaning.
    #[inline]
    pub fn name(&self, id: HostId) -> &[u8] {
        self.blocks[id.0 as usize / BLOCK].name(id.0 as usize % BLOCK)
    }

    /// The name of a host, or `None` if this is a hole.
    pub fn get(&self, id: HostId) -> Option<&[u8]> {
        (!self.holes[id.0 as usize]).then(|| self.name(id))
    }

    /// The number of a name, looked for one by one.
    pub fn find(&self, name: &[u8]) -> Option<HostId> {
        self.iter().find(|known| known.1 == name).map(|known| known.0)
    }

    /// How many hosts there are.
    pub fn len(&self) -> usize {
        self.hosts
    }

    /// Whether there are no hosts.
    pub fn is_empty(&self) -> bool {
        self.hosts == 0
    }

    /// Numbers are below this. Some of them may be holes.
    pub fn end(&self) -> usize {
        self.holes.len()
    }

    /// All hosts, in the order of their numbers.
    pub fn iter(&self) -> impl Iterator<Item = (HostId, &[u8])> {
        (0..self.end() as u32).map(HostId).filter_map(|id| Some((id, self.get(id)?)))
    }

    /// The numbers of all hosts, in the order of their names.
    pub fn by_name(&self) -> Vec<HostId> {
        let mut ids: Vec<HostId> = self.iter().map(|(id, _)| id).collect();
        ids.sort_unstable_by_key(|id| self.name(*id));
        ids
    }

    /// Bytes of all names, and of those that were dropped and are not cleared away yet.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Gives the next number to a name.
    pub(super) fn push(&mut self, name: &[u8]) -> HostId {
        let id = self.push_hole();
        self.fill(id, name);
        id
    }

    /// Makes the next number a hole.
    pub(super) fn push_hole(&mut self) -> HostId {
        if self.end().is_multiple_of(BLOCK) {
            self.blocks.push(Arc::default());
        }
        if let Some(last) = self.blocks.last_mut() {
            Arc::make_mut(last).places.push(NameSpan::default());
        }
        self.holes.push(true);
        HostId(self.end() as u32 - 1)
    }

    /// Gives the number of a hole to a name.
    pub(super) fn fill(&mut self, id: HostId, name: &[u8]) {
        let block = Arc::make_mut(&mut self.blocks[id.0 as usize / BLOCK]);
        let place = NameSpan { start: block.bytes.len() as u64, length: name.len() as u32 };
        let before = std::mem::replace(&mut block.places[id.0 as usize % BLOCK], place);
        block.dead += before.length as usize;
        block.bytes.extend_from_slice(name);
        self.bytes += name.len();
        self.hosts += 1;
        self.holes[id.0 as usize] = false;
    }

    /// Makes a host a hole. Its bytes stay until they are cleared away.
    pub(super) fn drop_name(&mut self, id: HostId) {
        self.hosts -= 1;
        self.holes[id.0 as usize] = true;
    }

    /// Clears away the bytes of dropped names in some blocks from this one on. Gives the next block
    /// to do, if there are more.
    pub(super) fn clear_away(&mut self, first: usize, blocks: usize) -> Option<usize> {
        let end = self.blocks.len().min(first + blocks);
        for at in first..end {
            let is_hole = &self.holes[at * BLOCK..];
            if let Some(block) = self.blocks[at].without_dead(is_hole) {
                self.bytes -= self.blocks[at].bytes.len() - block.bytes.len();
                self.blocks[at] = Arc::new(block);
            }
        }
        (end < self.blocks.len()).then_some(end)
    }

    /// Removes the holes behind the last host whose bytes were cleared away, and gives the other
    /// holes, last first.
    pub(super) fn holes(&mut self) -> Vec<HostId> {
        let end = self.holes.iter().rposition(|is_hole| !is_hole).map_or(0, |last| last + 1);
        self.holes.truncate(end);
        self.blocks.truncate(end.div_ceil(BLOCK));
        if let Some(last) = self.blocks.last_mut().filter(|_| !end.is_multiple_of(BLOCK)) {
            Arc::make_mut(last).places.truncate(end % BLOCK);
        }
        (0..end).rev().filter(|id| self.holes[*id]).map(|id| HostId(id as u32)).collect()
    }
}

impl NameBlock {
    #[inline]
    fn name(&self, at: usize) -> &[u8] {
        let NameSpan { start, length } = self.places[at];
        &self.bytes[start as usize..][..length as usize]
    }

    /// The same names without the bytes of holes, if that makes them smaller.
    fn without_dead(&self, is_hole: &[bool]) -> Option<NameBlock> {
        let lengths = self.places.iter().map(|place| place.length as usize);
        let dropped: usize = lengths.zip(is_hole).filter(|(_, is_hole)| **is_hole).map(|(length, _)| length).sum();
        if self.dead + dropped == 0 {
            return None;
        }
        let bytes = Vec::with_capacity(self.bytes.len() - self.dead - dropped);
        let mut kept = NameBlock { places: Vec::with_capacity(self.places.len()), bytes, dead: 0 };
        for (at, is_hole) in (0..self.places.len()).zip(is_hole) {
            let name = if *is_hole { &[] } else { self.name(at) };
            kept.places.push(NameSpan { start: kept.bytes.len() as u64, length: name.len() as u32 });
            kept.bytes.extend_from_slice(name);
        }
        Some(kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_keeps_its_names_whatever_becomes_of_the_original() {
        let name = |id: u32| format!("host-{id}").into_bytes();
        let mut names = Names::default();
        (0..2 * BLOCK as u32 + 5).for_each(|id| _ = names.push(&name(id)));
        let copy = names.clone();
        (0..BLOCK as u32 + 7).for_each(|id| names.drop_name(HostId(id)));
        assert_eq!((names.clear_away(0, 2), names.clear_away(2, 2)), (Some(2), None));
        names.fill(HostId(3), b"another");
        assert_eq!((names.len(), names.end()), (BLOCK - 1, 2 * BLOCK + 5));
        assert_eq!(names.bytes(), names.iter().map(|(_, name)| name.len()).sum::<usize>());
        assert_eq!((names.find(&name(3)), names.find(b"another")), (None, Some(HostId(3))));
        assert!(copy.iter().all(|(id, known)| known == name(id.0)) && copy.len() == 2 * BLOCK + 5);
    }

    #[test]
    fn holes_at_the_end_are_taken_out() {
        let mut names = Names::default();
        (0..BLOCK as u32 + 5).for_each(|_| _ = names.push(b"name"));
        (9..BLOCK as u32 + 5).chain([2, 4]).for_each(|id| names.drop_name(HostId(id)));
        names.clear_away(0, usize::MAX / 2);
        assert_eq!(names.holes(), [HostId(4), HostId(2)]);
        assert_eq!((names.len(), names.end(), names.blocks.len(), names.bytes()), (7, 9, 1, 28));
        assert_eq!(names.push(b"next"), HostId(9));
        (0..10).for_each(|id| {
            if names.get(HostId(id)).is_some() {
                names.drop_name(HostId(id))
            }
        });
        names.clear_away(0, 1);
        assert_eq!((names.holes(), names.end(), names.bytes()), (Vec::new(), 0, 0));
    }
}
