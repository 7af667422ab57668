//! A run that ends with tallies in place of reports: the part of a larger job that is done here.
//!
//! Invariant: there are tallies of all the bytes that were asked for, or an error.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::builder::Pipeline;
use super::range::ByteRange;
use super::run::{Portion, Summary};
use crate::actor::Outcome;
use crate::config::{Plan, Range, Task};
use crate::error::{Error, ErrorKind, Result};
use crate::metrics;
use crate::model::order::joined;
use crate::model::{Extent, InputId, Loss, Window};
use crate::ops::progress::Progress;
use crate::source::Pruned;
use crate::stage::Closed;
use crate::stage::reporter::Kept;
use crate::tallies::{self, First, Header, Order, Piece, Question, Sample, Share};

/// What a partial is about beside what its configuration says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PartialRequest {
    /// The bytes of its one file, if not all of all inputs.
    pub range: Option<ByteRange>,
    /// Stands before the names of inputs, and tells those of one machine from those of others.
    pub label: Option<String>,
    /// Whether the window before is counted too, whatever the reports need.
    pub previous: bool,
}

/// What was counted.
pub struct Partial {
    header: Header,
    closed: Arc<Closed>,
    summary: Summary,
}

impl Partial {
    /// What is said of the counts.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// How the run went that counted.
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// Writes the tallies file.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        tallies::write(out, &self.header, &self.closed.view)
    }
}

pub(super) fn partial(
    mut pipeline: Pipeline,
    request: PartialRequest,
    started: impl FnOnce(Arc<metrics::Progress>),
) -> Result<Partial> {
    let PartialRequest { range, label, previous } = request;
    if previous {
        pipeline.plan.keep_previous();
    }
    let plan = pipeline.plan.clone();
    check(&plan)?;
    let kept = Kept::default();
    let environment = &mut pipeline.environment;
    (environment.kept, environment.range) = (Some(Arc::clone(&kept)), range.clone());
    // The outputs of the configuration are for reports.
    environment.outputs = vec![("text".to_owned(), Box::new(io::sink()))];
    let mut running = pipeline.start()?;
    started(running.progress());
    let portions = std::mem::take(&mut running.portions);
    let aggregator = running.aggregators.first().map(|(_, shared)| Arc::clone(shared));
    let summary = complete(running.join())?;
    let (Some(closed), Some(aggregator)) = (kept.lock().take(), aggregator) else {
        return Err(Error::usage("the configuration has no reporter, which would take the tallies"));
    };
    let progress = aggregator.progress.lock();
    let share = |portion: &Portion| {
        let name = name(label.as_deref(), &portion.path);
        let (size, pieces) = match &range {
            Some(range) => part(portion, range, &progress),
            None => whole(portion, &progress),
        };
        Share { name, size, pieces }
    };
    let inputs = portions.iter().map(share).collect();
    let names: BTreeMap<InputId, Vec<u8>> =
        portions.iter().map(|portion| (portion.id, name(label.as_deref(), &portion.path))).collect();
    let rejected = summary.sheets.iter().flat_map(|sheet| &sheet.rejected);
    let named = |input: InputId| names.get(&input).cloned().unwrap_or_default();
    let samples = rejected.map(|(_, line)| Sample {
        input: named(line.input),
        at: line.at,
        cause: line.cause,
        head: line.head.clone(),
    });
    let buckets = closed.view.buckets().iter().enumerate().filter(|(_, bucket)| bucket.connections > 0);
    let buckets = buckets.map(|(number, bucket)| (number as u64, bucket.connections)).collect();
    let question = question(&plan, closed.view.window())?;
    let firsts = summary.sheets.iter().flat_map(|sheet| Loss::ALL.map(|loss| Some((loss, sheet.traces.first(loss)?))));
    let firsts = firsts.flatten().map(|(loss, place)| First {
        loss,
        input: named(place.input),
        at: place.at,
        head: place.head.clone(),
    });
    let header = Header::new(question, inputs, buckets, closed.view.overflow(), &closed.balance, samples.collect());
    let header = header.with_firsts(firsts);
    header.check().map_err(ErrorKind::Unbalanced)?;
    drop(progress);
    Ok(Partial { header, closed, summary })
}

/// Refuses what tallies cannot be made of.
pub(super) fn check(plan: &Plan) -> Result<()> {
    let [_, filter, _] = plan.single()?;
    let Task::TimeFilter(filter) = &plan.stages[filter].task else { return Ok(()) };
    if matches!(filter.range, Range::Every { .. }) {
        return Err(Error::usage("tallies are of one window; leave out every"));
    }
    if filter.stats {
        return Err(Error::usage("the disorder is measured by a run over whole inputs; leave out stats"));
    }
    Ok(())
}

/// What is asked of the tallies of a plan. Its window has been found.
pub(super) fn question(plan: &Plan, window: Window) -> Result<Question> {
    let [reader, filter, aggregator] = plan.single()?;
    match (&plan.stages[reader].task, &plan.stages[filter].task, &plan.stages[aggregator].task) {
        (Task::Reader(reader), Task::TimeFilter(filter), Task::BucketAggregator(aggregator)) => Ok(Question {
            start: window.start,
            end: window.end,
            grouping: aggregator.grouping,
            previous: aggregator.needs_previous,
            format: filter.format.to_owned(),
            max_line: reader.max_line as u64,
            lateness: filter.lateness,
        }),
        _ => Err(Error::usage("the configuration has no way from logs to tallies")),
    }
}

/// A summary of a run in which nothing was left out.
fn complete(summary: Summary) -> Result<Summary> {
    if let Outcome::Failed(error) | Outcome::Panicked(error) = summary.outcome {
        return Err(error);
    }
    if summary.interrupted {
        return Err(ErrorKind::Tallies("interrupted; no tallies were written".to_owned()).into());
    }
    match summary.failures.len() {
        0 => Ok(summary),
        failures => Err(unread(failures, "no tallies were written")),
    }
}

/// The error where inputs could not be read, each of which was told when it happened.
pub(super) fn unread(failures: usize, what: &str) -> Error {
    let (inputs, were) = if failures == 1 { ("input", "was") } else { ("inputs", "were") };
    ErrorKind::Tallies(format!("{failures} {inputs} {were} not read, as said above; {what}")).into()
}

/// What an input is known by.
fn name(label: Option<&str>, path: &Path) -> Vec<u8> {
    let label = label.map(|label| format!("{label}:")).unwrap_or_default();
    [label.as_bytes(), path.as_os_str().as_bytes()].concat()
}

/// The bytes of a whole input, and its pieces.
fn whole(Portion { id, pruned, .. }: &Portion, progress: &Progress) -> (u64, Vec<Piece>) {
    let size = progress.ledger().frontier(*id);
    let skipped = progress.skipped().spans(*id);
    let order = |of: &dyn Fn(&Pruned) -> Option<Extent>| pruned.as_ref().map_or(Order::Unknown, |it| Order::of(of(it)));
    // Where nothing was pruned, zeros at the start were passed over, which hold no line.
    let outside = |of: &dyn Fn(&Pruned) -> Option<Extent>| Order::of(pruned.as_ref().and_then(of));
    let (mut pieces, mut end) = (Vec::new(), 0);
    for (from, to) in skipped.chain([(size, size)]) {
        pieces.push(Piece { from: end, to: from, skipped: false, order: order(&|it| seen(it, from - end)) });
        // Bytes are skipped at the start of a file, and at its end.
        let order = outside(&|it| match (from == 0, to == size) {
            (true, true) => joined([it.found.outside.0, it.found.outside.1]),
            (true, false) => it.found.outside.0,
            (false, _) => it.found.outside.1,
        });
        pieces.push(Piece { from, to, skipped: true, order });
        end = to;
    }
    (size, pieces)
}

/// The bytes of an input of which a range is read, and its pieces: the range, and what is passed over with it.
fn part(Portion { id, pruned, .. }: &Portion, range: &ByteRange, progress: &Progress) -> (u64, Vec<Piece>) {
    let (from, to) = pruned.as_ref().map_or((0, 0), |pruned| (pruned.found.from, pruned.found.to));
    let order = match pruned {
        Some(pruned) if pruned.order.is_some() => Order::of(seen(pruned, to - from)),
        _ => Order::Unknown,
    };
    let passed = range.passed.iter().map(|passed| Piece {
        from: passed.from,
        to: passed.to,
        skipped: true,
        order: Order::of(passed.extent),
    });
    let size = range.size.unwrap_or_else(|| progress.ledger().frontier(*id)).max(to);
    // Zeros at the start of a file.
    let zeros = progress.skipped().spans(*id).find(|zeros| zeros.0 == from && zeros.1 <= to);
    let zeros = zeros.map(|(from, to)| Piece { from, to, skipped: true, order: Order::of(None) });
    let read = Piece { from: zeros.as_ref().map_or(from, |zeros| zeros.to), to, skipped: false, order };
    (size, zeros.into_iter().chain([read]).chain(passed).collect())
}

/// The extent of so many bytes that were read, all of which the run has seen.
fn seen(pruned: &Pruned, bytes: u64) -> Option<Extent> {
    pruned.order.as_ref()?.whole(bytes, Duration::ZERO)?
}
