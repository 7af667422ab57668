//! Small reads of a file, which tell how it begins and where which stamps lie.
//!
//! Not here: what is made of that (`prune`, `resolve`).

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::inputs::Inputs;
use super::local::open;
use crate::config::FilterPlan;
use crate::format::LineRules;
use crate::model::{Extent, Guard, InputId, Timestamp};
use crate::ops::scan::{self, Block};
use crate::source::Input;
use crate::source::follow::{HEAD, read_range};
use crate::source::seek::{self, Found, StampReader, Wanted, seek};

/// Looks at a file. `None` if it is not one, or cannot be read, which the run will tell.
pub(super) fn look(input: &Input, wanted: &Wanted, stamps: &FormatStamps) -> Option<(u64, Found)> {
    let (file, size) = open(input)?;
    Some((size, seek(&|at, into| file.read_at(into, at), size, wanted, stamps).ok()?))
}

/// The highest stamp of a file that may be read in part, from its end. `None` if that cannot be
/// told from there.
pub(super) fn latest(inputs: &Inputs, id: InputId, filter: &FilterPlan, future_after: Timestamp) -> Option<Timestamp> {
    let at = id.0 as usize;
    if !inputs.may_skip[at] {
        return None;
    }
    let (file, size) = open(&inputs.all[at])?;
    let stamps = FormatStamps::of(inputs, id, future_after);
    seek::latest(&|at, into| file.read_at(into, at), size, filter.stamps.lateness, &stamps).ok()?
}

/// The stamps of an input.
pub(super) struct FormatStamps {
    pub rules: LineRules,
    pub future_after: Timestamp,
}

impl FormatStamps {
    /// Those of one of the inputs.
    pub fn of(inputs: &Inputs, id: InputId, future_after: Timestamp) -> Self {
        FormatStamps { rules: inputs.rules[id.0 as usize].clone(), future_after }
    }
}

impl StampReader for FormatStamps {
    fn extent(&self, bytes: &[u8], from: u64) -> Option<Extent> {
        scan::extent(Block { bytes, from, rules: &self.rules }, self.future_after)
    }
}

/// The first bytes of a file, so many if it has them. Errors are those of reading.
pub(super) fn head(file: &File, bytes: u64) -> io::Result<Guard> {
    let length = usize::try_from(bytes).unwrap_or(HEAD).min(HEAD);
    Ok(Guard::of(&read_range(file, 0, length)?))
}
