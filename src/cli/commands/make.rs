//! The command that makes logs, as written.

use clap::{Args, ValueHint};

use crate::model::location::PathArg;
use crate::model::size;

/// What `logparser-make` and `logparser make` understand.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  logparser-make conn.log
      286 MB over the last day, 5 minutes out of order
  logparser-make --size 10MB --end 1700000000 a.log
      the same bytes whenever it is run")]
pub struct MakeArgs {
    /// The file to make, or - for standard output.
    #[arg(value_hint = ValueHint::AnyPath)]
    pub path: PathArg,
    /// Lines to make, in place of --size, e.g. 1000, 1k or 2M.
    #[arg(long, value_name = "N", conflicts_with = "size", value_parser = number)]
    pub lines: Option<u64>,
    /// Bytes to make, e.g. 10MB or 1GiB.
    #[arg(long, value_name = "BYTES", default_value = "286MB")]
    pub size: String,
    /// Time that the stamps are spread over.
    #[arg(long, value_name = "TIME", default_value = "1d")]
    pub span: String,
    /// The highest stamp there may be: now, Unix seconds or RFC 3339.
    #[arg(long, value_name = "INSTANT", default_value = "now")]
    pub end: String,
    /// The same seed and options give the same bytes.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// How far a stamp may lie behind the highest before it; 0 sorts them.
    #[arg(long, value_name = "TIME", default_value = "5m")]
    pub disorder: String,
    #[command(flatten)]
    pub hosts: HostsArgs,
    /// Share of the lines that are malformed, from 0 to 1.
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    pub malformed: f64,
    /// Unit of the stamps: s, ms, us or ns.
    #[arg(long, value_name = "UNIT", default_value = "s")]
    pub unit: String,
    /// Overwrite a file that is there.
    #[arg(long)]
    pub force: bool,
    /// No progress and no summary.
    #[arg(long, short)]
    pub quiet: bool,
}

/// How many hosts there are in a made log, and how busy.
#[derive(Debug, Clone, Args)]
pub struct HostsArgs {
    /// Hosts that connect.
    #[arg(long, value_name = "N", default_value = "56", value_parser = hosts)]
    pub hosts: u32,
    /// Servers that they connect to.
    #[arg(long, value_name = "N", default_value = "26", value_parser = hosts)]
    pub servers: u32,
    /// How much busier the first hosts are: 0 makes all alike, 1 is Zipf's law.
    #[arg(long, value_name = "S", default_value_t = 0.0)]
    pub skew: f64,
}

/// A whole number, as people write it.
fn number(text: &str) -> Result<u64, String> {
    size::number(text).ok_or_else(|| "expected a whole number, e.g. 1000, 1k or 2M".to_owned())
}

/// How many hosts.
fn hosts(text: &str) -> Result<u32, String> {
    let count = size::number(text).and_then(|count| u32::try_from(count).ok()).filter(|count| *count > 0);
    count.ok_or_else(|| format!("expected a whole number from 1 to {}, e.g. 50 or 1k", u32::MAX))
}
