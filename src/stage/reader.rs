//! Reader: inputs to chunks.

use std::sync::Arc;

use crate::actor::{Exit, Outlet, Permit, Permits, Stop};
use crate::metrics::Progress;
use crate::model::recycle::{Pool, Pooled};
use crate::model::{Balance, Chunk, Span, TimeUnit, Timestamp};
use crate::ops::scan::{Block, detect_unit, last_stamp};
use crate::source::{Cut, Schedule, Step, Turn};

use super::Failures;

/// What all workers of a reader share.
pub struct Shared {
    /// The inputs.
    pub schedule: Schedule,
    /// How many chunks may exist.
    pub permits: Permits,
    /// Where their bytes come from.
    pub buffers: Pool<u8>,
    /// The log format.
    pub format: &'static str,
    /// The unit of the stamps, if it is given.
    pub unit: Option<TimeUnit>,
    /// Stamps beyond this are in the future, and say nothing of where an input has come to.
    pub future_after: Timestamp,
    /// Bytes that a line may have.
    pub max_line: usize,
    /// The run's stop switch.
    pub stop: Stop,
    /// How far the run has come.
    pub progress: Arc<Progress>,
    /// Inputs that could not be read are told here.
    pub failures: Arc<Failures>,
}

/// Runs one worker until no input is left.
pub fn run(shared: &Shared, mut outlet: Outlet<Arc<Chunk>>) -> Result<(), Exit> {
    let interrupted = || shared.stop.draining();
    let mut next = shared.schedule.next();
    while let Some(mut turn) = next {
        fail::fail_point!("reader");
        // The permit comes first: with it held, a chunk can always be worked off.
        let permit = shared.permits.acquire()?;
        let mut bytes = shared.buffers.take();
        let mut step = turn.cursor.next(&mut bytes, &interrupted);
        if let Some(failure) = step.failure.take() {
            shared.failures.add(failure);
        }
        let block = Block { bytes: &bytes, from: step.cut.from, max_line: shared.max_line };
        turn.unit = shared.unit.or(turn.unit).or_else(|| detect_unit(shared.format, block));
        let last = step.cut.last;
        let frontier = frontier(shared, block, turn.unit);
        outlet.send(Arc::new(chunk(shared, &turn, step, bytes, permit)))?;
        next = if last { shared.schedule.next() } else { shared.schedule.swap(turn, frontier) };
    }
    Ok(())
}

fn chunk(shared: &Shared, turn: &Turn, step: Step, bytes: Pooled<u8>, permit: Permit) -> Chunk {
    let Cut { from, to, oversized, last } = step.cut;
    let span = Span { input: turn.id, from, to };
    shared.progress.add_read(span.len());
    let balance = Balance {
        bytes_read: span.len(),
        bytes_total: step.news,
        bytes_unread: step.unread,
        inputs: u64::from(step.opened),
        ..Balance::default()
    };
    let guard = Some(Box::new(permit) as Box<_>);
    let (max_line, streamed) = (shared.max_line, turn.cursor.input().is_streamed());
    Chunk { span, bytes, oversized, max_line, balance, streamed, unit: turn.unit, last, guard }
}

/// Where in time an input has come to, if anybody wants to know.
fn frontier(shared: &Shared, block: Block<'_>, unit: Option<TimeUnit>) -> Timestamp {
    let unit = unit.filter(|_| shared.schedule.is_by_time());
    let stamp = unit.and_then(|unit| last_stamp(shared.format, block, unit, shared.future_after));
    stamp.unwrap_or(Timestamp::MIN)
}
