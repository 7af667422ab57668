//! The formats that a configuration defines: `[formats.NAME]`.
//!
//! Not here: what their keys mean (`format::mapped`). Invariant: each key that is wrong is noted at
//! its place, and a format with one is not there.

use std::sync::Arc;

use super::node::{Content, Entry, Node};
use super::problems::Problems;
use crate::format::mapped::definition::KEYS;
use crate::format::mapped::presets::preset;
use crate::format::{self, Definition};
use crate::options::{Options, suggest};

/// The name of the table.
pub(super) const TABLE: &str = "formats";

/// The key that names the format whose keys are taken where no others are given.
const LIKE: &str = "like";

/// The formats of a configuration.
pub(super) fn own(root: &Node, problems: &mut Problems) -> Vec<Arc<Definition>> {
    let Some(table) = root.entries().iter().find(|entry| entry.key == TABLE) else { return Vec::new() };
    if !matches!(table.node.content, Content::Table(_)) {
        problems.add(&table.place, TABLE, "expected tables, e.g. [formats.mine]", None);
        return Vec::new();
    }
    table.node.entries().iter().filter_map(|entry| own_format(entry, problems)).collect()
}

fn own_format(entry: &Entry, problems: &mut Problems) -> Option<Arc<Definition>> {
    let name = &entry.key;
    let key = |key: &str| format!("{TABLE}.{name}.{key}");
    if !matches!(entry.node.content, Content::Table(_)) {
        problems.add(&entry.place, format!("{TABLE}.{name}"), "expected a table of keys", None);
        return None;
    }
    if format::names().any(|known| known == name) {
        let help = format!("give it a name of its own, and {LIKE} = \"{name}\" for the rest of its keys");
        problems.add(&entry.place, format!("{TABLE}.{name}"), "is the name of a format that is there", Some(help));
        return None;
    }
    let before = problems.len();
    let mut options = Options::default();
    for given in entry.node.entries() {
        if given.key == LIKE {
            like(given, &key(LIKE), &mut options, problems);
            continue;
        }
        let Some(spec) = KEYS.iter().find(|spec| spec.name == given.key) else {
            let help = suggest(&given.key, KEYS.iter().map(|spec| spec.name));
            problems.add(&given.place, key(&given.key), "unknown key of a format", help);
            continue;
        };
        match spec.kind.parse(&given.node.raw()) {
            Ok(value) => options.set(spec.name, value),
            Err(expected) => problems.add(&given.node.place, key(spec.name), expected, Some(spec.help.to_owned())),
        }
    }
    if problems.len() > before {
        return None;
    }
    match Definition::new(name, options) {
        Ok(definition) => Some(Arc::new(definition)),
        Err(flaw) => {
            let given = entry.node.entries().iter().find(|given| given.key == flaw.key);
            let place = given.map_or(&entry.place, |given| &given.node.place);
            problems.add(place, key(flaw.key), flaw.message, None);
            None
        }
    }
}

/// Takes the keys of another format that are not given yet.
fn like(given: &Entry, key: &str, options: &mut Options, problems: &mut Problems) {
    let name = given.node.as_text().unwrap_or_default();
    match preset(name).and_then(|preset| preset.options()) {
        Some(theirs) => {
            for (key, value) in theirs.iter() {
                if options.get(key).is_none() {
                    options.set(key, value.clone());
                }
            }
        }
        None => {
            let names: Vec<&str> =
                format::listed().map(|format| format.name).filter(|name| *name != format::PLAIN).collect();
            let help =
                suggest(name, names.iter().copied()).unwrap_or_else(|| format!("there are {}", names.join(", ")));
            problems.add(&given.node.place, key, format!("there is no format '{name}'"), Some(help));
        }
    }
}
