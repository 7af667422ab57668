//! A run: opened, started, awaited, summed up.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::builder::Pipeline;
use super::inputs::Inputs;
use super::observe::Observed;
use super::wire::{Parts, Wired, wire};
use crate::actor::{Outcome, Permits, Pool, Stop};
use crate::error::{Error, ErrorKind, Result};
use crate::format::foreign::Kind;
use crate::metrics::{Progress, StageMetrics};
use crate::model::balance::Rejected;
use crate::model::loss::losses;
use crate::model::{Balance, InputId, Loss, Traces};
use crate::ops::disorder::Disorder;
use crate::source::{Origin, Pruned};
use crate::stage::firsts::{FirstLines, kind_of};
use crate::stage::reporter::Missed;
use crate::stage::standing::Standing;
use crate::stage::{Failures, InputNames, aggregator, filter};

/// A pipeline at work.
pub struct Running {
    pub(super) pool: Pool,
    pub(super) stop: Stop,
    pub(super) progress: Arc<Progress>,
    pub(super) failures: Arc<Failures>,
    /// By stage, in the order of the plan.
    pub(super) metrics: Vec<(String, Arc<StageMetrics>)>,
    /// The time-filters by name.
    pub(super) filters: Vec<(String, Arc<filter::Shared>)>,
    /// The aggregators by name.
    pub(super) aggregators: Vec<(String, Arc<aggregator::Shared>)>,
    pub(super) permits: Vec<Permits>,
    /// The names of all inputs, by number.
    pub(super) names: Arc<InputNames>,
    pub(super) observed: Observed,
    pub(super) portions: Vec<Portion>,
    /// Whether inputs are followed.
    pub(super) follows: bool,
}

/// An input, and what is read of it.
pub(super) struct Portion {
    pub id: InputId,
    pub path: PathBuf,
    /// The bytes that are read, if not all.
    pub pruned: Option<Pruned>,
}

/// How a run went.
#[derive(Debug)]
pub struct Summary {
    /// How it ended.
    pub outcome: Outcome,
    /// One sheet for each aggregator, in the order of the plan.
    pub sheets: Vec<Sheet>,
    /// How far records lie behind others, for each time-filter that was asked to measure it.
    pub disorder: Vec<(String, Disorder)>,
    /// Inputs that could not be read, in whole or in part.
    pub failures: Vec<Error>,
    /// What people should know though nothing failed.
    pub warnings: Vec<String>,
    /// What may have been meant by a host that was asked about and is nowhere.
    pub hints: Vec<String>,
    /// How the lines begin, and whether any of them is a record.
    pub first_lines: FirstLines,
    /// The inputs that have lines and no record, while others have one.
    pub strangers: Vec<Stranger>,
    /// What there is to say where nothing was counted.
    pub missed: Vec<Missed>,
    /// Whether it was interrupted: what had been read is reported.
    pub interrupted: bool,
    /// Whether it followed its inputs.
    pub follows: bool,
}

/// Lines of which none is a record.
#[derive(Debug, Clone, Copy)]
pub struct Foreign {
    /// How many.
    pub lines: u64,
    /// Whether they are all that there are, or the first.
    pub all: bool,
    /// What they look like.
    pub kind: Kind,
}

/// An input of whose lines none is a record, while others have records.
#[derive(Debug, Clone)]
pub struct Stranger {
    /// Its name.
    pub input: String,
    /// What its lines look like, if that is known: it is of the first few.
    pub kind: Option<Kind>,
}

impl Foreign {
    fn among(sheets: &[Sheet], first_lines: &FirstLines) -> Option<Self> {
        let sum = |of: fn(&Balance) -> u64| sheets.iter().map(|sheet| of(&sheet.balance)).sum::<u64>();
        let lines = sum(|balance| balance.lines_read - balance.blank);
        let others = sum(|balance| balance.counted + balance.late);
        if lines == 0 || others > 0 || sheets.iter().any(|sheet| sheet.before.lines_read > 0) {
            return None;
        }
        let kind = first_lines.kind();
        // Of several inputs, records may be those of the others.
        let by_accident = kind.is_binary && sheets.iter().all(|sheet| sheet.balance.inputs == 1);
        match (first_lines.has_record, by_accident) {
            (false, _) => Some(Foreign { lines, all: true, kind }),
            (true, true) => Some(Foreign { lines: first_lines.heads.len() as u64, all: false, kind }),
            (true, false) => None,
        }
    }
}

/// The balance sheet of one aggregator.
#[derive(Debug, Default)]
pub struct Sheet {
    /// The aggregator's name in the graph.
    pub stage: String,
    /// The sheet.
    pub balance: Balance,
    /// The first malformed lines, with the names of their inputs.
    pub rejected: Vec<(String, Rejected)>,
    /// What is known of other losses.
    pub traces: Traces,
    /// The names of the inputs in which `traces` has places.
    pub names: BTreeMap<InputId, String>,
    /// The sheet that the run went on from: losses in it were told by the run before. `rejected` and `traces` are of this run.
    pub before: Balance,
    /// Lines that were to be kept in a file and are not in it, by class.
    pub unkept: BTreeMap<Loss, u64>,
}

impl Sheet {
    /// The classes that lost something in this run, each with how many of them.
    pub fn losses(&self) -> Vec<(Loss, u64)> {
        let new = |(loss, count): (Loss, u64)| (loss, count.saturating_sub(loss.count(&self.before)));
        losses(&self.balance).into_iter().map(new).filter(|(_, count)| *count > 0).collect()
    }
}

/// The sheets of a run, which can be had while it goes on, and after.
#[derive(Clone)]
pub struct Sheets {
    aggregators: Vec<(String, Arc<aggregator::Shared>)>,
    filters: Vec<(String, Arc<filter::Shared>)>,
    names: Arc<InputNames>,
}

impl Sheets {
    /// Where a run that follows stands, once it has counted what was there and no result has come of it.
    pub fn standing(&self) -> Option<Standing> {
        self.aggregators.iter().find_map(|(_, shared)| shared.standing())
    }

    /// If there were lines so far and none was a record, other than by accident: how many, and what they look like.
    pub fn foreign(&self) -> Option<Foreign> {
        Foreign::among(&self.now(), &self.first_lines())
    }

    fn first_lines(&self) -> FirstLines {
        let seen = self.filters.iter().map(|(_, filter)| filter.firsts.seen());
        seen.reduce(FirstLines::join).unwrap_or_default()
    }

    /// One sheet for each aggregator, in the order of the plan, as of now.
    pub fn now(&self) -> Vec<Sheet> {
        let named = |line: Rejected| (self.names.get(line.input), line);
        // Where there are several time-filters, nobody knows whose lines a sheet lacks: all of them may be meant.
        let unkept = |loss| (loss, self.filters.iter().map(|(_, filter)| filter.unkept(loss)).sum());
        let unkept = BTreeMap::from([Loss::Malformed, Loss::Late].map(unkept));
        let sheet = |(stage, shared): &(String, Arc<aggregator::Shared>)| {
            let (balance, rejected, traces) = shared.sheet();
            let names = traces.inputs().map(|input| (input, self.names.get(input))).collect();
            let rejected = rejected.into_iter().map(named).collect();
            let before = shared.before.clone();
            Sheet { stage: stage.clone(), balance, rejected, traces, names, before, unkept: unkept.clone() }
        };
        self.aggregators.iter().map(sheet).collect()
    }
}

/// Finds the inputs, opens the outputs, and starts all stages.
pub(super) fn start(pipeline: Pipeline) -> Result<Running> {
    let Pipeline { plan, mut environment } = pipeline;
    let follows = plan.follows();
    let stop = Stop::new(Arc::clone(&environment.drain));
    let failures = Arc::new(Failures::new(environment.tell, environment.warn));
    let inputs = Inputs::find(&plan, &failures, &mut environment)?;
    let progress = Arc::new(Progress::default());
    for input in &inputs.all {
        if let Origin::File { size, .. } = input.origin {
            progress.add_known(size);
        }
    }
    let names = Arc::<InputNames>::default();
    for (id, input) in inputs.all.iter().enumerate() {
        names.set(InputId(id as u32), input.name.clone());
    }
    let mut pool = Pool::new(stop.clone());
    let wired =
        Wired { stop: stop.clone(), progress, failures, names, listing: environment.listing(), peek: environment.peek };
    let parts = wire(&plan, environment, inputs, &wired, &mut pool);
    let parts = match parts {
        Ok(parts) => parts,
        Err(error) => {
            // Half a pipeline must not go on by itself.
            stop.abort();
            pool.join();
            return Err(error);
        }
    };
    let Wired { progress, failures, names, .. } = wired;
    let Parts { metrics, filters, aggregators, permits, observed, portions } = parts;
    Ok(Running {
        pool,
        stop,
        progress,
        failures,
        metrics,
        filters,
        aggregators,
        permits,
        names,
        observed,
        portions,
        follows,
    })
}

impl Running {
    /// How far the run has come; stays valid after it.
    pub fn progress(&self) -> Arc<Progress> {
        Arc::clone(&self.progress)
    }

    /// Chunks that exist at this moment, over all readers.
    pub fn chunks_in_flight(&self) -> usize {
        self.permits.iter().map(Permits::held).sum()
    }

    /// What a stage has sent on.
    pub fn metrics(&self, stage: &str) -> Option<&StageMetrics> {
        self.metrics.iter().find(|(name, _)| name == stage).map(|(_, metrics)| &**metrics)
    }

    /// The balance sheets, now and later.
    pub fn sheets(&self) -> Sheets {
        let (aggregators, filters) = (self.aggregators.clone(), self.filters.clone());
        Sheets { aggregators, filters, names: Arc::clone(&self.names) }
    }

    /// Drops everything at once.
    pub fn abort(&self) {
        self.stop.abort();
    }

    /// Waits for the end.
    pub fn join(self) -> Summary {
        let sheets = self.sheets();
        let outcome = self.pool.join();
        self.filters.iter().for_each(|(_, filter)| filter.settle());
        self.observed.reporters.iter().for_each(|(_, reporter)| reporter.settle());
        let (sheets, first_lines) = (sheets.now(), sheets.first_lines());
        let outcome = checked(outcome, &sheets);
        let strangers = strangers(&first_lines, &sheets, &self.names);
        for (_, shared) in &self.aggregators {
            tell_ahead(shared.progress.lock().ahead(), &self.failures);
        }
        let interrupted = self.stop.draining() && !self.stop.aborted();
        let measured = self.filters.iter().filter_map(|(stage, shared)| Some((stage.clone(), shared.stats.as_ref()?)));
        let disorder = measured.map(|(stage, stats)| (stage, stats.disorder.lock().clone())).collect();
        let (failures, warnings) = (self.failures.take(), self.failures.take_warnings());
        let hints = self.observed.reporters.iter().flat_map(|(_, reporter)| reporter.hints()).collect();
        let missed =
            self.observed.reporters.iter().filter_map(|(_, reporter)| reporter.missed.lock().clone()).collect();
        let follows = self.follows;
        Summary {
            outcome,
            sheets,
            disorder,
            failures,
            warnings,
            hints,
            first_lines,
            strangers,
            missed,
            interrupted,
            follows,
        }
    }
}

/// The inputs that are strange where not all are.
fn strangers(first_lines: &FirstLines, sheets: &[Sheet], names: &InputNames) -> Vec<Stranger> {
    let went_on = sheets.iter().any(|sheet| sheet.before.lines_read > 0);
    let stranger = |(input, heads): (&InputId, &Vec<Vec<u8>>)| Stranger {
        input: names.get(*input),
        kind: (!heads.is_empty()).then(|| kind_of(heads)),
    };
    match first_lines.has_record && !went_on {
        true => first_lines.strange.iter().map(stranger).collect(),
        false => Vec::new(),
    }
}

/// Tells of records that lie too far ahead of all others, of an input that has not come there.
fn tell_ahead(records: u64, failures: &Failures) {
    let what = match records {
        0 => return,
        1 => "1 record lies".to_owned(),
        _ => format!("{records} records lie"),
    };
    failures.warn(&format!(
        "{what} further ahead of all others than --max-jump: counted, but no reason to close the windows before; \
         --max-jump 0 would believe such stamps"
    ));
}

impl Summary {
    /// The exit code: 0 if all went well, and some line was a record if there was any; else that of the error.
    pub fn exit_code(&self) -> u8 {
        match &self.outcome {
            Outcome::Done | Outcome::DownstreamClosed if self.failures.is_empty() && self.foreign().is_none() => 0,
            Outcome::Failed(error) => error.exit_code(),
            _ => 1,
        }
    }

    /// If there were lines and none was a record, other than by accident: how many, and what they look like.
    pub fn foreign(&self) -> Option<Foreign> {
        // Of a run that was interrupted, nobody knows what would have come; one that follows ends in no other way.
        if self.interrupted && !self.follows { None } else { Foreign::among(&self.sheets, &self.first_lines) }
    }

    /// Whether nothing could be read, the cause of which has been told: then there is no more to say.
    pub fn is_unread(&self) -> bool {
        !self.failures.is_empty() && self.sheets.iter().all(|sheet| sheet.balance.is_unread())
    }

    /// Whether those who got the results had enough, such as `head`: what was not read then is no loss to them.
    pub fn had_enough(&self) -> bool {
        matches!(self.outcome, Outcome::DownstreamClosed)
    }

    /// The error that ended the run, if one did.
    pub fn error(&self) -> Option<&Error> {
        match &self.outcome {
            Outcome::Failed(error) | Outcome::Panicked(error) => Some(error),
            _ => None,
        }
    }
}

/// The outcome, which is a failure if all was worked off and a sheet does not add up.
fn checked(outcome: Outcome, sheets: &[Sheet]) -> Outcome {
    if !matches!(outcome, Outcome::Done) {
        return outcome;
    }
    let wrong = sheets.iter().find_map(|sheet| sheet.balance.check().err());
    match wrong {
        Some(text) => Outcome::Failed(ErrorKind::Unbalanced(text).into()),
        None => Outcome::Done,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sheet_that_does_not_add_up_fails_a_run_that_was_worked_off() {
        let sheet = |bytes_read| {
            let balance = Balance { bytes_read, ..Balance::default() };
            Sheet { stage: "a".to_owned(), balance, ..Sheet::default() }
        };
        assert!(matches!(checked(Outcome::Done, &[sheet(0)]), Outcome::Done));
        let Outcome::Failed(error) = checked(Outcome::Done, &[sheet(0), sheet(1)]) else { panic!("not failed") };
        assert!(error.to_string().contains("1 bytes read, 0 skipped and 0 unread of 0"), "{error}");
        assert!(matches!(checked(Outcome::Stopped, &[sheet(1)]), Outcome::Stopped));
    }
}
