//! Stages that fit together to the plan of all of them.
//!
//! Not here: whether they fit (`graph`). Invariant: what a stage has from others is known before its
//! plan is made, so that no plan is mended later.

use std::path::PathBuf;
use std::time::Duration;

use super::draft::Draft;
use super::live_plan::{LivePlan, StatePlan, TriggerPlan};
use super::plan::{AggregatorPlan, FilterPlan, FollowPlan, Plan, Range, ReaderPlan, Scan, StagePlan, StampsPlan, Task};
use super::stage::{CheckedTask, Parsed};
use super::window::CheckedFilter;
use super::workers::workers;
use crate::model::{MemoryPolicy, SEEN};
use crate::options::Options;

/// Puts stages together, in an order in which each comes after those that feed it. `edges` are, by
/// stage, the places of those. With `previous`, all count the window before. `None` if one is
/// missing.
pub(super) fn assemble(
    drafts: &[Draft],
    (edges, order): (&[Vec<usize>], &[usize]),
    stages: Vec<Option<Parsed>>,
    previous: bool,
) -> Option<Plan> {
    let stages = stages.into_iter().collect::<Option<Vec<Parsed>>>()?;
    let checked: Vec<&CheckedTask> = stages.iter().map(|stage| &stage.task).collect();
    let mut place = vec![0; order.len()];
    for (new, &old) in order.iter().enumerate() {
        place[old] = new;
    }
    let mut surroundings = Surroundings::of(&checked, edges, order, &place);
    if previous {
        surroundings.needs_previous.fill(true);
    }
    let workers = workers(&stages, edges, surroundings.follows, &surroundings.by_time);
    let made = order.iter().map(|&at| {
        let feeding = edges[at].iter().copied().min_by_key(|&from| place[from]);
        let task = surroundings.task(at, checked[at], feeding.map(|from| checked[from]))?;
        Some(StagePlan {
            name: drafts[at].name.clone(),
            threads: workers[at].threads,
            capacity: stages[at].capacity,
            chained: workers[at].chained,
            inputs: edges[at].iter().map(|&from| place[from]).collect(),
            in_state: stages[at].in_state.clone(),
            task,
        })
    });
    Some(Plan { stages: made.collect::<Option<_>>()? })
}

/// What stages have from those around them, by their places.
struct Surroundings {
    /// Whether inputs are followed.
    follows: bool,
    /// Whether a report behind the stage compares with the window before.
    needs_previous: Vec<bool>,
    /// Whether windows behind it, or of it, close one after the other, so that its inputs have to be
    /// read in the order of time.
    by_time: Vec<bool>,
    /// The first time-filter behind the stage, or the stage as one: its place, and what it says of
    /// stamps.
    filter: Vec<Option<(usize, StampsPlan)>>,
}

impl Surroundings {
    /// Of stages, each of which will have its `place` in the plan.
    fn of(checked: &[&CheckedTask], edges: &[Vec<usize>], order: &[usize], place: &[usize]) -> Self {
        let compares = |task: &&CheckedTask| match task {
            CheckedTask::Reporter(reporter) => reporter.reports.iter().any(|report| report.entry.needs_previous),
            _ => false,
        };
        let repeats = |task: &&CheckedTask| match task {
            CheckedTask::TimeFilter(filter) => matches!(filter.range, Range::Every { .. }),
            _ => false,
        };
        let filter_of = |(&task, &place): (&&CheckedTask, &usize)| match task {
            CheckedTask::TimeFilter(filter) => Some((place, stamps(filter))),
            _ => None,
        };
        let mut needs_previous: Vec<bool> = checked.iter().map(compares).collect();
        let mut by_time: Vec<bool> = checked.iter().map(repeats).collect();
        let mut filter: Vec<Option<(usize, StampsPlan)>> = checked.iter().zip(place).map(filter_of).collect();
        // Whatever a stage needs, so do those that feed it.
        for &at in order.iter().rev() {
            for &from in &edges[at] {
                needs_previous[from] |= needs_previous[at];
                by_time[from] |= by_time[at];
                let both = [filter[from].take(), filter[at].clone()];
                filter[from] = both.into_iter().flatten().min_by_key(|(place, _)| *place);
            }
        }
        let follows = checked.iter().any(|task| matches!(task, CheckedTask::Reader(options) if options.flag("follow")));
        Surroundings { follows, needs_previous, by_time, filter }
    }

    /// What a stage does; `feeding` is the first that feeds it. `None` of an aggregator that no
    /// time-filter feeds, and of a reader that feeds none.
    fn task(&self, at: usize, checked: &CheckedTask, feeding: Option<&CheckedTask>) -> Option<Task> {
        Some(match (checked, feeding) {
            (CheckedTask::Reader(options), _) => {
                Task::Reader(reader(options, self.by_time[at], self.filter[at].clone()?))
            }
            (CheckedTask::LineSplitter, _) => Task::LineSplitter,
            (CheckedTask::TimeFilter(it), _) => Task::TimeFilter(filter(it, self.needs_previous[at])),
            (CheckedTask::BucketAggregator(options), Some(CheckedTask::TimeFilter(filter))) => {
                Task::BucketAggregator(self.aggregator(at, options, filter))
            }
            (CheckedTask::BucketAggregator(_), _) => return None,
            (CheckedTask::Reporter(reporter), _) => Task::Reporter(reporter.clone()),
        })
    }

    /// An aggregator; its windows are those of the time-filters that feed it, which all agree.
    fn aggregator(&self, at: usize, options: &Options, filter: &CheckedFilter) -> AggregatorPlan {
        AggregatorPlan {
            grouping: options.nanos("grouping-seconds").unwrap_or(1),
            range: filter.range,
            needs_previous: self.needs_previous[at],
            max_gap: options.count("max-gap").unwrap_or(0),
            max_memory: options.count("max-memory").map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX)),
            measures: measures(filter, options),
            memory_policy: match options.text("memory-policy") {
                Some("spill") => MemoryPolicy::Spill,
                Some("error") => MemoryPolicy::Error,
                _ => MemoryPolicy::Overflow,
            },
            live: LivePlan {
                follows: self.follows,
                grace: filter.options.nanos("late-updates").unwrap_or(0),
                trigger: match options.text("trigger") {
                    Some("clock") => TriggerPlan::Clock,
                    _ => TriggerPlan::Event,
                },
                state: match options.text("state") {
                    None | Some("auto") => StatePlan::Auto,
                    Some("none") => StatePlan::None,
                    Some(folder) => StatePlan::Folder(PathBuf::from(folder)),
                },
                checkpoint: length(options, "checkpoint"),
                stop_timeout: length(options, "stop-timeout"),
            },
        }
    }
}

/// What is summed, and behind it the times where they are kept.
fn measures(filter: &CheckedFilter, options: &Options) -> Vec<String> {
    let times = SEEN.into_iter().filter(|_| options.flag("seen")).map(str::to_owned);
    filter.format.measures().into_iter().chain(times).collect()
}

fn reader(options: &Options, by_time: bool, (first_filter, stamps): (usize, StampsPlan)) -> ReaderPlan {
    let size = |key| options.count(key).and_then(|count| usize::try_from(count).ok()).unwrap_or(1);
    ReaderPlan {
        locations: options.locations("location").to_vec(),
        chunk: size("chunk"),
        max_line: size("max-line"),
        stamps,
        first_filter,
        scan: match options.text("scan") {
            Some("full") => Scan::Full,
            _ => Scan::Auto { above: options.count("prune-above").unwrap_or(0) },
        },
        by_time,
        follow: options
            .flag("follow")
            .then(|| FollowPlan { idle: length(options, "idle"), rotate_wait: length(options, "rotate-wait") }),
    }
}

fn stamps(CheckedFilter { format, options, .. }: &CheckedFilter) -> StampsPlan {
    let nanos = |key| options.nanos(key).unwrap_or(0);
    let max_jump = match nanos("max-jump") {
        0 => 0,
        jump => jump.max(nanos("lateness")),
    };
    StampsPlan { format: format.clone(), lateness: nanos("lateness"), max_jump, future: nanos("future") }
}

fn filter(checked: &CheckedFilter, needs_previous: bool) -> FilterPlan {
    let CheckedFilter { range, zone, options, .. } = checked;
    let path = |key| options.text(key).map(PathBuf::from);
    FilterPlan {
        stamps: stamps(checked),
        range: *range,
        grace: options.nanos("late-updates").unwrap_or(0),
        now: options.moment("now"),
        zone: zone.clone(),
        rejects: path("rejects"),
        late_file: path("late-file"),
        stats: options.flag("stats"),
        needs_previous,
    }
}

fn length(options: &Options, key: &str) -> Duration {
    Duration::from_nanos(options.nanos(key).unwrap_or(1).unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::super::check;
    use super::super::tests::{catalog, machine};
    use super::super::written::Written;
    use super::*;
    use crate::model::time::SECOND;

    #[test]
    fn a_reader_has_what_the_first_filter_behind_it_says_of_stamps() {
        let text = "\
            stages.second = { type = 'time-filter', inputs = ['lines'], future = '2h', lateness = 3 }\n\
            stages.count-second = { type = 'bucket-aggregator', inputs = ['second'] }\n\
            stages.tell-second = { type = 'reporter', inputs = ['count-second'], outputs = ['json:b'] }\n\
            stages.read = { type = 'reader', location = 'x' }\n\
            stages.lines = { type = 'line-splitter', inputs = ['read'] }\n\
            stages.first = { type = 'time-filter', inputs = ['lines'], future = '1h', lateness = 2 }\n\
            stages.count-first = { type = 'bucket-aggregator', inputs = ['first'] }\n\
            stages.tell-first = { type = 'reporter', inputs = ['count-first'], outputs = ['json:a'] }";
        let plan = check(&Written::from_text("p.toml", text), &catalog(), &machine()).unwrap();
        let first = plan.stages.iter().enumerate().find_map(|(at, stage)| match &stage.task {
            Task::TimeFilter(filter) => Some((at, filter)),
            _ => None,
        });
        let (at, filter) = first.unwrap();
        let Task::Reader(reader) = &plan.stages[0].task else { panic!("no reader comes first") };
        assert_eq!((reader.first_filter, &reader.stamps), (at, &filter.stamps));
        assert_eq!(reader.stamps.lateness, 3 * SECOND);
    }
}
