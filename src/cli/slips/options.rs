//! Options that are not what they look like: one dash in place of two, a value that is missing.
//!
//! Invariant: command lines in which nothing looks like such a slip cost no definition of a
//! command.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use clap::CommandFactory;
use clap::error::{ContextKind, ContextValue};

use crate::cli::commands::{Commanded, Positional};
use crate::error::{Error, Result};
use crate::model::escape::{printable, shell_word};

/// Refuses options of more than one letter behind one dash, which would be taken for several short
/// ones, or for one with a value.
pub fn dashes(argv: &[OsString]) -> Result<()> {
    let words = argv.iter().skip(1).take_while(|word| *word != "--");
    for word in words.filter_map(|word| word.to_str()) {
        if let Some(meant) = in_plain_dashes(word).filter(|_| !Path::new(word).exists()) {
            return Err(Error::usage(format!("{word}: begins with a dash that no option has; did you mean {meant}?")));
        }
        let Some(name) = word.strip_prefix('-').filter(|name| !name.starts_with('-')) else { continue };
        let name = name.split('=').next().unwrap_or_default();
        // As many programs do, -help gives help.
        if name.len() > 1 && name != "help" && is_long_option(name) {
            return Err(Error::usage(format!(
                "unexpected argument {0}: an option of more than one letter has two dashes, -{0}; --help tells more",
                shell_word(word)
            )));
        }
    }
    Ok(())
}

/// A word that begins with a dash of another length than those of options, as programs put them in
/// texts: with those.
fn in_plain_dashes(word: &str) -> Option<String> {
    let is_other = |c: char| matches!(c, '\u{2010}'..='\u{2015}' | '\u{2212}');
    let name = word.trim_start_matches(|c: char| c == '-' || is_other(c));
    if !word[..word.len() - name.len()].contains(is_other) {
        return None;
    }
    let is_short = name.chars().count() < 2 || name.starts_with(|c: char| c.is_ascii_digit());
    Some(format!("{}{name}", if is_short { "-" } else { "--" }))
}

/// Whether a word is the long name of an option of the form without a command that takes a value.
pub fn takes_word(name: &str) -> bool {
    takes_value(&Positional::command(), &format!("--{name}"))
}

/// What is said of a value below zero behind the name of an option that lacks its dashes: `since
/// -1h`.
pub fn bare(argv: &[OsString]) -> Option<String> {
    let words: Vec<&str> = argv.iter().skip(1).filter_map(|word| word.to_str()).collect();
    let is_below =
        |word: &str| word.strip_prefix('-').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    let pair = words.windows(2).find(|pair| is_below(pair[1]) && takes_word(pair[0]))?;
    Some(format!("did you mean --{} {}?", pair[0], pair[1]))
}

/// Refuses options that lack their value, and would take the option behind them for it. Only
/// options that take values with a dash in front would, and none of those is an option of commands
/// alone.
pub fn values(argv: &[OsString]) -> Result<()> {
    let words = || argv.iter().skip(1).take_while(|word| *word != "--").filter_map(|word| word.to_str());
    // Most command lines have no option right behind another, and the definitions take long to
    // make.
    if !words().zip(words().skip(1)).any(|(word, next)| word.starts_with('-') && is_like_an_option(next)) {
        return Ok(());
    }
    let positional = Positional::command();
    let is_known = |letter: char| positional.get_arguments().any(|arg| arg.get_short() == Some(letter));
    let mut words = words().peekable();
    while let Some(word) = words.next() {
        if !takes_value(&positional, word) {
            continue;
        }
        let Some(next) = words.peek() else { return Ok(()) };
        let name = next.split('=').next().unwrap_or_default();
        let is_option = match name.strip_prefix("--") {
            Some(long) => is_long_option(long),
            None => name.strip_prefix('-').is_some_and(|letters| letters.starts_with(is_known)),
        };
        if is_option {
            return Err(Error::usage(format!("{word} needs a value, and {}; --help tells more", in_its_place(name))));
        }
        words.next();
    }
    Ok(())
}

/// Whether a word begins as an option does, and not as a negative number or length of time.
fn is_like_an_option(word: &str) -> bool {
    word.strip_prefix('-').is_some_and(|rest| rest.starts_with(|c: char| c == '-' || c.is_ascii_alphabetic()))
}

fn in_its_place(name: &str) -> String {
    format!("{name} stands in its place")
}

/// What is said of an option without a value: what stands where it should.
pub fn no_value(problem: &clap::Error, argv: &[OsString]) -> Option<String> {
    let Some(ContextValue::String(option)) = problem.get(ContextKind::InvalidArg) else { return None };
    // As `-r`, or as the option is called with what it takes: `--report <REPORT>`.
    let names: Vec<&str> = option.split_whitespace().filter(|word| word.starts_with('-')).collect();
    let words: Vec<&str> = argv.iter().skip(1).filter_map(|word| word.to_str()).collect();
    let next = words.windows(2).find(|pair| names.contains(&pair[0]) && pair[1].starts_with('-'))?[1];
    Some(in_its_place(next))
}

/// The option of a command that a word stands for and that takes a value: of letters that stand
/// together, the last.
pub(super) fn option_of_word<'a>(command: &'a clap::Command, word: &str) -> Option<&'a clap::Arg> {
    let is_meant = |arg: &&clap::Arg| match word.strip_prefix("--") {
        Some(long) => is_called(arg, long),
        None => word.starts_with('-') && word.len() > 1 && arg.get_short() == word.chars().next_back(),
    };
    command.get_arguments().find(|arg| arg.get_action().takes_values() && is_meant(arg))
}

/// Whether a word stands for an option of a command that takes a value.
fn takes_value(command: &clap::Command, word: &str) -> bool {
    option_of_word(command, word).is_some()
}

/// Whether an option has this long name, or has it too.
pub fn is_called(arg: &clap::Arg, long: &str) -> bool {
    arg.get_long() == Some(long) || arg.get_all_aliases().is_some_and(|aliases| aliases.contains(&long))
}

/// Whether a command has an option of this long name.
pub(super) fn has_option(command: &clap::Command, long: &str) -> bool {
    command.get_arguments().any(|arg| is_called(arg, long))
}

/// A word or an option that has no place, without its value.
pub(super) fn unknown(problem: &clap::Error) -> Option<&str> {
    let Some(ContextValue::String(word)) = problem.get(ContextKind::InvalidArg) else { return None };
    if word.starts_with('-') { word.split('=').next() } else { Some(word) }
}

/// The long name of an option that a command does not have.
pub(super) fn unknown_name(problem: &clap::Error) -> Option<&str> {
    unknown(problem)?.strip_prefix("--")
}

/// What was given to an option: behind an equals sign, right behind its letter, or as the next word.
pub(super) fn value_of<'a>(argv: &'a [OsString], option: &str) -> Option<&'a str> {
    let mut words = argv.iter().skip(1).take_while(|word| *word != "--").map_while(|word| word.to_str());
    let rest = words.find_map(|word| {
        word.strip_prefix(option).filter(|rest| rest.is_empty() || rest.starts_with('=') || !option.starts_with("--"))
    })?;
    match rest.strip_prefix('=').unwrap_or(rest) {
        "" => words.next().filter(|word| !is_like_an_option(word)),
        value => Some(value),
    }
}

/// What is said of an option that another command has.
pub fn elsewhere(problem: &clap::Error) -> Option<String> {
    let name = unknown_name(problem)?;
    if has_option(&Positional::command(), name) && matches!(name, "tail" | "sleep-seconds") {
        return Some(
            "it belongs to `logparser LOCATION HOST_FROM HOST_TO`; elsewhere say --follow --every 1h".to_owned(),
        );
    }
    having(name).map(|commands| format!("it is an option of: {commands}"))
}

/// The commands that have an option of this long name, if any have.
pub(super) fn having(name: &str) -> Option<String> {
    let mut commands = Commanded::command();
    // Until then, commands have no options.
    commands.build();
    let having = commands.get_subcommands().filter(|command| has_option(command, name));
    let names: Vec<&str> = having.map(clap::Command::get_name).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

/// What is said of words that are not text, where text is expected.
pub fn no_text(argv: &[OsString]) -> Option<String> {
    let (at, word) = argv.iter().enumerate().skip(1).find(|(_, word)| word.to_str().is_none())?;
    let shown = printable(word.as_bytes());
    if let Some(option) = option_of(argv, at) {
        return Some(format!("argument {at}, {shown}, is not UTF-8, as what is given to {option} has to be"));
    }
    // An asterisk stands for any bytes in the name of a file.
    let glob = word.to_string_lossy().replace(char::REPLACEMENT_CHARACTER, "*");
    Some(format!(
        "argument {at}, {shown}, is not UTF-8; a file that is called so is reached by a glob, {}, and a host is written \
         as it is shown, {}",
        shell_word(&glob),
        shell_word(word.as_bytes())
    ))
}

/// The option that a word is a value of, or has one in itself.
fn option_of(argv: &[OsString], at: usize) -> Option<String> {
    if argv[..at].iter().any(|word| word == "--") {
        return None;
    }
    let word = argv[at].to_string_lossy();
    if let Some((option, _)) = word.split_once('=').filter(|(option, _)| option.starts_with("--")) {
        return Some(option.to_owned());
    }
    let letters = |word: &str| word.len() > 1 && word.starts_with('-') && !word.starts_with("--");
    if letters(&word) {
        return Some(word.chars().take(2).collect());
    }
    let before = argv.get(at - 1)?.to_str()?;
    let takes = |command: &clap::Command| takes_value(command, before);
    any_command(takes).then(|| before.to_owned())
}

fn is_long_option(name: &str) -> bool {
    any_command(|command| has_option(command, name))
}

/// Whether something holds for the form without a command or for any command.
pub(super) fn any_command(holds: impl Fn(&clap::Command) -> bool) -> bool {
    // Options of commands are there once they are built.
    let mut commanded = Commanded::command();
    commanded.build();
    holds(&Positional::command()) || commanded.get_subcommands().any(holds)
}
