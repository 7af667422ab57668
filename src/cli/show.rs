//! What is said to people: errors, the balance sheet, the list of reports.
//!
//! Not here: losses (`loss`), and why no result has come yet (`standing`). Invariant: whatever
//! stands in a log or a name is made harmless for a terminal first.

use std::env;
use std::fmt::Write as _;
use std::io::{self, Write};

use serde::Serialize;

use super::loss::{Asked, Told, lines, more_malformed};
use super::streams::taken;
use super::{tty, unpack};
use crate::config::{Plan, Task, TriggerPlan, as_option};
use crate::error::{Error, ErrorKind, Result, show_path};
use crate::model::escape::{harmless, printable};
use crate::model::{Balance, MeasureTotal, Timestamp};
use crate::options::OptionSpec;
use crate::output::json::line_of;
use crate::pipeline::{Foreign, MeasuredStamps, Sheet, Summary};
use crate::report;

/// How many problems of a configuration are told at once.
const MOST_PROBLEMS: usize = 10;

/// Says an error on stderr: one line, or one for each problem of a configuration.
pub fn error(error: &Error) {
    let (red, plain) = if tty::shows_color(&io::stderr()) { ("\x1b[31m", "\x1b[0m") } else { ("", "") };
    let mut text = String::new();
    match error.kind() {
        ErrorKind::Config(problems) => {
            for problem in problems.iter().take(MOST_PROBLEMS) {
                let problem = problem.to_string();
                let _ = writeln!(text, "{red}logparser:{plain} {}", harmless(&problem));
            }
            let more = problems.len().saturating_sub(MOST_PROBLEMS);
            if more > 0 {
                let _ = writeln!(text, "{red}logparser:{plain} and {more} more");
            }
        }
        _ => _ = writeln!(text, "{red}logparser:{plain} {}", shown(error)),
    }
    say(&text);
}

/// An error as it is shown: whatever stands in it is harmless for a terminal.
pub fn shown(error: &Error) -> String {
    let text = match error.kind() {
        ErrorKind::Compressed { path, name, reader } => {
            let words: Vec<String> = env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
            format!("{}: is compressed ({name}): {}", show_path(path), unpack::remedy(path, reader, &words))
        }
        _ => error.to_string(),
    };
    harmless(&text).into_owned()
}

/// Says what people should know though nothing failed.
pub fn warning(text: &str) {
    say(&format!("logparser: warning: {}\n", harmless(text)));
}

/// Says a loss. The line is harmless already: escaped once more, it would not show what stands in
/// the log.
pub fn loss(line: &str) {
    say(&format!("logparser: warning: {line}\n"));
}

/// What is printed of a value in JSON: one line, harmless for a terminal.
pub fn json(value: &impl Serialize) -> Result<String> {
    line_of(value).map_err(no_json)
}

pub fn no_json(source: io::Error) -> Error {
    ErrorKind::System { action: "cannot put it into JSON".into(), source }.into()
}

/// Says something that is no problem.
pub fn note(text: &str) {
    say(&format!("logparser: {}\n", harmless(text)));
}

/// When the first result of a run that follows will come, for somebody who waits for it.
pub fn following(plan: &Plan) -> String {
    let (mut by_clock, mut lateness) = (false, 0);
    for stage in &plan.stages {
        match &stage.task {
            Task::TimeFilter(filter) => lateness = filter.stamps.lateness,
            Task::BucketAggregator(aggregator) => by_clock = aggregator.live.trigger == TriggerPlan::Clock,
            _ => {}
        }
    }
    match by_clock {
        true => "following; a result comes, provisional, when the clock has passed its window".to_owned(),
        false => format!(
            "following; a result comes when stamps have passed its window by {} s (--lateness; or see --trigger clock)",
            Timestamp::from_nanos(lateness).unix_decimal()
        ),
    }
}

/// Says what is wrong with a command line in one line, or prints the help that it asks for. The
/// exit code.
pub fn usage(problem: &clap::Error, hint: Option<String>) -> u8 {
    if problem.use_stderr() {
        error(&misuse(problem, hint));
        return 2;
    }
    match taken(problem.print()) {
        Ok(code) => code,
        Err(untaken) => {
            error(&untaken);
            untaken.exit_code()
        }
    }
}

/// What is wrong with a command line, in one line.
pub fn misuse(problem: &clap::Error, hint: Option<String>) -> Error {
    use clap::error::ErrorKind as Problem;
    // For these, clap's message names nothing, or is the whole help.
    let says_little =
        matches!(problem.kind(), Problem::InvalidUtf8 | Problem::DisplayHelpOnMissingArgumentOrSubcommand);
    if let Some(hint) = hint.as_ref().filter(|_| says_little) {
        return Error::usage(format!("{hint}; --help tells more"));
    }
    let text = problem.render().to_string();
    // The parts of the message: what is wrong, tips, how it is used, where to learn more. Each
    // becomes a clause.
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let parts = text.split("\n\n").map(|part| match part.strip_prefix("Usage:") {
        Some(usages) => format!("usage: {}", usages.trim().lines().map(words).collect::<Vec<_>>().join(" or ")),
        None => words(part),
    });
    // An option is hardly ever meant as a value.
    let is_of_use = |part: &String| !part.is_empty() && !part.starts_with("For more information");
    // What clap finds near by its letters gives way to what is known.
    let is_better = |part: &String| hint.is_none() || !part.starts_with("tip: a similar argument");
    let clauses = parts.filter(is_of_use).filter(is_better).filter(|part| !part.starts_with("tip: to pass '-"));
    let mut message = clauses.collect::<Vec<_>>().join("; ");
    message = message.strip_prefix("error: ").unwrap_or(&message).to_owned();
    if let Some(hint) = hint {
        message = format!("{message}; {hint}");
    }
    Error::usage(format!("{message}; --help tells more"))
}

/// Whether any reporter writes text, so that the balance sheet belongs on stderr.
pub fn writes_text(plan: &Plan) -> bool {
    plan.stages.iter().any(|stage| match &stage.task {
        Task::Reporter(reporter) => reporter.outputs.iter().any(|output| output.entry.name == "text"),
        _ => false,
    })
}

/// Says how a run went: the sheet of each aggregator, and what was not read.
pub fn summary(summary: &Summary, sheets: bool) {
    let mut text = String::new();
    if summary.interrupted {
        text.push_str("logparser: interrupted; this is the report of what was read\n");
    }
    missed(summary, sheets);
    if sheets && !summary.is_unread() {
        for sheet in &summary.sheets {
            let name = (summary.sheets.len() > 1).then_some(sheet.stage.as_str());
            text.push_str(&sheet_text(sheet, name));
        }
    }
    for hint in &summary.hints {
        // Names in it are escaped.
        let _ = writeln!(text, "logparser: {hint}");
    }
    say(&text);
}

/// Says what there is when nothing was counted, unless a text result (`in_text`) says it.
pub fn missed(summary: &Summary, in_text: bool) {
    let missed = summary.missed.iter().find(|missed| !(missed.in_text && in_text));
    // What such lines look like is said elsewhere.
    if let Some(said) = missed.and_then(|missed| missed.said.as_ref()).filter(|_| summary.foreign().is_none()) {
        note(said);
    }
}

/// Says what the lines look like when none of them is a record.
pub fn foreign(foreign: Option<Foreign>) {
    let Some(Foreign { lines, all, kind }) = foreign else { return };
    let none = match (lines, all) {
        (1, true) => "the one line is no record: it looks".to_owned(),
        (1, false) => "the first line is no record: it looks".to_owned(),
        (_, true) => format!("none of {lines} lines is a record: they look"),
        (_, false) => format!("none of the first {lines} lines is a record: they look"),
    };
    error(&Error::usage(format!("{none} like {}; {}", kind.name, kind.advice())));
}

/// Inputs without a record that are told one by one.
const MOST_STRANGERS: usize = 3;

/// Says which inputs have no record while others have, a line each, unless nobody wants to know.
pub fn strangers(summary: &Summary, quiet: u8) {
    if quiet > 1 || summary.interrupted {
        return;
    }
    let strangers = &summary.strangers;
    for stranger in strangers.iter().take(MOST_STRANGERS) {
        warning(&match stranger.kind {
            Some(kind) => format!(
                "{}: no line of it is a record: they look like {}; {}",
                stranger.input,
                kind.name,
                kind.advice()
            ),
            None => format!("{}: no line of it is a record", stranger.input),
        });
    }
    if let Some(next) = strangers.get(MOST_STRANGERS) {
        let more = strangers.len() - MOST_STRANGERS;
        warning(&format!(
            "no line of {more} more input{} is a record, the next: {}",
            if more == 1 { "" } else { "s" },
            next.input
        ));
    }
}

/// Says which fields that were asked for no record has, and what a run has lost, of which some was told
/// before, a line for each class, unless nobody wants to know; with a sheet, a few more malformed lines.
pub fn losses(summary: &Summary, asked: &Asked, told: &Told, quiet: u8) {
    if quiet > 1 {
        return;
    }
    // Of a run that was interrupted, others may have had them.
    if !summary.interrupted || summary.follows {
        summary.unseen.iter().for_each(|line| warning(line));
    }
    for (sheet, lines) in summary.sheets.iter().zip(lines(summary, asked, told)) {
        lines.iter().for_each(|line| loss(line));
        missing_numbers(sheet).iter().for_each(|line| warning(line));
        if quiet == 0 {
            say(&more_malformed(sheet));
        }
    }
}

/// What is said of records whose numbers are not known.
fn missing_numbers(sheet: &Sheet) -> Vec<String> {
    let records = |count: u64| if count == 1 { "1 record".to_owned() } else { format!("{count} records") };
    let missing =
        sheet.measures.iter().filter(|measure| measure.missing > 0).map(|MeasureTotal { name, missing, .. }| {
            format!(
                "{name}: of {} it is not known in whole: there is no whole number where it should be",
                records(*missing)
            )
        });
    let unweighted = (sheet.unweighted > 0).then(|| {
        format!("{} should say how many connections they stand for and do not; each is one", records(sheet.unweighted))
    });
    missing.chain(unweighted).collect()
}

/// Says how far records lie behind others, and which stamps are unclear, where that was asked for.
pub fn stamps(summary: &Summary) {
    let mut text = String::new();
    for (stage, MeasuredStamps { disorder, unclear }) in &summary.stamps {
        let name =
            if summary.stamps.len() > 1 { format!(" of {}", printable(stage.as_bytes())) } else { String::new() };
        let seconds = |nanos| format!("{} s", Timestamp::from_nanos(nanos).unix_decimal());
        let _ = writeln!(text, "\nDisorder{name}: how far records lie behind the highest stamp before them");
        let _ = writeln!(text, "  {:<16}{:>16}", "records", disorder.records);
        let _ = writeln!(text, "  {:<16}{:>16}", "furthest back", seconds(disorder.largest));
        for (bound, lost) in disorder.lost().filter(|(_, lost)| *lost > 0) {
            let _ = writeln!(text, "  {:<16}{lost:>16}", format!("over {}", seconds(bound)));
        }
        for (stamps, what) in [
            (unclear.ambiguous, "an hour that happened twice, and were taken to be the first"),
            (unclear.missing, "an hour that never was, and were taken as if clocks had not been set yet"),
        ] {
            if stamps > 0 {
                let _ = writeln!(text, "Unclear stamps{name}: {stamps} of {what}");
            }
        }
    }
    say(&text);
}

/// The rows of a balance sheet. Those that are seldom of interest are there only if they are not 0.
pub fn sheet_rows(balance: &Balance) -> impl Iterator<Item = (&'static str, u64)> {
    let rows = [
        ("lines read", balance.lines_read),
        ("  unterminated", balance.unterminated),
        ("= counted", balance.counted),
        ("  of them overflow", balance.overflowed),
        ("+ filtered", balance.filtered),
        ("+ out of window", balance.out_of_window),
        ("+ late", balance.late),
        ("+ future", balance.future),
        ("+ malformed", balance.malformed_total()),
        ("+ other", balance.other),
        ("+ blank", balance.blank),
        ("bytes read", balance.bytes_read),
        ("  compressed", balance.bytes_compressed),
        ("+ skipped", balance.bytes_skipped),
        ("+ unread", balance.bytes_unread),
        ("= in inputs", balance.bytes_total),
        ("inputs", balance.inputs),
        ("unknown losses", balance.unknown_losses),
        ("results dropped", balance.results_dropped),
    ];
    // Bytes are left unread only when something went wrong, pairs overflow only where memory is
    // limited, and not all inputs are compressed.
    let seldom = [
        "+ unread",
        "  compressed",
        "  of them overflow",
        "  unterminated",
        "+ filtered",
        "+ other",
        "unknown losses",
        "results dropped",
    ];
    rows.into_iter().filter(move |(label, value)| !seldom.contains(label) || *value > 0)
}

fn sheet_text(sheet: &Sheet, name: Option<&str>) -> String {
    let balance = &sheet.balance;
    let mut text = match name {
        Some(name) => format!("\nBalance sheet of {}\n", printable(name.as_bytes())),
        None => "\nBalance sheet\n".to_owned(),
    };
    for (label, value) in sheet_rows(balance) {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {label:<18}{value:>14}");
    }
    text
}

/// The list of report functions.
pub fn reports() -> String {
    let mut text = String::new();
    for entry in report::TABLE {
        let _ = writeln!(text, "{}\n    {}", entry.name, entry.help);
        for option in entry.options {
            let _ = writeln!(text, "    {}", option_text(option));
        }
        let _ = writeln!(text, "    example: {}", as_option(entry.example));
        let _ = writeln!(text, "    in a file: reports = [{}]\n", entry.example);
    }
    text
}

fn option_text(option: &OptionSpec) -> String {
    let default = match (option.default, option.required) {
        (Some(default), _) => format!(" [default: {default}]"),
        (None, true) => " [required]".to_owned(),
        (None, false) => String::new(),
    };
    format!("{}: {}{default}", option.name, option.help)
}

/// Writes to stderr. If nobody listens there, there is nobody to tell.
pub fn say(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}
