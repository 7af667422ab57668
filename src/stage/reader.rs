//! Reader: inputs to chunks.

use std::sync::Arc;

use crate::actor::{Exit, Outlet, Permit, Permits, Stop};
use crate::metrics::Progress;
use crate::model::recycle::{Pool, Pooled};
use crate::model::{Balance, Chunk, Span, TimeUnit, Timestamp};
use crate::ops::scan::{detect_unit, last_stamp};
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
        turn.unit = shared.unit.or(turn.unit).or_else(|| detect_unit(shared.format, &bytes));
        let last = step.cut.last;
        let frontier = frontier(shared, &bytes, turn.unit);
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
    Chunk { span, bytes, oversized, max_line: shared.max_line, balance, unit: turn.unit, last, guard }
}

/// Where in time an input has come to, if anybody wants to know.
fn frontier(shared: &Shared, bytes: &[u8], unit: Option<TimeUnit>) -> Timestamp {
    let stamp = unit.filter(|_| shared.schedule.is_by_time()).and_then(|unit| last_stamp(shared.format, bytes, unit));
    stamp.unwrap_or(Timestamp::MIN)
}
