//! What a terminal can do, by what the environment says of it: the one place that looks.
//!
//! Not here: taking a terminal for the view. Invariant: no escape sequence goes to a terminal that
//! does not know them.

use std::ffi::OsStr;
use std::io::IsTerminal;

/// What keeps text from being placed on a terminal of this environment, as `TERM` has it, for
/// messages; `None` if nothing does.
pub fn unplaced() -> Option<String> {
    kind(std::env::var_os("TERM").as_deref())
}

/// Whether something may be drawn over on a stream: progress.
pub fn draws(stream: &impl IsTerminal) -> bool {
    stream.is_terminal() && unplaced().is_none()
}

/// Whether what goes to a stream is coloured, if nobody says so.
pub fn shows_color(stream: &impl IsTerminal) -> bool {
    draws(stream) && wants_color(std::env::var_os("NO_COLOR").as_deref())
}

fn kind(term: Option<&OsStr>) -> Option<String> {
    match term.and_then(OsStr::to_str) {
        None | Some("") => Some("not set".to_owned()),
        Some(kind @ ("dumb" | "unknown")) => Some(format!("'{kind}'")),
        Some(_) => None,
    }
}

/// As no-color.org has it, the variable counts if it holds anything.
fn wants_color(no_color: Option<&OsStr>) -> bool {
    no_color.is_none_or(OsStr::is_empty)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminals_that_know_no_sequences_are_known_by_name() {
        let said = |term: Option<&str>| kind(term.map(OsStr::new));
        assert_eq!(said(None).as_deref(), Some("not set"));
        assert_eq!(said(Some("")).as_deref(), Some("not set"));
        assert_eq!(said(Some("dumb")).as_deref(), Some("'dumb'"));
        assert_eq!(said(Some("unknown")).as_deref(), Some("'unknown'"));
        assert_eq!(said(Some("xterm")), None);
        assert!(wants_color(None) && wants_color(Some(OsStr::new(""))) && !wants_color(Some(OsStr::new("0"))));
    }
}
