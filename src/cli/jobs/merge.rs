//! Adds tallies files up.

use crate::cli::commands::tallies::MergeArgs;
use crate::cli::tallies::{Shown, opened, spared, target};
use crate::error::Result;
use crate::output::save::save;
use crate::pipeline::spare_log;

/// Adds files up. The exit code.
pub fn merge(args: &MergeArgs) -> Result<u8> {
    let target = target(&args.output)?;
    let files = opened(&args.files)?;
    spared(&args.files).refuse(target)?;
    spare_log(target)?;
    let mut shown = Shown::new(args.talk.quiet > 0);
    shown.start(files.progress());
    save(target, |out| files.write(out))?;
    Ok(0)
}
