//! The options that commands share: what can be said, and nothing of what it means.
//!
//! Not here: those that are keys of the configuration (`keys`).

use std::path::Path;

use clap::{Args, ValueEnum};

use super::keys::{KeyArgs, Runs};
use super::paths::local_target;
use crate::error::{Error, Result};
use crate::model::location::PathArg;

/// Overrides of a configuration file.
#[derive(Debug, Default, Args)]
pub struct Settings {
    /// Set a key in every stage that knows it (seconds=30m), or in one (stages.recent.seconds=30m).
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
}

/// Options of everything that runs a pipeline.
#[derive(Debug, Default, Args)]
pub struct Common {
    #[command(flatten)]
    pub keys: KeyArgs<Runs>,
    /// Show the run on the terminal while it goes on.
    ///
    /// It stands in place of results there. The key ? lists the others.
    #[cfg(feature = "live")]
    #[arg(long)]
    pub live: bool,
    /// Exit with 6 if any lines, bytes or results were lost, each class of which is told on stderr.
    #[arg(long)]
    pub strict: bool,
    #[command(flatten)]
    pub talk: Talk,
}

/// How a command talks to people: the same options everywhere.
#[derive(Debug, Default, Args)]
pub struct Talk {
    /// No progress, no sheet; losses are told. -qq: no losses either.
    ///
    /// Losses are a line each; the sheet is what became of all lines and bytes.
    #[arg(long, short, action = clap::ArgAction::Count)]
    pub quiet: u8,
    /// Colour headings: auto, always or never.
    #[arg(long, value_enum, default_value = "auto", value_name = "WHEN")]
    pub color: ColorWhen,
}

/// Where the JSON of a command goes that gives nothing else.
#[derive(Debug, Default, Args)]
pub struct JsonOutput {
    /// Where it goes: json, for standard output, or json:PATH. May be given several times [default:
    /// json].
    #[arg(long, short, value_name = "json[:PATH]")]
    output: Vec<String>,
}

impl JsonOutput {
    /// Where it goes: files, and `None` for standard output. Errors if JSON cannot go there.
    pub fn places(&self) -> Result<Vec<Option<&Path>>> {
        if self.output.is_empty() {
            return Ok(vec![None]);
        }
        let places = self.output.iter().map(|output| match output.strip_prefix("json") {
            Some("") => Ok(None),
            None if PathArg::from(output.as_str()) == PathArg::Std => Ok(None),
            Some(path) if path.len() > 1 && path.starts_with(':') => match PathArg::from(&path[1..]) {
                PathArg::Std => Ok(None),
                PathArg::Path(_) => local_target(Path::new(&path[1..])).map(|()| Some(Path::new(&path[1..]))),
            },
            _ => Err(Error::usage(format!("--output {output}: expected json or json:PATH, as this is JSON"))),
        });
        places.collect()
    }
}

/// When to use colour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ColorWhen {
    /// On a terminal, unless NO_COLOR is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}
