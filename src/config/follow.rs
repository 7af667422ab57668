//! The rules of a plan that follows its inputs.
//!
//! There is one reader, one time-filter and one aggregator, since the position of an input says
//! what is counted of it, in one place.

use super::draft::Draft;
use super::plan::{FilterPlan, Plan, Range, Task};
use super::problems::Problems;
use super::schema::StageType;
use crate::error::Place;
use crate::model::MemoryPolicy;

/// Holds a plan to the rules of following, if any reader follows.
pub(super) fn check(plan: &Plan, drafts: &[Draft], problems: &mut Problems) {
    if !plan.follows() {
        return only_following(drafts, problems);
    }
    for draft in drafts {
        one_of_its_type(draft, drafts, problems);
        refused(draft, problems);
    }
    for stage in &plan.stages {
        let Some(draft) = drafts.iter().find(|draft| draft.name == stage.name) else { continue };
        match &stage.task {
            Task::Reader(reader) if reader.follow.is_none() => {
                let help = Some("give follow to all readers or to none".into());
                problems.add(&draft.place, draft.key("follow"), "is not set, but another reader follows", help);
            }
            Task::TimeFilter(filter) => repeats_without_end(filter, draft, drafts, problems),
            Task::BucketAggregator(aggregator) if aggregator.memory_policy == MemoryPolicy::Spill => {
                let message = "spill keeps counts in files that a saved state cannot name";
                let help = Some("take overflow or error when following".into());
                problems.add(&place(draft, "memory-policy"), draft.key("memory-policy"), message, help);
            }
            // Results are written one after the other; each may still be made by several threads.
            Task::Reader(_) | Task::LineSplitter | Task::BucketAggregator(_) | Task::Reporter(_) => {}
        }
    }
}

/// One position of each input has to say what is counted of it.
fn one_of_its_type(draft: &Draft, drafts: &[Draft], problems: &mut Problems) {
    let single = [StageType::Reader, StageType::TimeFilter, StageType::BucketAggregator];
    let Some(kind) = draft.kind.filter(|kind| single.contains(kind)) else { return };
    if drafts.iter().filter(|draft| draft.kind == Some(kind)).count() > 1 {
        let message = "is one of several of its type, and following counts each input once, in one place";
        let help = Some("use one reader, one time-filter and one bucket-aggregator, or a run for each".into());
        problems.add(&draft.place, format!("stages.{}", draft.name), message, help);
    }
}

/// Windows have to repeat, and nothing may end them.
fn repeats_without_end(filter: &FilterPlan, draft: &Draft, drafts: &[Draft], problems: &mut Problems) {
    match filter.range {
        Range::Every { until: None, .. } => {}
        Range::Every { .. } => {
            let help = Some("leave it out".into());
            problems.add(&place(draft, "until"), draft.key("until"), "ends what is to be followed", help);
        }
        Range::Once { .. } => {
            let followed = drafts.iter().find_map(|draft| draft.value("follow"));
            let (place, message, help) = match followed.map(|(_, entry)| &entry.place) {
                Some(place @ Place::Option(_)) => (place, "needs --every, too", "how often to report, e.g. --every 1m"),
                _ => (
                    &draft.place,
                    "is missing, as inputs are followed",
                    "give it, e.g. every = \"1m\": how often to report",
                ),
            };
            problems.add(place, draft.key("every"), message, Some(help.into()));
        }
    }
}

fn place(draft: &Draft, key: &str) -> Place {
    draft.value(key).map_or(&draft.place, |(_, entry)| &entry.node.place).clone()
}

/// Values that cannot be had while following.
fn refused(draft: &Draft, problems: &mut Problems) {
    let text = |key| draft.value(key).and_then(|(_, entry)| entry.node.as_text());
    let instead = [
        ("align", "give epoch, start or an instant"),
        ("since", "give an instant, or one that rests on now, e.g. now-1h"),
    ];
    for (key, help) in instead {
        let given = text(key).unwrap_or_default();
        if let Some(word) = ["first", "latest"].into_iter().find(|word| given.starts_with(word)) {
            let message = format!("{word} is not known before all is read");
            problems.add(&place(draft, key), draft.key(key), message, Some(help.into()));
        }
    }
    if draft.value("stats").is_some_and(|(_, entry)| entry.node.raw() == crate::options::Raw::Flag(true)) {
        let help = Some("measure the disorder in a run that ends".into());
        problems.add(&place(draft, "stats"), draft.key("stats"), "cannot be had while following", help);
    }
}

/// Notes values that have no meaning in a run that ends.
fn only_following(drafts: &[Draft], problems: &mut Problems) {
    for draft in drafts {
        if draft.value("align").is_some_and(|(_, entry)| entry.node.as_text() == Some("start")) {
            let help = Some("give epoch, first or an instant".into());
            let message = "start has a meaning only when inputs are followed";
            problems.add(&place(draft, "align"), draft.key("align"), message, help);
        }
    }
}
