//! A run that ends with tallies in place of reports: the part of a larger job that is done here.
//!
//! Invariant: there are tallies of all the bytes that were asked for, or an error.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::question::{check, question};
use crate::actor::Outcome;
use crate::config::Plan;
use crate::error::{Error, ErrorKind, Result};
use crate::metrics;
use crate::model::order::joined;
use crate::model::{Extent, InputId, Loss};
use crate::ops::progress::CountProgress;
use crate::output;
use crate::pipeline::environment::Pipeline;
use crate::pipeline::range::ByteRange;
use crate::pipeline::reading::{Part, unread};
use crate::pipeline::run::start;
use crate::pipeline::summary::{Sheet, Summary};
use crate::pipeline::wire::Portion;
use crate::source::Pruned;
use crate::stage::aggregator::Closed;
use crate::stage::reporter::Kept;
use crate::tallies::{self, First, HeaderNumbers, LineOrder, MalformedSample, Piece, Share, TalliesHeader};

/// What a partial is about beside what its configuration says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PartialRequest {
    /// The bytes of its one file, if not all of all inputs.
    pub range: Option<ByteRange>,
    /// Stands before the names of inputs, and tells those of one machine from those of others.
    pub label: Option<String>,
}

/// What was counted.
pub struct Partial {
    header: TalliesHeader,
    closed: Arc<Closed>,
    summary: Summary,
}

impl Partial {
    /// How the run went that counted.
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// Writes the tallies file.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        tallies::write(out, &self.header, &self.closed.view)
    }
}

impl Pipeline {
    /// Counts what a run would count, for `Files` of tallies to be added up. Errors if anything
    /// could not be read, since there are no tallies of less than was asked for; `on_failure` is
    /// told why. `started` gets the progress of the run.
    pub(crate) fn partial(
        mut self,
        request: PartialRequest,
        started: impl FnOnce(Arc<metrics::Progress>),
    ) -> Result<Partial> {
        let PartialRequest { range, label } = request;
        let plan = self.plan.clone();
        check(&plan)?;
        // The outputs of the configuration are for reports only.
        self.environment.outputs = vec![(output::DEFAULT, Box::new(io::sink()))];
        let kept = Kept::default();
        let part = range.as_ref().map_or(Part::All, |range| Part::Range(range.clone()));
        let mut running = start(self, part, Some(Arc::clone(&kept)))?;
        started(running.progress());
        let portions = std::mem::take(&mut running.parts.portions);
        let aggregator = running.parts.aggregators.first().map(|(_, aggregator)| Arc::clone(&aggregator.counting));
        let summary = complete(running.join())?;
        let (Some(closed), Some(aggregator)) = (kept.lock().take(), aggregator) else {
            return Err(Error::usage("the configuration has no reporter, which would take the tallies"));
        };
        let progress = aggregator.progress.lock();
        let share = |portion: &Portion| {
            let name = name(label.as_deref(), &portion.path);
            let (size, pieces) = match &range {
                Some(range) if !portion.is_packed => part_of(portion, range, &progress),
                _ => whole(portion, &progress),
            };
            (portion.id, Share { name, size, pieces })
        };
        let inputs = portions.iter().map(share).collect();
        let is_weighted = aggregator.measures.is_weighted();
        let header = header(&plan, inputs, &summary.sheets, (&closed, is_weighted))?;
        Ok(Partial { header, closed, summary })
    }
}

/// What is said of the counts of a window, of which these are the inputs and the sheets.
fn header(
    plan: &Plan,
    inputs: Vec<(InputId, Share)>,
    sheets: &[Sheet],
    (closed, is_weighted): (&Closed, bool),
) -> Result<TalliesHeader> {
    let names: BTreeMap<InputId, Vec<u8>> = inputs.iter().map(|(id, share)| (*id, share.name.clone())).collect();
    let named = |input: InputId| names.get(&input).cloned().unwrap_or_default();
    let rejected = sheets.iter().flat_map(|sheet| &sheet.rejected);
    let samples = rejected.map(|(_, line)| MalformedSample {
        input: named(line.input),
        at: line.at,
        cause: line.cause,
        head: line.head.clone(),
    });
    let buckets = closed.view.buckets().iter().enumerate().filter(|(_, bucket)| bucket.connections > 0);
    let buckets = buckets.map(|(number, bucket)| (number as u64, bucket.connections)).collect();
    let measured = (0..closed.view.buckets().len()).map(|number| (number as u64, closed.view.measured_in(number)));
    let numbers = HeaderNumbers::new(closed.view.measures(), measured, is_weighted);
    let question = question(plan, closed.view.window())?;
    let firsts = sheets.iter().flat_map(|sheet| Loss::ALL.map(|loss| Some((loss, sheet.traces.first(loss)?))));
    let firsts = firsts.flatten().map(|(loss, place)| First {
        loss,
        input: named(place.input),
        at: place.at,
        head: place.head.clone(),
    });
    let shares = inputs.into_iter().map(|(_, share)| share).collect();
    let header = TalliesHeader::new(
        question,
        shares,
        buckets,
        closed.view.overflow().of_both(),
        &closed.balance,
        samples.collect(),
    );
    let header = header.with_firsts(firsts).with_numbers(numbers);
    header.check().map_err(ErrorKind::Unbalanced)?;
    Ok(header)
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

/// What an input is known by.
fn name(label: Option<&str>, path: &Path) -> Vec<u8> {
    let label = label.map(|label| format!("{label}:")).unwrap_or_default();
    [label.as_bytes(), path.as_os_str().as_bytes()].concat()
}

/// The bytes of a whole input, and its pieces.
fn whole(Portion { id, pruned, .. }: &Portion, progress: &CountProgress) -> (u64, Vec<Piece>) {
    let size = progress.ledger().frontier(*id);
    let skipped = progress.skipped().spans(*id);
    let order =
        |of: &dyn Fn(&Pruned) -> Option<Extent>| pruned.as_ref().map_or(LineOrder::Unknown, |it| LineOrder::of(of(it)));
    // Where nothing was pruned, zeros at the start were passed over, which hold no line.
    let outside = |of: &dyn Fn(&Pruned) -> Option<Extent>| LineOrder::of(pruned.as_ref().and_then(of));
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

/// The bytes of an input of which a range is read, and its pieces: the range, and what is passed
/// over with it.
fn part_of(Portion { id, pruned, .. }: &Portion, range: &ByteRange, progress: &CountProgress) -> (u64, Vec<Piece>) {
    let (from, to) = pruned.as_ref().map_or((0, 0), |pruned| (pruned.found.from, pruned.found.to));
    let order = match pruned {
        Some(pruned) if pruned.order.is_some() => LineOrder::of(seen(pruned, to - from)),
        _ => LineOrder::Unknown,
    };
    let passed = range.passed.iter().map(|passed| Piece {
        from: passed.from,
        to: passed.to,
        skipped: true,
        order: LineOrder::of(passed.extent),
    });
    let size = range.size.unwrap_or_else(|| progress.ledger().frontier(*id)).max(to);
    // Zeros at the start of a file.
    let zeros = progress.skipped().spans(*id).find(|zeros| zeros.0 == from && zeros.1 <= to);
    let zeros = zeros.map(|(from, to)| Piece { from, to, skipped: true, order: LineOrder::of(None) });
    let read = Piece { from: zeros.as_ref().map_or(from, |zeros| zeros.to), to, skipped: false, order };
    (size, zeros.into_iter().chain([read]).chain(passed).collect())
}

/// The extent of the bytes that were read, all of which the run has seen.
fn seen(pruned: &Pruned, bytes: u64) -> Option<Extent> {
    pruned.order.as_ref()?.whole(bytes, Duration::ZERO)?
}
