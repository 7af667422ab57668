//! Reads one chunk of an input, and accounts for bytes that are not read.
//!
//! Not here: which input comes next (`schedule`), and what becomes of bytes that were left out
//! (`skip`). Invariant: who reads has the input for itself, and needs no more than one permit.

use std::sync::Arc;

use crate::actor::{Exit, Permits, Stop};
use crate::batch::{Chunk, Live};
use crate::error::Error;
use crate::metrics::Progress;
use crate::model::recycle::{BufferPool, Pooled};
use crate::model::time::Clock;
use crate::model::{Balance, Guard, Span, Timestamp};
use crate::ops::scan::{Block, last_stamps};
use crate::source::{ChunkStep, Cut};

use super::schedule::{OpenInput, Schedule};
use super::{Failures, anew};

/// What all workers of a reader share.
pub struct ReaderShared {
    /// The inputs.
    pub schedule: Schedule,
    /// How many chunks may exist.
    pub permits: Permits,
    /// Where their bytes come from.
    pub buffers: BufferPool<u8>,
    /// Stamps beyond this are in the future, and say nothing of where an input has come to.
    pub future_after: Timestamp,
    /// How far a handful of stamps may lie ahead of all others and still say that, in nanoseconds.
    pub max_jump: i64,
    /// The run's stop switch.
    pub stop: Stop,
    /// How far the run has come.
    pub progress: Arc<Progress>,
    /// Inputs that could not be read are told here.
    pub failures: Arc<Failures>,
    /// Where inputs go on: the clock, and how far beyond now a stamp may lie, in nanoseconds.
    pub present: Option<(Clock, i64)>,
}

/// What was taken from an input.
pub(super) struct ReadStep {
    /// In their order.
    pub chunks: Vec<Chunk>,
    /// Where in time the input has come to; `None` if it has ended.
    pub frontier: Option<Timestamp>,
}

/// Reads one chunk of an input.
pub(super) fn read(shared: &ReaderShared, input: &mut OpenInput) -> Result<ReadStep, Exit> {
    if let Err(failure) = begin(shared, input) {
        if shared.schedule.is_of_one() {
            // Before the input is let go of: its end would look like that of a run that found nothing.
            shared.stop.abort();
            return Err(failure.into());
        }
        shared.failures.add(failure);
        let end = Span { input: input.id, from: 0, to: 0 };
        let nothing = Skipped { span: end, unseen: false, last: true, news: 0 };
        return Ok(ReadStep { chunks: vec![skipped(shared, input, nothing)], frontier: None });
    }
    // The permit comes before the bytes: a chunk that holds one can always be processed.
    let permit = shared.permits.acquire()?;
    let mut bytes = shared.buffers.take();
    let mut step = input.cursor.next(&mut bytes, &|| shared.stop.draining());
    if let Some(failure) = step.failure.take() {
        shared.failures.add(failure);
    }
    let mut chunks = Vec::with_capacity(2);
    if step.zeros > 0 {
        let span = Span { input: input.id, from: step.cut.from - step.zeros, to: step.cut.from };
        chunks.push(skipped(shared, input, Skipped { span, unseen: false, last: false, news: 0 }));
    }
    let is_end = step.cut.last;
    let chunk = Chunk { guard: Some(Box::new(permit)), ..chunk(shared, input, step, bytes) };
    if let Some(pruned) = &mut input.pruned {
        pruned.sent += chunk.span.len();
    }
    let before = chunks.len();
    if let Some(rules) = anew::divide(chunk, &mut chunks) {
        (before + 1..chunks.len()).for_each(|_| _ = input.take_number());
        input.rules = rules;
    }
    let frontier = frontier(shared, input, &chunks[before..]);
    let last = is_end && !input.go_on();
    if let Some(chunk) = chunks.last_mut() {
        chunk.last = last;
    }
    Ok(ReadStep { chunks, frontier: (!last).then_some(frontier) })
}

/// Waits for the beginning of a stream, if that tells how its lines are read.
fn begin(shared: &ReaderShared, input: &mut OpenInput) -> Result<(), Error> {
    if let Some(format) = input.begin(&|| shared.stop.draining())? {
        shared.failures.note(&format!("{} is read as {format}", input.cursor.input().name));
    }
    Ok(())
}

fn chunk(shared: &ReaderShared, input: &mut OpenInput, step: ChunkStep, bytes: Pooled<u8>) -> Chunk {
    let Cut { from, to, oversized, last } = step.cut;
    let span = Span { input: input.id, from, to };
    let number = input.take_number();
    shared.progress.add_read(if input.cursor.input().is_packed() { step.packed } else { span.len() });
    // Only an input's end may be a line that has no newline. A chunk that is an over-long line is
    // an end if that had none.
    let unterminated = last && (oversized.is_some() || bytes.last().is_some_and(|byte| *byte != b'\n'));
    let balance = Balance {
        unterminated: u64::from(unterminated),
        bytes_read: span.len(),
        bytes_total: step.news,
        bytes_unread: step.unread,
        bytes_compressed: step.packed,
        inputs: u64::from(step.opened),
        ..Balance::default()
    };
    Chunk {
        span,
        number,
        bytes,
        oversized,
        rules: input.rules.clone(),
        balance,
        streamed: input.cursor.input().is_streamed(),
        order: input.pruned.as_ref().and_then(|pruned| pruned.order.clone()),
        last,
        unseen: false,
        live: shared.present.as_ref().map(|(now, future)| Live {
            tail: Guard::default(),
            idle: false,
            future_after: now().plus(*future),
        }),
        guard: None,
    }
}

/// Where in time an input has come to, if anybody wants to know. Of one that has shown too few
/// records to tell, nothing is known, and so it is read on: it holds back all windows until they
/// have come, or its end.
fn frontier(shared: &ReaderShared, input: &mut OpenInput, chunks: &[Chunk]) -> Timestamp {
    for chunk in chunks.iter().filter(|_| shared.schedule.is_by_time()) {
        let block = Block { bytes: &chunk.bytes, from: chunk.span.from, rules: &chunk.rules };
        input.peaks.join(&last_stamps(block, shared.future_after));
    }
    input.peaks.trusted(shared.max_jump).unwrap_or(Timestamp::MIN)
}

/// Bytes that are not read.
pub(super) struct Skipped {
    pub span: Span,
    /// Whether nobody has looked at them.
    pub unseen: bool,
    /// Whether the input ends behind them.
    pub last: bool,
    /// How many of them nobody has accounted for as bytes of the input.
    pub news: u64,
}

/// Accounts for bytes that are not read. It holds none, and so needs no permit: whoever has one
/// already must not wait for another.
pub(super) fn skipped(shared: &ReaderShared, input: &mut OpenInput, skipped: Skipped) -> Chunk {
    let Skipped { span, unseen, last, news } = skipped;
    shared.progress.add_read(span.len());
    Chunk {
        span,
        number: input.take_number(),
        bytes: Vec::new().into(),
        oversized: None,
        rules: input.rules.clone(),
        balance: Balance { bytes_skipped: span.len(), bytes_total: news, ..Balance::default() },
        streamed: false,
        order: None,
        last,
        unseen,
        live: None,
        guard: None,
    }
}
