//! What is said once when a run that follows has read what was there and no result has come: what
//! was read, why there is no result yet, and when there will be one.
//!
//! Not here: lines that are not records (`show::foreign`). Invariant: what is said to bring a
//! result does.

use std::time::Duration;

use crate::config::{Plan, Task};
use crate::model::Timestamp;
use crate::model::peaks::ENOUGH;
use crate::pipeline::Standing;

/// What a plan says of when results come.
#[derive(Debug, Clone, Copy, Default)]
pub struct Waits {
    /// The declared disorder in nanoseconds.
    lateness: i64,
    /// How long an input has to be silent not to be waited for.
    idle: Duration,
    /// Whether a few stamps that run ahead are not believed.
    doubts: bool,
}

impl Waits {
    /// Of a plan.
    pub fn of(plan: &Plan) -> Self {
        let mut waits = Waits::default();
        for stage in &plan.stages {
            match &stage.task {
                Task::TimeFilter(filter) => {
                    (waits.lateness, waits.doubts) = (filter.stamps.lateness, filter.stamps.max_jump > 0)
                }
                Task::Reader(reader) => waits.idle = reader.follow.map_or(waits.idle, |follow| follow.idle),
                _ => {}
            }
        }
        waits
    }

    /// The line that is said.
    pub fn said(&self, standing: &Standing) -> String {
        let counted = |count: u64, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
        let read = format!("{} of {} read", counted(standing.lines, "line"), counted(standing.inputs, "input"));
        format!("{read}; no result yet: {}; {}", self.why(standing), self.when(standing))
    }

    fn why(&self, standing: &Standing) -> String {
        let begin = format!("windows begin at {} (--since sets that)", standing.first);
        match (standing.counted, standing.highest) {
            (0, Some(highest)) if highest < standing.first => format!("stamps have come to {highest}, and {begin}"),
            (0, Some(highest)) => format!("stamps have come to {highest}, and no record counts"),
            (0, None) if standing.lines > 0 => "no line is a record of a time up to now".to_owned(),
            (0, None) if standing.skipped > 0 => format!("all that is there lies before, and {begin}"),
            (0, None) => "there is nothing to read".to_owned(),
            (counted, Some(highest)) => format!("{counted} counted, and stamps have come to {highest}"),
            (counted, None) => format!("{counted} counted"),
        }
    }

    /// What closes the first window.
    fn when(&self, standing: &Standing) -> String {
        let lateness = Timestamp::from_nanos(self.lateness).unix_decimal();
        let (window, past, is_there) = match standing.end {
            Some(end) => {
                let enough = end.plus(self.lateness);
                let is_there = standing.counted > 0 && standing.highest >= Some(enough);
                (format!("the window to {end}"), format!("from {enough} on (--lateness {lateness}s)"), is_there)
            }
            None => ("a window".to_owned(), format!("{lateness} s (--lateness) past its end"), false),
        };
        let silent = format!("silent for {} (--idle)", humantime::format_duration(self.idle));
        let enough = match (self.doubts, is_there) {
            (true, false) => format!("{ENOUGH} stamps {past}, or one and is {silent}"),
            (true, true) => format!("{ENOUGH} stamps {past}, or is {silent}"),
            (false, _) => format!("a stamp {past}; one that is {silent} is not waited for"),
        };
        format!("{window} closes once each input has {enough}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::SECOND;

    const WAITS: Waits = Waits { lateness: 300 * SECOND, idle: Duration::from_secs(30), doubts: true };

    fn standing(counted: u64, highest: Option<i64>) -> Standing {
        let (first, end) = (Timestamp::from_seconds(1_000_000), Some(Timestamp::from_seconds(1_000_060)));
        let highest = highest.map(Timestamp::from_seconds);
        Standing { lines: 2, skipped: 0, inputs: 1, counted, highest, first, end }
    }

    #[test]
    fn each_reason_is_said_with_what_brings_a_result() {
        let begin = "windows begin at 1970-01-12T13:46:40Z (--since sets that)";
        let come = |time: &str| format!("2 counted, and stamps have come to 1970-01-12T{time}Z");
        let closes = "the window to 1970-01-12T13:47:40Z closes once each input has 8 stamps from 1970-01-12T13:52:40Z on \
                      (--lateness 300s), or ";
        let silent = "one and is silent for 30s (--idle)";
        let early = standing(0, Some(5));
        let none = Standing { lines: 0, ..standing(0, None) };
        for (standing, why) in [
            (early, format!("stamps have come to 1970-01-01T00:00:05Z, and {begin}")),
            (standing(2, Some(1_000_010)), come("13:46:50")),
            (standing(0, None), "no line is a record of a time up to now".to_owned()),
            (none, "there is nothing to read".to_owned()),
            (Standing { skipped: 9, ..none }, format!("all that is there lies before, and {begin}")),
        ] {
            let said = format!("{} lines of 1 input read; no result yet: {why}; {closes}{silent}", standing.lines);
            assert_eq!(WAITS.said(&standing), said);
        }
        let near = standing(2, Some(1_000_360));
        assert!(WAITS.said(&near).ends_with(&format!("{}; {closes}is silent for 30s (--idle)", come("13:52:40"))));
        let unknown = WAITS.said(&Standing { end: None, ..early });
        let said =
            format!("; a window closes once each input has 8 stamps 300 s (--lateness) past its end, or {silent}");
        assert!(unknown.ends_with(&said), "{unknown}");
        let believing = Waits { doubts: false, ..WAITS }.said(&near);
        let said = " has a stamp from 1970-01-12T13:52:40Z on (--lateness 300s); one that is silent for 30s (--idle) is not waited for";
        assert!(believing.ends_with(said), "{believing}");
    }
}
