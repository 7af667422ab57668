//! What a preset is: the keys of a definition, and sample lines.
//!
//! Not here: the presets. Invariant: a preset is data.

use std::sync::Arc;

use crate::format::mapped::definition::{Definition, KEYS};
use crate::options::{Options, Raw};

/// A format that comes with the program.
#[derive(Debug, Clone, Copy)]
pub struct Preset {
    /// The name by which it is asked for.
    pub name: &'static str,
    /// One line for people.
    pub help: &'static str,
    /// Whether it takes lines of many programs, by well-known names of fields: then a format that
    /// says more of them is meant.
    pub is_general: bool,
    /// Its keys, as they would be written.
    pub keys: &'static [(&'static str, &'static [&'static str])],
    /// Lines of a log of it, in order.
    pub samples: &'static [(&'static str, SampleLine)],
}

/// What a sample line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SampleLine {
    /// A record: when, who, to whom.
    Record(&'static str, &'static str, &'static str),
    /// No record: a header, a comment, another kind of event.
    Other,
    /// A record that the format does not count.
    Filtered,
}

impl Preset {
    /// What it says, read; `None` if it is wrong, which a test rules out.
    pub fn definition(&self) -> Option<Arc<Definition>> {
        Definition::new(self.name, self.options()?).ok().map(Arc::new)
    }

    /// Its keys, each of its kind.
    pub fn options(&self) -> Option<Options> {
        let mut options = Options::default();
        for (key, values) in self.keys {
            let spec = KEYS.iter().find(|spec| spec.name == *key)?;
            let texts = || values.iter().map(|text| Raw::Text((*text).to_owned()));
            let one = match values {
                [one] => spec.kind.parse(&Raw::Text((*one).to_owned())).ok(),
                _ => None,
            };
            let value = one.or_else(|| spec.kind.parse(&Raw::List(texts().collect())).ok())?;
            options.set(spec.name, value);
        }
        Some(options)
    }

    /// A line of it: the first sample that is a record.
    pub fn example(&self) -> &'static str {
        let record = self.samples.iter().find(|(_, sample)| matches!(sample, SampleLine::Record(..)));
        record.map_or("", |(line, _)| line)
    }
}
