//! The configuration as written: a file or none, and overrides.
//!
//! Invariant: of a file that is not a configuration, no more is read than it takes to say what it
//! is.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::node::parse_file;
use super::schema::all_keys;
use crate::error::{Error, Place, Result, show_path};
use crate::model::escape::shell_word;

/// More bytes than any configuration has.
const LARGEST: u64 = 1 << 20;

/// A configuration that nobody has checked yet.
#[derive(Debug, Clone)]
pub struct Written {
    pub(super) label: String,
    pub(super) text: String,
    overrides: Vec<Override>,
    /// Whether the window before is counted, whatever the reports need.
    pub(super) previous: bool,
}

/// A key set from outside the file.
#[derive(Debug, Clone)]
pub(super) struct Override {
    pub key: String,
    pub value: String,
    pub place: Place,
}

impl Written {
    /// Reads a file. A file that does not exist, or is not a configuration, is an error that says
    /// what to do.
    pub fn read(path: &Path) -> Result<Self> {
        let shown = show_path(path);
        let mut bytes = Vec::new();
        match File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes)) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(Error::usage(format!(
                    "there is no '{shown}'; name a configuration file, or ask without one: logparser top LOCATION"
                )));
            }
            Err(error) if error.kind() == io::ErrorKind::IsADirectory => {
                return Err(Error::usage(format!(
                    "{shown} is a folder, and a configuration file is expected; did you mean `logparser top {shown}`?"
                )));
            }
            Err(error) => return Err(Error::usage(format!("{shown}: cannot read the configuration: {error}"))),
        }
        let not_one = |what: &str| {
            Err(Error::usage(format!(
                "{shown} {what}, and a configuration (TOML) is expected; did you mean `logparser top {shown}`?"
            )))
        };
        if let Some(what) = no_configuration(&bytes) {
            if what == AS_JSON && bytes.windows(PLAN.len()).any(|part| part == PLAN) {
                return Err(Error::usage(format!(
                    "{shown} is a plan, and a configuration (TOML) is expected; did you mean `logparser list --plan {}`?",
                    shell_word(path.as_os_str().as_bytes())
                )));
            }
            // Whether it is a log, nothing shows.
            if [AS_NO_TEXT, AS_LARGE].contains(&what) {
                return Err(Error::usage(format!("{shown} {what}, and a configuration (TOML) is expected; name one")));
            }
            return not_one(what);
        }
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Written::from_text(&shown, &text)),
            Err(error) => not_one(&format!("is no UTF-8 at byte {}", error.utf8_error().valid_up_to())),
        }
    }

    /// Takes a text; `label` names it in messages.
    pub fn from_text(label: &str, text: &str) -> Self {
        Written { label: label.to_owned(), text: text.to_owned(), overrides: Vec::new(), previous: false }
    }

    /// The standard pipeline, without any file.
    pub fn standard() -> Self {
        Written::from_text("the standard pipeline", "")
    }

    /// The overrides that count, each key once, in the order in which they got their values.
    pub(super) fn effective(&self) -> Vec<&Override> {
        let mut seen = HashSet::new();
        let mut last: Vec<&Override> =
            self.overrides.iter().rev().filter(|given| seen.insert(given.key.as_str())).collect();
        last.reverse();
        last
    }

    /// Sets a key for all stages that know it (`seconds`) or for one (`stages.recent.seconds`). The
    /// value is TOML, or plain text. A key set twice has the value that it got last.
    pub fn set(&mut self, key: &str, value: &str, place: Place) {
        self.overrides.push(Override { key: key.to_owned(), value: value.to_owned(), place });
    }

    /// Asks for the window before to be counted, whether a report compares with it or not.
    pub fn count_previous(&mut self) {
        self.previous = true;
    }
}

const AS_JSON: &str = "begins with '{', as JSON does";

/// What the schema of a plan begins with, which tells one.
const PLAN: &[u8] = b"\"logparser-plan/";

const AS_A_LOG: &str = "begins with a number, as a log does";

const AS_NO_TEXT: &str = "holds zero bytes";

const AS_LARGE: &str = "has more than 1 MiB";

/// Bytes at the start of a file that tell a log.
const START: u64 = 4 << 10;

/// What in a file shows that it is a log, if it is one.
pub fn is_log(path: &Path) -> Option<&'static str> {
    let mut start = Vec::new();
    File::open(path).and_then(|file| file.take(START).read_to_end(&mut start)).ok()?;
    no_configuration(&start).filter(|shown| *shown == AS_A_LOG)
}

/// What a file that is not a configuration shows.
fn no_configuration(bytes: &[u8]) -> Option<&'static str> {
    let first = bytes.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii);
    let first = first.into_iter().find(|line| !line.is_empty() && !line.starts_with(b"#")).unwrap_or_default();
    let is_stamp = |word: &[u8]| word.first().is_some_and(u8::is_ascii_digit);
    let mut words = first.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    // A key that is a number has its equals sign behind it.
    if words.next().is_some_and(is_stamp) && words.next().is_some_and(|word| !word.starts_with(b"=")) {
        return Some(AS_A_LOG);
    }
    if first.starts_with(b"{") {
        return Some(AS_JSON);
    }
    if bytes.contains(&0) {
        return Some(AS_NO_TEXT);
    }
    (bytes.len() as u64 > LARGEST).then_some(AS_LARGE)
}

/// Whether a file is a configuration: TOML with a key that one has, which no log is.
pub fn is_configuration(path: &Path) -> bool {
    let is_small = path.metadata().is_ok_and(|found| found.is_file() && found.len() <= LARGEST);
    let Some(text) = is_small.then(|| std::fs::read_to_string(path).ok()).flatten() else { return false };
    if no_configuration(text.as_bytes()).is_some() {
        return false;
    }
    let begins_as_one = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'));
    if !begins_as_one.is_some_and(|line| line.starts_with('[') || line.contains('=')) {
        return false;
    }
    let known = |key: &str| key == "stages" || all_keys().any(|spec| spec.name == key);
    parse_file("", &text).is_ok_and(|root| root.entries().iter().any(|entry| known(&entry.key)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_configuration_is_named_as_what_it_is() {
        for (bytes, said) in [
            (&b"1700000000 a b\n"[..], "begins with a number"),
            (b"\n# x\n  17 a\n", "begins with a number"),
            (b"2023-11-14T22:13:20Z a b\n", "begins with a number"),
            (b"{\"ts\": 1}\n", "begins with '{'"),
            (b"a\0b", "zero bytes"),
        ] {
            assert!(no_configuration(bytes).unwrap().contains(said), "{bytes:?}");
        }
        for bytes in [&b""[..], b"# only\n", b"location = 'x'\n", b"[stages.read]\n", b"1 = 2\n", b"nonsense\n"] {
            assert!(no_configuration(bytes).is_none(), "{bytes:?}");
        }
        assert!(no_configuration(&vec![b'\n'; (1 << 20) + 1]).is_some());
    }

    #[test]
    fn a_configuration_is_told_from_a_log_by_its_keys() {
        let folder = tempfile::tempdir().unwrap();
        let is_one = |text: &str| {
            let path = folder.path().join("x");
            std::fs::write(&path, text).unwrap();
            is_configuration(&path)
        };
        for text in ["location = 'x'\n", "# c\n\n[stages.read]\ntype = 'reader'\n", "x = 1\nevery = '1h'\n"] {
            assert!(is_one(text), "{text}");
        }
        for text in ["", "1700000000 a b\n", "a = b\n", "other = 1\n", "[x]\ny = 1\n"] {
            assert!(!is_one(text), "{text}");
        }
    }
}
