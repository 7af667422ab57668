//! Makes a log to try things on.

use crate::cli::paths::local_target;
use crate::cli::{show, slips};
use crate::error::Result;
use crate::make::{Args, run};
use crate::pipeline::wall_clock;

/// Makes a log and says so. The exit code.
pub fn make(args: &Args) -> Result<u8> {
    slips::made(&args.path)?;
    local_target(&args.path)?;
    let summary = run(args, wall_clock())?;
    show::made(args, &summary);
    Ok(0)
}
