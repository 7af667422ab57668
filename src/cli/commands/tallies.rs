//! The commands for counting in parts, as written: what can be asked of tallies files, and with
//! which options.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use crate::cli::args::{JsonOutput, Settings, Talk};
use crate::cli::keys::{Counts, KeyArgs, Reports};
use crate::model::location::PathArg;

/// A command that makes tallies or reads them.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub enum TalliesCommand {
    /// Divide what a question reads into tasks for many machines: a work list, as JSON.
    Plan(PlanArgs),
    /// List the files that a location leads to, by name, size and how they begin, as JSON; or check
    /// that they are a plan's.
    List(ListArgs),
    /// Count all of some inputs, or a part of one, into a tallies file.
    Partial(PartialArgs),
    /// Add up tallies files.
    Merge(MergeArgs),
    /// Report on tallies files as on the logs that they were made of.
    Report(ReportArgs),
    /// Check tallies files, and say what is in each of them, as JSON.
    Inspect(InspectArgs),
}

/// Divide what a question reads.
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// Globs, files, folders; without any, those of the configuration.
    pub location: Vec<String>,
    /// Bytes that a task reads, at most.
    #[arg(long, value_name = "SIZE", default_value = "100MiB")]
    pub max_partition: String,
    /// Count the window before too, as reports that compare with it need it, e.g. new-pairs.
    #[arg(long)]
    pub previous: bool,
    #[command(flatten)]
    pub output: JsonOutput,
    #[command(flatten)]
    pub talk: Talk,
    #[command(flatten)]
    pub source: CountedLogs,
}

/// What is counted of which logs.
#[derive(Debug, Args)]
pub struct CountedLogs {
    /// The configuration, if one is meant.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    #[command(flatten)]
    pub settings: Settings,
    #[command(flatten)]
    pub keys: KeyArgs<Counts>,
}

/// Count into a tallies file.
#[derive(Debug, Args)]
pub struct PartialArgs {
    /// Globs, files, folders, or - for standard input; without any, those of the configuration.
    pub location: Vec<String>,
    /// Where to write the tallies, or - for standard output.
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::AnyPath)]
    pub output: PathArg,
    /// Of one file, the lines that begin in this range of bytes; without an end, to that of the
    /// file.
    #[arg(long, value_name = "FROM..TO")]
    pub range: Option<String>,
    /// Stands before the names of the inputs, so that those of one machine are not taken for those
    /// of another.
    #[arg(long, value_name = "NAME")]
    pub label: Option<String>,
    /// Count the window before too, as reports that compare with it need it, e.g. new-pairs.
    #[arg(long)]
    pub previous: bool,
    #[command(flatten)]
    pub planned: PlannedArgs,
    /// The build of the program that has planned; another one is refused, as it may count
    /// otherwise.
    #[arg(long, value_name = "ID")]
    pub build: Option<String>,
    /// With --range: note how the lines are sorted, as what is skipped rests on it.
    #[arg(long, requires = "range")]
    pub order: bool,
    #[command(flatten)]
    pub talk: Talk,
    #[command(flatten)]
    pub source: CountedLogs,
}

/// What a plan has seen of the file that a range is of.
#[derive(Debug, Args)]
pub struct PlannedArgs {
    /// With --range: bytes of the file when it was planned; what has grown behind does not count.
    #[arg(long, value_name = "BYTES", requires = "range")]
    pub size: Option<u64>,
    /// With --size: bytes behind it of a last line without a newline; it counts as long as nothing
    /// has followed.
    #[arg(long, value_name = "BYTES", requires = "size")]
    pub unterminated: Option<u64>,
    /// With --range: how the file began when it was planned, so that no other is taken for it: so
    /// many bytes, and their XXH64 in hexadecimal digits.
    #[arg(long, value_name = "BYTES:HASH", requires = "range")]
    pub head: Option<String>,
    /// With --range: how the lines of the file are read, as the plan has found it by how the file
    /// begins and ends.
    #[arg(long, value_name = "JSON", requires = "range")]
    pub schema: Option<String>,
    /// With --range: bytes of the file that nobody reads, as they cannot hold the window, and what
    /// the plan has seen there (stamps in nanoseconds, how far they are out of order).
    #[arg(long, value_name = "FROM..TO[@LOWEST..HIGHEST/DISORDER]", requires = "range")]
    pub skip: Vec<String>,
}

/// Add tallies files up.
#[derive(Debug, Args)]
pub struct MergeArgs {
    /// Tallies files, of the same question and of different bytes.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Where to write them as one, or - for standard output.
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::AnyPath)]
    pub output: PathArg,
    #[command(flatten)]
    pub talk: Talk,
}

/// Report on tallies files.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// Tallies files; behind them, as without a command, the host whose connections are listed, and
    /// the host whose connected hosts are.
    #[arg(required = true, value_name = "FILE... [HOST_FROM HOST_TO]")]
    pub words: Vec<String>,
    /// The configuration that says which reports and outputs there are, if one is meant.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    #[command(flatten)]
    pub settings: Settings,
    #[command(flatten)]
    pub keys: KeyArgs<Reports>,
    /// Report even if the files do not hold all bytes of their inputs.
    #[arg(long)]
    pub incomplete: bool,
    /// Exit with 6 if any lines or bytes were lost, each class of which is told on stderr.
    #[arg(long)]
    pub strict: bool,
    #[command(flatten)]
    pub talk: Talk,
}

/// Say what there is to read.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Globs, files, folders; without any, those of the configuration.
    pub location: Vec<String>,
    /// The configuration, if one is meant.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// A plan, or - for standard input: exit code 0 if its locations lead to its files here, too,
    /// and to no others. Those that are longer are listed.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::AnyPath, conflicts_with_all = ["location", "config"])]
    pub plan: Option<PathArg>,
    #[command(flatten)]
    pub output: JsonOutput,
    #[command(flatten)]
    pub talk: Talk,
}

/// Look into tallies files.
#[derive(Debug, Args)]
pub struct InspectArgs {
    /// Tallies files.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    #[command(flatten)]
    pub output: JsonOutput,
    #[command(flatten)]
    pub talk: Talk,
}
