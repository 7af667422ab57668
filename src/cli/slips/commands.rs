//! Commands that are not written as they should be: `help` and `version` as words, a log to make
//! with nothing but its size, a state without its option, a command that lacks its subcommand.

use std::ffi::OsString;
use std::path::Path;

use clap::CommandFactory;

use crate::cli::commands::Commanded;
use crate::cli::streams::is_piped;
use crate::error::{Error, Result};
use crate::model::escape::shell_word;
use crate::model::size;
use crate::options::suggest;

/// The words of a command line, options and their values among them.
fn words(argv: &[OsString]) -> Vec<&str> {
    argv.iter().skip(1).take_while(|word| *word != "--").filter_map(|word| word.to_str()).collect()
}

/// Refuses `help` behind a command that takes it for a file or a host.
pub fn not_help(argv: &[OsString]) -> Result<()> {
    let words = words(argv);
    let [name, .., "help"] = words[..] else { return Ok(()) };
    // Behind these it may be a host, of a log that is piped in.
    let is_host = matches!(name, "to" | "from" | "peers") && words.len() == 2 && is_piped();
    let commands = Commanded::command();
    let command = commands.get_subcommands().find(|command| command.get_name() == name);
    match command {
        Some(command) if !command.has_subcommands() && !is_host && !Path::new("help").exists() => {
            Err(Error::usage(format!("there is no file help; did you mean `logparser {name} --help`?")))
        }
        _ => Ok(()),
    }
}

/// What is said of a word where a command is expected.
pub fn no_command(argv: &[OsString]) -> Option<String> {
    match words(argv)[..] {
        ["help", "version", ..] => Some("did you mean `logparser --version`?".to_owned()),
        _ => None,
    }
}

/// What is said of a command that lacks its subcommand.
pub fn needs_command(argv: &[OsString]) -> String {
    let name = words(argv).first().copied().unwrap_or_default();
    let commands = Commanded::command();
    let below = commands.get_subcommands().find(|command| command.get_name() == name);
    let names: Vec<&str> =
        below.into_iter().flat_map(clap::Command::get_subcommands).map(clap::Command::get_name).collect();
    let first = names.first().copied().unwrap_or("help");
    format!("{name} needs a command behind it: {}; did you mean `logparser {name} {first}`?", names.join(", "))
}

/// What is said of a word or an option that has no place behind its command.
pub fn stray(argv: &[OsString]) -> Option<String> {
    match words(argv)[..] {
        ["state", "show" | "verify" | "reset", place] if !place.starts_with('-') => {
            let action = words(argv)[1];
            let is_folder = Path::new(place).is_dir();
            let place = shell_word(place);
            if !is_folder {
                return Some(format!(
                    "the folder of a state stands behind --state, and {place} is no folder; did you mean `logparser state \
                     list`? It says where there are states"
                ));
            }
            Some(format!(
                "the folder of a state stands behind its option; did you mean `logparser state {action} --state {place}`? \
                 `logparser state list` lists the states there are"
            ))
        }
        ["state", "list", "--state", root] => Some(format!(
            "the folder that holds the states has no option; did you mean `logparser state list {}`?",
            shell_word(root)
        )),
        ["make", ref rest @ ..] => instead_of_options("logparser make", rest),
        _ => None,
    }
}

/// The same for the program that makes logs.
pub fn stray_in_make(argv: &[OsString]) -> Option<String> {
    instead_of_options("logparser-make", &words(argv))
}

/// What was meant where a number stands without its option, before the file or behind it: `1k lines
/// conn.log`.
fn instead_of_options(program: &str, words: &[&str]) -> Option<String> {
    let unit = |word: &str| matches!(word, "line" | "lines" | "records");
    let plain: Vec<&str> = words.iter().copied().filter(|word| !unit(word)).collect();
    let at = plain.iter().position(|word| size::number(word).is_some() || is_size(word))?;
    // Behind an option it is the option's value.
    if at > 0 && plain[at - 1].starts_with('-') {
        return None;
    }
    let file = plain.iter().enumerate().find(|(other, word)| *other != at && !word.starts_with('-'));
    let file = file.map_or("made.log", |(_, word)| *word);
    Some(format!("did you mean `{program} {} {}`?", option(plain[at]), shell_word(file)))
}

fn is_size(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_digit()) && size::read(word).is_some()
}

/// The option that gives a number of lines or of bytes.
fn option(word: &str) -> String {
    let option = if size::number(word).is_some() { "--lines" } else { "--size" };
    format!("{option} {word}")
}

/// Refuses a number as the file that is made.
pub fn made(path: &Path) -> Result<()> {
    let Some(word) = path.to_str().filter(|word| size::number(word).is_some() || is_size(word)) else { return Ok(()) };
    Err(Error::usage(format!(
        "{word} is a number where a file is expected; did you mean `logparser make {} made.log`? A file that is called so is \
         ./{word}",
        option(word)
    )))
}

/// The command that a word may have been meant to be, if it is not a file.
pub fn near_command(word: &str) -> Option<String> {
    if Path::new(word).exists() {
        return None;
    }
    if word == "version" {
        return Some("did you mean `logparser --version`?".to_owned());
    }
    let commands = Commanded::command();
    suggest(word, commands.get_subcommands().map(clap::Command::get_name))
}
