//! Reader: inputs to chunks.
//!
//! Of a file that is pruned, the bytes that can hold the window are read first. The rest is skipped
//! only if neither they nor the probes contradict the declared disorder; otherwise it is read too.

use std::sync::Arc;

use super::read::{ReaderShared, read};
use super::skip::skip_or_read;
use crate::actor::{Exit, Outlet};
use crate::batch::Chunk;

/// Runs one worker until no input is left.
pub fn run(shared: &ReaderShared, mut outlet: Outlet<Arc<Chunk>>) -> Result<(), Exit> {
    let mut unproved = Vec::new();
    let mut next = shared.schedule.next();
    while let Some(mut input) = next {
        fail::fail_point!("reader");
        let (last, frontier) = read(shared, &mut input, &mut outlet)?;
        if !last {
            next = shared.schedule.swap(input, frontier);
            continue;
        }
        if input.pruned.is_some() {
            unproved.push(input);
        }
        next = shared.schedule.next();
    }
    // All at the end, so that no file waits for the stages behind to catch up with the one before
    // it.
    unproved.into_iter().try_for_each(|input| skip_or_read(shared, input, &mut outlet))
}
