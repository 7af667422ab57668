//! Command lines that say one thing and mean another: refused with the one that was meant, before anything is read.
//!
//! Not here: values of options, which the configuration checks. Invariant: what is refused can be said all the same:
//! behind `--`, words are what their places make them.

use std::path::Path;

use super::near_command;
use crate::config::is_configuration;
use crate::error::{Error, Result};
use crate::model::escape::shell_word;

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
