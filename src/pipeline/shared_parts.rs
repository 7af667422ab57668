//! What a stage has that others look at too: made for all stages before the first is wired.
//!
//! Not here: wiring (`wire`). Invariant: nothing in here changes while stages are wired, so that it
//! makes no difference in which order that is done.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;

use super::course::{CountedInto, Course};
use super::resolve::{Resolved, filter_before};
use super::seat::{Ground, misfit};
use super::targets::{FilterFiles, Targets};
use crate::config::{AggregatorPlan, FilterPlan, Range, Task};
use crate::error::{Error, Result};
use crate::ops::close::Windows;
use crate::ops::history::History;
use crate::output::rejects::RejectsFile;
use crate::stage::aggregator::{Counting, RunMeasures};
use crate::stage::filter::{FilterShared, Keep};
use crate::stage::firsts::Firsts;
use crate::stage::stats::Stats;

/// What stages have that others look at, by the places of the stages in the plan.
#[derive(Default)]
pub(super) struct SharedParts {
    /// What the workers of a time-filter share.
    pub filters: BTreeMap<usize, Arc<FilterShared>>,
    pub aggregators: BTreeMap<usize, SharedCounts>,
}

/// What is counted by an aggregator.
pub(super) struct SharedCounts {
    pub resolved: Resolved,
    pub counting: Arc<Counting>,
    /// Where lines go that come too late for their windows.
    pub late: Option<Arc<RejectsFile>>,
}

impl SharedParts {
    /// Those of all stages.
    pub fn new(ground: Ground<'_>, targets: &Targets, course: &mut dyn Course) -> Result<Self> {
        let mut parts = SharedParts::default();
        for (at, stage) in ground.plan.stages.iter().enumerate() {
            match &stage.task {
                Task::TimeFilter(plan) => {
                    let windows = ground.reading.windows[at];
                    let resolved = windows.ok_or_else(|| Error::usage("a time-filter has no window"))?;
                    let files = targets.filters.get(&at).cloned().unwrap_or_default();
                    parts.filters.insert(at, filter(ground, plan, resolved, files, course));
                }
                Task::BucketAggregator(plan) => {
                    let counts = counts(ground, at, plan, targets, course).ok_or_else(|| misfit(stage))?;
                    parts.aggregators.insert(at, counts);
                }
                Task::Reader(_) | Task::LineSplitter | Task::Reporter(_) => {}
            }
        }
        Ok(parts)
    }
}

fn filter(
    ground: Ground<'_>,
    plan: &FilterPlan,
    resolved: Resolved,
    FilterFiles { rejects, late }: FilterFiles,
    course: &dyn Course,
) -> Arc<FilterShared> {
    let keep = match (resolved.windows, plan.range) {
        (Windows::Every(grid), Range::Every { lateness, .. }) => {
            let list = rejects.is_some() || late.is_some();
            let (bounds, keep_gaps) = (resolved.bounds, plan.needs_previous);
            let (max_jump, grace) = (plan.stamps.max_jump, plan.grace);
            let history = History { bounds, grid, lateness, max_jump, grace, keep_gaps, list };
            Keep::Every(Box::new(history), Mutex::new(course.sequencer()))
        }
        _ => Keep::Once(resolved.bounds),
    };
    Arc::new(FilterShared {
        keep,
        rejects,
        late,
        names: Arc::clone(&ground.context.names),
        pool: Default::default(),
        stats: plan.stats.then(|| Stats::new(resolved.bounds.future_after)),
        passed: course.passed(),
        firsts: Firsts::default(),
        fields: Mutex::default(),
    })
}

/// Of the aggregator `at`. `None` if no time-filter feeds it.
fn counts(
    ground: Ground<'_>,
    at: usize,
    aggregator: &AggregatorPlan,
    targets: &Targets,
    course: &mut dyn Course,
) -> Option<SharedCounts> {
    let Ground { plan, reading, .. } = ground;
    let (_, _, resolved) = filter_before(plan, at, &reading.windows)?;
    let late = plan.upstream(at).into_iter().find_map(|at| targets.filters.get(&at)?.late.clone());
    let windows = resolved.windows;
    let CountedInto { tally, progress, measured } = course.counted(ground, at, aggregator, windows);
    let (buckets, threads) = (windows.buckets(aggregator.grouping), plan.stages[at].threads.get());
    let measures =
        RunMeasures::new(Arc::clone(tally.0.measures()), Arc::clone(&ground.context.names), windows, measured);
    let counting = Counting::new(buckets, tally, threads, aggregator.memory_policy, progress, measures);
    Some(SharedCounts { resolved, counting, late })
}
