//! Saved states, read with what their fingerprint says of the configuration that they were saved
//! with.
//!
//! Invariant: who shows a state, verifies it or goes on from it reads it from here, so that all
//! refuse the same.

use std::io;
use std::sync::Arc;

use crate::codec::Decoder;
use crate::config::lengths_in;
use crate::model::Lengths;
use crate::snapshot::{SavedContents, Snapshot};
use crate::tally::{Budget, Tally};

/// Reads a snapshot to look at it, and its pairs only if they are asked for.
pub fn contents(fingerprint: &str, decoder: &mut Decoder<'_>, pairs: bool) -> io::Result<SavedContents> {
    SavedContents::read(decoder, &lengths(fingerprint)?, pairs)
}

/// Reads a snapshot as a run that goes on from it would, and errors where that run would refuse it.
pub fn verified(fingerprint: &str, decoder: &mut Decoder<'_>) -> io::Result<()> {
    restored(fingerprint, decoder, Arc::default()).map(drop)
}

/// A snapshot to go on from, its counts in a tally that takes their bytes from a budget.
pub(super) fn restored(
    fingerprint: &str,
    decoder: &mut Decoder<'_>,
    budget: Arc<Budget>,
) -> io::Result<(Snapshot, Tally)> {
    Snapshot::restore(decoder, &lengths(fingerprint)?, budget)
}

fn lengths(fingerprint: &str) -> io::Result<Lengths> {
    let problem = "what it depends on does not say how long windows are";
    lengths_in(fingerprint).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, problem))
}
