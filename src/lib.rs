//! Who connects to whom: exact answers over moving windows, from connection logs of any size.
//!
//! A stream-processing pipeline of actor stages (reader, line-splitter, time-filter,
//! bucket-aggregator, reporter), each on its own pool of threads, joined by bounded channels.
//! `ARCHITECTURE.md` has the one-page picture.

pub mod codec;
pub mod error;
pub mod metrics;
pub mod model;
pub mod options;

pub mod actor;
pub mod batch;
pub mod format;
pub mod ops;
pub mod output;
pub mod report;
pub mod snapshot;
pub mod source;
pub mod spill;
pub mod stage;
pub mod tallies;
pub mod tally;

pub mod config;
pub mod pipeline;

pub mod cli;
pub mod make;

/// What this program was built from: a hash of its sources and of the versions that it depends on.
/// Two programs with the same one count alike.
pub const BUILD: &str = env!("LOGPARSER_BUILD");

/// The version with the build, as `--version` prints it.
pub const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (build ", env!("LOGPARSER_BUILD"), ")");

pub use error::{Error, ErrorKind, Result};
pub use pipeline::Pipeline;
