//! The command line: argv to pipeline, pipeline to exit code.
//!
//! Results go to stdout and nothing else does; everything said to people goes to stderr, one line
//! each.

mod allocator;
mod args;
mod ask;
mod asked_report;
mod commands;
mod contents;
mod explain;
mod help;
mod inspect;
mod list;
#[cfg(feature = "live")]
mod live;
mod loss;
mod man;
mod show;
mod slips;
mod standing;
mod state;
mod tallies;
mod tty;
mod unpack;
mod watch;

use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::error::ErrorKind as ClapErrorKind;
use clap::{ColorChoice, CommandFactory, FromArgMatches};

use args::{Common, Settings};
use commands::{
    Command, Commanded, GraphFormat, Make, PipelineCommand, Positional, StateAction, StateFormat, TalliesCommand,
};

use crate::config::{DrawFormat, OutputPlan, draw};
use crate::error::{Error, ErrorKind, Place, Result};
use crate::model::Moment;
use crate::model::location::{no_file, no_format, no_target, scheme};
use crate::options::suggest;
use crate::output::save::save;
use crate::pipeline::{Builder, Pipeline};

/// Runs the program on `argv`, its name first.
pub fn main(argv: Vec<OsString>) -> ExitCode {
    // Reads the injection points that a test has set; without them the condition is constant and
    // false.
    let _faults = fail::has_failpoints().then(fail::FailScenario::setup);
    watch::outlive_full_files();
    match dispatch(argv) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            show::error(&error);
            ExitCode::from(error.exit_code())
        }
    }
}

/// Runs the program that makes logs on `argv`, its name first.
pub fn make_main(argv: Vec<OsString>) -> ExitCode {
    watch::outlive_full_files();
    match parsed::<Make>(Make::command(), &argv).map(|make| make_log(&make.args)) {
        Err(error) => {
            let hint = slips::stray_in_make(&argv);
            ExitCode::from(show::usage(&error, hint))
        }
        Ok(Ok(code)) => ExitCode::from(code),
        Ok(Err(error)) => {
            show::error(&error);
            ExitCode::from(error.exit_code())
        }
    }
}

fn make_log(args: &crate::make::Args) -> Result<u8> {
    if let Some(path) = args.path.path() {
        slips::made(path)?;
        local_target(path)?;
    }
    let summary = crate::make::run(args, crate::pipeline::wall_clock())?;
    show::made(args, &summary);
    Ok(0)
}

/// What a command line asks for.
enum Asked {
    Positional(Box<Positional>),
    Command(Box<Command>),
}

/// Takes a command line apart. Errors with what is wrong with it, or the help that it asks for, and
/// perhaps a hint.
fn asked(argv: &[OsString]) -> Result<Asked, (clap::Error, Option<String>)> {
    let hint = |error: &clap::Error, otherwise: Option<String>| match error.kind() {
        ClapErrorKind::InvalidUtf8 => slips::no_text(argv),
        ClapErrorKind::UnknownArgument => slips::elsewhere(error)
            .or_else(|| slips::otherwise_called(error, argv))
            .or_else(|| slips::stray(argv))
            .or_else(|| slips::bare(argv))
            .or(otherwise),
        ClapErrorKind::InvalidValue | ClapErrorKind::WrongNumberOfValues => slips::no_value(error, argv).or(otherwise),
        ClapErrorKind::InvalidSubcommand => slips::no_command(argv).or(otherwise),
        ClapErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => Some(slips::needs_command(argv)),
        _ => otherwise,
    };
    let commands = Commanded::command();
    match with_command_first(argv, &commands) {
        Some(argv) => match parsed::<Commanded>(help::commanded_by(commands, &argv[1].to_string_lossy()), &argv) {
            Ok(commanded) => Ok(Asked::Command(Box::new(commanded.command))),
            Err(error) => {
                let hint = hint(&error, None);
                Err((error, hint))
            }
        },
        None => match parsed::<Positional>(help::positional(), argv) {
            Ok(positional) => Ok(Asked::Positional(Box::new(positional))),
            Err(error) => {
                let hint = hint(&error, first_word(argv).and_then(near_command));
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
    match asked(argv) {
        Err((error, hint)) if error.use_stderr() => Some(show::shown(&show::misuse(&error, hint))),
        _ => None,
    }
}

fn dispatch(argv: Vec<OsString>) -> Result<u8> {
    slips::command_line(&argv)?;
    let insists = argv.iter().any(|arg| arg == "--");
    let command = match asked(&argv) {
        Ok(Asked::Positional(positional)) => return ask::positional(&positional, insists),
        Ok(Asked::Command(command)) => *command,
        Err((error, hint)) => return Ok(show::usage(&error, hint)),
    };
    match command {
        Command::Pipeline(command) => pipeline(command, insists),
        Command::State { action } => saved_state(action),
        Command::Tallies(command) => match command {
            TalliesCommand::Plan(args) => tallies::plan(&args),
            TalliesCommand::List(args) => list::list(&args),
            TalliesCommand::Partial(args) => tallies::partial(&args),
            TalliesCommand::Merge(args) => tallies::merge(&args),
            TalliesCommand::Report(args) => tallies::report(&args),
            TalliesCommand::Inspect(args) => inspect::inspect(&args),
        },
        Command::Reports => print(&show::reports()),
        Command::Make(args) => make_log(&args),
        Command::Man => {
            let page =
                man::page().map_err(|source| ErrorKind::System { action: "cannot make the page".into(), source })?;
            print(&page)
        }
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut help::commanded(), "logparser", &mut script);
            print(&String::from_utf8_lossy(&script))
        }
    }
}

fn pipeline(command: PipelineCommand, insists: bool) -> Result<u8> {
    match command {
        PipelineCommand::Run { file, settings, common } => {
            let builder = with_settings(configured(&file)?, &settings)?;
            ask::run(with_common(builder, &common)?, &common)
        }
        PipelineCommand::Check { file, settings } => {
            let pipeline = with_settings(configured(&file)?, &settings)?.build()?;
            let stages = pipeline.plan().stages.len();
            print(&format!("{}: {stages} stages, no problems\n", crate::error::show_path(&file)))
        }
        PipelineCommand::Graph { file, format, settings } => {
            let pipeline = with_settings(configured(&file)?, &settings)?.build()?;
            let format = match format {
                GraphFormat::Text => DrawFormat::Text,
                GraphFormat::Dot => DrawFormat::Dot,
                GraphFormat::Mermaid => DrawFormat::Mermaid,
            };
            print(&draw(pipeline.plan(), format))
        }
        PipelineCommand::Top { location, common } => ask::question(ask::BUSIEST, location, &common),
        PipelineCommand::To { host, location, common } => {
            slips::host("to", &host, &location, insists)?;
            ask::about("connected-to", &host, location, &common)
        }
        PipelineCommand::From { host, location, common } => {
            slips::host("from", &host, &location, insists)?;
            ask::about("connected-from", &host, location, &common)
        }
        PipelineCommand::Explain { location, config, settings, common } => {
            let location = if config.is_some() { location } else { ask::or_piped(location)? };
            let builder = with_settings(configured_or_standard(config.as_deref())?, &settings)?;
            let builder = ask::located(with_common(builder, &common)?, &location)?;
            let pipeline = builder.on_failure(show::error).on_warning(show::warning).build()?;
            let outputs = explain::outputs(pipeline.plan(), &common.results)?;
            let places = outputs.iter().map(|output| output.path.as_deref());
            let explained = places.fold(pipeline, |pipeline, place| pipeline.writes(place)).explain()?;
            for OutputPlan { format, path } in &outputs {
                let inputs = &explained.inputs;
                let text = if *format == "json" { explain::json(inputs)? } else { explain::text(inputs) };
                emit(&text, &[path.as_deref()])?;
            }
            // As a run of which something could not be read.
            Ok(u8::from(!explained.failures.is_empty()))
        }
    }
}

fn saved_state(action: StateAction) -> Result<u8> {
    if let StateAction::Show { place, .. } | StateAction::Verify { place, .. } | StateAction::Reset { place } = &action
    {
        slips::state(&place.state)?;
    }
    match action {
        StateAction::List { root, output, json } => {
            let output = if json { StateFormat::Json } else { output };
            let root = root.or_else(crate::pipeline::state_root).ok_or_else(|| {
                Error::usage("neither XDG_STATE_HOME nor HOME is set; name the folder that holds the states")
            })?;
            print(&state::list(&root, output, crate::pipeline::wall_clock())?)
        }
        StateAction::Show { place, output, json, pairs } => {
            let output = if json { StateFormat::Json } else { output };
            let contents = |fingerprint: &str, decoder: &mut crate::codec::Decoder<'_>| {
                crate::pipeline::saved(fingerprint, decoder, pairs).map(|saved| contents::render(&saved))
            };
            print(&state::show(&place.state, output, Some(&contents))?)
        }
        StateAction::Verify { place, output, json } => {
            let output = if json { StateFormat::Json } else { output };
            let (text, is_sound) = state::verify(&place.state, output, &crate::pipeline::verified)?;
            print(&text).map(|code| if is_sound { code } else { 4 })
        }
        StateAction::Reset { place } => print(&state::reset(&place.state)?),
    }
}

/// The command line as `command` understands it.
fn parsed<T: FromArgMatches>(command: clap::Command, argv: &[OsString]) -> Result<T, clap::Error> {
    let color = if tty::shows_color(&io::stdout()) { ColorChoice::Auto } else { ColorChoice::Never };
    T::from_arg_matches(&command.color(color).try_get_matches_from(argv)?)
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
        if text == "-" || !text.starts_with('-') {
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

/// The command that a word may have been meant to be, if it is no file.
fn near_command(word: &str) -> Option<String> {
    if Path::new(word).exists() {
        return None;
    }
    if word == "version" {
        return Some("did you mean `logparser --version`?".to_owned());
    }
    let commands = Commanded::command();
    let names = || commands.get_subcommands().map(clap::Command::get_name);
    // Of short names, two letters that have changed places are half.
    match names().find(|name| strsim::osa_distance(name, word) == 1) {
        Some(name) => Some(format!("did you mean '{name}'?")),
        None => suggest(word, names()),
    }
}

/// A builder with a configuration file.
fn configured(file: &Path) -> Result<Builder> {
    local(file)?;
    slips::configuration(file)?;
    Pipeline::builder().config(file)
}

/// A builder with a configuration file, if one is meant.
fn configured_or_standard(file: Option<&Path>) -> Result<Builder> {
    file.map_or_else(|| Ok(Pipeline::builder()), configured)
}

/// A builder with overrides on top.
fn with_settings(mut builder: Builder, settings: &Settings) -> Result<Builder> {
    for setting in &settings.set {
        let Some((key, value)) = setting.split_once('=') else {
            return Err(Error::usage(format!("--set {setting}: expected KEY=VALUE, e.g. --set seconds=30m")));
        };
        builder = builder.set_at(key.trim(), value.trim(), Place::Argument(format!("--set {setting}")));
    }
    for setting in &settings.set {
        let (key, value) = setting.split_once('=').unwrap_or_default();
        let key = key.trim();
        doubt(key.rsplit('.').next().unwrap_or(key), value.trim().trim_matches(['"', '\'']), &format!("--set {key}="));
    }
    Ok(builder)
}

/// Says of an instant that is hardly meant as what it is what it is.
fn doubt(key: &str, value: &str, option: &str) {
    let is_window = matches!(key, "since" | "until");
    let is_instant = is_window || matches!(key, "align" | "now");
    if let Some(doubt) = Moment::doubt(value, is_window).filter(|_| is_instant) {
        show::note(&format!("{option}{doubt}"));
    }
}

/// A builder with the common options on top.
fn with_common(builder: Builder, common: &Common) -> Result<Builder> {
    Ok(with_overrides(builder, common.overrides()?))
}

/// A builder with options on top.
fn with_overrides(builder: Builder, overrides: impl IntoIterator<Item = args::Override>) -> Builder {
    overrides.into_iter().fold(builder, |builder, (key, value, option)| {
        doubt(key, value.trim_matches('"'), &format!("--{key} "));
        builder.set_at(key, &value, Place::Option(option))
    })
}

/// Refuses what names no file.
fn local(path: &Path) -> Result<()> {
    refuse_scheme(path, no_file)
}

/// Refuses what names nothing that is written to.
fn local_target(path: &Path) -> Result<()> {
    match path.to_str().and_then(no_format) {
        Some(why) => Err(Error::usage(format!("{}: {why}", crate::error::show_path(path)))),
        None => refuse_scheme(path, no_target),
    }
}

fn refuse_scheme(path: &Path, why: fn(&str) -> String) -> Result<()> {
    match path.to_str().and_then(scheme) {
        Some(scheme) => Err(Error::usage(format!("{}: {}", crate::error::show_path(path), why(scheme)))),
        None => Ok(()),
    }
}

/// Writes the JSON of a command to all its places.
fn emit(text: &str, places: &[Option<&Path>]) -> Result<u8> {
    for place in places {
        match place {
            None => print(text)?,
            Some(path) => save(Some(path), |out| Ok(out.write_all(text.as_bytes())?)).map(|()| 0)?,
        };
    }
    Ok(0)
}

/// Prints to stdout. That nobody reads it is no error.
fn print(text: &str) -> Result<u8> {
    taken(io::stdout().write_all(text.as_bytes()))
}

/// What comes of a write to stdout: what is still held back is written, too.
fn taken(written: io::Result<()>) -> Result<u8> {
    match written.and_then(|()| io::stdout().flush()) {
        Ok(()) => Ok(0),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(0),
        Err(source) => Err(ErrorKind::Output { target: "stdout".into(), action: "cannot write", source }.into()),
    }
}

/// Whether a person sees what goes to stderr.
fn is_watched() -> bool {
    io::stderr().is_terminal()
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
