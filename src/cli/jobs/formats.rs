//! Lists the formats of logs, and shows one as a configuration has it.

use std::fmt::Write as _;

use crate::cli::streams::print;
use crate::error::{Error, Result};
use crate::format::mapped::presets::preset;
use crate::format::{PLAIN, listed};
use crate::options::suggest;

/// The width of a list on a terminal.
const WIDTH: usize = 100;

/// Lists them, each with a line of it. The exit code.
pub fn list() -> Result<u8> {
    print(&all())
}

/// Shows one as TOML. The exit code.
pub fn show(name: &str) -> Result<u8> {
    print(&definition(name)?)
}

fn all() -> String {
    let mut text = String::new();
    for format in listed() {
        let example: String = format.example.chars().take(WIDTH).collect();
        let cut = if example.len() < format.example.len() { "..." } else { "" };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}\n    {}\n    e.g. {example}{cut}\n", format.name, format.help);
    }
    text + "Each is told by how a log begins; --format NAME says it. A format of your own: logparser formats show NAME prints one\n\
            to copy into a configuration and change.\n"
}

fn definition(name: &str) -> Result<String> {
    if name == PLAIN {
        return Err(Error::usage("plain has no keys: each line is a Unix time, who connected, and to whom"));
    }
    let Some(preset) = preset(name) else {
        let near = suggest(name, listed().map(|format| format.name));
        let help = near.unwrap_or_else(|| "logparser formats lists them".to_owned());
        return Err(Error::usage(format!("there is no format '{name}'; {help}")));
    };
    let keys = preset.definition().map(|definition| definition.to_string()).unwrap_or_default();
    let lines: String = preset.samples.iter().map(|(line, _)| format!("#   {line}\n")).collect();
    Ok(format!("# {}\n{lines}[formats.my-{name}]\n{keys}", preset.help))
}
