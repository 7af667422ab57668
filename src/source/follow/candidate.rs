//! A file that was found and is no generation yet.
//!
//! Not here: what becomes of it (`verdict`, and `compressed` where it is).

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::content::{START, Stat};
use super::generation::Generation;
use super::unpack::Unpacking;
use crate::model::InputId;

/// A file that is no generation yet.
#[derive(Debug)]
pub(super) struct Candidate {
    /// The number that it will have as a generation.
    pub id: InputId,
    pub path: PathBuf,
    pub key: u64,
    pub stat: Stat,
    /// Its first bytes.
    pub head: Vec<u8>,
    /// Whether a location leads to it.
    pub here: bool,
    /// Whether it was there when nothing was known yet.
    pub from_start: bool,
    pub found: Duration,
    /// When it last grew.
    pub grown: Duration,
    /// The generation whose content it has taken the place of: of that it is no copy.
    pub instead_of: Option<InputId>,
    /// The generations that it may be a copy of.
    pub suspected: Vec<InputId>,
    /// What is known of what it holds, if it is compressed.
    pub unpacking: Option<Unpacking>,
}

impl Candidate {
    /// Whether more than its first bytes speaks for it being what became of a generation. So few
    /// bytes may well be written a second time: a file that is removed and written anew counts,
    /// however alike the two are.
    pub fn is_like_moved(&self, generation: &Generation) -> bool {
        // Alive, it may be copied at any time.
        generation.away.is_none()
            // It was a copy in the making before.
            || self.suspected.contains(&generation.id)
            // It bears the stamp that moving keeps.
            || (self.stat.modified, self.stat.size) == (generation.modified, generation.size_seen)
            // The other has lost its file just now: to a truncation, or while nobody ran, or
            // without taking its name along.
            || (!generation.settled
                && (generation.truncated || generation.restored || self.path != generation.path))
    }
}

/// Generations by how they start, so that a file is compared with few.
pub(super) type ByStart = BTreeMap<Vec<u8>, Vec<InputId>>;

/// The generations whose start agrees with a head as far as both go.
pub(super) fn alike(by_start: &ByStart, head: &[u8]) -> Vec<InputId> {
    let start = start(head);
    let shorter = (1..start.len()).filter_map(|length| by_start.get(&start[..length]));
    let longer = by_start.range(start.to_vec()..).take_while(|(other, _)| other.starts_with(start)).map(|(_, ids)| ids);
    shorter.chain(longer).flatten().copied().collect()
}

/// The first bytes of a head, by which generations are found.
pub(super) fn start(head: &[u8]) -> &[u8] {
    &head[..head.len().min(START)]
}
