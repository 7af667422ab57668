//! What a saved state depends on, as text: of a plan, and read back.
//!
//! Not here: which keys those are (`schema`). Invariant: the text of a plan stays the same from version
//! to version, letter by letter, as saved states hold it.

use std::fmt::Write as _;

use super::plan::{OutputPlan, Plan, ReportPlan, Task};
use crate::model::{Guard, Lengths, Moment};
use crate::output::Claim;

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
            // What a name of one's own stands for may change.
            if let ("format", Task::TimeFilter(filter)) = (*key, &stage.task)
                && filter.stamps.format.is_own()
            {
                line(
                    "definition",
                    &format_args!("{:016x}", Guard::of(filter.stamps.format.identity().as_bytes()).hash),
                );
            }
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
