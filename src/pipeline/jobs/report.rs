//! Reports on tallies, as the run on their logs would have given them.
//!
//! Not here: adding tallies up (`tallies`). Invariant: the bytes that outputs get are those of a
//! run on the logs.

use std::sync::Arc;

use parking_lot::{Condvar, Mutex};

use crate::actor::{Exit, Outcome, Stop};
use crate::config::{AggregatorPlan, Plan, Task};
use crate::error::{Error, ErrorKind, Result, show_path};
use crate::model::{Balance, MeasureTotal, MemoryPolicy};
use crate::ops::close::{Windows, once_layout};
use crate::output::Tell;
use crate::pipeline::asked::AskedOfAll;
use crate::pipeline::environment::Pipeline;
use crate::pipeline::inputs::UnboundInputs;
use crate::pipeline::rankings;
use crate::pipeline::summary::{Sheet, Summary};
use crate::pipeline::targets::Targets;
use crate::spill::RunStore;
use crate::stage::Failures;
use crate::stage::aggregator::WindowLook;
use crate::stage::firsts::FirstLines;
use crate::stage::reporter;
use crate::tallies::{CountedWindow, Files, TalliesHeader};
use crate::tally::{Aggregates, Budget, HostId, Overflow, Tally};

impl Pipeline {
    /// Reports on tallies as a run on their logs would have; the configuration says which reports
    /// and outputs. Unless `incomplete`, they must hold all bytes of their inputs.
    #[doc(hidden)]
    pub fn report_on(self, files: &Files, incomplete: bool) -> Result<Summary> {
        let Pipeline { plan, mut environment } = self;
        files.paths().for_each(|path| environment.read.add(path, show_path(path)));
        let header = files.header();
        if !incomplete {
            complete(header)?;
        }
        sorted(header)?;
        let [_, _, aggregator] = plan.single()?;
        let Task::BucketAggregator(aggregation) = &plan.stages[aggregator].task else {
            return Err(Error::usage("the configuration has no aggregator"));
        };
        if aggregation.needs_previous && !header.question.previous {
            let message =
                "a report compares with the window before, which is not in the tallies; make them with --previous";
            return Err(Error::usage(message));
        }
        rankings::check_all(&plan, header.measures())?;
        let asked = AskedOfAll::read(&plan, &mut environment)?;
        let listener = environment.listener.clone();
        let stop = Stop::new(environment.wishes.drain.clone());
        let tell: Arc<dyn Tell> = Arc::new(Failures::new(listener.clone()));
        let mut targets = Targets::open(&plan, &UnboundInputs::default(), (environment, None), &tell)?;
        let view = view(&plan, aggregation, files)?;
        let balance = header.balance();
        let look = WindowLook { sequence: 0, periodic: false, gap: None, issue: None, view: &view, balance: &balance };
        let mut hints = Vec::new();
        for (at, stage) in plan.stages.iter().enumerate() {
            let Some(asked) = asked.of(at) else { continue };
            let outputs = targets.reporters.remove(&at).unwrap_or_default();
            let shared = reporter::ReporterShared {
                asked,
                threads: stage.threads,
                desk: Mutex::new(reporter::Desk::new(outputs, listener.clone(), None, None)),
                reopen: None,
                written: Condvar::new(),
                stop: stop.clone(),
                kept: None,
                counting: None,
                range: reporter::AskedRange::default(),
                nothing: None,
                missed: Mutex::default(),
            };
            let result = shared.result(look)?;
            shared.search(look, &result)?;
            // Any other end is that of a reader that has had enough, such as `head`.
            if let Err(Exit::Failed(error)) = shared.write(&result, Arc::default()) {
                return Err(error);
            }
            // What a medium has no place for is known once it is written.
            hints.extend(shared.hints());
        }
        Ok(summary(header, balance, plan.stages[aggregator].name.clone(), hints))
    }
}

/// How the runs went that have counted the tallies, in one.
fn summary(header: &TalliesHeader, balance: Balance, stage: String, hints: Vec<String>) -> Summary {
    let ((traces, names), rejected) = (header.traces(), header.rejected());
    let measures = MeasureTotal::all(header.measures(), &header.measured());
    let sheet = Sheet { stage, balance, rejected, traces, names, measures, ..Sheet::default() };
    // Of lines that were counted elsewhere, only a few that are not records are known.
    let first_lines = FirstLines {
        has_record: sheet.balance.lines_read - sheet.balance.blank > sheet.balance.malformed_total(),
        heads: sheet.rejected.iter().map(|(_, line)| line.head.clone()).collect(),
        ..FirstLines::default()
    };
    Summary {
        outcome: Outcome::Done,
        sheets: vec![sheet],
        stamps: Vec::new(),
        failures: Vec::new(),
        warnings: Vec::new(),
        hints,
        unseen: Vec::new(),
        first_lines,
        strangers: Vec::new(),
        missed: Vec::new(),
        interrupted: false,
        follows: false,
    }
}

/// Refuses tallies that bytes of their inputs are missing from.
fn complete(header: &TalliesHeader) -> Result<()> {
    let gap = header.inputs.iter().find_map(|share| Some((share, share.gap()?)));
    let Some((share, (from, to))) = gap else { return Ok(()) };
    let message = format!(
        "bytes {from} to {to} of {} ({} bytes) are in none of the files; name the others too, or give --incomplete",
        share.printable(),
        share.size
    );
    Err(ErrorKind::Tallies(message).into())
}

/// Refuses tallies for which bytes were skipped of an input that is not sorted as declared.
fn sorted(header: &TalliesHeader) -> Result<()> {
    let lateness = header.question.lateness;
    let unsorted = header.inputs.iter().find_map(|share| Some((share, share.unsorted(lateness)?)));
    let Some((share, disorder)) = unsorted else { return Ok(()) };
    let seconds = |nanos| crate::model::Timestamp::from_nanos(nanos).unix_decimal();
    let what = match disorder {
        Some(disorder) => format!("a stamp lies {} s behind one before it, more than the declared", seconds(disorder)),
        None => "bytes of it were skipped, and it is not known that its lines are sorted within".to_owned(),
    };
    let message = format!("{}: {what} {} s; plan again with --scan full", share.printable(), seconds(lateness));
    Err(ErrorKind::NotSorted(message).into())
}

/// The view of the tallies. What does not fit the memory that there may be goes to the disk.
fn view(plan: &Plan, aggregation: &AggregatorPlan, files: &Files) -> Result<Aggregates> {
    let TalliesHeader { question, buckets: counts, overflow, .. } = files.header();
    let windows = Windows::Once(question.window());
    let buckets = windows.buckets(question.grouping);
    let limit = aggregation.max_memory.map(|bytes| plan.tally_bytes(bytes));
    let mut tally =
        Tally::new(windows.shape(&buckets, 0), Arc::new(Budget::new(limit))).measuring(files.header().measures());
    let mut store = RunStore::default();
    // The pane of the window, and that of the one before.
    let panes = [tally.pane_of(0), tally.pane_of(0) - 1];
    let mut in_window = 0;
    files.for_each::<Error>(&mut |part: CountedWindow, from, to, amount| {
        if limit.is_some_and(|limit| tally.budget().used() > limit) {
            if aggregation.memory_policy == MemoryPolicy::Error {
                return Err(ErrorKind::MemoryLimit { limit: limit.unwrap_or(usize::MAX) }.into());
            }
            let (names, drained) = tally.drain();
            store.write(&names, drained)?;
        }
        let [from, to]: [HostId; 2] = [tally.intern_anyway(from), tally.intern_anyway(to)];
        tally.pane(panes[part as usize]).add_anyway(from, to, amount);
        in_window += if part == CountedWindow::Window { amount.connections } else { 0 };
        Ok(())
    })?;
    for (&bucket, &connections) in counts {
        tally.add_to_bucket(i64::try_from(bucket).unwrap_or(i64::MAX), connections);
    }
    for (&bucket, &measured) in files.header().numbers.iter().flat_map(|numbers| &numbers.buckets) {
        tally.measure(i64::try_from(bucket).unwrap_or(i64::MAX), measured);
    }
    // The connections of the window that no pair has are without one, and what is left of those are
    // of the window before.
    let of_window = files.header().connections().saturating_sub(in_window);
    let before = overflow.saturating_sub(of_window);
    let layout = once_layout(question.window(), &buckets, question.previous);
    if !store.holds(panes[1]..panes[0] + 1) {
        tally.pane(panes[0]).overflow(of_window);
        if before > 0 {
            tally.pane(panes[1]).overflow(before);
        }
        return Ok(tally.last_view(&layout));
    }
    let (names, drained) = tally.drain();
    store.write(&names, drained)?;
    let stored = store.pairs(panes[0]..panes[0] + 1, panes[1]..panes[0]);
    let overflow = Overflow { window: of_window, before, unjoined: 0 };
    Ok(tally.view_of(&layout, overflow, Box::new(stored)))
}
