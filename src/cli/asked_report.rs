//! A report as an option: `NAME[:KEY=VALUE,...]`.
//!
//! Not here: what reports there are, and what their options may be, which the configuration checks.
//! Invariant: whatever is suggested in place of a text can be read.

use crate::config::as_option;
use crate::error::{Error, Result};
use crate::model::escape::{shell_word, toml_text};
use crate::report::{ReportEntry, Spelled, TABLE, entry, parts_of};

/// The report as a configuration writes it, in TOML. A comma within a value has a backslash before
/// it.
pub fn in_toml(text: &str) -> Result<String> {
    let wrong = |what: String| Err(Error::usage(format!("-r {text}: {what}")));
    let (name, options) = text.split_once(':').map_or((text, None), |(name, options)| (name, Some(options)));
    if let Some(meant) = without_empty_parts(name, options) {
        return wrong(match meant.is_empty() {
            true => "names no report; `logparser reports` lists them, e.g. -r top-pairs".to_owned(),
            false => {
                // A report without the options that it needs is not one.
                let lacks = |entry: &ReportEntry| entry.options.iter().any(|option| option.required);
                let meant = match entry(&meant).filter(|entry| lacks(entry)) {
                    Some(entry) => as_option(entry.example),
                    None => format!("-r {}", shell_word(&meant)),
                };
                format!("a comma or colon has nothing on one side; did you mean {meant}?")
            }
        });
    }
    if let Some(spelled) = Spelled::read(text, TABLE).filter(|_| entry(name).is_none()) {
        let meant = shell_word(spelled.as_option());
        return wrong(format!("expected a colon behind the name; did you mean -r {meant}?"));
    }
    if let Some((first, rest)) = name.split_once(',') {
        // An option behind a comma, where a colon stands before the first.
        if options.is_none() && entry(first).is_some() && rest.contains('=') {
            return wrong(format!(
                "expected a colon behind the name; did you mean -r {}?",
                shell_word(&text.replacen(',', ":", 1))
            ));
        }
        return wrong(format!("expected one report; give each as one of its own: -r {first} -r {rest}"));
    }
    let mut keys = vec!["name".to_owned()];
    let mut parts = vec![format!("name = {}", toml_text(name))];
    for option in options.map(parts_of).into_iter().flatten() {
        let Some((key, value)) = option.split_once('=') else {
            return wrong(no_pair(text, &option, entry(name)));
        };
        if keys.iter().any(|known| known == key) {
            return wrong(format!("'{key}' is given twice"));
        }
        keys.push(key.to_owned());
        parts.push(format!("{} = {}", toml_text(key), toml_text(value)));
    }
    Ok(format!("{{ {} }}", parts.join(", ")))
}

/// The text without commas and colons that separate nothing, if it has any; empty if nothing is
/// left of the name.
fn without_empty_parts(name: &str, options: Option<&str>) -> Option<String> {
    let names: Vec<&str> = name.split(',').collect();
    let parts = options.map(parts_of).unwrap_or_default();
    let is_empty = |part: &str| part.trim().is_empty();
    if !names.iter().any(|name| is_empty(name)) && !parts.iter().any(|part| is_empty(part)) {
        return None;
    }
    let mut names = names.into_iter().filter(|name| !is_empty(name));
    let Some(first) = names.next() else { return Some(String::new()) };
    let parts = parts.iter().filter(|part| !is_empty(part)).map(|part| part.replace(',', "\\,")).collect::<Vec<_>>();
    let colon = if parts.is_empty() { "" } else { ":" };
    let others: String = names.map(|name| format!(" -r {name}")).collect();
    Some(format!("{first}{colon}{}{others}", parts.join(",")))
}

/// What is said of a part that is not `KEY=VALUE`: the key that is missing, if that can be told.
fn no_pair(text: &str, option: &str, report: Option<&ReportEntry>) -> String {
    if entry(option).is_some() {
        return format!("'{option}' is a report of its own: give it as -r {option}");
    }
    let expected = format!("expected KEY=VALUE, not '{option}'");
    let Some(report) = report else {
        return format!("{expected}, e.g. -r top-pairs:limit=5; a comma within a value has a backslash before it");
    };
    if report.options.iter().any(|spec| spec.name == option) {
        return format!("{expected}: a value is missing behind {option}=");
    }
    match Spelled::read(text, TABLE) {
        Some(spelled) => format!("{expected}; did you mean -r {}?", shell_word(spelled.as_option())),
        None if report.options.is_empty() => format!("{expected}, and {} has no options", report.name),
        None => {
            let keys: Vec<&str> = report.options.iter().map(|spec| spec.name).collect();
            format!("{expected}; the options of {} are {}", report.name, keys.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> String {
        in_toml(text).unwrap_err().to_string()
    }

    /// What is shown of a report as an option is what a configuration says.
    #[test]
    fn examples_are_the_same_in_both_forms() {
        let table = |toml: &str| format!("x = {toml}").parse::<toml::Table>().unwrap()["x"].clone();
        for example in crate::report::TABLE
            .iter()
            .map(|entry| entry.example)
            .chain([r#"{ name = "connected-to", host = "a,b = c'd" }"#, r#"{ name = "connected-to", host = "" }"#])
        {
            let shown = as_option(example);
            let word = shown.strip_prefix("-r ").unwrap();
            let word = word
                .strip_prefix('\'')
                .map_or(word.to_owned(), |word| word.strip_suffix('\'').unwrap().replace(r"'\''", "'"));
            let found = table(&in_toml(&word).unwrap());
            let name = |value: &toml::Value| value.get("name").unwrap_or(value).as_str().map(str::to_owned);
            let written = table(example);
            assert_eq!(name(&found), name(&written), "{shown}");
            for (key, value) in written.as_table().into_iter().flatten() {
                let value = value.as_str().map_or_else(|| value.as_integer().unwrap().to_string(), str::to_owned);
                assert_eq!(found[key.as_str()].as_str(), Some(&value[..]), "{shown}");
            }
        }
    }

    #[test]
    fn what_is_suggested_is_read() {
        for (text, meant) in [
            ("connected-to:Delta", "connected-to:host=Delta"),
            ("top-pairs:5", "top-pairs:limit=5"),
            ("top-pairs:limit:5", "top-pairs:limit=5"),
            ("connected-to=Delta", "connected-to:host=Delta"),
            ("connected-to Delta", "connected-to:host=Delta"),
            ("connected-to:", "connected-to:host=Delta"),
            ("connected-from,", "connected-from:host=sierra"),
            ("top-pairs,", "top-pairs"),
            ("top-pairs:", "top-pairs"),
            (",top-pairs", "top-pairs"),
            ("top-pairs:limit=5,", "top-pairs:limit=5"),
            ("top-pairs:,limit=5", "top-pairs:limit=5"),
            ("top-pairs,:limit=5", "top-pairs:limit=5"),
            ("connected-to:,,host=a\\,b,", "'connected-to:host=a\\,b'"),
        ] {
            let said = said(text);
            assert!(said.ends_with(&format!("; did you mean -r {meant}?")), "{text}: {said}");
            assert!(in_toml(meant.trim_matches('\'')).is_ok(), "{meant}");
        }
        for text in ["", ":", ",", ":limit=5", " "] {
            assert!(said(text).contains("`logparser reports`"), "{text}");
        }
        assert!(said("top-pairs:limit").contains("behind limit="));
        assert!(
            said("connected-to:host=a,b").contains("the options of connected-to are host"),
            "{}",
            said("connected-to:host=a,b")
        );
    }
}
