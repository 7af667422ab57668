//! The stages as they are written: the values of each key by layer, before any is read as what it
//! means.
//!
//! Not here: what values mean (`stage`) and whether stages fit together (`graph`).

use std::collections::HashSet;

use super::formats;
use super::node::{Content, Entry, Node, parse_value};
use super::problems::Problems;
use super::schema::{StageType, all_keys, stage_type};
use super::written::Written;
use crate::error::Place;
use crate::options::suggest;

/// Stages that a configuration may have: each has threads of its own, and what is checked of the
/// graph goes by their square.
pub(super) const MAX_STAGES: usize = 256;

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

/// All stages, with the layers of their keys. Notes what belongs to none of them. `None` if there
/// are too many: what else is wrong with so many would only be noise.
pub(super) fn collect(root: &Node, written: &Written, problems: &mut Problems) -> Option<Vec<Draft>> {
    let mut drafts = drafts(root, problems);
    if let Some(first) = drafts.get(MAX_STAGES) {
        let message = format!("there are {} stages, and {MAX_STAGES} at most", drafts.len());
        let help = "give one reader several locations, or make several runs of it";
        *problems = Problems::default();
        problems.add(&first.place, "stages", message, Some(help.into()));
        return None;
    }
    top_level(root, &mut drafts, problems);
    overrides(written, &mut drafts, problems);
    for draft in &mut drafts {
        known_keys(draft, problems);
        read_inputs(draft, problems);
    }
    Some(drafts)
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
    for entry in root.entries().iter().filter(|entry| entry.key != "stages" && entry.key != formats::TABLE) {
        let known = all_keys().any(|spec| spec.name == entry.key);
        if known {
            spread(entry, Layer::TopLevel, drafts);
            continue;
        }
        let keys = all_keys().map(|spec| spec.name).chain(["stages", formats::TABLE]);
        let is_stage =
            matches!(entry.node.content, Content::Table(_)) && drafts.iter().any(|draft| draft.name == entry.key);
        let help = match problems.want_help() {
            true if is_stage => Some(format!("the keys of a stage stand in [stages.{}]", entry.key)),
            true => suggest(&entry.key, keys),
            false => None,
        };
        problems.add(&entry.place, &entry.key, "unknown key", help);
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
    for given in written.effective() {
        let place = &given.place;
        let entry =
            |key: &str| Entry { key: key.to_owned(), place: place.clone(), node: parse_value(&given.value, place) };
        if let Some(path) = given.key.strip_prefix("stages.") {
            let Some((name, key)) = path.rsplit_once('.') else {
                problems.add(place, &given.key, "names no key", Some("write stages.NAME.KEY=VALUE".into()));
                continue;
            };
            if key == "type" {
                problems.add(place, &given.key, "is fixed", Some("change it where the stage is written".into()));
                continue;
            }
            match drafts.iter_mut().find(|draft| draft.name == name) {
                Some(draft) => draft.values.push((Layer::StageOverride, entry(key))),
                None => {
                    let help = problems.want_help().then(|| near_stage(name, drafts));
                    problems.add(place, &given.key, format!("there is no stage '{name}'"), help);
                }
            }
            continue;
        }
        if matches!(given.key.as_str(), "type" | "inputs") {
            let help = format!("write stages.NAME.{}=VALUE", given.key);
            problems.add(place, &given.key, "belongs to one stage", Some(help));
        } else if let Some((name, key)) = of_stage(&given.key) {
            let help = problems.want_help().then(|| match meant_stage(name, drafts) {
                Some(stage) => format!("write stages.{stage}.{key}={}", given.value),
                None => format!("write stages.NAME.{key}={}; {}", given.value, near_stage(name, drafts)),
            });
            problems.add(place, &given.key, "names a stage without stages. before it", help);
        } else if !all_keys().any(|spec| spec.name == given.key) {
            let help = if problems.want_help() { suggest(&given.key, all_keys().map(|spec| spec.name)) } else { None };
            problems.add(place, &given.key, "unknown key", help);
        } else {
            spread(&entry(&given.key), Layer::Override, drafts);
        }
    }
}

/// The stage and its key that a dotted path names, if that is one.
fn of_stage(path: &str) -> Option<(&str, &str)> {
    path.split_once('.').filter(|(_, key)| all_keys().any(|spec| spec.name == *key))
}

/// The stage of this name, or the only one that is called otherwise and is of the type that has it.
fn meant_stage<'a>(name: &str, drafts: &'a [Draft]) -> Option<&'a str> {
    if let Some(draft) = drafts.iter().find(|draft| draft.name == name) {
        return Some(&draft.name);
    }
    let is_called = |kind: &StageType| kind.standard_name() == name || kind.name() == name;
    let kind = StageType::ALL.into_iter().find(is_called)?;
    let mut alike = drafts.iter().filter(|draft| draft.kind == Some(kind));
    alike.next().filter(|_| alike.next().is_none()).map(|draft| draft.name.as_str())
}

/// What is said of a stage that is not there.
fn near_stage(name: &str, drafts: &[Draft]) -> String {
    let names = || drafts.iter().map(|draft| draft.name.as_str());
    if let Some(meant) = meant_stage(name, drafts) {
        return format!("did you mean '{meant}'?");
    }
    suggest(name, names()).unwrap_or_else(|| format!("the stages are {}", names().collect::<Vec<_>>().join(", ")))
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
        let others = StageType::ALL.into_iter().filter(|other| other.keys().any(|spec| spec.name == key));
        let others: Vec<&str> = others.map(StageType::name).collect();
        if !others.is_empty() {
            let message = format!("is an option of {}, not of {}", others.join(", "), kind.name());
            problems.add(&entry.place, draft.key(key), message, None);
            continue;
        }
        let known = kind.keys().map(|spec| spec.name).chain(["type", "inputs"]);
        let help = if problems.want_help() { suggest(key, known) } else { None };
        problems.add(&entry.place, draft.key(key), "unknown key", help);
    }
}

fn read_inputs(draft: &mut Draft, problems: &mut Problems) {
    let Some((_, entry)) = draft.value("inputs") else { return };
    let (mut inputs, mut known) = (Vec::new(), HashSet::new());
    for item in entry.node.items() {
        match item.as_text() {
            Some(name) if !known.insert(name) => {
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

#[cfg(test)]
mod tests {
    use super::super::tests::problems;
    use super::*;

    #[test]
    fn a_key_of_a_stage_is_told_from_where_it_belongs() {
        let said = |key: &str| {
            let mut written = Written::from_text("p.toml", "location = 'x'");
            written.set(key, "false", Place::Argument("--set".to_owned()));
            problems(&written)
        };
        for (path, help) in [
            ("tally", "write stages.tally.chain=false"),
            ("bucket-aggregator", "write stages.tally.chain=false"),
            ("talley", "write stages.NAME.chain=false; did you mean 'tally'?"),
            ("zzz", "write stages.NAME.chain=false; the stages are read, lines, recent, tally, report"),
        ] {
            let given = format!("{path}.chain");
            let expected = format!("--set: {given}: names a stage without stages. before it; {help}");
            assert_eq!(said(&given), [expected]);
        }
        let expected = "there is no stage 'bucket-aggregator'; did you mean 'tally'?";
        let given = "stages.bucket-aggregator.chain";
        assert_eq!(said(given), [format!("--set: {given}: {expected}")]);
    }

    #[test]
    fn a_table_that_is_a_stage_outside_of_stages_is_told() {
        let said = |text| problems(&Written::from_text("p.toml", text));
        let wrong = said("location = 'x'\n[tally]\nchain = false");
        assert!(wrong[0].ends_with("tally: unknown key; the keys of a stage stand in [stages.tally]"), "{wrong:?}");
        assert!(said("location = 'x'\ntally = 5")[0].ends_with("tally: unknown key"), "{:?}", said("tally = 5"));
    }
}
