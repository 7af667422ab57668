//! Says which bytes would be read, and why: for people, and as JSON; and for people, too, which
//! stages would be chained.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::cli::args::{Common, Settings};
use crate::cli::building::{configured_or_standard, located, or_piped, with_common, with_settings};
use crate::cli::show;
use crate::cli::streams::emit;
use crate::config::{OutputPlan, Plan, Task};
use crate::error::{Error, Result};
use crate::model::escape::printable;
use crate::output::Claim;
use crate::pipeline::{Explained, Explanation};

/// One object of the JSON, one line each, of the schema `logparser-explain/1`.
#[derive(Serialize)]
struct ExplainedLine<'a> {
    schema: &'static str,
    input: &'a str,
    size: Option<u64>,
    /// Only where it is compressed: what with. Its bytes are then those that it takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    compressed: Option<&'static str>,
    /// Only where it is known and is not `plain`.
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<&'a str>,
    from: u64,
    to: u64,
    skipped: f64,
    lowest: Option<String>,
    highest: Option<String>,
    probes: u32,
    reason: &'a str,
}

/// Reads nothing but what the plan rests on. The exit code.
pub fn explain(location: Vec<String>, config: Option<&Path>, settings: &Settings, common: &Common) -> Result<u8> {
    let location = if config.is_some() { location } else { or_piped(location)? };
    let builder = with_settings(configured_or_standard(config)?, settings)?;
    let builder = located(with_common(builder, common)?, &location)?;
    let pipeline = builder.on_failure(show::error).on_warning(show::warning).build()?;
    let outputs = outputs(pipeline.plan(), common)?;
    let chains = chains(pipeline.plan());
    let places = outputs.iter().map(|(_, path)| path.as_deref());
    let explained = places.fold(pipeline, |pipeline, place| pipeline.writes(place)).explain()?;
    for (output, path) in &outputs {
        let text = if *output == "json" { json(&explained)? } else { text(&explained) + &chains };
        emit(&text, &[path.as_deref()])?;
    }
    // As for a run in which something could not be read.
    Ok(u8::from(!explained.failures.is_empty()))
}

/// Where it goes: as the command line says, whatever the configuration says of results. Errors with
/// a format that has no place for it.
fn outputs(plan: &Plan, given: &Common) -> Result<Vec<(&'static str, Option<PathBuf>)>> {
    if given.keys.given(&["outputs"]).next().is_none() {
        return Ok(vec![("text", None)]);
    }
    let outputs = plan.stages.iter().find_map(|stage| match &stage.task {
        Task::Reporter(reporter) => Some(reporter.outputs.iter()),
        _ => None,
    });
    let path = |output: &OutputPlan| output.claims().iter().find_map(Claim::path).map(Path::to_owned);
    let outputs: Vec<_> = outputs.into_iter().flatten().map(|output| (output.entry.name, path(output))).collect();
    match outputs.iter().find(|(name, _)| !matches!(*name, "text" | "json")) {
        Some((other, _)) => Err(Error::usage(format!("--output {other}: what would be read is text or json"))),
        None => Ok(outputs),
    }
}

/// A line for each chain of stages that would run in the same workers, or one that says that there
/// is none.
fn chains(plan: &Plan) -> String {
    let name = |&at: &usize| printable(plan.stages[at].name.as_bytes());
    let line = |chain: Vec<usize>| format!("chained: {}\n", chain.iter().map(name).collect::<Vec<_>>().join(", "));
    let chains = plan.chains();
    if chains.is_empty() { "chained: none\n".to_owned() } else { chains.into_iter().map(line).collect() }
}

/// Why nothing is read of a location that is followed.
const NOWHERE: &str = "it leads to no file yet, and is waited for";

/// A line of JSON for each input, and for each location that is waited for.
fn json(explained: &Explanation) -> Result<String> {
    let mut text = String::new();
    let waited = explained.nowhere.iter().map(|location| Explained {
        name: location.clone(),
        size: None,
        packing: None,
        format: None,
        range: (0, 0),
        stamps: None,
        probes: 0,
        reason: NOWHERE.to_owned(),
    });
    for input in explained.inputs.iter().cloned().chain(waited) {
        let line = ExplainedLine {
            schema: "logparser-explain/1",
            input: &input.name,
            size: input.size,
            compressed: input.packing,
            format: input.format.as_deref(),
            from: input.range.0,
            to: input.range.1,
            skipped: input.skipped(),
            lowest: input.stamps.map(|(lowest, _)| lowest.to_string()),
            highest: input.stamps.map(|(_, highest)| highest.to_string()),
            probes: input.probes,
            reason: &input.reason,
        };
        text.push_str(&show::json(&line)?);
    }
    Ok(text)
}

/// A paragraph for each input, one for each location that is waited for, and a line for all of them.
fn text(Explanation { inputs, follows, nowhere, .. }: &Explanation) -> String {
    let mut text = String::new();
    let more = if *follows { ", and what comes" } else { "" };
    for input in inputs {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}", input.name);
        if let Some(size) = input.size {
            let (from, to) = input.range;
            let share = 100.0 * input.skipped();
            let compressed = if input.packing.is_some() { "compressed " } else { "" };
            let _ = writeln!(text, "  read     {compressed}bytes {from} to {to} of {size}, {share:.1} % skipped{more}");
        }
        if let Some(format) = &input.format {
            let _ = writeln!(text, "  format   {}", printable(format.as_bytes()));
        }
        if let Some((lowest, highest)) = input.stamps {
            let _ = writeln!(text, "  stamps   {lowest} to {highest}, by {} small reads", input.probes);
        }
        let _ = writeln!(text, "  since    {}", input.reason);
    }
    for location in nowhere {
        let _ = writeln!(text, "{location}\n  since    {NOWHERE}");
    }
    let (read, size) = inputs
        .iter()
        .filter_map(|input| Some((input.bytes(), input.size?)))
        .fold((0, 0), |(read, size), (bytes, of)| (read + bytes, size + of));
    let counted = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    let waited = match nowhere.len() {
        0 => String::new(),
        count => format!(", and {} without a file yet", counted(count, "location")),
    };
    let how = if *follows { "would be read now, and what comes" } else { "would be read" };
    let _ = writeln!(text, "{}{waited}: {read} of {size} bytes {how}", counted(inputs.len(), "input"));
    text
}
