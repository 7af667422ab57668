//! A run: opened, started, awaited, summed up.

use std::path::PathBuf;
use std::sync::Arc;

use super::builder::Pipeline;
use super::inputs::Inputs;
use super::observe::Observed;
use super::wire::{Parts, Wired, wire};
use crate::actor::{Outcome, Permits, Pool, Stop};
use crate::error::{Error, ErrorKind, Result};
use crate::metrics::{Progress, StageMetrics};
use crate::model::balance::Rejected;
use crate::model::{Balance, InputId};
use crate::ops::disorder::Disorder;
use crate::source::{Origin, Pruned};
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
    /// Whether it was interrupted: what had been read is reported.
    pub interrupted: bool,
}

/// The balance sheet of one aggregator.
#[derive(Debug)]
pub struct Sheet {
    /// The aggregator's name in the graph.
    pub stage: String,
    /// The sheet.
    pub balance: Balance,
    /// The first malformed lines, with the names of their inputs.
    pub rejected: Vec<(String, Rejected)>,
}

/// Finds the inputs, opens the outputs, and starts all stages.
pub(super) fn start(pipeline: Pipeline) -> Result<Running> {
    let Pipeline { plan, environment } = pipeline;
    let stop = Stop::new(Arc::clone(&environment.drain));
    let failures = Arc::new(Failures::new(environment.tell, environment.warn));
    let inputs = Inputs::find(&plan, &failures)?;
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
    let wired = Wired { stop: stop.clone(), progress, failures, names, peek: environment.peek };
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
    Ok(Running { pool, stop, progress, failures, metrics, filters, aggregators, permits, names, observed, portions })
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

    /// Drops everything at once.
    pub fn abort(&self) {
        self.stop.abort();
    }

    /// Waits for the end.
    pub fn join(self) -> Summary {
        let outcome = self.pool.join();
        self.filters.iter().for_each(|(_, filter)| filter.settle());
        self.observed.reporters.iter().for_each(|(_, reporter)| reporter.settle());
        let named = |line: Rejected| (self.names.get(line.input), line);
        let sheets = self.aggregators.iter().map(|(stage, shared)| {
            let (balance, rejected) = shared.sheet();
            Sheet { stage: stage.clone(), balance, rejected: rejected.into_iter().map(named).collect() }
        });
        let sheets: Vec<Sheet> = sheets.collect();
        let outcome = checked(outcome, &sheets);
        for (_, shared) in &self.aggregators {
            tell_ahead(shared.progress.lock().ahead(), &self.failures);
        }
        let interrupted = self.stop.draining() && !self.stop.aborted();
        let measured = self.filters.iter().filter_map(|(stage, shared)| Some((stage.clone(), shared.stats.as_ref()?)));
        let disorder = measured.map(|(stage, stats)| (stage, stats.disorder.lock().clone())).collect();
        let (failures, warnings) = (self.failures.take(), self.failures.take_warnings());
        let hints = self.observed.reporters.iter().flat_map(|(_, reporter)| reporter.hints()).collect();
        Summary { outcome, sheets, disorder, failures, warnings, hints, interrupted }
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
    /// The exit code: 0 if all went well, else that of the error.
    pub fn exit_code(&self) -> u8 {
        match &self.outcome {
            Outcome::Done | Outcome::DownstreamClosed if self.failures.is_empty() => 0,
            Outcome::Failed(error) => error.exit_code(),
            _ => 1,
        }
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
            Sheet { stage: "a".to_owned(), balance, rejected: Vec::new() }
        };
        assert!(matches!(checked(Outcome::Done, &[sheet(0)]), Outcome::Done));
        let Outcome::Failed(error) = checked(Outcome::Done, &[sheet(0), sheet(1)]) else { panic!("not failed") };
        assert!(error.to_string().contains("1 bytes read, 0 skipped and 0 unread of 0"), "{error}");
        assert!(matches!(checked(Outcome::Stopped, &[sheet(1)]), Outcome::Stopped));
    }
}
