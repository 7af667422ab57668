//! Command lines that say one thing and mean another: refused with the one that was meant, before anything is read.
//!
//! Not here: values of options, which the configuration checks. Invariant: what is refused can be said all the same:
//! behind `--`, words are what their places make them.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use clap::CommandFactory;

use super::commands::{Commanded, Positional};
use super::near_command;
use crate::config::is_configuration;
use crate::error::{Error, Result};
use crate::model::escape::{printable, shell_word};

/// Refuses options of more than one letter behind one dash, which would be taken for so many short ones, or for one with
/// a value.
pub fn dashes(argv: &[OsString]) -> Result<()> {
    let words = argv.iter().skip(1).take_while(|word| *word != "--");
    for word in words.filter_map(|word| word.to_str()) {
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

/// Refuses options that lack their value, and would take the option behind them for it.
pub fn values(argv: &[OsString]) -> Result<()> {
    let words = || argv.iter().skip(1).take_while(|word| *word != "--").filter_map(|word| word.to_str());
    // Most command lines have no option right behind another, and the definitions take long to make.
    if !words().zip(words().skip(1)).any(|(word, next)| word.starts_with('-') && next.starts_with("--")) {
        return Ok(());
    }
    let definitions = [Positional::command(), Commanded::command()];
    let mut words = words().peekable();
    while let Some(word) = words.next() {
        if !takes_next(word, &definitions) {
            continue;
        }
        let Some(next) = words.peek() else { return Ok(()) };
        let name = next.split('=').next().unwrap_or_default();
        if name.strip_prefix("--").is_some_and(is_long_option) {
            return Err(Error::usage(format!(
                "{word} needs a value, and {name} stands in its place; --help tells more"
            )));
        }
        words.next();
    }
    Ok(())
}

/// Whether an option has the next word as its value, in the form without a command or behind any.
fn takes_next(word: &str, [positional, commands]: &[clap::Command; 2]) -> bool {
    let takes = |command: &clap::Command| takes_value(command, word);
    takes(positional) || commands.get_subcommands().any(takes)
}

/// Whether a word stands for an option of a command that takes a value: of letters that stand together, the last.
fn takes_value(command: &clap::Command, word: &str) -> bool {
    let is_meant = |arg: &clap::Arg| match word.strip_prefix("--") {
        Some(long) => is_called(arg, long),
        None => word.starts_with('-') && word.len() > 1 && arg.get_short() == word.chars().next_back(),
    };
    command.get_arguments().any(|arg| arg.get_action().takes_values() && is_meant(arg))
}

/// Whether an option has this long name, or has it too.
pub fn is_called(arg: &clap::Arg, long: &str) -> bool {
    arg.get_long() == Some(long) || arg.get_all_aliases().is_some_and(|aliases| aliases.contains(&long))
}

/// Whether a command has an option of this long name.
fn has_option(command: &clap::Command, long: &str) -> bool {
    command.get_arguments().any(|arg| is_called(arg, long))
}

/// What is said of an option that another command has.
pub fn elsewhere(problem: &clap::Error) -> Option<String> {
    use clap::error::{ContextKind, ContextValue};
    let Some(ContextValue::String(option)) = problem.get(ContextKind::InvalidArg) else { return None };
    let name = option.strip_prefix("--")?.split('=').next()?;
    let has = |command: &clap::Command| has_option(command, name);
    if has(&Positional::command()) && matches!(name, "tail" | "sleep-seconds") {
        return Some(
            "it belongs to `logparser LOCATION HOST_FROM HOST_TO`; elsewhere say --follow --every 1h".to_owned(),
        );
    }
    let mut commands = Commanded::command();
    // Until then, commands have no options.
    commands.build();
    let names: Vec<&str> =
        commands.get_subcommands().filter(|command| has(command)).map(clap::Command::get_name).collect();
    (!names.is_empty()).then(|| format!("it is an option of: {}", names.join(", ")))
}

/// What is said of words that are no text, where text is expected.
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
fn any_command(holds: impl Fn(&clap::Command) -> bool) -> bool {
    // Options of commands are there once they are built.
    let mut commanded = Commanded::command();
    commanded.build();
    holds(&Positional::command()) || commanded.get_subcommands().any(holds)
}

/// Refuses words of the form without a command that do not mean what their places say.
pub fn positional(words: &[&str], insists: bool) -> Result<()> {
    match words {
        [] => Ok(()),
        [word] => match near_command(word) {
            // What has a dot or a slash is meant as a file.
            Some(help) if !insists && !is_location(word) && !word.contains(['.', '/']) => {
                Err(Error::usage(format!("there is no file and no command {}; {help}", shell_word(word))))
            }
            _ => Ok(()),
        },
        _ if insists => exactly_three(words),
        [location, host] if is_file(host) && !is_location(location) => {
            let command = near_command(location).filter(|_| !location.contains(['.', '/']));
            let (host, location) = (shell_word(location), shell_word(host));
            let meant = format!("`logparser to {host} {location}` or `logparser from {host} {location}`");
            Err(Error::usage(match command {
                Some(help) => format!("there is no command {host}; {help} If it is a host, say {meant}"),
                None => format!("{location} is a file where a host is expected; did you mean {meant}?"),
            }))
        }
        [location, from, to] if !is_location(location) && (is_file(from) || is_file(to)) => {
            let (file, hosts) = if is_file(to) { (to, [location, from]) } else { (from, [location, to]) };
            let [file, from, to] = [file, hosts[0], hosts[1]].map(shell_word);
            Err(Error::usage(format!(
                "{file} is a file where a host is expected; did you mean `logparser {file} {from} {to}`?"
            )))
        }
        [_, hosts @ ..] => match hosts.iter().find(|host| is_file(host)) {
            Some(file) => Err(expanded(file, "top conn1.log conn2.log", "-- LOCATION HOST_FROM HOST_TO")),
            None => exactly_three(words),
        },
    }
}

/// A location stands alone or before two hosts.
fn exactly_three(words: &[&str]) -> Result<()> {
    match words {
        [_, _, _] => Ok(()),
        [location, host] => {
            let (location, host) = (shell_word(location), shell_word(host));
            Err(Error::usage(format!(
                "of one host, say which way: `logparser to {host} {location}` lists the hosts that connect to it, \
                 `logparser from {host} {location}` those that it connects to; or name two: LOCATION HOST_FROM HOST_TO"
            )))
        }
        _ => Err(Error::usage(format!(
            "{} is one word too many: expected LOCATION HOST_FROM HOST_TO; put a glob in quotes, e.g. 'conn*.log'",
            shell_word(words.get(3).copied().unwrap_or_default())
        ))),
    }
}

/// Refuses a file as the host of a question about one host.
pub fn host(command: &str, host: &str, locations: &[String], insists: bool) -> Result<()> {
    if insists || !is_file(host) {
        return Ok(());
    }
    let shown = shell_word(host);
    match locations {
        [] => Err(Error::usage(format!(
            "{shown} is a file where a host is expected: `logparser {command} HOST {shown}`; a host of that name \
             stands behind --: `logparser {command} -- {shown}`"
        ))),
        [other] if !is_location(other) => {
            let other = shell_word(other);
            Err(Error::usage(format!(
                "{shown} is a file where a host is expected; did you mean `logparser {command} {other} {shown}`?"
            )))
        }
        _ => Err(expanded(host, &format!("{command} HOST 'conn*.log'"), &format!("{command} -- HOST LOCATION"))),
    }
}

/// Refuses configurations as logs.
pub fn logs(locations: &[String]) -> Result<()> {
    match locations.iter().find(|location| is_configuration(Path::new(location))) {
        Some(file) => {
            let file = shell_word(file);
            Err(Error::usage(format!(
                "{file} is a configuration, and a log is expected; did you mean `logparser run {file}`?"
            )))
        }
        None => Ok(()),
    }
}

/// A file stands where a host is expected, and the location leads somewhere, too.
fn expanded(file: &str, otherwise: &str, insist: &str) -> Error {
    Error::usage(format!(
        "{} is a file where a host is expected; if the shell has put it in place of a glob, put the glob in quotes, \
         e.g. 'conn*.log', or ask `logparser {otherwise}`; a host of that name stands behind --: `logparser {insist}`",
        shell_word(file)
    ))
}

/// Whether a word is the name of a file. A folder is none: hosts are often named like one.
fn is_file(word: &str) -> bool {
    Path::new(word).metadata().is_ok_and(|found| !found.is_dir())
}

/// Whether a word leads to something to read, or might.
fn is_location(word: &str) -> bool {
    word == "-" || word.contains(['*', '?', '[']) || Path::new(word).exists()
}
