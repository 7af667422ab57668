//! What a run would read, divided into tasks for many machines.
//!
//! Invariant: the tasks have every byte of every input once, read or passed over, and ask the same
//! question, whatever the clock says where they are worked off.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use super::question::{check, question};
use crate::actor::Stop;
use crate::config::Task;
use crate::error::{Error, Result};
use crate::format::Zone;
use crate::model::{Guard, InputId, Timestamp, Units};
use crate::ops::close::Windows;
use crate::pipeline::environment::Pipeline;
use crate::pipeline::inputs::Heads;
use crate::pipeline::probe::head;
use crate::pipeline::prune::{old_warning, pruned_or_warn};
use crate::pipeline::range::{ByteRange, Passed};
use crate::pipeline::reading::{Part, Reading, find_all, nothing_failed};
use crate::source::seek::{self, Reason};
use crate::source::{Input, LocalFile, Pruned};
use crate::stage::Failures;
use crate::tallies::Question;

/// What a run would read, in tasks.
#[derive(Debug)]
pub struct Partition {
    /// What every task counts.
    pub question: Question,
    /// What is taken for now.
    pub now: Timestamp,
    /// How far beyond now a stamp may lie, in nanoseconds.
    pub future: i64,
    /// How stamps tell their unit.
    pub units: Units,
    /// The zone of stamps without one.
    pub zone: Zone,
    /// The inputs, in the order in which a run would have them.
    pub inputs: Vec<PlannedInput>,
    /// The tasks, in the order of their inputs and of the bytes in them.
    pub tasks: Vec<PlannedTask>,
}

/// An input of a partition.
#[derive(Debug)]
pub struct PlannedInput {
    /// Where it was found.
    pub path: PathBuf,
    /// Its bytes, to the end of its last whole line if that is read.
    pub size: u64,
    /// Bytes behind them of a last line without a newline, which may still be written.
    pub unterminated: u64,
    /// How it begins.
    pub head: Guard,
    /// The bytes that are read: first, and one past the last.
    pub read: (u64, u64),
    /// Whether it lies outside the window, or in part, or is read whole, and why.
    pub reason: &'static str,
}

/// A task: a range of one input.
#[derive(Debug)]
pub struct PlannedTask {
    /// The input's place among all.
    pub input: usize,
    /// The bytes that are read, and what is known of the others.
    pub range: ByteRange,
}

impl Pipeline {
    /// Divides what a run would read into tasks of at most `bytes` bytes each, one partial a task.
    pub(crate) fn partition(self, bytes: u64) -> Result<Partition> {
        let Pipeline { plan, mut environment } = self;
        check(&plan)?;
        let stop = Stop::new(environment.wishes.drain.clone());
        let failures = Failures::new(environment.listener.clone());
        // A plan without an input that was asked for would answer another question.
        let found = find_all(&plan, &mut environment, &failures, "there is no plan")?;
        let inputs = found.bind(&plan, &failures, &Heads::of(&environment))?;
        nothing_failed(&failures, "there is no plan")?;
        let reading = Reading::new(&plan, inputs, (environment.now)(), &stop, &Part::All)?;
        let [_, filter, _] = plan.single()?;
        let (Task::TimeFilter(filtering), Some(found)) = (&plan.stages[filter].task, reading.windows[filter]) else {
            return Err(Error::usage("the configuration has no window"));
        };
        let Windows::Once(window) = found.windows else { return Err(Error::usage("a plan is of one window")) };
        let is_old = |id: &InputId| reading.pruned.get(id).is_some_and(|pruned| pruned.found.reason == Reason::Old);
        let all = reading.inputs.all.iter().enumerate();
        let old = all.filter(|(at, _)| is_old(&InputId(*at as u32))).map(|(_, input)| input.name.as_str());
        old_warning(old).into_iter().for_each(|text| failures.warn(&text));
        let (mut planned, mut tasks) = (Vec::new(), Vec::new());
        for (at, input) in reading.inputs.all.iter().enumerate() {
            let looked = reading.pruned.get(&InputId(at as u32));
            let is_uniform = |file: &File, size| reading.inputs.is_uniform(at, file, size);
            let (input, mut ranges) = divided(input, is_uniform, looked, bytes.max(1), &failures)?;
            let schema = reading.inputs.rules[at].planned();
            ranges.iter_mut().for_each(|range| range.schema = Some(schema.clone()));
            planned.push(input);
            tasks.extend(ranges.into_iter().map(|range| PlannedTask { input: at, range }));
        }
        Ok(Partition {
            question: question(&plan, window)?,
            now: found.now,
            future: filtering.stamps.future,
            units: filtering.stamps.format.units(),
            zone: filtering.stamps.format.zone(),
            inputs: planned,
            tasks,
        })
    }
}

/// An input as it is planned, and the ranges that are read of it, of at most `most` bytes.
fn divided(
    input: &Input,
    is_uniform: impl Fn(&File, u64) -> io::Result<bool>,
    looked: Option<&Pruned>,
    most: u64,
    failures: &Failures,
) -> Result<(PlannedInput, Vec<ByteRange>)> {
    let Some(LocalFile { path, size, .. }) = input.file() else {
        return Err(Error::usage(format!("{}: only files can be divided; count a pipe where it is", input.name)));
    };
    let cannot = |error| Error::input(path, "cannot read", error);
    let file = File::open(path).map_err(cannot)?;
    let kept = looked.and_then(|looked| pruned_or_warn(looked, &input.name, failures));
    let (read, size) = kept.as_ref().map_or(((0, *size), *size), |it| ((it.found.from, it.found.to), it.size));
    // What nobody reads may end anywhere; what is read ends with a line. A compressed file is one
    // portion, and so is one of which lines name other columns.
    let is_one = input.is_packed() || !is_uniform(&file, size).map_err(cannot)?;
    let most = if is_one { u64::MAX } else { most };
    let whole = if read.0 < read.1 && read.1 == size && !input.is_packed() {
        seek::lines_end(&|at, into| file.read_at(into, at), size).map_err(cannot)?.max(read.0)
    } else {
        size
    };
    let (read, size, unterminated) = ((read.0, read.1.min(whole)), whole, size - whole);
    let head = head(&file, size).map_err(cannot)?;
    let mut ranges = ranges(read, size, most, kept.as_ref());
    ranges.iter_mut().for_each(|range| range.head = Some(head));
    if let Some(last) = ranges.last_mut().filter(|_| unterminated > 0) {
        last.unterminated = Some(unterminated);
    }
    let reason = reason(kept.as_ref(), looked);
    Ok((PlannedInput { path: path.clone(), size, unterminated, head, read, reason }, ranges))
}

/// The bytes that are read of an input in ranges of about the same length, of at most `most` bytes;
/// one at least, since some task has to account for what is passed over.
fn ranges((from, to): (u64, u64), size: u64, most: u64, pruned: Option<&Pruned>) -> Vec<ByteRange> {
    let parts = (to - from).div_ceil(most).max(1);
    let cut = |part: u64| from + (u128::from(to - from) * u128::from(part) / u128::from(parts)) as u64;
    let range = |part| {
        let outside = pruned.map_or((None, None), |pruned| pruned.found.outside);
        let passed = [(0, from, outside.0), (to, size, outside.1)];
        let passed = passed.into_iter().filter(|(from, to, _)| part == 0 && from < to);
        ByteRange {
            from: cut(part),
            to: Some(cut(part + 1)),
            size: Some(size),
            unterminated: None,
            head: None,
            schema: None,
            passed: passed.map(|(from, to, extent)| Passed { from, to, extent }).collect(),
            note_order: pruned.is_some_and(|pruned| pruned.found.reason == Reason::Pruned),
        }
    };
    (0..parts).map(range).collect()
}

fn reason(kept: Option<&Pruned>, looked: Option<&Pruned>) -> &'static str {
    match (kept, looked.map(|looked| looked.found.reason)) {
        (Some(kept), _) if kept.found.reason == Reason::Old => "it was last written before the window",
        (Some(kept), _) if kept.found.from == kept.found.to => "it lies outside the window",
        (Some(_), _) => "the rest lies outside the window",
        (None, Some(Reason::NotSorted)) => "it is not sorted as declared",
        (None, _) => "all of it is read",
    }
}
