//! As written to as meant: collects the stages, puts each key's layers together, and checks everything at once.

use std::num::NonZeroUsize;

use super::graph;
use super::node::{Content, Entry, Node, parse_file, parse_value};
use super::plan::Plan;
use super::schema::{StageType, all_keys, stage_type};
use super::stage;
use super::written::Written;
use crate::error::{ErrorKind, Place, Problem, Result};
use crate::options::suggest;
use crate::output::OutputEntry;
use crate::report::ReportEntry;

/// The plug-in parts that a configuration may name.
pub struct Catalog {
    /// The report functions.
    pub reports: Vec<ReportEntry>,
    /// The outputs.
    pub outputs: &'static [OutputEntry],
    /// The names of the log formats.
    pub formats: &'static [&'static str],
}

/// The problems found so far.
#[derive(Default)]
pub(super) struct Problems(Vec<Problem>);

impl Problems {
    /// Notes a problem, if it has not been noted word for word.
    pub fn add(&mut self, place: &Place, key: impl Into<String>, message: impl Into<String>, help: Option<String>) {
        let problem = Problem { place: place.clone(), key: key.into(), message: message.into(), help };
        if !self.0.contains(&problem) {
            self.0.push(problem);
        }
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }
}

/// From which layer a value comes; a later one is nearer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Layer {
    TopLevel,
    Stage,
    Override,
    StageOverride,
}

/// A stage with everything that was said of it.
pub(super) struct Draft {
    pub name: String,
    pub place: Place,
    /// `None` if the type is missing or unknown, which has been noted.
    pub kind: Option<StageType>,
    /// Each key's values, nearest last.
    pub values: Vec<(Layer, Entry)>,
    /// The names of the stages that feed it, with their places.
    pub inputs: Vec<(String, Place)>,
}

impl Draft {
    /// The dotted key in messages.
    pub fn key(&self, key: &str) -> String {
        format!("stages.{}.{key}", self.name)
    }

    /// The nearest value of a key.
    pub fn value(&self, key: &str) -> Option<&(Layer, Entry)> {
        self.values.iter().filter(|(_, entry)| entry.key == key).max_by_key(|(layer, _)| *layer)
    }
}

/// Checks a configuration. Errors with all its problems, in the order of the file.
pub fn check(written: &Written, catalog: &Catalog, cores: NonZeroUsize) -> Result<Plan> {
    let root = parse_file(&written.label, &written.text).map_err(|mut problems| {
        problems.sort_by(|a, b| a.place.cmp(&b.place));
        ErrorKind::Config(problems)
    })?;
    let mut problems = Problems::default();
    let mut drafts = drafts(&root, &mut problems);
    top_level(&root, &mut drafts, &mut problems);
    overrides(written, &mut drafts, &mut problems);
    for draft in &mut drafts {
        known_keys(draft, &mut problems);
        read_inputs(draft, &mut problems);
    }
    let stages: Vec<_> = drafts.iter().map(|draft| stage::read(draft, catalog, cores, &mut problems)).collect();
    let plan = graph::check(&drafts, stages, &root.place, &mut problems);
    match plan {
        Some(plan) if problems.0.is_empty() => Ok(plan),
        _ => {
            problems.0.sort_by(|a, b| a.place.cmp(&b.place));
            Err(ErrorKind::Config(problems.0).into())
        }
    }
}

/// The stages of the file, or the standard five.
fn drafts(root: &Node, problems: &mut Problems) -> Vec<Draft> {
    let Some(stages) = root.entries().iter().find(|entry| entry.key == "stages") else {
        return standard(&root.place);
    };
    if !matches!(stages.node.content, Content::Table(_)) {
        problems.add(&stages.place, "stages", "expected tables, e.g. [stages.read]", None);
        return standard(&root.place);
    }
    stages.node.entries().iter().map(|entry| draft(entry, problems)).collect()
}

fn standard(place: &Place) -> Vec<Draft> {
    let mut before = None;
    let draft = |kind: StageType| {
        let inputs = before.replace(kind.standard_name()).map(|input| (input.to_owned(), place.clone()));
        let name = kind.standard_name().to_owned();
        Draft { name, place: place.clone(), kind: Some(kind), values: Vec::new(), inputs: inputs.into_iter().collect() }
    };
    StageType::ALL.into_iter().map(draft).collect()
}

fn draft(entry: &Entry, problems: &mut Problems) -> Draft {
    let place = entry.place.clone();
    let mut draft = Draft { name: entry.key.clone(), place, kind: None, values: Vec::new(), inputs: Vec::new() };
    if !matches!(entry.node.content, Content::Table(_)) {
        problems.add(&entry.place, format!("stages.{}", entry.key), "expected a table of keys", None);
        return draft;
    }
    draft.values = entry.node.entries().iter().map(|entry| (Layer::Stage, entry.clone())).collect();
    let Some((_, given)) = draft.value("type").cloned() else {
        let help = format!("give one of {}", type_names().join(", "));
        problems.add(&draft.place, draft.key("type"), "is missing", Some(help));
        return draft;
    };
    let name = given.node.as_text().unwrap_or_default();
    draft.kind = stage_type(name);
    if draft.kind.is_none() {
        let help = suggest(name, type_names()).unwrap_or_else(|| format!("the types are {}", type_names().join(", ")));
        problems.add(&given.node.place, draft.key("type"), format!("unknown stage type '{name}'"), Some(help));
    }
    draft
}

fn type_names() -> Vec<&'static str> {
    StageType::ALL.into_iter().map(StageType::name).collect()
}

/// Gives the top-level keys to the stages that know them.
fn top_level(root: &Node, drafts: &mut [Draft], problems: &mut Problems) {
    for entry in root.entries().iter().filter(|entry| entry.key != "stages") {
        let known = all_keys().any(|spec| spec.name == entry.key);
        if known {
            spread(entry, Layer::TopLevel, drafts);
            continue;
        }
        let keys = all_keys().map(|spec| spec.name).chain(["stages"]);
        problems.add(&entry.place, &entry.key, "unknown key", suggest(&entry.key, keys));
    }
}

/// Gives a key to every stage that knows it. Whether any does.
fn spread(entry: &Entry, layer: Layer, drafts: &mut [Draft]) -> bool {
    let mut any = false;
    for draft in drafts {
        if draft.kind.is_some_and(|kind| kind.keys().any(|spec| spec.name == entry.key)) {
            draft.values.push((layer, entry.clone()));
            any = true;
        }
    }
    any
}

fn overrides(written: &Written, drafts: &mut [Draft], problems: &mut Problems) {
    for given in &written.overrides {
        let place = &given.place;
        let entry =
            |key: &str| Entry { key: key.to_owned(), place: place.clone(), node: parse_value(&given.value, place) };
        if let Some(path) = given.key.strip_prefix("stages.") {
            let Some((name, key)) = path.rsplit_once('.') else {
                problems.add(place, &given.key, "names no key", Some("write stages.NAME.KEY=VALUE".into()));
                continue;
            };
            let names: Vec<String> = drafts.iter().map(|draft| draft.name.clone()).collect();
            match drafts.iter_mut().find(|draft| draft.name == name) {
                Some(draft) => draft.values.push((Layer::StageOverride, entry(key))),
                None => {
                    let help = suggest(name, names.iter().map(String::as_str))
                        .unwrap_or_else(|| format!("the stages are {}", names.join(", ")));
                    problems.add(place, &given.key, format!("there is no stage '{name}'"), Some(help));
                }
            }
            continue;
        }
        if matches!(given.key.as_str(), "type" | "inputs") {
            let help = format!("write stages.NAME.{}=VALUE", given.key);
            problems.add(place, &given.key, "belongs to one stage", Some(help));
        } else if !all_keys().any(|spec| spec.name == given.key) {
            problems.add(place, &given.key, "unknown key", suggest(&given.key, all_keys().map(|spec| spec.name)));
        } else {
            spread(&entry(&given.key), Layer::Override, drafts);
        }
    }
}

/// Notes keys that the stage does not understand.
fn known_keys(draft: &Draft, problems: &mut Problems) {
    let Some(kind) = draft.kind else { return };
    for (_, entry) in &draft.values {
        let key = entry.key.as_str();
        if key == "type" || kind.keys().any(|spec| spec.name == key) || (key == "inputs" && kind.takes().is_some()) {
            continue;
        }
        if key == "inputs" || key == "capacity" {
            problems.add(&entry.place, draft.key(key), "a reader has no inputs: it reads its location", None);
            continue;
        }
        if let Some(other) = StageType::ALL.into_iter().find(|other| other.keys().any(|spec| spec.name == key)) {
            let message = format!("is an option of {}, not of {}", other.name(), kind.name());
            problems.add(&entry.place, draft.key(key), message, None);
            continue;
        }
        let known = kind.keys().map(|spec| spec.name).chain(["type", "inputs"]);
        problems.add(&entry.place, draft.key(key), "unknown key", suggest(key, known));
    }
}

fn read_inputs(draft: &mut Draft, problems: &mut Problems) {
    let Some((_, entry)) = draft.value("inputs") else { return };
    let mut inputs = Vec::new();
    for item in entry.node.items() {
        match item.as_text() {
            Some(name) if inputs.iter().any(|(known, _)| known == name) => {
                problems.add(&item.place, draft.key("inputs"), format!("names '{name}' twice"), None);
            }
            Some(name) => inputs.push((name.to_owned(), item.place.clone())),
            None => {
                let help = Some("write e.g. inputs = [\"read\"]".into());
                problems.add(&item.place, draft.key("inputs"), "expected the names of stages", help);
            }
        }
    }
    draft.inputs = inputs;
}
