//! A run: opened, started, awaited, summed up.
//!
//! Not here: how stages are wired (`wire`), and what is said at the end (`summary`). Invariant: a
//! run that has started ends in a summary, whatever fails; a sheet that does not add up is an
//! error.

use std::sync::Arc;

use super::asked::AskedOfAll;
use super::context::RunContext;
use super::course::Course;
use super::environment::Pipeline;
use super::following::Follow;
use super::inputs::Heads;
use super::rankings;
use super::reading::{Part, Reading, find};
use super::seat::Ground;
use super::summary::{Sheet, Sheets, Stranger, Summary};
use super::targets::Targets;
use super::to_the_end::ToTheEnd;
use super::wire::{RunParts, Wiring};
use crate::actor::{Outcome, Permits, Pool};
use crate::error::{ErrorKind, Result};
use crate::format::SeenFields;
use crate::metrics::{Progress, StageMetrics};
use crate::model::InputId;
use crate::output::Tell;
use crate::stage::firsts::{FirstLines, kind_of};
use crate::stage::reporter::Kept;
use crate::stage::{Failures, InputNames};

/// A pipeline at work.
pub struct Running {
    pub(super) pool: Pool,
    pub(super) context: RunContext,
    pub(super) parts: RunParts,
    /// Whether inputs are followed.
    follows: bool,
}

impl Pipeline {
    /// Runs to the end. Errors if the run could not start; how it went is in the summary.
    pub fn run(self) -> Result<Summary> {
        Ok(self.start()?.join())
    }

    /// Finds the inputs, opens the outputs and starts all stages.
    pub fn start(self) -> Result<Running> {
        start(self, Part::All, None)
    }
}

/// Starts a run over a part of what its plan asks for. With `kept`, windows are kept there in place
/// of reports on them.
pub(super) fn start(pipeline: Pipeline, part: Part, kept: Option<Kept>) -> Result<Running> {
    let Pipeline { plan, mut environment } = pipeline;
    rankings::check(&plan)?;
    let asked = match kept {
        Some(_) => AskedOfAll::of_none(&plan)?,
        None => AskedOfAll::read(&plan, &mut environment)?,
    };
    let (context, now) = (RunContext::new(&environment), Arc::clone(&environment.now));
    let found = find(&plan, &mut environment, &context.failures)?;
    let heads = Heads::of(&environment).planned(part.schema());
    let follow = if plan.follows() { Some(Follow::open(&plan, &context, now())?) } else { None };
    let tell: Arc<dyn Tell> = Arc::clone(&context.failures) as Arc<dyn Tell>;
    let state = follow.as_ref().and_then(Follow::state_folder);
    let targets = Targets::open(&plan, &found, (environment, state), &tell)?;
    // Whether anything can be written is known before anything is read.
    let inputs = found.bind(&plan, &context.failures, &heads)?;
    for (at, input) in inputs.all.iter().enumerate() {
        context.names.set(InputId(at as u32), input.name.clone());
        if let Some(size) = input.stored() {
            context.progress.add_known(size);
        }
    }
    let part = follow.as_ref().map_or(part, Follow::part);
    let reading = Reading::new(&plan, inputs, now(), &context.stop, &part)?;
    let mut pool = Pool::new(context.stop.clone());
    let ground = Ground { plan: &plan, reading: &reading, context: &context, now: &now };
    let mut course: Box<dyn Course> = match follow {
        Some(follow) => Box::new(follow.begin(ground)?),
        None => Box::new(ToTheEnd),
    };
    let wired = Wiring { ground, asked, kept }.wire(targets, &mut *course, &mut pool);
    // What it still has, such as a port, is nobody's now.
    drop(course);
    let parts = match wired {
        Ok(parts) => parts,
        Err(error) => {
            // Half a pipeline must not go on by itself.
            context.stop.abort();
            pool.join();
            return Err(error);
        }
    };
    Ok(Running { pool, context, parts, follows: plan.follows() })
}

impl Running {
    /// How far the run has come; stays valid after it.
    pub fn progress(&self) -> Arc<Progress> {
        Arc::clone(&self.context.progress)
    }

    /// Chunks that exist at this moment, over all readers.
    pub fn chunks_in_flight(&self) -> usize {
        self.parts.permits.iter().map(Permits::held).sum()
    }

    /// What a stage has sent on.
    pub fn metrics(&self, stage: &str) -> Option<&StageMetrics> {
        self.parts.metrics.iter().find(|(name, _)| name == stage).map(|(_, metrics)| &**metrics)
    }

    /// The balance sheets, now and later.
    pub fn sheets(&self) -> Sheets {
        let (aggregators, filters) = (self.parts.aggregators.clone(), self.parts.filters.clone());
        Sheets { aggregators, filters, names: Arc::clone(&self.context.names) }
    }

    /// Drops everything at once.
    pub fn abort(&self) {
        self.context.stop.abort();
    }

    /// Waits for the end.
    pub fn join(self) -> Summary {
        let sheets = self.sheets();
        let outcome = self.pool.join();
        self.parts.filters.iter().for_each(|(_, filter)| filter.settle());
        self.parts.observed.reporters.iter().for_each(|(_, reporter)| reporter.settle());
        let (sheets, first_lines) = (sheets.now(), sheets.first_lines());
        let outcome = checked(outcome, &sheets);
        let strangers = strangers(&first_lines, &sheets, &self.context.names);
        for (_, aggregator) in &self.parts.aggregators {
            tell_ahead(aggregator.counting.progress.lock().ahead(), &self.context.failures);
        }
        let interrupted = self.context.stop.draining() && !self.context.stop.aborted();
        let measured =
            self.parts.filters.iter().filter_map(|(stage, shared)| Some((stage.clone(), shared.stats.as_ref()?)));
        let stamps = measured.map(|(stage, stats)| (stage, stats.measured.lock().clone())).collect();
        let (failures, warnings) = (self.context.failures.take(), self.context.failures.take_warnings());
        let hints = self.parts.observed.reporters.iter().flat_map(|(_, reporter)| reporter.hints()).collect();
        let missed =
            self.parts.observed.reporters.iter().filter_map(|(_, reporter)| reporter.missed.lock().clone()).collect();
        let fields = self.parts.filters.iter().map(|(_, filter)| filter.fields.lock().clone());
        let unseen = fields.fold(SeenFields::default(), SeenFields::join).unseen();
        let follows = self.follows;
        Summary {
            outcome,
            sheets,
            stamps,
            failures,
            warnings,
            hints,
            unseen,
            first_lines,
            strangers,
            missed,
            interrupted,
            follows,
        }
    }
}

/// The inputs without a record, where others have some.
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

/// Tells of records that lie too far ahead of all others of an input.
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
    use crate::model::Balance;

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
