//! The `logparser-make` program: makes a log to try things on.

use std::process::ExitCode;

fn main() -> ExitCode {
    logparser::internals::cli::make_main(std::env::args_os().collect())
}
