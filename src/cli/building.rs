//! From what a command line says to the builder of a pipeline: a configuration, or the standard
//! one, with overrides on top.
//!
//! Not here: what options there are (`args`), and what is done with the pipeline (`running`,
//! `jobs`).

use std::io::{self, IsTerminal};
use std::path::Path;

use super::args::{Common, Settings};
use super::keys::{SetKey, toml_list};
use super::paths::local;
use super::{show, slips};
use crate::error::{Error, Place, Result};
use crate::model::Moment;
use crate::model::escape::toml_text;
use crate::model::location::Location;
use crate::pipeline::{Builder, Pipeline};

/// The report on a location of which nothing else is asked, in TOML.
pub const BUSIEST: &str = "[\"top-servers\"]";

/// The reports on a location and two hosts, in TOML.
pub fn three_questions(host_from: &str, host_to: &str) -> String {
    format!(
        "[{{ name = \"top-servers\", limit = 1 }}, {{ name = \"connected-to\", host = {} }}, \
         {{ name = \"connected-from\", host = {} }}]",
        toml_text(host_to),
        toml_text(host_from)
    )
}

/// A builder with a configuration file.
pub fn configured(file: &Path) -> Result<Builder> {
    local(file)?;
    slips::configuration(file)?;
    Pipeline::builder().config(file)
}

/// A builder with a configuration file, if one is meant.
pub fn configured_or_standard(file: Option<&Path>) -> Result<Builder> {
    file.map_or_else(|| Ok(Pipeline::builder()), configured)
}

/// A builder with overrides on top.
pub fn with_settings(mut builder: Builder, settings: &Settings) -> Result<Builder> {
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

/// A builder with the common options on top.
pub fn with_common(builder: Builder, common: &Common) -> Result<Builder> {
    Ok(with_overrides(builder, common.keys.overrides()?))
}

/// A builder with options on top.
pub fn with_overrides(builder: Builder, overrides: impl IntoIterator<Item = SetKey>) -> Builder {
    overrides.into_iter().fold(builder, |builder, SetKey { key, value, option }| {
        doubt(key, value.trim_matches('"'), &format!("--{key} "));
        builder.set_at(key, &value, Place::Option(option))
    })
}

/// Warns of an instant that is hardly meant as what it says, with what it says.
fn doubt(key: &str, value: &str, option: &str) {
    let is_window = matches!(key, "since" | "until");
    let is_instant = is_window || matches!(key, "align" | "now");
    if let Some(doubt) = Moment::doubt(value, is_window).filter(|_| is_instant) {
        show::note(&format!("{option}{doubt}"));
    }
}

/// The locations, or standard input where there are none and something is piped in.
pub fn or_piped(location: Vec<String>) -> Result<Vec<String>> {
    match location.is_empty() {
        false => Ok(location),
        true if io::stdin().is_terminal() => Err(Error::usage("name a file, folder or glob to read, or pipe a log in")),
        true => Ok(vec![Location::Stdin.to_string()]),
    }
}

/// A builder that reads these locations, if there are any, in place of those that it has. Errors
/// with one that is not a log.
pub fn located(builder: Builder, location: &[String]) -> Result<Builder> {
    slips::logs(location)?;
    Ok(match location {
        [] => builder,
        _ => builder.set_at("location", &toml_list(location), Place::Option("the command line".into())),
    })
}

/// A builder with these reports, in TOML, in place of those that it has.
pub fn asking(builder: Builder, reports: &str) -> Builder {
    builder.set_at("reports", reports, Place::Option("the command line".into()))
}
