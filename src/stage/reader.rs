//! Reader: inputs to chunks.
//!
//! Of a file that is pruned, the bytes that can hold the window are read first. The rest is skipped only if neither they
//! nor the probes contradict the declared disorder; otherwise it is read too.

use std::sync::Arc;
use std::time::Duration;

use crate::actor::{Exit, Outlet, Permits, Stop};
use crate::metrics::Progress;
use crate::model::order::joined;
use crate::model::recycle::{Pool, Pooled};
use crate::model::{Balance, Chunk, Extent, Span, TimeUnit, Timestamp};
use crate::ops::scan::{Block, detect_unit, last_stamp};
use crate::source::{Cut, Pruned, Schedule, Step, Turn};

use super::Failures;

/// How often a wait for the stages behind looks up whether the run goes on.
const LOOK_UP: Duration = Duration::from_millis(50);

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
    let mut unproved = Vec::new();
    let mut next = shared.schedule.next();
    while let Some(mut turn) = next {
        fail::fail_point!("reader");
        let (last, frontier) = read(shared, &mut turn, &mut outlet)?;
        if !last {
            next = shared.schedule.swap(turn, frontier);
            continue;
        }
        if turn.pruned.is_some() {
            unproved.push(turn);
        }
        next = shared.schedule.next();
    }
    // All at the end, so that no file waits for the stages behind to catch up with the one before it.
    unproved.into_iter().try_for_each(|turn| skip_or_read(shared, turn, &mut outlet))
}

/// Reads one chunk of an input and sends it. Whether it was the last of those to read now, and where in time the input
/// has come to.
fn read(shared: &Shared, turn: &mut Turn, outlet: &mut Outlet<Arc<Chunk>>) -> Result<(bool, Timestamp), Exit> {
    // The permit comes first: with it held, a chunk can always be worked off.
    let permit = shared.permits.acquire()?;
    let mut bytes = shared.buffers.take();
    let mut step = turn.cursor.next(&mut bytes, &|| shared.stop.draining());
    if let Some(failure) = step.failure.take() {
        shared.failures.add(failure);
    }
    let block = Block { bytes: &bytes, from: step.cut.from, max_line: shared.max_line };
    turn.unit = shared.unit.or(turn.unit).or_else(|| detect_unit(shared.format, block));
    let last = step.cut.last;
    let frontier = frontier(shared, block, turn.unit);
    let chunk = Chunk { guard: Some(Box::new(permit)), ..chunk(shared, turn, step, bytes) };
    if let Some(pruned) = &mut turn.pruned {
        pruned.sent += chunk.span.len();
    }
    outlet.send(Arc::new(chunk))?;
    Ok((last, frontier))
}

fn chunk(shared: &Shared, turn: &Turn, step: Step, bytes: Pooled<u8>) -> Chunk {
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
    Chunk {
        span,
        bytes,
        oversized,
        max_line: shared.max_line,
        balance,
        streamed: turn.cursor.input().is_streamed(),
        unit: turn.unit,
        order: turn.pruned.as_ref().map(|pruned| Arc::clone(&pruned.order)),
        // What is skipped of a pruned input comes behind what is read of it.
        last: last && turn.pruned.is_none(),
        guard: None,
    }
}

/// Ends a pruned input: skips what was not read of it, or reads that too if the lines are not sorted as declared.
fn skip_or_read(shared: &Shared, mut turn: Turn, outlet: &mut Outlet<Arc<Chunk>>) -> Result<(), Exit> {
    let Some(pruned) = turn.pruned.take() else { return Ok(()) };
    let disorder = seen(shared, &pruned)?.map_or(0, |extent| extent.disorder);
    // What has grown behind the part that was read belongs to the rest, or else has been read.
    let (known, position) = turn.cursor.extent();
    let end = if pruned.found.to < pruned.size { known } else { position };
    let rest = [(0, pruned.found.from.min(known)), (pruned.found.to.max(position), end)];
    let sorted = disorder <= pruned.disorder;
    if !sorted {
        shared.failures.warn(&not_sorted(&turn.cursor.input().name, disorder, pruned.disorder));
    }
    for (from, to) in rest.into_iter().filter(|(from, to)| from < to) {
        if sorted {
            send_skipped(shared, &turn, Span { input: turn.id, from, to }, false, outlet)?;
            continue;
        }
        turn.cursor.restrict(from, to);
        // Chunks of it are not the last of the input yet.
        turn.pruned = Some(Pruned { sent: 0, order: Arc::default(), ..pruned.clone() });
        while !read(shared, &mut turn, outlet)?.0 {}
    }
    send_skipped(shared, &turn, Span { input: turn.id, from: end, to: end }, true, outlet)
}

/// What is said by all lines that were looked at, in their order, once the stages behind have seen what was sent them.
fn seen(shared: &Shared, pruned: &Pruned) -> Result<Option<Extent>, Exit> {
    loop {
        if let Some(read) = pruned.order.whole(pruned.sent, LOOK_UP) {
            return Ok(joined([pruned.found.outside.0, read, pruned.found.outside.1]));
        }
        if shared.stop.aborted() {
            return Err(Exit::Stopped);
        }
    }
}

/// Accounts for bytes that are not read.
fn send_skipped(
    shared: &Shared,
    turn: &Turn,
    span: Span,
    last: bool,
    outlet: &mut Outlet<Arc<Chunk>>,
) -> Result<(), Exit> {
    let permit = shared.permits.acquire()?;
    shared.progress.add_read(span.len());
    let chunk = Chunk {
        span,
        bytes: shared.buffers.take(),
        oversized: None,
        max_line: shared.max_line,
        balance: Balance { bytes_skipped: span.len(), ..Balance::default() },
        streamed: false,
        unit: turn.unit,
        order: None,
        last,
        guard: Some(Box::new(permit)),
    };
    outlet.send(Arc::new(chunk))
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

/// Where in time an input has come to, if anybody wants to know.
fn frontier(shared: &Shared, block: Block<'_>, unit: Option<TimeUnit>) -> Timestamp {
    let unit = unit.filter(|_| shared.schedule.is_by_time());
    let stamp = unit.and_then(|unit| last_stamp(shared.format, block, unit, shared.future_after));
    stamp.unwrap_or(Timestamp::MIN)
}
