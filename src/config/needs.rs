//! Keys that mean something only beside another: one table, for files and for the command line.
//!
//! Not here: what the keys mean. Invariant: a key that would be passed over is a problem, in the
//! words of where it was given.

use super::draft::Draft;
use super::plan::{AggregatorPlan, FilterPlan, Plan, Range, Task};
use super::problems::Problems;

/// What has to be given, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Needs {
    /// Windows that repeat.
    Every,
    /// Inputs that are followed.
    Follow,
    /// A limit, as there always is one where inputs are followed.
    MaxMemory,
}

/// Keys, each with what it needs.
const ONLY_WITH: [(&str, Needs); 12] = [
    ("align", Needs::Every),
    ("late-file", Needs::Every),
    ("max-jump", Needs::Every),
    ("max-gap", Needs::Every),
    ("memory-policy", Needs::MaxMemory),
    ("idle", Needs::Follow),
    ("rotate-wait", Needs::Follow),
    ("late-updates", Needs::Follow),
    ("trigger", Needs::Follow),
    ("state", Needs::Follow),
    ("checkpoint", Needs::Follow),
    ("stop-timeout", Needs::Follow),
];

impl Needs {
    /// The key that has to be given.
    fn key(self) -> &'static str {
        match self {
            Needs::Every => "every",
            Needs::Follow => "follow",
            Needs::MaxMemory => "max-memory",
        }
    }

    /// Whether it is there for a stage of a plan.
    fn is_met(self, task: &Task, plan: &Plan) -> bool {
        match (self, task) {
            (
                Needs::Every,
                Task::TimeFilter(FilterPlan { range, .. }) | Task::BucketAggregator(AggregatorPlan { range, .. }),
            ) => matches!(range, Range::Every { .. }),
            (Needs::MaxMemory, Task::BucketAggregator(AggregatorPlan { max_memory: Some(_), .. })) => true,
            (Needs::Every, _) => true,
            (Needs::Follow | Needs::MaxMemory, _) => plan.follows(),
        }
    }
}

/// Notes keys that have no meaning in this plan.
pub(super) fn check(plan: &Plan, drafts: &[Draft], problems: &mut Problems) {
    for stage in &plan.stages {
        let Some(draft) = drafts.iter().find(|draft| draft.name == stage.name) else { continue };
        for (key, needs) in ONLY_WITH.into_iter().filter(|(_, needs)| !needs.is_met(&stage.task, plan)) {
            let Some((_, entry)) = draft.value(key) else { continue };
            let other = entry.place.key(needs.key());
            let help = Some(format!("give {other} too, or leave it out"));
            problems.add(&entry.place, draft.key(key), format!("has a meaning only with {other}"), help);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::schema::all_keys;
    use super::*;

    #[test]
    fn every_key_of_the_table_is_one() {
        for (key, needs) in ONLY_WITH {
            assert!(all_keys().any(|spec| spec.name == key), "{key}");
            assert!(all_keys().any(|spec| spec.name == needs.key()), "{key}");
        }
    }
}
