//! How help is arranged: in which order options stand under their headings, and what stands around
//! them.
//!
//! Not here: the options themselves (`args`, `commands`). Help, completions and the manual page are
//! made of the same definition. Invariant: every option that commands share stands under one
//! heading.

use std::fmt::Write as _;

use clap::{Arg, ArgAction, Command, CommandFactory};

use super::commands::{Commanded, Positional};
use crate::config::schema::{Heading, KEYS};

/// The options that are no keys, under their headings: those before the keys that stand there, and
/// those behind.
const OTHERS: &[(Heading, &[&str], &[&str])] = &[
    (Heading::Reading, &["config", "set"], &[]),
    (Heading::Results, &[], &["live", "color"]),
    (Heading::Following, &["tail", "folder", "sleep_seconds"], &[]),
    (Heading::Other, &["quiet", "strict", "help", "version"], &[]),
];

/// Those of them that `-h` shows beside the keys of every day, so that all fit a screen.
const EVERYDAY: &[&str] = &["live", "tail", "quiet", "help"];

/// Commands with options of their own, which need no headings.
const PLAIN: &[&str] = &["state", "reports", "formats", "make", "completions", "man"];

/// What windows are.
pub const WINDOWS: &str = "\
The window of a one-shot run, both ends in:

             until - seconds                    until (now)
  -------------------[==============================]-----------> time
                      what is counted

With --every, windows of --seconds follow each other through the whole input,
and each is half-open: [end - seconds, end).

Numbers are seconds; 90s, 5m, 1h30m and 2d are understood too. Months and years,
of 30.44 and 365.25 days, are spelled out: M is not taken for m.";

/// Command lines with what they ask.
pub const EXAMPLES: &str = "  logparser '/var/log/conn*.log' sierra Delta
      the last hour: the busiest server, who connected to Delta, where sierra connected to
  logparser conn.log --until latest
      the busiest servers in the last hour of an old log
  logparser old.log.gz -r top-pairs:limit=5 --until latest
      the five busiest pairs, of a compressed log
  logparser top conn.log --seconds 1h --every 1h --output csv
      the busiest servers of each hour, as CSV";

/// What exit codes mean.
pub const EXIT_CODES: &[(u8, &str)] = &[
    (0, "done, also when nothing falls in the window or the input is empty"),
    (1, "a run that failed, in whole or for one input, or none of whose lines is a record"),
    (2, "a wrong command line or configuration"),
    (3, "no input"),
    (4, "a saved state that cannot be used"),
    (5, "tallies that were made of a part of a log that has to be read whole"),
    (6, "done, but lines, bytes or results were lost; only with --strict"),
    (130, "on the second interrupt; the first ends the run with the report of what was read"),
];

/// How the program is called.
pub const USAGE: &str = "\
logparser [OPTIONS] [LOCATION [HOST_FROM HOST_TO]]
       logparser COMMAND [OPTIONS] ...";

/// The command line without a command.
pub fn positional() -> Command {
    let commands = Commanded::command();
    let (mut names, mut lines) = (Vec::new(), String::new());
    for command in commands.get_subcommands() {
        names.push(command.get_name());
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        // Writing to a string cannot fail.
        let _ = writeln!(lines, "  {:<12}{}", command.get_name(), wrapped(&about));
    }
    let named = "`logparser COMMAND --help` tells more. A file whose name is that of a command is\nread as ./NAME.";
    let codes: String = EXIT_CODES.iter().map(|(code, meaning)| format!("\n  {code:<5}{meaning}")).collect();
    let command = Positional::command();
    arranged(&command)
        .about(command.get_about().cloned().unwrap_or_default())
        .override_usage(USAGE)
        .after_help(format!("Commands: {}", names.join(", ")))
        .after_long_help(format!(
            "{WINDOWS}\n\nExamples:\n{EXAMPLES}\n\nCommands:\n{lines}{named}\n\nExit codes:{codes}"
        ))
}

/// What is said of a command, on lines that stand below each other beside its name.
fn wrapped(about: &str) -> String {
    const WIDTH: usize = 84;
    let (mut text, mut column) = (String::new(), 0);
    for word in about.split_whitespace() {
        let length = word.chars().count() + 1;
        if column > 0 && column + length > WIDTH {
            text.push_str(&format!("\n{:14}", ""));
            column = 0;
        } else if column > 0 {
            text.push(' ');
        }
        text.push_str(word);
        column += length;
    }
    text
}

/// The command line with a command, all of them defined.
pub fn commanded() -> Command {
    Commanded::command().mut_subcommands(defined)
}

/// The same for a caller that needs one command, by its name: the others are there by name only,
/// since defining them is most of what a short run takes to start.
pub fn commanded_by(commands: Command, name: &str) -> Command {
    // Whatever else may be asked for, such as help about a command.
    if commands.get_subcommands().all(|command| command.get_name() != name) {
        return commanded();
    }
    commands.mut_subcommand(name, defined)
}

/// A command with its options, arranged if it shares them with others.
fn defined(mut command: Command) -> Command {
    if command.get_name() == "make" {
        // Its own program has another name.
        let examples =
            command.get_after_help().map(|help| help.to_string().replace("logparser-make", "logparser make"));
        command = command.after_help(examples.unwrap_or_default());
    }
    if PLAIN.contains(&command.get_name()) {
        return command;
    }
    // Defining the options that it shares replaces what is said of the command, so that is said
    // again.
    let about = command.get_about().cloned().unwrap_or_default();
    command.build();
    arranged(&command).about(about)
}

/// The same command with its options under their headings, in order.
fn arranged(command: &Command) -> Command {
    let help = Arg::new("help").short('h').long("help").action(ArgAction::Help);
    let version = Arg::new("version").short('V').long("version").action(ArgAction::Version).help("Print the version");
    let is_built_in = |arg: &&Arg| matches!(arg.get_id().as_str(), "help" | "version");
    let mut args: Vec<Arg> = command.get_arguments().filter(|arg| !is_built_in(arg)).cloned().collect();
    // Positional arguments come first, in their own order.
    args.push(help.help("Print help: -h a screenful, --help all"));
    args.extend(command.get_version().is_some().then_some(version));
    let headed = headed();
    // Those of one command only come behind all.
    let place = |arg: &Arg| headed.iter().position(|(_, id, _)| arg.get_id() == *id);
    args.sort_by_key(|arg| if arg.is_positional() { None } else { Some(place(arg).unwrap_or(headed.len())) });
    let mut out = Command::new(command.get_name().to_owned()).disable_help_flag(true).disable_version_flag(true);
    if let Some(version) = command.get_version() {
        out = out.version(version.to_owned());
    }
    out.args(args.into_iter().enumerate().map(|(at, arg)| match place(&arg).map(|place| headed[place]) {
        _ if arg.is_positional() => arg,
        None => arg.display_order(at).hide_short_help(true),
        Some((heading, _, is_everyday)) => {
            arg.display_order(at).hide_short_help(!is_everyday).help_heading(heading.title())
        }
    }))
}

/// All options that commands share, in the order of help, with whether `-h` shows them.
fn headed() -> Vec<(Heading, &'static str, bool)> {
    let keys_of = |heading| {
        let arguments = KEYS.iter().filter_map(|key| key.argument);
        let here = arguments.filter(move |argument| argument.heading == heading);
        here.flat_map(|argument| {
            let ids = std::iter::once(argument.long).chain(argument.shorthands.iter().copied());
            ids.map(move |id| (id, argument.is_everyday))
        })
    };
    let all = Heading::ALL.into_iter().flat_map(|heading| {
        let others = OTHERS.iter().find(|(known, ..)| *known == heading);
        let (before, behind) = others.map_or((&[][..], &[][..]), |(_, before, behind)| (*before, *behind));
        let other = |id: &&'static str| (*id, EVERYDAY.contains(id));
        let ids = before.iter().map(other).chain(keys_of(heading)).chain(behind.iter().map(other));
        ids.map(move |(id, is_everyday)| (heading, id, is_everyday))
    });
    all.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::ValueHint;

    #[test]
    fn the_definitions_are_sound_and_one_command_is_defined_as_all_are() {
        positional().debug_assert();
        let all = commanded();
        all.clone().debug_assert();
        for command in all.get_subcommands() {
            let name = command.get_name();
            let help = |all: Command| all.try_get_matches_from(["logparser", name, "--help"]).unwrap_err().to_string();
            assert_eq!(help(commanded_by(Commanded::command(), name)), help(commanded()), "{name}");
            let about = command.get_about().map(ToString::to_string).unwrap_or_default();
            let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            assert!(
                words(&help(commanded())).starts_with(&words(&about)),
                "the options of '{name}' say what they are in its place"
            );
        }
    }

    #[test]
    fn shells_complete_paths_where_a_file_is_meant() {
        for command in [positional()].into_iter().chain(commanded().get_subcommands().cloned()) {
            for arg in command.get_arguments() {
                let is_file = arg.get_value_names().is_some_and(|names| names.iter().any(|name| name == "FILE"));
                let completes = arg.get_value_hint() == ValueHint::AnyPath;
                assert!(completes || !is_file, "{} {}", command.get_name(), arg.get_id());
            }
        }
    }

    #[test]
    fn every_option_that_commands_share_stands_under_one_heading() {
        for arg in Positional::command().get_arguments().filter(|arg| !arg.is_positional()) {
            let id = arg.get_id().as_str();
            let places = headed().iter().filter(|(_, known, _)| *known == id).count();
            assert_eq!(places, 1, "'{id}' has to stand in OTHERS of src/cli/help.rs, once");
        }
    }

    #[test]
    fn headings_come_in_order_and_the_short_help_fits_a_screen() {
        let long = positional().render_long_help().to_string();
        let found: Vec<&str> = long.lines().filter_map(|line| line.strip_suffix(':')).collect();
        let headings = Heading::ALL.map(Heading::title);
        assert_eq!(found.iter().copied().filter(|line| headings.contains(line)).collect::<Vec<_>>(), headings);
        for word in ["--prune-above", "Exit codes", "130", "Examples", "  top"] {
            assert!(long.contains(word), "{word}");
        }
        for command in [positional()].into_iter().chain(commanded().get_subcommands().cloned()) {
            let short = command.term_width(80).render_help().to_string();
            assert!(short.lines().count() <= 40, "{}: {short}", short.lines().count());
        }
    }
}
