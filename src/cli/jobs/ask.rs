//! Questions: the positional form and the short commands, each as the standard pipeline with a few
//! keys set.

use crate::cli::args::Common;
use crate::cli::building::{BUSIEST, asking, located, or_piped, three_questions, with_common};
use crate::cli::commands::Positional;
use crate::cli::running::{run, run_on};
use crate::cli::slips;
use crate::error::{Place, Result};
use crate::model::escape::toml_text;
use crate::pipeline::{Builder, Pipeline};

/// The form without a command. `insists`: words are what their places make them.
pub fn positional(args: &Positional, insists: bool) -> Result<u8> {
    let words = args.words();
    slips::positional(&words, insists)?;
    let reports = match words[..] {
        [_, from, to] => three_questions(from, to),
        _ => BUSIEST.to_owned(),
    };
    let location = or_piped(words.first().map(|location| (*location).to_owned()).into_iter().collect())?;
    let mut builder = Pipeline::builder();
    if args.tail {
        // Further options may say otherwise.
        let sleep = Place::Option(format!("--sleep-seconds {}", args.sleep_seconds));
        let tail = || Place::Option("--tail".to_owned());
        builder = builder.set_at("follow", "true", tail()).set_at("every", &toml_text(&args.sleep_seconds), sleep);
        builder = builder.set_at("align", "start", tail());
    }
    run_on(asked(builder, &reports, &location, &args.common)?, &args.common, &words)
}

/// Which servers received most connections.
pub fn top(location: Vec<String>, common: &Common) -> Result<u8> {
    question(BUSIEST, location, common)
}

/// Which hosts connected to one.
pub fn to(host: &str, location: Vec<String>, common: &Common, insists: bool) -> Result<u8> {
    slips::host("to", host, &location, insists)?;
    about("connected-to", host, location, common)
}

/// Which hosts one connected to.
pub fn from(host: &str, location: Vec<String>, common: &Common, insists: bool) -> Result<u8> {
    slips::host("from", host, &location, insists)?;
    about("connected-from", host, location, common)
}

/// Which hosts are on the other side of connections with one, either way.
pub fn peers(host: &str, location: Vec<String>, common: &Common, insists: bool) -> Result<u8> {
    slips::host("peers", host, &location, insists)?;
    about("peers", host, location, common)
}

/// A question about one host.
fn about(report: &str, host: &str, location: Vec<String>, common: &Common) -> Result<u8> {
    question(&format!("[{{ name = \"{report}\", host = {} }}]", toml_text(host)), location, common)
}

/// A question, as a list of reports in TOML.
fn question(reports: &str, location: Vec<String>, common: &Common) -> Result<u8> {
    let location = or_piped(location)?;
    run(asked(Pipeline::builder(), reports, &location, common)?, common)
}

fn asked(builder: Builder, reports: &str, location: &[String], common: &Common) -> Result<Builder> {
    with_common(asking(located(builder, location)?, reports), common)
}
