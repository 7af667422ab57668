//! A run over a range of the bytes of one file, of which others read the rest: it has the lines
//! that begin there.
//!
//! Invariant: ranges that meet share no line and leave none out, wherever they are cut.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::inputs::Inputs;
use super::local::open;
use super::probe::head;
use super::uniform::is_uniform;
use crate::config::Plan;
use crate::error::{Error, Result};
use crate::format::PlannedSchema;
use crate::model::{Extent, Guard, InputId};
use crate::source::seek::{self, Found, Reason};
use crate::source::{Input, LocalFile, Pruned};

/// The bytes that a run is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ByteRange {
    /// Lines that begin here or later.
    pub from: u64,
    /// Lines that begin before; `None` is the end of the file.
    pub to: Option<u64>,
    /// Bytes of the file as it was planned: what has grown behind is no part of it.
    pub size: Option<u64>,
    /// Bytes of a last line without a newline that stood behind them. As long as nothing has
    /// followed, it is a line of this range; once something has, it was half a line, and no part of
    /// the plan.
    pub unterminated: Option<u64>,
    /// How the file began as it was planned.
    pub head: Option<Guard>,
    /// How its lines are read, as whoever has planned has found it.
    pub schema: Option<PlannedSchema>,
    /// Bytes of the file that nobody reads, as they cannot hold the window.
    pub passed: Vec<Passed>,
    /// Whether to note how the lines are sorted, since bytes of the file are passed over.
    pub note_order: bool,
}

/// Bytes that are passed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passed {
    /// First byte.
    pub from: u64,
    /// One past the last byte.
    pub to: u64,
    /// What probes have seen there.
    pub extent: Option<Extent>,
}

/// The bytes from line to line that a range means. Errors if there is not one file that has them.
pub(super) fn ranged(plan: &Plan, inputs: &Inputs, range: &ByteRange) -> Result<BTreeMap<InputId, Pruned>> {
    plan.single()?;
    let [input] = &inputs.all[..] else {
        return Err(Error::usage(format!("a range is of one file, and the location leads to {}", inputs.all.len())));
    };
    let Some(LocalFile { path, .. }) = input.file() else {
        return Err(Error::usage(format!("{}: a range is of a file, and this is none", input.name)));
    };
    let cannot = |source| Error::input(path, "cannot read", source);
    if input.is_packed() {
        return whole_packed(input, range);
    }
    let Some((file, size)) = open(input) else {
        return Err(cannot(io::Error::other("it is not the file any more that was found")));
    };
    let to = range.to.or(range.size).unwrap_or(size);
    if range.from > to {
        return Err(Error::usage(format!("the range {}..{to} ends before it begins", range.from)));
    }
    let needed = to.max(range.size.unwrap_or(0));
    if needed > size {
        let action = format!("has {size} bytes, and {needed} are asked for");
        return Err(Error::input(path, action, io::ErrorKind::UnexpectedEof.into()));
    }
    if let Some(planned) = &range.head
        && head(&file, u64::from(planned.bytes)).map_err(cannot)? != *planned
    {
        return Err(Error::input(
            path,
            "is not the file that was planned",
            io::Error::other("it begins otherwise; plan again"),
        ));
    }
    let read = |at: u64, into: &mut [u8]| file.read_at(into, at);
    let start = seek::line_start(&read, size, range.from).map_err(cannot)?;
    let nothing_followed = range.unterminated.is_some_and(|bytes| to.checked_add(bytes) == Some(size));
    // Whoever plans has looked that up.
    if range.schema.is_none() && !is_uniform(&file, start, &inputs.rules[0]).map_err(cannot)? {
        let name = &input.name;
        return Err(Error::usage(format!(
            "{name}: names other columns before byte {start}, and is read from its start only"
        )));
    }
    let has_last_line = nothing_followed && range.size == Some(to);
    let end = if has_last_line { size } else { seek::line_start(&read, size, to).map_err(cannot)? };
    if !has_last_line && range.size.is_some_and(|planned| planned < end) {
        let inside = io::Error::other(format!("a line goes on behind byte {to}; plan again"));
        return Err(Error::input(path, "has grown inside its planned last line", inside));
    }
    let found = Found { from: start, to: end, extent: None, outside: (None, None), probes: 0, reason: Reason::Pruned };
    let order = range.note_order.then(Default::default);
    // Disorder does not make the rest be read, and the range ends where it ends however the file
    // grows.
    let pruned = Pruned { found, size: u64::MAX, disorder: i64::MAX, order, sent: 0 };
    Ok(BTreeMap::from([(InputId(0), pruned)]))
}

/// A compressed file is one portion: nobody can begin in the middle of it. Errors if a part of it is
/// asked for, or if it is not what was planned.
fn whole_packed(input: &Input, range: &ByteRange) -> Result<BTreeMap<InputId, Pruned>> {
    let Some(LocalFile { path, size, .. }) = input.file() else { return Ok(BTreeMap::new()) };
    let (from, to) = (range.from, range.to.or(range.size).unwrap_or(*size));
    if range.size.is_some_and(|planned| planned != *size) || to > *size {
        let needed = range.size.unwrap_or(to);
        let action = format!("has {size} compressed bytes, and {needed} are asked for; plan again");
        return Err(Error::input(path, action, io::ErrorKind::UnexpectedEof.into()));
    }
    let passed = range.passed.iter().map(|passed| passed.to.saturating_sub(passed.from)).sum::<u64>();
    let is_skipped = (from, to) == (0, 0) && passed == *size;
    if !is_skipped && (from, to) != (0, *size) {
        let name = &input.name;
        return Err(Error::usage(format!("{name}: is compressed, and only all of it can be read: 0..{size}")));
    }
    let cannot = |source| Error::input(path, "cannot read", source);
    let file = File::open(path).map_err(cannot)?;
    if let Some(planned) = &range.head
        && head(&file, u64::from(planned.bytes)).map_err(cannot)? != *planned
    {
        let again = io::Error::other("it begins otherwise; plan again");
        return Err(Error::input(path, "is not the file that was planned", again));
    }
    let skipped = Pruned { found: Found::nothing(Reason::Old), size: *size, disorder: 0, order: None, sent: 0 };
    Ok(is_skipped.then_some((InputId(0), skipped)).into_iter().collect())
}
