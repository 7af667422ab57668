//! A report in a text, its options behind it, in forms that people give them:
//! `connected-to:host=Delta`, `connected-to=Delta`.
//!
//! Not here: which of these forms a reader takes. Invariant: what a text is understood as is a
//! report with all the options that it needs.

use super::entry::ReportEntry;
use crate::model::escape::toml_text;
use crate::options::{Kind, OptionSpec, Raw};

/// The parts between commas, those within values aside: a comma within a value has a backslash
/// before it.
pub fn parts_of(options: &str) -> Vec<String> {
    // What cannot stand in an argument stands for the comma that separates nothing.
    options.replace("\\,", "\0").split(',').map(|part| part.replace('\0', ",")).collect()
}

/// A report with options, as it may be written.
pub struct Spelled {
    entry: &'static ReportEntry,
    options: Vec<(&'static OptionSpec, String)>,
}

impl Spelled {
    /// The report of a table that a text means, in whatever form its options are given; `None` if it
    /// is not understood.
    pub fn read(text: &str, table: &'static [ReportEntry]) -> Option<Self> {
        let (name, rest) = text.split_once([':', '=', ' '])?;
        let entry = table.iter().find(|entry| entry.name == name)?;
        let mut options: Vec<(&'static OptionSpec, String)> = Vec::new();
        for part in parts_of(rest) {
            let named = part.split_once(['=', ':', ' ']);
            let spec = named.and_then(|(key, _)| entry.options.iter().find(|spec| spec.name == key));
            let takes = |spec: &OptionSpec, value: &str| spec.kind.parse(&Raw::Text(value.to_owned())).is_ok();
            let is_free = |spec: &OptionSpec| !options.iter().any(|(given, _)| given.name == spec.name);
            let (spec, value) = match (spec, named) {
                (Some(spec), Some((_, value))) => (spec, value),
                _ => {
                    // A text that may be anything is meant only where it is needed.
                    let is_told = |spec: &OptionSpec| spec.required || !matches!(spec.kind, Kind::Text);
                    let is_meant = |spec: &OptionSpec| is_told(spec) && is_free(spec) && takes(spec, &part);
                    let free = || entry.options.iter().filter(|spec| is_meant(spec));
                    (free().find(|spec| spec.required).or_else(|| free().next())?, &part[..])
                }
            };
            if !is_free(spec) || !takes(spec, value) {
                return None;
            }
            options.push((spec, value.to_owned()));
        }
        let is_given = |name: &str| options.iter().any(|(given, _)| given.name == name);
        let is_whole = entry.options.iter().all(|spec| !spec.required || is_given(spec.name));
        is_whole.then_some(Spelled { entry, options })
    }

    /// As an option of the command line takes it, no quotes around it.
    pub fn as_option(&self) -> String {
        let options = self.options.iter().map(|(spec, value)| format!("{}={}", spec.name, value.replace(',', "\\,")));
        format!("{}:{}", self.entry.name, options.collect::<Vec<_>>().join(","))
    }

    /// As a configuration writes it, in TOML.
    pub fn in_toml(&self) -> String {
        let options = self.options.iter().map(|(spec, value)| match value.parse::<u32>() {
            Ok(number) => format!("{} = {number}", spec.name),
            Err(_) => format!("{} = {}", spec.name, toml_text(value)),
        });
        let parts = std::iter::once(format!("name = \"{}\"", self.entry.name)).chain(options);
        format!("{{ {} }}", parts.collect::<Vec<_>>().join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::super::TABLE;
    use super::*;

    #[test]
    fn options_are_understood_in_many_forms() {
        for (text, option, toml) in [
            ("connected-to:Delta", "connected-to:host=Delta", r#"{ name = "connected-to", host = "Delta" }"#),
            ("connected-to=Delta", "connected-to:host=Delta", r#"{ name = "connected-to", host = "Delta" }"#),
            ("connected-to Delta", "connected-to:host=Delta", r#"{ name = "connected-to", host = "Delta" }"#),
            ("connected-to:host:Delta", "connected-to:host=Delta", r#"{ name = "connected-to", host = "Delta" }"#),
            (r"connected-to:a\,b", r"connected-to:host=a\,b", r#"{ name = "connected-to", host = "a,b" }"#),
            ("top-pairs:limit=5", "top-pairs:limit=5", r#"{ name = "top-pairs", limit = 5 }"#),
            ("top-pairs:limit:5", "top-pairs:limit=5", r#"{ name = "top-pairs", limit = 5 }"#),
            ("top-pairs=5", "top-pairs:limit=5", r#"{ name = "top-pairs", limit = 5 }"#),
        ] {
            let spelled = Spelled::read(text, TABLE).unwrap();
            assert_eq!((&spelled.as_option()[..], &spelled.in_toml()[..]), (option, toml), "{text}");
        }
        for text in
            ["", "top-pairs", "top-pairs:", "connected-to:", "connected-to:a,b", "top-pairs:5,5", "top-pairs:x", "x:5"]
        {
            assert!(Spelled::read(text, TABLE).is_none(), "{text}");
        }
    }
}
