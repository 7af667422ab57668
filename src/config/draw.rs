//! Pictures of a plan: for a terminal, for Graphviz, for Markdown.
//!
//! Not here: how a plan came about (`assemble`). Invariant: every stage and every edge of the plan
//! is in each picture, and names are escaped for its medium.

use std::fmt::Write as _;

use super::diagram::{Stage, diagram};
use super::plan::{Plan, StagePlan};
use crate::model::escape::printable;

/// How to draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DrawFormat {
    /// Boxes for a terminal.
    Text,
    /// For Graphviz.
    Dot,
    /// For Markdown pages.
    Mermaid,
}

/// Draws a plan, with threads and capacities.
pub fn draw(plan: &Plan, format: DrawFormat) -> String {
    match format {
        DrawFormat::Text => text(plan),
        DrawFormat::Dot => dot(plan),
        DrawFormat::Mermaid => mermaid(plan),
    }
}

fn threads(stage: &StagePlan) -> String {
    match stage.threads.get() {
        1 => "1 thread".to_owned(),
        more => format!("{more} threads"),
    }
}

/// What comes into a stage, and how much of it may wait.
fn edge(stage: &StagePlan) -> Option<String> {
    let item = stage.kind().takes()?.name();
    Some(if stage.chained { format!("{item}, chained") } else { format!("{item}, up to {}", stage.capacity) })
}

/// A box a stage, from top to bottom.
fn text(plan: &Plan) -> String {
    let names: Vec<String> = plan.stages.iter().map(|stage| printable(stage.name.as_bytes()).into_owned()).collect();
    let widest = |part: fn(&StagePlan) -> usize| plan.stages.iter().map(part).max().unwrap_or(0);
    let name_width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    let (kind_width, thread_width) = (widest(|stage| stage.kind().name().len()), widest(|stage| threads(stage).len()));
    let stages = plan.stages.iter().zip(&names).map(|(stage, name)| {
        let padding = " ".repeat(name_width - name.chars().count());
        let (kind, threads) = (stage.kind().name(), threads(stage));
        let title = format!("{name}{padding}   {kind:<kind_width$}   {threads:>thread_width$}");
        Stage { title, takes: edge(stage), inputs: stage.inputs.clone() }
    });
    diagram(&stages.collect::<Vec<_>>())
}

fn dot(plan: &Plan) -> String {
    let mut out = String::from("digraph pipeline {\n  rankdir=TB;\n  node [shape=box];\n");
    for (at, stage) in plan.stages.iter().enumerate() {
        let name = quoted(&printable(stage.name.as_bytes()));
        let _ = writeln!(out, "  s{at} [label=\"{name}\\n{}\\n{}\"];", stage.kind().name(), threads(stage));
    }
    for (at, stage) in plan.stages.iter().enumerate() {
        for from in &stage.inputs {
            let _ = writeln!(out, "  s{from} -> s{at} [label=\"{}\"];", edge(stage).unwrap_or_default());
        }
    }
    out.push_str("}\n");
    out
}

fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

fn mermaid(plan: &Plan) -> String {
    let mut out = String::from("flowchart TD\n");
    for (at, stage) in plan.stages.iter().enumerate() {
        let name = entities(&printable(stage.name.as_bytes()));
        let _ = writeln!(out, "  s{at}[\"{name}<br>{}<br>{}\"]", stage.kind().name(), threads(stage));
    }
    for (at, stage) in plan.stages.iter().enumerate() {
        for from in &stage.inputs {
            let _ = writeln!(out, "  s{from} -->|\"{}\"| s{at}", edge(stage).unwrap_or_default());
        }
    }
    out
}

/// Text for a quoted label: Mermaid takes what is not a letter or digit as `#CODE;`.
fn entities(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if c.is_alphanumeric() || matches!(c, ' ' | '-' | '_' | '.') {
            out.push(c);
        } else {
            let _ = write!(out, "#{};", u32::from(c));
        }
    }
    out
}
