//! Keys of the configuration as options of a command line, made of their table.
//!
//! Not here: which keys there are, and what help says of them (`config::schema`). Values stay texts:
//! they are checked where those of a configuration file are, with the same messages.

use std::marker::PhantomData;

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, ValueHint};

use super::asked_report;
use crate::config::schema::{Argument, Heading, KEYS, KeySpec, Takers};
use crate::error::Result;
use crate::model::escape::toml_text;
use crate::options::Kind;

/// A kind of command, by the keys that it takes as options.
pub trait Taker {
    /// Whether it takes an option.
    fn takes(argument: &Argument) -> bool;

    /// What help says of an option otherwise than elsewhere.
    fn otherwise(_key: &str) -> Option<&'static str> {
        None
    }
}

/// Commands that run a pipeline: they take every option.
#[derive(Debug, Default)]
pub struct Runs;

/// The command that draws a pipeline, whose results it does not draw.
#[derive(Debug, Default)]
pub struct Draws;

/// Commands that count in parts.
#[derive(Debug, Default)]
pub struct Counts;

/// The command that reports on tallies.
#[derive(Debug, Default)]
pub struct Reports;

impl Taker for Runs {
    fn takes(_: &Argument) -> bool {
        true
    }
}

impl Taker for Draws {
    fn takes(argument: &Argument) -> bool {
        // It has a format of its own.
        argument.heading != Heading::Results && argument.long != "format"
    }
}

impl Taker for Counts {
    fn takes(argument: &Argument) -> bool {
        matches!(argument.takers, Takers::Counts | Takers::All)
    }
}

impl Taker for Reports {
    fn takes(argument: &Argument) -> bool {
        matches!(argument.takers, Takers::Reports | Takers::All)
    }

    fn otherwise(key: &str) -> Option<&'static str> {
        let memory = "Memory that the report may take; beyond, pairs go to the disk [default: no limit]";
        (key == "max-memory").then_some(memory)
    }
}

/// The options of such a command that are keys, as they were given.
#[derive(Debug, Default)]
pub struct KeyArgs<T> {
    given: Vec<(&'static KeySpec, Words)>,
    taker: PhantomData<T>,
}

/// What was given for a key: the values, and the options that they come from, for messages.
#[derive(Debug)]
struct Words {
    values: Vec<String>,
    options: Vec<String>,
}

/// A key that is set by an option: its value in TOML, and the option for messages.
pub struct SetKey {
    pub key: &'static str,
    pub value: String,
    pub option: String,
}

/// The keys that are options of such a command, in the order of the table.
fn taken<T: Taker>() -> impl Iterator<Item = (&'static KeySpec, Argument)> {
    let options = KEYS.iter().filter_map(|key| Some((key, key.argument?)));
    options.filter(|(_, argument)| T::takes(argument))
}

impl<T: Taker> Args for KeyArgs<T> {
    fn augment_args(command: Command) -> Command {
        command.args(taken::<T>().flat_map(|(key, argument)| {
            let help = T::otherwise(key.spec.name).unwrap_or(argument.help);
            let shorthands = argument.shorthands.iter().map(move |name| {
                let help = format!("As --{} {name}", argument.long);
                Arg::new(*name).long(*name).action(ArgAction::SetTrue).help(help)
            });
            std::iter::once(arg(key, &argument, help)).chain(shorthands)
        }))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

/// A key as an option.
fn arg(key: &KeySpec, argument: &Argument, help: &str) -> Arg {
    let kind = key.spec.kind;
    let default = key.spec.default.filter(|_| kind != Kind::Flag);
    let help = default.map_or_else(|| help.to_owned(), |default| format!("{help} [default: {default}]"));
    let mut arg = Arg::new(argument.long).long(argument.long).visible_aliases(argument.aliases);
    if let Some(short) = argument.short {
        arg = arg.short(short);
    }
    if let Some(more) = argument.more {
        arg = arg.long_help(format!("{help}.\n\n{more}"));
    }
    let arg = arg.help(help);
    let value = match (argument.value, kind) {
        ("", Kind::Duration | Kind::DurationOrZero) => "TIME",
        ("", Kind::Instant(_)) => "INSTANT",
        ("", Kind::Bytes(..)) => "SIZE",
        ("", Kind::Count(..)) => "N",
        ("", Kind::Path) => "PATH",
        ("", Kind::File) => "FILE",
        (value, _) => value,
    };
    // A number may be below zero, a word may be misspelled: what is wrong is said of the key.
    match kind {
        Kind::Flag => arg.action(ArgAction::SetTrue),
        Kind::Reports | Kind::Outputs => arg.action(ArgAction::Append).value_name(value),
        Kind::Path | Kind::File => arg.action(ArgAction::Set).value_name(value).value_hint(ValueHint::AnyPath),
        Kind::Texts => arg.action(ArgAction::Append).value_name(value).allow_hyphen_values(true),
        _ => arg.action(ArgAction::Set).value_name(value).allow_hyphen_values(true),
    }
}

impl<T: Taker> FromArgMatches for KeyArgs<T> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let given = taken::<T>().filter_map(|(key, argument)| Some((key, words(matches, key, &argument)?)));
        Ok(KeyArgs { given: given.collect(), taker: PhantomData })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        Self::from_arg_matches(matches).map(|args| *self = args)
    }
}

/// What was given for a key, if anything was.
fn words(matches: &ArgMatches, key: &KeySpec, argument: &Argument) -> Option<Words> {
    let name = argument.long;
    if key.spec.kind == Kind::Flag {
        let words = Words { values: vec!["true".to_owned()], options: vec![format!("--{}", argument.long)] };
        return matches.get_flag(name).then_some(words);
    }
    let mut values: Vec<String> = matches.get_many::<String>(name).into_iter().flatten().cloned().collect();
    // A report is mostly given by the short name.
    let shown = |value: &String| match (key.spec.kind, argument.short) {
        (Kind::Reports, Some(short)) => format!("-{short} {value}"),
        _ => format!("--{} {value}", argument.long),
    };
    let mut options: Vec<String> = values.iter().map(shown).collect();
    for name in argument.shorthands.iter().filter(|name| matches.get_flag(name)) {
        values.push((*name).to_owned());
        options.push(format!("--{name}"));
    }
    (!values.is_empty()).then_some(Words { values, options })
}

impl<T> KeyArgs<T> {
    /// The keys that are set. Errors with a report that cannot be read.
    pub fn overrides(&self) -> Result<Vec<SetKey>> {
        let overrides = self.given.iter().map(|(key, Words { values, options })| {
            let value = match key.spec.kind {
                Kind::Flag => values.concat(),
                Kind::Outputs | Kind::Texts => toml_list(values),
                Kind::Reports => {
                    let reports = values.iter().map(|text| asked_report::in_toml(text)).collect::<Result<Vec<_>>>()?;
                    format!("[{}]", reports.join(", "))
                }
                _ => toml_text(&values.concat()),
            };
            Ok(SetKey { key: key.spec.name, value, option: options.join(" ") })
        });
        overrides.collect()
    }

    /// The options that set these keys, as far as they were given, and their values.
    pub fn given<'a>(&'a self, names: &'a [&str]) -> impl Iterator<Item = [String; 2]> + 'a {
        let given = names.iter().filter_map(|name| self.given.iter().find(|(key, _)| key.spec.name == *name));
        given.map(|(key, words)| [format!("--{}", key.spec.name), words.values.concat()])
    }
}

/// Texts as a TOML array of strings.
pub fn toml_list(texts: &[String]) -> String {
    let items: Vec<String> = texts.iter().map(|text| toml_text(text)).collect();
    format!("[{}]", items.join(", "))
}
