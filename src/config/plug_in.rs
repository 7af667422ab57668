//! The options of a part that is an entry of a table (a report, an output), as they are given.
//!
//! Not here: which part is meant. Invariant: what is read has a value of its kind for each option that
//! is given, and every other problem is noted.

use super::node::{Entry, Node};
use super::problems::Problems;
use crate::error::Place;
use crate::model::location::{Location, no_file};
use crate::options::{Kind, OptionSpec, Options, Raw, Value, suggest};
use crate::output::no_format;

/// A part whose options are read.
pub(super) struct PlugIn<'a> {
    /// Its key in messages.
    pub key: String,
    /// Where it stands.
    pub place: &'a Place,
    /// The options that it has.
    pub specs: &'static [OptionSpec],
    /// How it is written, for an option that has to be given.
    pub example: String,
}

impl PlugIn<'_> {
    /// Reads what is given over the defaults, noting every problem.
    pub fn read<'e>(&self, given: impl Iterator<Item = &'e Entry>, options: &mut Options, problems: &mut Problems) {
        let mut seen = Vec::new();
        for given in given {
            seen.push(given.key.as_str());
            let Some(spec) = self.specs.iter().find(|spec| spec.name == given.key) else {
                let names = || self.specs.iter().map(|spec| spec.name);
                let help = suggest(&given.key, names()).unwrap_or_else(|| match self.specs {
                    [] => "it has none".to_owned(),
                    [only] => format!("its one option is {}", only.name),
                    _ => format!("its options are {}", names().collect::<Vec<_>>().join(", ")),
                });
                problems.add(&given.place, self.key.clone(), format!("unknown option '{}'", given.key), Some(help));
                continue;
            };
            match parsed(spec, &given.node) {
                Ok(value) => options.set(spec.name, value),
                Err(expected) => {
                    let message = format!("{}: {expected}, not {}", spec.name, shown(&given.node, |_| false));
                    problems.add(&given.node.place, self.key.clone(), message, None);
                }
            }
        }
        for spec in self.specs.iter().filter(|spec| spec.required && !seen.contains(&spec.name)) {
            let help = Some(format!("write e.g. {}", self.example));
            problems.add(self.place, self.key.clone(), format!("{} is missing", spec.name), help);
        }
    }
}

/// The value of an option. Errors with what is expected.
pub(super) fn parsed(spec: &OptionSpec, node: &Node) -> Result<Value, String> {
    let value = spec.kind.parse(&node.raw())?;
    let path = if let (Kind::Path, Value::Text(text)) = (spec.kind, &value) { Some(text) } else { None };
    match path.and_then(|path| no_format(path)) {
        Some(why) => Err(format!("expected a path; {why}")),
        None => Ok(value),
    }
}

/// Refuses locations at addresses that no source reads. Errors with what is expected.
pub(super) fn read_from(spec: &OptionSpec, node: &Node, reads: fn(&Location) -> bool) -> Result<(), String> {
    let items = match (spec.kind, node.raw()) {
        (Kind::Locations, Raw::List(items)) => items,
        (Kind::Locations, item) => vec![item],
        _ => return Ok(()),
    };
    // The first that is wrong is told, and parsing tells of what is no text.
    let texts = items.iter().map_while(|item| match item {
        Raw::Text(text) if !text.is_empty() => Some(text.as_str()),
        _ => None,
    });
    match texts.filter_map(|text| unread(text, reads)).next() {
        Some(scheme) => Err(format!("expected a path; {}", no_file(&scheme))),
        None => Ok(()),
    }
}

/// The scheme of an address that nothing is read from.
fn unread(text: &str, reads: fn(&Location) -> bool) -> Option<String> {
    let location = Location::read(text);
    location.scheme().filter(|_| !reads(&location)).map(str::to_owned)
}

/// A value for messages. Locations that are read are not what is wrong with it.
pub(super) fn shown(node: &Node, reads: fn(&Location) -> bool) -> String {
    match node.raw() {
        Raw::Text(text) => format!("'{text}'"),
        Raw::Integer(number) => number.to_string(),
        Raw::Decimal(number) => number,
        Raw::Flag(flag) => flag.to_string(),
        Raw::List(items) => {
            let refused = |item: &Raw| match item {
                Raw::Text(text) if text.is_empty() || unread(text, reads).is_some() => Some(format!("'{text}'")),
                _ => None,
            };
            items.iter().find_map(refused).unwrap_or_else(|| "a list".into())
        }
        Raw::Other(name) => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use crate::config::tests::{catalog, machine, problems_of};
    use crate::config::{Catalog, Written, check};

    #[test]
    fn addresses_are_refused_unless_a_source_reads_them() {
        let catalog =
            Catalog { reads: |location| location.scheme().is_none_or(|scheme| scheme == "read"), ..catalog() };
        let problems = |locations: &str| {
            let written = Written::from_text("p.toml", &format!("location = [{locations}]"));
            check(&written, &catalog, &machine()).err().map_or_else(Vec::new, |error| problems_of(&error))
        };
        assert_eq!(problems("'x', 'read://y'"), Vec::<String>::new());
        for (locations, expected, said) in [
            ("'read://y', 's3://x', ''", "s3:// is no place that is read", ", not 's3://x'"),
            ("'read://y', '', 's3://x'", "location: expected a text or a list", ", not ''"),
        ] {
            let [problem] = &problems(locations)[..] else { panic!("{locations}") };
            assert!(problem.contains(expected) && problem.ends_with(said), "{problem}");
        }
    }
}
