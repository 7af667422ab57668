//! The inputs of a run: found for each reader, numbered for all.
//!
//! Not here: how a source looks for them (`source/places`). Invariant: an input's number is its
//! place in `all`, and a file that two readers of one aggregator find is read by one of them.

use std::collections::{BTreeMap, BTreeSet};

use super::environment::Environment;
use crate::config::{Plan, ReaderPlan, Task};
use crate::error::{Error, Result, show_path};
use crate::format::LineRules;
use crate::model::InputId;
use crate::source::{Cursor, Input, locate, stdin};
use crate::stage::Failures;

/// Bytes of a first step: more than it takes to know a compressed file.
const FIRST_STEP: usize = 64;

/// All inputs by number, and which reader reads which.
#[derive(Default)]
pub(super) struct Inputs {
    pub all: Vec<Input>,
    /// By number: how its lines are read.
    pub rules: Vec<LineRules>,
    /// By number: whether bytes may be skipped.
    pub may_skip: Vec<bool>,
    /// The most inputs that may be looked at at once.
    pub looks: usize,
    /// By the reader's place in the plan.
    pub by_reader: BTreeMap<usize, Vec<InputId>>,
}

impl Inputs {
    /// Finds the inputs of all readers. A file that two readers of one aggregator find is read by
    /// the first.
    pub fn find(plan: &Plan, failures: &Failures, environment: &mut Environment) -> Result<Self> {
        // Where memory is limited, no more decoders may be open than when they are read.
        let threads = readers(plan).map(|(at, _)| plan.stages[at].threads.get()).min();
        let looks = threads.filter(|_| plan.max_memory().is_some()).unwrap_or(usize::MAX);
        let mut inputs = Inputs { looks, ..Inputs::default() };
        for (stage, reader) in readers(plan) {
            if reader.follow.is_some() {
                // Files are found by the follower, again and again; standard input has the first
                // number.
                let ids = reader.reads_stdin().then(|| inputs.add(stdin(), reader, false));
                inputs.by_reader.insert(stage, ids.into_iter().collect());
                continue;
            }
            let located = match environment.located.pop_front() {
                Some(located) => located,
                None => locate(&reader.locations, &environment.listing())?,
            };
            located.failures.into_iter().for_each(|failure| failures.add(failure));
            located.notes.into_iter().for_each(|note| failures.warn(&note));
            let may_skip = located.inputs.iter().filter_map(Input::size).sum::<u64>() > reader.scan.above();
            let mut ids = Vec::new();
            for input in located.inputs {
                if inputs.is_taken(plan, stage, &input)? {
                    continue;
                }
                ids.push(inputs.add(input, reader, may_skip));
            }
            inputs.by_reader.insert(stage, ids);
        }
        Ok(inputs)
    }

    /// Gives an input the next number, and binds the format of its lines to it.
    fn add(&mut self, input: Input, reader: &ReaderPlan, may_skip: bool) -> InputId {
        self.all.push(input);
        self.rules.push(reader.stamps.format.bind(reader.max_line));
        self.may_skip.push(may_skip);
        InputId(self.all.len() as u32 - 1)
    }

    /// The inputs that reach a stage.
    pub fn reaching(&self, plan: &Plan, stage: usize) -> Vec<InputId> {
        let upstream = plan.upstream(stage);
        self.by_reader.iter().filter(|(reader, _)| upstream.contains(reader)).flat_map(|(_, ids)| ids.clone()).collect()
    }

    /// Whether an earlier reader has this file already, for all aggregators that this reader feeds.
    fn is_taken(&self, plan: &Plan, stage: usize, input: &Input) -> Result<bool> {
        let Some(identity) = input.identity() else { return Ok(false) };
        let feeds = |reader| -> BTreeSet<usize> {
            let aggregators =
                plan.stages.iter().enumerate().filter(|(_, to)| matches!(to.task, Task::BucketAggregator(_)));
            aggregators.map(|(at, _)| at).filter(|at| plan.upstream(*at).contains(&reader)).collect()
        };
        for (&other, ids) in &self.by_reader {
            if !ids.iter().any(|id| self.all[id.0 as usize].identity() == Some(identity)) {
                continue;
            }
            let (mine, theirs) = (feeds(stage), feeds(other));
            if mine.is_subset(&theirs) {
                return Ok(true);
            }
            if !mine.is_disjoint(&theirs) {
                return Err(Error::usage(format!(
                    "'{}' is read by both '{}' and '{}', which meet in one aggregator but not in all; give it to one",
                    show_path(input.path()),
                    plan.stages[other].name,
                    plan.stages[stage].name,
                )));
            }
        }
        Ok(false)
    }
}

/// The readers of a plan with their places.
pub(super) fn readers(plan: &Plan) -> impl Iterator<Item = (usize, &ReaderPlan)> {
    plan.stages.iter().enumerate().filter_map(|(at, stage)| match &stage.task {
        Task::Reader(reader) => Some((at, reader)),
        _ => None,
    })
}

/// Why a run would not read a file, if it would not: found by its first step. A stream is not
/// tried.
pub(super) fn refusal(input: &Input) -> Option<Error> {
    input.file()?;
    Cursor::new(input.clone(), FIRST_STEP, FIRST_STEP).next(&mut Vec::new(), &|| false).failure
}
