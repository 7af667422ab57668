//! Reads one chunk of an input and sends it, and accounts for bytes that are not read.
//!
//! Not here: which input comes next (`reader`), and what becomes of bytes that were left out
//! (`skip`).

use std::sync::Arc;

use crate::actor::{Exit, Outlet, Permits, Stop};
use crate::batch::{Chunk, Live};
use crate::metrics::Progress;
use crate::model::recycle::{BufferPool, Pooled};
use crate::model::{Balance, Guard, Span, Timestamp, Units};
use crate::ops::scan::{Block, last_stamps};
use crate::source::{Cut, Schedule, Step, Turn};

use super::Failures;

/// What all workers of a reader share.
pub struct Shared {
    /// The inputs.
    pub schedule: Schedule,
    /// How many chunks may exist.
    pub permits: Permits,
    /// Where their bytes come from.
    pub buffers: BufferPool<u8>,
    /// The log format.
    pub format: &'static str,
    /// How its stamps tell their unit.
    pub units: Units,
    /// Stamps beyond this are in the future, and say nothing of where an input has come to.
    pub future_after: Timestamp,
    /// How far a handful of stamps may lie ahead of all others and still say that, in nanoseconds.
    pub max_jump: i64,
    /// Bytes that a line may have.
    pub max_line: usize,
    /// The run's stop switch.
    pub stop: Stop,
    /// How far the run has come.
    pub progress: Arc<Progress>,
    /// Inputs that could not be read are told here.
    pub failures: Arc<Failures>,
    /// Where inputs go on: the clock, and how far beyond now a stamp may lie, in nanoseconds.
    pub present: Option<(fn() -> Timestamp, i64)>,
}

/// Reads one chunk of an input and sends it. Whether it was the last of those to read now, and
/// where in time the input has come to.
pub(super) fn read(
    shared: &Shared,
    turn: &mut Turn,
    outlet: &mut Outlet<Arc<Chunk>>,
) -> Result<(bool, Timestamp), Exit> {
    // The permit comes first: with it held, a chunk can always be worked off.
    let permit = shared.permits.acquire()?;
    let mut bytes = shared.buffers.take();
    let mut step = turn.cursor.next(&mut bytes, &|| shared.stop.draining());
    if let Some(failure) = step.failure.take() {
        shared.failures.add(failure);
    }
    if step.zeros > 0 {
        let span = Span { input: turn.id, from: step.cut.from - step.zeros, to: step.cut.from };
        send_skipped(shared, turn, Skipped { span, unseen: false, last: false }, outlet)?;
    }
    let block = Block { bytes: &bytes, from: step.cut.from, max_line: shared.max_line, units: shared.units };
    let last = step.cut.last;
    let frontier = frontier(shared, block, turn);
    let chunk = Chunk { guard: Some(Box::new(permit)), ..chunk(shared, turn, step, bytes) };
    if let Some(pruned) = &mut turn.pruned {
        pruned.sent += chunk.span.len();
    }
    outlet.send(Arc::new(chunk))?;
    Ok((last, frontier))
}

fn chunk(shared: &Shared, turn: &mut Turn, step: Step, bytes: Pooled<u8>) -> Chunk {
    let Cut { from, to, oversized, last } = step.cut;
    let span = Span { input: turn.id, from, to };
    let number = turn.take_number();
    shared.progress.add_read(span.len());
    // Only an input's end may be a line that has no newline. A chunk that is an over-long line is
    // an end if that had none.
    let unterminated = last && (oversized.is_some() || bytes.last().is_some_and(|byte| *byte != b'\n'));
    let balance = Balance {
        unterminated: u64::from(unterminated),
        bytes_read: span.len(),
        bytes_total: step.news,
        bytes_unread: step.unread,
        inputs: u64::from(step.opened),
        ..Balance::default()
    };
    Chunk {
        span,
        number,
        bytes,
        oversized,
        max_line: shared.max_line,
        balance,
        streamed: turn.cursor.input().is_streamed(),
        order: turn.pruned.as_ref().and_then(|pruned| pruned.order.clone()),
        // What is skipped of a pruned input comes behind what is read of it.
        last: last && turn.pruned.is_none(),
        unseen: false,
        live: shared.present.map(|(now, future)| Live {
            tail: Guard::default(),
            idle: false,
            future_after: now().plus(future),
        }),
        guard: None,
    }
}

/// Where in time an input has come to, if anybody wants to know. Of one that has shown too few
/// records to tell, nothing is known, and so it is read on: it holds back all windows until they
/// have come, or its end.
fn frontier(shared: &Shared, block: Block<'_>, turn: &mut Turn) -> Timestamp {
    if shared.schedule.is_by_time() {
        turn.peaks.join(&last_stamps(shared.format, block, shared.future_after));
    }
    turn.peaks.trusted(shared.max_jump).unwrap_or(Timestamp::MIN)
}

/// Bytes that are not read.
pub(super) struct Skipped {
    pub span: Span,
    /// Whether nobody has looked at them.
    pub unseen: bool,
    /// Whether the input ends behind them.
    pub last: bool,
}

/// Accounts for bytes that are not read.
pub(super) fn send_skipped(
    shared: &Shared,
    turn: &mut Turn,
    Skipped { span, unseen, last }: Skipped,
    outlet: &mut Outlet<Arc<Chunk>>,
) -> Result<(), Exit> {
    let permit = shared.permits.acquire()?;
    shared.progress.add_read(span.len());
    let chunk = Chunk {
        span,
        number: turn.take_number(),
        bytes: shared.buffers.take(),
        oversized: None,
        max_line: shared.max_line,
        balance: Balance { bytes_skipped: span.len(), ..Balance::default() },
        streamed: false,
        order: None,
        last,
        unseen,
        live: None,
        guard: Some(Box::new(permit)),
    };
    outlet.send(Arc::new(chunk))
}
