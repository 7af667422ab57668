//! The `logparser` program: hands the command line over, and the exit code back.

use std::process::ExitCode;

fn main() -> ExitCode {
    logparser::internals::cli::main(std::env::args_os().collect())
}
