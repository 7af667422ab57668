//! What a run reads: its inputs, the windows over them, and which of their bytes may hold anything
//! for those.
//!
//! Invariant: running a plan, explaining it, listing its files and dividing it all begin here, so
//! that all read the same.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::environment::{Environment, Pipeline};
use super::inputs::{Inputs, UnboundInputs, readers, refusal};
use super::prune::prune;
use super::range::{ByteRange, ranged};
use super::resolve::{Resolved, resolve_all};
use super::targets::spare;
use super::unpacking;
use crate::actor::Stop;
use crate::config::Plan;
use crate::error::{Error, ErrorKind, Result};
use crate::format::PlannedSchema;
use crate::model::{Grid, InputId, Timestamp};
use crate::source::seek::Reason;
use crate::source::{Pruned, locate};
use crate::stage::Failures;

/// What a run reads.
pub(super) struct Reading {
    /// The inputs, by number.
    pub inputs: Inputs,
    /// The windows of each time-filter, by its place in the plan.
    pub windows: Vec<Option<Resolved>>,
    /// The bytes that are read of inputs, and what is known of the others. Of an input without an
    /// entry, all are.
    pub pruned: BTreeMap<InputId, Pruned>,
    /// Bytes of memory that decompressing inputs takes, where memory is limited.
    pub unpacking: usize,
}

/// How much of what a plan asks for is meant.
pub(super) enum Part {
    /// All of it.
    All,
    /// The lines that begin in these bytes of its one file.
    Range(ByteRange),
    /// What a saved run has not counted yet: its windows, the first instant that it keeps, and the
    /// first that counts.
    Rest(Grid, (Timestamp, Timestamp)),
}

impl Part {
    /// How the lines of its one file are read, if that is known.
    pub fn schema(&self) -> Option<PlannedSchema> {
        match self {
            Part::Range(range) => range.schema.clone(),
            Part::All | Part::Rest(..) => None,
        }
    }
}

impl Reading {
    /// Finds the windows over these inputs, and what holds them. Errors if there is no such window,
    /// or no such part.
    pub fn new(plan: &Plan, mut inputs: Inputs, now: Timestamp, stop: &Stop, part: &Part) -> Result<Self> {
        unpacking::limit(plan, &mut inputs);
        let mut windows = resolve_all(plan, now, &mut inputs, &|| stop.draining())?;
        if let Part::Rest(grid, bounds) = part {
            windows.iter_mut().flatten().for_each(|resolved| resolved.go_on(*grid, *bounds));
        }
        let pruned = match part {
            Part::Range(range) => ranged(plan, &inputs, range)?,
            Part::All | Part::Rest(..) => prune(plan, &windows, &inputs),
        };
        let is_skipped = |id| pruned.get(&id).is_some_and(|pruned| pruned.found.reason == Reason::Old);
        let unpacking = unpacking::memory(plan, &inputs, is_skipped)?;
        Ok(Reading { inputs, windows, pruned, unpacking })
    }
}

impl Pipeline {
    /// Finds the inputs, those that are followed aside, so that a run need not. That may take long
    /// where globs lead through many folders: `folders` tells how many were listed so far. Errors
    /// as a run would.
    pub fn locate(mut self) -> Result<Self> {
        let listing = self.environment.listing();
        for (_, reader) in readers(&self.plan).filter(|(_, reader)| reader.follow.is_none()) {
            self.environment.located.push_back(locate(&reader.locations, &listing)?);
        }
        Ok(self)
    }

    /// How many folders have been listed to find the inputs.
    pub fn folders(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.environment.folders)
    }
}

/// Finds the inputs of a plan. Errors if one of them is to be written to; what else keeps one from
/// being read is told.
pub(super) fn find(plan: &Plan, environment: &mut Environment, failures: &Failures) -> Result<UnboundInputs> {
    let inputs = UnboundInputs::find(plan, failures, environment)?;
    spare(&inputs, environment)?;
    Ok(inputs)
}

/// As `find`, where all inputs have to be readable; `without` says what there is not if one is not.
pub(super) fn find_all(
    plan: &Plan,
    environment: &mut Environment,
    failures: &Failures,
    without: &str,
) -> Result<UnboundInputs> {
    let inputs = find(plan, environment, failures)?;
    nothing_failed(failures, without)?;
    inputs.all.iter().find_map(refusal).map_or(Ok(inputs), Err)
}

/// Errors if an input could not be read; `without` says what there is not then.
pub(super) fn nothing_failed(failures: &Failures, without: &str) -> Result<()> {
    match failures.take().len() {
        0 => Ok(()),
        failed => Err(unread(failed, without)),
    }
}

/// The error where inputs could not be read, each of which was told when it happened; `without`
/// says what there is not.
pub(super) fn unread(failures: usize, without: &str) -> Error {
    let (inputs, were) = if failures == 1 { ("input", "was") } else { ("inputs", "were") };
    ErrorKind::Tallies(format!("{failures} {inputs} {were} not read, as said above; {without}")).into()
}
