//! The inputs of a run: found for each reader, numbered for all.
//!
//! Not here: how a source looks for them (`source/places`). Invariant: an input's number is its
//! place in `all`, and a file that two readers of one aggregator find is read by one of them.

use std::collections::{BTreeMap, BTreeSet};

use super::environment::Environment;
use super::local::open;
use super::uniform::is_uniform;
use crate::config::{Plan, ReaderPlan, Task};
use crate::error::{Error, ErrorKind, Result, show_path};
use crate::format::foreign::kind;
use crate::format::{HEAD_BYTES, Head, LineRules, Schema, Unbound};
use crate::model::{InputId, Timestamp};
use crate::source::{Beginning, Cursor, Input, beginning, locate, stdin};
use crate::stage::Failures;

/// Bytes of a first step: more than it takes to know a compressed file.
const FIRST_STEP: usize = 64;

/// All inputs by number, and which reader reads which.
#[derive(Default)]
pub(super) struct Inputs {
    pub all: Vec<Input>,
    /// By number: how its lines are read.
    pub rules: Vec<LineRules>,
    /// By number: whether that was told by how the input begins.
    is_told: Vec<bool>,
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
                let ids = match reader.reads_stdin() {
                    true => inputs.add(stdin(), reader, false, environment)?.ok(),
                    false => None,
                };
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
            let (mut ids, mut unbound) = (Vec::new(), Vec::new());
            for input in located.inputs {
                if inputs.is_taken(plan, stage, &input)? {
                    continue;
                }
                match inputs.add(input, reader, may_skip, environment)? {
                    Ok(id) => ids.push(id),
                    Err(error) => unbound.push(error),
                }
            }
            // Where there is nothing else to read, nothing is.
            if ids.is_empty() && !unbound.is_empty() {
                return Err(unbound.swap_remove(0));
            }
            unbound.into_iter().for_each(|error| failures.add(error));
            inputs.by_reader.insert(stage, ids);
        }
        inputs.formats().into_iter().for_each(|note| failures.note(&note));
        Ok(inputs)
    }

    /// Which inputs are read as which format, where that was told by how they begin and is not
    /// `plain`: a line each.
    fn formats(&self) -> Vec<String> {
        let mut names: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for ((input, rules), _) in self.all.iter().zip(&self.rules).zip(&self.is_told).filter(|(_, told)| **told) {
            if matches!(rules.schema, Schema::Mapped(_)) {
                names.entry(rules.schema.name()).or_default().push(&input.name);
            }
        }
        let line = |(format, inputs): (String, Vec<&str>)| match &inputs[..] {
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
        reader: &ReaderPlan,
        may_skip: bool,
        environment: &Environment,
    ) -> Result<std::result::Result<InputId, Error>> {
        let (rules, again) = match bound(&input, reader, environment)? {
            Ok(bound) => bound,
            Err(error) => return Ok(Err(error)),
        };
        // Of a file that has several sets of columns nothing can be skipped.
        let may_skip =
            may_skip && open(&input).is_none_or(|(file, size)| is_uniform(&file, size, &rules).unwrap_or(false));
        self.all.push(again.unwrap_or(input));
        self.rules.push(rules);
        self.is_told.push(reader.stamps.format.is_auto());
        self.may_skip.push(may_skip);
        Ok(Ok(InputId(self.all.len() as u32 - 1)))
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

/// How the lines of an input are read, by its beginning, and the input to read in its place if it
/// gives its bytes once only; or why it is not read.
fn bound(
    input: &Input,
    reader: &ReaderPlan,
    environment: &Environment,
) -> Result<std::result::Result<(LineRules, Option<Input>), Error>> {
    let format = &reader.stamps.format;
    let is_needed = format.needs_head() && !input.is_empty();
    let interrupted = || environment.wishes.drain.load(std::sync::atomic::Ordering::Relaxed);
    let is_enough = |bytes: &[u8]| memchr::memchr_iter(b'\n', bytes).nth(Head::MOST_LINES - 1).is_some();
    let (found, again) = match is_needed.then(|| beginning(input, HEAD_BYTES, &is_enough, &interrupted)) {
        Some(Ok(found)) => found,
        // Of a stream something may be gone.
        Some(Err(error)) if input.file().is_none() => return Err(error),
        // It goes wrong once more when the input is read, and is told there.
        Some(Err(_)) | None => (Beginning { is_whole: true, ..Beginning::default() }, None),
    };
    let head = Head::of(&found.bytes, found.is_whole);
    let written = input.file().and_then(|file| file.path.metadata().ok()?.modified().ok());
    let latest = written.map_or_else(|| (environment.now)(), Timestamp::of_system);
    Ok(match format.bind(&head, latest, reader.max_line) {
        Ok(rules) => Ok((rules, again)),
        Err(Unbound(why)) => Err(not_read(input, &head, why)),
    })
}

/// The error for an input whose lines cannot be read.
fn not_read(input: &Input, head: &Head<'_>, why: String) -> Error {
    let lines: Vec<&[u8]> = head.filled().collect();
    let kind = kind(&lines);
    let looks = if kind.is_unknown() { String::new() } else { format!("they look like {}; ", kind.name) };
    let help = match kind.is_binary {
        true => kind.advice(),
        false => "say which with --format NAME (logparser formats lists them), or which fields with --format jsonl --time FIELD \
                  --from FIELD --to FIELD"
            .to_owned(),
    };
    ErrorKind::Format(format!("{}: {why}; {looks}{help}", show_path(input.path()))).into()
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
