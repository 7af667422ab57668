//! Keys that are set, but not as keys are: without `--set` or its equals sign, by a command that has
//! no `--set`, or switched off by an option of its own.
//!
//! Not here: what a key may be set to (`config`). Invariant: a word that is the name of a file is
//! that file.

use std::ffi::OsString;
use std::path::Path;

use super::elsewhere::called;
use super::options::{any_command, has_option, option_of_word, unknown, unknown_name, value_of};
use crate::config::schema::all_keys;
use crate::error::{Error, Result};
use crate::model::escape::{shell_word, toml_text};
use crate::options::{Kind, OptionSpec};

/// The commands that take words for locations. Others take them for hosts, or not at all.
const LOCATED: [&str; 5] = ["top", "explain", "plan", "partial", "list"];

/// The key of this name; of a dotted path, that at its end.
fn spec(key: &str) -> Option<OptionSpec> {
    all_keys().find(|spec| spec.name == key.rsplit('.').next().unwrap_or(key)).copied()
}

/// What sets a key on the command line of a command: an option of its own, or `--set`; and else what
/// to do.
fn way(command: &clap::Command, key: &str, value: &str, words: &[&str]) -> String {
    let is_flag = spec(key).is_some_and(|spec| spec.kind == Kind::Flag);
    let own = command.get_arguments().any(|arg| arg.get_long() == Some(key));
    let setting = shell_word(format!("{key}={value}"));
    match (own, is_flag) {
        (true, false) => format!("did you mean --{key} {}?", shell_word(value)),
        (true, true) if value == "true" => format!("did you mean --{key}?"),
        _ if has_option(command, "set") => format!("did you mean --set {setting}?"),
        _ => {
            let log = words.iter().find(|word| Path::new(word).is_file()).map_or("LOCATION", |word| word);
            format!(
                "{key} is a key of a configuration, and no option of this command; write location = {} into a file, say \
                 my.toml, and ask `logparser run my.toml --set {setting}`",
                toml_text(log)
            )
        }
    }
}

/// The words of a command line before `--`, without the program.
fn words(argv: &[OsString]) -> Vec<&str> {
    argv.iter().skip(1).take_while(|word| *word != "--").filter_map(|word| word.to_str()).collect()
}

/// A word that sets a key and leads nowhere: the key and the value.
fn setting(word: &str) -> Option<(&str, &str)> {
    let (key, value) = word.split_once('=').filter(|(key, _)| !key.starts_with('-'))?;
    spec(key).filter(|_| !value.is_empty() && !Path::new(word).exists())?;
    Some((key, value))
}

/// Refuses keys that are set without `--set`, where they would be taken for a location, and settings
/// whose equals sign is missing: `top conn.log threads=4`, `--set chain false`.
pub fn settings(argv: &[OsString]) -> Result<()> {
    let words = words(argv);
    // Where a command has no such option, that is said.
    if let Some((given, meant)) = (0..words.len()).find_map(|at| apart(&words[at..]))
        && has_option(&called(argv), "set")
    {
        let meant = shell_word(meant);
        return Err(Error::usage(format!("{given}: a setting is one word, KEY=VALUE; did you mean --set {meant}?")));
    }
    let Some(command) = words.first().filter(|word| LOCATED.contains(word)) else { return Ok(()) };
    for pair in words.windows(2) {
        let Some((key, value)) = setting(pair[1]) else { continue };
        let command = called(&[OsString::new(), command.into()]);
        if pair[0].starts_with('-') && any_command(|command| option_of_word(command, pair[0]).is_some()) {
            continue;
        }
        let word = shell_word(pair[1]);
        return Err(Error::usage(format!("{word}: is no file; {}", way(&command, key, value, &words))));
    }
    Ok(())
}

/// A setting in several words that stand first among these: they, and the one that they make.
fn apart(words: &[&str]) -> Option<(String, String)> {
    let (option, first) = match words {
        ["--set", first, ..] => (2, *first),
        [word, ..] => (1, word.strip_prefix("--set=")?),
        [] => return None,
    };
    let rest = &words[option..];
    let (taken, value) = match rest {
        ["=", value, ..] => (2, *value),
        [value, ..] => (1, value.strip_prefix('=').unwrap_or(value)),
        [] => return None,
    };
    let key = first.strip_suffix('=').unwrap_or(first);
    let is_value = !value.is_empty() && !value.starts_with("--") && !Path::new(value).exists();
    let is_key = !key.contains('=') && spec(key).is_some();
    (is_key && is_value).then(|| (words[..option + taken].join(" "), format!("{key}={value}")))
}

/// What is said of a word that sets a key, where no word has a place: `run FILE chain=false`.
pub fn bare_setting(problem: &clap::Error, argv: &[OsString]) -> Option<String> {
    let (key, value) = setting(unknown(problem)?)?;
    Some(way(&called(argv), key, value, &words(argv)))
}

/// What is said of `--set` where a command has none.
pub fn no_set(problem: &clap::Error, argv: &[OsString]) -> Option<String> {
    unknown_name(problem).filter(|name| *name == "set")?;
    let words = words(argv);
    let apart = (0..words.len()).find_map(|at| apart(&words[at..])).map(|(_, setting)| setting);
    let setting = apart.or_else(|| value_of(argv, "--set").map(str::to_owned))?;
    let (key, value) = setting.split_once('=')?;
    spec(key)?;
    Some(way(&called(argv), key, value, &words))
}

/// What is said of an option that is a key of the configuration, or its opposite: `--chain false`,
/// `--no-chain`.
pub fn configured(problem: &clap::Error, argv: &[OsString]) -> Option<String> {
    let (name, command) = (unknown_name(problem)?, called(argv));
    if spec(name).is_some_and(|spec| spec.name == name) {
        let value = value_of(argv, &format!("--{name}")).unwrap_or("VALUE");
        return Some(way(&command, name, value, &words(argv)));
    }
    let name = name.strip_prefix("no-")?;
    if name == "color" && has_option(&command, name) {
        return Some("did you mean --color never?".to_owned());
    }
    let is_flag = spec(name).is_some_and(|spec| spec.kind == Kind::Flag);
    match has_option(&command, name) {
        true if has_option(&command, "set") && is_flag => Some(way(&command, name, "false", &words(argv))),
        true => Some(format!("it is off unless --{name} is given; leave it out")),
        false => is_flag.then(|| way(&command, name, "false", &words(argv))),
    }
}
