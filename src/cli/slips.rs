//! Command lines that say one thing and mean another: refused with the one that was meant, before
//! anything is read.
//!
//! Here: files and hosts. Not here: values of options, which the configuration checks. Invariant:
//! what is refused can be said all the same: behind `--`, words are what their places make them.

mod blanks;
mod commands;
mod elsewhere;
mod keys;
mod options;

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

pub use commands::{made, near_command, needs_command, no_command, stray, stray_in_make};
pub use elsewhere::{format, otherwise_called, printed};
pub use keys::{bare_setting, configured, no_set};
pub use options::{bare, elsewhere, is_called, no_text, no_value};

use super::streams::is_piped;
use crate::config::{is_configuration, is_log};
use crate::error::{Error, Result};
use crate::model::escape::shell_word;
use crate::model::location::{Location, is_glob};
use crate::tallies;

/// Refuses what cannot be a command line of any command, whatever the options mean.
pub fn command_line(argv: &[OsString]) -> Result<()> {
    options::dashes(argv)?;
    options::values(argv)?;
    blanks::blanks(argv)?;
    keys::settings(argv)?;
    elsewhere::follows_no_format(argv)?;
    commands::not_help(argv)
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
        [from, to] if is_piped() && !is_location(from) && !is_location(to) => {
            let (from, to) = (shell_word(from), shell_word(to));
            Err(Error::usage(format!(
                "the location is missing in front of two hosts; of what is piped in it is -: did you mean `logparser - {from} \
                 {to}`?"
            )))
        }
        [from, to] if !is_location(from) && !is_location(to) => {
            let (from, to) = (shell_word(from), shell_word(to));
            Err(Error::usage(format!(
                "there is no file {from}; if these are two hosts, the location is missing in front of them: `logparser \
                 LOCATION {from} {to}`"
            )))
        }
        [_, hosts @ ..] => match hosts.iter().find(|host| is_file(host)) {
            Some(file) => Err(expanded(file, &of_many(words), "-- LOCATION HOST_FROM HOST_TO")),
            None => exactly_three(words),
        },
    }
}

/// Says what was meant by a host that has the name of an option or a command, where hints say that
/// it is not a host: `conn.log until latest`.
pub fn misplaced(words: &[&str], hints: &mut [String]) {
    let [location, name, value] = *words else { return };
    let is_unknown = format!("'{name}' connects to nothing");
    let Some(hint) = hints.iter_mut().find(|hint| hint.starts_with(&is_unknown)) else { return };
    let [location, shown] = [location, value].map(shell_word);
    match name {
        "to" | "from" => hint.push_str(&format!("; did you mean `logparser {name} {shown} {location}`?")),
        _ if options::takes_word(name) => hint.push_str(&format!("; did you mean --{name} {shown}?")),
        _ => {}
    }
}

/// What was asked of several files, among which hosts may stand: the commands that take several.
fn of_many(words: &[&str]) -> String {
    let (files, hosts): (Vec<&str>, Vec<&str>) = words.iter().partition(|word| is_location(word));
    let files = files.into_iter().map(shell_word).collect::<Vec<_>>().join(" ");
    match hosts[..] {
        [host] => {
            let host = shell_word(host);
            format!("to {host} {files}` or `logparser from {host} {files}")
        }
        _ => format!("top {files}"),
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
                 `logparser from {host} {location}` those that it connects to, and `logparser peers {host} {location}` both; \
                 or name two: LOCATION HOST_FROM HOST_TO"
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
        _ => {
            let files = locations.iter().map(shell_word).collect::<Vec<_>>().join(" ");
            Err(Error::usage(format!(
                "{shown} is a file where a host is expected: `logparser {command} HOST {shown} {files}`; a host of that name \
                 stands behind --: `logparser {command} -- {shown} {files}`"
            )))
        }
    }
}

/// Refuses configurations and tallies as logs.
pub fn logs(locations: &[String]) -> Result<()> {
    if locations.iter().any(|location| location.is_empty()) {
        return Err(Error::usage("the location is empty; name a file, folder or glob"));
    }
    if let Some(file) = locations.iter().find(|location| tallies::is_one(Path::new(location))) {
        let file = shell_word(file);
        return Err(Error::usage(format!(
            "{file} is a tallies file, and a log is expected; did you mean `logparser report {file}`?"
        )));
    }
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

/// Refuses tallies as a configuration.
pub fn configuration(file: &Path) -> Result<()> {
    if !tallies::is_one(file) {
        return Ok(());
    }
    let file = shell_word(file.as_os_str().as_bytes());
    Err(Error::usage(format!(
        "{file} is a tallies file, and a configuration (TOML) is expected; did you mean `logparser report {file}`?"
    )))
}

/// What is said of a log among tallies files.
pub fn no_tallies(files: &[PathBuf]) -> Option<Error> {
    let (file, shown) = files.iter().find_map(|file| Some((file, is_log(file)?)))?;
    let file = shell_word(file.as_os_str().as_bytes());
    Some(Error::usage(format!(
        "{file} {shown}, and a tallies file is expected; did you mean `logparser top {file}`? `logparser partial` makes tallies \
         of logs"
    )))
}

/// Refuses a file as the folder of a state.
pub fn state(folder: &Path) -> Result<()> {
    match folder.metadata() {
        Ok(found) if !found.is_dir() => Err(Error::usage(format!(
            "{} is a file, and the folder of a state is expected; did you mean `logparser state list`? It says where there are \
             states",
            shell_word(folder.as_os_str().as_bytes())
        ))),
        _ => Ok(()),
    }
}

/// A file stands where a host is expected, and the location leads somewhere, too.
fn expanded(file: &str, otherwise: &str, insist: &str) -> Error {
    Error::usage(format!(
        "{} is a file where a host is expected; if the shell has put it in place of a glob, put the glob in quotes, \
         e.g. 'conn*.log'; did you mean `logparser {otherwise}`? A host of that name stands behind --: `logparser {insist}`",
        shell_word(file)
    ))
}

/// Whether a word is the name of a file. A folder does not count, since hosts often have the name
/// of one.
fn is_file(word: &str) -> bool {
    Path::new(word).metadata().is_ok_and(|found| !found.is_dir())
}

/// Whether a word leads to something to read, or might.
fn is_location(word: &str) -> bool {
    Location::read(word).is_stdin() || is_glob(word) || Path::new(word).exists()
}
