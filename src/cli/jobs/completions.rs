//! Prints a completion script for a shell.

use clap_complete::{Shell, generate};

use crate::cli::help;
use crate::cli::streams::print;
use crate::error::Result;

/// Prints it. The exit code.
pub fn completions(shell: Shell) -> Result<u8> {
    let mut script = Vec::new();
    generate(shell, &mut help::commanded(), "logparser", &mut script);
    print(&String::from_utf8_lossy(&script))
}
