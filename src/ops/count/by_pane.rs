//! The records of a batch, pane by pane.
//!
//! Where time is out of order, neighbours change between two panes, and a run of one of them may be
//! a record long. Then the records are copied, those of each pane one behind the other: all that is
//! done once a run is done once a pane. Invariant: the copies have all records of the batch, each
//! once, and those of a pane in their order.

use super::buckets::PaneRun;
use crate::batch::Record;

/// Records that are put together by their panes.
#[derive(Debug, Default)]
pub(super) struct ByPane {
    /// The first `panes` are those of this batch; the others wait to be used again.
    copies: Vec<PaneRecords>,
    panes: usize,
}

/// The records of a pane.
#[derive(Debug, Default)]
pub(super) struct PaneRecords {
    pub pane: i64,
    pub records: Vec<Record>,
}

/// Records of a run, on average, from which on copying them costs more than it saves.
const LONG: usize = 32;

/// The most panes that records are put together by.
const FEW: usize = 6;

impl ByPane {
    /// Puts the records of a batch together, if their runs are short and of few panes. Gives whether
    /// they are.
    pub fn gather(&mut self, records: &[Record], runs: &[PaneRun]) -> bool {
        self.panes = 0;
        if runs.len() <= FEW || records.len() >= LONG * runs.len() {
            return false;
        }
        let mut start = 0;
        for &PaneRun { pane, end } in runs {
            let known = self.copies[..self.panes].iter().position(|copy| copy.pane == pane);
            let Some(at) = known.or_else(|| self.open(pane)) else { return false };
            self.copies[at].records.extend_from_slice(&records[start..end]);
            start = end;
        }
        true
    }

    /// Where the records of one more pane go, if there are few.
    fn open(&mut self, pane: i64) -> Option<usize> {
        let at = self.panes;
        if at == FEW {
            return None;
        }
        if at == self.copies.len() {
            self.copies.push(PaneRecords::default());
        }
        self.panes += 1;
        self.copies[at].pane = pane;
        self.copies[at].records.clear();
        Some(at)
    }

    /// The records of the batch that was put together last.
    pub fn panes(&self) -> &[PaneRecords] {
        &self.copies[..self.panes]
    }
}

/// Where some records of a pane, by their place among all of it, are in the batch of these runs.
pub(super) fn in_batch(mut places: Vec<u32>, pane: i64, runs: &[PaneRun]) -> Vec<u32> {
    if !places.is_empty() {
        let starts = [0].into_iter().chain(runs.iter().map(|run| run.end));
        let of_pane = starts.zip(runs).filter(|(_, run)| run.pane == pane);
        let in_batch: Vec<u32> = of_pane.flat_map(|(start, run)| start as u32..run.end as u32).collect();
        places.iter_mut().for_each(|place| *place = in_batch[*place as usize]);
    }
    places
}
