//! Options by the names that other programs have for them: `--workers 4`, `-j 4`, `-f csv`,
//! `graph -o FILE`.
//!
//! Not here: options that another command has (`options`), and keys of a configuration (`keys`).
//! Invariant: what is suggested is an option of the command that was called.

use std::ffi::OsString;
use std::path::Path;

use clap::{CommandFactory, ValueEnum};

use super::options::{has_option, having, unknown, unknown_name, value_of};
use crate::cli::commands::{Commanded, GraphFormat, Positional};
use crate::error::{Error, Result};
use crate::model::escape::shell_word;
use crate::output;

/// What options are called elsewhere, and here.
const NAMES: [(&str, &str); 21] = [
    ("start", "since"),
    ("begin", "since"),
    ("after", "since"),
    ("end", "until"),
    ("before", "until"),
    ("memory", "max-memory"),
    ("tz", "timezone"),
    ("zone", "timezone"),
    ("window", "seconds"),
    ("interval", "every"),
    ("slide", "every"),
    ("step", "every"),
    ("jobs", "threads"),
    ("workers", "threads"),
    ("cores", "threads"),
    ("cpus", "threads"),
    ("processes", "threads"),
    ("parallel", "threads"),
    ("rows", "limit"),
    ("out", "output"),
    ("colour", "color"),
];

/// Letters that stand for an option elsewhere where a number follows, and what it is called here.
const LETTERS: [(&str, &str); 7] = [
    ("-j", "threads"),
    ("-t", "threads"),
    ("-T", "threads"),
    ("-p", "threads"),
    ("-P", "threads"),
    ("-w", "threads"),
    ("-l", "limit"),
];

/// The command that a command line calls, with its options: the form without a command, if it calls
/// none.
pub(super) fn called(argv: &[OsString]) -> clap::Command {
    let mut commanded = Commanded::command();
    commanded.build();
    let command = argv.iter().skip(1).find_map(|word| commanded.find_subcommand(word.to_str()?));
    command.cloned().unwrap_or_else(Positional::command)
}

/// What is said of an option that has another name here, with what was given to it.
pub fn otherwise_called(problem: &clap::Error, argv: &[OsString]) -> Option<String> {
    let option = unknown(problem)?;
    let (command, value) = (called(argv), value_of(argv, option));
    let is_number = value.is_some_and(|value| value.parse::<u64>().is_ok());
    let here = match unknown_name(problem) {
        Some(name) => NAMES.iter().find(|(elsewhere, _)| *elsewhere == name)?.1,
        None if is_number => LETTERS.iter().find(|(elsewhere, _)| *elsewhere == option)?.1,
        // Which kind of output has the letter depends on the program.
        None if option == "-j" => "json",
        None => return None,
    };
    let Some(arg) = command.get_arguments().find(|arg| arg.get_long() == Some(here)) else {
        return Some(format!("here that is --{here}, an option of: {}", having(here)?));
    };
    let value = value.filter(|_| arg.get_action().takes_values());
    Some(format!("did you mean --{here}{}?", value.map_or(String::new(), |value| format!(" {}", shell_word(value)))))
}

/// What is said of a place to write to, given to a command that prints, or has it without an option.
pub fn printed(problem: &clap::Error, argv: &[OsString]) -> Option<String> {
    let option = unknown(problem).filter(|option| matches!(*option, "-o" | "--output" | "--out"))?;
    let command = called(argv);
    let name = command.get_name();
    let file = value_of(argv, option)?;
    if name == "make" {
        return Some(format!("the file stands without an option: did you mean `logparser make {}`?", shell_word(file)));
    }
    if has_option(&command, "output") || command.has_subcommands() {
        return None;
    }
    if name == "graph" && graph_formats().any(|format| format == file) {
        return Some(format!("did you mean --format {file}?"));
    }
    let mut line = without(argv, option);
    if name == "graph" && value_of(argv, "--format").is_none() {
        let format = match Path::new(file).extension().and_then(|ending| ending.to_str()) {
            Some("dot" | "gv") => " --format dot",
            Some("md" | "mmd") => " --format mermaid",
            _ => "",
        };
        line.push_str(format);
    }
    Some(format!("it prints to standard output: did you mean `{line} > {}`?", shell_word(file)))
}

/// The first word behind the program.
fn first(argv: &[OsString]) -> Option<&str> {
    argv.get(1)?.to_str()
}

/// The command line without an option and what was given to it.
fn without(argv: &[OsString], option: &str) -> String {
    let (mut line, mut words) = ("logparser".to_owned(), argv.iter().skip(1).filter_map(|word| word.to_str()));
    while let Some(word) = words.next() {
        if word == option {
            words.next();
        } else if !word.starts_with(option) {
            line.push(' ');
            line.push_str(&shell_word(word));
        }
    }
    line
}

/// The names of what graphs are drawn as.
fn graph_formats() -> impl Iterator<Item = String> {
    GraphFormat::value_variants().iter().filter_map(|format| Some(format.to_possible_value()?.get_name().to_owned()))
}

/// Refuses a format behind `-f`, which follows: `-f csv`.
pub fn follows_no_format(argv: &[OsString]) -> Result<()> {
    let words: Vec<&str> =
        argv.iter().skip(1).take_while(|word| *word != "--").filter_map(|word| word.to_str()).collect();
    let Some(pair) = words.windows(2).find(|pair| pair[0] == "-f") else { return Ok(()) };
    let meant = match format_option(words[0], pair[1]) {
        Some(meant) if !Path::new(pair[1]).exists() => meant,
        _ => return Ok(()),
    };
    Err(Error::usage(format!("-f {}: -f is --follow, which takes no value; did you mean {meant}?", pair[1])))
}

/// What is said of the name of a format as a word or as an option: `graph FILE dot`, `--format csv`.
pub fn format(problem: &clap::Error, argv: &[OsString]) -> Option<String> {
    let option = unknown(problem)?;
    let format = match option {
        "--format" | "--type" | "-F" | "-T" => value_of(argv, option)?,
        option => option.strip_prefix("--").unwrap_or(option),
    };
    Some(format!("did you mean {}?", format_option(first(argv)?, format)?))
}

/// The option by which a command has this format, if it has.
fn format_option(command: &str, format: &str) -> Option<String> {
    if command == "graph" {
        return graph_formats().any(|known| known == format).then(|| format!("--format {format}"));
    }
    let is_output = output::entry(format).is_some();
    let command = || called(&[OsString::new(), command.into()]);
    (is_output && has_option(&command(), "report")).then(|| format!("-o {format}"))
}
