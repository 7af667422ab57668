//! Command lines: understood or not, the same each time, and what is said of one that is not is a
//! line that is harmless for a terminal and says how to go on.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use logparser::internals::cli::misunderstood;
use logparser::internals::model::escape::is_hostile;

/// Words that mean something, so that few bytes make a command line.
const WORDS: &[&str] = &[
    "--",
    "-",
    "--set",
    "--config",
    "-q",
    "-h",
    "--help",
    "--version",
    "--since",
    "--until",
    "--follow",
    "--every",
    "--limit",
    "--output",
    "--threads",
    "run",
    "check",
    "graph",
    "top",
    "to",
    "from",
    "explain",
    "state",
    "verify",
    "show",
    "plan",
    "partial",
    "merge",
    "report",
    "inspect",
    "conn.log",
    "sierra",
    "Delta",
    "json",
    "csv:x",
    "1m",
    "0",
    "-1",
    "seconds=5",
    "--range",
    "0..9",
    "--",
    "--reports",
];

pub fn run(data: &[u8]) {
    let mut argv = vec![OsString::from("logparser")];
    for word in data.split(|byte| *byte == b'\n') {
        argv.push(match word {
            [0xff, number, ..] => WORDS[usize::from(*number) % WORDS.len()].into(),
            // No system passes on a zero byte.
            _ => OsString::from_vec(word.iter().copied().filter(|byte| *byte != 0).collect()),
        });
    }
    let said = misunderstood(&argv);
    assert_eq!(said, misunderstood(&argv));
    if let Some(text) = said {
        assert!(!text.chars().any(is_hostile), "{text:?}");
        let suggests = text.ends_with('?') && text.contains("; did you mean ");
        assert!(suggests || text.ends_with("; --help tells more"), "{text}");
    }
}
