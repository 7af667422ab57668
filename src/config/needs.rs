//! Keys that mean something only beside another, in files and on the command line.
//!
//! Not here: which keys those are (`schema`). Invariant: a key that would be passed over is a
//! problem, in the words of where it was given.

use super::draft::Draft;
use super::plan::{AggregatorPlan, FilterPlan, Plan, Range, Task};
use super::problems::Problems;
use super::schema::Needs;

/// Whether what is needed is there for a stage of a plan.
fn is_met(needs: Needs, task: &Task, plan: &Plan) -> bool {
    match (needs, task) {
        (
            Needs::Every,
            Task::TimeFilter(FilterPlan { range, .. }) | Task::BucketAggregator(AggregatorPlan { range, .. }),
        ) => matches!(range, Range::Every { .. }),
        (Needs::MaxMemory, Task::BucketAggregator(AggregatorPlan { max_memory: Some(_), .. })) => true,
        (Needs::Every, _) => true,
        (Needs::Follow | Needs::MaxMemory, _) => plan.follows(),
    }
}

/// Notes keys that have no meaning in this plan.
pub(super) fn check(plan: &Plan, drafts: &[Draft], problems: &mut Problems) {
    for stage in &plan.stages {
        let Some(draft) = drafts.iter().find(|draft| draft.name == stage.name) else { continue };
        for key in stage.kind().table() {
            let Some(needs) = key.needs.filter(|needs| !is_met(*needs, &stage.task, plan)) else { continue };
            let Some((_, entry)) = draft.value(key.spec.name) else { continue };
            let other = entry.place.key(needs.key());
            let help = Some(format!("give {other} too, or leave it out"));
            let message = format!("has a meaning only with {other}");
            problems.add(&entry.place, draft.key(key.spec.name), message, help);
        }
    }
}
