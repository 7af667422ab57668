//! The options that commands share: what can be said, and nothing of what it means.
//!
//! Values stay texts here. They are checked where those of a configuration file are, with the same
//! messages.

use std::path::Path;

use clap::{Args, ValueEnum};

use super::asked_report;
use super::paths::local_target;
use crate::error::{Error, Result};
use crate::model::escape::toml_text;
use crate::model::location::PathArg;

/// Overrides of a configuration file.
#[derive(Debug, Default, Args)]
pub struct Settings {
    /// Set a key in every stage that knows it (seconds=30m), or in one (stages.recent.seconds=30m).
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
}

/// What is counted, and with what means: the same options everywhere.
#[derive(Debug, Default, Args)]
pub struct Counting {
    /// Length of the window [default: 3600].
    #[arg(long, allow_hyphen_values = true, value_name = "TIME", visible_aliases = ["last", "window"])]
    pub seconds: Option<String>,
    /// Grain of the aggregation [default: 1200].
    #[arg(long, allow_hyphen_values = true, value_name = "TIME")]
    pub grouping_seconds: Option<String>,
    /// End of the window: now, latest or an instant.
    ///
    /// Also today and yesterday, and a length may be added: latest-1h, or -2h for now-2h. An
    /// instant is a Unix time, or a date: 2026-01-31, 2026-01-31 12:00, 2026-01-31T12:00:00Z. With
    /// --every, end of the history.
    #[arg(long, value_name = "INSTANT", allow_hyphen_values = true)]
    pub until: Option<String>,
    /// Start of the window, in place of --seconds.
    ///
    /// As --until. With --every, start of the history.
    #[arg(long, value_name = "INSTANT", allow_hyphen_values = true)]
    pub since: Option<String>,
    /// Unit of the stamps: auto, s, ms, us or ns [default: auto].
    #[arg(long, allow_hyphen_values = true, value_name = "UNIT")]
    pub unit: Option<String>,
    /// Declared disorder: how far a stamp may lie behind the highest before it [default: 5m].
    #[arg(long, allow_hyphen_values = true, value_name = "TIME")]
    pub lateness: Option<String>,
    /// What is taken for now, for --until and --future [default: the clock].
    #[arg(long, value_name = "INSTANT", allow_hyphen_values = true)]
    pub now: Option<String>,
    /// Zone of dates that are given without one: a name (Europe/Berlin) or an offset (+02:00)
    /// [default: UTC].
    #[arg(long, value_name = "ZONE", allow_hyphen_values = true)]
    pub timezone: Option<String>,
    /// How far beyond now a stamp may lie before it is counted as future [default: 1h].
    #[arg(long, allow_hyphen_values = true, value_name = "TIME")]
    pub future: Option<String>,
    /// How much to read: auto or full [default: auto].
    #[arg(long, allow_hyphen_values = true, value_name = "SCAN")]
    pub scan: Option<String>,
    /// Size of all files together up to which they are read whole, as there is no time to gain
    /// [default: 64MiB].
    #[arg(long, allow_hyphen_values = true, value_name = "SIZE")]
    pub prune_above: Option<String>,
    /// Threads of each stage.
    #[arg(long, allow_hyphen_values = true, value_name = "N")]
    pub threads: Option<String>,
    /// Memory that the run may take, e.g. 256MiB [default: no limit].
    #[arg(long, allow_hyphen_values = true, value_name = "SIZE")]
    pub max_memory: Option<String>,
    /// What happens to pairs beyond --max-memory: overflow (counted together), spill (to disk) or
    /// error [default: overflow].
    #[arg(long, allow_hyphen_values = true, value_name = "POLICY")]
    pub memory_policy: Option<String>,
}

/// Which reports there are, and where they go.
#[derive(Debug, Default, Args)]
pub struct Results {
    /// A report in place of the command's own.
    ///
    /// NAME[:KEY=VALUE,...], e.g. top-pairs:limit=5. May be given several times; `logparser
    /// reports` lists them.
    #[arg(long, short, value_name = "REPORT")]
    pub report: Vec<String>,
    /// Rows of each ranking.
    #[arg(long, short = 'n', allow_hyphen_values = true, value_name = "N")]
    pub limit: Option<String>,
    /// Where results go: text, json, csv or json:PATH.
    ///
    /// A PATH that ends in .txt, .json or .csv may stand alone; - is standard output. May be given
    /// several times [default: text].
    #[arg(long, short, value_name = "FORMAT[:PATH]")]
    pub output: Vec<String>,
    /// As --output json.
    #[arg(long)]
    pub json: bool,
    /// As --output csv.
    #[arg(long)]
    pub csv: bool,
}

/// Options of everything that runs a pipeline.
#[derive(Debug, Default, Args)]
pub struct Common {
    #[command(flatten)]
    pub counting: Counting,
    /// A result for each window, one every TIME.
    ///
    /// The windows lie over the whole input.
    #[arg(long, allow_hyphen_values = true, value_name = "TIME")]
    pub every: Option<String>,
    /// Where windows of --every start: epoch, first, latest, today, a Unix time or a date [default:
    /// epoch].
    #[arg(long, value_name = "INSTANT", allow_hyphen_values = true)]
    pub align: Option<String>,
    /// With --every: how far fewer than 8 stamps may lie ahead of all others and still close
    /// windows; 0: any distance [default: 1h].
    #[arg(long, allow_hyphen_values = true, value_name = "TIME")]
    pub max_jump: Option<String>,
    /// With --every: more windows in a row that hold nothing are one result; 0: each is its own
    /// [default: 1000].
    #[arg(long, allow_hyphen_values = true, value_name = "N")]
    pub max_gap: Option<String>,
    /// Follow the files as they grow and rotate (with --every).
    #[arg(long, short)]
    pub follow: bool,
    /// When following: how long an input may be silent and still hold back results [default: 30s].
    #[arg(long, allow_hyphen_values = true, value_name = "TIME")]
    pub idle: Option<String>,
    /// When following, a result comes when the stamps have passed its window (event), or
    /// provisionally when the clock has (clock) [default: event].
    #[arg(long, value_name = "WHAT")]
    pub trigger: Option<String>,
    /// When following, results that records change which come up to TIME behind the declared
    /// disorder are issued again [default: 0].
    #[arg(long, allow_hyphen_values = true, value_name = "TIME")]
    pub late_updates: Option<String>,
    /// When following, the folder in which the state is kept, auto or none [default: auto].
    #[arg(long, value_name = "DIR")]
    pub state: Option<String>,
    /// When following, time between two savings of the state [default: 5s].
    #[arg(long, allow_hyphen_values = true, value_name = "TIME")]
    pub checkpoint: Option<String>,
    /// When following, how long a run that is asked to end may take to count what it has read and
    /// to save the state [default: 10s].
    #[arg(long, allow_hyphen_values = true, value_name = "TIME")]
    pub stop_timeout: Option<String>,
    #[command(flatten)]
    pub results: Results,
    /// Keep all malformed lines in a file.
    #[arg(long, value_name = "PATH")]
    pub rejects: Option<String>,
    /// Keep all late lines in a file (with --every).
    #[arg(long, value_name = "PATH")]
    pub late_file: Option<String>,
    /// Say how far records lie behind others, to choose --lateness by; everything is then read.
    #[arg(long)]
    pub stats: bool,
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
    /// No progress and no balance sheet; losses are still told, a line each. With -qq, no losses
    /// either.
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

/// An option that is a key of the configuration, as given: key, value, and the option for messages.
pub type Override = (&'static str, String, String);

/// Those of these keys that have a value.
pub fn given<const N: usize>(options: [(&'static str, &Option<String>); N]) -> Vec<Override> {
    let given = options.into_iter().filter_map(|(key, value)| Some((key, value.as_ref()?)));
    given.map(|(key, value)| (key, toml_text(value), format!("--{key} {value}"))).collect()
}

impl Counting {
    /// What is given of it.
    pub fn overrides(&self) -> Vec<Override> {
        given([
            ("seconds", &self.seconds),
            ("grouping-seconds", &self.grouping_seconds),
            ("until", &self.until),
            ("since", &self.since),
            ("unit", &self.unit),
            ("lateness", &self.lateness),
            ("now", &self.now),
            ("timezone", &self.timezone),
            ("future", &self.future),
            ("scan", &self.scan),
            ("prune-above", &self.prune_above),
            ("threads", &self.threads),
            ("max-memory", &self.max_memory),
            ("memory-policy", &self.memory_policy),
        ])
    }
}

impl Results {
    /// What is given of it. Errors with a report that cannot be read.
    pub fn overrides(&self) -> Result<Vec<Override>> {
        let mut all = given([("limit", &self.limit)]);
        if !self.report.is_empty() {
            let reports = self.report.iter().map(|text| asked_report::in_toml(text)).collect::<Result<Vec<_>>>()?;
            all.push(("reports", format!("[{}]", reports.join(", ")), format!("-r {}", self.report.join(" -r "))));
        }
        let mut options: Vec<String> = self.output.iter().map(|output| format!("--output {output}")).collect();
        options.extend(self.json.then(|| "--json".to_owned()));
        options.extend(self.csv.then(|| "--csv".to_owned()));
        if !options.is_empty() {
            all.push(("outputs", toml_list(&self.outputs()), options.join(" ")));
        }
        Ok(all)
    }

    /// The outputs, as a configuration writes them.
    pub fn outputs(&self) -> Vec<String> {
        let mut all = self.output.clone();
        all.extend(self.json.then(|| "json".to_owned()));
        all.extend(self.csv.then(|| "csv".to_owned()));
        all
    }
}

impl Common {
    /// What is given of it. Errors with what cannot be read.
    pub fn overrides(&self) -> Result<Vec<Override>> {
        let mut all = self.counting.overrides();
        all.extend(given([
            ("every", &self.every),
            ("align", &self.align),
            ("max-jump", &self.max_jump),
            ("max-gap", &self.max_gap),
            ("idle", &self.idle),
            ("trigger", &self.trigger),
            ("late-updates", &self.late_updates),
            ("state", &self.state),
            ("checkpoint", &self.checkpoint),
            ("stop-timeout", &self.stop_timeout),
            ("rejects", &self.rejects),
            ("late-file", &self.late_file),
        ]));
        if self.follow {
            all.push(("follow", "true".to_owned(), "--follow".to_owned()));
        }
        if self.stats {
            all.push(("stats", "true".to_owned(), "--stats".to_owned()));
        }
        all.extend(self.results.overrides()?);
        Ok(all)
    }
}

/// Texts as a TOML array of strings.
pub fn toml_list(texts: &[String]) -> String {
    let items: Vec<String> = texts.iter().map(|text| toml_text(text)).collect();
    format!("[{}]", items.join(", "))
}
