//! Beside the reader: the end of a pruned input, where the bytes that were not read are skipped or
//! else read too.
//!
//! A one-shot run needs no order among chunks, so what is read late counts all the same. Windows
//! that repeat need one, and read everything. So does a run over files that are small together
//! (`prune-above`): where skipping saves no time that anybody would notice, the answer rests on
//! nothing at all.
//!
//! Invariant: bytes are skipped only once all lines that were looked at, by probes or by the stages
//! behind, keep to the declared disorder.

use std::sync::Arc;
use std::time::Duration;

use super::read::{ReaderShared, Skipped, read, send_skipped};
use super::schedule::OpenInput;
use crate::actor::{Exit, Outlet};
use crate::batch::Chunk;
use crate::model::order::joined;
use crate::model::{Extent, Span, Timestamp};
use crate::source::Pruned;

/// How often a wait for the stages behind looks up whether the run goes on.
const LOOK_UP: Duration = Duration::from_millis(50);

/// Ends a pruned input: skips what was not read of it, or reads that too if the lines are not
/// sorted as declared.
pub(super) fn skip_or_read(
    shared: &ReaderShared,
    mut input: OpenInput,
    outlet: &mut Outlet<Arc<Chunk>>,
) -> Result<(), Exit> {
    let Some(pruned) = input.pruned.take() else { return Ok(()) };
    let disorder = seen(shared, &pruned)?.map_or(0, |extent| extent.disorder);
    // What has grown behind the part that was read belongs to the rest, or else has been read.
    let (known, position) = input.cursor.extent();
    let end = if pruned.found.to < pruned.size { known } else { position };
    let rest = [(0, pruned.found.from.min(known)), (pruned.found.to.max(position), end)];
    let sorted = disorder <= pruned.disorder;
    if !sorted {
        shared.failures.warn(&not_sorted(&input.cursor.input().name, disorder, pruned.disorder));
    }
    for (from, to) in rest.into_iter().filter(|(from, to)| from < to) {
        if sorted {
            let span = Span { input: input.id, from, to };
            send_skipped(shared, &mut input, Skipped { span, unseen: true, last: false }, outlet)?;
            continue;
        }
        input.cursor.restrict(from, to);
        // Chunks of it are not the last of the input yet.
        input.pruned = Some(Pruned { sent: 0, order: None, ..pruned.clone() });
        while !read(shared, &mut input, outlet)?.0 {}
    }
    let span = Span { input: input.id, from: end, to: end };
    send_skipped(shared, &mut input, Skipped { span, unseen: false, last: true }, outlet)
}

/// What is said by all lines that were looked at, in their order, once the stages behind have seen
/// what was sent them.
fn seen(shared: &ReaderShared, pruned: &Pruned) -> Result<Option<Extent>, Exit> {
    let Some(order) = &pruned.order else { return Ok(None) };
    loop {
        if let Some(read) = order.whole(pruned.sent, LOOK_UP) {
            return Ok(joined([pruned.found.outside.0, read, pruned.found.outside.1]));
        }
        if shared.stop.aborted() {
            return Err(Exit::Stopped);
        }
    }
}

/// The warning for a file whose lines are further out of order than declared; both in nanoseconds.
pub fn not_sorted(name: &str, disorder: i64, declared: i64) -> String {
    let seconds = |nanos: i64| Timestamp::from_nanos(nanos).unix_decimal();
    format!(
        "{name}: a stamp lies {} s behind one before it, more than the declared {} s; the file is read whole (declare \
         it with --lateness)",
        seconds(disorder),
        seconds(declared)
    )
}
