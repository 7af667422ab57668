//! The `logparser-make` program: makes a log to try things on.

use std::process::ExitCode;

fn main() -> ExitCode {
    logparser::cli::make_main(std::env::args_os().collect())
}
