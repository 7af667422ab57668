//! Whether what reports rank by is summed: told before a run begins, and not at its end.
//!
//! Not here: ranking (`report`).

use crate::config::{Plan, Task};
use crate::error::{Error, Result};
use crate::model::MeasureSet;

/// Refuses a plan with a report that ranks by what is not summed by the aggregators before it.
pub(super) fn check(plan: &Plan) -> Result<()> {
    for at in 0..plan.stages.len() {
        let aggregators = plan.upstream(at).into_iter().filter_map(|before| match &plan.stages[before].task {
            Task::BucketAggregator(aggregator) => Some(&aggregator.measures),
            _ => None,
        });
        let sums = aggregators.flat_map(|measures| &measures[..MeasureSet::of(measures).sums()]);
        check_stage(plan, at, &sums.cloned().collect::<Vec<_>>())?;
    }
    Ok(())
}

/// The same where these are the measures of all that is counted.
pub(super) fn check_all(plan: &Plan, measures: &[String]) -> Result<()> {
    let sums = &measures[..MeasureSet::of(measures).sums()];
    (0..plan.stages.len()).try_for_each(|at| check_stage(plan, at, sums))
}

fn check_stage(plan: &Plan, at: usize, sums: &[String]) -> Result<()> {
    let Task::Reporter(reporter) = &plan.stages[at].task else { return Ok(()) };
    let asked = reporter.reports.iter().filter_map(|report| report.options.text("by"));
    let is_there = |by: &&str| *by == "connections" || sums.iter().any(|name| name == by);
    let Some(by) = asked.into_iter().find(|by| !is_there(by)) else { return Ok(()) };
    let summed = if sums.is_empty() { "nothing is".to_owned() } else { format!("{} is", sums.join(", ")) };
    Err(Error::usage(format!("cannot rank by '{by}': {summed} summed; add --sum {by}")))
}
