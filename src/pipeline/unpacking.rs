//! The memory that decompressing inputs takes, where the memory of a run is limited.
//!
//! A reader that reads one file after the other has no more decoders open than it has workers; one
//! that reads all of them in the order of time may have one for each. Not here: what one decoder
//! takes, by what its file says at its start (`source/codec`). Invariant: a file that takes more
//! later on than it says at its start is refused then.

use super::inputs::{Inputs, readers};
use crate::config::Plan;
use crate::error::{Error, Result};
use crate::model::InputId;
use crate::source::{Input, MOST_MEMORY};

/// The part of a run's memory that a decoder may take of which nothing is known when the run
/// begins: that of a stream, or of a file that is found later.
const SHARE: usize = 16;

/// The bytes of memory that a decoder may take of which nothing is known when the run begins.
pub(super) fn of_one(plan: &Plan) -> u64 {
    plan.max_memory().map_or(MOST_MEMORY, |bytes| ((bytes / SHARE) as u64).min(MOST_MEMORY))
}

/// Lets each input have no more memory to be decompressed than it says at its start, if memory is
/// limited.
pub(super) fn limit(plan: &Plan, inputs: &mut Inputs) {
    if plan.max_memory().is_none() {
        return;
    }
    let one = of_one(plan);
    for input in &mut inputs.all {
        let memory = input.packing().map_or(one, |(_, memory)| memory);
        *input = input.clone().with_memory(memory);
    }
}

/// The bytes of memory that decompressing takes at once, of inputs that are not skipped. Errors if
/// that leaves too little of a limit to count with.
pub(super) fn memory(plan: &Plan, inputs: &Inputs, is_skipped: impl Fn(InputId) -> bool) -> Result<usize> {
    let Some(max_memory) = plan.max_memory() else { return Ok(0) };
    let (mut all, mut largest) = (0u64, None);
    for (at, reader) in readers(plan) {
        let ids = inputs.by_reader.get(&at).into_iter().flatten().filter(|id| !is_skipped(**id));
        let packed = |id: &InputId| {
            let input = &inputs.all[id.0 as usize];
            Some((input.packing()?.1, input))
        };
        let mut packed: Vec<(u64, &Input)> = ids.filter_map(packed).collect();
        packed.sort_by_key(|(memory, _)| std::cmp::Reverse(*memory));
        let at_once = if reader.by_time { packed.len() } else { plan.stages[at].threads.get() };
        all = packed.iter().take(at_once).fold(all, |sum, (memory, _)| sum.saturating_add(*memory));
        largest = largest.max(packed.first().map(|(memory, input)| (*memory, input.name.clone())));
    }
    let all = usize::try_from(all).unwrap_or(usize::MAX);
    if let (Some(least), Some((_, name))) = (plan.least_memory(all), largest)
        && least > max_memory
    {
        let mebibytes = |bytes: usize| bytes.div_ceil(1 << 20);
        return Err(Error::usage(format!(
            "--max-memory {}MiB leaves too little to count with: decompressing the inputs takes up to {} MiB at once, most of \
             them {name}; give at least {}MiB, or read fewer of them at a time",
            max_memory >> 20,
            mebibytes(all),
            mebibytes(least)
        )));
    }
    Ok(all)
}
