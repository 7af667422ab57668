//! The rules of a plan that follows its inputs, and what of it a saved state depends on.

use std::fmt::Write as _;
use std::num::NonZeroUsize;

use super::draft::Draft;
use super::plan::{OutputPlan, Plan, Range, ReportPlan, Task};
use super::problems::Problems;
use super::schema::StageType;
use crate::error::Place;
use crate::model::{Lengths, MemoryPolicy, Moment};
use crate::output::Claim;

/// Holds a plan to the rules of following, if any reader follows, and completes it.
pub(super) fn check(plan: &mut Plan, drafts: &[Draft], problems: &mut Problems) {
    if !plan.follows() {
        return only_following(drafts, problems);
    }
    for draft in drafts {
        let kind = |kind| drafts.iter().filter(|draft| draft.kind == Some(kind)).count();
        let several = draft
            .kind
            .filter(|kind| matches!(kind, StageType::Reader | StageType::TimeFilter | StageType::BucketAggregator));
        if several.is_some_and(|several| kind(several) > 1) {
            // One position of each input has to say what is counted of it.
            let message = "is one of several of its type, and following counts each input once, in one place";
            let help = Some("use one reader, one time-filter and one bucket-aggregator, or a run for each".into());
            problems.add(&draft.place, format!("stages.{}", draft.name), message, help);
        }
        refused(draft, problems);
    }
    for stage in &mut plan.stages {
        let Some(draft) = drafts.iter().find(|draft| draft.name == stage.name) else { continue };
        match &mut stage.task {
            Task::Reader(reader) if reader.follow.is_none() => {
                let help = Some("give follow to all readers or to none".into());
                problems.add(&draft.place, draft.key("follow"), "is not set, but another reader follows", help);
            }
            Task::TimeFilter(filter) => match filter.range {
                Range::Every { until: None, .. } => {}
                Range::Every { .. } => {
                    let help = Some("leave it out".into());
                    problems.add(&place(draft, "until"), draft.key("until"), "ends what is to be followed", help);
                }
                Range::Once { .. } => {
                    let followed = drafts.iter().find_map(|draft| draft.value("follow"));
                    let (place, message, help) = match followed.map(|(_, entry)| &entry.place) {
                        Some(place @ Place::Option(_)) => {
                            (place, "needs --every, too", "how often to report, e.g. --every 1m")
                        }
                        _ => (
                            &draft.place,
                            "is missing, as inputs are followed",
                            "give it, e.g. every = \"1m\": how often to report",
                        ),
                    };
                    problems.add(place, draft.key("every"), message, Some(help.into()));
                }
            },
            Task::BucketAggregator(aggregator) => {
                aggregator.live.follows = true;
                if aggregator.memory_policy == MemoryPolicy::Spill {
                    let message = "spill keeps counts in files that a saved state cannot name";
                    let help = Some("take overflow or error when following".into());
                    problems.add(&place(draft, "memory-policy"), draft.key("memory-policy"), message, help);
                }
            }
            // Results are written one after the other; each may still be made by several threads.
            Task::Reader(_) | Task::LineSplitter | Task::Reporter(_) => {}
        }
        if matches!(stage.task, Task::Reader(_)) {
            stage.threads = NonZeroUsize::MIN;
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

/// What a saved state depends on, as `key = value` lines: with any of it changed, its counts would
/// mean something else.
pub fn fingerprint(plan: &Plan) -> String {
    let mut text = String::new();
    let mut line = |key: &str, value: &dyn std::fmt::Display| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{key} = {value}");
    };
    for stage in &plan.stages {
        for (key, value) in &stage.in_state {
            // Not a key, but what the reports need. This is where it has always stood.
            if let ("seconds", Task::TimeFilter(filter)) = (*key, &stage.task) {
                line("previous", &filter.needs_previous);
            }
            line(key, value);
        }
    }
    text
}

/// What a run asks, as lines: what its counts depend on, its reports and where they go. Two runs
/// that differ in it have results of their own, so that each has a state of its own where none is
/// given.
pub fn question(plan: &Plan) -> String {
    let mut text = fingerprint(plan);
    for stage in &plan.stages {
        let Task::Reporter(reporter) = &stage.task else { continue };
        for ReportPlan { entry, options } in &reporter.reports {
            let options: Vec<_> = options.iter().collect();
            let _ = writeln!(text, "report = {} {options:?}", entry.name);
        }
        for OutputPlan { entry, options } in &reporter.outputs {
            let claims = (entry.claims)(options);
            let path = claims.iter().find_map(Claim::path);
            let _ = write!(text, "output = {} {path:?}", entry.name);
            // What is beside the place was not there in former versions.
            let place = entry.options.first().map(|spec| spec.name);
            let others: Vec<_> = options.iter().filter(|(name, _)| Some(*name) != place).collect();
            let _ = if others.is_empty() { writeln!(text) } else { writeln!(text, " {others:?}") };
        }
    }
    text
}

/// The lengths of time in a fingerprint; none if this is not one that `fingerprint` writes.
pub fn lengths_in(fingerprint: &str) -> Option<Lengths> {
    let text = |key: &str| fingerprint.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = "));
    let length = |key: &str| nanos(text(key)?);
    let anchor = text("align").map(|text| Moment::read(text, &[]));
    let above_0 = |key: &str| length(key).filter(|length| *length > 0);
    Some(Lengths {
        window: above_0("seconds")?,
        period: above_0("every")?,
        anchor: if let Some(Ok(Some(Moment::At(time)))) = anchor { Some(time) } else { None },
        grouping: above_0("grouping-seconds")?,
        lateness: length("lateness")?,
        grace: length("late-updates")?,
    })
}

/// Nanoseconds that are written as seconds, none of them below 0.
fn nanos(seconds: &str) -> Option<i64> {
    let (whole, part) = seconds.split_once('.').unwrap_or((seconds, ""));
    let are_digits = whole.bytes().chain(part.bytes()).all(|byte| byte.is_ascii_digit());
    if !are_digits || part.len() > 9 {
        return None;
    }
    format!("{whole}{part:0<9}").parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::Timestamp;

    proptest! {
        #[test]
        fn lengths_are_read_back_from_a_fingerprint(window in 1i64.., period in 1i64.., grouping in 1i64.., lateness in 0i64.., grace in 0i64.., anchor: i64, given: bool) {
            let seconds = |nanos| Timestamp::from_nanos(nanos).unix_decimal();
            let (s, e, g, l, u) = (seconds(window), seconds(period), seconds(grouping), seconds(lateness), seconds(grace));
            let anchor = given.then(|| Timestamp::from_nanos(anchor));
            let a = anchor.map_or("first".to_owned(), |time| Moment::At(time).to_string());
            let text = format!(
                "location = seconds = 5\nseconds = {s}\nevery = {e}\nalign = {a}\nlateness = {l}\nlate-updates = {u}\ngrouping-seconds = {g}\n"
            );
            prop_assert_eq!(lengths_in(&text), Some(Lengths { window, period, anchor, grouping, lateness, grace }));
        }
    }

    #[test]
    fn what_is_no_fingerprint_has_no_lengths() {
        let good = "seconds = 60\nevery = 60\nlateness = 0\nlate-updates = 0\ngrouping-seconds = 60\n";
        assert!(lengths_in(good).is_some());
        for key in ["seconds = 60\ne", "every", "lateness", "late-updates", "grouping-seconds"] {
            assert_eq!(lengths_in(&good.replacen(key, "x", 1)), None, "{key}");
        }
        for bad in ["0", "-1", "1.0000000001", "", "1e3", "9223372037", "99999999999999999999"] {
            assert_eq!(lengths_in(&good.replacen("every = 60", &format!("every = {bad}"), 1)), None, "{bad}");
        }
    }
}
