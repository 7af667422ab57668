//! What a tallies file says of numbers other than single connections: the measures that are summed, and
//! whether lines may stand for several connections.
//!
//! Not here: the sums of pairs, which stand behind their counts (`spill`). Invariant: files with none of
//! this are of an earlier format, byte for byte as they were before there was any.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::Measured;

/// What files of format 4 say beside. It stands behind the rest.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeaderNumbers {
    /// The names of the measures.
    pub measures: Vec<String>,
    /// By number of the bucket: what they come to. A bucket of which all is 0 is not there.
    pub buckets: BTreeMap<u64, Measured>,
    /// Whether lines may stand for several connections.
    pub is_weighted: bool,
}

impl HeaderNumbers {
    /// Of measures by bucket; `None` if there is nothing to say.
    pub fn new(measures: &[String], buckets: impl Iterator<Item = (u64, Measured)>, is_weighted: bool) -> Option<Self> {
        let buckets = buckets.filter(|(_, measured)| *measured != Measured::default()).collect();
        let is_any = is_weighted || !measures.is_empty();
        is_any.then(|| HeaderNumbers { measures: measures.to_vec(), buckets, is_weighted })
    }

    /// Adds those of another file with the same measures; `None` if a sum has more than 64 bits.
    pub(super) fn join(mine: &mut Option<Self>, theirs: Option<Self>) -> Option<()> {
        let Some(theirs) = theirs else { return Some(()) };
        let mine = mine.get_or_insert_with(|| HeaderNumbers { measures: theirs.measures.clone(), ..Self::default() });
        mine.is_weighted |= theirs.is_weighted;
        let mut sum = mine.total()?;
        for (bucket, measured) in theirs.buckets {
            // The sum of all is the largest there is.
            sum = sum.checked_plus(&measured)?;
            *mine.buckets.entry(bucket).or_default() += measured;
        }
        Some(())
    }

    /// The sum over all buckets, if it fits 64 bits.
    pub(super) fn total(&self) -> Option<Measured> {
        self.buckets.values().try_fold(Measured::default(), |sum, measured| sum.checked_plus(measured))
    }
}
