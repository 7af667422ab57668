//! What people should know and a medium has no place for: rows that a limit left out though they
//! are as good as the last one, and windows that were cut.
//!
//! Not here: what is lost. Invariant: what results hold is not changed for it; it is said once, at
//! the end of a run.

use crate::model::{More, Timestamp, Window, WindowResult};

/// What the results of a run left unsaid, by report.
#[derive(Debug, Default)]
pub struct Unsaid {
    /// By the place of a report in the results.
    reports: Vec<Option<CutShort>>,
    cut: Option<CutWindows>,
}

/// Windows that the range which was asked for cuts.
#[derive(Debug)]
struct CutWindows {
    medium: &'static str,
    first: Window,
    last: Window,
}

/// A report that was cut short.
#[derive(Debug)]
struct CutShort {
    name: String,
    medium: &'static str,
    results: u64,
    latest: More,
    /// Where the window of the latest ended, if there are several.
    window: Option<Timestamp>,
}

impl Unsaid {
    /// Takes in a result that is written in a medium which has no place for it.
    pub fn note(&mut self, medium: &'static str, result: &WindowResult) {
        if !result.cut.is_open() {
            let first = self.cut.as_ref().map_or(result.window, |cut| cut.first);
            self.cut = Some(CutWindows { medium, first, last: result.window });
        }
        self.reports.resize_with(result.reports.len().max(self.reports.len()), || None);
        for (known, report) in self.reports.iter_mut().zip(&result.reports) {
            let Some(latest) = report.more else { continue };
            let results = known.as_ref().map_or(0, |known| known.results) + 1;
            let window = result.periodic.then_some(result.window.end);
            *known = Some(CutShort { name: report.id.clone(), medium, results, latest, window });
        }
    }

    /// What to say, a line for cut windows and one for each report that was cut short.
    pub fn hints(&self) -> impl Iterator<Item = String> {
        let cut = self.cut.as_ref().map(|CutWindows { medium, first, last }| {
            let which = match first == last {
                true => "the window".to_owned(),
                false => format!("windows, the first {} .. {}, the last", first.start, first.end),
            };
            format!(
                "since and until cut {which} {} .. {}: what lies outside them does not count there; {medium} has no place \
                 for that, json and text say it",
                last.start, last.end
            )
        });
        cut.into_iter().chain(self.cut_short())
    }

    fn cut_short(&self) -> impl Iterator<Item = String> {
        self.reports.iter().flatten().map(|cut| {
            let is_one = cut.latest.rows == 1;
            let rows = if is_one { "1 more row".to_owned() } else { format!("{} more rows", cut.latest.rows) };
            let what = match cut.latest.with {
                Some(count) if is_one => format!("has {count}, as the last one shown"),
                Some(count) => format!("have {count}, as the last one shown"),
                None if is_one => "was left out".to_owned(),
                None => "were left out".to_owned(),
            };
            let window = match (cut.window, cut.results) {
                (None, _) => String::new(),
                (Some(end), 1) => format!(" in the window to {end}"),
                (Some(end), results) => format!(" in the window to {end}, the last of {results} such results"),
            };
            format!(
                "{}: {rows} {what}{window}; {} has no place for that, json and text say it, and a higher limit shows more",
                cut.name, cut.medium
            )
        })
    }
}
