//! The formats that come with the program, each a row of data.
//!
//! To add one: add its row to the list of its kind, with sample lines. Not here: how a row is read
//! (`definition`). Invariant: each row is a definition that reads its samples as they say.

mod flows;
mod hosts;
mod preset;
mod tables;
mod web;

use super::definition::Definition;

pub use preset::Preset;
#[cfg(test)]
pub use preset::SampleLine;

/// All of them, in the order in which they are listed.
pub fn presets() -> impl Iterator<Item = &'static Preset> {
    [flows::PRESETS, web::PRESETS, hosts::PRESETS, tables::PRESETS].into_iter().flatten()
}

/// The name of a definition, with that of the envelope where the format has none of its own.
pub fn shown_name(definition: &Definition) -> String {
    let own = preset(&definition.name).and_then(Preset::definition);
    match own.is_some_and(|own| own.envelope != definition.envelope) {
        true => format!("{} in {}", definition.name, definition.envelope.name()),
        false => definition.name.clone(),
    }
}

/// The preset of this name.
pub fn preset(name: &str) -> Option<&'static Preset> {
    // Lines of JSON by the name that people give first.
    let name = if name == "json" { "jsonl" } else { name };
    presets().find(|preset| preset.name == name)
}
