//! What an output is to the table, and what many of them share.
//!
//! Not here: the table.

use std::path::Path;

use super::claim::Claim;
use super::destination::Destination;
use super::opening::Opening;
use crate::error::Result;
use crate::model::location::PathArg;
use crate::options::{Kind, OptionSpec, Options};

/// An output with what people and the configuration need to know of it.
#[derive(Debug, Clone, Copy)]
pub struct OutputEntry {
    /// The name by which it is asked for.
    pub name: &'static str,
    /// One line for people.
    pub help: &'static str,
    /// Its options. The first says where results go, and may stand behind the name and a colon without
    /// its own name, e.g. `csv:FILE`.
    pub options: &'static [OptionSpec],
    /// Endings of files for which it is taken where no name is given.
    pub endings: &'static [&'static str],
    /// An example of it in a configuration, as a TOML value.
    pub example: &'static str,
    /// What it takes for itself, by its checked options.
    pub claims: fn(&Options) -> Vec<Claim>,
    /// Opens it with its checked options.
    pub open: fn(&Options, &mut Opening) -> Result<Destination>,
}

/// The option that says where results go, of outputs that write a file or to standard output.
pub(super) const PATH: OptionSpec = OptionSpec {
    name: "path",
    kind: Kind::Target,
    default: None,
    required: false,
    help: "the file; standard output (-) if there is none",
};

/// The file of an output with the option `PATH`; `None` is standard output.
pub(super) fn path(options: &Options) -> Option<&Path> {
    options.text(PATH.name).filter(|text| PathArg::from(*text) != PathArg::Std).map(Path::new)
}

/// What an output with the option `PATH` takes for itself.
pub(super) fn file_or_stdout(options: &Options) -> Vec<Claim> {
    vec![path(options).map_or(Claim::Stdout, |path| Claim::File(path.to_owned()))]
}
