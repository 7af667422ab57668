//! Makes a log to try things on.

use crate::cli::paths::local_target;
use crate::cli::{show, slips};
use crate::error::Result;
use crate::make::{Args, run};
use crate::pipeline::wall_clock;

/// Makes a log and says so. The exit code.
pub fn make(args: &Args) -> Result<u8> {
    if let Some(path) = args.path.path() {
        slips::made(path)?;
        local_target(path)?;
    }
    let summary = run(args, wall_clock())?;
    show::made(args, &summary);
    Ok(0)
}
