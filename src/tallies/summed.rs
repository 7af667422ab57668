//! What the header of a tallies file says of measures, and whether that can be.
//!
//! Not here: how they stand in the file (`numbers`, `write`, `read`). Invariant: as that of `check`.

use super::header::TalliesHeader;
use super::numbers::HeaderNumbers;
use crate::format::are_measure_names;
use crate::model::{MOST_MEASURES, MeasureSet, Measured, PerMeasure, Timestamp};

impl TalliesHeader {
    /// With what there is to say of measures, and of lines that stand for several connections.
    pub fn with_numbers(self, numbers: Option<HeaderNumbers>) -> Self {
        TalliesHeader { numbers, ..self }
    }

    /// The names of the measures.
    pub fn measures(&self) -> &[String] {
        self.numbers.as_ref().map_or(&[], |numbers| &numbers.measures)
    }

    /// What they come to.
    pub fn measured(&self) -> Measured {
        self.numbers.as_ref().and_then(HeaderNumbers::total).unwrap_or_default()
    }

    /// Whether lines may stand for several connections.
    pub(super) fn is_weighted(&self) -> bool {
        self.numbers.as_ref().is_some_and(|numbers| numbers.is_weighted)
    }

    /// What another file sums that this one does not, or in another order.
    pub(super) fn other_measures(&self, other: &TalliesHeader) -> Option<String> {
        let shown = |header: &TalliesHeader| match header.measures() {
            [] => "nothing".to_owned(),
            names => names.join(", "),
        };
        let differ = self.measures() != other.measures();
        differ.then(|| format!("one sums {}, and the other {}", shown(self), shown(other)))
    }

    /// Whether what it says of numbers can be; errors with what can not.
    pub(super) fn check_numbers(&self) -> Result<(), String> {
        let Some(HeaderNumbers { measures, buckets, is_weighted }) = &self.numbers else { return Ok(()) };
        if measures.is_empty() && !is_weighted {
            return Err("it has format 4, and nothing that format 3 does not say".to_owned());
        }
        if !are_measure_names(measures) {
            return Err("the names of its measures are none".to_owned());
        }
        if buckets.iter().any(|(bucket, it)| !self.buckets.contains_key(bucket) || *it == Measured::default()) {
            return Err("it has sums of buckets without connections, or none of one".to_owned());
        }
        let set = MeasureSet::of(measures);
        let (start, end) = (self.question.start, self.question.end);
        let is_seen_within = |total: &Measured| {
            let within = |[first, last]: [Timestamp; 2]| start <= first && first <= last && last <= end;
            total.sums.seen().map_or(!set.has_times() || buckets.is_empty(), within)
        };
        let is_fit = |total: &Measured| {
            let most = PerMeasure::of(&[self.lines.counted; MOST_MEASURES]);
            !set.lacks_any_of(&total.sums)
                && !set.lacks_any_of(&total.missing)
                && total.missing.is_within(&most)
                && is_seen_within(total)
        };
        match HeaderNumbers::total(self.numbers.as_ref().unwrap_or(&HeaderNumbers::default())).filter(is_fit) {
            Some(_) => Ok(()),
            None => Err("its sums, or the records without one, cannot be".to_owned()),
        }
    }

    /// Whether pairs with these sums, in the window and in the one before it, are those that it summed.
    pub(super) fn check_sums(&self, [window, _]: [PerMeasure; 2]) -> Result<(), String> {
        let all = self.measured().sums;
        // What is counted without its pair is in no pair's sums.
        let is_good = if self.overflow == 0 { window == all } else { window.is_within(&all) };
        if is_good { Ok(()) } else { Err("the sums of its pairs do not add up to its sums".to_owned()) }
    }
}
