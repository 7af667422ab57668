//! The configuration as meant: checked values only, ready to be wired.
//!
//! Invariant: a plan is a graph without cycles whose edges fit, in topological order: a stage's
//! inputs come before it.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use jiff::tz::TimeZone;

use super::live_plan::LivePlan;
use super::schema::StageType;
use crate::error::{Error, Result};
use crate::format::Format;
use crate::model::location::Location;
use crate::model::{MemoryPolicy, Moment};
use crate::options::Options;
use crate::output::{Claim, OutputEntry};
use crate::report::ReportEntry;

/// What a run does.
#[derive(Debug, Clone)]
pub struct Plan {
    /// All stages, each after its inputs.
    pub stages: Vec<StagePlan>,
}

impl Plan {
    /// A stage and all that feed it, near or far.
    pub fn upstream(&self, stage: usize) -> BTreeSet<usize> {
        let mut found = BTreeSet::from([stage]);
        // Inputs stand before their stage, so one way back through the list sees all of them.
        for at in (0..=stage).rev() {
            if found.contains(&at) {
                found.extend(&self.stages[at].inputs);
            }
        }
        found
    }

    /// Whether some windows are known only once the inputs have been looked at.
    pub fn depends_on_input(&self) -> bool {
        let depends = |task: &Task| matches!(task, Task::TimeFilter(filter) if filter.range.depends_on_input());
        self.stages.iter().any(|stage| depends(&stage.task))
    }

    /// The chains: stages that run in the same workers, by their places, in the order of the data.
    pub fn chains(&self) -> Vec<Vec<usize>> {
        let mut chains: Vec<Vec<usize>> = Vec::new();
        for (at, stage) in self.stages.iter().enumerate().filter(|(_, stage)| stage.chained) {
            let before = stage.inputs.iter().copied();
            match chains.iter_mut().find(|chain| before.clone().eq(chain.last().copied())) {
                Some(chain) => chain.push(at),
                None => chains.push(before.chain([at]).collect()),
            }
        }
        chains
    }

    /// How many chunks of a reader may exist at once: one in the hands of each of its own workers;
    /// and for each stage behind it that holds chunks, those that wait in front of it and one in
    /// each worker's hands. What is chained has no workers of its own, and nothing waits in front
    /// of it: only what is chained to the reader itself has so many wait behind it, for those
    /// before them in their input. Each takes at most the reader's `chunk` plus `max-line` bytes,
    /// and the lines and records found in it.
    pub fn chunk_budget(&self, reader: usize) -> NonZeroUsize {
        let holding = self.stages.iter().enumerate().filter(|(at, stage)| {
            let holds = matches!(stage.task, Task::LineSplitter | Task::TimeFilter(_) | Task::BucketAggregator(_));
            holds && self.upstream(*at).contains(&reader)
        });
        let held = holding.map(|(_, stage)| match stage.chained {
            false => stage.capacity.get() + stage.threads.get(),
            true if stage.inputs.contains(&reader) => stage.capacity.get(),
            true => 0,
        });
        self.stages[reader].threads.saturating_add(held.sum())
    }

    /// About the memory that a run takes beside its tallies: batches on their way, with the lines
    /// and records in them, and the program itself.
    pub fn bytes_beside_tallies(&self) -> usize {
        let readers = self.stages.iter().enumerate().filter_map(|(at, stage)| match &stage.task {
            Task::Reader(reader) => Some((at, reader)),
            _ => None,
        });
        let batches = readers.map(|(at, reader)| {
            // Of what a worker has freed, the allocator keeps as much as it had in use at once, at
            // most: a chunk with all that was found in it.
            let counting = self.stages.iter().enumerate().filter(|(stage, plan)| {
                matches!(plan.task, Task::BucketAggregator(_)) && self.upstream(*stage).contains(&at)
            });
            let kept = counting.map(|(_, stage)| stage.threads.get()).sum::<usize>();
            // Lines and records of a log with lines of some 25 bytes take as much as its bytes, and
            // the vectors that they are in have grown to no more than twice that.
            (3 * (self.chunk_budget(at).get() + kept)).saturating_mul(reader.chunk + reader.max_line)
        });
        batches.fold(PROGRAM, usize::saturating_add)
    }

    /// Whether any reader reads standard input.
    pub fn reads_stdin(&self) -> bool {
        self.stages.iter().any(|stage| match &stage.task {
            Task::Reader(reader) => reader.reads_stdin(),
            _ => false,
        })
    }

    /// The memory that the run may take, if any aggregator has a limit.
    pub fn max_memory(&self) -> Option<usize> {
        let limits = self.stages.iter().filter_map(|stage| match &stage.task {
            Task::BucketAggregator(aggregator) => aggregator.max_memory,
            _ => None,
        });
        limits.min()
    }

    /// The same where aggregators that have no limit get this one.
    pub(super) fn limited(mut self, bytes: Option<usize>) -> Self {
        let Some(bytes) = bytes else { return self };
        // Where even that is too little to count with, it is no less than what is refused as a
        // setting.
        let least = self.bytes_beside_tallies() + LEAST_TALLY / 7 * 8 * self.aggregators();
        for stage in &mut self.stages {
            if let Task::BucketAggregator(aggregator) = &mut stage.task {
                aggregator.max_memory = aggregator.max_memory.or(Some(bytes.max(least)));
            }
        }
        self
    }

    /// Bytes for the tally of one aggregator that has a limit: what the run leaves, shared by all
    /// of them.
    pub fn tally_bytes(&self, max_memory: usize) -> usize {
        // An eighth is for what is sorted on its way to the disk, for reports, and for what the
        // allocator cannot use.
        max_memory.saturating_sub(self.bytes_beside_tallies()) / 8 * 7 / self.aggregators()
    }

    /// Whether inputs are followed.
    pub fn follows(&self) -> bool {
        self.stages.iter().any(|stage| matches!(&stage.task, Task::Reader(reader) if reader.follow.is_some()))
    }

    /// Its one reader, time-filter and aggregator, by their places. Errors if there are several of
    /// any of them, so that there are several ways from the logs to the tallies.
    pub fn single(&self) -> Result<[usize; 3]> {
        let of = |kind: StageType| {
            let mut found = self.stages.iter().enumerate().filter(|(_, stage)| stage.kind() == kind);
            match (found.next(), found.next()) {
                (Some((at, _)), None) => Ok(at),
                _ => Err(Error::usage(format!(
                    "tallies are made by one {0}, and the configuration has several; take a part of it",
                    kind.name()
                ))),
            }
        };
        Ok([of(StageType::Reader)?, of(StageType::TimeFilter)?, of(StageType::BucketAggregator)?])
    }

    /// What all readers read, in their order.
    pub fn locations(&self) -> Vec<String> {
        let readers = self.stages.iter().filter_map(|stage| match &stage.task {
            Task::Reader(reader) => Some(&reader.locations),
            _ => None,
        });
        readers.flatten().map(ToString::to_string).collect()
    }

    /// Aggregators that share the run's memory; 1 if there are none.
    pub fn aggregators(&self) -> usize {
        let aggregators = self.stages.iter().filter(|stage| matches!(stage.task, Task::BucketAggregator(_)));
        aggregators.count().max(1)
    }
}

/// The fewest bytes for a tally: with less, little could be counted.
pub(super) const LEAST_TALLY: usize = 8 << 20;

/// About the memory of the program, its threads and its outputs.
const PROGRAM: usize = 12 << 20;

/// One stage.
#[derive(Debug, Clone)]
pub struct StagePlan {
    /// Its name in the graph.
    pub name: String,
    /// Its workers.
    pub threads: NonZeroUsize,
    /// Batches that may wait in front of it, if it is not chained. Readers have nothing in front of
    /// them.
    pub capacity: NonZeroUsize,
    /// Whether it runs in the workers of the one stage that feeds it, which has as many and feeds no
    /// other: no edge lies between the two.
    pub chained: bool,
    /// The stages that feed it, as places in `Plan::stages`.
    pub inputs: Vec<usize>,
    /// What a saved state depends on of it: keys with their values, as it writes them.
    pub in_state: Vec<(&'static str, String)>,
    /// What it does.
    pub task: Task,
}

impl StagePlan {
    /// Its type.
    pub const fn kind(&self) -> StageType {
        match self.task {
            Task::Reader(_) => StageType::Reader,
            Task::LineSplitter => StageType::LineSplitter,
            Task::TimeFilter(_) => StageType::TimeFilter,
            Task::BucketAggregator(_) => StageType::BucketAggregator,
            Task::Reporter(_) => StageType::Reporter,
        }
    }
}

/// What a stage does.
#[derive(Debug, Clone)]
pub enum Task {
    /// Reads inputs into chunks.
    Reader(ReaderPlan),
    /// Finds the lines of chunks.
    LineSplitter,
    /// Parses lines and keeps the records of the window.
    TimeFilter(FilterPlan),
    /// Tallies records by bucket and pair.
    BucketAggregator(AggregatorPlan),
    /// Maps the report functions over each window and writes the results.
    Reporter(ReporterPlan),
}

/// A reader's options.
#[derive(Debug, Clone)]
pub struct ReaderPlan {
    /// Where it reads.
    pub locations: Vec<Location>,
    /// Bytes a chunk is filled to.
    pub chunk: usize,
    /// Bytes a line may have, its newline not included.
    pub max_line: usize,
    /// What the first time-filter behind it says of stamps: all of them read its lines in one
    /// format.
    pub stamps: StampsPlan,
    /// The place in the plan of that time-filter, whose windows are found once the run begins.
    pub first_filter: usize,
    /// Whether bytes that cannot hold the window may be skipped.
    pub scan: Scan,
    /// Whether inputs are read in the order of time, so that windows can close.
    pub by_time: bool,
    /// How files are followed, if they are.
    pub follow: Option<FollowPlan>,
}

impl ReaderPlan {
    /// Whether it reads standard input.
    pub fn reads_stdin(&self) -> bool {
        self.locations.iter().any(Location::is_stdin)
    }

    /// Where it reads files.
    pub fn of_files(&self) -> impl Iterator<Item = &Location> {
        self.locations.iter().filter(|location| !location.is_stdin())
    }
}

/// How stamps are read, and how far they are trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StampsPlan {
    /// The log format, opened.
    pub format: Format,
    /// The declared disorder in nanoseconds.
    pub lateness: i64,
    /// How far a handful of stamps may lie ahead of all others and still move time, in nanoseconds:
    /// no less than the declared disorder, or 0 for any distance.
    pub max_jump: i64,
    /// How far beyond now a stamp may lie, in nanoseconds.
    pub future: i64,
}

/// How a reader follows files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FollowPlan {
    /// How long an input may be silent and still hold back windows.
    pub idle: Duration,
    /// How long a file that was renamed or deleted is read on after its last growth.
    pub rotate_wait: Duration,
}

/// How much of an input is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scan {
    /// What the window needs, as far as that is known; but all files of a reader that have at most
    /// `above` bytes together.
    Auto {
        /// Bytes up to which there is nothing to gain.
        above: u64,
    },
    /// Everything.
    Full,
}

impl Scan {
    /// Bytes up to which files that have so many together are read whole.
    pub fn above(self) -> u64 {
        match self {
            Scan::Auto { above } => above,
            Scan::Full => u64::MAX,
        }
    }
}

/// A time-filter's options.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterPlan {
    /// How stamps are read in its lines.
    pub stamps: StampsPlan,
    /// Which window or windows.
    pub range: Range,
    /// How much later than the declared disorder a record may be and still count, in nanoseconds.
    /// Only when following.
    pub grace: i64,
    /// What is taken for now; `None` is the clock.
    pub now: Option<Moment>,
    /// The zone of dates without one.
    pub zone: TimeZone,
    /// Where malformed lines go.
    pub rejects: Option<PathBuf>,
    /// Where late lines go.
    pub late_file: Option<PathBuf>,
    /// Whether to measure how far records lie behind others.
    pub stats: bool,
    /// Whether a report further down compares with the window before.
    pub needs_previous: bool,
}

/// Which window or windows a run is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Range {
    /// One window, both ends in.
    Once {
        /// Where it starts.
        start: Start,
        /// Where it ends.
        until: Moment,
    },
    /// A window of `length` every `period`, through the input.
    Every {
        /// Nanoseconds, above 0.
        length: i64,
        /// Nanoseconds from one window's end to the next, above 0.
        period: i64,
        /// Where windows start.
        align: Align,
        /// The declared disorder in nanoseconds.
        lateness: i64,
        /// Records before it are out of every window.
        since: Option<Moment>,
        /// Records from it on are out of every window; `None` for all of the input, as is its
        /// highest stamp.
        until: Option<Moment>,
    },
}

impl Range {
    /// Whether the windows are known only once the input has been looked at.
    pub fn depends_on_input(&self) -> bool {
        match self {
            Range::Once { start, until } => {
                let start = matches!(start, Start::At(moment) if moment.rests_on_inputs());
                start || until.rests_on_inputs()
            }
            Range::Every { align, since, until, .. } => {
                let rests = |moment: &Option<Moment>| moment.is_some_and(Moment::rests_on_inputs);
                let anchored = matches!(align, Align::First) || matches!(align, Align::At(at) if at.rests_on_inputs());
                anchored || rests(since) || (rests(until) && *until != Some(Moment::LATEST))
            }
        }
    }
}

/// Where a one-shot window starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// This many nanoseconds before its end.
    Before(i64),
    /// At an instant.
    At(Moment),
}

/// Where periodic windows start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// At an instant and whole periods before and after it. The epoch is instant 0.
    At(Moment),
    /// At the lowest stamp of the input that is not late, and whole periods after it.
    First,
    /// So that one ends when the run starts. Only when following.
    Start,
}

/// A bucket-aggregator's options.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AggregatorPlan {
    /// The grouping asked for, in nanoseconds.
    pub grouping: i64,
    /// The window or windows of the time-filters that feed it, which all agree.
    pub range: Range,
    /// Whether a reporter further down compares with the window before.
    pub needs_previous: bool,
    /// Up to this many windows in a row that hold nothing have a result each, and more have one
    /// together; 0 for any number.
    pub max_gap: u64,
    /// Bytes of memory that the run may take.
    pub max_memory: Option<usize>,
    /// The names of the measures that are summed.
    pub measures: Vec<String>,
    /// What happens to pairs for which there is no memory.
    pub memory_policy: MemoryPolicy,
    /// How results come and what is saved when inputs are followed.
    pub live: LivePlan,
}

impl AggregatorPlan {
    /// The declared disorder that keeps windows open, in nanoseconds.
    pub fn lateness(&self) -> i64 {
        match self.range {
            Range::Once { .. } => 0,
            Range::Every { lateness, .. } => lateness,
        }
    }
}

/// A reporter's options.
#[derive(Debug, Clone)]
pub struct ReporterPlan {
    /// The reports, in the order of the results.
    pub reports: Vec<ReportPlan>,
    /// The outputs.
    pub outputs: Vec<OutputPlan>,
    /// The file that names addresses in the results, if there is one. No count and no state depends
    /// on it.
    pub hosts: Option<PathBuf>,
}

/// One report of a reporter.
#[derive(Debug, Clone)]
pub struct ReportPlan {
    /// The report function and what is known of it.
    pub entry: ReportEntry,
    /// Its checked options, defaults filled in.
    pub options: Options,
}

/// One output of a reporter.
#[derive(Debug, Clone)]
pub struct OutputPlan {
    /// The output and what is known of it.
    pub entry: &'static OutputEntry,
    /// Its checked options, defaults filled in.
    pub options: Options,
}

impl OutputPlan {
    /// What it takes for itself.
    pub fn claims(&self) -> Vec<Claim> {
        (self.entry.claims)(&self.options)
    }
}
