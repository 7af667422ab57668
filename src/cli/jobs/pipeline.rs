//! The pipeline of a configuration file: run, checked, drawn.

use std::path::Path;

use crate::cli::args::{Common, Settings};
use crate::cli::building::{configured, with_common, with_overrides, with_settings};
use crate::cli::commands::GraphFormat;
use crate::cli::keys::{Draws, KeyArgs, Runs};
use crate::cli::running;
use crate::cli::streams::print;
use crate::config::{DrawFormat, draw};
use crate::error::{Result, show_path};
use crate::pipeline::Pipeline;

/// Runs it. The exit code.
pub fn run(file: &Path, settings: &Settings, common: &Common) -> Result<u8> {
    let builder = with_settings(configured(file)?, settings)?;
    running::run(with_common(builder, common)?, common)
}

fn built<T>(file: &Path, settings: &Settings, keys: &KeyArgs<T>) -> Result<Pipeline> {
    with_overrides(with_settings(configured(file)?, settings)?, keys.overrides()?).build()
}

/// Says how many stages it has, or every problem in it. The exit code.
pub fn check(file: &Path, settings: &Settings, keys: &KeyArgs<Runs>) -> Result<u8> {
    let pipeline = built(file, settings, keys)?;
    let stages = pipeline.plan().stages.len();
    print(&format!("{}: {stages} stages, no problems\n", show_path(file)))
}

/// Draws its graph. The exit code.
pub fn graph(file: &Path, format: GraphFormat, settings: &Settings, keys: &KeyArgs<Draws>) -> Result<u8> {
    let pipeline = built(file, settings, keys)?;
    let format = match format {
        GraphFormat::Text => DrawFormat::Text,
        GraphFormat::Dot => DrawFormat::Dot,
        GraphFormat::Mermaid => DrawFormat::Mermaid,
    };
    print(&draw(pipeline.plan(), format))
}
