//! Reader: inputs to chunks.
//!
//! Of a file that is pruned, the bytes that can hold the window are read first. The rest is skipped
//! only if neither they nor the probes contradict the declared disorder; otherwise it is read too.
//!
//! Invariant: nothing is sent on while an input is held. What comes of it may be all the work there
//! is, where stages are chained to the reader, and keeps nobody from reading.

use std::sync::Arc;

use super::read::{ReadStep, ReaderShared, read};
use super::skip::skip_or_read;
use crate::actor::{Exit, Outlet};
use crate::batch::Chunk;

/// Runs one worker until no input is left.
pub fn run(shared: &ReaderShared, outlet: &mut Outlet<Arc<Chunk>>) -> Result<(), Exit> {
    while let Some(mut turn) = shared.schedule.next()? {
        fail::fail_point!("reader");
        let take = if turn.input.unproved { skip_or_read } else { read };
        let ReadStep { chunks, frontier } = take(shared, &mut turn.input)?;
        match frontier {
            Some(frontier) => shared.schedule.put_back(turn, frontier),
            None => shared.schedule.end(turn),
        }
        chunks.into_iter().try_for_each(|chunk| outlet.send(Arc::new(chunk)))?;
    }
    Ok(())
}
