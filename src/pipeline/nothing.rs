//! What there is where nothing is counted: the stamps of the inputs, looked at once it is known
//! that they are of interest. So a run that finds something pays nothing for it.
//!
//! Not here: pipes, which give nothing twice; the time-filter notes what it saw of them.

use std::sync::Arc;

use super::inputs::Inputs;
use super::probe::{FormatStamps, look};
use super::resolve::ResolvedFilter;
use crate::model::{InputId, Stamps, Timestamp};
use crate::ops::scan::{self, Block};
use crate::source::seek::Wanted;
use crate::source::{Cursor, Input};
use crate::stage::{filter, reporter};

/// Bytes of all files together up to which they are looked at whole; larger ones at both ends, and
/// here and there.
const WHOLE: u64 = 64 << 20;

/// Bytes of a block in such a look.
const BLOCK: usize = 256 << 10;

/// What it takes to look.
pub(super) struct StampsThere {
    /// The inputs, and how the stamps of each are read.
    inputs: Vec<(Input, FormatStamps)>,
    /// The declared disorder in nanoseconds.
    disorder: i64,
    /// What saw the pipes.
    filter: Arc<filter::FilterShared>,
}

impl StampsThere {
    /// What it takes where the windows of a time-filter over `ids` hold nothing.
    pub fn before(
        (_, plan, resolved): ResolvedFilter<'_>,
        inputs: &Inputs,
        ids: &[InputId],
        filter: Arc<filter::FilterShared>,
    ) -> reporter::Emptiness {
        let future_after = resolved.bounds.future_after;
        let of = |&id: &InputId| (inputs.all[id.0 as usize].clone(), FormatStamps::of(inputs, id, future_after));
        let nothing = StampsThere { inputs: ids.iter().map(of).collect(), disorder: plan.stamps.lateness, filter };
        reporter::Emptiness { stretch: resolved.stretch(plan), look: Box::new(move || nothing.stamps()) }
    }

    /// The stamps of all inputs.
    fn stamps(&self) -> Stamps {
        let mut all = self.filter.passed.as_ref().map_or_else(Stamps::none, |passed| *passed.lock());
        let whole = self.inputs.iter().filter_map(|(input, _)| input.size()).sum::<u64>() <= WHOLE;
        for (input, stamps) in self.inputs.iter().filter(|(input, _)| input.size().is_some()) {
            let seen = if whole { every_stamp(input, stamps) } else { self.some(input, stamps) };
            all.merge(seen);
        }
        // In what is not text, stamps are there by accident.
        let is_text = || !self.filter.firsts.seen().kind().is_binary;
        if self.inputs.len() == 1 && !is_text() {
            all.extent = None;
        }
        all
    }

    /// The stamps at both ends of a file, and here and there.
    fn some(&self, input: &Input, stamps: &FormatStamps) -> Stamps {
        let wanted = Wanted { first: Timestamp::MAX, last: Timestamp::MAX, disorder: self.disorder };
        let extent = look(input, &wanted, stamps).and_then(|(_, found)| found.extent);
        Stamps { extent: extent.map(|extent| (extent.lowest, extent.highest)), whole: false }
    }
}

/// All stamps of a file.
fn every_stamp(input: &Input, stamps: &FormatStamps) -> Stamps {
    let (mut cursor, mut bytes) = (Cursor::new(input.clone(), BLOCK, stamps.rules.max_line), Vec::new());
    let (mut seen, mut rules) = (Stamps::none(), stamps.rules.clone());
    loop {
        let step = cursor.next(&mut bytes, &|| false);
        seen.whole &= step.failure.is_none();
        rules.each_piece(&bytes, |bytes, start, rules| {
            let block = Block { bytes, from: step.cut.from + start as u64, rules };
            let found = scan::extent(block, stamps.future_after);
            seen.merge(Stamps { extent: found.map(|found| (found.lowest, found.highest)), whole: true });
            true
        });
        if step.cut.last {
            return seen;
        }
    }
}
