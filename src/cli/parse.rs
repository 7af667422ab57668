//! A command line taken apart: what it asks for, or what is wrong with it.
//!
//! Not here: which commands and options there are (`commands`, `args`), and what they do (`jobs`).

use std::ffi::OsString;
use std::io;

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind as Problem};
use clap::{ColorChoice, CommandFactory, FromArgMatches};

use super::commands::{Command, Commanded, Positional};
use super::{help, show, slips, tty};

/// What a command line asks for.
pub enum Request {
    Positional(Box<Positional>),
    Command(Box<Command>),
}

/// Takes a command line apart. Errors with what is wrong with it, or the help that it asks for, and
/// perhaps a hint.
pub fn request(argv: &[OsString]) -> Result<Request, (clap::Error, Option<String>)> {
    let hint = |error: &clap::Error, otherwise: Option<String>| match error.kind() {
        Problem::InvalidUtf8 => slips::no_text(argv),
        Problem::UnknownArgument => slips::stray(argv)
            .or_else(|| slips::no_set(error, argv))
            .or_else(|| slips::format(error, argv))
            .or_else(|| slips::printed(error, argv))
            .or_else(|| slips::elsewhere(error))
            .or_else(|| slips::otherwise_called(error, argv))
            .or_else(|| slips::configured(error, argv))
            .or_else(|| slips::bare_setting(error, argv))
            .or_else(|| slips::bare(argv))
            .or(otherwise),
        Problem::InvalidValue | Problem::WrongNumberOfValues => slips::no_value(error, argv).or(otherwise),
        Problem::InvalidSubcommand => slips::no_command(argv).or(otherwise),
        Problem::DisplayHelpOnMissingArgumentOrSubcommand => Some(slips::needs_command(argv)),
        _ => otherwise,
    };
    let commands = Commanded::command();
    match with_command_first(argv, &commands) {
        Some(argv) => match parsed::<Commanded>(help::commanded_by(commands, &argv[1].to_string_lossy()), &argv) {
            Ok(commanded) => Ok(Request::Command(Box::new(commanded.command))),
            Err(error) => {
                let hint = hint(&error, None);
                Err((error, hint))
            }
        },
        None => match parsed::<Positional>(help::positional(), argv) {
            Ok(positional) => Ok(Request::Positional(Box::new(positional))),
            Err(error) => {
                let hint = hint(&error, first_word(argv).and_then(slips::near_command));
                Err((error, hint))
            }
        },
    }
}

/// What is said of a command line that is not understood; none of one that is, or that asks for
/// help. Nothing is run.
pub fn misunderstood(argv: &[OsString]) -> Option<String> {
    if let Err(error) = slips::command_line(argv) {
        return Some(show::shown(&error));
    }
    match request(argv) {
        Err((error, hint)) if error.use_stderr() => Some(show::shown(&show::misuse(&error, hint))),
        _ => None,
    }
}

/// The command line as `command` understands it.
pub fn parsed<T: FromArgMatches>(command: clap::Command, argv: &[OsString]) -> Result<T, clap::Error> {
    let color = if tty::shows_color(&io::stdout()) { ColorChoice::Auto } else { ColorChoice::Never };
    let mut command = command.color(color);
    match command.try_get_matches_from_mut(argv) {
        Ok(matches) => T::from_arg_matches(&matches),
        Err(mut error) => {
            if error.get(ContextKind::Usage).is_some() {
                error.insert(ContextKind::Usage, ContextValue::StyledStr(usage(command, argv)));
            }
            Err(error)
        }
    }
}

/// How the command that a command line calls is used, whatever was given to it: the parser would name
/// options that it has taken for those that were meant.
fn usage(command: clap::Command, argv: &[OsString]) -> StyledStr {
    let (mut path, mut command) = (command.get_name().to_owned(), command);
    for word in argv.iter().skip(1) {
        let Some(further) = word.to_str().and_then(|word| command.find_subcommand(word)).cloned() else { break };
        path = format!("{path} {}", further.get_name());
        command = further;
    }
    command.bin_name(path).render_usage()
}

/// The arguments with the command moved to the front, if the first positional argument is one. So
/// options may stand before a command, and a host or file that is named like a command is still a
/// host or file everywhere else.
fn with_command_first(argv: &[OsString], commands: &clap::Command) -> Option<Vec<OsString>> {
    // As they are declared: how help arranges them takes long and is of no use here.
    let positional = Positional::command();
    let takes = |arg: Option<&clap::Arg>| arg.is_some_and(|arg| arg.get_action().takes_values());
    let short = |letter: char| positional.get_arguments().find(|arg| arg.get_short() == Some(letter));
    // Whether the next word is the value of this one. `--set` is known to commands only.
    let takes_next = |word: &str| match word.strip_prefix("--") {
        Some("set") => true,
        Some(long) => takes(positional.get_arguments().find(|arg| slips::is_called(arg, long))),
        // Of letters that stand together, the first that takes a value has what follows it as that.
        None => word[1..]
            .char_indices()
            .find(|(_, letter)| takes(short(*letter)))
            .is_some_and(|(at, letter)| word.len() == 1 + at + letter.len_utf8()),
    };
    let mut at = 1;
    loop {
        let text = argv.get(at)?.to_str()?;
        if text == "--" {
            return None;
        }
        if text.len() < 2 || !text.starts_with('-') {
            break;
        }
        at += if takes_next(text) { 2 } else { 1 };
    }
    let name = argv[at].to_str()?;
    let is_command = name == "help" || commands.get_subcommands().any(|known| known.get_name() == name);
    is_command.then(|| {
        let mut moved = argv.to_vec();
        moved[1..=at].rotate_right(1);
        moved
    })
}

/// The first word that is no option.
fn first_word(argv: &[OsString]) -> Option<&str> {
    argv.iter().skip(1).find_map(|word| word.to_str().filter(|word| !word.starts_with('-')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moved(argv: &[&str]) -> Option<Vec<String>> {
        let argv: Vec<OsString> = argv.iter().map(OsString::from).collect();
        with_command_first(&argv, &Commanded::command())
            .map(|moved| moved.into_iter().map(|arg| arg.into_string().unwrap()).collect())
    }

    #[test]
    fn usage_beside_an_error_names_no_option_that_nobody_gave() {
        for (command, usage) in [
            ("top conn.log", "logparser top [OPTIONS] [LOCATION]..."),
            ("run", "logparser run [OPTIONS] [FILE]"),
            ("graph", "logparser graph [OPTIONS] [FILE]"),
            ("explain conn.log", "logparser explain [OPTIONS] [LOCATION]..."),
            ("to Delta", "logparser to [OPTIONS] <HOST> [LOCATION]..."),
            ("partial conn.log", "logparser partial [OPTIONS] --output <FILE> [LOCATION]..."),
            ("report x.tally", "logparser report [OPTIONS] <FILE... [HOST_FROM HOST_TO]>..."),
            ("state list", "logparser state list [OPTIONS] [DIR]"),
            ("conn.log", "logparser [OPTIONS] [LOCATION [HOST_FROM HOST_TO]]"),
        ] {
            for wrong in ["--chain", "--slide=5", "--outputs", "-x", "--seconds 5 --no-such", "--frob --color never"] {
                let argv: Vec<OsString> = ["logparser"]
                    .into_iter()
                    .chain(command.split(' '))
                    .chain(wrong.split(' '))
                    .map(Into::into)
                    .collect();
                let Err((error, _)) = request(&argv) else { panic!("{argv:?}") };
                let said = error.to_string();
                let found = said.split_once("Usage: ").map(|(_, rest)| rest.lines().next().unwrap());
                assert_eq!(found, Some(usage), "{argv:?}: {said}");
            }
        }
    }

    #[test]
    fn a_command_is_found_behind_options_and_nowhere_else() {
        assert_eq!(moved(&["lp", "--last", "5m", "--quiet", "top", "x"]).unwrap()[1], "top");
        assert_eq!(moved(&["lp", "--seconds=5", "run"]).unwrap()[1], "run");
        assert_eq!(moved(&["lp", "-n", "3", "-qo", "csv", "top", "x"]).unwrap()[1], "top");
        assert_eq!(moved(&["lp", "-n3", "-qocsv", "top", "x"]).unwrap()[1], "top");
        assert_eq!(moved(&["lp", "-n", "top", "x"]), None);
        assert_eq!(moved(&["lp", "--set", "a=b", "run"]).unwrap()[1], "run");
        assert_eq!(moved(&["lp", "conn.log", "top", "run"]), None);
        assert_eq!(moved(&["lp", "--seconds", "run", "x", "y", "z"]), None);
        assert_eq!(moved(&["lp", "--", "top"]), None);
        assert_eq!(moved(&["lp"]), None);
    }
}
