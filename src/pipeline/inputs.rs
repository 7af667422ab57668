//! The inputs of a run: found for each reader, numbered for all.
//!
//! Not here: how a source looks for them (`source/places`). Invariant: an input's number is its
//! place in `all`, and a file that two readers of one aggregator find is read by one of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use super::environment::Environment;
use super::local::open;
use super::uniform::is_uniform;
use super::years::up_to_its_end;
use crate::config::{Plan, ReaderPlan, Task};
use crate::error::{Error, Result, show_path};
use crate::format::{LineRules, PlannedSchema};
use crate::model::InputId;
use crate::model::time::Clock;
use crate::source::{Cursor, Input, locate, stdin};
use crate::stage::Failures;
use crate::stage::bind::{Binder, BoundInput};

/// Bytes of a first step: more than it takes to know a compressed file.
const FIRST_STEP: usize = 64;

/// The inputs of all readers, by number, before anything is known of what they hold.
#[derive(Default)]
pub(super) struct UnboundInputs {
    pub all: Vec<Input>,
    /// By number: whether bytes may be skipped.
    may_skip: Vec<bool>,
    /// The most inputs that may be looked at at once.
    looks: usize,
    /// By the reader's place in the plan.
    by_reader: BTreeMap<usize, Vec<InputId>>,
}

/// All inputs by number, and which reader reads which.
#[derive(Default)]
pub(super) struct Inputs {
    pub all: Vec<Input>,
    /// By number: how its lines are read.
    pub rules: Vec<LineRules>,
    /// By number: what tells that of a stream, once it begins.
    pub late: Vec<Option<Arc<Binder>>>,
    /// By number: the name of the format, where that was told by how the input begins.
    told: Vec<Option<String>>,
    /// By number: whether all its lines have the columns that its beginning names, once known.
    uniform: Vec<OnceLock<bool>>,
    /// By number: whether bytes may be skipped.
    pub may_skip: Vec<bool>,
    /// The most inputs that may be looked at at once.
    pub looks: usize,
    /// By the reader's place in the plan.
    pub by_reader: BTreeMap<usize, Vec<InputId>>,
}

/// What looking at the beginnings of inputs needs: the clock, and whether the run is to end.
#[derive(Clone)]
pub(super) struct Heads {
    now: Clock,
    drain: Arc<AtomicBool>,
    /// How the lines of the one input are read, where whoever has planned has looked already.
    planned: Option<PlannedSchema>,
}

impl Heads {
    /// Those of a run in this environment.
    pub fn of(environment: &Environment) -> Self {
        let drain = Arc::clone(&environment.wishes.drain);
        Heads { now: Arc::clone(&environment.now), drain, planned: None }
    }

    /// The same where it is known already how the lines of the one input are read, or is not.
    pub fn planned(self, planned: Option<PlannedSchema>) -> Self {
        Heads { planned, ..self }
    }
}

impl UnboundInputs {
    /// Finds the inputs of all readers. A file that two readers of one aggregator find is read by
    /// the first.
    pub fn find(plan: &Plan, failures: &Failures, environment: &mut Environment) -> Result<Self> {
        // Where memory is limited, no more decoders may be open than when they are read.
        let threads = readers(plan).map(|(at, _)| plan.stages[at].threads.get()).min();
        let looks = threads.filter(|_| plan.max_memory().is_some()).unwrap_or(usize::MAX);
        let mut inputs = UnboundInputs { looks, ..UnboundInputs::default() };
        for (stage, reader) in readers(plan) {
            if reader.follow.is_some() {
                // Files are found by the follower, again and again; standard input has the first
                // number.
                let ids = reader.reads_stdin().then(|| inputs.add(stdin(), false));
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
                if !inputs.is_taken(plan, stage, &input)? {
                    ids.push(inputs.add(input, may_skip));
                }
            }
            inputs.by_reader.insert(stage, ids);
        }
        Ok(inputs)
    }

    fn add(&mut self, input: Input, may_skip: bool) -> InputId {
        self.all.push(input);
        self.may_skip.push(may_skip);
        InputId(self.all.len() as u32 - 1)
    }

    /// Looks how each input begins, and binds the format of its lines to it. What is not read for
    /// that has no number afterwards; where there is nothing else to read, nothing is. Streams begin
    /// when they do: nobody waits for them here, unless the windows rest on what they hold.
    pub fn bind(self, plan: &Plan, failures: &Failures, heads: &Heads) -> Result<Inputs> {
        let mut inputs = Inputs { looks: self.looks, ..Inputs::default() };
        let is_looked_through = plan.depends_on_input();
        let interrupted = || heads.drain.load(Ordering::Relaxed);
        for (stage, reader) in readers(plan) {
            let format = reader.stamps.format.clone();
            let binder = Arc::new(Binder { format, max_line: reader.max_line, now: Arc::clone(&heads.now) });
            let (mut ids, mut unbound) = (Vec::new(), Vec::new());
            for id in self.by_reader.get(&stage).into_iter().flatten() {
                let (input, may_skip) = (self.all[id.0 as usize].clone(), self.may_skip[id.0 as usize]);
                if binder.format.needs_head() && input.is_awaited() && !is_looked_through {
                    let rules = binder.plain();
                    ids.push(inputs.push(input, rules, None, Some(Arc::clone(&binder))));
                    continue;
                }
                if let Some(planned) = &heads.planned {
                    let PlannedSchema { schema, latest } = planned;
                    let rules = binder.format.bind_saved(schema, *latest, binder.max_line).map_err(Error::usage)?;
                    ids.push(inputs.push(input, rules, None, None));
                    continue;
                }
                match inputs.add(input, &binder, may_skip, &interrupted)? {
                    Ok(id) => ids.push(id),
                    Err(error) => unbound.push(error),
                }
            }
            if ids.is_empty() && !unbound.is_empty() {
                return Err(unbound.swap_remove(0));
            }
            unbound.into_iter().for_each(|error| failures.add(error));
            inputs.by_reader.insert(stage, ids);
        }
        inputs.formats().into_iter().for_each(|note| failures.note(&note));
        Ok(inputs)
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

impl Inputs {
    /// Which inputs are read as which format, where that was told by how they begin and is not
    /// `plain`: a line each.
    fn formats(&self) -> Vec<String> {
        let mut names: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (input, told) in self.all.iter().zip(&self.told) {
            told.iter().for_each(|name| names.entry(name).or_default().push(&input.name));
        }
        let line = |(format, inputs): (&str, Vec<&str>)| match &inputs[..] {
            [one] => format!("{one} is read as {format}"),
            [first, others @ ..] => format!("{first} and {} more are read as {format}", others.len()),
            [] => String::new(),
        };
        names.into_iter().map(line).collect()
    }

    /// Binds the format of its lines to an input, and gives it the next number; or says why it is
    /// not read.
    fn add(
        &mut self,
        input: Input,
        binder: &Arc<Binder>,
        may_skip: bool,
        interrupted: &dyn Fn() -> bool,
    ) -> Result<std::result::Result<InputId, Error>> {
        let BoundInput { rules, again } = match binder.bind(&input, interrupted)? {
            Ok(bound) => bound,
            Err(error) => return Ok(Err(error)),
        };
        let rules = up_to_its_end(&input, rules);
        let (told, input) = (binder.told(&rules), again.unwrap_or(input));
        let id = self.push(input, rules, told, None);
        // Of a file whose lines are in no order, or that has several sets of columns, nothing can be skipped.
        let at = id.0 as usize;
        self.may_skip[at] = may_skip
            && self.rules[at].schema.is_written_in_order()
            && open(&self.all[at]).is_none_or(|(file, size)| self.is_uniform(at, &file, size).unwrap_or(false));
        Ok(Ok(id))
    }

    fn push(&mut self, input: Input, rules: LineRules, told: Option<String>, late: Option<Arc<Binder>>) -> InputId {
        self.all.push(input);
        self.rules.push(rules);
        self.told.push(told);
        self.late.push(late);
        self.may_skip.push(false);
        self.uniform.push(OnceLock::new());
        InputId(self.all.len() as u32 - 1)
    }

    /// The name of the format of an input, if that is known and is not `plain`.
    pub fn format(&self, at: usize) -> Option<String> {
        (!self.rules[at].schema.is_plain()).then(|| self.rules[at].schema.name())
    }

    /// Whether all lines of a file have the columns that its beginning names, so that it can be read
    /// in parts. It is looked through for that once.
    pub fn is_uniform(&self, at: usize, file: &File, bytes: u64) -> io::Result<bool> {
        if let Some(known) = self.uniform[at].get() {
            return Ok(*known);
        }
        let found = is_uniform(file, bytes, &self.rules[at])?;
        Ok(*self.uniform[at].get_or_init(|| found))
    }

    /// The inputs that reach a stage.
    pub fn reaching(&self, plan: &Plan, stage: usize) -> Vec<InputId> {
        let upstream = plan.upstream(stage);
        self.by_reader.iter().filter(|(reader, _)| upstream.contains(reader)).flat_map(|(_, ids)| ids.clone()).collect()
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
