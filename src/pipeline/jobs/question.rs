//! What is asked of tallies by a plan, and which plans tallies cannot be made of.
//!
//! Not here: counting (`partial`) and adding up (`tallies`). Invariant: plans of the same question
//! give the same results on the same tallies.

use crate::config::{Plan, Range, Task};
use crate::error::{Error, Result};
use crate::model::Window;
use crate::tallies::Question;

/// Refuses what tallies cannot be made of.
pub(super) fn check(plan: &Plan) -> Result<()> {
    let [_, filter, _] = plan.single()?;
    let Task::TimeFilter(filter) = &plan.stages[filter].task else { return Ok(()) };
    if matches!(filter.range, Range::Every { .. }) {
        return Err(Error::usage("tallies are of one window; leave out every"));
    }
    if filter.stats {
        return Err(Error::usage("the disorder is measured by a run over whole inputs; leave out stats"));
    }
    Ok(())
}

/// What is asked of the tallies of a plan. Its window has been found.
pub(super) fn question(plan: &Plan, window: Window) -> Result<Question> {
    let [reader, filter, aggregator] = plan.single()?;
    match (&plan.stages[reader].task, &plan.stages[filter].task, &plan.stages[aggregator].task) {
        (Task::Reader(reader), Task::TimeFilter(filter), Task::BucketAggregator(aggregator)) => Ok(Question {
            start: window.start,
            end: window.end,
            grouping: aggregator.grouping,
            previous: aggregator.needs_previous,
            format: filter.stamps.format.identity(),
            max_line: reader.max_line as u64,
            lateness: filter.stamps.lateness,
        }),
        _ => Err(Error::usage("the configuration has no way from logs to tallies")),
    }
}
