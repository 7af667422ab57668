//! The command line: argv to a command, and the command to its exit code.
//!
//! The top: it knows every command, and nothing here knows it. Below, in this order: what each
//! command does (`jobs`); a pipeline run for somebody who waits (`running`), built from options
//! (`building`); what is said (`show`, `loss`, `standing`), and what may have been meant (`slips`);
//! the definition of the command line (`commands`, `args`, `help`); streams and paths.

mod allocator;
mod args;
mod asked_report;
mod building;
mod commands;
mod help;
mod jobs;
mod keys;
#[cfg(feature = "live")]
mod live;
mod loss;
mod parse;
mod paths;
mod running;
mod schema;
mod show;
mod slips;
mod standing;
mod states;
mod streams;
mod tallies;
mod tty;
mod unpack;
mod watch;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::CommandFactory;

use commands::tallies::TalliesCommand;
use commands::{Command, FormatsAction, Make, PipelineCommand};
use parse::{Request, parsed, request};

use crate::error::Result;

pub use parse::misunderstood;

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
    match parsed::<Make>(Make::command(), &argv).map(|make| jobs::make::make(&make.args)) {
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

fn dispatch(argv: Vec<OsString>) -> Result<u8> {
    slips::command_line(&argv)?;
    let insists = argv.iter().any(|arg| arg == "--");
    let command = match request(&argv) {
        Ok(Request::Positional(positional)) => return jobs::ask::positional(&positional, insists),
        Ok(Request::Command(command)) => *command,
        Err((error, hint)) => return Ok(show::usage(&error, hint)),
    };
    match command {
        Command::Pipeline(command) => pipeline(command, insists),
        Command::State { action } => jobs::state::state(action),
        Command::Tallies(command) => tallies(command),
        Command::Reports => streams::print(&show::reports()),
        Command::Formats { action: None } => jobs::formats::list(),
        Command::Formats { action: Some(FormatsAction::Show { name }) } => jobs::formats::show(&name),
        Command::Make(args) => jobs::make::make(&args),
        Command::Man => jobs::man::man(),
        Command::Completions { shell } => jobs::completions::completions(shell),
    }
}

fn pipeline(command: PipelineCommand, insists: bool) -> Result<u8> {
    match command {
        PipelineCommand::Run { file, settings, common } => jobs::pipeline::run(&file, &settings, &common),
        PipelineCommand::Check { file, settings, keys } => jobs::pipeline::check(&file, &settings, &keys),
        PipelineCommand::Graph { file, format, settings, keys } => {
            jobs::pipeline::graph(&file, format, &settings, &keys)
        }
        PipelineCommand::Top { location, common } => jobs::ask::top(location, &common),
        PipelineCommand::To { host, location, common } => jobs::ask::to(&host, location, &common, insists),
        PipelineCommand::From { host, location, common } => jobs::ask::from(&host, location, &common, insists),
        PipelineCommand::Peers { host, location, common } => jobs::ask::peers(&host, location, &common, insists),
        PipelineCommand::Explain { location, config, settings, common } => {
            jobs::explain::explain(location, config.as_deref(), &settings, &common)
        }
    }
}

fn tallies(command: TalliesCommand) -> Result<u8> {
    match command {
        TalliesCommand::Plan(args) => jobs::plan::plan(&args),
        TalliesCommand::List(args) => jobs::list::list(&args),
        TalliesCommand::Partial(args) => jobs::partial::partial(&args),
        TalliesCommand::Merge(args) => jobs::merge::merge(&args),
        TalliesCommand::Report(args) => jobs::report::report(&args),
        TalliesCommand::Inspect(args) => jobs::inspect::inspect(&args),
    }
}
