//! The files that a location leads to, as JSON, and whether they are those of a plan.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::json;

use crate::cli::building::{configured_or_standard, located, or_piped};
use crate::cli::commands::tallies::ListArgs;
use crate::cli::paths::local;
use crate::cli::streams::emit;
use crate::cli::{show, tallies};
use crate::config::is_log;
use crate::error::{Error, Result, show_path};
use crate::model::location::PathArg;
use crate::pipeline::{ListedFile, Pipeline, agree};

/// What a plan says of its files.
#[derive(Deserialize)]
struct Planned {
    schema: String,
    build: String,
    locations: Vec<String>,
    inputs: Vec<PlannedFile>,
}

#[derive(Deserialize)]
struct PlannedFile {
    path: PathBuf,
    size: u64,
    head: String,
}

/// Prints a line of JSON. The exit code.
pub fn list(args: &ListArgs) -> Result<u8> {
    let places = args.output.places()?;
    if let Some(plan) = &args.plan {
        return emit(&compare(plan, &places)?, &places);
    }
    let location = if args.config.is_some() { args.location.clone() } else { or_piped(args.location.clone())? };
    let builder = located(configured_or_standard(args.config.as_deref())?, &location)?;
    let pipeline = builder.on_failure(show::error).on_warning(show::warning).build()?;
    let pipeline = places.iter().fold(pipeline, |pipeline, place| pipeline.writes(*place));
    let locations = pipeline.plan().locations();
    let files = pipeline.list()?;
    emit(&json(&locations, &files.iter().collect::<Vec<_>>())?, &places)
}

fn json(locations: &[String], files: &[&ListedFile]) -> Result<String> {
    let inputs = files.iter().map(|file| {
        let head = tallies::shown_head(&file.head);
        Ok(json!({ "path": tallies::utf8(&file.path)?, "size": file.size, "head": head }))
    });
    show::json(&json!({
        "schema": "logparser-list/1",
        "version": env!("CARGO_PKG_VERSION"),
        "build": crate::version::BUILD,
        "locations": locations,
        "inputs": inputs.collect::<Result<Vec<_>>>()?,
        "bytes_total": files.iter().map(|file| file.size).sum::<u64>(),
    }))
}

/// The files that are longer than those of a plan, if no other difference is.
fn compare(plan: &PathArg, places: &[Option<&Path>]) -> Result<String> {
    let file = plan.path();
    file.map_or(Ok(()), local)?;
    let shown = file.map_or_else(|| "<stdin>".to_owned(), show_path);
    let reader: Box<dyn Read> = match file {
        None => Box::new(io::stdin().lock()),
        Some(path) => Box::new(File::open(path).map_err(|error| Error::input(path, "cannot read", error))?),
    };
    let planned: Planned =
        serde_json::from_reader(BufReader::new(reader)).map_err(|error| match file.and_then(is_log) {
            Some(begins) => {
                Error::usage(format!("{shown} {begins}, and a plan is expected; `logparser plan` makes one"))
            }
            None => Error::usage(format!("{shown}: it is no plan of logparser: {error}")),
        })?;
    if planned.schema != "logparser-plan/1" {
        return Err(Error::usage(format!("{shown}: it is no plan of logparser")));
    }
    tallies::same_build(&planned.build)?;
    let files = planned.inputs.into_iter().map(|PlannedFile { path, size, head }| {
        let head = tallies::head(&head).ok_or_else(|| {
            Error::usage(format!("{shown}: inputs.head: expected BYTES:HASH, not '{}'", head.escape_debug()))
        })?;
        Ok(ListedFile { path, size, head })
    });
    let files = files.collect::<Result<Vec<_>>>()?;
    let builder = located(Pipeline::builder(), &planned.locations)?;
    let builder = file.into_iter().fold(builder, |builder, path| builder.reads(path, &format!("the plan {shown}")));
    let pipeline = builder.on_failure(show::error).on_warning(show::warning).build()?;
    let here = places.iter().fold(pipeline, |pipeline, place| pipeline.writes(*place)).list()?;
    json(&planned.locations, &agree(&here, &files)?)
}
