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

use std::time::Duration;

use super::read::{ReadStep, ReaderShared, Skipped, skipped};
use super::schedule::OpenInput;
use crate::actor::Exit;
use crate::batch::Chunk;
use crate::model::order::joined;
use crate::model::{Extent, Span, Timestamp};
use crate::source::Pruned;
use crate::source::seek::Reason;

/// How often a wait for the stages behind looks up whether the run goes on.
const LOOK_UP: Duration = Duration::from_millis(50);

/// Goes on with a pruned input of which the first part is read: skips what was not read of it, with
/// which it ends, or has that read too if the lines are not sorted as declared.
pub(super) fn skip_or_read(shared: &ReaderShared, input: &mut OpenInput) -> Result<ReadStep, Exit> {
    let Some(pruned) = input.pruned.take() else { return Ok(ReadStep { chunks: Vec::new(), frontier: None }) };
    if pruned.found.reason == Reason::Old {
        return Ok(ReadStep { chunks: skipped_whole(shared, input, pruned.size), frontier: None });
    }
    let disorder = seen(shared, &pruned)?.map_or(0, |extent| extent.disorder);
    // What has grown behind the part that was read belongs to the rest, or else has been read.
    let (known, position) = input.cursor.extent();
    let end = if pruned.found.to < pruned.size { known } else { position };
    let rest = [(0, pruned.found.from.min(known)), (pruned.found.to.max(position), end)];
    let rest: Vec<(u64, u64)> = rest.into_iter().filter(|(from, to)| from < to).collect();
    if disorder > pruned.disorder {
        shared.failures.warn(&not_sorted(&input.cursor.input().name, disorder, pruned.disorder));
        input.parts = rest.iter().rev().copied().collect();
        if input.next_part() {
            return Ok(ReadStep { chunks: Vec::new(), frontier: Some(Timestamp::MIN) });
        }
    }
    let at_end = std::iter::once((end, end));
    let chunks = rest.into_iter().chain(at_end).map(|(from, to)| {
        let span = Span { input: input.id, from, to };
        let (unseen, last) = (from < to, from == to);
        skipped(shared, input, Skipped { span, unseen, last, news: 0 })
    });
    Ok(ReadStep { chunks: chunks.collect(), frontier: None })
}

/// Skips a compressed file as a whole: the bytes that it takes, as nobody knows those that are in it.
fn skipped_whole(shared: &ReaderShared, input: &mut OpenInput, size: u64) -> Vec<Chunk> {
    let spans = [(0, size), (size, size)].map(|(from, to)| Span { input: input.id, from, to });
    let all = spans.into_iter().filter(|span| span.from == size || !span.is_empty());
    let chunk = |span: Span| Skipped { unseen: true, last: span.is_empty(), news: span.len(), span };
    all.map(|span| skipped(shared, input, chunk(span))).collect()
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
