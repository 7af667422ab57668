//! The commands as written: what can be asked of the program, and with which options.
//!
//! Not here: what the options are (`args`), how help arranges them (`help`), and what a command
//! does.

pub mod make;
pub mod tallies;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::args::{Common, Settings};
use super::keys::{Draws, KeyArgs, Runs};
use make::MakeArgs;
use tallies::TalliesCommand;

/// Answers who connects to whom, exactly, over moving windows of logs.
#[derive(Debug, Parser)]
#[command(name = "logparser", version = crate::version::VERSION)]
pub struct Positional {
    /// A quoted glob, a file, a folder, or - (standard input).
    ///
    /// Standard input is also the default if it is piped. Without hosts, the busiest servers are
    /// listed.
    #[arg(value_name = "LOCATION")]
    pub location: Option<String>,
    /// List the hosts that this one connects to.
    #[arg(value_name = "HOST_FROM")]
    pub host_from: Option<String>,
    /// List the hosts that connect to this one.
    #[arg(value_name = "HOST_TO")]
    pub host_to: Option<String>,
    /// Words that a shell makes of a glob without quotes.
    #[arg(hide = true)]
    pub more: Vec<String>,
    /// Follow the files as they grow, and report every hour.
    ///
    /// Also as they rotate, until interrupted; --sleep-seconds is another time than an hour.
    #[arg(long, conflicts_with = "folder")]
    pub tail: bool,
    /// Report once (the default).
    #[arg(long)]
    pub folder: bool,
    /// Time between two reports of --tail.
    #[arg(long, allow_hyphen_values = true, value_name = "TIME", default_value = "3600")]
    pub sleep_seconds: String,
    #[command(flatten)]
    pub common: Common,
}

impl Positional {
    /// Its words in their order.
    pub fn words(&self) -> Vec<&str> {
        let named = [&self.location, &self.host_from, &self.host_to];
        named.into_iter().flatten().chain(&self.more).map(String::as_str).collect()
    }
}

/// Makes a log to try things on.
#[derive(Debug, Parser)]
#[command(name = "logparser-make", version = crate::version::VERSION)]
pub struct Make {
    #[command(flatten)]
    pub args: MakeArgs,
}

/// Answers who connects to whom, exactly, over moving windows, from logs of any size. Without a
/// command: `logparser [OPTIONS] LOCATION HOST_FROM HOST_TO`; `logparser --help` tells of it.
#[derive(Debug, Parser)]
#[command(name = "logparser", version = crate::version::VERSION)]
pub struct Commanded {
    #[command(subcommand)]
    pub command: Command,
}

/// A command.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// What a pipeline answers.
    #[command(flatten)]
    Pipeline(PipelineCommand),
    /// Look at a saved state, check it, or remove it to start anew.
    State {
        /// What to do with it.
        #[command(subcommand)]
        action: StateAction,
    },
    /// What is counted in parts.
    #[command(flatten)]
    Tallies(TalliesCommand),
    /// List the report functions, with their options and an example each.
    Reports,
    /// List the formats of logs, or show one to copy into a configuration.
    Formats {
        /// What to do in place of listing them.
        #[command(subcommand)]
        action: Option<FormatsAction>,
    },
    /// Make a log to try things on.
    Make(MakeArgs),
    /// Print the manual page, for man.
    Man,
    /// Print a completion script for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// A command that builds a pipeline.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub enum PipelineCommand {
    /// Run the pipeline of a configuration file.
    Run {
        /// The configuration.
        #[arg(default_value = "pipeline.toml")]
        file: std::path::PathBuf,
        #[command(flatten)]
        settings: Settings,
        #[command(flatten)]
        common: Common,
    },
    /// Check a configuration file, with the options of its run, and name every problem in it.
    Check {
        /// The configuration.
        #[arg(default_value = "pipeline.toml")]
        file: std::path::PathBuf,
        #[command(flatten)]
        settings: Settings,
        #[command(flatten)]
        keys: KeyArgs<Runs>,
    },
    /// Draw the graph of a configuration file, as it is with the options of its run.
    Graph {
        /// The configuration.
        #[arg(default_value = "pipeline.toml")]
        file: std::path::PathBuf,
        /// How to draw it.
        #[arg(long, value_enum, default_value = "text")]
        format: GraphFormat,
        #[command(flatten)]
        settings: Settings,
        #[command(flatten)]
        keys: KeyArgs<Draws>,
    },
    /// Which servers received most connections?
    Top {
        /// Globs, files, folders, or - (standard input).
        ///
        /// Standard input is also the default if it is piped.
        location: Vec<String>,
        #[command(flatten)]
        common: Common,
    },
    /// Which hosts connected to HOST?
    To {
        /// The host.
        host: String,
        /// Globs, files, folders, or - (standard input).
        ///
        /// Standard input is also the default if it is piped.
        location: Vec<String>,
        #[command(flatten)]
        common: Common,
    },
    /// Which hosts did HOST connect to?
    From {
        /// The host.
        host: String,
        /// Globs, files, folders, or - (standard input).
        ///
        /// Standard input is also the default if it is piped.
        location: Vec<String>,
        #[command(flatten)]
        common: Common,
    },
    /// Which hosts connected to HOST, and which did it connect to?
    Peers {
        /// The host.
        host: String,
        /// Globs, files, folders, or - (standard input).
        ///
        /// Standard input is also the default if it is piped.
        location: Vec<String>,
        #[command(flatten)]
        common: Common,
    },
    /// Say which bytes of which files would be read, and why, without reading them.
    Explain {
        /// Globs, files, folders; without any, those of the configuration.
        location: Vec<String>,
        /// The configuration, if one is meant.
        #[arg(long, value_name = "FILE")]
        config: Option<std::path::PathBuf>,
        #[command(flatten)]
        settings: Settings,
        #[command(flatten)]
        common: Common,
    },
}

/// How a graph is drawn.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum GraphFormat {
    /// For a terminal.
    Text,
    /// For Graphviz.
    Dot,
    /// For Markdown pages.
    Mermaid,
}

/// What to do with the formats of logs in place of listing them.
#[derive(Debug, Subcommand)]
pub enum FormatsAction {
    /// Print a format as a configuration has it, to copy and change.
    Show {
        /// The format.
        name: String,
    },
}

/// What to do with a saved state.
#[derive(Debug, Subcommand)]
pub enum StateAction {
    /// List the states that there are, by location and age.
    List {
        /// The folder that holds them [default: that of runs to which none is given].
        #[arg(value_name = "DIR")]
        root: Option<std::path::PathBuf>,
        /// How to print it.
        #[arg(long, short, value_enum, default_value = "text", value_name = "FORMAT")]
        output: StateFormat,
        /// As --output json.
        #[arg(long)]
        json: bool,
    },
    /// Print both slots, what they depend on, which one a run would go on from, and what that one
    /// holds.
    Show {
        #[command(flatten)]
        place: StatePlace,
        /// How to print it.
        #[arg(long, short, value_enum, default_value = "text", value_name = "FORMAT")]
        output: StateFormat,
        /// As --output json.
        #[arg(long)]
        json: bool,
        /// Print every pair with its connections, too.
        #[arg(long)]
        pairs: bool,
    },
    /// Check both slots: exit code 0 if there is a state to go on from and neither slot is damaged,
    /// else 4.
    Verify {
        #[command(flatten)]
        place: StatePlace,
        /// How to print it.
        #[arg(long, short, value_enum, default_value = "text", value_name = "FORMAT")]
        output: StateFormat,
        /// As --output json.
        #[arg(long)]
        json: bool,
    },
    /// Remove the state, so that the next run starts anew.
    Reset {
        #[command(flatten)]
        place: StatePlace,
    },
}

/// Where a state is.
#[derive(Debug, Args)]
pub struct StatePlace {
    /// The directory of the state.
    #[arg(long, value_name = "DIR")]
    pub state: std::path::PathBuf,
}

/// How a state is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StateFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
}
